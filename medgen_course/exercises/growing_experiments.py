"""Checks of notebook 05 for experiments: they read what the student measured, and say what it shows."""

from collections.abc import Callable, Mapping

from medgen_course.exercises.verdict import Finding, Verdict, as_number, call, judge, not_attempted

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
BLURS = (0.0, 1.0, 2.0)  # standard deviations in pixels


def check_sameness(fn: Callable[[float], float]) -> Verdict:
    """Check an experiment on collapse: the minibatch deviation when a share of the batch is one image.

    Args:
        fn: share of copies in [0, 1] to the mean deviation over several batches.
    """
    measured: dict[float, float] = {}

    def examine(student: Callable) -> None:
        for share in SHARES:
            measured[share] = _number(call(student, share), "the deviation")
        _examine_sameness(measured)

    return judge("sameness", fn, examine, lambda: _sameness_told(measured))


def check_scales(fn: Callable[[float], Mapping[int, float]], floor: Mapping[int, float]) -> Verdict:
    """Check an experiment on scales: sliced Wasserstein distances of blurred images, by side.

    Args:
        fn: standard deviation of the blur in pixels (0 for none) to {side: distance}.
        floor: the same of real images without blur.
    """
    measured: dict[float, Mapping[int, float]] = {}

    def examine(student: Callable) -> None:
        for sigma in BLURS:
            measured[sigma] = _by_side(call(student, sigma), floor)
        _examine_scales(measured, floor)

    return judge("scales", fn, examine, lambda: _scales_told(measured, floor))


def _number(found: object, what: str) -> float:
    return as_number(found, what + " should be one number; yours is a {}.")


def _by_side(found: object, floor: Mapping[int, float]) -> dict[int, float]:
    if found is None:
        raise not_attempted()
    if not isinstance(found, Mapping) or set(found) != set(floor):
        raise Finding(f"expected a distance for each side {sorted(floor)}, as `pyramid_distances` has it.")
    return {side: _number(value, f"the distance at {side} px") for side, value in found.items()}


def _examine_sameness(measured: Mapping[float, float]) -> None:
    none, every = measured[0.0], measured[1.0]
    if none <= 0:
        raise Finding("without copies the deviation is 0: take images that differ.")
    if every > 0.05 * none:
        raise Finding(
            f"with the whole batch one image the deviation is {every:.4f}, without copies {none:.4f}; it "
            "should be 0. Copy ONE image into the first places of the batch, and compare the whole batch."
        )
    for share in SHARES[1:-1]:
        expected = none * (1 - share**2) ** 0.5  # of the variance within: (1 - s) + s (1 - s)
        if abs(measured[share] - expected) > 0.2 * none:
            raise Finding(
                f"at a share of {share:.0%} you have {measured[share]:.4f}; about {expected:.4f} is to be "
                "expected. Replace that share of a batch by one image, leave the rest, average over batches."
            )


def _sameness_told(measured: Mapping[float, float]) -> str:
    kept = ", ".join(f"{measured[share] / measured[0.0]:.0%} at {share:.0%}" for share in SHARES[1:])
    return f"Of the deviation without copies there remain {kept}. It falls like √(1 − s²): late."


def _examine_scales(measured: Mapping[float, Mapping[int, float]], floor: Mapping[int, float]) -> None:
    for side, value in measured[0.0].items():
        if abs(value - floor[side]) > 0.5 * floor[side] + 1e-3:
            raise Finding(
                f"without blur your distance at {side} px is {value:.4f}, that of real images "
                f"{floor[side]:.4f}. Compare the same two sets, with as many patches and the same seed."
            )
    if measured[BLURS[-1]] == measured[0.0]:
        raise Finding("blur 2 and no blur give the same distances: the blur never reached the images.")
    finest, strong = max(floor), measured[BLURS[-1]]
    if strong[finest] <= floor[finest]:
        raise Finding(
            f"blurred by 2 pixels the distance at {finest} px is {strong[finest]:.4f}, no more than without: "
            "blur one of the two sets only."
        )


def _scales_told(measured: Mapping[float, Mapping[int, float]], floor: Mapping[int, float]) -> str:
    lines = []
    for sigma in BLURS[1:]:
        times = {side: measured[sigma][side] / floor[side] for side in sorted(floor, reverse=True)}
        lines.append(f"blur {sigma:g}: " + ", ".join(f"{t:.1f} × at {side} px" for side, t in times.items()))
    return "Against real images, " + "; ".join(lines) + "."

"""Checks of notebook 03 for experiments: they read what the student measured, and say what it shows."""

from collections.abc import Callable, Mapping

from medgen_course.exercises.verdict import Finding, Verdict, as_number, call, judge, not_attempted

TRUNCATIONS = (0.5, 0.75, 1.0)
SHARES = (0.0, 0.1, 0.25, 0.5)


def check_truncation(
    fn: Callable[[float], Mapping[str, float]], usual: Mapping[str, Mapping[str, float]]
) -> Verdict:
    """Check an experiment on truncated noise: density and recall at three truncations.

    Args:
        fn: truncation to {"density": …, "recall": …, …} of images drawn with it.
        usual: figures of untruncated samples, measure to a row with `low` and `high`.
    """
    measured: dict[float, Mapping[str, float]] = {}

    def examine(student: Callable) -> None:
        for truncation in TRUNCATIONS:
            measured[truncation] = _figures(call(student, truncation), ("density", "recall"))
        _examine_truncation(measured, usual)

    return judge("truncation", fn, examine, lambda: _truncation_told(measured))


def check_hidden_copies(fn: Callable[[float], float], usual: Mapping[str, float]) -> Verdict:
    """Check an experiment on hidden copies: memorisation when a share of the samples are training images.

    Args:
        fn: share of copies in [0, 1] to memorisation.
        usual: memorisation of the same generator's samples: `value`, `low` and `high`.
    """
    measured: dict[float, float] = {}

    def examine(student: Callable) -> None:
        for share in SHARES:
            measured[share] = _number(call(student, share), "memorisation")
        _examine_copies(measured, usual)

    return judge("hidden copies", fn, examine, lambda: _copies_told(measured, usual))


def _number(found: object, what: str) -> float:
    return as_number(found, what + " should be one number; yours is a {}.")


def _figures(found: object, names: tuple[str, ...]) -> dict[str, float]:
    if found is None:
        raise not_attempted()
    if not isinstance(found, Mapping) or not set(names) <= set(found):
        raise Finding(f"expected a dictionary with {' and '.join(names)}, as `against.measure` returns it.")
    return {name: _number(found[name], name) for name in names}


def _examine_truncation(
    measured: Mapping[float, Mapping[str, float]], usual: Mapping[str, Mapping[str, float]]
) -> None:
    short, full = measured[TRUNCATIONS[0]], measured[TRUNCATIONS[-1]]
    for name in full:
        row = usual[name]
        slack = max(0.25 * abs(row["high"]), 3 * (row["high"] - row["low"]))
        if not row["low"] - slack <= full[name] <= row["high"] + slack:
            raise Finding(
                f"without truncation (1.0) your {name} is {full[name]:.3f}; the same generator had "
                f"{row['low']:.3f} to {row['high']:.3f}. Draw as many images as there are held-out ones, "
                "with classes in training proportions, from the shipped generator."
            )
    if short == full:
        raise Finding("truncation 0.5 and 1.0 give the same figures: the truncation never reached the noise.")
    if short["density"] < full["density"] and short["recall"] > full["recall"]:
        raise Finding(
            f"truncation 0.5 lowers density ({full['density']:.3f} to {short['density']:.3f}) and raises "
            f"recall ({full['recall']:.3f} to {short['recall']:.3f}): that is longer noise, not shorter. "
            "Multiply the noise by the truncation."
        )


def _truncation_told(measured: Mapping[float, Mapping[str, float]]) -> str:
    """What the figures show, in the student's own numbers."""
    told = []
    for name in ("recall", "density"):
        values = ", ".join(f"{measured[t][name]:.3f} at {t:g}" for t in reversed(TRUNCATIONS))
        told.append(f"{name} {values}")
    short, full = (measured[t]["recall"] for t in (TRUNCATIONS[0], TRUNCATIONS[-1]))
    way = "falls" if short < full else "rises" if short > full else "stays"
    return f"You measured {'; '.join(told)}. With the noise halved, recall {way}."


def _examine_copies(measured: Mapping[float, float], usual: Mapping[str, float]) -> None:
    none, slack = measured[0.0], max(0.05, 3 * (usual["high"] - usual["low"]))
    if abs(none - usual["value"]) > slack:
        raise Finding(
            f"without copies your memorisation is {none:.3f}; the same generator had {usual['value']:.3f}. "
            "At share 0 all images should be samples, measured with `against.measure`."
        )
    for share in SHARES[1:]:
        expected, wrong_way = none + share * (1 - none), 1 - share + share * none
        if abs(measured[share] - wrong_way) < slack < abs(measured[share] - expected):
            raise Finding(f"at share {share:g} you have {measured[share]:.3f}: 1 - share are copies.")
        if measured[share] < expected - slack:
            raise Finding(
                f"at share {share:g} you have {measured[share]:.3f}, and each copy should count: about "
                f"{expected:.3f}. Take the copies, unchanged, from the training images compared with."
            )
        if measured[share] > expected + slack:
            raise Finding(
                f"at share {share:g} you have {measured[share]:.3f}, more than the copies explain (about "
                f"{expected:.3f}). Replace a share of the samples; do not draw the rest from training too."
            )


def _copies_told(measured: Mapping[float, float], usual: Mapping[str, float]) -> str:
    above = [share for share in SHARES if measured[share] > usual["high"]]
    line = ", ".join(f"{measured[share]:.3f} at {share:.0%}" for share in SHARES)
    noticed = f"The first share beyond the samples' spread is {above[0]:.0%}" if above else "None stands out"
    return f"Each copy counts once: {line}. {noticed} (samples alone reach {usual['high']:.3f})."

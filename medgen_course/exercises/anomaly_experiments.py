"""Checks for notebook 10_anomaly on what a student measured: the likelihood of blurred images, and smoothing.

Nobody's numbers are known beforehand: a check measures again and compares.
"""

from collections.abc import Callable, Mapping

from medgen_course.exercises.verdict import Finding, Verdict, judge, not_attempted

Measure = Callable[[float], float]


def check_blur(measure: Measure, shares: Mapping[float, float] | None, answer: str | None) -> Verdict:
    """Check an experiment: of how many healthy images does the likelihood rise when they are blurred?

    Args:
        measure: standard deviation of the blur, pixels -> that share, in [0, 1].
        shares: sigma -> share, as the student measured it, for three sigmas or more.
        answer: "rises", "falls" or "differs": what the likelihood does for more than half of the images at
            every sigma, or that this depends on sigma.
    """

    def examine(_) -> None:
        if not shares or answer is None:
            raise not_attempted()
        expected = _compare(measure, shares, "sigma", "share", 0.03)
        rises = [share > 0.5 for share in expected.values()]
        right = "rises" if all(rises) else "falls" if not any(rises) else "differs"
        if answer != right:
            raise Finding(
                f"The shares are right, but your answer is {answer!r}. The likelihood rises for more than "
                f"half of the images at {sum(rises)} of {len(rises)} sigmas: {right!r}."
            )

    return judge("likelihood of blur", lambda: None, examine, "Each share is what the model gives.")


def check_smoothing(measure: Measure, found: Mapping[float, float] | None, best: float | None) -> Verdict:
    """Check an experiment: which smoothing of the map finds most lesions at a fixed rate of false alarms?

    Args:
        measure: standard deviation of the smoothing, pixels -> share of the lesions found.
        found: sigma -> share, as the student measured it, for three sigmas or more.
        best: the sigma with the highest share.
    """

    def examine(_) -> None:
        if not found or best is None:
            raise not_attempted()
        expected = _compare(measure, found, "sigma", "share found", 0.01)
        top = max(expected.values())
        if best not in expected or expected[best] < top - 1e-9:
            raise Finding(
                f"The shares are right, but best is {best}: the highest share, {top:.3f}, is reached at "
                f"{', '.join(f'{s:g}' for s, share in expected.items() if share == top)}."
            )

    return judge(
        "smoothing", lambda: None, examine, "Each share is what the maps give, and so is the best sigma."
    )


def _compare(
    measure: Measure, measured: Mapping[float, float], key: str, what: str, tolerance: float
) -> dict[float, float]:
    """What the check measures for the same settings; a `Finding` at the first one that is off."""
    if len(measured) < 3:
        raise Finding(f"{len(measured)} values of {key}; measure three or more.")
    expected = {setting: measure(setting) for setting in measured}
    for setting, value in expected.items():
        if not abs(measured[setting] - value) <= tolerance:
            raise Finding(
                f"At {key} {setting:g} you have a {what} of {measured[setting]:.3g}; measured again it is "
                f"{value:.3g}."
            )
    return expected

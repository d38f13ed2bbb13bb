"""Checks for notebook 12_few_labels on what a student measured: which images to label, and when to be silent.

Nobody's numbers are known beforehand: a check measures again and compares.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from medgen_course.exercises.resampling import mean_interval
from medgen_course.exercises.verdict import Finding, Verdict, judge, not_attempted

Choose = Callable[[str, int], float]
Speak = Callable[[float], tuple[np.ndarray, np.ndarray]]
WAYS = ("random", "balanced")
ANSWERS = (*WAYS, "tie")
CLOSE = 0.011  # a share or an AUC that is measured again may differ by so much


def check_which_labels(
    measure: Choose,
    seeds: Sequence[int],
    found: Mapping[str, object] | None,
    answer: str | None,
) -> Verdict:
    """Check an experiment: is it better to label as many images of each class, or images as they come?

    Args:
        measure: (way, seed) -> AUC of a classifier whose labelled images were chosen that way, "random" or
            "balanced", with that seed.
        seeds: with which both ways are to be measured.
        found: "random" and "balanced", the mean AUC over the seeds, and "gap", (value, low, high) of balanced
            minus random, seed by seed.
        answer: "balanced" or "random" where the interval of the gap has one sign, else "tie".
    """

    def examine(_) -> None:
        if not found or answer is None:
            raise not_attempted()
        scores = {way: np.array([measure(way, seed) for seed in seeds], dtype=float) for way in WAYS}
        for way, values in scores.items():
            given = float(found.get(way, np.nan))
            if not abs(given - values.mean()) <= CLOSE:
                raise Finding(
                    f"{way}: your mean AUC is {given:.3f}; measured again it is {values.mean():.3f}."
                )
        row = mean_interval(scores["balanced"] - scores["random"])
        _gap_fits(found.get("gap"), row, scores)
        value, low, high = map(float, found["gap"])  # resampled by the student, so an end may lie elsewhere
        right = ANSWERS[2] if low <= 0 <= high else ANSWERS[int(value > 0)]
        if answer != right:
            raise Finding(
                f"The numbers are right, but your answer is {answer!r}; by the interval of the gap, "
                f"{low:+.3f} to {high:+.3f}, it is {right!r}."
            )

    praise = "Both ways with the same seeds, the gap seed by seed, and an answer that its interval gives."
    return judge("which images to label", lambda: None, examine, praise)


def _gap_fits(given: object, row: Mapping[str, float], scores: Mapping[str, np.ndarray]) -> None:
    if not isinstance(given, (tuple, list)) or len(given) != 3:
        raise Finding(f'For "gap" you have {given!r}; give (value, low, high) of balanced minus random.')
    value, low, high = map(float, given)
    if abs(value + row["value"]) <= 1e-3 < abs(value - row["value"]):
        raise Finding(f"Your gap is {value:+.3f}: take balanced minus random, not the other way round.")
    if not abs(value - row["value"]) <= CLOSE:
        raise Finding(f"Your gap is {value:+.3f}; measured again it is {row['value']:+.3f}.")
    slack = max(0.004, 0.2 * (row["high"] - row["low"]))
    if abs(low - row["low"]) <= slack and abs(high - row["high"]) <= slack:
        return
    gaps = scores["balanced"] - scores["random"]
    usual = {
        " That is the spread of single seeds, not of their mean.": gaps.std(),
        " The same seed belongs to both: take the difference first, then the interval.": np.hypot(
            *(values.std() for values in scores.values())
        )
        / len(gaps) ** 0.5,
    }
    near = min(usual, key=lambda text: abs(high - low - 3.92 * usual[text]))
    why = near if abs(high - low - 3.92 * usual[near]) < usual[near] else ""
    raise Finding(
        f"Your interval is {low:+.3f} to {high:+.3f}; expected about {row['low']:+.3f} to "
        f"{row['high']:+.3f}, over resamples of the {len(gaps)} seeds.{why}"
    )


def check_silence(
    measure: Speak, found: Mapping[float, Mapping[str, float]] | None, answer: float | str | None, most: float
) -> Verdict:
    """Check an experiment: how often must a description be silent, so that what it says can be trusted?

    Args:
        measure: level of the intervals -> which statements are made, bool (N,), and whether what would be
            said is right, bool (N,); the same statements in the same order at every level.
        found: level -> "silent", the share of statements left unsaid, and "wrong", of those made the share
            that is wrong; for three levels or more.
        answer: the lowest of these levels at which the share of wrong statements is at most `most` by the
            upper end of its 95 % interval (Clopper & Pearson); "none" where there is none.
        most: share of wrong statements that may be.
    """

    def examine(_) -> None:
        if not found or answer is None:
            raise not_attempted()
        if len(found) < 3:
            raise Finding(f"{len(found)} levels; measure three or more.")
        fine = []
        for level in sorted(found):
            spoken, right = (np.asarray(part, dtype=bool) for part in measure(level))
            _shares_fit(level, found[level], spoken, right)
            if spoken.any() and _upper((~right[spoken]).sum(), spoken.sum()) <= most:
                fine.append(level)
        expected = fine[0] if fine else "none"
        if answer != expected:
            by_value = [level for level in sorted(found) if found[level]["wrong"] <= most]
            why = (
                " That is by the share itself; its interval reaches further."
                if by_value[:1] == [answer]
                else ""
            )
            raise Finding(f"The shares are right; your level is {answer}, expected {expected}.{why}")

    return judge(
        "silence", lambda: None, examine, "Shares of what was said, and a level that the interval gives."
    )


def _shares_fit(level: float, given: Mapping[str, float], spoken: np.ndarray, right: np.ndarray) -> None:
    wrong = (~right)[spoken]
    expected = {"silent": float((~spoken).mean()), "wrong": float(wrong.mean()) if len(wrong) else 0.0}
    usual = {
        "silent": {float(spoken.mean()): " That is the share that is said."},
        "wrong": {
            float((spoken & ~right).mean()): " Divide by the statements that were made, not by all.",
            float((~right).mean()): " That is of all statements, as if each had been made.",
            float(right[spoken].mean()) if len(wrong) else 1.0: " That is the share that is right.",
        },
    }
    for name, value in expected.items():
        mine = float(given.get(name, np.nan))
        if not abs(mine - value) <= 1e-3:
            why = next((text for known, text in usual[name].items() if abs(known - mine) <= 1e-3), "")
            raise Finding(f"At level {level:g}, {name} is {value:.3f}; yours is {mine:.3f}.{why}")


def _upper(wrong: int, made: int) -> float:
    """The upper end of the 95 % interval of Clopper and Pearson."""
    from scipy.stats import beta

    return 1.0 if wrong == made else float(beta.ppf(0.975, wrong + 1, made - wrong))

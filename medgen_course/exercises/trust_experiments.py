"""Checks for notebook 13_trust on what a student measured: when a model leaks, how little fools a classifier.

Nobody's numbers are known beforehand: a check measures again and compares.
"""

from collections.abc import Callable, Collection, Mapping

import numpy as np

from medgen_course.exercises.resampling import RESAMPLES, Two, area, mean_interval
from medgen_course.exercises.verdict import Finding, Verdict, judge, not_attempted

CLOSE = 0.011  # a share or an AUC that is measured again may differ by so much
WIDE = 0.025  # so much may the end of an interval differ, which depends on the resampling
CLEAR = 0.004  # nearer to its bound the end of an interval is decided by the resampling
SEEDS = 5  # an answer passes that any of so many resamplings gives
PAIRED = (
    " Compare image by image: the same images are hard for both, and two intervals may overlap all the same."
)


def check_leaks(
    measure: Callable[[int], Two],
    found: Mapping[int, tuple[float, float, float]] | None,
    leaks: Collection[int] | None,
) -> Verdict:
    """Check an experiment: after how much training can members be told from others?

    Args:
        measure: updates -> scores of members (M,), and of held-out images (N,); higher is more likely a
            member.
        found: updates -> AUC of the attack, and the lower and upper end of its 95 % interval over images.
        leaks: those updates whose interval lies above chance, 0.5.
    """

    def examine(_) -> None:
        if not found or leaks is None:
            raise not_attempted()
        if len(found) < 3:
            raise Finding(f"{len(found)} moments of training; measure three or more.")
        rows = {}
        for updates, given in found.items():
            members, held = measure(updates)
            rows[updates] = row = auc_interval(members, held)
            _fits(f"After {updates:,} updates", "AUC", given, row, len(members))
        expected = {updates for updates, row in rows.items() if row["low"] > 0.5}
        unclear = {updates for updates, row in rows.items() if abs(row["low"] - 0.5) < CLEAR}
        if set(leaks) - unclear == expected - unclear:
            return
        above = {updates for updates, row in rows.items() if row["value"] > 0.5}
        why = " An AUC above 0.5 is no finding while its interval holds 0.5." if set(leaks) == above else ""
        raise Finding(f"The numbers are right. You have {_listed(leaks)}; by the intervals it is "
                      f"{_listed(expected)}.{why}")  # fmt: skip

    return judge(
        "when does it leak", lambda: None, examine, "AUCs, intervals, and which of them say anything."
    )


def auc_interval(members: np.ndarray, held: np.ndarray, seed: int = 0) -> dict[str, float]:
    """AUC of members against held-out images, and its 95 % interval: both groups are drawn again.

    Args:
        members, held: scores, (M,) and (N,); higher is more likely a member.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    pairs = ((rng.choice(members, len(members)), rng.choice(held, len(held))) for _ in range(RESAMPLES))
    low, high = np.quantile([area(h, m) for m, h in pairs], [0.025, 0.975])
    return {"value": area(held, members), "low": float(low), "high": float(high)}


def check_fooled(
    attacked: Callable[[float], np.ndarray],
    noisy: Callable[[float], np.ndarray],
    found: Mapping[float, tuple[float, float]] | None,
    least: float | None,
) -> Verdict:
    """Check an experiment: from which strength on does an attack do more than noise of the same strength?

    Args:
        attacked: grey levels -> which images are classified wrongly under attack, bool (N,), always the same
            images in the same order.
        noisy: the same, where every pixel moves by as much, at random.
        found: grey levels -> share of wrong answers under attack, and under noise.
        least: the smallest of these grey levels at which the attack does more: the difference, image by
            image, has an interval above 0. 0 where there is none.
    """

    def examine(_) -> None:
        if not found or least is None:
            raise not_attempted()
        if len(found) < 3:
            raise Finding(f"{len(found)} strengths; measure three or more.")
        pairs = {level: tuple(np.asarray(f(level), float) for f in (attacked, noisy)) for level in found}
        for level, pair in pairs.items():
            if np.shape(found[level]) != (2,):
                raise Finding(f"At {level:g} grey levels you have {found[level]!r}; give two shares.")
            for name, given, wrong in zip(("attack", "noise"), found[level], pair, strict=True):
                if not abs(given - wrong.mean()) <= CLOSE:
                    right = (
                        " That is the share of right answers."
                        if abs(1 - given - wrong.mean()) <= CLOSE
                        else ""
                    )
                    raise Finding(f"At {level:g} grey levels {given:.3f} are wrong under {name}; measured "
                                  f"again it is {wrong.mean():.3f}.{right}")  # fmt: skip
        gaps = {level: np.subtract(*pairs[level]) for level in sorted(pairs)}
        firsts = [
            next((level for level, gap in gaps.items() if mean_interval(gap, seed)["low"] > 0), 0)
            for seed in range(SEEDS)
        ]
        if least in firsts:
            return
        expected = firsts[0]
        rows = {level: [mean_interval(wrong) for wrong in pair] for level, pair in pairs.items()}
        apart = [level for level in sorted(rows) if rows[level][0]["low"] > rows[level][1]["high"]]
        why = PAIRED if apart and least == apart[0] else ""
        raise Finding(f"The shares are right. You say from {least:g} grey levels on; by the intervals of the "
                      f"differences it is {expected:g}.{why}")  # fmt: skip

    return judge("attack and noise", lambda: None, examine, "Both shares, and the difference image by image.")


def _fits(where: str, what: str, given: object, row: Mapping[str, float], count: int) -> None:
    """Whether a value with its interval is what was measured again; `count` images of one kind."""
    if not isinstance(given, (tuple, list)) or len(given) != 3:
        raise Finding(f"{where} you have {given!r}; give the {what}, and the two ends of its interval.")
    value, low, high = map(float, given)
    if not abs(value - row["value"]) <= CLOSE:
        turned = " Higher must mean member." if abs(1 - value - row["value"]) <= CLOSE else ""
        raise Finding(f"{where} the {what} is {value:.3f}; measured again it is {row['value']:.3f}.{turned}")
    if not (abs(low - row["low"]) <= WIDE and abs(high - row["high"]) <= WIDE):
        raise Finding(
            f"{where} your interval is {low:.3f} to {high:.3f}; expected about {row['low']:.3f} to "
            f"{row['high']:.3f}. Draw {count} members and as many others as there are again, with "
            "replacement, and take the AUC each time."
        )


def _listed(values: Collection[int]) -> str:
    return "{" + ", ".join(f"{value:,}" for value in sorted(values)) + "}" if values else "none"

"""From numbers with intervals to sentences: what is said, what is left unsaid, and how often each was right.

A statement has two sides: turned one way or the other, larger or smaller than usual, a lesion or none, left
or right, front or back. It is made where the interval lies on one side, and left unsaid where it holds both.
"""

from dataclasses import dataclass

import numpy as np

from medgen_course.metrics.description import NUMBERS, Values, half_width, p_values
from medgen_course.metrics.shares import share_interval
from medgen_course.phantom.anatomy import FACTORS

USUAL = float(np.log(FACTORS["ventricle_size"][1] * FACTORS["ventricle_size"][2]) / 2)  # middle of the log
SIDES = {  # statement -> what is said below and above the middle, and where the middle lies
    "tilt": ("clockwise", "counter-clockwise", 0.0),
    "ventricles": ("smaller than usual", "larger than usual", USUAL),
    "lesion": ("no lesion", "a lesion", None),
    "x": ("left", "right", 0.0),
    "y": ("back", "front", 0.0),
}
TITLES = {"tilt": "turned which way", "ventricles": "ventricles' size", "lesion": "a lesion or none",
          "x": "lesion left or right", "y": "lesion in front or back"}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One statement about each of N images.

    said: -1 below, 1 above, 0 unsaid. guess: what would be said if something had to be, -1 or 1; 0 where
    there is nothing to go by. low, high: the interval, (N,); NaN for `lesion`.
    """

    said: np.ndarray
    guess: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Calibrated:
    """How far each number may be off, and which scores slices with and without a lesion have.

    widths: number -> half width. healthy, sick: scores, (n,) and (m,). level: how often intervals hold.
    """

    widths: dict[str, float]
    healthy: np.ndarray
    sick: np.ndarray
    level: float

    @classmethod
    def on(cls, estimates: Values, truth: Values, level: float = 0.9) -> "Calibrated":
        """From slices that trained nothing: estimates and the truth about them."""
        sick = np.isfinite(truth["x"])
        widths = {name: half_width(estimates[name] - truth[name], level) for name in NUMBERS}
        return cls(widths, estimates["score"][~sick], estimates["score"][sick], level)

    def tell(self, estimates: Values) -> dict[str, Told]:
        """The statements about new images; where a lesion lies is told only where one is."""
        made = {}
        healthy, sick = self._classes(estimates["score"])
        blank = np.full(len(healthy), np.nan)
        said = np.where(sick & ~healthy, 1, np.where(healthy & ~sick, -1, 0))
        made["lesion"] = Told(said, np.where(self._likelier(estimates["score"]), 1, -1), blank, blank)
        for name in NUMBERS:
            middle, value, reach = SIDES[name][2], estimates[name], self.widths[name]
            low, high = value - reach, value + reach
            sides = np.where(low > middle, 1, np.where(high < middle, -1, 0))
            guess = np.nan_to_num(np.sign(value - middle)).astype(int)
            unasked = (made["lesion"].said != 1) & (name in ("x", "y"))
            made[name] = Told(np.where(unasked, 0, sides), guess, low, high)
        return made

    def _classes(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whether each class is still possible: its p-value is above 1 - level."""
        healthy = p_values(self.healthy, scores, above=True) > 1 - self.level
        return healthy, p_values(self.sick, scores, above=False) > 1 - self.level

    def _likelier(self, scores: np.ndarray) -> np.ndarray:
        return p_values(self.sick, scores, above=False) >= p_values(self.healthy, scores, above=True)


def true_sides(truth: Values) -> dict[str, np.ndarray]:
    """The right side of each statement, -1 or 1; 0 where there is none (the place of no lesion)."""
    sick = np.isfinite(truth["x"])
    made = {n: np.nan_to_num(np.sign(truth[n] - SIDES[n][2])).astype(int) for n in NUMBERS}
    return made | {"lesion": np.where(sick, 1, -1)}


def covered(told: Told, truth: np.ndarray) -> dict[str, float]:
    """How often the interval holds the truth, where there are both, with its own interval."""
    both = np.isfinite(told.low) & np.isfinite(truth)
    return share_interval((told.low <= truth)[both] & (truth <= told.high)[both])


def judge(told: Told, right: np.ndarray) -> dict[str, dict[str, float]]:
    """How often a statement was made, how often it was wrong, and whether silence was wise.

    Args:
        told: the statement about N images.
        right: its right side, -1 or 1; 0 where nothing could be right (such images are left out).
    Returns:
        `spoken`, share of the images; `wrong`, share of the statements made; `wrong_if_forced`, share of the
        unsaid ones whose guess is wrong; `all_forced`, that of all, which a rule that keeps silent at random
        would have there. Each {"value", "low", "high"}, the value None where nothing was counted.
    """
    asked = right != 0
    said, guess, true = told.said[asked], told.guess[asked], right[asked]
    spoken, guessed = said != 0, guess != 0
    return {
        "spoken": _share(spoken),
        "wrong": _share((said != true)[spoken]),
        "wrong_if_forced": _share((guess != true)[~spoken & guessed]),
        "all_forced": _share((guess != true)[guessed]),
    }


def _share(hits: np.ndarray) -> dict[str, float | None]:
    return share_interval(hits) if len(hits) else dict.fromkeys(("value", "low", "high"))


def sentences(told: dict[str, Told], estimates: Values, i: int) -> tuple[str, str]:
    """Two plain sentences about image i, with the interval of each number; what is not known is said so."""
    t, v, lesion, x, y = (told[name] for name in ("tilt", "ventricles", "lesion", "x", "y"))
    turned = _side("tilt", t, i, "The head is turned {} by " + f"{abs(estimates['tilt'][i]):.0f}° ",
                   "Which way the head is turned cannot be told ")  # fmt: skip
    ratio, low, high = (np.exp(each[i]) for each in (estimates["ventricles"], v.low, v.high))
    size = _side("ventricles", v, i, f"the ventricles are {{}}, {ratio:.2f} times the template ",
                 "whether the ventricles are large or small cannot be told ")  # fmt: skip
    first = f"{turned}({t.low[i]:.0f} to {t.high[i]:.0f}°); {size}({low:.2f} to {high:.2f})."
    if lesion.said[i] < 1:
        return first, "No lesion is seen." if lesion.said[i] else "Whether there is a lesion cannot be told."
    parts = []
    for name, each, axis in (("x", x, "left or right"), ("y", y, "in front or back")):
        if not np.isfinite(each.low[i]):
            parts.append(f"{axis} cannot be told")
            continue
        span = f"({each.low[i]:.0f} to {each.high[i]:.0f} mm)"
        parts.append(f"{_side(name, each, i, '{}', f'{axis} cannot be told')} {span}")
    return first, f"There is a lesion; {', '.join(parts)}."


def _side(name: str, told: Told, i: int, spoken: str, silent: str) -> str:
    return spoken.format(SIDES[name][(told.said[i] + 1) // 2]) if told.said[i] else silent

"""Sentences behind the folds of notebook 04: each is picked by a rule that tests it."""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.course.findings import apart, differ, gain, over_seeds, say, than

Row = Mapping[str, float]
Seeds = Sequence[float]


def ablations(
    best: str,
    tied: Sequence[str],
    early: str,
    steps: tuple[int, int],
    gains: Mapping[str, tuple[Seeds, Seeds]],
) -> str:
    """Which loss can be left out on discs, and what each one adds.

    Args:
        best: the nearest to the truth after the longer training; `tied` are not behind it in every seed.
        early: the nearest after the shorter training.
        steps: updates of both trainings.
        gains: loss to the decibels with it and without it, seed by seed; "the identity loss" among them.
    """
    verdict = f"a tie with {', '.join(tied)}" if tied else "before the other three in every seed"
    told = "<br>".join(f"{what}: {gain(*pair)}" for what, pair in gains.items())
    identity = over_seeds(np.subtract(*gains["the identity loss"]))
    word = {(True, False): "it pulls the wrong way", (True, True): "and still it helped"}.get(
        (differ(identity), identity["value"] > 0), "it made no difference beyond the seeds"
    )
    return (
        f"After {steps[1]} updates the nearest is <i>{best}</i>, {verdict}; after {steps[0]} it is "
        f"<i>{early}</i>. What each loss adds, A → B:<br>{told}<br>Without the adversarial loss nothing asks "
        "for images of domain B; an image that the other generator can read is enough. The identity loss "
        "asks "
        "that grey levels which B has too stay as they are. Here bright and dark must be exchanged: "
        f"{word}. Between two kinds of chest X-rays (section 9) most levels may stay, and there it is on."
    )


def clouds(near: np.ndarray, chance: np.ndarray, closed: np.ndarray, right: int, like: float) -> str:
    """How many clouds found their map, and what the live one found instead.

    Args:
        near, chance: decibels to the truth, and of another cloud to it, a value for each seed.
        closed: cycle errors.
        right: how many seeds found the map.
        like: correlation of the live translation with its source, pixel by pixel; the right map has -1.
    """
    kept = "bright stayed bright" if like > 0.3 else "bright became dark" if like < -0.3 else "neither"
    return (
        f"{right} of {len(near)}: there the translation is nearer to its truth, by 3 dB or more, than some "
        "other cloud is. All have the same losses and as many updates; only the seed differs. And in all of "
        f"them the way back ends near the source (cycle error at most {closed.max():.3f}): a closed cycle "
        "does "
        "not say which kind you have. Which map did the live one find? The correlation of its pixels "
        "with the "
        f"source is {like:+.2f}, in the right map −1: {kept}."
    )


def message(
    echo: Mapping[str, Sequence[float]], sigmas: Sequence[float], strength: tuple[float, float]
) -> str:
    """What comes back of the source's noise, with and without a cycle loss, and what it takes to cover it.

    Args:
        echo: name to correlations over sigmas; "CycleGAN", "from the true T2w", and controls trained
            without a cycle loss.
        sigmas: of the noise added on the way back, from 0.
        strength: standard deviation of the noise in the translation, and in a true slice.
    """
    own, honest = echo["CycleGAN"], echo["from the true T2w"]
    controls = {name: row[0] for name, row in echo.items() if name not in ("CycleGAN", "from the true T2w")}
    told = ", ".join(f"{name} {value:.2f}" for name, value in controls.items())
    carried = max(controls.values()) / own[0]
    if carried > 0.5:
        word = (
            f"so {carried:.0%} of it comes back without any cycle loss. A smooth map from pixel to pixel "
            "carries "
            "noise along by itself; the rest is what a cycle loss may add"
        )
    else:
        word = f"only {carried:.0%} of it comes back without a cycle loss: with one, it is written down"
    at_strength = float(np.interp(strength[0], sigmas, own))
    falling = np.asarray(own) < own[0] / 2
    half = "no σ tried covers half of it"
    if falling.any():
        i = int(falling.argmax())
        sigma = float(np.interp(-own[0] / 2, [-own[i - 1], -own[i]], [sigmas[i - 1], sigmas[i]]))
        half = f"half of it is left at σ {sigma:.3f}, {sigma / strength[0]:.1f} times its strength"
    return (
        f"{own[0]:.2f}; from the true T2w, where no T1w noise is, {honest[0]:.2f}. Networks and a lookup "
        "that "
        f"were never asked to close a cycle: {told}; {word}. In the translation the noise has a standard "
        f"deviation of {strength[0]:.3f}, true T2w noise {strength[1]:.3f}. Added noise as strong as the "
        f"message leaves {at_strength:.2f}; {half}."
    )


def back_again(
    left: Row, again: Row, honest: Row, erased: tuple[Row, Row, int], around: Mapping[str, Row]
) -> str:
    """How much of a lesion's contrast is back in T1w, and what of that is more than habit.

    Args:
        left: share of the contrast in T2w.
        again: in T1w, after the way back.
        honest: in T1w, from true slices whose lesions are as faint.
        erased: `left` and `again` of the erased lesions alone, and how many there are.
        around: contrast back from the surroundings: "0 %", "100 %" (training with lesions in all of
            T2w), "true", and "difference", 0 % minus 100 %, lesion by lesion.
    """
    held = than(again, left, "more than T2w held", "less than T2w held")
    closes = "the cycle closes around them too" if erased[1]["low"] > 0.5 else "most of them stay lost"
    hides = around["difference"]
    word = "stands out from that habit" if hides["low"] > 0 else "does not stand out from that habit"
    return (
        f"{say(again, '.0%')} is back: {held} ({say(left, '.0%')}). From <i>true</i> T2w slices, each lesion "
        f"just as faint, the same F makes {say(honest, '.0%')}. Of the {erased[2]} <i>erased</i> lesions "
        "alone "
        f"{say(erased[0], '.0%')} of the contrast is in T2w and {say(erased[1], '.0%')} is back: "
        f"{closes}.<br>"
        "Cut lesion and border out of T2w, put there what the same slice without a lesion has, and F still "
        f"makes {say(around['0 %'], '.0%')} of the contrast out of what G left <i>around</i> it (true "
        f"surroundings: {say(around['true'], '.0%')}). But the network that saw lesions in all of T2w, and "
        f"erases hardly any, makes {say(around['100 %'], '.0%')} of its surroundings: convolutions and "
        "instance normalisation spread what a lesion does, and F has learnt with G. The difference of "
        "the two, "
        f"{say(hides, '+.0%')}, {word}."
    )


def whose(place: str, alone: Row, before: Row, ratio: Row, share: float) -> str:
    """What it means where the classifier is convinced: a frame, b inside, c neither alone, d each.

    Args:
        place: the letter.
        alone, before: AUC when only the frame changes, and when nothing does.
        ratio: change of a pixel of the frame over that of a pixel inside.
        share: of the film that is frame.
    """
    told = {
        "a": "The frame by itself convinces it, and whatever that is, it is hardly lung.",
        "b": "What convinces it lies inside, where the lungs are. That speaks for the lungs; it does not "
        "show "
        "that it is they: heart, exposure and framing are inside too.",
        "c": "It takes both.",
        "d": "Each convinces it by itself.",
    }[place]
    effect = than(alone, before, "raises it", "lowers it").replace("a tie", "changes nothing beyond chance")
    one = {"value": 1.0, "low": 1.0, "high": 1.0}
    size = than(ratio, one, "more than", "less than").replace("a tie", "as much as")
    return (
        f"{told} The frame by itself {effect}: {say(before)} before, {say(alone)} after. A pixel of the "
        "frame, "
        f"which is {share:.0%} of the film, changes {size} one inside: {say(ratio)} times as much. A map of "
        "the disease would leave it alone."
    )


def shifts(moved_one: Row, moved_two: Row, endless: float) -> str:
    """Why a slice that was moved is translated otherwise; empty unless one pixel changes more than two."""
    if not (apart(moved_one, moved_two) and moved_one["value"] > moved_two["value"]):
        return ""
    return (
        "The halving looks at every second pixel, so it treats odd and even places differently, and nothing "
        "makes its weights give both the same answer. Moved by two, each pixel meets the weights that it met "
        "before. What is left comes from the border, where the image is continued by its mirror: continued "
        f"by its other side, it is {endless:.1g}. "
    )


def two_measures(psnr: Mapping[str, Row], frechet: Mapping[str, float]) -> str:
    """Which of CycleGAN and pix2pix has the higher PSNR and the lower Fréchet distance."""
    nearer = max(psnr, key=lambda name: psnr[name]["value"])
    liker = min(frechet, key=frechet.get)
    numbers = "; ".join(f"{name} {say(psnr[name])} dB and {frechet[name]:.2f}" for name in psnr)
    word = (
        f"{nearer} wins both" if nearer == liker else f"{nearer} has the PSNR, {liker} the Fréchet distance"
    )
    return f"Ours, on validation: {numbers}; {word}."


def found_out(aucs: Mapping[str, Seeds], chance: float) -> str:
    """Which translators a new classifier finds out in every seed, in some, or in none; chance: half width."""
    told = []
    for name, areas in aucs.items():
        beyond = sum(area > 0.5 + chance for area in areas)
        row = over_seeds(areas)
        told.append(f"{name} {say(row)}, beyond chance in {beyond} of {len(areas)} seeds")
    return "; ".join(told)

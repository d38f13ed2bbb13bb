"""What the translation explorer shows, in words and numbers: one function a line."""

import numpy as np
from torch import Tensor

from medgen_course.explorers.translation_view import Journey
from medgen_course.metrics.lesions import LesionReport
from medgen_course.metrics.translation import quality
from medgen_course.pictures import render

CAPTIONS = (
    "{image}, {here}; below: colours of ±{limit}",
    "translated to {there}; below: minus the source",
    "back to {here}; below: minus the source",
    "truth in {there}; below: translated minus truth",
)
CYCLE = {
    "clean": "cycle error, mean |back − source|: {clean}",
    "quiet": "{text} · no noise on the way back",
    "noisy": "{text} · with noise of σ {noise} on the way back {error}{times}",
    "times": ", {times} times as much",
}
QUALITY = {
    "same": "translated against the truth: identical",
    "apart": "translated against the truth: PSNR {psnr} dB, SSIM {ssim}",
}
SHOWN = {
    "way": "{here} → {there}",
    "image": "image {index}",
    "own": "your picture",
    "moment": "{label} {moment}",
    "unknown": "no truth is known for {whose}: only the cycle is measured, nothing is outlined",
}


def captions(image: str, here: str, there: str, limit: float, truth: bool) -> list[str]:
    """Of each panel: the image above and the difference below it.

    Args:
        image: what the source is called.
        here, there: the domains it comes from and goes to.
        limit: the difference that gets the full colour.
        truth: whether there is a fourth panel.
    """
    said = {"image": image, "here": here, "there": there, "limit": f"{limit:.2f}"}
    names = [caption.format(**said) for caption in CAPTIONS]
    return names if truth else names[:3]


def say_cycle(journey: Journey) -> str:
    """The cycle error, and what noise does to it."""
    text, clean = CYCLE["clean"].format(clean=f"{journey.clean_error:.4f}"), journey.clean_error
    if not journey.noise:
        return CYCLE["quiet"].format(text=text)
    times = CYCLE["times"].format(times=f"{journey.cycle_error / clean:.1f}") if clean else ""
    noise, error = f"{journey.noise:.3f}", f"{journey.cycle_error:.4f}"
    return CYCLE["noisy"].format(text=text, noise=noise, error=error, times=times)


def say_quality(translated: Tensor, truth: np.ndarray) -> str:
    """How near a translation (1, C, H, W) is to the truth, uint8 (1, C, H, W)."""
    if np.array_equal(render.to_bytes(translated), truth):
        return QUALITY["same"]
    values = quality(translated, truth)
    return QUALITY["apart"].format(psnr=f"{values['psnr'][0]:.1f}", ssim=f"{values['ssim'][0]:.3f}")


LESIONS = {
    "none": "no lesion in this slice",
    "lesion": "lesion, solid outline: contrast {true} in truth, {left} {made}{share}: {fate}",
    "share": ", {percent} % of it",
    "erased": "erased (less than half is left)",
    "kept": "not erased",
    "large": "large errors, dashed outline: {count} (each at least {smallest} px, {side} than the truth by "
    "more than {threshold})",
    "sides": ("brighter", "darker"),
}


def say_lesions(report: LesionReport, made: str = "translated") -> list[str]:
    """What became of the lesion of one slice, and its large errors; `made` says how it was made."""
    large = LESIONS["large"].format(
        count=report.invented[0],
        smallest=report.smallest,
        side=LESIONS["sides"][0 if report.threshold > 0 else 1],
        threshold=f"{abs(report.threshold):.3f}",
    )
    if not len(report.lesions):
        return [LESIONS["none"], large]
    true, left = float(report.true_contrast[0]), float(report.contrast[0])
    share = LESIONS["share"].format(percent=f"{100 * left / true:.0f}") if true else ""
    fate = LESIONS["erased" if report.erased[0] else "kept"]
    said = {"true": f"{true:+.3f}", "left": f"{left:+.3f}", "made": made, "share": share, "fate": fate}
    return [LESIONS["lesion"].format(**said), large]

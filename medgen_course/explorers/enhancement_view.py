"""What the enhancement explorer shows: tasks with their methods, one image restored, in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.degradations import Degradation
from medgen_course.batches.tasks import TELLS, degradation
from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.domains import Truth
from medgen_course.metrics.lesions import LesionReport, lesion_report
from medgen_course.metrics.reconstruction import psnr, ssim, too_small_for_ssim

Method = Callable[[Degradation, Tensor], Tensor]  # from a measurement (B first) to images (B, C, H, W)
GUESS = "first guess"
TASK, ELSEWHERE = "{label} · {tells} {strength} · {method}", "{told} · networks learnt at {learnt}"
QUALITY = "PSNR: first guess {psnr_guess} dB, answer {psnr_answer} dB"
SIMILAR = "{text} · SSIM {ssim_guess}, {ssim_answer}"
MISSES = "{text} · misses what was measured by {misfit} grey levels of 255"


@dataclass(frozen=True)
class Task:
    """One degradation at several strengths, and what answers it.

    name: of `tasks.STRENGTHS`. label: for the reader. strengths: to choose from. learnt: the one that
    networks were trained at. methods: name -> method; `GUESS` is added.
    """

    name: str
    label: str
    strengths: Sequence[float]
    learnt: float
    methods: Mapping[str, Method]

    def __post_init__(self):
        if self.learnt not in self.strengths:
            raise ValueError(f"{self.label}: strengths {self.strengths} lack the one learnt, {self.learnt}")


@dataclass(frozen=True)
class Shown:
    """One image on its way: uint8 truth (C, H, W), guess and answer (1, C, H, W), misfit of the answer."""

    truth: np.ndarray
    guess: Tensor
    answer: Tensor
    misfit: float


def enhance(
    task: Task, strength: float, method: str, consistent: bool, image: np.ndarray, seed: int
) -> Shown:
    """Measure an image, uint8 (C, H, W), and restore it; the same seed draws the same noise."""
    worse = degradation(task.name, strength)
    x = to_unit(torch.from_numpy(np.ascontiguousarray(image[None])))
    y = worse.measure(x, torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        guess = worse.guess(y)
        answer = guess if method == GUESS else task.methods[method](worse, y).clamp(0, 1)
        answer = worse.project(answer, y) if consistent else answer
        misfit = float(worse.misfit(answer, y)[0])
    return Shown(image, guess, answer, misfit)


def judge(answer: Tensor, truth: Truth, i: int, threshold: float, smallest: int) -> LesionReport:
    """What became of the lesion of slice i, by thresholds from all slices."""
    known = (x[i : i + 1] for x in (truth.a, truth.healthy_a, truth.masks))
    return lesion_report(answer, *known, smallest=smallest, threshold=threshold)


def say_task(task: Task, strength: float, method: str) -> str:
    """What was done, and whether the networks know this strength."""
    told = TASK.format(label=task.label, tells=TELLS[task.name], strength=f"{strength:g}", method=method)
    return told if strength == task.learnt else ELSEWHERE.format(told=told, learnt=f"{task.learnt:g}")


def say_quality(shown: Shown) -> str:
    """PSNR and SSIM of guess and answer, and how far the answer is from what was measured."""
    x = to_unit(torch.from_numpy(shown.truth[None]))
    decibels = [f"{float(psnr(image, x)[0]):.1f}" for image in (shown.guess, shown.answer)]
    text = QUALITY.format(psnr_guess=decibels[0], psnr_answer=decibels[1])
    if not too_small_for_ssim(x.shape[-1]):
        similar = [f"{float(ssim(image, x)[0]):.3f}" for image in (shown.guess, shown.answer)]
        text = SIMILAR.format(text=text, ssim_guess=similar[0], ssim_answer=similar[1])
    return MISSES.format(text=text, misfit=f"{255 * shown.misfit**0.5:.1f}")

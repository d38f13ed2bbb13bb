"""Enhancement: what a move of its explorer costs."""

import time

import torch
from timing import latency, machine

from medgen_course import explorers
from medgen_course.datasets.domains import phantom_domains
from medgen_course.models.unet import UNet, restore

SIZE = 64


def explorer(truth) -> None:
    model = UNet(1, SIZE).eval().requires_grad_(False)
    methods = {"U-Net": lambda worse, y: restore(model, worse, y)}
    tasks = [explorers.Task("denoise", "noise", (0.05, 0.1, 0.2), 0.1, methods)]
    tasks.append(explorers.Task("mri", "lines", (0.25,), 0.25, methods))
    shown = explorers.EnhancementExplorer(tasks, truth.a, truth)
    for name in ("noise", "lines"):
        latency(
            f"enhancement explorer, {name}, image", lambda i: setattr(shown.index, "value", i % len(truth))
        )
        shown.consistent.value = True
        latency(f"the same, measured kept: {name}", lambda i: setattr(shown.index, "value", i % len(truth)))
        shown.consistent.value = False
        shown.task.value = 1


if __name__ == "__main__":
    torch.set_num_threads(1)
    started, truth = time.perf_counter(), phantom_domains(SIZE, counts=(2, 32, 2)).val.truth
    print(f"phantom, {SIZE} px; {machine()}")
    explorer(truth)
    print(f"({time.perf_counter() - started:.0f} s)")

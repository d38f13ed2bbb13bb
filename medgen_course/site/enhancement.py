"""The enhancement explorer on a page: the U-Nets of notebook 11, some slices, and which lines were measured.

Noise and holes are drawn on the page from PyTorch's own random numbers, and what is measured, projected and
filtered is computed there: an own picture is degraded and restored like the slices.
"""

from typing import Any

import torch
from torch import Tensor, nn

from medgen_course import datasets, pretrained
from medgen_course.batches.kspace import lines
from medgen_course.batches.tasks import TELLS
from medgen_course.datasets.domains import Truth, from_dataset
from medgen_course.explorers import enhancement as view
from medgen_course.explorers import enhancement_view as words
from medgen_course.explorers.enhancement import EnhancementExplorer
from medgen_course.explorers.translation_words import LESIONS
from medgen_course.models import classic
from medgen_course.models.unet import UNet, restore
from medgen_course.site.controls import described
from medgen_course.site.export import to_onnx
from medgen_course.site.live import Live

SIZE, HELD_OUT, SHOWN = 64, 192, 48  # slices of notebook 11, and those that a page has, the first ones
TASKS = {
    "denoise": ("denoise", "denoising", (0.02, 0.05, 0.1, 0.2, 0.3), 0.1),
    "superres2": ("superres", "× 2", (2.0,), 2.0),
    "superres4": ("superres", "× 4", (4.0,), 4.0),
    "mri": ("mri", "MR, a quarter", (0.15, 0.25, 0.4), 0.25),
    "inpaint": ("inpaint", "a hole", (0.05, 0.1, 0.2), 0.1),
}  # kind, label, strengths, the one that networks learnt
WEIGHT = 0.08  # of total variation


class Restoring(nn.Module):
    """First guesses (B, 1, H, W) in [0, 1] to answers in [0, 1]."""

    def __init__(self, network: UNet):
        super().__init__()
        self.network = network

    def forward(self, guess: Tensor) -> Tensor:
        """See the class."""
        return self.network(guess).clamp(0, 1)


def slices() -> Truth:
    """The slices of notebook 11 with what is known about them."""
    return from_dataset(datasets.load("phantom", size=SIZE)).val.truth.at(slice(HELD_OUT))


def networks() -> dict[str, dict[str, UNet]]:
    """Task -> how it learnt -> network; repetitions with other seeds are left out."""
    return {
        task: {how: model for how, model in made.items() if "seed" not in how}
        for task, made in pretrained.load_enhancers().items()
    }


def explorer(truth: Truth | None = None) -> EnhancementExplorer:
    """The explorer of notebook 11, as it stands there."""
    truth, tasks, known = truth or slices(), [], networks()
    for task, (kind, label, strengths, learnt) in TASKS.items():
        methods = {"total variation": lambda _, y: classic.total_variation(y, WEIGHT)}
        methods = methods if task == "denoise" else {}
        methods |= {how: _by(model) for how, model in known[task].items()}
        tasks.append(words.Task(kind, label, strengths, learnt, methods))
    return EnhancementExplorer(tasks, truth.a, truth)


def _by(model: UNet) -> words.Method:
    return lambda undo, measured: restore(model, undo, measured)


def build() -> Live:
    """The explorer, its networks and the slices."""
    truth, known = slices(), networks()
    shown = explorer(truth)
    example = {"guess": torch.zeros(2, 1, SIZE, SIZE)}
    models = {
        f"{task}-{how}": to_onnx(Restoring(model).eval(), example, ["answer"])
        for task, made in known.items()
        for how, model in made.items()
    }
    some = truth.at(slice(SHOWN))
    controls = described(
        task=shown.task, method=shown.method, strength=shown.strength, image=shown.index,
        limit=shown.limit, consistent=shown.consistent, outlines=shown.outlines, back=shown.put_away,
    )  # fmt: skip
    controls["image"] |= {"max": SHOWN - 1, "value": int(some.masks.sum((1, 2, 3)).argmax())}
    tasks: list[dict[str, Any]] = []
    for (task, (kind, label, strengths, learnt)), about in zip(TASKS.items(), shown.tasks, strict=True):
        lined = [lines(SIZE, s).numpy().astype("uint8") for s in strengths] if kind == "mri" else []
        tasks.append(
            {
                "name": task, "kind": kind, "label": label, "strengths": strengths, "tells": TELLS[kind],
                "learnt": strengths.index(learnt), "methods": [words.GUESS, *about.methods], "lines": lined,
            }
        )  # fmt: skip
    scales = {"wide": round(view.WIDE / SIZE), "panel": round(view.PANEL / SIZE)}
    said = {
        "alt": shown.picture.alt, "guess": words.GUESS, "same": view.SAME, "captions": view.CAPTIONS,
        "task": words.TASK, "elsewhere": words.ELSEWHERE, "quality": words.QUALITY, "similar": words.SIMILAR,
        "misses": words.MISSES, "own": view.OWN, "lesions": LESIONS, "made": "in the answer",
        "slices": f"the first {SHOWN} of the notebook's {HELD_OUT} slices",
    }  # fmt: skip
    data = {
        "size": SIZE, "controls": controls, "upload": shown.upload.label, "words": said, "tasks": tasks,
        "weight": WEIGHT, "rule": shown.rule, **scales,
        "images": some.a.ravel(), "healthy": some.healthy_a.ravel(), "masks": some.masks.ravel(),
    }  # fmt: skip
    return Live(
        "enhancement",
        "Take something away, and ask a network for it back",
        "Add noise, leave out lines of k-space or cut a hole, choose who restores the slice, and see what "
        "came back, what was lost and what was made up.",
        models,
        data,
        "U-Nets of notebook 11, trained on phantom slices.",
    )

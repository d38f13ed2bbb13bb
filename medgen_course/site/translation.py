"""The translation explorer on a page: translators of notebook 04 at some moments of their training.

Both directions are there, the noise on the way back is PyTorch's own, and a reader's picture goes there and
back like the slices. Of the recorded moments every second one is shipped, so that all weights stay below
1.5 MB.
"""

from typing import Any

import torch
from torch import Tensor, nn

from medgen_course import pretrained
from medgen_course.datasets.domains import Domains, phantom_domains
from medgen_course.explorers import translation as view
from medgen_course.explorers import translation_words as words
from medgen_course.explorers.translation import TranslationExplorer
from medgen_course.explorers.translation_view import Known
from medgen_course.site.controls import described
from medgen_course.site.export import to_onnx
from medgen_course.site.live import Live

SIZE, HELD_OUT, SHOWN = 64, 512, 24  # validation slices of notebook 04, and those that a page has, the first
MOMENTS = (0, 400, 4000)
LABEL = "step"


class Translating(nn.Module):
    """Images (B, 1, H, W) in [0, 1] to the other domain, in [0, 1]."""

    def __init__(self, generator: nn.Module):
        super().__init__()
        self.generator = generator

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        return self.generator.translate(image)


def domains() -> Domains:
    """Those of notebook 04; only the validation slices matter here."""
    return phantom_domains(SIZE, counts=(1, HELD_OUT, HELD_OUT))


def explorer(two: Domains | None = None) -> TranslationExplorer:
    """The explorer of notebook 04, with the moments that a page has."""
    two, recorded = two or domains(), pretrained.load_finer_translators()
    return TranslationExplorer({m: recorded[m] for m in MOMENTS}, two.val, (two.name_a, two.name_b), LABEL)


def build() -> Live:
    """The explorer, its translators and the slices."""
    two, recorded = domains(), pretrained.load_finer_translators()
    shown = explorer(two)
    example = {"image": torch.zeros(2, 1, SIZE, SIZE)}
    models = {
        f"{moment}-{to}": to_onnx(Translating(recorded[moment][to]).eval(), example, ["answer"])
        for moment in MOMENTS
        for to in ("a", "b")
    }
    some = two.val.truth.at(slice(SHOWN))
    controls = described(
        direction=shown.direction, image=shown.index, moment=shown.moment, limit=shown.limit,
        noise=shown.noise, outlines=shown.outlines, fit=shown.fit, back=shown.put_away,
    )  # fmt: skip
    controls["image"] |= {"max": SHOWN - 1, "value": int(some.masks.sum((1, 2, 3)).argmax())}
    said = {
        "alt": shown.picture.alt, "captions": words.CAPTIONS, "cycle": words.CYCLE, "quality": words.QUALITY,
        "shown": words.SHOWN, "lesions": words.LESIONS, "made": "translated", "play": shown.play.hint,
        "some": f"the first {SHOWN} of the notebook's {HELD_OUT} slices; {len(MOMENTS)} of its "
        f"{len(recorded)} moments of training",
    }  # fmt: skip
    data: dict[str, Any] = {
        "size": SIZE, "scale": round(view.PANEL / SIZE), "controls": controls, "upload": shown.upload.label,
        "words": said, "names": (two.name_a, two.name_b), "label": LABEL, "moments": MOMENTS,
        "interval": shown.play.interval, "masks": some.masks.ravel(),
        "rules": {to: _rule(shown._known[to]) for to in ("a", "b")},
        "a": {"images": some.a.ravel(), "healthy": some.healthy_a.ravel()},
        "b": {"images": some.b.ravel(), "healthy": some.healthy_b.ravel()},
    }  # fmt: skip
    return Live(
        "translation",
        "There and back again",
        "Turn a T1-weighted slice into a T2-weighted one and back, watch the translator learn, and see what "
        "was lost, what was made up, and what faint noise destroys.",
        models,
        data,
        "Generators of notebook 04's CycleGAN, trained on phantom slices without pairs.",
    )


def _rule(known: Known) -> tuple[float, int]:
    """What counts as a large error: how far from the truth, and how many pixels."""
    return known.threshold, known.smallest

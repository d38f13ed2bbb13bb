"""Which pixels speak for a class: occlusion, integrated gradients, Grad-CAM (captum), one signature for all.

Every function takes a classifier in evaluation mode, images (N, C, H, W) in [0, 1] and a class, and returns
maps, float32 (N, H, W): positive where a pixel speaks for the class, in units of the class's logit minus the
mean of the others', so that with two classes it is the log odds that is explained.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medgen_course.batches.checks import check_image
from medgen_course.models.classifier import Classifier

Explain = Callable[[nn.Module, Tensor, int | Tensor], np.ndarray]
CHUNK = 64  # images at a time


def log_odds(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """Images to the logit of each class minus the mean logit of the others, (N, num_classes).

    One logit alone says nothing: softmax does not see what is added to all of them.
    """

    def odds(x: Tensor) -> Tensor:
        logits = model(x)
        others = (logits.sum(1, keepdim=True) - logits) / (logits.shape[1] - 1)
        return logits - others

    return odds


def occlusion(
    model: nn.Module, x: Tensor, target: int | Tensor, window: int = 3, fill: float | Tensor | None = None
) -> np.ndarray:
    """How much the log odds fall when a square is covered; a pixel has the mean over its squares.

    Args:
        model: images to logits (N, num_classes).
        x: images (N, C, H, W) in [0, 1].
        target: the class to be explained, or one for each image (N,).
        window: side of the square, pixels.
        fill: grey level of the square, or an image; None takes the mean grey level of each image.
    Source: Zeiler & Fergus 2014, section 4.2.
    """
    from captum.attr import Occlusion

    def explained(part: Tensor, chosen: Tensor, cover: Tensor) -> Tensor:
        how = Occlusion(log_odds(model))
        with torch.no_grad():
            square = (part.shape[1], window, window)
            at_once = max(1, CHUNK // len(part))
            return how.attribute(part, square, 1, cover, chosen, perturbations_per_eval=at_once)

    made = _in_parts(explained, x, target, x.mean((1, 2, 3), keepdim=True) if fill is None else fill)
    return made.sum(1).numpy()


def integrated_gradients(
    model: nn.Module, x: Tensor, target: int | Tensor, baseline: float | Tensor = 0.0, steps: int = 32
) -> np.ndarray:
    """Gradients of the log odds along the straight line from a baseline, times the way gone.

    Complete: the map of an image sums to its log odds minus those of the baseline. A pixel that equals the
    baseline gets nothing, whatever it means: black hides what is dark.

    Args:
        model, x, target: as for `occlusion`.
        baseline: grey level, an image (1, C, H, W), or one for each (N, C, H, W).
        steps: points on the line (Gauss–Legendre).
    Source: Sundararajan, Taly & Yan 2017, equations 1 and 3.
    """
    from captum.attr import IntegratedGradients

    def explained(part: Tensor, chosen: Tensor, start: Tensor) -> Tensor:
        how = IntegratedGradients(log_odds(model))
        return how.attribute(part, start, chosen, n_steps=steps, internal_batch_size=8 * CHUNK).float()

    return _in_parts(explained, x, target, baseline).sum(1).numpy()


def grad_cam(model: Classifier, x: Tensor, target: int | Tensor, stage: int = -1) -> np.ndarray:
    """Activations of a stage, each weighed with its mean gradient, what is negative cut off, drawn large.

    Args:
        model: a `Classifier`.
        x, target: as for `occlusion`.
        stage: of `model.stages`; the last one is the authors' choice, and has 4 × 4 places for 28 pixels.
    Source: Selvaraju et al. 2017, equations 1 and 2; how it is enlarged is `drawn_large`.
    """
    from captum.attr import LayerGradCam

    layer = model.stages[stage]

    def explained(part: Tensor, chosen: Tensor, _: Tensor) -> Tensor:
        how = LayerGradCam(log_odds(model), layer)
        coarse = how.attribute(part.clone().requires_grad_(), chosen, relu_attributions=True)
        return drawn_large(coarse.detach(), part.shape[-1])

    return _in_parts(explained, x, target, 0.0)[:, 0].numpy()


def drawn_large(coarse: Tensor, size: int) -> Tensor:
    """A stage's map in the size of the image, every cell where it looks; bilinear between the cells.

    A convolution with a stride of 2, a kernel of 3 and a border of 1 has its first cell at pixel 0, and so
    has every stage of them: cell i looks at pixel s·i, for a stride s in all. Enlarging that treats cells as
    tiles draws cell i at s·i + (s - 1) / 2, which is 1.5 pixels further right and down at s = 4.

    Args:
        coarse: (N, 1, h, h), of a stage of `Classifier`.
        size: side of the image, pixels; what lies behind the last cell gets its value.
    Returns:
        (N, 1, size, size).
    """
    side = coarse.shape[-1]
    stride = 2 ** max(0, (size - 1).bit_length() - (side - 1).bit_length())
    reach = stride * (side - 1) + 1
    large = F.interpolate(coarse, (reach, reach), mode="bilinear", align_corners=True)
    rest = max(0, size - reach)
    return F.pad(large, (0, rest, 0, rest), mode="replicate")[..., :size, :size]


def _in_parts(
    explained: Callable[[Tensor, Tensor, Tensor], Tensor],
    x: Tensor,
    target: int | Tensor,
    beside: float | Tensor,
) -> Tensor:
    """Run on `CHUNK` images at a time; `beside` is a number, an image, or one for each."""
    check_image(x)
    chosen = torch.as_tensor(target, dtype=torch.int64).expand(len(x))
    beside = torch.as_tensor(beside, dtype=x.dtype).expand_as(x)
    with torch.enable_grad():
        parts = zip(*(t.split(CHUNK) for t in (x, chosen, beside)), strict=True)
        return torch.cat([explained(*part).detach() for part in parts])


EXPLAIN: dict[str, Explain] = {
    "occlusion": occlusion,
    "integrated gradients": integrated_gradients,
    "Grad-CAM": grad_cam,
}

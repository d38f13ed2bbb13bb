"""Check of notebook 05: the deviation within the batch, channel by channel."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, call, hint, judge, not_attempted


def check_deviations(fn: Callable[[Tensor, int], Tensor]) -> Verdict:
    """Check the deviation within the batch, with a number for each channel.

    Args:
        fn: (features (B, C, H, W), images in a group) to (B, 2 C, H, W): the features, then for each channel
            its standard deviation over the group, averaged over places. Neighbours in the batch make a group;
            a last group may be smaller.
    """
    praise = "A number for each channel, from the image's own group, and a generator can learn from it."
    return judge("deviation by channel", fn, _examine_deviations, praise)


def _examine_deviations(fn: Callable) -> None:
    noise = torch.Generator().manual_seed(0)
    strength = torch.tensor([0.2, 1.0, 3.0]).view(3, 1, 1)
    h = strength * torch.randn(7, 3, 4, 5, generator=noise) + torch.randn(7, 1, 1, 1, generator=noise)
    for group in (4, 3):
        _compare_deviations(fn, h, group)
    same = h[:1].expand(4, -1, -1, -1)
    if float(_added(call(fn, same.clone(), 4), same).abs().max()) > 1e-3:  # a small number under a root
        raise Finding("four times the same image should give 0 in every channel.")
    made = h.clone().requires_grad_()
    told = call(fn, 1 * made, 4)[:, h.shape[1] :].sum()
    if not (told.requires_grad and torch.autograd.grad(told, made)[0].any()):
        raise Finding(
            "the new channels cannot be differentiated by the features, so no generator hears of them: leave "
            "out detach, item and the like."
        )


def _compare_deviations(fn: Callable, h: Tensor, group: int) -> None:
    found = _added(call(fn, h.clone(), group), h)

    def by_group(number: Callable[[Tensor], Tensor], parts: tuple[Tensor, ...]) -> Tensor:
        """What `number` makes (C,) of each part, for every image: (B, C)."""
        return torch.cat([number(part).expand(len(part), h.shape[1]) for part in parts])

    def each(part: Tensor) -> Tensor:
        return part.std(0, correction=0).mean((1, 2))

    groups = h.split(group)
    if torch.allclose(found, by_group(each, groups), atol=1e-3):
        return
    usual = {
        "There is one number for all channels, as in section 3": by_group(lambda x: each(x).mean(), groups),
        "All images of the batch are compared, whatever the group": by_group(each, (h,)),
        "The places are averaged before the images are compared, so a place that varies is lost": by_group(
            lambda x: x.mean((2, 3)).std(0, correction=0), groups
        ),
        "Images and places are one heap, so an image that varies from place to place counts too": by_group(
            lambda x: x.std((0, 2, 3), correction=0), groups
        ),
        "That is the deviation over places; compare images": by_group(
            lambda x: x.std((2, 3), correction=0).mean(0), groups
        ),
        "That is the variance, without its root": by_group(
            lambda x: x.var(0, correction=0).mean((1, 2)), groups
        ),
        "Divide by the number of images, not by one less, see `correction`": by_group(
            lambda x: each(x) * math.sqrt(len(x) / max(1, len(x) - 1)), groups
        ),
    }
    told = hint(usual, lambda value: torch.allclose(found, value, atol=1e-4))
    raise Finding(
        f"for {len(h)} images in groups of {group} the added channels are not the deviation within the "
        f"group.{told}"
    )


def _added(found: object, h: Tensor) -> Tensor:
    """The added channels (B, C) of a student's tensor; a `Finding` where it has another form."""
    if found is None:
        raise not_attempted()
    images, channels, *side = h.shape
    wanted = (images, 2 * channels, *side)
    if not isinstance(found, Tensor) or tuple(found.shape) != wanted:
        got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise Finding(f"for features {tuple(h.shape)} expected a tensor {wanted}; yours is {got}.")
    found = found.to(h.dtype)
    if not torch.equal(found[:, :channels], h):
        raise Finding("the features come first, as they are; the new channels follow.")
    added = found[:, channels:]
    if float((added - added[..., :1, :1]).nan_to_num().abs().max()) > 1e-5:
        raise Finding("a new channel is one number, the same at every place: average over places.")
    return added[..., 0, 0]

"""Check of notebook 03: the generator's loss."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted

LOGITS = torch.tensor([-2.0, 0.0, 0.5, 3.0])


def check_non_saturating(fn: Callable[[Tensor], Tensor]) -> Verdict:
    """Check the generator's loss -log D(G(z)).

    Args:
        fn: logits of generated images (B,) to a scalar, averaged over the batch.
    """
    return judge(
        "non-saturating loss", fn, _examine_loss, "-log D, and finite even where D is sure: softplus(-logit)."
    )


def scalar(found: object, what: str) -> Tensor:
    """What a student's function returned, as a tensor (); a `Finding` where it is no single number."""
    if found is None:
        raise not_attempted()
    if not isinstance(found, Tensor) or found.numel() != 1:
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise Finding(f"{what} should be a scalar tensor, averaged over the batch; yours is {shape}.")
    return found.reshape(())


def _examine_loss(fn: Callable) -> None:
    logits = LOGITS.clone().requires_grad_(True)
    found = scalar(call(fn, logits), "the loss")
    expected = nn.functional.softplus(-LOGITS).mean()
    probability = LOGITS.sigmoid()
    mistakes = {
        "that is minimax, log(1 - D): its gradient vanishes where D wins": (1 - probability).log().mean(),
        "the sign is wrong: this loss falls when D rejects the images": -expected,
        "that is -log(1 - D), the discriminator's own term": -(1 - probability).log().mean(),
        "the logits went in as if they were probabilities": -LOGITS.clamp(min=1e-6).log().mean(),
        "it is summed over the batch; average it": expected * len(LOGITS),
        "that is -D without a logarithm": -probability.mean(),
    }  # fmt: skip
    for text, value in mistakes.items():
        if math.isclose(found.item(), float(value), rel_tol=1e-4):
            raise Finding(f"For logits {LOGITS.tolist()} you have {found.item():.4f}: {text}.")
    if not math.isclose(found.item(), expected.item(), rel_tol=1e-4):
        raise Finding(
            f"For logits {LOGITS.tolist()}, that is D = {[round(p, 3) for p in probability.tolist()]}, "
            f"-log D is {expected.item():.4f} on average; yours is {found.item():.4f}."
        )
    if not found.requires_grad:
        raise Finding("no gradient flows back to the logits: compute with tensors, without detach or item().")
    extreme = torch.tensor([-200.0], requires_grad=True)
    value = scalar(call(fn, extreme), "the loss")
    value.backward()
    if extreme.grad is None:
        raise Finding("no gradient flows back to the logits: compute with tensors, without detach or item().")
    if not math.isfinite(value.item()) or abs(extreme.grad.item() + 1) > 1e-3:
        raise Finding(
            f"at a logit of -200 the loss is {value.item():.4g}, its slope {extreme.grad.item():.4g}; they "
            "should be 200 and -1. The sigmoid underflows before the logarithm: use softplus or logsigmoid."
        )

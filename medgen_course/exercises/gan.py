"""Checks of notebook 03: the generator's loss, one alternating step."""

import copy
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


def check_alternating_step(
    fn: Callable[[nn.Module, nn.Module, torch.optim.Optimizer, torch.optim.Optimizer, Tensor, Tensor], None],
) -> Verdict:
    """Check one alternating step of both players.

    Args:
        fn: (generator, discriminator, generator's optimiser, discriminator's optimiser, real images, noise),
            first one step of the discriminator, then one of the generator. What it returns is ignored.
    """
    return judge("alternating step", fn, _examine_step, "Each player moved by its own loss only, D first.")


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


class _Watched(nn.Module):
    """A network that notes what it was shown."""

    def __init__(self, network: nn.Module, log: list, name: str):
        super().__init__()
        self.network, self.log, self.name = network, log, name

    def forward(self, x: Tensor) -> Tensor:
        self.log.append((self.name, x.detach().clone()))
        return self.network(x)


def _examine_step(fn: Callable) -> None:
    noise = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = nn.Linear(3, 4)
        discriminator = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    real, z = torch.randn(5, 4, generator=noise), torch.randn(5, 3, generator=noise)
    start = copy.deepcopy((generator, discriminator))
    seen, order = [], []
    watched = _Watched(generator, seen, "G"), _Watched(discriminator, seen, "D")
    sgd_g = _Noting(generator.parameters(), order, "G", generator, discriminator)
    sgd_d = _Noting(discriminator.parameters(), order, "D", generator, discriminator)
    # gradients left over from an earlier step must be cleared
    for parameter in (*generator.parameters(), *discriminator.parameters()):
        parameter.grad = torch.full_like(parameter, 100.0)
    call(fn, *watched, sgd_g, sgd_d, real, z)
    if not seen and not order:
        raise not_attempted()
    moves = [name for name, _ in order]
    if moves != ["D", "G"]:
        raise Finding(f"expected one step of D, then one of G; found steps of {moves or 'nobody'}.")
    if not any(name == "D" and (torch.equal(x, real) or len(x) == 10) for name, x in seen):
        raise Finding("the discriminator never saw the real images.")
    gradients = dict(order)
    _compare_discriminator(gradients["D"], *start, real, z)
    _compare_generator(gradients["G"], *start, discriminator, z)


class _Noting(torch.optim.SGD):
    """Plain SGD that notes, when it steps, which gradients all networks hold."""

    def __init__(self, parameters, order: list, name: str, generator: nn.Module, discriminator: nn.Module):
        super().__init__(parameters, lr=0.1)
        self.order, self.name, self.networks = order, name, {"G": generator, "D": discriminator}

    def step(self, closure=None):
        self.order.append((self.name, {n: _gradient(net) for n, net in self.networks.items()}))
        return super().step(closure)


def _gradient(network: nn.Module) -> Tensor:
    zeros = (torch.zeros_like(p) if p.grad is None else p.grad for p in network.parameters())
    return torch.cat([g.detach().flatten().clone() for g in zeros])


def _own(loss: Tensor, network: nn.Module) -> Tensor:
    found = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)
    return torch.cat([g.flatten() for g in found])


def _compare_discriminator(
    held: dict[str, Tensor], generator: nn.Module, discriminator: nn.Module, real: Tensor, z: Tensor
) -> None:
    soft, fake = nn.functional.softplus, generator(z).detach()
    up, down = soft(-discriminator(real)).mean(), soft(discriminator(fake)).mean()
    expected = _own(up + down, discriminator)
    if torch.allclose(held["D"], expected + 100, rtol=1e-3, atol=1e-2):
        raise Finding("D's gradients of an earlier step are still there: call zero_grad before backward.")
    half = 0.5 * expected
    if not any(torch.allclose(held["D"], e, rtol=1e-3, atol=1e-5) for e in (expected, half)):
        other_way = _own(soft(discriminator(real)).mean() + soft(-discriminator(fake)).mean(), discriminator)
        swapped = torch.allclose(held["D"], other_way, rtol=1e-3, atol=1e-5)
        hint = " Real and generated images are swapped." if swapped else ""
        raise Finding(
            "D's gradient is not that of softplus(-D(real)) + softplus(D(fake)), each averaged: its length "
            f"is {held['D'].norm():.4f}, expected {expected.norm():.4f}.{hint}"
        )
    if not torch.allclose(held["G"] % 100, torch.zeros_like(held["G"]), atol=1e-4):
        raise Finding(
            "D's loss left a gradient in the generator: detach the generated images in D's half of the step. "
            "Otherwise G is also moved to please D's loss, or time is wasted."
        )


def _compare_generator(
    held: dict[str, Tensor], generator: nn.Module, before: nn.Module, discriminator: nn.Module, z: Tensor
) -> None:
    expected = _own(nn.functional.softplus(-discriminator(generator(z))).mean(), generator)
    if torch.allclose(held["G"], expected + 100, rtol=1e-3, atol=1e-2):
        raise Finding("G's gradients of an earlier step are still there: call zero_grad before backward.")
    if held["G"].norm() < 1e-6:
        raise Finding("G's step had no gradient: the images it is judged by must not be detached.")
    if not torch.allclose(held["G"], expected, rtol=1e-3, atol=1e-5):
        soft = nn.functional.softplus
        games = (_own(soft(-before(generator(z))).mean(), generator),
                 _own(-soft(discriminator(generator(z))).mean(), generator))  # fmt: skip
        raise Finding(
            "G's gradient is not that of softplus(-D(G(z))), averaged, with D as it is after its own step: "
            f"its length is {held['G'].norm():.4f}, expected {expected.norm():.4f}.{_hint(held['G'], *games)}"
        )


def _hint(held: Tensor, early: Tensor, saturating: Tensor) -> str:
    if torch.allclose(held, early, rtol=1e-3, atol=1e-5):
        return " That is the verdict of D as it was before its step: let D judge anew after it has moved."
    if torch.allclose(held, saturating, rtol=1e-3, atol=1e-5):
        return " That is the minimax loss log(1 - D), which is flat where D wins."
    return ""

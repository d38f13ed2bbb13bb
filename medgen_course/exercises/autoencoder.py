"""Checks for notebook 01_autoencoder: the loss, the training step, the walk between two codes."""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted, show_values
from medgen_course.models.autoencoder import LinearAutoencoder, reconstruction_loss


def check_reconstruction_loss(fn: Callable[[Tensor, Tensor], Tensor]) -> Verdict:
    """Check fn(x_hat, x) -> squared error, summed over each image's pixels, averaged over the batch.

    Args:
        fn: takes two float tensors (B, C, H, W) and returns a scalar tensor that carries a gradient.
    Returns:
        The verdict, after showing it.
    """
    praise = "Summed over pixels, averaged over the batch: the scale does not depend on the batch size."
    return judge("reconstruction loss", fn, _examine_loss, praise)


def check_training_step(fn: Callable[[torch.nn.Module, torch.optim.Optimizer, Tensor], Tensor]) -> Verdict:
    """Check fn(model, optimizer, x) -> loss: one update of the model on the reconstruction loss of x.

    Args:
        fn: clears the gradients, computes `reconstruction_loss(model(x), x)`, goes backward, steps once and
            returns that loss, as it was before the step; a scalar tensor (detached or not) or a float.
    Returns:
        The verdict, after showing it.
    """
    praise = "Two steps give the weights they should, and each returns the loss before it."
    return judge("training step", fn, _examine_step, praise)


def check_interpolate(fn: Callable[[Tensor, Tensor, int], Tensor]) -> Verdict:
    """Check fn(z_a, z_b, steps) -> codes on the straight line from z_a to z_b, both included.

    Args:
        fn: takes two codes (latent_dim,) and a number of steps >= 2, returns (steps, latent_dim).
    Returns:
        The verdict, after showing it.
    """
    return judge("interpolation", fn, _examine_interpolation, "Even steps from z_a to z_b, both included.")


def _examine_loss(fn: Callable) -> None:
    generator = torch.Generator().manual_seed(0)
    for shape in ((3, 1, 4, 5), (4, 3, 6, 2)):
        x_hat, x = torch.rand(2, *shape, generator=generator)
        loss = call(fn, x_hat.clone().requires_grad_(), x.clone())
        if loss is None:
            raise not_attempted()
        if not isinstance(loss, Tensor):
            raise Finding(f"It returns a {type(loss).__name__}; expected a tensor, which carries a gradient.")
        if loss.ndim:
            each = "one loss an image: average them" if loss.shape == shape[:1] else "reduce every dimension"
            raise Finding(f"For images {shape} it returns shape {tuple(loss.shape)}; expected (), {each}.")
        _compare_loss(loss.item(), x_hat, x)
        if not loss.requires_grad:
            raise Finding(
                "The value is right, but no gradient can flow back: leave out detach, item and no_grad."
            )


def _compare_loss(found: float, x_hat: Tensor, x: Tensor) -> None:
    expected = reconstruction_loss(x_hat, x).item()
    if _close(found, expected):
        return
    text = f"For images {tuple(x.shape)} it returns {found:.4g}; expected {expected:.4g}."
    names = (name for name, value in _mistakes(x_hat, x) if _close(found, value))
    raise Finding(f"{text} {next(names, 'Square the errors, sum over pixels, average over the batch.')}")


def _mistakes(x_hat: Tensor, x: Tensor) -> Iterator[tuple[str, float]]:
    """Yield the usual mistakes and the values they give: each form of the error with each reduction."""
    error = x_hat - x
    forms = {
        "": error.square(),
        "The square is missing: positive and negative errors cancel. ": error,
        "The square is missing: positive and negative errors cancel, and their sign is turned. ": -error,
        "The square is missing: these are absolute errors. ": error.abs(),
        "There is a factor of one half too many. ": error.square() / 2,
    }
    for form, errors in forms.items():
        yield form, errors.flatten(1).sum(1).mean().item()
        yield (
            f"{form}It averages over pixels: sum over them, average over the batch alone.",
            errors.mean().item(),
        )
        yield f"{form}It sums over the batch too: average over images.", errors.sum().item()
        yield (
            f"{form}It averages over pixels and sums over the batch: the other way round.",
            errors.flatten(1).mean(1).sum().item(),
        )
        yield f"{form}It averages over channels: sum over them too.", errors.sum((2, 3)).mean().item()
    root = error.square().flatten(1).sum(1).sqrt().mean().item()
    yield "It takes the root of the squared error: leave it out.", root


class _RecordingSGD(torch.optim.SGD):
    """Plain gradient descent that notes the order of what is called on it."""

    def __init__(self, model: torch.nn.Module):
        super().__init__(model.parameters(), lr=0.01)
        self.events: list[str] = []

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.events.append("zero_grad")
        super().zero_grad(set_to_none)

    def step(self, closure: Callable | None = None) -> None:
        self.events.append("step")
        return super().step(closure)


def _examine_step(fn: Callable) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = LinearAutoencoder(channels=1, size=4, latent_dim=2)
    reference = copy.deepcopy(model)
    optimizer, plain = _RecordingSGD(model), torch.optim.SGD(reference.parameters(), lr=0.01)
    model.decoder.bias.register_post_accumulate_grad_hook(lambda _: optimizer.events.append("backward"))
    for number, x in enumerate(torch.rand(2, 5, 1, 4, 4, generator=torch.Generator().manual_seed(0)), 1):
        optimizer.events.clear()
        found = call(fn, model, optimizer, x.clone())
        if found is None and not optimizer.events:
            raise not_attempted()
        _check_order(optimizer.events)
        x_hat = reference(x)
        loss = reconstruction_loss(x_hat, x)
        plain.zero_grad()
        loss.backward()
        plain.step()
        _check_returned_loss(found, x_hat.detach(), x, after=reconstruction_loss(reference(x), x).item())
        _check_weights(model, reference, number, optimizer.events)


def _check_order(events: list[str]) -> None:
    if "backward" not in events:
        raise Finding("No gradient is computed: loss.backward() is missing.")
    if "step" not in events:
        raise Finding("The weights stay as they were: optimizer.step() is missing.")
    if events.count("step") > 1:
        raise Finding(f"The optimizer steps {events.count('step')} times; expected one step a call.")
    since = events[events.index("backward") :]
    if "step" not in since:
        raise Finding("optimizer.step() comes before loss.backward(): it moves by the gradients of before.")
    if "zero_grad" in since[: since.index("step")]:
        raise Finding("optimizer.zero_grad() stands between backward and step: it clears what step needs.")


def _check_returned_loss(found: object, x_hat: Tensor, x: Tensor, after: float) -> None:
    if found is None:
        raise Finding("The weights move, but nothing is returned: end with `return loss`.")
    if not isinstance(found, float | Tensor) or (isinstance(found, Tensor) and found.ndim):
        what = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"a {type(found).__name__}"
        raise Finding(f"It returns {what}; expected the loss, one number.")
    found = found.item() if isinstance(found, Tensor) else found
    if _close(found, after):
        raise Finding(f"It returns {after:.4g}, the loss after the step; expected the loss before it.")
    _compare_loss(found, x_hat, x)


def _check_weights(
    model: torch.nn.Module, reference: torch.nn.Module, number: int, events: list[str]
) -> None:
    pairs = zip(model.parameters(), reference.parameters(), strict=True)
    if all(torch.allclose(a, b, atol=1e-5) for a, b in pairs):
        return
    if number == 2 and "zero_grad" not in events:
        raise Finding(
            "The second step goes wrong: it adds the gradients of the first batch to those of the second. "
            "optimizer.zero_grad() is missing."
        )
    raise Finding(
        f"The loss is right, but after step {number} the weights are not: go backward once, from the loss "
        "that is returned, with gradients cleared before."
    )


def _examine_interpolation(fn: Callable) -> None:
    generator = torch.Generator().manual_seed(0)
    for steps, latent_dim in ((5, 3), (2, 4)):
        z_a, z_b = torch.randn(2, latent_dim, generator=generator)
        found = call(fn, z_a.clone(), z_b.clone(), steps)
        if found is None:
            raise not_attempted()
        if not isinstance(found, Tensor):
            hint = ": put the codes together with torch.stack" if isinstance(found, list | tuple) else ""
            raise Finding(f"It returns a {type(found).__name__}; expected a tensor{hint}.")
        if found.shape != (steps, latent_dim):
            turned = " These are its axes turned round." if found.shape == (latent_dim, steps) else ""
            raise Finding(
                f"For steps={steps} and codes of length {latent_dim} it returns shape {tuple(found.shape)}; "
                f"expected (steps, latent_dim) = ({steps}, {latent_dim}).{turned}"
            )
        _compare_path(found.detach().cpu().float(), z_a, z_b, steps)


def _compare_path(found: Tensor, z_a: Tensor, z_b: Tensor, steps: int) -> None:
    t = torch.linspace(0, 1, steps)[:, None]  # (steps, 1)
    expected = (1 - t) * z_a + t * z_b  # (steps, latent_dim)
    right = torch.isclose(found, expected, atol=1e-4).all(1)  # (steps,)
    if right.all():
        return
    if torch.allclose(found.flip(0), expected, atol=1e-4):
        raise Finding("The ends are swapped: it walks from z_b to z_a.")
    ends = [(0, "first", "z_a"), (steps - 1, "last", "z_b")]
    for row, place, name in ends:
        if not right[row]:
            raise Finding(
                f"The {place} of {steps} rows must be {name} itself, {show_values(expected[row])}; "
                f"found {show_values(found[row])}. The weights run from 0 to 1, both included."
            )
    row = int((~right).nonzero()[0])
    raise Finding(
        f"The ends are right, but row {row} of {steps} is not on the straight line in even steps: "
        f"expected {show_values(expected[row])}, found {show_values(found[row])}."
    )


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-4 * max(abs(a), abs(b), 1e-6)

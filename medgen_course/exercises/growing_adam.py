"""Check of notebook 05: the groups with which Adam trains a plain network as if it were equalised."""

import copy
import math
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from medgen_course.exercises.verdict import Finding, Verdict, call, hint, judge, not_attempted
from medgen_course.models.progressive_networks import Equalised

STEP, GAIN = 2e-3, 1.3  # neither is 1, nor what the notebook uses
UPDATES = 20


def check_adam_groups(fn: Callable[[nn.Module, float, float], list[dict]]) -> Verdict:
    """Check the groups with which Adam trains a plain network as if its layers were equalised.

    Args:
        fn: (a network of `nn.Conv2d` and `nn.Linear`, step size, gain) to a list of groups for
            `torch.optim.Adam`, each {"params": [...], "lr": ...}.
    """
    found = {}
    return judge(
        "Adam's groups", fn, lambda fn: found.update(_examine_groups(fn)), lambda: _followed(**found)
    )


def _followed(own: float, plain: float) -> str:
    return (
        f"After {UPDATES} updates your network answers as its equalised twin does, {own:.1g} apart; with one "
        f"step size for all it is {plain:.2g} apart."
    )


def _network() -> nn.Sequential:
    """A plain network whose layers differ in fan-in, its weights as spread as those of equalised layers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(2, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(8, 3, 1), nn.LeakyReLU(0.2)]
        network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(3 * 16, 1))
        for tensor in network.parameters():
            nn.init.normal_(tensor, std=_scale(tensor))
    return network


def _twin(network: nn.Sequential) -> nn.Sequential:
    """The same network of equalised layers."""
    twin = copy.deepcopy(network)
    for i, layer in enumerate(network):
        if hasattr(layer, "weight"):
            twin[i] = Equalised(twin[i], GAIN)
            with torch.no_grad():
                twin[i].layer.weight.copy_(layer.weight / _scale(layer.weight))
                twin[i].layer.bias.copy_(layer.bias)
    return twin


def _scale(tensor: Tensor) -> float:
    """Gain / sqrt(fan-in) of a weight, 1 of a bias."""
    return GAIN / math.sqrt(tensor[0].numel()) if tensor.dim() > 1 else 1.0


def _examine_groups(fn: Callable) -> Mapping[str, float]:
    """Examine the groups; how far the student's network and one with a single step size are from the twin."""
    network = _network()
    twin, plain = _twin(network), copy.deepcopy(network)
    groups = _as_list(call(fn, network, STEP, GAIN))
    _examine_steps(_steps(groups, network), network)
    wanted = _trained(twin, twin.parameters())
    found = {
        "own": float((_trained(network, groups) - wanted).abs().max()),
        "plain": float((_trained(plain, plain.parameters()) - wanted).abs().max()),
    }
    if not found["own"] < 1e-3:
        raise Finding(
            f"the step sizes are right, but after {UPDATES} updates the answers are {found['own']:.2g} apart "
            "from the twin's: leave the weights and Adam's other settings as they are."
        )
    return found


def _as_list(groups: object) -> list[dict]:
    """The groups, each with a list of tensors, because Adam is given them more than once."""
    if groups is None:
        raise not_attempted()
    try:
        return [
            group
            | {"params": [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])}
            for group in groups
        ]
    except (TypeError, KeyError) as error:
        raise Finding(
            f'expected a list of groups, each {{"params": [...], "lr": ...}}; {type(error).__name__}: {error}'
        ) from error


def _steps(groups: list[dict], network: nn.Module) -> dict[str, float]:
    """The step size of each of the network's tensors, by name."""
    try:
        made = torch.optim.Adam(groups, lr=STEP).param_groups
    except (TypeError, ValueError) as error:
        raise Finding(f"Adam does not take your groups: {error}") from error
    steps = {id(tensor): float(group["lr"]) for group in made for tensor in group["params"]}
    missing = [name for name, tensor in network.named_parameters() if id(tensor) not in steps]
    if missing:
        raise Finding(f"these would never learn, because no group has them: {', '.join(missing)}.")
    return {name: steps[id(tensor)] for name, tensor in network.named_parameters()}


def _examine_steps(steps: dict[str, float], network: nn.Module) -> None:
    for name, tensor in network.named_parameters():
        step = steps[name]
        if math.isclose(step, STEP * _scale(tensor), rel_tol=1e-4):
            continue
        told = " The layer of section 3 does not scale its bias, so its steps stay as they are."
        if tensor.dim() > 1:
            told = hint(
                _slips(tensor), lambda factor, step=step: math.isclose(step, STEP * factor, rel_tol=1e-4)
            )
        raise Finding(
            f"{name} of shape {tuple(tensor.shape)}: its step size is {step:.3g}, where lr is {STEP:g} and "
            f"the gain {GAIN:g}.{told}"
        )


def _slips(weight: Tensor) -> dict[str, float]:
    """Usual mistakes with a weight, and by how much they scale its steps."""
    fan_in, fan_out = weight[0].numel(), weight[:, 0].numel()
    return {
        "That is the step of a weight near 1; these are smaller, the smaller the wider the layer": 1,
        "That is right for plain gradient descent, where the scale comes in twice, through the gradient too; "
        "Adam divides by the gradient's size": GAIN**2 / fan_in,
        "The root is missing": GAIN / fan_in,
        "The gain is missing: it makes the weights larger, and so their steps": 1 / math.sqrt(fan_in),
        "The other way round: smaller weights take smaller steps": math.sqrt(fan_in) / GAIN,
        "An output sums over channels and places: count the kernel too": GAIN / math.sqrt(weight.shape[1]),
        "You took the numbers that go out (fan-out)": GAIN / math.sqrt(fan_out),
        "One output does not sum over all weights of the layer": GAIN / math.sqrt(weight.numel()),
    }


def _trained(network: nn.Module, groups: Iterable[dict] | Iterable[Tensor]) -> Tensor:
    """What a network answers after some updates of these groups, or of these tensors alike."""
    noise = torch.Generator().manual_seed(1)
    x, target = torch.randn(16, 2, 4, 4, generator=noise), torch.randn(16, 1, generator=noise)
    adam = torch.optim.Adam(groups, lr=STEP)
    for _ in range(UPDATES):
        adam.zero_grad()
        (network(x) - target).square().mean().backward()
        adam.step()
    return network(x).detach()

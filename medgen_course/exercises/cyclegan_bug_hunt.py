"""The bug hunt of notebook 04: common mistakes in a step of CycleGAN, looked for by what they do."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from medgen_course.exercises.cyclegan_noting import Domain, NotingDiscriminator, NotingGenerator
from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted, remaining

Step = Callable[
    [nn.Module, nn.Module, nn.Module, nn.Module, dict[str, torch.optim.Optimizer], Tensor, Tensor], object
]


def check_cyclegan_bug_hunt(step: Step) -> Verdict:
    """Look for each mistake of the pool (`hunts/cyclegan.py`) by itself; three of them are planted.

    Args:
        step: (g_ab, g_ba, d_a, d_b, optimisers "generators" and "discriminators", a, b): one update of each
            pair of players. Generators turn images (B, 1, H, W) in [0, 1] into images, discriminators into
            logits (B, 1, h, w); real images are pushed towards 1, generated ones towards 0.
    """
    praise = "Each judge knows its own domain, each generator its identity, and D's loss moves D alone."
    return judge("bug hunt", step, _examine, praise)


def _examine(step: Callable) -> None:
    a, b, ended = _run(step)
    looks = (_domains, _identity, _cycle, _wish, _detached)
    left = [text for look in looks if (text := look(a, b))]
    if not torch.allclose(_run(step, held=1.0)[2], ended, atol=1e-6):
        left.append(
            "the step ends elsewhere when gradients of an earlier one are still in the networks: each pair "
            "of players must start from cleared gradients, or every update repeats all those before it."
        )
    if left:
        raise remaining(left)


def _run(step: Callable, held: float | None = None) -> tuple[Domain, Domain, Tensor]:
    """One step on small networks, noted, and all weights after it; a `Finding` unless all four moved.

    Args:
        held: what is in every gradient beforehand; None for no gradients.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        a = Domain("a", "g_ba", 0.3 * torch.rand(5, 1, 2, 2))  # dark images
        b = Domain("b", "g_ab", 0.7 + 0.3 * torch.rand(5, 1, 2, 2))  # bright ones
        pairs = {"generators": (b.maker, a.maker), "discriminators": (a.judge, b.judge)}
        optimizers = {
            name: torch.optim.SGD([p for network in pair for p in network.parameters()], lr=0.01)
            for name, pair in pairs.items()
        }
        networks = a.named | b.named
        for name, optimizer in optimizers.items():
            optimizer.register_step_pre_hook(lambda *_, name=name: _note(name, a.judge, b.judge))
        for network in networks.values() if held is not None else ():
            for weights in network.parameters():
                weights.grad = torch.full_like(weights, held)
        before = {name: _weights(network) for name, network in networks.items()}
        call(step, *pairs["generators"], *pairs["discriminators"], optimizers, a.real.clone(), b.real.clone())
    still = [name for name, network in networks.items() if torch.equal(_weights(network), before[name])]
    if len(still) == 4 and not any((a.maker.made, b.maker.made, a.judge.seen, b.judge.seen)):
        raise not_attempted()
    if still:
        raise Finding(
            f"{', '.join(still)} did not move: a loss must reach each network, and its optimiser must step."
        )
    return a, b, torch.cat([_weights(network) for network in networks.values()])


def _note(player: str, *judges: NotingDiscriminator) -> None:
    for judge_ in judges:
        judge_.steps.append((player, {"pushed": len(judge_.pushed), "sent": len(judge_.sent)}))


def _weights(network: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def _among(batch: Tensor, known: Tensor) -> Tensor:
    """Which images of a batch (B, 1, 2, 2) are among known ones (N, 1, 2, 2): (B,) of booleans."""
    return ((batch[:, None] - known[None]).flatten(2).abs().amax(2) < 1e-6).any(1)


def _domains(a: Domain, b: Domain) -> str:
    """Whether each discriminator judged its own domain only, and learnt real from generated there."""
    found = []
    for own, other in ((a, b), (b, a)):
        (maker, judge_), (stranger, _) = own.named, other.named
        kinds = {f"the real {other.letter}": other.real, f"what {stranger} made": other.made}
        alien = [kind for kind, images in kinds.items() if _shown(own.judge, images)]
        if alien:
            found.append(f"{judge_} was shown {' and '.join(alien)}")
        elif not any((slopes[_among(x, own.real)] < 0).any() for x, slopes in own.judge.pushed):
            found.append(f"{judge_} never learnt that {own.letter}, as it is given, is real")
        elif not any((slopes[_among(x, own.made)] > 0).any() for x, slopes in own.judge.pushed):
            found.append(f"{judge_} never learnt that what {maker} makes is generated")
    advice = (
        "A judge must tell real from generated within its own domain: otherwise it only learns to tell A "
        "from B, and no generator hears what its target domain looks like."
    )
    return f"{'; '.join(found)}. {advice}" if found else ""


def _shown(judge_: NotingDiscriminator, images: Tensor) -> bool:
    return any(bool(_among(x, images).any()) for x in judge_.seen)


def _identity(a: Domain, b: Domain) -> str:
    """Whether each generator was fed with its own target domain and pulled back to it."""
    found = []
    for own in (b, a):
        name, generator = next(iter(own.named)), own.maker
        rows = [_among(x, own.real) for x in generator.fed]
        if not any(row.any() for row in rows):
            found.append(f"{name} was never fed with {own.letter}")
            continue
        errors = [made - fed for made, fed in zip(generator.made, generator.fed, strict=True)]
        pulls = [(slope * errors[i])[rows[i]] for i, slope in generator.slopes]
        if not any((p > 0).any() for p in pulls) or any((p < 0).any() for p in pulls):
            found.append(f"what {name} makes of {own.letter} is not pulled towards that same {own.letter}")
    advice = (
        "The identity loss wants an image of the target domain to stay as it is: |g_ab(b) - b| and "
        "|g_ba(a) - a|. On the source domain it works against every translation."
    )
    return f"{'; '.join(found)}. {advice}" if found else ""


def _cycle(a: Domain, b: Domain) -> str:
    """Whether what goes there and back is pulled to the image that it came from."""
    found = []
    for own, other in ((a, b), (b, a)):
        back, there = own.maker, other.maker
        origin = {made.tobytes(): fed for made, fed in _rows(there, own.real)}
        pulls = []
        for number, slope in back.slopes:
            for k, fed in enumerate(back.fed[number]):
                start = origin.get(fed.numpy().tobytes())
                if start is not None:
                    pulls.append(slope[k] * (back.made[number][k] - start))
        if not pulls or not any((p > 0).any() for p in pulls) or any((p < 0).any() for p in pulls):
            found.append(own.letter)
    if not found:
        return ""
    return (
        f"an image of {' or '.join(found)} that goes to the other domain and back is not pulled to itself. "
        "Nothing pairs the two domains, so only the image that it began as can say what should come back."
    )


def _rows(generator: NotingGenerator, real: Tensor) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Each image that a generator made of a real one, and that real one."""
    for fed, made in zip(generator.fed, generator.made, strict=True):
        for k in _among(fed, real).nonzero().flatten():
            yield made[k].numpy(), fed[k]


def _wish(a: Domain, b: Domain) -> str:
    """Whether the generators want their images to be taken for real."""
    made = torch.cat([a.made, b.made])
    wrong = []
    for own in (a, b):
        pushes = own.judge.of("generators", "pushed")
        slopes = torch.cat([made[:0].flatten(), *(slope[_among(x, made)] for x, slope in pushes)])
        if (slopes > 0).any() and not (slopes < 0).any():
            wrong.append(f"d_{own.letter}")
    advice = "the generators' loss falls when their images are found out, so they get easier to tell."
    return f"before {' and '.join(wrong)} {advice}" if wrong else ""


def _detached(a: Domain, b: Domain) -> str:
    """Whether the discriminators' wish reached a generator."""
    made = torch.cat([a.made, b.made])
    leaks = [
        f"d_{own.letter}"
        for own in (a, b)
        if any((slopes[_among(x, made)] > 0).any() for x, slopes in own.judge.of("discriminators", "sent"))
    ]
    advice = (
        "into the generators: it pushes them towards images that are easily found out, or, where that "
        "gradient is cleared in time, it costs a backward pass for nothing. Detach what they made there."
    )
    return f"the discriminators' loss went on through {' and '.join(leaks)} {advice}" if leaks else ""

"""The bug hunt of notebook 04: three common mistakes in a step of CycleGAN, looked for by what they do."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.exercises.verdict import WRONG, Finding, Verdict, call, judge, not_attempted

Step = Callable[
    [nn.Module, nn.Module, nn.Module, nn.Module, dict[str, torch.optim.Optimizer], Tensor, Tensor], object
]


class NotingGenerator(nn.Module):
    """A generator that notes what it was fed with, what it made of it, and what the losses say to that.

    Attributes:
        fed, made: one tensor (B, 1, 2, 2) for each call.
        slopes: (call, gradient (B, 1, 2, 2) of a loss with respect to what that call made).
    """

    def __init__(self):
        super().__init__()
        self.linear, self.fed, self.made, self.slopes = nn.Linear(4, 4), [], [], []

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 1, 2, 2) to images (B, 1, 2, 2), both in [0, 1]."""
        made, number = self.linear(x.flatten(1)).sigmoid().view(-1, 1, 2, 2), len(self.made)
        self.fed.append(x.detach().clone())
        self.made.append(made.detach().clone())
        if made.requires_grad:
            made.register_hook(lambda slope: self.slopes.append((number, slope)))
        return made


class NotingDiscriminator(nn.Module):
    """A discriminator that notes which way its logits are pushed, and what it sends back to a generator.

    Its logits start near 0.5. A positive slope pushes a logit down, to "generated"; a negative one up.

    Attributes:
        seen: every batch that it judged, (B, 1, 2, 2).
        pushed: (batch, slopes (B,) of the loss with respect to its logits).
        sent: (batch, slopes (B,)) for what went back through a batch that belongs to a generator's graph.
    """

    def __init__(self):
        super().__init__()
        self.linear, self.seen, self.pushed, self.sent = nn.Linear(4, 1), [], [], []
        with torch.no_grad():
            self.linear.weight.mul_(0.1)
            self.linear.bias.fill_(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 1, 2, 2) to logits (B, 1, 1, 1), one patch each."""
        shown, weight = x.detach().clone(), self.linear.weight[0].detach().clone()
        self.seen.append(shown)
        if x.requires_grad:
            x = x.clone()  # so that only what comes from this discriminator is noted
            x.register_hook(lambda slope: self.sent.append((shown, slope.flatten(1) @ weight)))
        logits = self.linear(x.flatten(1)).view(-1, 1, 1, 1)
        if logits.requires_grad:
            logits.register_hook(lambda slope: self.pushed.append((shown, slope.flatten())))
        return logits


class Domain:
    """One domain and the networks that belong to it; all of them note what is done with them.

    Args:
        letter: "a" or "b".
        maker: the name of the generator *to* this domain.
        real: its images, (5, 1, 2, 2).
    """

    def __init__(self, letter: str, maker: str, real: Tensor):
        self.letter, self.real = letter, real
        self.maker, self.judge = NotingGenerator(), NotingDiscriminator()
        self.named = {maker: self.maker, f"d_{letter}": self.judge}

    @property
    def made(self) -> Tensor:
        """All images that the generator to this domain made, (N, 1, 2, 2)."""
        return torch.cat([self.real[:0], *self.maker.made])


def check_cyclegan_bug_hunt(step: Step) -> Verdict:
    """Look for each of the three mistakes by itself.

    Args:
        step: (g_ab, g_ba, d_a, d_b, optimisers "generators" and "discriminators", a, b): one update of each
            pair of players. Generators turn images (B, 1, H, W) in [0, 1] into images, discriminators into
            logits (B, 1, h, w); real images are pushed towards 1, generated ones towards 0.
    """
    praise = "Each judge knows its own domain, each generator its identity, and D's loss moves D alone."
    return judge("bug hunt", step, _examine, praise)


def _examine(step: Callable) -> None:
    domains = _run(step)
    left = [text for look in (_domains, _identity, _detached) if (text := look(*domains))]
    if left:
        raise Finding(f"{len(left)} of 3 mistakes remain.\n" + "\n".join(f"- {text}" for text in left), WRONG)


def _run(step: Callable) -> tuple[Domain, Domain]:
    """One step on small networks, noted; raises a `Finding` unless all four networks moved."""
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
        before = {name: _weights(network) for name, network in networks.items()}
        call(step, *pairs["generators"], *pairs["discriminators"], optimizers, a.real.clone(), b.real.clone())
    still = [name for name, network in networks.items() if torch.equal(_weights(network), before[name])]
    if len(still) == 4 and not any((a.maker.made, b.maker.made, a.judge.seen, b.judge.seen)):
        raise not_attempted()
    if still:
        raise Finding(
            f"{', '.join(still)} did not move: a loss must reach each network, and its optimiser must step."
        )
    return a, b


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


def _detached(a: Domain, b: Domain) -> str:
    """Whether the discriminators' wish reached a generator."""
    made = torch.cat([a.made, b.made])
    leaks = [
        f"d_{own.letter}"
        for own in (a, b)
        if any((slopes[_among(x, made)] > 0).any() for x, slopes in own.judge.sent)
    ]
    advice = (
        "into the generators: it pushes them towards images that are easily found out, or, where that "
        "gradient is cleared in time, it costs a backward pass for nothing. Detach what they made there."
    )
    return f"the discriminators' loss went on through {' and '.join(leaks)} {advice}" if leaks else ""

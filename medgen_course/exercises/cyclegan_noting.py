"""Small networks that note what a step of CycleGAN does with them, for its bug hunt."""

import torch
from torch import Tensor, nn


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
        steps: (which optimiser stepped, how many entries `pushed` and `sent` had then), in their order.
    """

    def __init__(self):
        super().__init__()
        self.linear, self.seen, self.pushed, self.sent, self.steps = nn.Linear(4, 1), [], [], [], []
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

    def of(self, player: str, kind: str) -> list[tuple[Tensor, Tensor]]:
        """The entries of `pushed` or `sent` that led to this optimiser's steps.

        These are the ones since the other's last step; all, where both losses went back before any step.
        """
        found, start = {"pushed": [], "sent": []}, {"pushed": 0, "sent": 0}
        for name, ends in self.steps:
            for which, end in ends.items():
                found[which] += getattr(self, which)[start[which] : end] if name == player else []
            start = ends
        return found[kind] if found["pushed"] else getattr(self, kind)


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

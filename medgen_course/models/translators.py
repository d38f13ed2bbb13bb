"""Trained translators of both directions, and what they make of a set of images."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from medgen_course.batches.parts import parts
from medgen_course.batches.transforms import to_unit

Direction = Literal["a", "b"]


@dataclass(frozen=True)
class Translators:
    """Two generators, in evaluation mode on the CPU: `to_b` from domain A to B, `to_a` back.

    pix2pix learns one direction at a time: the other one may be None.
    """

    to_b: nn.Module | None = None
    to_a: nn.Module | None = None

    def __getitem__(self, to: Direction) -> nn.Module:
        """The generator to a domain, "a" or "b".

        Raises:
            ValueError: there is none in this direction.
        """
        generator = {"a": self.to_a, "b": self.to_b}[to]
        if generator is None:
            raise ValueError(f"there is no translator to {to} here, only one to {'b' if to == 'a' else 'a'}.")
        return generator

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The domains that can be translated to."""
        return tuple(to for to, generator in (("b", self.to_b), ("a", self.to_a)) if generator is not None)

    @property
    def config(self) -> dict[str, Any]:
        """That of the generator there is, of the one to B where there are both."""
        return self[self.directions[0]].config

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return self.config["size"]

    @property
    def channels(self) -> tuple[int, int]:
        """Channels of the images of A and of B."""
        to = self.directions[0]
        ends = self[to].config["in_channels"], self[to].config["out_channels"]
        return ends if to == "b" else ends[::-1]

    @property
    def coarse(self) -> "Translators":
        """The translators of half the side that those of a `LocalEnhancer` build on."""
        return Translators(**{f"to_{to}": self[to].coarse for to in self.directions})

    def translate(self, images: np.ndarray, to: Direction) -> Tensor:
        """Images of the other domain, uint8 (N, C, H, W), to domain `to`: floats in [0, 1], (N, C', H, W)."""
        return self.apply(to_unit(torch.from_numpy(np.ascontiguousarray(images))), to)

    def round_trip(self, images: np.ndarray, via: Direction) -> tuple[Tensor, Tensor]:
        """To domain `via` and back again.

        Args:
            images: of the other domain, uint8 (N, C, H, W).
            via: the domain in between.
        Returns:
            The translation (N, C', H, W) and what comes back (N, C, H, W), floats in [0, 1].
        """
        there = self.translate(images, via)
        return there, self.apply(there, "a" if via == "b" else "b")

    @torch.inference_mode()
    def apply(self, x: Tensor, to: Direction) -> Tensor:
        """Floats in [0, 1], (N, C, H, W), to domain `to`; in parts, so that memory stays small."""
        return torch.cat([self[to].translate(part) for part in parts(x)]).clone()

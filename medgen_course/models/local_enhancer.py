"""From coarse to fine: a translator for images of twice the side (Wang et al. 2018, section 3.1: pix2pixHD).

A network for large images need not be trained from nothing. The coarse one has learnt, at half the side,
which grey level becomes which, and where. What is left is local: edges, folds, noise. A few convolutions at
full size learn that, and cost little. Wang et al. hand on features and train both networks together in the
end; here the answer is handed on, and the coarse network stays as it is.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from medgen_course.models.cyclegan_networks import check_size, conv, norm
from medgen_course.models.gan import initialise

JUDGE_WIDTH = 16  # of the discriminator beside an enhancer: half of the usual, as there is less to learn


class LocalEnhancer(nn.Module):
    """A translator of half the side, which stays as it is, and convolutions at full size that correct it.

    They see the image and the coarse answer, enlarged. Before any training they correct nothing.

    Args:
        coarse: from A to B at half the side; see `ResNetGenerator` and `UNetGenerator`. It is frozen.
        width: channels at full size.
        layers: 3x3 convolutions at full size before the last one.
    Raises:
        ValueError: twice the coarse network's side is out of range.
    """

    def __init__(self, coarse: nn.Module, width: int = 16, layers: int = 3):
        super().__init__()
        check_size(2 * coarse.config["size"])
        ends = {name: coarse.config[name] for name in ("in_channels", "out_channels")}
        self.config: dict[str, Any] = {
            "kind": "local_enhancer",
            **ends,
            "size": 2 * coarse.config["size"],
            "width": width,
            "layers": layers,
            "coarse": coarse.config,
        }
        self.coarse = coarse.requires_grad_(False)
        seen = sum(ends.values())
        stages = (
            nn.Sequential(conv(a, b), norm(b), nn.ReLU()) for a, b in pairwise([seen, *[width] * layers])
        )
        self.fine = nn.ModuleDict(
            {"body": nn.Sequential(*stages), "head": conv(width + seen, ends["out_channels"])}
        )
        initialise(self.fine)
        nn.init.zeros_(self.fine["head"].weight)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, in_channels, H, W) in [0, 1] to logits of the grey levels (B, out_channels, H, W)."""
        answer = self.coarse(avg_pool2d(x, 2))  # (B, 1, 32, 32) at 64 px
        answer = interpolate(answer, scale_factor=2, mode="bilinear", align_corners=False)
        seen = torch.cat([2 * x - 1, answer / 4], 1)  # logits are four times as large as the image
        return answer + self.fine["head"](torch.cat([self.fine["body"](seen), seen], 1))

    def translate(self, x: Tensor) -> Tensor:
        """Images (B, in_channels, H, W) to images (B, out_channels, H, W), both in [0, 1]."""
        return self(x).float().sigmoid()

"""The anomaly explorer on a page: two networks, slices before the scan, and how a lesion is laid over them.

A lesion is laid over a slice as `phantom` does it, before coil and noise, so that the page draws the very
slices of the notebook. Which of a pixel's tissue it replaces depends on the anatomy: that is recorded.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medgen_course import phantom, pretrained
from medgen_course.datasets.anomalies import phantom_anomalies
from medgen_course.datasets.domains import without_lesions
from medgen_course.explorers import anomaly as view
from medgen_course.explorers.anomaly import SLICES, AnomalyExplorer
from medgen_course.metrics.anomaly import baselines, scores, shelf
from medgen_course.models.vae import VAE, gaussian_log_likelihood, kl_per_dimension
from medgen_course.phantom.anatomy import FIELD_OF_VIEW, tissue_maps
from medgen_course.phantom.lesion import LESION_EDGE
from medgen_course.phantom.render import SIGNALS, stream
from medgen_course.phantom.signal import TISSUES
from medgen_course.phantom.signal import bias_field as draw_bias_field
from medgen_course.site.charts import chart_of
from medgen_course.site.controls import described
from medgen_course.site.export import to_onnx
from medgen_course.site.live import Live

SIZE, CONTRAST, SPLIT, SEED = 64, "t2w", "val", 0
COUNTS = (2048, 4, 1)  # healthy slices to fit the simple scores; lesions in a cell of val's grid
BIAS, NOISE = 0.15, 0.02  # of `phantom.generate`
T2W = 1


class Rebuilding(nn.Module):
    """Grey levels 0 to 255, (B, 1, H, W), to a reconstruction in [0, 1]."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, grey: Tensor) -> Tensor:
        """See the class."""
        return self.network(grey / 255).clamp(0, 1)


class AllOfVAE(nn.Module):
    """What the explorer asks a VAE about one slice: reconstruction, -ELBO and KL, each with a map.

    The draws are those of `scores.negative_elbo` for a single image: the same for every image. The slope of
    the KL is written out layer by layer, since a page has no automatic differentiation.
    """

    def __init__(self, vae: VAE, seed: int = 0):
        super().__init__()
        self.vae = vae
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            grain = torch.rand(1, 1, SIZE, SIZE)
            draws = torch.cat([torch.randn(1, vae.latent_dim) for _ in range(scores.DRAWS)])
        self.register_buffer("grain", grain)
        self.register_buffer("draws", draws)

    def forward(self, grey: Tensor) -> tuple[Tensor, ...]:
        """Grey levels (B, 1, H, W) to reconstruction, -ELBO (B,), its map, KL (B,), its map; not smoothed."""
        vae, x = self.vae, (grey + self.grain) / 256
        mu, logvar = vae.encode(x)
        share = kl_per_dimension(mu, logvar).sum(1)
        likelihoods = [
            gaussian_log_likelihood(vae.decode(mu + (0.5 * logvar).exp() * draw), x, vae.variance)
            for draw in self.draws
        ]
        error = (vae.decode(mu) - x).square().sum(1)
        nats = 0.5 * (error / vae.variance + (2 * torch.pi * vae.variance).log())
        plain = grey / 255
        rebuilt = vae.decode(vae.encode(plain)[0]).clamp(0, 1)
        value, slope = self.slope(plain)
        return rebuilt, share - torch.stack(likelihoods).mean(0), nats, value, slope

    def slope(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """KL in nats, (B,), and how fast it would change with each pixel, (B, H, W)."""
        encoder, before = self.vae.encoder, []
        h = x - 0.5
        for convolution, silu in encoder.stages:
            before.append(convolution(h))
            h = silu(before[-1])
        mu, logvar = encoder.head(h.flatten(1)).chunk(2, dim=1)
        g = torch.cat([mu, 0.5 * (logvar.exp() - 1)], 1) @ encoder.head.weight
        g = g.unflatten(1, h.shape[1:])
        for (convolution, _), a in zip(reversed(encoder.stages), reversed(before), strict=True):
            s = a.sigmoid()
            g = g * (s * (1 + a * (1 - s)))
            g = nn.functional.conv_transpose2d(g, convolution.weight, None, 2, 1, output_padding=1)
        return kl_per_dimension(mu, logvar).sum(1), g.abs().mean(1)


def explorer() -> tuple[AnomalyExplorer, baselines.PixelGaussian, baselines.Subspace, nn.Module, VAE]:
    """The explorer of notebook 10, with fewer components of the PCA, and what its scores are made with."""
    task = phantom_anomalies(SIZE, CONTRAST, COUNTS, SEED)
    gaussian, subspace = baselines.PixelGaussian.fit(task.train), baselines.Subspace.fit(task.train)
    small = pretrained.load_anomaly("phantom", "anomaly_small")
    vae = pretrained.load_anomaly("phantom", "anomaly_vae_t2w")
    known = shelf.of_autoencoder(small) | shelf.of_vae(vae)
    known["PCA residual"] = scores.Detector(subspace.residual, subspace.rebuilt)
    known["pixel-wise Gaussian"] = scores.Detector(gaussian.score)
    by_peak = (*shelf.of_autoencoder(small), "VAE, reconstruction", "PCA residual", "pixel-wise Gaussian")
    offered = {f"{name}, peak": known[name].by_peak for name in by_peak}
    offered |= {name: known[name] for name in ("VAE, ELBO", "VAE, KL")}
    return AnomalyExplorer(offered, task.val), gaussian, subspace, small, vae


KINDS = ("autoencoder", "vae", "subspace", "gaussian", "elbo", "kl")  # in the order of `explorer`'s scores


def build() -> Live:
    """The explorer, its networks and the slices."""
    shown, gaussian, subspace, small, vae = explorer()
    grey = {"grey": torch.zeros(2, 1, SIZE, SIZE)}
    models = {
        "autoencoder": to_onnx(Rebuilding(small).eval(), grey, ["rebuilt"]),
        "vae": to_onnx(AllOfVAE(vae).eval(), grey, ["rebuilt", "elbo", "elbo_map", "kl", "kl_map"]),
    }
    data: dict[str, Any] = {
        "size": SIZE,
        "scale": max(1, view.PANEL // SIZE),
        "peak": scores.PEAK,
        "controls": described(
            score=shown.detector, slice=shown.index, radius=shown.radius, contrast=shown.fraction,
            x=shown.x, y=shown.y, flagged=shown.flagged, back=shown.put_away,
        ),
        "upload": shown.upload.label,
        "words": {
            "alt": shown.picture.alt, "captions": view.CAPTIONS, "says": view.SAYS, "verdicts": view.VERDICTS,
            "nowhere": view.NOWHERE, "unlike": view.UNLIKE,
            "charts": ("share of val images over score, healthy and anomalous; threshold and this score",
                       "ROC curve: anomalous found over healthy flagged, with the threshold's place"),
        },
        "scores": [_measured(kind, *row) for kind, row in zip(KINDS, shown.measured.items(), strict=True)],
        "gaussian": {"mean": gaussian.mean.ravel(), "std": gaussian.std.ravel()},
        "subspace": {
            "mean": subspace.pca.mean_.astype(np.float32),
            "components": subspace.pca.components_.astype(np.float32).ravel(),
        },
        "phantom": _slices(shown.factors),
    }  # fmt: skip
    return Live(
        "anomaly", "A lesion of your own making",
        "Lay a lesion over a healthy slice, move it, and see whether a score that learnt from healthy slices "
        "alone finds it.", models, data,
        "Autoencoder and VAE of notebook 10, trained on healthy phantom slices.",
    )  # fmt: skip


def _measured(kind: str, name: str, measured) -> dict[str, Any]:
    charts = {"distributions": measured.chart, "roc": measured.roc}
    return {
        "name": name,
        "kind": kind,
        "peak": name.endswith(", peak"),
        "limit": measured.limit,
        "healthy": measured.healthy,
        "anomalous": measured.anomalous,
        "charts": {key: chart_of(chart) for key, chart in charts.items()},
    }


def _slices(factors: np.ndarray) -> dict[str, Any]:
    """Healthy slices before coil and noise, what a lesion replaces in them, and coil and noise themselves."""
    healthy = torch.from_numpy(without_lesions(factors))
    maps, _ = tissue_maps(healthy, SIZE)  # (N, 5, H, W)
    by_tissue = maps.transpose(0, 1).reshape(len(TISSUES), -1)
    matter = maps[:, 3:].sum(1)
    tissue = (maps[:, 3:] * SIGNALS[T2W, 3:, None, None]).sum(1) / matter.clamp(min=1e-6)
    rng = torch.Generator().manual_seed(stream(SEED, SPLIT, 1, 0))
    bias = draw_bias_field(1, SIZE, BIAS, rng)
    real, imaginary = (torch.randn(1, 2, SIZE, SIZE, generator=rng)[0, T2W] for _ in range(2))
    column = {name: factors[:, phantom.COLUMN[name]] for name in phantom.COLUMN}
    return {
        "count": SLICES,
        "base": (SIGNALS[T2W] @ by_tissue).numpy(),
        "tissue": tissue.numpy().ravel(),
        "matter": matter.numpy().ravel(),
        "bias": bias.numpy().ravel(),
        "real": (NOISE * real).numpy().ravel(),
        "imaginary": imaginary.numpy().ravel(),
        "water": float(SIGNALS[T2W, list(TISSUES).index("csf")]),
        "noise": NOISE,
        "edge": max(FIELD_OF_VIEW / SIZE, LESION_EDGE),
        "pixel": FIELD_OF_VIEW / SIZE,
        "pose": np.stack([column[n] for n in ("rotation", "shift_x", "shift_y")], 1).ravel(),
        "waves": np.stack([column[f"fold_phase_{i}"] for i in (1, 2)], 1).ravel(),
    }  # fmt: skip

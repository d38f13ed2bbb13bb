"""The flight recorder: what both players of a GAN did, kept at chosen steps in one compact file.

The generator itself is recorded, not its average: an average hides how it swings. Both networks are looked
at in evaluation mode, and the noise is drawn once, so training goes on as if nobody had watched.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.transforms import to_uint8, to_unit
from medgen_course.models.gan import GANAlgorithm
from medgen_course.training.checkpoints import RunError, load_tensors, save_tensors

FORMAT = "medgen flight recording 1"


@dataclass(frozen=True)
class Recording:
    """A run to look back on.

    about: title, objective, steps in an epoch, and whatever else is to be told; JSON values.
    curves: losses, mean logits and gradient norms of every step, (T,) each.
    moments: the recorded steps, ascending, from 1, (K,).
    samples: uint8 (K, n, C, H, W), from the same noise each time.
    real, fake: logits of the discriminator on fixed images and on generated ones, (K, M).
    metrics: of the samples at each moment, (K,) each.
    """

    about: dict[str, Any]
    curves: dict[str, np.ndarray]
    moments: np.ndarray
    samples: np.ndarray
    real: np.ndarray
    fake: np.ndarray
    metrics: dict[str, np.ndarray] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write one safetensors file, atomically; curves and logits in half precision."""
        tensors = {
            "moments": torch.from_numpy(self.moments),
            "samples": torch.from_numpy(self.samples),
            "real": torch.from_numpy(self.real).half(),
            "fake": torch.from_numpy(self.fake).half(),
        }
        tensors |= {f"curves/{name}": torch.from_numpy(v).half() for name, v in self.curves.items()}
        tensors |= {f"metrics/{name}": torch.from_numpy(v).float() for name, v in self.metrics.items()}
        save_tensors(path, tensors, {"format": FORMAT, "about": json.dumps(self.about)})

    @classmethod
    def load(cls, path: Path) -> "Recording":
        """Read what `save` wrote.

        Raises:
            RunNotFound: the file is not there.
            RunError: it is damaged, or something else than a recording.
        """
        tensors, metadata = load_tensors(path)
        if metadata.get("format") != FORMAT:
            raise RunError(
                f"{path}: expected a flight recording, found other tensors ({', '.join(list(tensors)[:4])}). "
                "`medgen train gan` writes one as recording.safetensors."
            )
        arrays = {
            name: t.numpy() if t.dtype in (torch.int64, torch.uint8) else t.float().numpy()
            for name, t in tensors.items()
        }

        def group(prefix: str) -> dict[str, np.ndarray]:
            return {n.removeprefix(prefix): v for n, v in sorted(arrays.items()) if n.startswith(prefix)}

        plain = {name: arrays[name] for name in ("moments", "samples", "real", "fake")}
        about = json.loads(metadata["about"])
        return cls(about, group("curves/"), metrics=group("metrics/"), **plain)

    def joined(self, later: "Recording") -> "Recording":
        """This recording up to where `later` begins, then `later`: an interrupted run in one piece."""
        first = later.about["first_step"]
        keep = self.moments < first
        own = {name: values[: first - self.about["first_step"]] for name, values in self.curves.items()}
        return Recording(
            {**later.about, "first_step": self.about["first_step"]},
            {name: np.concatenate([own[name], later.curves[name]]) for name in own},
            np.concatenate([self.moments[keep], later.moments]),
            np.concatenate([self.samples[keep], later.samples]),
            np.concatenate([self.real[keep], later.real]),
            np.concatenate([self.fake[keep], later.fake]),
            {name: np.concatenate([v[keep], later.metrics[name]]) for name, v in self.metrics.items()},
        )


def spaced_moments(num_steps: int, count: int = 40) -> list[int]:
    """Steps to record, from 1 to `num_steps`: dense at the start, where most happens."""
    if num_steps < 1:
        return []
    places = np.linspace(0, 1, count) ** 1.7
    return sorted({1 + round(float(place) * (num_steps - 1)) for place in places})


class Recorder:
    """A callback of `training.fit` that fills a `Recording`.

    Args:
        algorithm: the GAN in training.
        images: real images for the discriminator to judge, uint8 (M, C, H, W).
        labels: their classes, int64 (M,); generated images get the same ones.
        moments: the steps to record; others leave only their curves.
        about: what to tell with the recording.
        num_samples: pictures kept at each moment, at most M.
        measure: uint8 images (M, C, H, W) to named numbers, called at each moment.
        seed: of the noise.
        path: a file to be written at each moment; an earlier part of the run that lies there is kept.
    """

    def __init__(
        self,
        algorithm: GANAlgorithm,
        images: np.ndarray,
        labels: np.ndarray,
        moments: Sequence[int],
        about: dict[str, Any] | None = None,
        num_samples: int = 16,
        measure: Callable[[np.ndarray], dict[str, float]] | None = None,
        seed: int = 0,
        path: Path | None = None,
    ):
        self.algorithm, self.moments, self.measure = algorithm, set(moments), measure
        self.about, self.num_samples, self.path = dict(about or {}), num_samples, path
        self.real = to_unit(torch.from_numpy(images))
        noise = torch.Generator().manual_seed(seed)
        self.noise = torch.randn(len(images), algorithm.generator.latent_dim, generator=noise)
        self.labels = torch.from_numpy(labels) if algorithm.generator.num_classes else None
        self.curves: dict[str, list[Tensor]] = {}
        self.rows: list[tuple] = []
        self.earlier = Recording.load(path) if path is not None and path.exists() else None

    def __call__(self, step: int, logs: dict[str, Tensor]) -> None:
        """Take down one step."""
        self.about.setdefault("first_step", step)
        for name, value in logs.items():
            self.curves.setdefault(name, []).append(torch.as_tensor(value).detach().float())
        if step in self.moments:
            self.rows.append((step, *self.look()))
            if self.path is not None:
                self.recording().save(self.path)

    @torch.no_grad()
    def look(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, float]]:
        """Samples, logits on real and on generated images, and metrics, as things stand."""
        players = (self.algorithm.generator, self.algorithm.discriminator)
        modes = [player.training for player in players]
        generator, discriminator = (player.eval() for player in players)
        device = next(generator.parameters()).device
        labels = None if self.labels is None else self.labels.to(device)
        made = generator.sample(self.noise.to(device), labels)
        logits = [discriminator(x, labels).float().cpu().numpy() for x in (self.real.to(device), made)]
        for player, mode in zip(players, modes, strict=True):
            player.train(mode)
        images = to_uint8(made).cpu().numpy()
        metrics = {"variety": float(images.std(0).mean() / 255)}
        if self.measure is not None:
            metrics |= self.measure(images)
        return images[: self.num_samples], *logits, metrics

    def recording(self) -> Recording:
        """What was taken down so far.

        Raises:
            ValueError: no moment has come yet.
        """
        if not self.rows:
            raise ValueError(f"nothing is recorded yet; the first moment is step {min(self.moments)}.")
        steps, samples, real, fake, metrics = zip(*self.rows, strict=True)
        recording = Recording(
            self.about,
            {name: torch.stack(values).cpu().numpy() for name, values in self.curves.items()},
            np.array(steps, dtype=np.int64),
            np.stack(samples),
            np.stack(real).astype(np.float32),
            np.stack(fake).astype(np.float32),
            {name: np.array([row[name] for row in metrics], dtype=np.float32) for name in metrics[0]},
        )
        return recording if self.earlier is None else self.earlier.joined(recording)

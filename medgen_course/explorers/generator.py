"""Walk through the latent space of a GAN's generator."""

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from medgen_course.explorers.parts.base import (
    BESIDE,
    Explorer,
    choice,
    index_slider,
    one_thread,
    panel_scale,
    slider,
)
from medgen_course.explorers.parts.position_map import PositionMap
from medgen_course.models.classifier import Classifier
from medgen_course.models.gan import Generator
from medgen_course.pictures import plots, render

NOISES = 100  # to choose start and end from
REACH = 3.0  # the map shows so far along each direction
TILES = 7  # pictures on a side of the map
SHOWN_CLASSES = 3
FITTED = 1024  # draws that the two directions are found with
PANEL = 112  # side of an image in screen pixels, about
SAYS = {
    "way": "{way} of the way from noise {start} to {end} · length of z {length} (typical: {typical})",
    "classes": "a classifier takes the image on the way for: {told}",
    "class": "{name} {share}",
}


def slerp(a: Tensor, b: Tensor, way: float) -> Tensor:
    """The point between two noises on the arc, not on the chord: in many dimensions the chord's middle is
    much shorter than any noise that the generator knows (White 2016).

    Args:
        a, b: (latent_dim,).
        way: 0 gives a, 1 gives b.
    """
    cosine = torch.clamp((a * b).sum() / (a.norm() * b.norm()), -1, 1)
    angle = torch.arccos(cosine)
    if angle < 1e-4:
        return torch.lerp(a, b, way)
    return (torch.sin((1 - way) * angle) * a + torch.sin(way * angle) * b) / torch.sin(angle)


@torch.inference_mode()
def directions(
    generator: Generator, classifier: Classifier | None = None, seed: int = 0
) -> tuple[Tensor, np.ndarray]:
    """The two directions in noise that follow the main differences between generated images.

    Images are drawn and described by the classifier's features (by their pixels without one). The scores of
    the two largest principal components of these are predicted from the noise by least squares; the
    coefficients are the directions (as in Shen et al. 2020, without labels).

    Returns:
        Unit vectors (2, latent_dim), and the share of each score's variance that its direction explains (2,).
    """
    noise = torch.Generator().manual_seed(seed)
    z = torch.randn(FITTED, generator.latent_dim, generator=noise)
    classes = generator.num_classes
    label = torch.randint(classes, (FITTED,), generator=noise) if classes else None
    images = generator.sample(z, label)
    seen = images.flatten(1) if classifier is None else classifier.features(images)
    seen = seen - seen.mean(0)
    if classes:  # differences within a class: the class has its own switch
        for c in range(classes):
            seen[label == c] -= seen[label == c].mean(0)
    u, s, _ = torch.linalg.svd(seen, full_matrices=False)
    scores = u[:, :2] * s[:2]
    fitted = torch.linalg.lstsq(z, scores).solution  # (latent_dim, 2)
    explained = 1 - (scores - z @ fitted).var(0) / scores.var(0)
    return torch.nn.functional.normalize(fitted.T, dim=1), explained.numpy()


class GeneratorExplorer(Explorer):
    """Interpolate between two noises, move along two directions, switch the class, truncate.

    The map shows what lies along the two directions of `directions` from the middle of the noise. Moving on
    it adds the same to the noise that is walked.
    """

    def __init__(
        self, generator: Generator, label_names: Sequence[str] = (), classifier: Classifier | None = None
    ):
        """Find the directions, draw the map, and show a first image.

        Args:
            generator: on the CPU, in evaluation mode.
            label_names: name of each class; for a conditional generator.
            classifier: for the directions and for a second opinion on the class; None uses pixels.
        Raises:
            ValueError: another number of names than of classes.
        """
        if generator.num_classes and len(label_names) != generator.num_classes:
            raise ValueError(f"{len(label_names)} names for {generator.num_classes} classes; give each one.")
        self._generator, self._names, self._classifier = generator, tuple(label_names), classifier
        shown = min(generator.num_classes, SHOWN_CLASSES)
        captions = ["from", "on the way", "to", *(f"the same as {name}" for name in label_names[:shown])]
        super().__init__(captions, "Generated images: start, point on the way, end, and other classes")
        self._directions, self.explained = directions(generator, classifier)
        noise = torch.Generator().manual_seed(0)
        self._noise = torch.randn(NOISES, generator.latent_dim, generator=noise)
        self.kind = choice("class", [(n, i) for i, n in enumerate(label_names)], "which class is drawn")
        self.start = index_slider("from noise", NOISES, "the noise to start from")
        self.end = index_slider("to noise", NOISES, "the noise to go to")
        self.end.value = 1
        self.way = slider("way", 0, 1, 0, 0.02, "0: the first noise, 1: the second, along the arc")
        self.truncation = slider("truncation", 0, 1.5, 1, 0.05, "the noise is multiplied by this")
        self.map = PositionMap(np.full((1, 1), 255, np.uint8), label="two directions in noise")
        self.map.x_range = self.map.y_range = (-REACH, REACH)
        names = [f"direction {i + 1} ({share:.0%})" for i, share in enumerate(self.explained)]
        self.map.x_label, self.map.y_label = names
        self.observe_controls(self.kind, self.start, self.end, self.way, self.truncation)
        self.map.observe(self._on_control, "position")
        self._show_map()
        self.children = self._arranged()
        self.refresh()

    @property
    def z(self) -> Tensor:
        """The noise on the way, truncated and moved, (latent_dim,)."""
        a, b = self._noise[self.start.value], self._noise[self.end.value]
        x, y = ((2 * p - 1) * REACH for p in self.map.position)
        walked = self.truncation.value * slerp(a, b, self.way.value)
        return walked + x * self._directions[0] + y * self._directions[1]

    @property
    def asks_classifier(self) -> bool:
        """Whether there is a second opinion on the class."""
        return self._classifier is not None and self._classifier.knows_classes and bool(self._names)

    def handle(self, change) -> None:
        """Draw; another class needs another map."""
        if change["owner"] is self.kind:
            with one_thread():
                self._show_map()
        self.refresh()

    @torch.inference_mode()
    def draw(self) -> tuple[np.ndarray, str]:
        """Start, point on the way, end, and the point as other classes, with the numbers about it."""
        z, scale = self.z, self.truncation.value
        ends = [scale * self._noise[self.start.value], scale * self._noise[self.end.value]]
        classes = range(min(len(self._names), SHOWN_CLASSES))
        noises = torch.stack([ends[0], z, ends[1], *[z] * len(classes)])
        images = self._sample(noises, [self.kind.value] * 3 + list(classes))
        picture = render.grid(images, columns=len(images), pad=8, scale=panel_scale(images.shape[-1], PANEL))
        said = {"way": f"{self.way.value:.0%}", "start": self.start.value, "end": self.end.value}
        said |= {"length": f"{z.norm():.2f}", "typical": f"{self._generator.latent_dim**0.5:.1f}"}
        lines = [SAYS["way"].format(**said)]
        if self.asks_classifier:
            shares = zip(self._names, self._classifier(images[1:2]).softmax(1)[0].tolist(), strict=True)
            told = ", ".join(SAYS["class"].format(name=name, share=f"{p:.0%}") for name, p in shares)
            lines.append(SAYS["classes"].format(told=told))
        return picture, "\n".join(lines)

    def _sample(self, z: Tensor, labels: Sequence[int | None]) -> Tensor:
        label = torch.tensor(labels) if self._generator.num_classes else None
        return self._generator.sample(z, label)

    def map_figure(self, title: str = "", tiles: int = 5) -> plots.Figure:
        """The map as a static figure: fewer and larger tiles, and how far each lies along both directions."""
        images = self._tiles(tiles)
        steps = [f"{step:+g}" if step else "0" for step in np.linspace(-REACH, REACH, tiles)]
        across, up = self.map.x_label, self.map.y_label
        rows = {step: images[i * tiles : (i + 1) * tiles] for i, step in enumerate(reversed(steps))}
        return plots.rows(rows, steps, f"{title}\nto the right: {across}; upwards: {up}".strip(), width=9.4)

    @torch.inference_mode()
    def _tiles(self, tiles: int) -> Tensor:
        """Images along both directions from the middle, row by row from the top, (tiles², C, H, W)."""
        steps = torch.linspace(-REACH, REACH, tiles)
        y, x = torch.meshgrid(steps.flip(0), steps, indexing="ij")  # upwards is positive
        z = x.reshape(-1, 1) * self._directions[0] + y.reshape(-1, 1) * self._directions[1]
        return self._sample(z, [self.kind.value] * len(z))

    def _show_map(self) -> None:
        images = self._tiles(TILES)
        self.backdrop = render.grid(images, TILES, pad=0, scale=max(1, 420 // (TILES * images.shape[-1])))
        self.map.png = render.to_png(self.backdrop)

    def _arranged(self) -> tuple[widgets.Widget, ...]:
        left = widgets.VBox([self.map], layout={"width": "400px"})
        classes = [self.kind] if self._names else []
        controls = [*classes, self.start, self.end, self.way, self.truncation]
        right = widgets.VBox([self.picture, *controls], layout=BESIDE)
        return (widgets.HBox([left, right], layout={"flex_flow": "row wrap"}),)

"""Look through a data set, and see what augmentation and corruption do to one image."""

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from medgen_course.batches import transforms
from medgen_course.explorers.parts.base import Explorer, choice, compare, index_slider, panel_scale, slider
from medgen_course.pictures import render

ALL = -1  # the choice "all classes"
SPLITS = ("train", "val")  # test is read once, elsewhere
TOLD = {
    "plain": "no augmentation",
    "augmented": "augmentation up to ± {turn}°, ± {shift} shift, ± {light} brightness",
    "spared": "{said}, no corruption",
    "noise": "{said}, {corruption} σ = {sigma}",
    "dose": "{said}, {photons} photons in black",
    "blur": "{said}, blur σ = {sigma} pixels",
    "covered": "{said}, {share} covered",
    "image": "{name}, {split} image {number}: {label}",
    "none": "{name}, {split}: no image of the class {label}",
    "levels": "grey levels, stored: {stored}; changed: {changed}",
    "range": "{low} to {high}, mean {mean}",
}
CORRUPTIONS = ("none", "Gaussian noise", "Rician noise", "low dose (Poisson)", "blur", "occlusion")


def change(
    x: Tensor, augmentation: float, corruption: str, strength: float, generator: torch.Generator
) -> tuple[Tensor, str]:
    """Augment, then corrupt.

    Args:
        x: (B, C, H, W) in [0, 1].
        augmentation: 0 (none) to 1 (± 0.1 turn, ± 10 % shift, ± 30 % brightness).
        corruption: one of CORRUPTIONS.
        strength: 0 (none) to 1.
        generator: source of the draws; the same state gives the same result.
    Returns:
        The changed batch and a description with units.
    Raises:
        ValueError: an unknown corruption; the message lists the known ones.
    """
    said = TOLD["plain"]
    if augmentation > 0:
        turn, shift, light = 0.1 * augmentation, 0.1 * augmentation, 0.3 * augmentation
        x = transforms.augment(x, rotation=turn, shift=shift, brightness=light, generator=generator)
        said = TOLD["augmented"].format(turn=f"{360 * turn:.0f}", shift=f"{shift:.0%}", light=f"{light:.0%}")
    if corruption == "none" or strength == 0:
        return x, TOLD["spared"].format(said=said)
    if corruption in ("Gaussian noise", "Rician noise"):
        sigma = 0.4 * strength
        add = transforms.gaussian_noise if corruption == "Gaussian noise" else transforms.rician_noise
        words = TOLD["noise"].format(said=said, corruption=corruption, sigma=f"{sigma:.2f}")
        return add(x, sigma, generator), words
    if corruption == "low dose (Poisson)":
        photons = 10 ** (3 - 2.5 * strength)
        words = TOLD["dose"].format(said=said, photons=f"{photons:.0f}")
        return transforms.poisson_noise(x, photons, generator, film=True), words
    if corruption == "blur":
        sigma = 0.12 * strength * x.shape[-1]
        return transforms.blur(x, sigma), TOLD["blur"].format(said=said, sigma=f"{sigma:.1f}")
    if corruption == "occlusion":
        words = TOLD["covered"].format(said=said, share=f"{0.6 * strength:.0%}")
        return transforms.occlude(x, 0.6 * strength, generator), words
    raise ValueError(f'unknown corruption "{corruption}"; expected one of {", ".join(CORRUPTIONS)}')


class DataExplorer(Explorer):
    """Choose data set, split, class and image; see it as stored, changed, and the difference.

    The draws depend on the image and on how often "Draw again" was pressed, so the sliders change the
    strength of one and the same draw.
    """

    def __init__(self, datasets):
        """Open on the first training image.

        Args:
            datasets: a Dataset, or a dict of names to Datasets.
        Raises:
            ValueError: an empty dict.
        """
        super().__init__(
            ("as stored", "augmented, corrupted", "difference (orange: brighter)"),
            "The image as stored, the changed image, and their difference",
        )
        self._datasets = datasets if isinstance(datasets, dict) else {datasets.name: datasets}
        if not self._datasets:
            raise ValueError("no data set to explore: found an empty dict; give at least one Dataset")
        self._draws = 0
        self.dataset = choice("data set", list(self._datasets), "which data set")
        self.split = choice("split", SPLITS, "training or validation images")
        self.label = choice("class", self._classes(), "all images, or those of one class")
        self.index = index_slider("image", 1, "which image of this class and split")
        self.augmentation = slider("augmentation", 0, 1, 0, 0.05, "0: none, 1: strong")
        self.corruption = choice("corruption", CORRUPTIONS, "what spoils the image")
        self.strength = slider("corruption strength", 0, 1, 0.3, 0.05, "0: none, 1: strong")
        self.redraw = widgets.Button(description="Draw again", tooltip="another draw of the random changes")
        if len(self._datasets) == 1:
            self.dataset.layout.display = "none"
        self._select()
        self.observe_controls(self.dataset, self.split, self.label, self.index)
        self.observe_controls(self.augmentation, self.corruption, self.strength)
        self.redraw.on_click(self._on_redraw)
        where = widgets.VBox([self.dataset, self.split, self.label, self.index])
        what = widgets.VBox([self.augmentation, self.corruption, self.strength, self.redraw])
        top = widgets.HBox([where, what], layout={"flex_flow": "row wrap"})
        self.children = (top, self.picture)
        self.refresh()

    def draw(self) -> tuple[np.ndarray, str]:
        """Stored image, changed image and difference, with grey levels and PSNR."""
        data = self._datasets[self.dataset.value]
        if len(self._members) == 0:
            blank = np.full((panel_scale(data.size) * data.size, 720, 3), 255, dtype=np.uint8)
            words = {"name": data.name, "split": self.split.value, "label": self._label_text()}
            return blank, TOLD["none"].format(**words)
        number = int(self._members[self.index.value])
        images = getattr(data, self.split.value).images
        stored = transforms.to_unit(torch.from_numpy(images[number : number + 1]))  # (1, C, H, W)
        generator = torch.Generator().manual_seed(1_000_003 * self._draws + number)
        changed, said = change(
            stored, self.augmentation.value, self.corruption.value, self.strength.value, generator
        )
        a, b = render.to_bytes(stored), render.to_bytes(changed)
        scale = panel_scale(a.shape[-1])
        signed = render.difference(b[0], a[0]).transpose(2, 0, 1)
        panels = np.stack([*(render.to_rgb(x)[0].transpose(2, 0, 1) for x in (a, b)), signed])
        words = {"name": data.name, "split": self.split.value, "number": number}
        text = (
            f"{TOLD['image'].format(label=self._label_of(number), **words)}\n"
            f"{said}: {compare(b, a)}\n"
            f"{TOLD['levels'].format(stored=_levels(a), changed=_levels(b))}"
        )
        return render.grid(panels, columns=3, pad=8, scale=scale), text

    def handle(self, change) -> None:
        """A control moved; data set, split and class also decide which images there are."""
        if change["owner"] in (self.dataset, self.split, self.label):
            self._select()
        self.refresh()

    def _select(self) -> None:
        with self.hold():
            classes = self._classes()
            if list(self.label.options) != classes:
                self.label.options = classes
            split = getattr(self._datasets[self.dataset.value], self.split.value)
            self._members = np.flatnonzero(_has_label(split.labels, self.label.value))
            self.index.value = 0
            self.index.max = max(len(self._members) - 1, 0)
            self.index.disabled = len(self._members) == 0

    def _classes(self) -> list[tuple[str, int]]:
        names = self._datasets[self.dataset.value].label_names
        return [("all", ALL), *((name, label) for label, name in enumerate(names))]

    def _label_text(self) -> str:
        return dict((value, name) for name, value in self.label.options)[self.label.value]

    def _label_of(self, number: int) -> str:
        data = self._datasets[self.dataset.value]
        label = getattr(data, self.split.value).labels[number]
        if np.ndim(label) == 0:
            return data.label_names[int(label)]
        return ", ".join(data.label_names[i] for i in np.flatnonzero(label)) or "no finding"

    def _on_redraw(self, _button) -> None:
        self._draws += 1
        self.refresh()


def _has_label(labels: np.ndarray, label: int) -> np.ndarray:
    if label == ALL:
        return np.ones(len(labels), dtype=bool)
    return labels == label if labels.ndim == 1 else labels[:, label] > 0


def _levels(image: np.ndarray) -> str:
    return TOLD["range"].format(low=image.min(), high=image.max(), mean=f"{image.mean():.0f}")

"""The data explorer on a page: some images of each data set; what happens to them is computed there."""

from typing import Any

from medgen_course import datasets
from medgen_course.datasets import Dataset
from medgen_course.explorers import data as view
from medgen_course.explorers.data import CORRUPTIONS, SPLITS, TOLD, DataExplorer
from medgen_course.explorers.parts.base import APART, panel_scale
from medgen_course.site.chest import chest
from medgen_course.site.controls import described
from medgen_course.site.live import Live

CITED = {"pneumoniamnist": "PneumoniaMNIST, from MedMNIST v2 (Yang et al. 2023)"}
SHOWN = 24  # images of each split
START = {"augmentation": 0.2, "corruption": "Rician noise", "strength": 0.15}  # as notebook 00 leaves it


def sources() -> dict[str, Dataset]:
    """PneumoniaMNIST where it is at hand, and the phantom."""
    films = chest()
    real = {} if films.name == "phantom" else {films.name: films}
    return real | {"phantom, 64 px": datasets.load("phantom", size=64)}


def explorer() -> DataExplorer:
    """The explorer of notebook 00, as it stands there."""
    shown = DataExplorer(sources())
    for name, value in START.items():
        getattr(shown, name).value = value
    return shown


def build() -> Live:
    """The explorer with the first images of each split."""
    shown, known = explorer(), sources()
    controls = described(
        dataset=shown.dataset, split=shown.split, label=shown.label, image=shown.index,
        augmentation=shown.augmentation, corruption=shown.corruption, strength=shown.strength,
        redraw=shown.redraw,
    )  # fmt: skip
    sets: list[dict[str, Any]] = []
    for name, data in known.items():
        splits = {split: getattr(data, split).first(SHOWN) for split in SPLITS}
        about = {
            "name": data.name, "choice": name, "channels": data.channels, "size": data.size,
            "scale": panel_scale(data.size), "labels": list(data.label_names), "source": cited(data),
        }  # fmt: skip
        about["splits"] = {
            split: {"images": part.images.ravel(), "labels": part.labels.astype("int32").ravel()}
            for split, part in splits.items()
        }
        sets.append(about)
    words = {
        "captions": list(shown.picture.captions), "alt": shown.picture.alt, "told": TOLD, "apart": APART,
        "all": view.ALL, "some": f"the first {SHOWN} images of each split; the notebook has all of them",
    }  # fmt: skip
    data = {"controls": controls, "sets": sets, "splits": SPLITS, "corruptions": CORRUPTIONS, "words": words}
    return Live(
        "data_browser",
        "What does a change do to an image?",
        "Choose an image, turn and move it a little, spoil it, and see what has changed.",
        data=data,
    )


def cited(data: Dataset) -> str:
    """Where images come from, and under which licence."""
    return f"{CITED.get(data.name, data.name)}: {data.licence}"

"""Where images come from: MedMNIST, the built-in phantom, or an own `.npz`; all become a `Dataset`.

Source: Yang et al. 2023, MedMNIST v2, Scientific Data 10, 41; https://medmnist.com
"""

import difflib
import hashlib
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from medgen_course.datasets import card, fetch, layout, mapped
from medgen_course.datasets.errors import DatasetError
from medgen_course.datasets.fetch import DatasetUnavailable
from medgen_course.datasets.label_names import read_label_names
from medgen_course.datasets.masks import read_masks

__all__ = ["Dataset", "DatasetError", "DatasetUnavailable", "PhantomFallback", "Split", "load", "names"]

PHANTOM_SIZES = (28, 224)
PHANTOM_COUNTS = {"train": 4096, "val": 512, "test": 512}
PHANTOMS = {"phantom": "t1w", "phantom-t2w": "t2w"}  # name -> the contrast that it shows
CONTRASTS = tuple(PHANTOMS.values())


class PhantomFallback(UserWarning):
    """The images asked for could not be had; the phantom stands in for them."""


@dataclass(frozen=True, repr=False)
class Split:
    """One part of a data set.

    images: uint8 (N, C, H, W), grey levels 0 to 255.
    labels: int64 class numbers (N,), or zeros and ones (N, L) for multi-label data.
    extras: arrays that go with the images, all with N first; the phantom's `mask` uint8 {0, 1}
        (N, 1, H, W), `factors` float32 (N, F) and `paired` uint8 (N, 1, H, W), the other contrast; `masks`
        uint8 {0, 1} (N, K, H, W) of an own file that has some.
    """

    images: np.ndarray
    labels: np.ndarray
    extras: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    def first(self, n: int) -> "Split":
        """The first n images with all that goes with them, or all where there are fewer; nothing is copied.

        Raises:
            ValueError: n is below 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}; give the number of images, at least 1.")
        return Split(self.images[:n], self.labels[:n], {name: x[:n] for name, x in self.extras.items()})

    def __repr__(self) -> str:
        extras = f", extras {', '.join(self.extras)}" if self.extras else ""
        return f"Split({len(self)} images {self.images.shape}, labels {self.labels.shape}{extras})"


@dataclass(frozen=True, repr=False)
class Dataset:
    """Images in three splits, with what one must know about them.

    name is that of an official MedMNIST file (its checksum was compared), one of `PHANTOMS`, or the file
    name of an own file with its ".npz": a name that fits shipped weights says that they were made for these
    images.
    channels is 1 or 3, size the side length in pixels; task is MedMNIST's word, such as "binary-class".
    source says which file the images are from, notice is "" or what the reader must not overlook. mask_names
    are what the masks of an own file mark, (K,); `labelled.from_dataset` gives masks, the phantom's too.
    """

    name: str
    channels: int
    size: int
    label_names: tuple[str, ...]
    task: str
    licence: str
    source: str
    notice: str
    train: Split
    val: Split
    test: Split
    mask_names: tuple[str, ...] = ()

    @property
    def drawn(self) -> bool:
        """Whether this is the phantom, of which all is known; see `extras` of its splits."""
        return "paired" in self.train.extras  # only the phantom draws both contrasts; a name says nothing

    def splits(self) -> dict[str, Split]:
        """Return {"train": ..., "val": ..., "test": ...}."""
        return {name: getattr(self, name) for name in layout.SPLITS}

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of all images, labels and extras, 64 hexadecimal digits: the same images, the same digits,
        whatever the file is called and wherever it lies."""
        digest = hashlib.sha256()
        for split in self.splits().values():
            arrays = {"images": split.images, "labels": split.labels, **split.extras}
            for name in sorted(arrays):
                array = arrays[name]
                digest.update(f"{name} {array.dtype} {array.shape}".encode())
                for part in mapped.blocks(array):
                    digest.update(np.ascontiguousarray(part).view(np.uint8))
        return digest.hexdigest()

    def __repr__(self) -> str:
        return card.text(self)

    def _repr_mimebundle_(self, include: Sequence | None = None, exclude: Sequence | None = None) -> dict:
        """What Jupyter shows; the third entry is for programs that read an executed notebook."""
        return {
            "text/plain": card.text(self),
            "text/html": card.html(self),
            "application/vnd.medgen.source+json": {
                "name": self.name,
                "source": self.source,
                "notice": self.notice,
            },
        }


def names() -> list[str]:
    """Return every name that `load` knows: the twelve 2D sets of MedMNIST, and the phantom in T1w and T2w."""
    return [name for name in fetch.medmnist_info() if not name.endswith("3d")] + list(PHANTOMS)


def load(
    name_or_path: str | os.PathLike,
    root: str | os.PathLike | None = None,
    size: int = 28,
    download: bool = True,
    fallback: str | None = None,
    in_memory: bool | Literal["auto"] = "auto",
) -> Dataset:
    """Load images.

    Args:
        name_or_path: one of `names()`, as text or `Path`: a 2D set of MedMNIST, "phantom" (T1w) or
            "phantom-t2w"; or the path of an own .npz in MedMNIST's layout (`train_images`, `train_labels`,
            and the same for val and test; images uint8 (N, H, W) or (N, H, W, 3); `label_names` if the
            classes have names).
        root: folder to look in before MEDMNIST_ROOT, data/ and ~/.medmnist.
        size: side length in pixels; 28, 64, 128 or 224, for a phantom anything from 28 to 224. Own files
            keep the size that they have.
        download: whether to download a MedMNIST file that is in none of these places.
        fallback: "phantom" to get the phantom, with a PhantomFallback warning and a notice, where a MedMNIST
            file cannot be had. A broken file, or an own file that is not there, is an error all the same.
        in_memory: whether a file's images are read into memory. "auto" does so unless they take more than
            half of what is available: then they are unpacked once beside the file (`medgen data NAME
            --clear-cache` removes that), and read from there where they are looked at.
    Raises:
        DatasetError: unknown name or argument, or a file that cannot be used; it is left as it is.
        DatasetUnavailable: no such file here, and no way to download it; the message names the ways out.
    """
    if fallback not in (None, "phantom"):
        raise DatasetError(f"fallback is {fallback!r}; expected None or 'phantom'.")
    name = os.fspath(name_or_path) if isinstance(name_or_path, os.PathLike) else str(name_or_path)
    if name.lower() in PHANTOMS:
        return _phantom(name.lower(), size)
    if name.lower() not in names() and _is_path(name_or_path):
        return _own(fetch.own_file(Path(name), root), in_memory)
    _lookup(name.lower())
    if size not in fetch.SIZES:
        raise DatasetError(
            f"size is {size}; MedMNIST has {', '.join(map(str, fetch.SIZES))} pixels. Choose one of these."
        )
    try:
        path, source = fetch.official_file(name.lower(), size, root, download)
    except DatasetUnavailable as error:
        if fallback is None:
            raise
        notice = f"NOT REAL IMAGES: {error.reason}, so the built-in phantom stands in for {name}."
        warnings.warn(f"{notice} {error}", PhantomFallback, stacklevel=2)
        return _phantom("phantom", size, notice)
    return _official(name.lower(), path, size, source, in_memory)


def _official(name: str, path: Path, size: int, source: str, in_memory: bool | str) -> Dataset:
    """Dataset of a file whose checksum is that of an official one."""
    info = fetch.medmnist_info()[name]
    label_names = tuple(info["label"][key] for key in sorted(info["label"], key=int))
    splits = {split: Split(*arrays) for split, arrays in layout.read_splits(path, None, in_memory).items()}
    return Dataset(
        name=name,
        channels=info["n_channels"],
        size=size,
        label_names=label_names,
        task=info["task"],
        licence=info["license"],
        source=source,
        notice="",
        **splits,
    )


def _is_path(name: str | os.PathLike) -> bool:
    """Whether a name that is none of `names()` is meant as a path."""
    if isinstance(name, os.PathLike) or name.endswith(".npz") or "/" in name or os.sep in name:
        return True
    return name != "" and Path(name).exists()


def _lookup(name: str) -> None:
    """Raise DatasetError, with a hint, when there is no such 2D data set."""
    info = fetch.medmnist_info()
    if name in info and not name.endswith("3d"):
        return
    if name in info:
        raise DatasetError(
            f"{name} holds volumes; this course is 2D only. Choose one of {', '.join(names())}."
        )
    if name.startswith("phantom-"):
        raise DatasetError(
            f"the phantom has no contrast {name.removeprefix('phantom-')!r}: it shows T1w as phantom, and "
            "T2w as phantom-t2w."
        )
    near = difflib.get_close_matches(name, names(), n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise DatasetError(
        f"there is no data set {name!r}. {hint}"
        f"Choose one of {', '.join(names())}, or give the path of an own .npz."
    )


def _own(path: Path, in_memory: bool | str) -> Dataset:
    """Dataset of an own file: the numbers of classes and the task follow from the labels.

    An official file that is given by its path is known by its checksum, whatever it is called.
    """
    checksum = fetch.md5(path) if path.is_file() else ""
    if official := fetch.official_name(checksum):
        name, size = official
        source = f"MedMNIST {name}, {size} pixels, MD5 {checksum}, from {path.name}"
        return _official(name, path, size, source, in_memory)
    arrays = layout.read_splits(path, None, in_memory)
    masks, mask_names = read_masks(path, {split: images for split, (images, _) in arrays.items()})
    splits = {split: Split(*both, {"masks": masks[split]} if masks else {}) for split, both in arrays.items()}
    labels = [split.labels for split in splits.values()]
    several = labels[0].ndim == 2
    classes = labels[0].shape[1] if several else max(int(part.max()) for part in labels) + 1
    label_names = read_label_names(path, classes, several)
    kind = "binary-class" if several or len(label_names) <= 2 else "multi-class"
    return Dataset(
        name=f"{path.stem}.npz",
        channels=splits["train"].images.shape[1],
        size=splits["train"].images.shape[2],
        label_names=label_names,
        task=f"multi-label, {kind}" if several else kind,
        licence="your own file: yours to know",
        source=f"own file {path.name}, MD5 {checksum}",
        notice="",
        mask_names=mask_names,
        **splits,
    )


def _phantom(name: str, size: int, notice: str = "") -> Dataset:
    """Dataset of the phantom: the same images every time, made now and stored nowhere."""
    from medgen_course import phantom  # late: who brings images need not wait for torch

    low, high = PHANTOM_SIZES
    if not isinstance(size, int) or not low <= size <= high:
        raise DatasetError(
            f"size is {size!r}; the phantom is drawn in any whole size from {low} to {high} pixels."
        )
    splits, contrast = {}, PHANTOMS[name]
    for split, count in PHANTOM_COUNTS.items():
        made = phantom.generate(count, size=size, seed=0, split=split)
        images, paired = (made.t1w, made.t2w) if contrast == "t1w" else (made.t2w, made.t1w)
        extras = {"mask": made.masks, "factors": made.factors, "paired": paired}
        splits[split] = Split(images, made.labels, extras)
    return Dataset(
        name=name,
        channels=1,
        size=size,
        label_names=("healthy", "lesion"),
        task="binary-class",
        licence="MIT, like the code that draws it",
        source=f"built-in phantom, {contrast.capitalize()}, drawn by this package",
        notice=notice,
        **splits,
    )

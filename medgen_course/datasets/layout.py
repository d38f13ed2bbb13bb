"""MedMNIST's layout of an `.npz`: six arrays, checked all at once before any of them is read.

An own file may hold a seventh, the names of the classes; see `label_names`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from zipfile import ZipFile

import numpy as np

from medgen_course.datasets import mapped, memory, npz
from medgen_course.datasets.errors import problem
from medgen_course.datasets.npz import Header
from medgen_course.files import write_atomically

SPLITS = ("train", "val", "test")
MAX_CLASSES = 1000  # a label beyond is a mistake (an identifier, a measurement), not a class


def read_splits(
    path: Path, limit: int | None = None, in_memory: bool | Literal["auto"] = True
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read `{train,val,test}_{images,labels}` of one file.

    Args:
        path: the .npz; images uint8 (N, H, W) or (N, H, W, 3) with H = W, labels of an integer type (N,),
            (N, 1) or, for multi-label data, (N, L) of 0 and 1.
        limit: bytes that all arrays may take in memory; None: 80 % of what is available.
        in_memory: whether images are read into memory; False maps them from disk (see `mapped.unpacked`), and
            "auto" does so where they are more than half of the memory that is available.
    Returns:
        split name -> (images uint8 (N, C, H, W) with C 1 or 3, labels int64 (N,) or (N, L)).
    Raises:
        DatasetError: the file or one of its arrays is not like that; nothing is allocated before all
            headers have been checked, and memory never holds more than the arrays and one block of 64 KiB.
    """
    keys = [f"{split}_{what}" for split in SPLITS for what in ("images", "labels")]
    with npz.open_npz(path) as archive:
        headers = npz.read_headers(path, archive, keys)
        for split in SPLITS:
            _check_images(path, headers[f"{split}_images"])
            _check_labels(path, headers[f"{split}_labels"])
            _check_counts(path, headers[f"{split}_images"], headers[f"{split}_labels"])
        _check_same(path, headers, "images")
        _check_same(path, headers, "labels")
        wanted = sum(h.count * (8 if h.key.endswith("labels") else 1) for h in headers.values())
        pictures = {key: header for key, header in headers.items() if key.endswith("_images")}
        if in_memory is False or (in_memory == "auto" and not mapped.fits(wanted)):
            images = mapped.unpacked(path, archive, pictures)
        else:
            memory.check_memory(path, wanted, limit)
            images = {key: _read_images(path, archive, header) for key, header in pictures.items()}
        labels = {split: _read_labels(path, archive, headers[f"{split}_labels"]) for split in SPLITS}
        splits = {split: (images[f"{split}_images"], labels[split]) for split in SPLITS}
    return splits


def read_images(path: Path, limit: int | None = None) -> dict[str, np.ndarray]:
    """Read every array of one file that is called `images` or `..._images`, whatever else lies there.

    Args:
        path: the .npz; images as in `read_splits`.
        limit: bytes that all arrays may take in memory; None: 80 % of what is available.
    Returns:
        Name of the array -> uint8 (N, C, H, W) with C 1 or 3.
    Raises:
        DatasetError: there is no such array, or one of them is not like that.
    """
    with npz.open_npz(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        keys = [name for name in names if name == "images" or name.endswith("_images")]
        if not keys:
            raise problem(
                path,
                f"arrays {', '.join(names) or 'none'}",
                "one that is called images, or several like test_images",
                "save the images under that name: numpy.savez_compressed(path, images=...)",
            )
        headers = npz.read_headers(path, archive, keys)
        for header in headers.values():
            _check_images(path, header)
        memory.check_memory(path, sum(header.count for header in headers.values()), limit)
        return {key: _read_images(path, archive, header) for key, header in headers.items()}


def save_images(
    out: Path, images: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Write an .npz in MedMNIST's layout, atomically.

    Args:
        out: the file.
        images: name -> uint8 (N, C, H, W).
        others: arrays that are written as they are.
    Returns:
        The images as written, (N, H, W) or (N, H, W, 3).
    """
    laid = {n: x[:, 0] if x.shape[1] == 1 else x.transpose(0, 2, 3, 1) for n, x in images.items()}

    def write(partial: Path) -> None:
        with open(partial, "wb") as file:
            np.savez_compressed(file, **laid, **(others or {}))

    write_atomically(out, write)
    return laid


def _check_images(path: Path, header: Header) -> None:
    subject, shape = f"{path} [{header.key}]", header.shape
    if header.dtype != np.uint8:
        raise problem(
            subject,
            f"dtype {header.dtype}",
            "uint8, grey levels 0 to 255",
            "scale the images to 0..255 and save them with .astype(numpy.uint8)",
        )
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] != 3):
        raise problem(
            subject,
            f"shape {shape}",
            "(N, H, W) for grey images or (N, H, W, 3) for RGB",
            _way_to_grey_or_rgb(shape),
        )
    if shape[0] == 0:
        raise problem(
            subject,
            "an empty split (0 images)",
            "at least one image in train, val and test",
            "divide the images over the three splits",
        )
    if shape[1] != shape[2] or shape[1] == 0:
        raise problem(
            subject,
            f"images of {shape[1]} x {shape[2]} pixels",
            "square images",
            "pad or crop them to a square before saving",
        )


def _way_to_grey_or_rgb(shape: tuple[int, ...]) -> str:
    """What makes images of a shape like that usable."""
    if len(shape) == 4 and shape[3] in (1, 2, 4):
        kept = "images[..., :3]" if shape[3] == 4 else "images[..., 0]"
        more = "" if shape[3] == 1 else ", without the transparency"
        return f"keep {kept}{more}"
    if len(shape) == 4 and shape[1] == 1:
        return "keep images[:, 0]"
    if len(shape) == 4 and shape[1] == 3:
        return "put the colours last: numpy.moveaxis(images, 1, 3)"
    if len(shape) == 2:
        return "give each image its rows and columns again: images.reshape(N, H, W)"
    if len(shape) >= 4:
        return "volumes and sequences are not read: save slices or single frames as (N, H, W)"
    return "save one array of images, each of the same size"


def _check_labels(path: Path, header: Header) -> None:
    subject, shape = f"{path} [{header.key}]", header.shape
    if header.dtype.kind not in "iu":
        raise problem(
            subject,
            f"dtype {header.dtype}",
            "an integer type (class numbers 0, 1, 2, ...)",
            "save class numbers with .astype(numpy.int64)",
        )
    if len(shape) not in (1, 2) or (len(shape) == 2 and not 1 <= shape[1] <= MAX_CLASSES):
        raise problem(
            subject,
            f"shape {shape}",
            "(N,) or (N, 1), or (N, L) for multi-label data",
            "save one class number per image, or a row of zeros and ones",
        )


def _check_counts(path: Path, images: Header, labels: Header) -> None:
    if images.shape[0] != labels.shape[0]:
        raise problem(
            path,
            f"{images.shape[0]} {images.key} but {labels.shape[0]} {labels.key}",
            "one label, or row of labels, per image",
            "save both arrays from the same list of images",
        )


def _check_same(path: Path, headers: dict[str, Header], what: str) -> None:
    shapes = {split: headers[f"{split}_{what}"].shape[1:] for split in SPLITS}
    if what == "labels":  # (N,) and (N, 1) mean the same
        shapes = {split: shape or (1,) for split, shape in shapes.items()}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{split}_{what} (N, {', '.join(map(str, s))})" for split, s in shapes.items())
        raise problem(
            path,
            found,
            f"{what} of the same shape in all three splits",
            "bring all images to one size and one number of channels, all labels to one number of columns",
        )


def _read_images(path: Path, archive: ZipFile, header: Header) -> np.ndarray:
    count, height, width = header.shape[:3]
    channels = 1 if len(header.shape) == 3 else 3
    images = np.empty((count, channels, height, width), np.uint8)
    in_file_order = images[:, 0] if channels == 1 else images.transpose(0, 2, 3, 1)
    npz.read_into(path, archive, header, in_file_order)
    return images


def _read_labels(path: Path, archive: ZipFile, header: Header) -> np.ndarray:
    labels = np.empty(header.shape, np.int64)
    npz.read_into(path, archive, header, labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    low, high = labels.min(), labels.max()
    highest = 1 if labels.ndim == 2 else MAX_CLASSES - 1
    if low < 0 or high > highest:
        raise problem(
            f"{path} [{header.key}]",
            f"labels from {low} to {high}",
            "zeros and ones in (N, L) labels" if labels.ndim == 2 else f"class numbers from 0 to {highest}",
            "renumber the classes, for example with numpy.unique(labels, return_inverse=True)[1]",
        )
    return labels

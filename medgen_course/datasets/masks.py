"""Masks in an own `.npz`: `train_masks`, `val_masks` and `test_masks`, and `mask_names` for what they mark.

`train_masks` is (N, H, W), 1 inside and 0 outside, beside `train_images`; (N, H, W, K) holds K structures.
"""

from pathlib import Path
from zipfile import ZipFile

import numpy as np

from medgen_course.datasets import layout, memory, npz
from medgen_course.datasets.errors import problem
from medgen_course.datasets.label_names import read_names
from medgen_course.datasets.npz import Header

KEY = "mask_names"
MOST = 8  # structures
SHAPES = "(N, H, W), or (N, H, W, K) for K structures, as many and as large as the images"


def read_masks(path: Path, images: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Read the masks of one file.

    Args:
        path: the .npz.
        images: name of a split -> its images, (N, C, H, W).
    Returns:
        Name of a split -> uint8 {0, 1} (N, K, H, W), and K names; nothing of either where the file has no
        masks.
    Raises:
        DatasetError: only some splits have masks, or one of the arrays is not like that.
    """
    keys = {split: f"{split}_masks" for split in images}
    with npz.open_npz(path) as archive:
        there = {name.removesuffix(".npy") for name in archive.namelist()} & set(keys.values())
        if not there:
            return {}, ()
        if missing := sorted(set(keys.values()) - there):
            raise problem(
                path,
                f"{', '.join(sorted(there))} but no {', '.join(missing)}",
                "masks of all three splits, or of none",
                "save the missing arrays too, or leave all of them out",
            )
        headers = npz.read_headers(path, archive, list(keys.values()))
        for split, key in keys.items():
            _check(f"{path} [{key}]", headers[key], images[split])
        counts = {key: _structures(header) for key, header in headers.items()}
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{key} with {count}" for key, count in counts.items())
            raise problem(path, found, "as many structures in every split", "save one mask for each of them")
        memory.check_memory(path, sum(2 * header.count for header in headers.values()), None)
        masks = {split: _read(path, archive, headers[key]) for split, key in keys.items()}
    return masks, _names(path, next(iter(counts.values())))


def _check(subject: str, header: Header, images: np.ndarray) -> None:
    if header.dtype not in (np.uint8, np.bool_):
        remedy = "save them with .astype(numpy.uint8)"
        raise problem(subject, f"dtype {header.dtype}", "uint8 or bool, 1 inside and 0 outside", remedy)
    wanted = (len(images), *images.shape[2:])
    if header.shape[:3] != wanted or not 3 <= len(header.shape) <= 4:
        raise problem(
            subject, f"shape {header.shape}", f"{SHAPES}: {wanted} or {(*wanted, 'K')}",
            "save a mask for every image, empty where there is nothing to mark",
        )  # fmt: skip
    if not 1 <= _structures(header) <= MOST:
        found = f"{_structures(header)} structures"
        raise problem(subject, found, f"1 to {MOST}", "keep those that are to be learnt")


def _structures(header: Header) -> int:
    return header.shape[3] if len(header.shape) == 4 else 1


def _read(path: Path, archive: ZipFile, header: Header) -> np.ndarray:
    masks = np.empty(header.shape, np.uint8)
    npz.read_into(path, archive, header, masks)
    masks = masks.reshape(*header.shape[:3], -1).transpose(0, 3, 1, 2)  # (N, K, H, W)
    seen = np.zeros(256, bool)
    for mask in masks:
        seen[mask] = True
    values = np.flatnonzero(seen)
    if seen[1:].sum() > 1:
        raise problem(
            f"{path} [{header.key}]",
            f"values {', '.join(map(str, values[:6]))}{', ...' if len(values) > 6 else ''}",
            "0 outside and one other number inside",
            "a map of labels becomes masks with numpy.stack([map == 1, map == 2], axis=-1)",
        )
    return np.ascontiguousarray(masks != 0).view(np.uint8)


def _names(path: Path, count: int) -> tuple[str, ...]:
    """The names in the file, or "mask 1", ... where it has none."""
    names = read_names(path, KEY, count, "structure", layout.MAX_CLASSES, exactly=True)
    return names or (("mask",) if count == 1 else tuple(f"mask {i + 1}" for i in range(count)))

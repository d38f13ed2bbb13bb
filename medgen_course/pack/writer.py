"""Images on their way into an `.npz`: on disk as they come, in the file once it is known how many there are.

Memory holds one image at a time, and a few bytes for each image (its label, and which file it is from).
"""

import math
import shutil
from array import array
from hashlib import blake2b
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

from medgen_course.datasets import Dataset, Split
from medgen_course.datasets.label_names import KEY
from medgen_course.datasets.layout import SPLITS
from medgen_course.files import write_atomically

BLOCK_BYTES = 1 << 20


class Spool:
    """Images of three splits, as uint8 in files of their own, until they are written.

    Use it with `with`, which closes its files.
    """

    def __init__(self, folder: Path, size: int, rgb: bool):
        """Start three empty files in `folder` for images of `size` x `size` pixels."""
        self.shape = (size, size, 3) if rgb else (size, size)
        self.paths = [folder / split for split in SPLITS]
        self.files = [open(path, "wb") for path in self.paths]
        self.labels = [array("h") for _ in SPLITS]
        self.sources = [array("q") for _ in SPLITS]

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error: object) -> None:
        for file in self.files:
            file.close()

    def add(self, split: int, image: np.ndarray, label: int, source: int) -> None:
        """Append one image, uint8 of the shape that was announced; `source` is the number of its file."""
        self.files[split].write(image.tobytes())
        self.labels[split].append(label)
        self.sources[split].append(source)

    def counts(self) -> list[int]:
        """Images in each split."""
        return [len(labels) for labels in self.labels]

    def repeated(self) -> tuple[int, int]:
        """The files of the first two equal images in different splits; -1, -1 where there are none."""
        seen: dict[bytes, tuple[int, int]] = {}
        for split, (path, sources) in enumerate(zip(self.paths, self.sources, strict=True)):
            self.files[split].flush()
            with open(path, "rb") as file:
                for source in sources:
                    mark = blake2b(file.read(math.prod(self.shape)), digest_size=16).digest()
                    where, other = seen.setdefault(mark, (split, source))
                    if where != split:
                        return other, source
        return -1, -1

    def dataset(self, name: str, label_names: tuple[str, ...], source: str) -> Dataset:
        """The images as a data set on disk: (N, C, H, W) views of memory maps. No split is empty."""
        splits = {}
        for split, path, file, labels in zip(SPLITS, self.paths, self.files, self.labels, strict=True):
            file.flush()
            rows = np.memmap(path, np.uint8, "r", shape=(len(labels), *self.shape))
            images = rows.transpose(0, 3, 1, 2) if rows.ndim == 4 else rows[:, None]
            splits[split] = Split(images, np.array(labels, np.int64))
        return Dataset(
            name=name,
            channels=splits["train"].images.shape[1],
            size=self.shape[0],
            label_names=label_names,
            task="binary-class" if len(label_names) <= 2 else "multi-class",
            licence="your own images: yours to know",
            source=source,
            notice="",
            **splits,
        )

    def write(self, out: Path, label_names: tuple[str, ...]) -> None:
        """Write the `.npz` in MedMNIST's layout with the names of the classes, atomically.

        The same images give the same bytes: nothing in the file says when or where it was made.
        """

        def fill(partial: Path) -> None:
            with ZipFile(partial, "w", ZIP_DEFLATED) as archive:
                for split, path, file, labels in zip(
                    SPLITS, self.paths, self.files, self.labels, strict=True
                ):
                    file.flush()
                    shape = (len(labels), *self.shape)
                    with _member(archive, f"{split}_images") as member, open(path, "rb") as spooled:
                        told = {"descr": "|u1", "fortran_order": False, "shape": shape}
                        np.lib.format.write_array_header_1_0(member, told)
                        shutil.copyfileobj(spooled, member, BLOCK_BYTES)
                    _array(archive, f"{split}_labels", np.array(labels, np.int64)[:, None])
                _array(archive, KEY, np.array(label_names, np.str_))

        write_atomically(out, fill)


def _member(archive: ZipFile, name: str):
    """A member to be written, without a date and of any size."""
    info = ZipInfo(f"{name}.npy")
    info.compress_type = ZIP_DEFLATED
    return archive.open(info, "w", force_zip64=True)


def _array(archive: ZipFile, name: str, values: np.ndarray) -> None:
    with _member(archive, name) as member:
        np.lib.format.write_array(member, values, allow_pickle=False)

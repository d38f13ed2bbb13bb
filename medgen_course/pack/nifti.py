"""NIfTI: volumes turned to RAS, then cut into slices that look as a radiologist sees them.

The patient's right is at the left of axial and coronal slices, as in DICOM; anterior (axial) or superior is
at the top; sagittal slices look to the left. Of a series of volumes the first is taken. The texts in the
header are never read.

Source: the NIfTI-1 standard, https://nifti.nimh.nih.gov/nifti-1; nibabel's `io_orientation`.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel
import numpy as np
from nibabel.orientations import apply_orientation

from medgen_course.pack.images import Image, Look, UnusableFile, check_memory, decoding
from medgen_course.pack.settings import Settings

AXES = {"sagittal": 0, "coronal": 1, "axial": 2}  # of a volume in RAS


def look(path: Path, settings: Settings) -> Look:
    """What the header says; UnusableFile if it is damaged or holds no volume of numbers."""
    with _quiet():
        volume, turned = _opened(path)
        [lying] = np.flatnonzero(turned[:, 0] == AXES[settings.axis])
        count = volume.shape[lying]
        taken = len(settings.chosen(count))
        if not taken:
            told = f"{count} {settings.axis} slices"
            raise UnusableFile(f"--slices {settings.slices} leaves none of its {told}")
        return Look(taken, stored=False)


def read(path: Path, settings: Settings) -> Iterator[Image]:
    """The slices that the settings choose; the volume is in memory as long as they are read."""
    with _quiet():
        volume, turned = _opened(path)
        first = volume.dataobj[(..., *(0,) * (len(volume.shape) - 3))]
        ras = apply_orientation(np.asarray(first, np.float32), turned)
        zooms = np.empty(3)
        zooms[turned[:, 0].astype(int)] = volume.header.get_zooms()[:3]
        zooms[~(zooms > 0)] = 1
    axis = AXES[settings.axis]
    height, width = (zooms[at] for at in reversed(range(3)) if at != axis)
    for number in settings.chosen(ras.shape[axis]):
        plane = np.take(ras, number, axis)  # (across, up), each growing to the right, front or top
        yield Image(plane[::-1, ::-1].T, spacing=(float(height), float(width)))


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings, errors as UnusableFile."""
    with decoding("the NIfTI file"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _opened(path: Path) -> tuple[nibabel.Nifti1Image, np.ndarray]:
    """A volume whose data are not read yet, and where its axes lie in RAS: one row each of (axis, sign)."""
    volume = nibabel.load(path)
    if not isinstance(volume, nibabel.Nifti1Image):
        raise UnusableFile(f"a {type(volume).__name__}, not a NIfTI volume")
    kind = volume.get_data_dtype()
    if kind.kind not in "iuf":
        raise UnusableFile(f"values of the type {kind}, not plain numbers")
    if len(volume.shape) < 3:
        raise UnusableFile(f"{len(volume.shape)} axes; a volume has 3")
    check_memory(*volume.shape[:3])
    turned = nibabel.io_orientation(volume.affine)
    if not np.isfinite(turned).all():
        raise UnusableFile("a header that does not say how the volume lies in space")
    return volume, turned

"""DICOM: rescaled values, the window that the file names, MONOCHROME1, colour, frames; nobody's name.

Source: DICOM PS3.3, C.11.1 (modality LUT), C.11.2 (VOI LUT), C.7.6.16 (functional groups of frames).
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_modality_lut, get_decoder, iter_pixels
from pydicom.uid import UID

from medgen_course.pack.images import Image, Look, UnusableFile, check_memory, decoding, words
from medgen_course.pack.settings import Settings

NAME = "PatientName"
WHO = (NAME, "PatientID", "OtherPatientIDs", "PatientBirthDate", "AccessionNumber")
SHORTEST = 3  # letters; "F" is a class, whoever has it as an initial
PLAIN_WINDOWS = ("LINEAR", "LINEAR_EXACT")


def look(path: Path, settings: Settings) -> Look:
    """What the header says; UnusableFile if it is damaged, holds no image, or none that can be decoded."""
    with _quiet():
        header = _header(path)
        count = _frames(header)
        taken = settings.chosen(count)
        if not taken:
            raise UnusableFile(f"--slices {settings.slices} leaves none of its {count} frames")
        check_memory(header.Rows, header.Columns, header.SamplesPerPixel)
        window, colour = _window(header, taken[0]), _has_colour(header)
        plain = header.BitsAllocated == 1 or (
            header.get("BitsStored") == 8 and not header.get("PixelRepresentation")
        )
        return Look(
            count=len(taken),
            stored=colour or (plain and window is None and _rescale(header, taken[0]) == (1, 0)),
            window=window,
            colour=colour,
            burnt=str(header.get("BurnedInAnnotation", "")).upper() == "YES",
            group=_group(header),
            private=_private(header),
        )


def read(path: Path, settings: Settings) -> Iterator[Image]:
    """The frames that the settings choose, one at a time; UnusableFile if the data are damaged."""
    with _quiet():
        header = _header(path)
        taken = settings.chosen(_frames(header))
        frames = iter_pixels(path, indices=list(taken))
    for number in taken:
        with _quiet():
            image = _image(header, number, next(frames))
        yield image


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings, which would show what stands in the file; errors become UnusableFile."""
    with decoding("the DICOM file"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _header(path: Path) -> pydicom.Dataset:
    """All but the pixels, with the claim that there are some."""
    header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    if "Rows" not in header or "PhotometricInterpretation" not in header:
        kind = UID(str(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID", "")))
        raise UnusableFile(f"DICOM without an image{f' ({kind.name})' if kind.name != kind else ''}")
    syntax = UID(str(header.file_meta.get("TransferSyntaxUID", "")))
    if not syntax:
        raise UnusableFile("DICOM that does not name its transfer syntax")
    try:
        readable = get_decoder(syntax).is_available
    except NotImplementedError:
        readable = False
    if not readable:
        raise UnusableFile(
            f"the transfer syntax {syntax.name} ({syntax}) cannot be read here; decompress the file first, "
            "for example with gdcmconv --raw"
        )
    return header


def _frames(header: pydicom.Dataset) -> int:
    return int(header.get("NumberOfFrames") or 1)


def _has_colour(header: pydicom.Dataset) -> bool:
    return header.SamplesPerPixel == 3 or header.PhotometricInterpretation == "PALETTE COLOR"


def _image(header: pydicom.Dataset, number: int, values: np.ndarray) -> Image:
    if _has_colour(header):
        bits = header.BitsStored
        if header.PhotometricInterpretation == "PALETTE COLOR":
            values = apply_color_lut(values, header)
            bits = header.RedPaletteColorLookupTableDescriptor[2]
        return Image((values >> max(0, bits - 8)).astype(np.uint8), spacing=_spacing(header, number))
    if "ModalityLUTSequence" in header:
        values = apply_modality_lut(values, header)
    elif header.BitsAllocated == 1:
        values = values * np.uint8(255)
    else:
        slope, intercept = _rescale(header, number)
        values = values * np.float32(slope) + np.float32(intercept)
    inverted = header.PhotometricInterpretation == "MONOCHROME1"
    return Image(values, _window(header, number), inverted, _spacing(header, number))


def _of_frame(header: pydicom.Dataset, number: int, group: str) -> pydicom.Dataset:
    """Where the tags of one frame stand: in its functional group, the shared one, or the header itself."""
    for place, at in (("PerFrameFunctionalGroupsSequence", number), ("SharedFunctionalGroupsSequence", 0)):
        groups = header.get(place) or []
        if at < len(groups) and groups[at].get(group):
            return groups[at][group][0]
    return header


def _rescale(header: pydicom.Dataset, number: int) -> tuple[float, float]:
    tags = _of_frame(header, number, "PixelValueTransformationSequence")
    slope, intercept = tags.get("RescaleSlope"), tags.get("RescaleIntercept")
    return (1.0 if slope is None else float(slope)), float(intercept or 0)


def _window(header: pydicom.Dataset, number: int) -> tuple[float, float] | None:
    """Values of black and of white in the file's first window, on rescaled values (PS3.3 C.11.2.1.2)."""
    tags = _of_frame(header, number, "FrameVOILUTSequence")
    centre, width = _first(tags.get("WindowCenter")), _first(tags.get("WindowWidth"))
    kind = tags.get("VOILUTFunction") or "LINEAR"
    if centre is None or width is None or kind not in PLAIN_WINDOWS:
        return None
    if kind == "LINEAR":
        centre, width = centre - 0.5, width - 1
    return (centre - width / 2, centre + width / 2) if width > 0 else None


def _first(value: object) -> float | None:
    """A number, the first of several, or None where the tag is empty."""
    if isinstance(value, pydicom.multival.MultiValue):
        value = value[0] if value else None
    return None if value in (None, "") else float(value)


def _spacing(header: pydicom.Dataset, number: int) -> tuple[float, float]:
    """Height and width of a pixel; 1 and 1 where the file does not say."""
    tags = _of_frame(header, number, "PixelMeasuresSequence")
    found = tags.get("PixelSpacing") or tags.get("ImagerPixelSpacing") or tags.get("PixelAspectRatio")
    if not found or len(found) != 2 or min(map(float, found)) <= 0:
        return 1.0, 1.0
    return float(found[0]), float(found[1])


def _group(header: pydicom.Dataset) -> str:
    """What keeps a patient's files together: the patient's id, else the study's."""
    for tag in ("PatientID", "StudyInstanceUID"):
        if found := str(header.get(tag) or "").strip():
            return f"{tag} {found}"
    return ""


def _private(header: pydicom.Dataset) -> frozenset[str]:
    """Ids, the name and its parts."""
    told = [words(str(header.get(tag) or "")) for tag in WHO]
    told += words(str(header.get(NAME) or "")).split()
    return frozenset(text for text in told if len(text) >= SHORTEST)

"""Made-up images of every kind that is read, and what a packed file holds."""

import warnings
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from PIL import Image as Pillow
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SECRETS = ("Quimby", "Joelle", "PID4711", "19531224", "Seamstress", "Waldkrankenhaus")


def noise(seed: int = 0, shape: tuple[int, ...] = (20, 20), top: int = 256, dtype=np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, top, shape).astype(dtype)


def picture(path: Path, values: np.ndarray | None = None, seed: int = 0, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(noise(seed) if values is None else values).save(path, **options)
    return path


def class_folders(root: Path, count: int = 10, classes=("cat", "dog"), shape=(12, 12)) -> Path:
    """Noise in two folders of PNG files, `count` each; no two are equal."""
    for number, name in enumerate(classes):
        for i in range(count):
            picture(root / name / f"p{i:03d}.png", noise(1000 * number + i, shape))
    return root


def dicom(path: Path, values: np.ndarray, patient: str = "PID4711", **tags) -> Path:
    """A CT slice in Hounsfield units (or what the tags make of it), of a patient with a name and a history.

    A tag that is None is taken out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made = pydicom.Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = CTImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid(entropy_srcs=[str(path)])
    made.PatientID, made.PatientName, made.PatientBirthDate = patient, "Quimby^Joelle", "19531224"
    made.Occupation, made.InstitutionName = "Seamstress", "Waldkrankenhaus"
    made.StudyInstanceUID = generate_uid(entropy_srcs=[patient])
    frames, samples = (values.shape[0] if values.ndim == 3 else 1), 1
    if values.ndim == 4:
        frames, samples = values.shape[0], 3
        made.PlanarConfiguration = 0
    made.Rows, made.Columns = values.shape[1:3] if values.ndim > 2 else values.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = samples, "RGB" if samples == 3 else "MONOCHROME2"
    if frames > 1:
        made.NumberOfFrames = frames
    made.BitsAllocated = made.BitsStored = values.dtype.itemsize * 8
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, int(values.dtype.kind == "i")
    made.PixelData = values.tobytes()
    for name, value in tags.items():
        if value is None:
            delattr(made, name)
        else:
            setattr(made, name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.save_as(path, enforce_file_format=True)
    return path


def nifti(path: Path, values: np.ndarray, affine: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    volume = nibabel.Nifti1Image(values, np.eye(4) if affine is None else affine)
    volume.header["descrip"] = b"Quimby Joelle PID4711"
    nibabel.save(volume, path)
    return path


def patients(root, window=(40, 80), count=6):
    """Two classes of three patients each with `count` slices of a scan."""
    for number in range(6):
        for cut in range(count):
            values = noise(10 * number + cut, (16, 16), 100, np.int16)
            name = root / ("healthy", "ill")[number % 2] / f"{number}{cut}.dcm"
            tags = {"WindowCenter": window[0] + number, "WindowWidth": window[1]} if window else {}
            dicom(name, values, f"PID4711-{number}", **tags)
    return root


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def images(path: Path) -> np.ndarray:
    """All images of the three splits, one after another."""
    held = arrays(path)
    return np.concatenate([held[f"{split}_images"] for split in ("train", "val", "test")])

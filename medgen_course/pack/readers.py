"""Which reader a file is for: by its first bytes, NIfTI by its name."""

from pathlib import Path
from types import ModuleType

from medgen_course.pack import pictures
from medgen_course.pack.images import UnusableFile


def reader_of(path: Path) -> ModuleType:
    """The module whose `look` and `read` are for this file; those that take a second to import come late.

    Raises:
        UnusableFile: there is no such file, it cannot be opened, or it is nothing of what is read here.
    """
    if path.exists() and not path.is_file():
        raise UnusableFile("a folder, pipe or device, not a file")
    try:
        with open(path, "rb") as file:
            start = file.read(132)
    except OSError as error:
        raise UnusableFile(f"it cannot be opened ({error.strerror or type(error).__name__})") from error
    except ValueError as error:
        raise UnusableFile("it cannot be opened (no name that a file can have)") from error
    if not start:
        raise UnusableFile("an empty file (0 bytes)")
    name = path.name.lower()
    if start[128:] == b"DICM" or name.endswith((".dcm", ".ima")):
        from medgen_course.pack import dicom

        return dicom
    if name.endswith((".nii", ".nii.gz")):
        from medgen_course.pack import nifti

        return nifti
    if start.startswith(pictures.STARTS):
        return pictures
    raise UnusableFile("neither PNG, JPEG, TIFF, DICOM nor NIfTI")

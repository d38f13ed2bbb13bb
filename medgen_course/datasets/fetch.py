"""Where image files are found, and how a MedMNIST file that is not here gets here.

Places, in this order: `root=`, the environment variable MEDMNIST_ROOT, `data/` of a checkout, `~/.medmnist`.
What is in none of them is downloaded into `data/`, or into `~/.medmnist` where there is no checkout: into a
temporary folder there, checked against its MD5, then renamed, so that a file under its final name is always a
complete one.
"""

import hashlib
import os
import runpy
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from medgen_course import home
from medgen_course.datasets.errors import problem
from medgen_course.files import expanded

TIMEOUT_S = (10, 30)  # to connect; between two pieces of the answer
SIZES = (28, 64, 128, 224)  # pixels that MedMNIST comes in


class DatasetUnavailable(FileNotFoundError):
    """A data set is not on this machine and could not be downloaded; the message names the ways out.

    `reason` says in a few words, without paths, why not.
    """

    def __init__(self, message: str, reason: str = "it is not on this machine"):
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Place:
    """A folder that may hold image files, and the name it goes by in texts that others will read."""

    label: str
    folder: Path


@lru_cache(maxsize=1)
def medmnist_info() -> dict[str, dict]:
    """MedMNIST's own table: names, URLs, MD5s, labels, licences.

    Only the file with the table is run: `import medmnist` would bring scikit-learn, pandas and torchvision,
    which takes seconds, and says "please install" where torchvision does not fit torch.
    """
    table = Path(find_spec("medmnist").submodule_search_locations[0]) / "info.py"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where it cannot create ~/.medmnist, which is not needed
        return runpy.run_path(str(table))["INFO"]


def download_place() -> Place:
    """Where downloads go: `data/` of a checkout; of an installation medmnist's own folder in the home."""
    folder = home.checkout()
    return Place("data/", folder / "data") if folder else _medmnist_place()


def _medmnist_place() -> Place:
    return Place("~/.medmnist", Path(os.path.expanduser("~/.medmnist")))


def places(root: str | os.PathLike | None = None) -> list[Place]:
    """Return the folders that are searched, in order; they need not exist.

    A relative MEDMNIST_ROOT is meant from the working directory, and from the checkout as well: notebooks
    and tests run in other directories than the shell in which it was set.
    """
    found = [] if root is None else [Place("root=", expanded(root))]
    if variable := os.environ.get("MEDMNIST_ROOT"):
        folder = expanded(variable)
        found.append(Place("MEDMNIST_ROOT", folder))
        if (checkout := home.checkout()) and not folder.is_absolute():
            found.append(Place("MEDMNIST_ROOT", checkout / folder))
    return list(dict.fromkeys([*found, download_place(), _medmnist_place()]))


def md5(path: Path) -> str:
    """MD5 of a file, 32 hexadecimal digits; DatasetError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        found = f"something that cannot be read ({error.strerror or error})"
        raise problem(path, found, "a readable file", "check the path and its permissions") from error


def official_file(name: str, size: int, root: str | os.PathLike | None, download: bool) -> tuple[Path, str]:
    """Find or download the official file of a 2D MedMNIST data set.

    Args:
        name: a key of `medmnist_info()`.
        size: 28, 64, 128 or 224 pixels.
        root: folder to search first.
        download: whether to download what is in none of the places.
    Returns:
        path, and a sentence part that says which file it is (no path of this machine in it).
    Raises:
        DatasetError: a file of this name is there but is not the official one (MD5).
        DatasetUnavailable: it is nowhere, and could not be, or was not to be, downloaded.
    """
    suffix = "" if size == 28 else f"_{size}"
    expected, url = medmnist_info()[name][f"MD5{suffix}"], medmnist_info()[name][f"url{suffix}"]
    searched = places(root)
    for place in searched:
        path = place.folder / f"{name}{suffix}.npz"
        if path.exists():
            if (found := md5(path)) != expected:
                raise problem(path, f"MD5 {found}", f"{expected}, that of the official {path.name}",
                              "move the file away and load again to download it, or, if it is your own data, "
                              f"load it by its path: datasets.load({str(path)!r})")  # fmt: skip
            return path, f"MedMNIST {path.name}, MD5 {expected}, from {place.label}"
    target = download_place()
    path = target.folder / f"{name}{suffix}.npz"
    reason = _download(url, expected, path) if download else "download=False"
    if reason:
        looked = ", ".join(f"{place.folder} ({place.label})" for place in searched)
        raise DatasetUnavailable(
            f"{path.name} is not on this machine and was not downloaded ({reason}). Looked in: {looked}. "
            "Ways out: (1) connect to the internet and load again with download=True; (2) download "
            f"{url} elsewhere and put it into {path.parent} as {path.name} (MD5 {expected}); (3) point "
            "MEDMNIST_ROOT or root= at a folder that holds it; (4) work on the built-in phantom: "
            'load("phantom") or fallback="phantom".',
            reason=f"{path.name} was not downloaded ({reason})",
        )
    host = urlsplit(url).hostname
    return path, f"MedMNIST {path.name}, MD5 {expected}, downloaded from {host} into {target.label}"


def official_name(checksum: str) -> tuple[str, int] | None:
    """Name and pixels of the official 2D file with this MD5, or None."""
    for name, info in medmnist_info().items():
        for size in () if name.endswith("3d") else SIZES:
            if info.get("MD5" if size == 28 else f"MD5_{size}") == checksum:
                return name, size
    return None


def own_file(path: Path, root: str | os.PathLike | None) -> Path:
    """Find an own file: a relative path from the working directory, the checkout, or one of the places.

    Raises:
        DatasetUnavailable: there is no such file; the message names where it was looked for.
    """
    checkout = home.checkout()
    bases = [Path.cwd(), *([checkout] if checkout else []), *(place.folder for place in places(root))]
    if root is not None:
        bases.insert(0, expanded(root))
    whole = expanded(path)
    candidates = list(dict.fromkeys(base / whole for base in bases))
    for candidate in candidates:
        if candidate.exists():
            return candidate
    named = Path(f"{path}.npz")
    meant = any((base / expanded(named)).is_file() for base in bases)
    raise DatasetUnavailable(
        f"there is no file {path}. {f'Did you mean {named}? ' if meant else ''}"
        f"Looked for: {', '.join(map(str, candidates))}. "
        "Ways out: check the spelling, give the whole path, or put the file into one of these folders."
    )


def _download(url: str, expected: str, path: Path) -> str:
    """Download to `path`; return "" or the reason why nothing was downloaded."""
    import pooch  # with requests, 0.2 s that a file on disk need not wait for
    import requests

    host = urlsplit(url).hostname
    pooch.get_logger().setLevel("WARNING")  # its messages name temporary files; the progress line says enough
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
            progress = TextProgress(f"{path.name} from {host}")
            downloader = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT_S)
            done = pooch.retrieve(url, f"md5:{expected}", path.name, folder, downloader=downloader)
            os.replace(done, path)
    except requests.HTTPError as error:
        return f"{host} answered {error.response.status_code} {error.response.reason}"
    except requests.Timeout:
        return f"{host} did not answer within {TIMEOUT_S[1]} s"
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return f"no connection to {host}, or it broke off"
    except requests.RequestException as error:
        return f"the download from {host} failed, {type(error).__name__}"
    except ValueError:
        return f"what {host} sent does not have the MD5 {expected}; it was thrown away"
    except OSError as error:
        return f"{path.parent} cannot be written: {error.strerror or error}"
    return ""


class TextProgress:
    """Progress as lines of text on stderr, which survive in logs and notebooks; the interface is pooch's."""

    def __init__(self, what: str):
        self.what, self.total, self.done, self.said, self.started = what, 0, 0, -1, time.monotonic()

    def update(self, count: int) -> None:
        """Count `count` more bytes; print a line at every tenth of the total."""
        self.done = min(self.done + count, self.total)
        tenth = 10 * self.done // self.total if self.total else 0
        if tenth > self.said:
            self.said = tenth
            rate = self.done / 1e6 / max(time.monotonic() - self.started, 1e-3)
            print(
                f"{self.what}: {self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB, {rate:.1f} MB/s",
                file=sys.stderr,
            )

    def reset(self) -> None:
        """Pooch calls this before its last update; the count goes back to 0, what was said stays."""
        self.done = 0

    def close(self) -> None:
        """Nothing to tidy up: every line was printed whole."""

"""Files that are written whole or not at all.

Each is written beside its place and then moved there, so a reader or a crash meets the old file or the new
one and never half of one.
"""

import contextlib
import csv
import errno
import io
import json
import os
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def expanded(path: str | os.PathLike) -> Path:
    """A path with its `~` replaced.

    Raises:
        ValueError: it is empty, or begins with the home of a user whom this machine does not know.
    """
    if not os.fspath(path):
        raise ValueError("the path is empty; give the name of a file or folder.")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"{path}: this machine knows no home of {Path(path).parts[0]}; give the whole path."
        ) from error


def check_place(path: Path) -> None:
    """Raise ValueError where a file stands in place of one of the folders that a path names."""
    for parent in path.parents:
        if parent.exists() and not parent.is_dir():
            raise ValueError(f"{path} cannot be written: {parent} is a file. Choose another place.")


def quoted(path: str | os.PathLike) -> str:
    """A path as one writes it in a shell."""
    return subprocess.list2cmdline([os.fspath(path)]) if os.name == "nt" else shlex.quote(os.fspath(path))


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a file beside `path`, flush it to disk, then move it to `path` in one step.

    Raises:
        OSError: the file cannot be written, e.g. the disk is full; the message names it, and what stood there
            before is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        write(partial)
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        _share(partial, path)
        os.replace(partial, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            reason = f"cannot be written, {error.strerror or error}"
            raise OSError(error.errno or errno.EIO, reason, str(path)) from error
        raise


def _share(partial: Path, path: Path) -> None:
    """The file modes that others expect: a courtesy, which some drives do not know (Windows' under WSL)."""
    with contextlib.suppress(PermissionError, NotImplementedError):
        if path.exists():
            partial.chmod(path.stat().st_mode)
        elif os.name == "posix":
            partial.chmod(0o666 & ~_umask())  # safetensors makes files that nobody else may read


def _umask() -> int:
    """The process's file mask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same keys as CSV, atomically; the first row names the columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())

"""A run folder: weights, configuration, history, figures, and the state to resume from. No pickle.

    model.safetensors   the model's weights
    config.json         what was trained, on what, with which settings
    history.csv         one row an epoch
    metrics.json        written by `medgen evaluate`
    resume.safetensors  everything the next epoch depends on, in one file

Each file is written whole or not at all (`files`); what must agree (weights, optimisers, history) stands in
one file. Files of tensors carry a checksum and the configuration that they were made with, so that damage and
a changed `config.json` are noticed.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from medgen_course.files import quoted, write_atomically, write_json

ABOUT = "medgen"  # the one entry of a file's metadata: safetensors writes several in any order


class RunError(ValueError):
    """A run folder that cannot be used; the message names the file and the remedy."""


class RunNotFound(RunError, FileNotFoundError):
    """There is no run where one was looked for."""


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        RunNotFound: the file is not there.
        RunError: it is no JSON object; NaN and infinities are no JSON.
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    _check_there(path)
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
        if not isinstance(value, dict):
            raise ValueError(f"a {type(value).__name__} in place of an object")
        return value
    except (ValueError, RecursionError) as error:
        raise RunError(
            f"{path}: expected a JSON object, found something else ({error}). Put it back as it was, or "
            "train into a new folder."
        ) from error


def _check_there(path: Path) -> None:
    """Raise RunNotFound where there is no file."""
    if path.is_file():
        return
    remedy = f"medgen train ... --out {quoted(path.parent)}"
    if (path.parent / "config.json").exists() and path.name != "config.json":
        raise RunNotFound(
            f"{path}: there is no such file; the run was stopped before its first epoch ended. Go on: "
            f"{remedy} --resume"
        )
    raise RunNotFound(f"{path}: there is no such file. Train first: {remedy}")


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors as safetensors with a checksum, atomically; layout and device are not kept."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    about = dict(metadata or {})
    about = {ABOUT: json.dumps(about | {"checksum": _checksum(plain, about)})}

    def write(partial: Path) -> None:
        try:
            save_file(plain, partial, about)
        except SafetensorError as error:  # what the disk says comes in its words
            raise OSError(f"{error}") from error

    write_atomically(path, write)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file.

    Returns:
        The tensors by name, and the text metadata.
    Raises:
        RunNotFound: the file is not there.
        RunError: it is not a whole safetensors file, or not what was once written.
    """
    about = read_metadata(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
    except SafetensorError as error:
        raise _damaged(path, str(error)) from error
    checksum = about.pop("checksum", None)
    if checksum not in (None, _checksum(tensors, about)):
        raise _damaged(path, "its checksum is another")
    return tensors, about


def read_metadata(path: Path) -> dict[str, str]:
    """The text metadata of a safetensors file, with its checksum; raises as `load_tensors`."""
    _check_there(path)
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
    except SafetensorError as error:
        raise _damaged(path, str(error)) from error
    return _object(path, about[ABOUT]) if set(about) == {ABOUT} else about


def _object(path: Path, text: Any) -> dict[str, Any]:
    """The JSON object of a text in a file's metadata; raises RunError."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(value, dict):
        raise _damaged(path, f"a {type(value).__name__} in its metadata")
    return value


def _damaged(path: Path, why: str) -> RunError:
    return RunError(
        f"{path}: expected a whole safetensors file, found a damaged one ({why}). Copy it again, or train "
        "into a new folder."
    )


def _checksum(tensors: dict[str, Tensor], about: dict[str, str]) -> str:
    """BLAKE2 of names, types, shapes, values and metadata, 32 hexadecimal digits."""
    digest = hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16)
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def pack(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Put the tensors of a nested state into `tensors` and return the rest as JSON values.

    Dictionaries become lists of pairs, because optimiser states have whole numbers as keys, and JSON has
    only text.
    """
    if isinstance(value, Tensor):
        name = f"tensor{len(tensors)}"
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[key, pack(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [pack(item, tensors) for item in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"a state may hold tensors, dict, list, tuple and plain values; found {type(value).__name__}."
    )


def unpack(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The inverse of `pack`."""
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: unpack(item, tensors) for key, item in content}
    items = [unpack(item, tensors) for item in content]
    return tuple(items) if kind == "tuple" else items


def _flat(config: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, e.g. {"model.size": 28}."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return found


class RunFolder:
    """The files of one run.

    Args:
        path: the folder; made when something is first written.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def save_config(self, config: dict[str, Any]) -> None:
        """Write `config.json`."""
        write_json(self.path / "config.json", config)

    def load_config(self) -> dict[str, Any]:
        """Read `config.json`; raises RunNotFound or RunError."""
        return read_json(self.path / "config.json")

    def check_config(self, config: dict[str, Any], beside: str = "model.safetensors") -> None:
        """Compare a configuration with that of a file of tensors; only `dataset`, a place, may differ.

        Raises:
            RunError: they differ, or the file is damaged. A file that is not there, or knows nothing, passes.
        """
        path = self.path / beside
        told = read_metadata(path).get("config") if path.is_file() else None
        now, then = (_flat(about) for about in (config, config if told is None else _object(path, told)))
        for key in sorted((now.keys() | then.keys()) - {"dataset"}):
            if now.get(key) != then.get(key):
                found, expected = f"{now.get(key)!r:.120}", f"{then.get(key)!r:.120}"
                raise RunError(
                    f"{self.path / 'config.json'}: {key} is {found}; {beside} was written with {expected}. "
                    "Put back what was changed, or train into a new folder."
                )

    def _metadata(self) -> dict[str, str]:
        """What a file of tensors is to know of the run."""
        there = (self.path / "config.json").is_file()
        return {"config": json.dumps(self.load_config())} if there else {}

    def save_resume(self, state: dict[str, Any]) -> None:
        """Write everything the next epoch depends on, in one file and one step."""
        tensors: dict[str, Tensor] = {}
        rest = pack(state, tensors)
        about = self._metadata() | {"state": json.dumps(rest)}
        save_tensors(self.path / "resume.safetensors", tensors, about)

    def load_resume(self) -> dict[str, Any] | None:
        """What `save_resume` last wrote; None when the run was stopped before its first epoch ended."""
        path = self.path / "resume.safetensors"
        if not path.exists():
            return None
        tensors, metadata = load_tensors(path)
        try:
            return unpack(json.loads(metadata["state"]), tensors)
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(path, f"no state to go on from, {error!r}") from error

    def save_model(self, networks: dict[str, nn.Module]) -> None:
        """Write `model.safetensors`, each weight under `network/name`; figures of other weights go."""
        weights = {
            f"{name}/{key}": value
            for name, net in networks.items()
            for key, value in net.state_dict().items()
        }
        (self.path / "metrics.json").unlink(missing_ok=True)
        save_tensors(self.path / "model.safetensors", weights, self._metadata())

    def load_model(self, networks: dict[str, nn.Module]) -> None:
        """Fill `networks` from `model.safetensors`; raises RunNotFound or RunError."""
        path = self.path / "model.safetensors"
        tensors, _ = load_tensors(path)
        for name, network in networks.items():
            own = {
                key.removeprefix(f"{name}/"): t for key, t in tensors.items() if key.startswith(f"{name}/")
            }
            try:
                network.load_state_dict(own)
            except RuntimeError as error:
                raise RunError(
                    f"{path}: its weights do not fit the network {name!r} of config.json. {error}"
                ) from error

"""A run folder: weights, configuration, history, figures, and the state to resume from. No pickle.

    model.safetensors   the model's weights
    config.json         what was trained, on what, with which settings
    history.csv         one row an epoch
    metrics.json        written by `medgen evaluate`
    resume.safetensors  everything the next epoch depends on, in one file

Each file is written whole or not at all (`files`); what must agree (weights, optimisers, history) stands in
one file.
"""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from medgen_course.files import write_atomically, write_json


class RunError(ValueError):
    """A run folder that cannot be used; the message names the file and the remedy."""


class RunNotFound(RunError, FileNotFoundError):
    """There is no run where one was looked for."""


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        RunNotFound: the file is not there.
        RunError: it is not JSON.
    """
    if not path.is_file():
        raise RunNotFound(
            f"{path}: there is no such file. Train first, with `medgen train ... --out {path.parent}`."
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(
            f"{path}: expected JSON, found something else ({error}). Train into a new folder."
        ) from error


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors as safetensors, atomically; layout and device are not kept."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}

    def write(partial: Path) -> None:
        try:
            save_file(plain, partial, metadata)
        except SafetensorError as error:  # what the disk says comes in its words
            raise OSError(f"{error}") from error

    write_atomically(path, write)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file.

    Returns:
        The tensors by name, and the text metadata.
    Raises:
        RunNotFound: the file is not there.
        RunError: it is not a whole safetensors file.
    """
    if not path.is_file():
        raise RunNotFound(
            f"{path}: there is no such file. Train first, with `medgen train ... --out {path.parent}`."
        )
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name).clone() for name in file.keys()}, file.metadata() or {}
    except SafetensorError as error:
        raise RunError(
            f"{path}: expected a whole safetensors file, found a damaged one ({error}). "
            "Train into a new folder."
        ) from error


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

    def save_resume(self, state: dict[str, Any]) -> None:
        """Write everything the next epoch depends on, in one file and one step."""
        tensors: dict[str, Tensor] = {}
        rest = pack(state, tensors)
        save_tensors(self.path / "resume.safetensors", tensors, {"state": json.dumps(rest)})

    def load_resume(self) -> dict[str, Any] | None:
        """What `save_resume` last wrote; None when the run was stopped before its first epoch ended."""
        path = self.path / "resume.safetensors"
        if not path.exists():
            return None
        tensors, metadata = load_tensors(path)
        return unpack(json.loads(metadata["state"]), tensors)

    def save_model(self, networks: dict[str, nn.Module]) -> None:
        """Write `model.safetensors`, each weight under `network/name`; figures of other weights go."""
        weights = {
            f"{name}/{key}": value
            for name, net in networks.items()
            for key, value in net.state_dict().items()
        }
        (self.path / "metrics.json").unlink(missing_ok=True)
        save_tensors(self.path / "model.safetensors", weights)

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

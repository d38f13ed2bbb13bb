"""A run folder opened: which kind of model it holds, and what that kind can do."""

from pathlib import Path
from types import ModuleType
from typing import Any

from medgen_course.runs import schema
from medgen_course.runs.kinds import KINDS, kind_named, kinds_with
from medgen_course.training import RunError, RunFolder


def kind_of(folder: str | Path) -> ModuleType:
    """The kind of the model in a run folder; raises RunNotFound or RunError."""
    return open_run(folder)[0]


def load(folder: str | Path) -> tuple[Any, dict[str, Any]]:
    """The trained model of a run folder, in evaluation mode on the CPU, and its configuration.

    Returns:
        The model (`Translators` for a CycleGAN or a pix2pix), and `config.json` with `kind` beside `model`.
    Raises:
        RunNotFound, RunError: there is no run, or it cannot be used.
    """
    kind, config = open_run(folder)
    return kind.load(RunFolder(folder), config), config


def open_run(folder: str | Path) -> tuple[ModuleType, dict[str, Any]]:
    """The kind of a run folder's model, and `config.json` with that kind beside `model` instead of in it."""
    run = RunFolder(folder)
    config, path = run.load_config(), run.path / "config.json"
    schema.check(path, config, {})
    model = dict(config["model"])
    name = model.pop("kind", None)
    if not isinstance(name, str) or name not in KINDS:
        raise RunError(
            f"{path}: the model is {name!r:.80}; known are {', '.join(KINDS)}. Use the version of the course "
            "that wrote it, or train into a new folder."
        )
    kind, opened = kind_named(name), config | {"kind": name, "model": model}
    schema.check(path, opened, getattr(kind, "CONFIG", {}))
    run.check_config(config)
    return kind, opened


def verb_of(folder: str | Path, kind: ModuleType, config: dict[str, Any], verb: str) -> Any:
    """What a kind does, or an error that says what else there is to do."""
    if hasattr(kind, verb):
        return getattr(kind, verb)
    instead = getattr(kind, "INSTEAD", {}).get(verb)
    if instead is None:
        instead = f"which cannot {verb}; those that can: {', '.join(kinds_with(verb))}."
    raise RunError(f"{folder} holds a model of kind {config['kind']!r}, {instead}")

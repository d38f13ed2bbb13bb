"""What the `config.json` of a run folder must hold, as JSON Schema; checked where a run is opened.

A kind says in CONFIG what it reads beside BASE; a number out of range would fill the memory, or come back as
an error of torch.
"""

from pathlib import Path
from typing import Any

from medgen_course.training import RunError

TEXT = {"type": "string", "minLength": 1}


def integer(low: int, high: int) -> dict[str, Any]:
    """A whole number from `low` to `high`."""
    return {"type": "integer", "minimum": low, "maximum": high}


def network(**properties: dict[str, Any]) -> dict[str, Any]:
    """What rebuilds a network: all of these and nothing else."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


CHANNELS, SIZE, LATENT_DIM, WIDTH = {"enum": [1, 3]}, integer(8, 1024), integer(1, 4096), integer(1, 1024)
BASE = {
    "dataset": TEXT,
    "model": {"type": "object"},
    "normal_class": TEXT,
    "seed": integer(0, 2**64 - 1),
    "batch_size": integer(1, 2**63),
    "learning_rate": {"type": "number", "exclusiveMinimum": 0},
}


def check(path: Path, config: dict[str, Any], properties: dict[str, Any]) -> None:
    """Compare a configuration with BASE and what its kind adds.

    Args:
        path: the file, for the message.
        config: what it holds; `model` without its `kind`.
        properties: the kind's CONFIG.
    Raises:
        RunError: something is missing, unknown or of the wrong type or size.
    """
    from jsonschema import Draft202012Validator, validators
    from jsonschema.exceptions import best_match

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    schema = {"type": "object", "required": ["model"], "properties": BASE | properties}
    validator = validators.extend(Draft202012Validator, type_checker=types)(schema)
    error = best_match(validator.iter_errors(config))
    if error is not None:
        place = ".".join(map(str, error.absolute_path)) or "the whole of it"
        raise RunError(
            f"{path}: {place}: {error.message[:200]}. It was edited or damaged, or another version of the "
            "course wrote it: put it back as it was, use that version, or train into a new folder."
        )

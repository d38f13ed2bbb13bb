"""Ways to damage a file, each drawn from a generator of random numbers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

STRANGE = (
    None,
    True,
    -1,
    0,
    2,
    7,
    10**30,
    0.5,
    float("nan"),
    float("inf"),
    "",
    "x",
    "0,9",
    [],
    [1],
    {},
    {"a": 1},
)


def truncate(path: Path, rng: Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content) or 1)])


def flip(path: Path, rng: Random) -> None:
    """Change up to eight bits, most of them at the ends, where headers stand."""
    content = bytearray(path.read_bytes())
    ends = [*range(len(content))[:600], *range(len(content))[-600:]]
    for _ in range(rng.randint(1, 8)):
        place = rng.choice(ends) if rng.random() < 0.7 else rng.randrange(len(content))
        content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def delete(path: Path, rng: Random) -> None:
    path.unlink()


def empty(path: Path, rng: Random) -> None:
    path.write_bytes(b"")


def nonsense(path: Path, rng: Random) -> None:
    path.write_bytes(rng.randbytes(rng.randrange(1, 2000)))


def lengthen(path: Path, rng: Random) -> None:
    path.write_bytes(path.read_bytes() + rng.randbytes(rng.randrange(1, 100)))


def folder(path: Path, rng: Random) -> None:
    path.unlink()
    path.mkdir()


def swap(path: Path, rng: Random) -> None:
    """Another file of the same world in its place."""
    others = [other for other in sorted(path.parent.parent.rglob("*")) if other.is_file() and other != path]
    same = [other for other in others if other.suffix == path.suffix]
    shutil.copyfile(rng.choice(same if same and rng.random() < 0.8 else others), path)


def edit(path: Path, rng: Random) -> None:
    """Change, remove, rename or add a value of a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    holders = list(_holders(content))
    holder = rng.choice(holders)
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key, way = (rng.choice(keys) if keys else None), rng.random()
    if key is None or way < 0.1:
        if isinstance(holder, dict):
            holder["more"] = rng.choice(STRANGE)
        else:
            holder.append(rng.choice(STRANGE))
    elif way < 0.25:
        del holder[key]
    elif way < 0.35 and isinstance(holder, dict):
        holder[f"{key}s"] = holder.pop(key)
    elif way < 0.5 and isinstance(holder[key], int | float):
        holder[key] = holder[key] + rng.choice((-1, 1, 10, 0.5))
    elif way < 0.55:
        content = rng.choice(STRANGE)
    else:
        holder[key] = rng.choice(STRANGE)
    path.write_text(json.dumps(content), encoding="utf-8")


def _holders(value: Any):
    if isinstance(value, dict | list):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _holders(part)


def rearrange(path: Path, rng: Random) -> None:
    """An .npz that numpy can read, and that holds something else in one of its arrays."""
    with np.load(path) as archive:
        arrays = dict(archive)
    key = rng.choice(sorted(arrays))
    changes = WRONG_IMAGES if key.endswith("images") else WRONG_LABELS
    change = rng.choice([c for c in changes if c is not _shorter or len(arrays) > 1])  # alone, it is right
    changed = change(arrays.pop(key))
    if changed is not None:
        arrays[key] = changed
    np.savez(path, **arrays)


def _shorter(x: np.ndarray) -> np.ndarray:
    return x[:-1]


WRONG_IMAGES: tuple[Callable[[np.ndarray], np.ndarray | None], ...] = (
    lambda x: None,
    lambda x: x.astype(np.float32) / 255,
    lambda x: x.astype(np.int64),
    _shorter,
    lambda x: x[:0],
    lambda x: x[..., :-1],
    lambda x: x[..., None, None],
    lambda x: x.reshape(len(x), -1),
    lambda x: x[:, :5, :5],
    lambda x: np.stack([x] * 4, -1),
    lambda x: np.stack([x] * 3, 1),
    lambda x: x.astype("U3"),
    lambda x: np.array(None),
    lambda x: x.astype(complex),
)
WRONG_LABELS: tuple[Callable[[np.ndarray], np.ndarray | None], ...] = (
    lambda x: None,
    lambda x: x.astype(np.float64),
    lambda x: x - 1,
    lambda x: x + 10**6,
    _shorter,
    lambda x: x[None],
    lambda x: np.hstack([x, x]),
    lambda x: x.astype(bool),
    lambda x: x.astype("U3"),
    lambda x: x.astype("M8[s]"),
)

ANY = (truncate, flip, flip, delete, empty, nonsense, lengthen, folder, swap)


def ways(path: Path) -> tuple[Callable[[Path, Random], None], ...]:
    """What can be done to a file of this name."""
    more = {".json": (edit,) * 12, ".npz": (rearrange,) * 9}.get(path.suffix, ())
    return (*ANY, *more)

"""Random damage to a world of small runs, and what `medgen` must answer; see test_fuzz.py, bench/fuzz.py.

A command that meets damage either says so in one line, with an exit code other than 0 and without touching a
file, or comes to the very result that it comes to without the damage.
"""

import contextlib
import hashlib
import io
import json
import shutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import numpy as np
from damage import swap, ways
from safetensors.numpy import load_file

import medgen_course
from medgen_course import cli
from medgen_course.cli import program
from medgen_course.datasets import sources
from medgen_course.metrics import translation_eye

PACKAGE = Path(medgen_course.__file__).parent
SIZE, OWN = 16, ("--dataset", "own.npz", "--batch-size", "4")
TRAIN = {  # run folder -> how it is trained, but for epochs and place
    "autoencoder": ["autoencoder", *OWN, "--latent-dim", "2"],
    "vae": ["vae", *OWN, "--latent-dim", "2"],
    "gan": ["gan", *OWN, "--latent-dim", "2"],
    "classes": ["gan", *OWN, "--latent-dim", "2", "--conditional"],
    "cyclegan": ["cyclegan", *OWN],
    "pix2pix": ["pix2pix", "--dataset", "phantom", "--size", "32", "--batch-size", "4"],
    "enhancer": ["enhancer", *OWN, "--task", "superres"],
}
FALLING = ("cyclegan", "pix2pix", "enhancer")  # their schedule knows the number of epochs
HUGE = "10" * 15
WORDS = (
    "",
    " ",
    "nan",
    "inf",
    "-1",
    "0",
    "x",
    "1.5",
    "1e3",
    "None",
    "null",
    "[]",
    "{}",
    ".",
    "/",
    "0,1",
    HUGE,
)
WORDS += (
    "~nobody/x.npz",
    "own.npz",
    "vae",
    "vae/config.json",
    "no/such.npz",
    "-",
    "--",
    "ü",
    "a" * 300,
    "%s",
)
OPTIONS = (
    "--seed",
    "--size",
    "--beta",
    "--to",
    "--label",
    "--nonsense",
    "--root",
    "--domains",
    "--latent-dim",
)
ENDLESS = ("--num-epochs", "--latent-dim", "--devices")  # where a large number is no mistake, but a long wait


@dataclass
class Outcome:
    """What a command did: `result` is all that counts, `error` the exception that ended it."""

    code: int | str
    out: str
    err: str
    result: Any
    error: BaseException | None


class World:
    """Small runs of every kind and their images in one folder, made once and restored for each case."""

    def __init__(self, place: Path):
        self.place, self.whole = place / "world", place / "whole"
        self.place.mkdir()
        self.stack = contextlib.ExitStack()
        small = {"train": 12, "val": 6, "test": 6}
        self.stack.enter_context(mock.patch.object(sources, "PHANTOM_COUNTS", small))
        self.stack.enter_context(mock.patch.object(translation_eye, "SLICES", 16))
        self.stack.enter_context(contextlib.chdir(self.place))
        rng, arrays = np.random.default_rng(0), {}
        for split, count in (("train", 12), ("val", 6), ("test", 8)):
            arrays[f"{split}_images"] = rng.integers(0, 256, (count, SIZE, SIZE), dtype=np.uint8)
            arrays[f"{split}_labels"] = np.arange(count)[:, None] % 2
        np.savez("own.npz", **arrays)
        np.savez("images.npz", images=arrays["test_images"])
        np.savez("phantom.npz", images=rng.integers(0, 256, (3, 32, 32), dtype=np.uint8))
        for name, words in TRAIN.items():
            epochs = "2" if name in FALLING else "1"
            done = self.run(["train", *words, "--out", name, "--num-epochs", epochs, "--device", "cpu"])
            assert done.code == 0, done
        shutil.copytree(self.place, self.whole)
        self.known: dict[tuple[str, ...], Any] = {}

    def close(self) -> None:
        self.stack.close()

    def restore(self) -> None:
        for path in self.place.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.whole, self.place, dirs_exist_ok=True)

    def files(self) -> dict[str, str]:
        """Path -> checksum of all that is there."""
        found = (path for path in sorted(self.place.rglob("*")) if path.is_file())
        return {str(p.relative_to(self.place)): hashlib.md5(p.read_bytes()).hexdigest() for p in found}

    def run(self, words: list[str]) -> Outcome:
        """One command in this process."""
        out, err, seen, tell = io.StringIO(), io.StringIO(), [], program._in_words
        with (
            mock.patch.object(program, "_in_words", lambda error: seen.append(error) or tell(error)),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                code = cli.main(words)
            except SystemExit as left:
                code = left.code
            except BaseException as error:
                seen, code = [error], "traceback"
        error = seen[0] if seen else None
        result = self.result(words, out.getvalue()) if code == 0 else None
        return Outcome(code, out.getvalue(), err.getvalue(), result, error)

    def result(self, words: list[str], told: str) -> Any:
        """What must be the same with and without a damage that is not noticed."""
        if "--json" in words:
            found = json.loads(told)
            for about in (found, found.get("measured_on", {})):
                about.pop("source", None)  # the checksum of the file, not of the images
            found.get("measured_on", {}).pop("weights", None)
            return found
        out = Path(words[words.index("--out") + 1]) if "--out" in words else None
        if out is not None and out.suffix == ".npz":
            with np.load(out) as arrays:
                return {name: arrays[name].tolist() for name in arrays}
        if out is not None and (out / "model.safetensors").is_file():
            tensors = load_file(out / "model.safetensors")  # beside them stands where the images lie
            return {name: hashlib.md5(tensor.tobytes()).hexdigest() for name, tensor in tensors.items()}
        return told

    def commands(self, name: str) -> list[list[str]]:
        """What can be done with a run."""
        found = [["evaluate", name, "--json", "--importance-samples", "2", "--device", "cpu"]]
        if name in ("vae", "gan", "classes"):
            found.append(["sample", name, "--n", "3", "--out", "new.npz"])
        if name in FALLING:
            images = "images.npz" if name == "cyclegan" else "phantom.npz"
            found.append(["translate", name, images, "--to", "b", "--out", "new.npz"])
        found.append(
            ["train", *TRAIN[name], "--out", name, "--num-epochs", "2", "--device", "cpu", "--resume"]
        )
        return found

    def undamaged(self, words: list[str]) -> Any:
        """The result of a command in the whole world."""
        key = tuple(words)
        if key not in self.known:
            self.restore()
            done = self.run(words)
            assert done.code == 0, done
            self.known[key] = done.result
        return self.known[key]


def damaged(world: World, rng: Random) -> tuple[str, str]:
    """One case of damage to a file: what was done, and what is wrong with the answer ("" for nothing)."""
    name = rng.choice(sorted(TRAIN))
    words = rng.choice([*world.commands(name), ["data", "own.npz", "--json"]])
    expected = world.undamaged(words)
    world.restore()
    if words[0] == "data":
        files = [world.place / "own.npz"]
    else:
        files = [path for path in sorted((world.place / name).iterdir()) if path.is_file()]
        files += [world.place / word for word in words if word.endswith(".npz") and word != "new.npz"]
        if rng.random() < 0.5:
            files = [path for path in files if path.suffix in (".json", ".npz")] or files
    path = rng.choice(files)
    way = rng.choice(ways(path))
    way(path, rng)
    before = world.files()
    done = world.run(words)
    told = f"{way.__name__} {path.relative_to(world.place)}; medgen {' '.join(words)}"
    wrong = judge(world, done, before, words)
    given = way is swap and words[0] == "translate" and path.name in words  # other images were given
    if not wrong and done.code == 0 and done.result != expected and not given:
        wrong = "exit 0 with another result"
    return told, wrong


def mistaken(world: World, rng: Random) -> tuple[str, str]:
    """One case of wrong words on the command line."""
    name = rng.choice(sorted(TRAIN))
    words = list(rng.choice([*world.commands(name), ["data", "own.npz"], ["run", "no_such"]]))
    for _ in range(rng.randint(1, 2)):
        place, way = rng.randrange(1, len(words)), rng.random()
        if words[0] == "run" or way < 0.15:  # without its word, it would run the course
            words.insert(place, rng.choice(WORDS))
        elif way < 0.75:
            words[place] = rng.choice(
                [word for word in WORDS if words[place - 1] not in ENDLESS or word != HUGE]
            )
        elif way < 0.9 and len(words) > 2:
            del words[place]
        else:
            words += [rng.choice(OPTIONS), rng.choice(WORDS)]
    world.restore()
    before = world.files()
    done = world.run(words)
    return f"medgen {' '.join(map(repr, words))}", judge(world, done, before, words)


def judge(world: World, done: Outcome, before: dict[str, str], words: list[str]) -> str:
    """What is wrong with an answer, whatever the result: "" for nothing."""
    if done.code == "traceback" or "this is a bug" in done.err:
        return "".join(traceback.format_exception(done.error))
    lines = [line for line in done.err.splitlines() if not line.startswith("medgen: warning: ")]
    after = world.files()
    changed = [name for name, mark in before.items() if after.get(name) != mark]
    if done.code == 0:
        allowed = "metrics.json" if words[0] == "evaluate" else ""
        changed = [name for name in changed if not name.endswith(allowed or "\0")]
        return f"overwritten: {changed}" if changed and words[0] != "train" else ""
    if len(lines) != 1 or not lines[0].startswith("medgen") or done.code not in (1, 2):
        return f"exit {done.code} with {len(lines)} lines: {done.err[:500]!r}"
    if isinstance(done.error, ValueError):
        last = Path(traceback.extract_tb(done.error.__traceback__)[-1].filename)
        if PACKAGE not in last.parents:
            return f"the words of {last.name}, not of the course: {done.err!r}"
    if words[0] == "train" and isinstance(done.error, OSError):
        return ""  # a file that cannot be written is met after the epochs that could be
    return f"failed, and overwritten: {changed}" if changed else ""


def cases(world: World, seed: int, first: int = 0) -> Iterator[tuple[str, str]]:
    """Cases without end, the same for the same seed and number: what was done, and what is wrong."""
    index = first
    while True:
        rng = Random(f"{seed} {index}")
        yield (mistaken if index % 4 == 3 else damaged)(world, rng)
        index += 1

"""`medgen`: the package's functions from a shell. What is heavy is imported by the command that needs it."""

import os
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from json import dumps as dump_json
from pathlib import Path
from typing import Any, Literal

from docstring_parser import parse as parse_docstring

from medgen_course.arguments import Parser, add_options
from medgen_course.files import quoted
from medgen_course.pack.settings import Settings

SITE = Path("build/site")  # of `medgen site`; its explorers come to life on the pages of `medgen run`, too
EXIT_CODES = "exit codes: 0 fine; 1 a failure, a lack or a bug; 2 wrong usage or input; 130 interrupted"


def doctor() -> int:
    """Check this machine: Python, packages, torch and its devices, image files, disk, browser.

    Returns:
        0, or 1 when the course cannot run as it is.
    """
    from medgen_course.doctor import examine

    findings = examine()
    width = max(len(finding.topic) for finding in findings)
    for finding in findings:
        print(f"{finding.mark:7}  {finding.topic:{width}}  {finding.text}")
        if finding.remedy:
            print(f"{'':7}  {'':{width}}  -> {finding.remedy}")
    return int(any(finding.mark == "PROBLEM" for finding in findings))


def data(
    name: str | None = None,
    size: int = 28,
    root: Path | None = None,
    json: bool = False,
    clear_cache: bool = False,
) -> int:
    """Describe and audit images: counts, classes, grey levels, repeats, images shared between splits.

    Args:
        name: a MedMNIST name, "phantom", or the path of your own .npz.
        size: side of the images in pixels (28, 64, 128, 224).
        root: folder to look in first, before MEDMNIST_ROOT, data/ and ~/.medmnist.
        json: print JSON for scripts.
        clear_cache: remove what was unpacked of files that are too large for the memory, beside the file that
            is named or, without a name, in the folders that are searched; nothing else is done.
    """
    from medgen_course import datasets
    from medgen_course.datasets.audit import audit

    if clear_cache:
        return _clear_cache(name, root)
    if name is None:
        raise ValueError("of which images? Give a MedMNIST name, phantom, or the path of your own .npz.")

    loaded = datasets.load(name, root=root, size=size)
    found = audit(loaded)
    if json:
        print(dump_json({"name": loaded.name, "source": loaded.source, **found}, indent=2))
        return 0
    print(loaded)
    _print_audit(found)
    return 0


def _clear_cache(name: str | None, root: Path | None) -> int:
    from medgen_course.datasets import fetch, mapped

    folders = [place.folder for place in fetch.places(root)] if name is None else [Path(name).parent]
    cleared = {path: size for folder in folders for path, size in mapped.clear(folder).items()}
    for path, size in cleared.items():
        print(f"{path}: removed, {size / 1e6:,.1f} MB")
    if not cleared:
        print(f"nothing is unpacked in {', '.join(map(str, folders))}")
    return 0


def _print_audit(found: dict[str, Any]) -> None:
    for split, facts in found["splits"].items():
        grey = facts["grey"]
        classes = ", ".join(f"{label} {count:,}" for label, count in facts["classes"].items())
        print(f"\n{split}: {facts['count']:,} images; {classes}")
        print(f"  grey levels {grey['min']} to {grey['max']}, mean {grey['mean']:.1f}, std {grey['std']:.1f}")
        print(f"  exact repeats within: {found['audit']['repeats'][split]}")
    shared = ", ".join(f"{pair} {count}" for pair, count in found["audit"]["shared"].items())
    print(f"\ndistinct images shared between splits: {shared}")
    for doubt in found["audit"]["doubts"]:
        print(f"doubtful: {doubt}")


def pack(source: Path, out: Path, **settings: Any) -> int:
    """Pack own images (PNG, JPEG, TIFF, DICOM, NIfTI) into one .npz in the course's layout.

    Args:
        source: a folder with a folder for each class, or a table file,label[,group][,split] (.csv).
        out: the .npz to be written; its name works wherever a data set is asked for.
    """
    from medgen_course.pack.packing import pack as pack_images

    packed = pack_images(source, out, **settings)
    for title, text in packed.facts:
        print(f"{title:8}{text}")
    for warning in packed.warnings:
        print(f"warning: {warning}")
    _print_audit(packed.audit)
    return 0


def evaluate(
    folder: Path,
    dataset: str | None = None,
    device: str = "auto",
    importance_samples: int = 200,
    anomaly: str | None = None,
    json: bool = False,
) -> int:
    """Measure a trained model on the test split and write metrics.json into its run folder.

    Args:
        folder: the run folder that `medgen train` wrote.
        dataset: other images than those it was trained on, or the place to which these have moved.
        device: auto, cpu, cuda or mps.
        importance_samples: draws for the importance-weighted likelihood of a VAE; 0 leaves it out.
        anomaly: a class that counts as normal, by name or number: only measure how well the model tells all
            others from it, and write anomaly.json.
        json: print JSON for scripts.
    """
    from medgen_course import runs

    figures = runs.measure(folder, dataset, device, importance_samples, anomaly)
    if json:
        print(dump_json(figures.json(), indent=2))
    else:
        print(f"Measured on {figures.measured_on['dataset']} ({figures.measured_on['source']}).")
        legend = runs.kind_of(folder).LEGEND if anomaly is None else runs.anomaly.LEGEND
        _print_figures(figures.rows, legend)
    runs.store(folder, figures)  # last: who cannot write there has seen the figures
    return 0


def _print_figures(measured: dict[str, dict[str, Any]], legend: str) -> None:
    ends = [name for name in ("worst", "blurred", "best") if any(name in row for row in measured.values())]
    print(f"{'test split':21}  {'mean':>9}  {'interval':>20}" + "".join(f"  {name:>9}" for name in ends))
    for name, row in measured.items():
        low_high = f"{_number(row['low'])} to {_number(row['high'])}" if "low" in row else "-"
        cells = "".join(f"  {_number(row.get(end)):>9}" for end in ends)
        print(f"{name:21}  {_number(row['value']):>9}  {low_high:>20}{cells}")
    print(legend.format(**measured))
    notes = {row["note"]: [n for n in measured if measured[n].get("note") == row["note"]]
             for row in measured.values() if "note" in row}  # fmt: skip
    for note, names in notes.items():
        print(f"{', '.join(names)}: {note}.")


def sample(folder: Path, n: int, out: Path, seed: int = 0, label: int | None = None) -> int:
    """Draw images from a trained generative model into an .npz.

    Args:
        folder: the run folder that `medgen train` wrote.
        n: number of images.
        out: the .npz to be written, with `images` in MedMNIST's layout, and `labels` where there are classes.
        seed: of the draws.
        label: the class wanted from a conditional GAN; by default as often as they were in training.
    """
    from medgen_course import runs

    images, _ = runs.sample(folder, n, out, seed, label)
    print(f"{len(images)} images, {images.dtype} {images.shape}, written to {out}")
    return 0


def translate(folder: Path, images: Path, to: Literal["a", "b"], out: Path) -> int:
    """Translate images with a trained CycleGAN or pix2pix.

    Args:
        folder: the run folder that `medgen train` wrote.
        images: the .npz to be translated, with `images`, or with train_images, val_images, test_images.
        to: the domain wanted; a run's config.json names a and b.
        out: the .npz to be written, with arrays of the same names.
    """
    from medgen_course import runs

    for name, array in runs.translate(folder, images, to, out).items():
        print(f"{name}: {len(array)} images, {array.dtype} {array.shape}, written to {out}")
    return 0


def score(folder: Path, images: Path, out: Path) -> int:
    """Say of every image how anomalous it is for a trained autoencoder or VAE.

    Args:
        folder: the run folder that `medgen train` wrote, best with --normal-class.
        images: the .npz to be scored, with `images`, or with train_images, val_images, test_images.
        out: the .csv to be written, a line for each image, higher is more anomalous; the maps go into an .npz
            of the same name.
    """
    from medgen_course import runs

    for name, count in runs.score(folder, images, out).items():
        print(f"{name}: {count} images scored, written to {out}, maps to {out.with_suffix('.npz')}")
    return 0


def enhance(folder: Path, images: Path, out: Path, consistent: bool = False) -> int:
    """Make better images with a trained enhancer.

    Args:
        folder: the run folder that `medgen train enhancer` wrote.
        images: the .npz to be enhanced, with `images`, or with train_images, val_images, test_images.
        out: the .npz to be written, with arrays of the same names.
        consistent: change the answer as little as possible so that it agrees with what was measured.
    """
    from medgen_course import runs

    for name, array in runs.enhance(folder, images, out, consistent).items():
        print(f"{name}: {len(array)} images, {array.dtype} {array.shape}, written to {out}")
    return 0


def segment(folder: Path, images: Path, out: Path) -> int:
    """Draw masks of what a trained segmenter finds in images.

    Args:
        folder: the run folder that `medgen train segmenter` wrote.
        images: the .npz to be segmented, with `images`, or with train_images, val_images, test_images.
        out: the .npz to be written, with `masks`, or train_masks, ...: 1 inside and 0 outside, (N, H, W), or
            (N, H, W, K) of K structures, named in `mask_names`.
    """
    from medgen_course import runs

    for name, array in runs.segment(folder, images, out).items():
        print(f"{name}: {len(array)} images segmented, {array.dtype} {array.shape}, written to {out}")
    return 0


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def run(
    notebooks: Sequence[str] = (),
    profile: Literal["standard", "quick"] = "standard",
    dataset: str | None = None,
    out: Path = Path("build/course"),
    in_place: bool = False,
    jobs: int | None = None,
) -> int:
    """Execute notebooks; write them, an HTML page each and an index with a table.

    Args:
        notebooks: numbers (1), names (autoencoder) or files; none runs the whole course.
        profile: standard, or quick for a check in seconds.
        dataset: images for every notebook in place of its own choice.
        out: folder for what is written.
        in_place: store the executed notebooks where they lie, to be committed; standard profile, real images.
        jobs: notebooks at a time, each with its share of the cores; by default what cores and memory allow.
    """
    from medgen_course import course

    if in_place:
        if profile != "standard" or dataset is not None:
            raise ValueError("--in-place stores the standard profile on a notebook's own images.")
        left = course.refresh(notebooks, jobs=jobs)
        for line in left:
            print(f"medgen: {line}", file=sys.stderr)
        return int(bool(left))
    results = course.run(notebooks, profile, dataset, out, jobs=jobs)
    if SITE.is_dir():
        from medgen_course.site.attach import attach

        print(f"Explorers of {SITE} that are alive on these pages: {attach(results, out, SITE)}")
    return int(any(result.errors for result in results))


def release(
    notebooks: Sequence[str] = (),
    out: Path = Path("student"),
    nbgrader: bool = False,
    seed_by_student: Path | None = None,
) -> int:
    """Write the students' edition, which runs: no solutions, exercises with numbers and points.

    Args:
        notebooks: numbers (1), names (autoencoder) or files; none takes the whole course.
        out: an empty or new folder; docs/grading.md goes on from here.
        nbgrader: write source/NAME/NAME.ipynb with nbgrader's metadata, and nbgrader_config.py.
        seed_by_student: a CSV file with a column `student`: each gets a folder and a bug hunt of their own.
    """
    from medgen_course import classroom

    for line in classroom.release(out, notebooks, nbgrader, seed_by_student):
        print(line)
    print(f"Written to {quoted(out)}. What comes back: medgen grade SUBMISSIONS --out grades.csv")
    return 0


def grade(
    submissions: Path,
    notebooks: Sequence[str] = (),
    out: Path = Path("grades.csv"),
    seconds: float = 600.0,
    memory: float = 4.0,
    jobs: int | None = None,
) -> int:
    """Grade a folder of submissions, each in a process of its own; no sandbox against malice.

    Args:
        submissions: a folder with a folder for each student. They run with your rights; docs/grading.md has
            the line for a container without a network.
        notebooks: lessons to grade; none takes those that somebody has handed in.
        out: the table; pages for the class and each student go into a folder beside it.
        seconds: wall-clock that an exercise may take, with the cells that it needs.
        memory: GB that a submission may take.
        jobs: submissions at a time; by default one for each core.
    """
    from medgen_course import classroom

    classroom.grade(submissions, out, notebooks, seconds, memory, jobs)
    print(f"Written to {quoted(out)}; read on: {quoted(out.with_suffix('') / 'index.html')}")
    return 0


def site(out: Path = SITE) -> int:
    """Write the course as web pages on which the explorers work without Python (needs Node.js).

    Args:
        out: folder for the pages; what an earlier build left there is replaced.
    """
    from medgen_course.site.build import build_site

    build_site(out)
    print(f"Written to {quoted(out)}. To look at it: python -m http.server --directory {quoted(out)}")
    return 0


def train(model: str, **settings: Any) -> int:
    """Train a model into a run folder."""
    from medgen_course.runs import kind_named

    history = kind_named(model).train(**settings)
    if os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0":
        out = quoted(settings["out"])
        print(f"{history!r}\nWritten to {out}. Measure it: medgen evaluate {out}")
    return 130 if history.interrupted else 0


def _commands() -> tuple[tuple[Callable, Sequence[str], Any], ...]:
    """All but `train`, which has commands of its own: function, what has no dashes, its **settings."""
    return (
        (doctor, (), None),
        (data, ("name",), None),
        (evaluate, ("folder",), None),
        (sample, ("folder",), None),
        (translate, ("folder", "images"), None),
        (score, ("folder", "images"), None),
        (enhance, ("folder", "images"), None),
        (segment, ("folder", "images"), None),
        (run, ("notebooks",), None),
        (pack, ("source",), Settings()),
        (release, ("notebooks",), None),
        (grade, ("submissions", "notebooks"), None),
        (site, (), None),
    )


def parser(training: bool = True) -> Parser:
    """The command line; help texts are those of the docstrings.

    Args:
        training: whether the options of `medgen train` are wanted: they are those of functions whose import
            brings torch, which takes seconds.
    """
    purpose = "A course on deep generative models for medical images, from the shell."
    top = Parser(prog="medgen", description=purpose, epilog=EXIT_CODES)
    top.add_argument("--version", action="version", version=f"medgen {version('medgen_course')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for function, positional, shared in _commands():
        add_options(_command(commands, function.__name__, function), function, positional, shared)
    models = _command(commands, "train", train).add_subparsers(dest="model", required=True, metavar="MODEL")
    if training:
        from medgen_course.runs.kinds import kinds_with

        for model, kind in kinds_with("train").items():
            add_options(_command(models, model, kind.train), kind.train, shared=kind.SETTINGS)
    return top


def _command(commands: Any, name: str, function: Callable) -> Parser:
    """A command of its own, described by the first line of a docstring."""
    about = parse_docstring(function.__doc__).short_description
    return commands.add_parser(name, help=about.rstrip("."), description=about)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM (a batch system's warning) and SIGHUP (the terminal was closed) end a command like Ctrl-C.

    A SIGHUP that is ignored already (`nohup`) stays so. Only a program's first thread may set signals.
    """

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) is signal.SIG_DFL}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(words: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        words: the command line after `medgen`; None takes the process's own.
    Returns:
        The exit code. What goes wrong is one line on stderr, see `_in_words`; `python -X dev -m
        medgen_course.cli` shows the traceback.
    """
    words = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console may lack a letter
    settings = vars(parser(training=words[:1] == ["train"]).parse_args(words))
    command = settings.pop("command")
    try:
        with _stopped_by_signals(), warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: _say(f"warning: {message}")
            functions = {function.__name__: function for function, *_ in _commands()} | {"train": train}
            return functions[command](**settings)
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        told, code = _in_words(error)
        _say(told)
        return code


def _say(told: str) -> None:
    """One line on stderr."""
    print(f"medgen: {' '.join(told.split())}", file=sys.stderr)


def _in_words(error: Exception) -> tuple[str, int]:
    """What to tell of an error, and the exit code: 2 where the user can do something, 1 for a bug."""
    if isinstance(error, MemoryError) or re.search("allocate memory|out of memory", str(error)):
        told = f"there is not enough memory ({error})"[:300]
        return f"{told}. Ask for fewer or smaller images, smaller batches or a smaller network.", 2
    if isinstance(error, ValueError | OSError):
        return str(error), 2
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"this is a bug of medgen_course {version('medgen_course')}, not of yours: {type(error).__name__}: "
        f"{error} ({Path(place.filename).name}, line {place.lineno}). Please report it where you got the "
        "course, with what `python -X dev -m medgen_course.cli` and the rest of your command prints.",
        1,
    )


if __name__ == "__main__":
    sys.exit(main())

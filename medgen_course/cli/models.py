"""`medgen train`, and what a trained model can do; `medgen_course.runs`, which is heavy, is imported late."""

import os
from json import dumps as dump_json
from pathlib import Path
from typing import Any, Literal

from medgen_course.files import quoted


def train(model: str, **settings: Any) -> int:
    """Train a model into a run folder."""
    from medgen_course.runs import kind_named

    history = kind_named(model).train(**settings)
    if os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0":
        out = quoted(settings["out"])
        print(f"{history!r}\nWritten to {out}. Measure it: medgen evaluate {out}")
    return 130 if history.interrupted else 0


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


def audit(folder: Path, dataset: str | None = None, json: bool = False) -> int:
    """Say what a VAE or GAN gives away of its training images: copies, attacks, and what chance gives.

    Args:
        folder: the run folder that `medgen train` wrote.
        dataset: the place to which the images have moved that it was trained on.
        json: print JSON for scripts.
    """
    from medgen_course import runs

    figures = runs.audit(folder, dataset)
    if json:
        print(dump_json(figures.json(), indent=2))
        return 0
    print(f"Measured on {figures.measured_on['dataset']} ({figures.measured_on['source']}).")
    print(f"{'':32}  {'value':>9}  {'interval':>20}  {'null':>20}")
    for name, row in figures.rows.items():
        ends = [
            f"{_number(row[low])} to {_number(row[high])}" if low in row else "-"
            for low, high in (("low", "high"), ("null_low", "null_high"))
        ]
        print(f"{name:32}  {_number(row['value']):>9}  {ends[0]:>20}  {ends[1]:>20}")
        if "note" in row:
            print(f"  {row['note']}")
    print(runs.privacy_audit.legend(figures.measured_on))
    return 0


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


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

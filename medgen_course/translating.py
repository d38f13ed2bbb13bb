"""Translate a file of images with a trained run."""

from pathlib import Path

import numpy as np

from medgen_course import layout
from medgen_course.npz import problem
from medgen_course.runs_translation import load_translators
from medgen_course.samples import save_images
from medgen_course.transforms import to_uint8
from medgen_course.translators import Direction


def translate(folder: Path, images: Path, to: Direction, out: Path) -> dict[str, np.ndarray]:
    """Translate every array of images in an .npz.

    Args:
        folder: the run folder of a CycleGAN or a pix2pix.
        images: an .npz with `images`, or with several arrays such as `test_images`, in MedMNIST's layout.
        to: the domain wanted, "a" or "b"; the images are from the other one.
        out: an .npz to be written, with arrays of the same names.
    Returns:
        Name -> uint8 (N, C, H, W), as written (but for the place of the channels).
    Raises:
        RunNotFound, RunError: there is no run, or it does not translate.
        DatasetError: the images cannot be used.
        ValueError: `out` does not end in .npz, or there is no translator to this domain.
    """
    if out.suffix != ".npz":
        raise ValueError(f"out is {out}; its name must end in .npz.")
    translators, _ = load_translators(folder)
    channels, size = translators[to].config["in_channels"], translators.size
    made = {}
    for name, array in layout.read_images(images).items():
        if array.shape[1:] != (channels, size, size):
            raise problem(
                f"{images} [{name}]",
                f"images of {array.shape[1]} channels and {array.shape[2]} x {array.shape[3]} pixels",
                f"{channels} channels and {size} x {size} pixels, as the translator to {to} was trained on",
                "resize the images, or train on images of this size",
            )
        made[name] = to_uint8(translators.translate(array, to)).numpy()
    save_images(out, made)
    return made

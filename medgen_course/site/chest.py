"""The images that most explorers show on a page."""

import warnings

from medgen_course import datasets
from medgen_course.datasets import Dataset


def chest() -> Dataset:
    """PneumoniaMNIST where it is at hand, else the phantom; the page says which, so no warning is needed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", datasets.PhantomFallback)
        return datasets.load("pneumoniamnist", fallback="phantom")

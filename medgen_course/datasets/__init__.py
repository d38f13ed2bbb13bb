"""Where images come from: MedMNIST, the built-in phantom, or an own `.npz`; all become a `Dataset`."""

from medgen_course.datasets.errors import DatasetError
from medgen_course.datasets.fetch import DatasetUnavailable
from medgen_course.datasets.sources import Dataset, PhantomFallback, Split, load, names

__all__ = ["Dataset", "DatasetError", "DatasetUnavailable", "PhantomFallback", "Split", "load", "names"]

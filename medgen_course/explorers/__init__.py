"""Widgets to explore data and models: thin wiring over render.py, tested by setting their values."""

from medgen_course.explorers.base import Explorer
from medgen_course.explorers.data import DataExplorer
from medgen_course.explorers.latent import LatentExplorer
from medgen_course.explorers.picture import Picture
from medgen_course.explorers.position_map import PositionMap
from medgen_course.explorers.sliders import Sliders

__all__ = ["DataExplorer", "Explorer", "LatentExplorer", "Picture", "PositionMap", "Sliders"]

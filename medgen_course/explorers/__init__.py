"""Widgets to explore data and models: thin wiring over render.py, tested by setting their values."""

from medgen_course.explorers.anomaly import AnomalyExplorer
from medgen_course.explorers.beta import BetaExplorer
from medgen_course.explorers.data import DataExplorer
from medgen_course.explorers.enhancement import EnhancementExplorer
from medgen_course.explorers.enhancement_view import Task
from medgen_course.explorers.few_labels import FewLabelsExplorer
from medgen_course.explorers.gan import GANExplorer
from medgen_course.explorers.generator import GeneratorExplorer
from medgen_course.explorers.growing import GrowingExplorer
from medgen_course.explorers.latent import LatentExplorer
from medgen_course.explorers.parts.base import Explorer
from medgen_course.explorers.parts.picture import Picture
from medgen_course.explorers.parts.position_map import PositionMap
from medgen_course.explorers.parts.sliders import Sliders
from medgen_course.explorers.parts.upload import PictureError, Upload, fit_picture
from medgen_course.explorers.sandbox import MetricSandbox
from medgen_course.explorers.translation import TranslationExplorer
from medgen_course.explorers.trust import TrustExplorer
from medgen_course.explorers.trust_view import Subject
from medgen_course.explorers.vae_latent import VAELatentExplorer, reconstruction_errors

__all__ = [
    "AnomalyExplorer", "BetaExplorer", "DataExplorer", "EnhancementExplorer", "Explorer",
    "FewLabelsExplorer", "GANExplorer", "GeneratorExplorer", "GrowingExplorer", "LatentExplorer",
    "MetricSandbox", "Picture", "PictureError", "PositionMap", "Sliders", "Subject", "Task",
    "TranslationExplorer", "TrustExplorer", "Upload", "VAELatentExplorer", "fit_picture",
    "reconstruction_errors",
]  # fmt: skip

"""The loop that trains every algorithm, run folders, histories, devices, flight recordings."""

from medgen_course.training.checkpoints import RunError, RunFolder, RunNotFound
from medgen_course.training.devices import make_fabric
from medgen_course.training.history import History
from medgen_course.training.loop import TrainingDiverged, fit

__all__ = ["History", "RunError", "RunFolder", "RunNotFound", "TrainingDiverged", "fit", "make_fabric"]

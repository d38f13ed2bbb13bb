"""Trained models as run folders: one file a kind of model, one table of kinds, the verbs of the shell."""

from medgen_course.runs.kinds import KINDS, kind_named
from medgen_course.runs.making import enhance, sample, score, segment, translate
from medgen_course.runs.measuring import Figures, audit, evaluate, measure, store
from medgen_course.runs.opening import kind_of, load

__all__ = [
    "KINDS",
    "Figures",
    "audit",
    "enhance",
    "evaluate",
    "kind_named",
    "kind_of",
    "load",
    "measure",
    "sample",
    "score",
    "segment",
    "store",
    "translate",
]

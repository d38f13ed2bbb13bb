"""Trained models as run folders: one file a kind of model, one table of kinds, the verbs of the shell."""

from medgen_course.runs.kinds import KINDS, kind_named
from medgen_course.runs.verbs import (
    Figures,
    enhance,
    evaluate,
    kind_of,
    load,
    measure,
    sample,
    score,
    segment,
    store,
    translate,
)

__all__ = [
    "KINDS",
    "Figures",
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

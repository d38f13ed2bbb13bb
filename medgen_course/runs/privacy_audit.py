"""What a run gives away of its training images; see `metrics/trust/examination.py`.

(What to know of images before they are learnt from is another audit, `datasets/audit.py`.)
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from medgen_course.datasets import Dataset
from medgen_course.datasets.anomalies import normal_class
from medgen_course.metrics.memorisation import QUANTILE
from medgen_course.metrics.trust.examination import FEWEST, SAMPLES, Rows, examine, sides, some
from medgen_course.training import RunError, RunFolder

MOST_BYTES = 2**29  # of samples: large images are fewer
LEGEND = (
    "Members: {members} training images; others: {others} of val; repeats and shared images are left out. "
    "auc: 0.5 is guessing; tpr: members found where 1 % of the others are accused. null: 95 % of random "
    "halves of one kind, where there is nothing to find, lie there. The control asks no model: outside its "
    "null the splits differ in themselves, and other attacks will seem to work. Memorisation of an honest "
    "model: about {honest:.2f}."
)


@dataclass(frozen=True)
class Examined:
    """The rows of `examination.examine`, and how many images stood on each side."""

    rows: Rows
    members: int
    others: int


def measure(
    kind: ModuleType, run: RunFolder, model: Any, config: dict[str, Any], data: Dataset, seed: int = 0
) -> Examined:
    """Copies among the samples of a run and every attack that its kind allows.

    Args:
        kind, run, model, config: of the run folder.
        data: the images that it was trained on; where it saw one class alone, others are of this class too.
        seed: of samples and draws.
    Raises:
        RunError: there are too few images.
    """
    train, val = data.train, data.val
    if "normal_class" in config:
        number = normal_class(data, config["normal_class"])
        train, val = (some(part, np.flatnonzero(part.labels == number)) for part in (train, val))
    try:
        members, others = sides(train, val, seed)
    except ValueError as error:
        raise RunError(f"{data.name}: {error}") from error
    count = min(SAMPLES, max(FEWEST, MOST_BYTES // data.train.images[0].nbytes))
    samples, _ = kind.sample(model, config, count, seed)
    rows = examine(samples, kind.audit(run, config, model), train.images, members, others)
    return Examined(rows, len(members), len(others))


def legend(measured_on: dict[str, Any]) -> str:
    """How the rows are to be read."""
    return LEGEND.format(**measured_on, honest=QUANTILE)

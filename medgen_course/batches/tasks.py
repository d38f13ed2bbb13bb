"""The degradations by name, as the shell and the notebook ask for them."""

from medgen_course.batches.degradations import Coarse, Degradation, Hole, LowDose, Rician
from medgen_course.batches.kspace import Lines

STRENGTHS = {"denoise": 0.1, "lowdose": 30.0, "superres": 2.0, "mri": 0.25, "inpaint": 0.1}  # by default
TELLS = {
    "denoise": "Rician noise, σ",
    "lowdose": "photons at black",
    "superres": "factor",
    "mri": "share of k-space",
    "inpaint": "share of the area",
}


def degradation(task: str, strength: float | None = None) -> Degradation:
    """The degradation of a task.

    Args:
        task: one of `STRENGTHS`.
        strength: what `TELLS` says; None takes the usual one.
    Raises:
        ValueError: there is no such task, or the strength is out of its range.
    """
    if task not in STRENGTHS:
        raise ValueError(f"task is {task!r}; give one of {', '.join(STRENGTHS)}.")
    level = STRENGTHS[task] if strength is None else strength
    if task == "superres":
        return Coarse(int(level) if level == int(level) else level)
    return {"denoise": Rician, "lowdose": LowDose, "mri": Lines, "inpaint": Hole}[task](level)

"""How anomalous an image is, what that has to be compared with, and how well anomalies are found."""

from medgen_course.metrics.anomaly.scores import Scored

__all__ = ["Scored"]

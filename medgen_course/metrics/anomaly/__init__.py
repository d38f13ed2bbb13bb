"""How anomalous an image is, what that has to be compared with, and how well anomalies are found."""

from medgen_course.metrics.anomaly.scores import Detector, Scored, by_reconstruction

__all__ = ["Detector", "Scored", "by_reconstruction"]

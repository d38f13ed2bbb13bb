"""A move on the anomaly explorer with the shipped detectors, and what a detector costs an image.

The slice is drawn anew for every move: phantom, lesion, noise; then it is rebuilt, scored and drawn.
"""

import time

from timing import in_turn, latency, machine

from medgen_course import explorers, pretrained
from medgen_course.datasets.anomalies import phantom_anomalies
from medgen_course.metrics.anomaly import shelf


def detectors(train) -> dict:
    networks = shelf.of_autoencoder(pretrained.load_anomaly("phantom", "anomaly_small"))
    networks |= shelf.of_vae(pretrained.load_anomaly("phantom", "anomaly_vae_t2w"))
    return shelf.simple(train) | networks


def explorer(found, trial) -> None:
    names = [name for name in found if "K =" not in name]
    shown = explorers.AnomalyExplorer({name: found[name] for name in names}, trial)
    for name in names:
        shown.detector.value = name
        latency(f"anomaly explorer, {name}, place", lambda i: setattr(shown.x, "value", i % 40), count=60)
    latency("anomaly explorer, threshold", lambda i: setattr(shown.flagged, "value", i % 50 / 100), count=60)


def cost(found, trial) -> None:
    images = trial.healthy[:60]
    sides = {name: lambda d=detector: d.score(images) for name, detector in found.items()}
    for name, seconds in in_turn(sides, rounds=3).items():
        print(f"{name}: {1000 * seconds / len(images):.2f} ms an image")


if __name__ == "__main__":
    started, task = time.perf_counter(), phantom_anomalies(counts=(512, 1, 1))
    print(f"phantom, 64 px; {machine()}")
    made = detectors(task.train)
    cost(made, task.val)
    explorer(made, task.val)
    print(f"({time.perf_counter() - started:.0f} s)")

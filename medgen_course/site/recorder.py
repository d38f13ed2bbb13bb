"""The flight recorder on a page: the recorded runs of notebook 03 as they are; there is no network to run."""

from typing import Any

import numpy as np

from medgen_course import pretrained
from medgen_course.explorers.gan import GANExplorer
from medgen_course.pictures import render_gan
from medgen_course.site.charts import png
from medgen_course.site.controls import described
from medgen_course.site.live import Live
from medgen_course.training.recorder import Recording


def explorer() -> GANExplorer:
    """The explorer of notebook 03 as it stands there: what went on in the runs is not given away."""
    recorded = pretrained.load_recordings().values()
    return GANExplorer({f"run {i}": recording for i, recording in enumerate(recorded, 1)})


def build() -> Live:
    """The explorer and all that it shows."""
    shown, runs = explorer(), []
    groups = shown.group.options
    for name in shown.run.options:
        shown.run.value = name
        runs.append(_run(shown, shown.recording) | {"curves": [_curves(shown, name, g) for g in groups]})
    shown.run.index = 0
    controls = described(run=shown.run, moment=shown.moment, curves=shown.group)
    words = {
        "alt": shown.picture.alt, "captions": shown.picture.captions, "map": shown.curves.label,
        "axes": (shown.curves.x_label, shown.curves.y_label), "play": shown.play.hint,
    }  # fmt: skip
    data: dict[str, Any] = {
        "controls": controls, "words": words, "runs": runs, "interval": shown.play.interval,
        "columns": render_gan.COLUMNS, "pad": render_gan.PAD, "gap": render_gan.GAP,
        "height": render_gan.HEIGHT, "sample": render_gan.SAMPLE,
    }  # fmt: skip
    about = shown.recording.about
    return Live(
        "recorder",
        "Four flight recordings",
        "Two networks play against each other. Play each run, watch images, verdicts and curves, and say "
        "what went on.",
        data=data,
        weights_note=f"Recorded while GANs trained on {about['dataset']}; see notebook 03.",
    )


def _run(shown: GANExplorer, recording: Recording) -> dict[str, Any]:
    """What is shown at each moment: samples, how often each verdict was given, the lines of numbers."""
    moments, texts = recording.moments, []
    for k in range(len(moments)):
        shown.moment.value = k
        texts.append(shown.picture.text)
    judged = [render_gan.counted(*pair) for pair in zip(recording.real, recording.fake, strict=True)]
    return {
        "moments": moments.astype(np.int32),
        "samples": recording.samples.ravel(),
        "shape": recording.samples.shape[1:],
        "verdicts": np.stack(judged).astype(np.int32).ravel(),
        "texts": texts,
    }


def _curves(shown: GANExplorer, run: str, group: str) -> dict[str, Any]:
    """A picture of curves, and where each moment lies on it."""
    timeline = shown.timeline(run, group)
    places = [timeline.position(int(step)) for step in shown._recordings[run].moments]
    return {
        "png": png(timeline.picture),
        "x_range": timeline.extent.x_range,
        "y_range": timeline.extent.y_range,
        "places": np.array(places, dtype=np.float64).ravel(),
    }

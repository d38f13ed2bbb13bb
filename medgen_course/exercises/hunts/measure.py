"""Mistakes in the measurement of a denoiser that has one strength (notebook 11)."""

MISTAKES = {
    "noisy": "The answer is compared with the noisy image, which is best when nothing is done.",
    "range": "The data range is taken from each image, so that dark images score worse with the same error.",
    "test": "The strength is chosen on the test images.",
    "pooled": "The errors of all images are averaged before the logarithm: that is not the mean PSNR.",
    "decibel": "20 log10 of a squared ratio counts every decibel twice.",
    "reported": "The figure that goes into the paper is that of the validation images.",
}
OWN = ("noisy", "range", "test")


def cells(mistakes: frozenset[str]) -> tuple[str, ...]:
    """The sources with these mistakes."""
    truth = "noisy" if "noisy" in mistakes else "clean"
    axes = "" if "pooled" in mistakes else "(1, 2, 3)"
    peak = "        peak = clean.amax((1, 2, 3)) - clean.amin((1, 2, 3))\n" if "range" in mistakes else ""
    top = "peak**2" if "range" in mistakes else "1"
    times = 20 if "decibel" in mistakes else 10
    choose, report = "test" if "test" in mistakes else "val", "val" if "reported" in mistakes else "test"
    return (
        f"""\
def my_measure(restore, strengths, val, test):
    def score(pair, strength):
        noisy, clean = pair
        made = restore(noisy, strength)
        error = (made - {truth}).square().mean({axes})
{peak}        return ({times} * torch.log10({top} / error.clamp(min=1e-10))).mean()

    best = max(strengths, key=lambda strength: score({choose}, strength))
    return best, score({report}, best)


exercises.check_measure_bug_hunt(my_measure)""",
    )

"""Mistakes around a detector of anomalies (notebook 10)."""

MISTAKES = {
    "leak": "The model is fitted on sick images too, and rebuilds what it should miss.",
    "test": "The threshold is chosen on the test images that it is then tried on.",
    "sick": "The threshold is chosen with sick images among the healthy ones, so that most are missed.",
    "below": "The images below the threshold are flagged, the healthy ones.",
    "scale": "Each map is drawn on a scale of its own, so that healthy images glow too.",
    "inverted": "The maps are drawn inverted: what glows is what was rebuilt best.",
}
OWN = ("leak", "test", "scale")


def cells(mistakes: frozenset[str]) -> tuple[str, ...]:
    """The sources with these mistakes."""
    healthy = "" if "leak" in mistakes else '[train["labels"] == 0]'
    name = "test" if "test" in mistakes else "val"
    first = "" if "test" in mistakes else '    scores_of_val = score(model, val["images"]).mean((1, 2))\n'
    some = "" if "sick" in mistakes else f'[{name}["labels"] == 0]'
    side = "<" if "below" in mistakes else ">"
    top = "maps.max((1, 2), keepdims=True)" if "scale" in mistakes else "maps.max()"
    flip = "1 - " if "inverted" in mistakes else ""
    return (
        f"""\
def my_detector(fit, score, train, val, test):
    "Threshold, flags of the test images, and their maps in [0, 1]."
    model = fit(train["images"]{healthy})
    maps = score(model, test["images"])
    scores_of_test = maps.mean((1, 2))
{first}    threshold = np.quantile(scores_of_{name}{some}, 0.9)
    drawn = {flip}maps / {top}
    return {{"threshold": threshold, "flagged": scores_of_test {side} threshold, "drawn": drawn}}


my_detector""",
    )

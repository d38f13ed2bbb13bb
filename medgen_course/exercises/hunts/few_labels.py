"""Mistakes in a study of synthetic pairs: what do they add to a few labelled slices (notebook 12)?"""

MISTAKES = {
    "seen": "The generator has seen the test slices, and draws pairs that are like them.",
    "empty": "Slices in which nothing is to be found count in the mean Dice, as 1 where nothing is found.",
    "flip": "Flipped images are learnt with masks that were not flipped.",
    "cut": "The threshold of the map is chosen on the test slices.",
    "budget": "The network with synthetic pairs is trained for more updates than the one without.",
    "alone": "The network with synthetic pairs does not get the real ones.",
}
OWN = ("seen", "empty", "flip")


def cells(mistakes: frozenset[str]) -> tuple[str, ...]:
    """The sources with these mistakes."""
    full = "np.ones(len(truth), bool)" if "empty" in mistakes else "truth.any((1, 2))"
    both = "np.concatenate([few[part], test[part]])"
    learnt = f'*({both} for part in ("images", "masks"))' if "seen" in mistakes else "images, masks"
    masks = "masks" if "flip" in mistakes else "masks[..., ::-1]"
    mixed = "[np.concatenate(two) for two in zip((images, masks), drawn, strict=True)]"
    pair = "drawn" if "alone" in mistakes else mixed
    updates = "10 * len(pair[0])" if "budget" in mistakes else "500"
    on = "test" if "cut" in mistakes else "val"
    return (
        f"""\
def my_dice(found, truth):
    "Mean Dice of masks (N, H, W), found and true."
    counted = {full}
    both, sizes = (found & truth).sum((1, 2)), found.sum((1, 2)) + truth.sum((1, 2))
    each = np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), 1.0)
    return each[counted].mean()""",
        f"""\
def my_study(generate, fit, segment, cuts, few, val, test):
    "Dice on test of a network without synthetic pairs, and of one with them."
    images, masks = few["images"], few["masks"]
    drawn = generate({learnt})
    images = np.concatenate([images, images[..., ::-1]])
    masks = np.concatenate([masks, {masks}])
    pairs, dice = {{"without": (images, masks)}}, {{}}
    pairs["with"] = {pair}
    for name, pair in pairs.items():
        model = fit(*pair, updates={updates})
        on_{on} = segment(model, {on}["images"])
        cut = max(cuts, key=lambda cut: my_dice(on_{on} > cut, {on}["masks"]))
        dice[name] = my_dice(segment(model, test["images"]) > cut, test["masks"])
    return dice""",
    )

"""Sentences of the explorers of a latent space, with places for numbers; the course's site has them too."""

CODES = (
    "image {chosen} ({name}) · map position ({x}, {y})",
    "decoded against chosen image: {apart}",
    "nearest: image {nearest} ({label}), code distance {distance}, {apart}",
)
CAPTIONS = ("chosen image", "decoded code", "nearest image")
NUMBERS = (
    "{way} of the way from {a} to {b} · map position ({x}, {y}){edge} · length of the code {length} "
    "(prior: about {prior})",
    "nearest {kind}s by code distance: {neighbours}",
    "decoded against the first panel: RMSE {first}, against the nearest: RMSE {near}",
)
EDGE = ", beyond the edge"
CALLED = "image {index} ({name})"
NEIGHBOUR = "{index} ({name}) at {distance}"
OWN = "your picture"
PANELS = ("from {kind} {index}", "decoded code", "to {kind} {index}", "nearest {kind}", "second nearest",
          "third nearest")  # fmt: skip
REBUILT = "Your picture is rebuilt with RMSE {error}"
UNKNOWN = "{said}. Without validation images nobody can say whether that is usual."
USUAL = "{said}, no worse than 99 % of the validation images (below {threshold})."
UNUSUAL = (
    "Warning: unlike the images that this model knows. {said}, 99 % of the validation images with less than "
    "{threshold}. Its place on the map and its neighbours mean little."
)

"""What schematics are drawn with: images, networks, variables, arrows and losses on a sheet of 700 pixels."""

import matplotlib
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon

from medgen_course.pictures.render import PALETTE
from medgen_course.pictures.style import DPI, STYLE, Figure

WIDTH = 700  # pixels, the width of a page of text
BLUE, ORANGE, GREEN, RED = PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[5]
NETWORK, IMAGE, OTHER_IMAGE, VARIABLE, LOSS = "#cfe3f1", "#e6e6e6", "#f9e3b8", "#d3ede3", "#fbe6d8"
SIDE, RADIUS = 62, 27  # of an image's square and a variable's circle
SIZE, SMALL = 11, 10  # points

Point = tuple[float, float]


class Pen:
    """Draws on one sheet, in pixels from its lower left corner.

    Args:
        height: of the sheet, in pixels.
        alt: what the drawing shows, for those who cannot see it.
    """

    def __init__(self, height: float, alt: str):
        self.figure = Figure(WIDTH / DPI, height / DPI)
        self.figure.set_layout_engine("none")
        self.figure.alt = alt
        with matplotlib.rc_context(STYLE):
            self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, WIDTH), ylim=(0, height))
        self.axes.set_axis_off()

    def text(self, at: Point, text: str, colour: str = "black", size: float = SIZE, **settings) -> None:
        """Words around a place."""
        settings = {"ha": "center", "va": "center", **settings}
        self.axes.text(*at, text, color=colour, fontsize=size, zorder=4, **settings)

    def image(self, at: Point, name: str, below: str = "", colour: str = IMAGE) -> Point:
        """A square with its symbol, and a word below; returns its middle."""
        corner = (at[0] - SIDE / 2, at[1] - SIDE / 2)
        self._shape(FancyBboxPatch(corner, SIDE, SIDE, boxstyle="round,pad=0,rounding_size=4"), colour)
        self.text(at, name, size=15)
        self.text((at[0], at[1] - SIDE / 2 - 12), below, size=SMALL)
        return at

    def variable(self, at: Point, name: str, observed: bool = False) -> Point:
        """A circle: a random variable, grey where it is observed; returns its middle."""
        self._shape(Circle(at, RADIUS), IMAGE if observed else VARIABLE)
        self.text(at, name, size=15)
        return at

    def network(self, at: Point, name: str, left: float = 64, right: float = 64, width: float = 120) -> Point:
        """A trapezium, `left` and `right` pixels high at its ends: narrow where numbers are few."""
        (x, y), half = at, width / 2
        corners = [(x - half, y - left / 2), (x + half, y - right / 2), (x + half, y + right / 2)]
        self._shape(Polygon([*corners, (x - half, y + left / 2)], closed=True), NETWORK, BLUE)
        self.text(at, name)
        return at

    def loss(self, at: Point, text: str, *compared: Point, bend: float = 0.0, colour: str = RED) -> None:
        """A loss in its box, with a dotted line to each thing that it looks at."""
        for i, place in enumerate(compared):
            way = f"arc3,rad={bend if i == 0 else -bend}"
            line = FancyArrowPatch(at, place, arrowstyle="-", connectionstyle=way, linestyle=":",
                                   color=colour, linewidth=1.8, zorder=1)  # fmt: skip
            self.axes.add_patch(line)
        box = {"boxstyle": "round,pad=0.35", "facecolor": LOSS, "edgecolor": colour, "linewidth": 1.2}
        self.text(at, text, size=SMALL, bbox=box)

    def arrow(
        self, start: Point, end: Point, dashed: bool = False, bend: float = 0.0, colour: str = "#444444"
    ) -> None:
        """From one place to another; `bend` curves it to the left of its way where it is below 0."""
        self.axes.add_patch(
            FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, shrinkA=0, shrinkB=0,
                            connectionstyle=f"arc3,rad={bend}", linewidth=1.8, zorder=1, color=colour,
                            linestyle=(0, (4, 3)) if dashed else "solid")
        )  # fmt: skip

    def _shape(self, patch, fill: str, edge: str = "#666666") -> None:
        patch.set(facecolor=fill, edgecolor=edge, linewidth=1.2, zorder=2)
        self.axes.add_patch(patch)

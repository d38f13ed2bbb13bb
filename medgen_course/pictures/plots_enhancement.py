"""Figures of notebook 11: the plane of perception and distortion."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import LogLocator, NullFormatter

from medgen_course.pictures.plots import _MARKERS, PALETTE, _curve_axes
from medgen_course.pictures.style import Figure

Row = Mapping[str, Any]


def plane(
    points: Mapping[str, Mapping[str, Row]],
    curve: Mapping[str, Mapping[str, Row]] | None = None,
    title: str = "",
    distortion: str = "psnr",
    perception: str = "frechet",
    best: float | None = None,
) -> Figure:
    """Every method a point with its intervals; one family of methods as a curve through its points.

    Args:
        points: name -> figure -> row with `value`, `low`, `high`.
        curve: label of a point -> the same, in the order of the curve.
        title: the finding.
        distortion: figure along the axis to the right, PSNR in dB: more is nearer to the truth.
        perception: figure upwards, on a logarithmic axis: less is more like true images.
        best: that figure of true images, as a line.
    """
    figure = Figure(7.4, 4.6)
    measure = "Fréchet" if perception == "frechet" else "kernel"
    upwards = f"{measure} distance; less is more like true images"
    axes = _curve_axes(figure, "PSNR (dB); more is nearer to the truth", upwards, title)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    if best is not None and best > 0:
        axes.axhline(best, color="#666666", linestyle=":", label="true images")
    for i, (name, rows) in enumerate(points.items()):
        _point(axes, rows[distortion], rows[perception], PALETTE[i % len(PALETTE)], _MARKERS[i % 8], name)
    if curve:
        places = [(rows[distortion]["value"], rows[perception]["value"]) for rows in curve.values()]
        axes.plot(*zip(*places, strict=True), color="black", linewidth=1.2, zorder=1)
        for label, rows in curve.items():
            _point(axes, rows[distortion], rows[perception], "black", ".", None)
            place = rows[distortion]["value"], rows[perception]["value"]
            axes.annotate(label, place, (8, -16), textcoords="offset points", fontsize=10)
    if points:
        figure.legend(ncols=2, loc="outside lower center", frameon=False)
    named = [f"{name} {_told(rows, distortion, perception)}" for name, rows in points.items()]
    on_curve = [f"{name} {_told(rows, distortion, perception)}" for name, rows in (curve or {}).items()]
    figure.alt = f"{title}. PSNR and distance of each method: {'; '.join([*named, *on_curve])}."
    return figure


def _told(rows: Mapping[str, Row], distortion: str, perception: str) -> str:
    return f"{rows[distortion]['value']:.1f} dB, {rows[perception]['value']:.3g}"


def _point(axes, x: Row, y: Row, colour: str, marker: str, label: str | None) -> None:
    """A mark with both of its intervals."""
    reach = [_reach(x), _reach(y)]
    axes.errorbar(
        x["value"], y["value"], xerr=reach[0], yerr=reach[1], color=colour, marker=marker, markersize=7,
        linewidth=1.2, label=label,
    )  # fmt: skip


def _reach(row: Row) -> Sequence[Sequence[float]]:
    return [[max(0.0, row["value"] - row["low"])], [max(0.0, row["high"] - row["value"])]]

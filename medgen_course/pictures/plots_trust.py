"""Figures of notebook 13: memory over data-set size, attacks on logarithmic axes, costs, strengths."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np

from medgen_course.pictures.plots import PALETTE
from medgen_course.pictures.render import enlarge, tint
from medgen_course.pictures.render_translation import outline
from medgen_course.pictures.style import STYLE, Figure

MARKERS = "osD^vP*X"
Row = Mapping[str, float]
Curve = tuple[np.ndarray, np.ndarray]


def panels(count: int, titles: Sequence[str], width: float = 9.4, height: float = 3.4) -> tuple[Figure, list]:
    """A figure with axes side by side, each with its title."""
    figure = Figure(width, height)
    with matplotlib.rc_context(STYLE):
        axes = [figure.add_subplot(1, count, i + 1) for i in range(count)]
        for each, title in zip(axes, titles, strict=True):
            each.set_title(title, fontsize=11, loc="left")
    return figure, axes


def over(axes, by: Mapping[str, Mapping[float, Row]], xlabel: str, log_x: bool = False) -> None:
    """Lines over a number with pale bands: name -> number -> row."""
    for i, (name, rows) in enumerate(by.items()):
        places = list(rows)
        value, low, high = (np.array([row[end] for row in rows.values()]) for end in ("value", "low", "high"))
        axes.plot(places, value, color=PALETTE[i], marker=MARKERS[i], markersize=5, label=name)
        axes.fill_between(places, low, high, color=PALETTE[i], alpha=0.2, linewidth=0)
    axes.set_xlabel(xlabel)
    if log_x:
        axes.set_xscale("log")
        axes.set_xticks(places, [f"{place:,.0f}" for place in places])
        axes.minorticks_off()


def over_size(by: Mapping[str, Mapping[float, Row]], ylabel: str, title: str) -> Figure:
    """Figures over the number of training images, both axes logarithmic where all is above 0."""
    figure, (axes,) = panels(1, (title,), 5.6, 3.2)
    over(axes, by, "training images", True)
    axes.set_ylabel(ylabel)
    if all(row["low"] > 0 for rows in by.values() for row in rows.values()):
        axes.set_yscale("log")
    axes.legend(frameon=False)
    return figure


def legend_below(figure: Figure, axes) -> None:
    """One legend for all panels, below them."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, ncols=len(labels), loc="outside lower center", frameon=False)


def grown(found: Mapping[str, Mapping[str, Mapping[float, Row]]], honest: float = 0.05) -> Figure:
    """Coverage, memorisation and gap over the number of training images: model -> figure -> number -> row."""
    names = {"vae": "VAE", "gan": "GAN", "training images": "the training images themselves"}
    figure, axes = panels(3, ("coverage of val", "memorisation", "gap, VAE (nats)"))
    for each, key in zip(axes[:2], ("coverage", "memorisation"), strict=True):
        over(each, {names[m]: by[key] for m, by in found.items()}, "training images", True)
        each.set_ylim(-0.03, 1.03)
    axes[1].axhline(honest, color="#777777", linestyle=":", linewidth=1)
    over(axes[2], {"VAE": found["vae"]["gap"]}, "training images", True)
    axes[2].axhline(0, color="#777777", linestyle=":", linewidth=1)
    legend_below(figure, axes[0])
    figure.alt = (
        "Three charts over the number of training images: coverage of val, memorisation with a dotted line "
        "at what new real images have, and the gap of the VAE's ELBO. Bands: lowest to highest of the seeds."
    )
    return figure


def roc(curves: Mapping[str, Curve], band: tuple[np.ndarray, np.ndarray, np.ndarray], title: str) -> Figure:
    """Hits over false alarms, both logarithmic, with the diagonal of guessing and the band of the null.

    Args:
        curves: attack -> false-positive rates and true-positive rates.
        band: rates, and the lower and upper hits of the null there.
        title: the finding.
    """
    figure, (axes,) = panels(1, (title,), 6.8, 4.6)
    rates, low, high = band
    least = float(rates.min()) / 2
    axes.fill_between(rates, np.maximum(low, least), np.maximum(high, least), color="#999999", alpha=0.35,
                      linewidth=0, label="null: 95 % of halves")  # fmt: skip
    axes.plot([least, 1], [least, 1], color="#777777", linestyle=":", linewidth=1, label="guessing")
    for i, (name, (false, true)) in enumerate(curves.items()):
        shown = true > 0
        axes.step(np.maximum(false[shown], least), true[shown], where="post", color=PALETTE[i], label=name,
                  linewidth=1.6)  # fmt: skip
    axes.axvline(0.01, color="#777777", linewidth=0.8, linestyle="--")
    axes.set(xscale="log", yscale="log", xlim=(least, 1), ylim=(least, 1.1))
    axes.set(xlabel="false alarms (share of others accused)", ylabel="hits (share of members found)")
    figure.legend(ncols=3, loc="outside lower center", frameon=False)
    names = ", ".join(curves)
    figure.alt = f"{title}. Hits over false alarms on logarithmic axes: {names}; guessing and null."
    return figure


def cost(by: Mapping[str, Mapping[str, Row]], titles: Mapping[str, str]) -> Figure:
    """What each level of privacy costs: figure -> level -> row over seeds; `titles` names the figures."""
    names = list(next(iter(by.values())))
    return levels(by, [titles[figure] for figure in by], names)


def levels(by: Mapping[str, Mapping[str, Row]], titles: Sequence[str], names: Sequence[str]) -> Figure:
    """Dots with their ranges over levels of privacy, a panel for each figure: figure -> level -> row."""
    figure, axes = panels(len(by), titles)
    for i, (each, rows) in enumerate(zip(axes, by.values(), strict=True)):
        for place, row in enumerate(rows.values()):
            each.plot([place, place], [row["low"], row["high"]], color=PALETTE[i], linewidth=2)
            each.plot(place, row["value"], "o", color=PALETTE[i], markersize=6)
        each.set_xticks(range(len(rows)), names, rotation=35, ha="right", rotation_mode="anchor")
        each.tick_params(axis="x", labelsize=9)
        each.margins(x=0.15)
    figure.alt = f"Dots with the range over seeds at each level of privacy: {', '.join(titles)}"
    return figure


def protection(found: Mapping[str, Mapping], least: float = 0.002) -> Figure:
    """The attack beside utility, over levels of privacy: `tables_protection.figure`.

    Args:
        found: `hits`: attack -> level -> row over models; `allowed`: level -> what no attack may pass;
            `elbo`: level -> row.
        least: where the logarithmic axis begins; fewer hits are drawn there.
    """
    names = list(found["elbo"])
    figure, (left, right) = panels(2, ("hits at 1 % false alarms", "ELBO on val, nats"), height=3.9)
    for i, (attack, rows) in enumerate(found["hits"].items()):
        places = np.arange(len(names)) + 0.2 * (i - 0.5)
        value, low, high = (
            np.maximum([rows[n][end] for n in names], least) for end in ("value", "low", "high")
        )
        left.vlines(places, low, high, color=PALETTE[i], linewidth=2)
        left.plot(places, value, MARKERS[i], color=PALETTE[i], markersize=6, label=attack)
    places = np.array([names.index(name) for name in found["allowed"]])
    left.hlines(list(found["allowed"].values()), places - 0.4, places + 0.4, color="black", linewidth=2,
                label="no attack may pass")  # fmt: skip
    left.axhline(0.01, color="#777777", linestyle=":", linewidth=1, label="guessing")
    left.set(
        yscale="log", ylim=(0.8 * least, 1.15), yticks=(0.01, 0.1, 1), yticklabels=("1 %", "10 %", "100 %")
    )
    for place, row in enumerate(found["elbo"].values()):
        right.plot([place, place], [row["low"], row["high"]], color=PALETTE[2], linewidth=2)
        right.plot(place, row["value"], MARKERS[2], color=PALETTE[2], markersize=6)
    for each in (left, right):
        each.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
        each.tick_params(axis="x", labelsize=9)
    legend_below(figure, left)
    figure.alt = (
        "Two charts over levels of privacy. Left: share of the members that LiRA and the loss threshold find "
        "at 1 % false alarms, on a logarithmic axis, with a bar at each ε that no attack may pass. Right: "
        "the ELBO of val. Dots are means, lines go from the lowest to the highest of the models."
    )
    return figure


def epsilons(
    panels_of: Mapping[str, Mapping[str, Mapping[float, Row]]], title: str = "", chance: float | None = None
) -> Figure:
    """Shares over the strength of a change in grey levels, with intervals: panel -> name -> ε -> row."""
    figure, axes = panels(len(panels_of), list(panels_of), 3.3 * len(panels_of) + 0.6)
    for each, by in zip(axes, panels_of.values(), strict=True):
        over(each, by, "ε, grey levels of 255")
        each.set_ylim(-0.03, 1.03)
        if chance is not None:
            each.axhline(chance, color="#777777", linestyle=":", linewidth=1)
    legend_below(figure, axes[0])
    figure.suptitle(title, fontsize=12, x=0.01, ha="left")
    shown = ", ".join(panels_of)
    figure.alt = f"{title}. Over the strength of the change: {shown}; bands are 95 % intervals."
    return figure


def tinted(maps: np.ndarray, masks: np.ndarray, scale: int = 2, full: float = 0.99) -> np.ndarray:
    """Maps in colours, each on its own scale, with a line around the mask.

    Args:
        maps: (N, H, W), signed.
        masks: (N, 1, H, W).
        scale: screen pixels for each pixel, so that the line covers none.
        full: quantile of the absolute values that gets the full colour.
    Returns:
        uint8 (N, 3, H · scale, W · scale).
    """
    made = []
    for each, mask in zip(maps, masks, strict=True):
        picture = enlarge(tint(each, max(float(np.quantile(np.abs(each), full)), 1e-12)), scale)
        picture[outline(mask, scale, 1)] = 0
        made.append(picture.transpose(2, 0, 1))
    return np.stack(made)


def depths(by: Mapping[str, Mapping[int, Row]]) -> Figure:
    """Rank correlation with the map of the trained network, over how many blocks have new weights.

    Args:
        by: kind of map -> number of blocks -> row over draws of the weights.
    """
    figure, (axes,) = panels(1, ("new weights, block by block: does the map notice?",), 6.4)
    over(axes, by, "blocks with new weights, from the head downwards")
    axes.set_xticks(list(next(iter(by.values()))))
    axes.set(ylabel="rank correlation", ylim=(-1.05, 1.05))
    axes.axhline(0, color="#777777", linestyle=":", linewidth=1)
    axes.legend(frameon=False)
    return figure

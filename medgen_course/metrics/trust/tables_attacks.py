"""Tables and sentences of notebook 13 about memory, attacks and canaries.

Rows come from `privacy.load_table`. Over seeds a figure is its mean, with the lowest and the highest; a
difference that has not one sign in all seeds is called a tie.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.stats import binom

from medgen_course.course.findings import Row, Table, differ, over_seeds, say, side
from medgen_course.metrics.membership import roc, threshold_at

Rows = Sequence[Mapping]
Scores = Mapping[str, tuple[np.ndarray, np.ndarray]]
NAMES = {"vae": "VAE", "gan": "GAN", "training images": "the training images themselves"}


def gap(members: np.ndarray, others: np.ndarray, rounds: int = 1000, seed: int = 0) -> dict[str, float]:
    """Mean score of members minus that of others, with its 95 % interval: both groups are drawn again."""
    rng = np.random.default_rng(seed)
    means = [
        scores[rng.integers(len(scores), size=(rounds, len(scores)))].mean(1) for scores in (members, others)
    ]
    low, high = np.quantile(means[0] - means[1], [0.025, 0.975])
    return {"value": float(members.mean() - others.mean()), "low": float(low), "high": float(high)}


def grown(rows: Rows, figures: Iterable[str]) -> dict[str, dict[str, dict[float, Row]]]:
    """Figures over the number of training images: model -> figure -> number -> row over seeds."""
    made: dict[str, dict[str, dict[float, Row]]] = {}
    for model in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == model]
        sizes = sorted({row["n"] for row in own})
        made[model] = {
            figure: {n: over_seeds(row[figure] for row in own if row["n"] == n) for n in sizes}
            for figure in figures
            if own[0][figure] is not None
        }
    return made


def copying(found: Mapping[str, Mapping[str, Mapping[float, Row]]], honest: float = 0.05) -> str:
    """Up to how many images each model copies: memorisation above what new real images have, in all seeds."""
    told = []
    for model in ("vae", "gan"):
        by = found[model]["memorisation"]
        copies = [n for n, row in by.items() if row["low"] > honest]
        most = max(by, key=lambda n: by[n]["value"])
        if copies:
            told.append(
                f"The {NAMES[model]} copies at {', '.join(f'{n:,.0f}' for n in copies)} images (memorisation "
                f"above {honest:.0%} in every seed; at most {by[most]['value']:.0%})."
            )
        else:
            told.append(
                f"The {NAMES[model]}'s samples copy at no number of images: memorisation is not above "
                f"{honest:.0%} in every seed anywhere (at most {by[most]['value']:.0%})."
            )
    return " ".join(told)


def covering(found: Mapping[str, Mapping[str, Mapping[float, Row]]], seeds: int) -> str:
    """How coverage of val goes with more images, and which models have hardly learnt.

    Those cover less than the smallest training set does by itself.
    """
    told = []
    handed = found["training images"]["coverage"]
    least = min(handed)
    for model in ("vae", "gan"):
        by = found[model]["coverage"]
        few, many = by[min(by)], by[max(by)]
        way = "rises" if many["low"] > few["high"] else "falls" if many["high"] < few["low"] else "is a tie"
        if seeds < 2:
            way = "one seed shows no spread"
        text = f"{NAMES[model]}: {way}, {few['value']:.2f} to {many['value']:.2f}"
        if max(row["high"] for row in by.values()) < handed[least]["value"]:
            text += (
                ", nowhere what the fewest training images cover by themselves, so not copying proves little"
            )
        told.append(text)
    return (
        f"Coverage from the fewest to the most images: {'; '.join(told)} ({least:,.0f} training images "
        f"handed out cover {handed[least]['value']:.2f})."
    )


def leaking(rows: Rows) -> str:
    """Where the attack is above its nulls in every seed, for each model."""
    told = []
    for model in ("vae", "gan"):
        own = [row for row in rows if row["model"] == model]
        sizes = sorted({row["n"] for row in own})
        leaks = [n for n in sizes if all(above(row, "auc") for row in own if row["n"] == n)]
        by = {n: over_seeds(row["auc"] for row in own if row["n"] == n) for n in sizes}
        ends = ", ".join(f"{by[n]['value']:.2f} at {n:,.0f}" for n in (sizes[0], sizes[-1]))
        where = ", ".join(f"{n:,.0f}" for n in leaks) or "no number of"
        told.append(f"{NAMES[model]}: above its nulls in every seed at {where} images (AUC {ends}).")
    return "Can members be told? " + " ".join(told)


def above(row: Mapping, figure: str) -> bool:
    """Whether an attack's interval lies above both of its nulls."""
    nulls = [row.get(f"null_{kind}_{figure}_high") for kind in ("members", "others")]
    return all(row[f"{figure}_low"] > null for null in nulls if null is not None)


def memory(rows: Rows) -> Table:
    """A line for each model and number of images."""
    figures = {"coverage": ".2f", "memorisation": ".0%", "gap": ",.2f", "auc": ".2f", "tpr": ".1%"}
    found, lines = grown(rows, figures), {}
    for model, by in found.items():
        for n in by["coverage"]:
            own = [row for row in rows if row["model"] == model and row["n"] == n]
            nulls = [row["null_others_auc_high"] for row in own if row["null_others_auc_high"] is not None]
            cells = [say(by[f][n], style) if f in by else "–" for f, style in figures.items()]
            lines[f"{NAMES[model]}, {n:,.0f}"] = [*cells, f"{max(nulls):.2f}" if nulls else "–"]
    heads = ["trained on", "coverage of val", "memorisation", "gap", "attack: AUC", "TPR at 1 % FPR"]
    heads.append("null's AUC, up to")
    seeds = len({row["seed"] for row in rows})
    updates = "; ".join(
        f"{NAMES[model]} {next(row['updates'] for row in rows if row['model'] == model):,.0f} updates"
        for model in ("vae", "gan")
    )
    plural = "seed" if seeds == 1 else "seeds"
    note = f"{seeds} {plural}, mean (lowest to highest); {updates}, whatever the number of images. Gap: nats "
    note += "(VAE), logit (GAN). Attack: loss threshold, discriminator. Null: halves of val."
    return Table(heads, lines, note)


def live_attack(
    area: Row, found: Row, nulls: Mapping[str, Mapping[str, Row]], control: Row, rate: float
) -> Table:
    """The live attack beside its nulls and its control.

    Args:
        area, found: of `membership.auc` and `membership.tpr_at` with a calibration.
        nulls: name -> what `membership.null` returns.
        control: AUC of an attack that asks no model.
        rate: false alarms that the threshold was made for.
    """
    lines = {"loss threshold": [say(area, ".2f"), say(found, ".1%"), f"{found['fpr']:.1%}"]}
    for name, band in nulls.items():
        hits = say(band["tpr"], ".1%") if "tpr" in band else "–"
        lines[f"null: {name} in two halves"] = [say(band["auc"], ".2f"), hits, "–"]
    lines["control: length of the file"] = [say(control, ".2f"), "–", "–"]
    note = (
        f"Threshold for {rate:.1%} false alarms: from further held-out images. In brackets 95 % intervals: "
    )
    note += "the AUC's over images, the hits' by Clopper and Pearson at this threshold. Nulls: mean of 200 "
    note += "random halves, and where 95 % of them lie; fewer images make a wider band."
    return Table(["", "AUC", "members accused", "outsiders accused"], lines, note)


def certain(found: Row, nulls: Mapping[str, Mapping[str, Row]]) -> bool:
    """Whether the interval of the hits lies above what each null reaches: the rule of `membership`, too."""
    return all("tpr" in band and found["low"] > band["tpr"]["high"] for band in nulls.values())


def average_or_certain(above: bool, certain: bool) -> str:
    """What both figures together say of an attack."""
    if above and certain:
        return "So it is right on average, and it is certain about some."
    if above:
        return (
            "So it is right on average, and its few sure hits are not told from what its nulls reach: an AUC "
            "alone would have hidden that."
        )
    if certain:
        return "So it knows a few, though on average it knows nothing."
    return "So it has found nothing; that is no proof that there is nothing to find."


def by_attack(rows: Rows, figure: str) -> dict[str, list[float]]:
    """A figure of every attack: attack -> one value for each model under attack."""
    ordered = sorted(rows, key=lambda row: row["seed"])
    names = dict.fromkeys(row["attack"] for row in rows)
    return {name: [row[figure] for row in ordered if row["attack"] == name] for name in names}


def calibration_helps(rows: Rows) -> str:
    """What shadows change on average: the AUC."""
    by = by_attack(rows, "auc")
    change = over_seeds(np.subtract(by["shadows"], by["loss threshold"]))
    word = ("higher" if change["value"] > 0 else "lower") if differ(change) else "a tie"
    return f"On average, by the AUC, LiRA is {word}: {say(change, '+.3f')}."


def membership(rows: Rows) -> Table:
    """A line for each attack, over the models under attack."""
    area, hits, lines = by_attack(rows, "auc"), by_attack(rows, "tpr"), {}
    for attack in area:
        own = [row for row in rows if row["attack"] == attack]
        nulls = [max(row[f"null_others_{figure}_high"] for row in own) for figure in ("auc", "tpr")]
        ahead = sum(above(row, "tpr") for row in own)
        lines[attack] = [
            say(over_seeds(area[attack]), ".2f"),
            say(over_seeds(hits[attack]), ".1%"),
            f"AUC {nulls[0]:.2f}, TPR {nulls[1]:.1%}",
            f"{ahead} of {len(own)}",
        ]
    first = rows[0]
    note = f"VAEs; {first['members']:.0f} members, {first['others']:.0f} others; {first['updates']:,.0f} "
    note += (
        "updates; mean (lowest to highest) over the models under attack. Null: halves of the others, upper "
    )
    note += "end of the widest 95 % band. Ahead: models whose interval of the TPR lies above their nulls. "
    note += (
        "Control: the length of the file, which asks no model. The threshold is a point of the ROC curve, as "
    )
    note += "in print: these others chose it, so false alarms are 1 % by construction."
    return Table(["attack", "AUC", "TPR at 1 % FPR", "null, up to", "ahead"], lines, note)


def scores(rows: Rows) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scores of the ordinary images of one model under attack: attack -> members, others."""
    plain = [row for row in rows if row["canary"] == "ordinary"]
    inside = np.array([bool(row["member"]) for row in plain])
    names = [name for name in rows[0] if name not in ("image", "member", "canary", "model")]
    values = {name: np.array([row[name] for row in plain], float) for name in names}
    return {name: (found[inside], found[~inside]) for name, found in values.items()}


def curves(found: Scores) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """False-positive and true-positive rates of each attack."""
    made = {name: roc(*pair) for name, pair in found.items()}
    return {name: (each.fpr, each.tpr) for name, each in made.items()}


def null_band(
    others: np.ndarray, rounds: int = 200, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where 95 % of the curves lie that tell two halves of the others apart: rates, lower and upper TPR."""
    rng, half = np.random.default_rng(seed), len(others) // 2
    rates = np.unique(np.geomspace(1 / half, 1, 40).clip(max=0.999))
    drawn = []
    for _ in range(rounds):
        order = rng.permutation(len(others))
        first, second = others[order[:half]], others[order[half:]]
        drawn.append([(first > threshold_at(second, rate)).mean() for rate in rates])
    return rates, *np.quantile(drawn, [0.025, 0.975], axis=0)


def canary(rows: Rows, attack: str, kind: str) -> dict[str, Row]:
    """Shares of the planted and of the absent canaries that are accused, and of the planted minus the absent:
    mean, lowest and highest of the models under attack."""
    own = [row for row in rows if (row["attack"], row["canary"]) == (attack, kind)]
    shares = {g: np.array([row[f"{g}_found"] / row[g] for row in own]) for g in ("planted", "absent")}
    shares["more"] = shares["planted"] - shares["absent"]
    return {group: over_seeds(values) for group, values in shares.items()}


def canaries(rows: Rows) -> Table:
    """A line for each attack, planted and absent for each kind."""
    kinds, lines = list(dict.fromkeys(row["canary"] for row in rows)), {}
    for attack in dict.fromkeys(row["attack"] for row in rows):
        found = [canary(rows, attack, kind) for kind in kinds]
        lines[attack] = [
            text for each in found for text in (say(each["planted"], ".0%"), say(each["absent"], ".0%"))
        ]
    heads = ["accused", *(text for kind in kinds for text in (f"{kind}: planted", "absent"))]
    models, each = len({row["seed"] for row in rows}), rows[0]["planted"]
    note = (
        f"Mean (lowest to highest) of {models} models under attack, {each:.0f} canaries planted and as many "
    )
    note += "absent in each. The threshold accuses 1 % of the ordinary outsiders."
    return Table(heads, lines, note)


def canaries_say(rows: Rows, allowed: float = 0.01) -> str:
    """Which attack finds which kind: planted ones are accused more often than absent ones in every model.

    And where a model accuses more of the absent ones than `allowed` explains (binomial, 5 % over models).
    """
    found, false = {}, []
    for attack in dict.fromkeys(row["attack"] for row in rows):
        for kind in dict.fromkeys(row["canary"] for row in rows):
            if canary(rows, attack, kind)["more"]["low"] > 0:
                found.setdefault(attack, []).append(kind)
            own = [row for row in rows if (row["attack"], row["canary"]) == (attack, kind)]
            odd = [r for r in own if binom.sf(r["absent_found"] - 1, r["absent"], allowed) < 0.05 / len(own)]
            if odd:
                most = max(row["absent_found"] / row["absent"] for row in odd)
                false.append(f"{attack}, {kind} (in {len(odd)} of {len(own)} models, up to {most:.0%})")
    told = "; ".join(f"{name}: {', '.join(kinds)}" for name, kinds in found.items())
    text = f"Found, planted ones accused more often than absent ones in every model: {told}."
    if not found:
        text = "No attack finds any kind in every model."
    if not false:
        return text
    return text + (
        f" But odd images break the promise of {allowed:.0%} false alarms, which was made on ordinary ones: "
        f"more absent canaries than that explains are accused by {'; '.join(false)}."
    )


def odd_or_ordinary(rows: Rows, hits: Sequence[float], attack: str = "shadows") -> str:
    """Whether canaries are found more often than ordinary members by the same attack, model by model.

    Args:
        rows: of the canaries.
        hits: share of the ordinary members found, one for each model, in the order of its seeds.
    """
    told = []
    for kind in dict.fromkeys(row["canary"] for row in rows):
        own = [row for row in rows if (row["attack"], row["canary"]) == (attack, kind)]
        shares = [row["planted_found"] / row["planted"] for row in sorted(own, key=lambda row: row["seed"])]
        more = over_seeds(np.subtract(shares, hits))
        told.append(f"{kind} {np.mean(shares):.0%}, {side(more, 'more often', 'less often')}")
    ordinary = over_seeds(hits)["value"]
    return f"Beside ordinary members, of whom the attack '{attack}' finds {ordinary:.0%}: {'; '.join(told)}."

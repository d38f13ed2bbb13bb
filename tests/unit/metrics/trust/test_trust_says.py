"""Tables and sentences of notebook 13 follow their rows, and can come out otherwise."""

import math

import numpy as np
import pytest

from medgen_course.metrics.trust import tables_attacks, tables_explain, tables_privacy

SEEDS = (0, 1, 2)


def row(value, wide=0.02):
    return {"value": value, "low": value - wide, "high": value + wide}


def nulls(auc=0.55, tpr=0.03):
    return {
        f"null_{kind}_{name}_{end}": value + (end == "high") * 0.0
        for kind in ("members", "others")
        for name, value in (("auc", auc), ("tpr", tpr))
        for end in ("low", "high")
    }


def attack(auc, tpr=0.02):
    ends = {f"auc{end}": auc + by for end, by in (("", 0), ("_low", -0.03), ("_high", 0.03))}
    return ends | {"tpr": tpr, "tpr_low": tpr / 2, "tpr_high": 2 * tpr} | nulls()


def memory(copied=0.6, auc=0.9):
    rows = []
    for model in ("vae", "gan"):
        for n, leak in ((50.0, 1.0), (4000.0, 0.0)):
            rows += [
                {
                    "model": model,
                    "n": n,
                    "seed": seed,
                    "updates": 100.0,
                    "coverage": 0.3 + 0.4 * (1 - leak),
                    "memorisation": 0.03 + copied * leak + 0.01 * seed,
                    "gap": 300 * leak + 5 + seed,
                }
                | attack(0.5 + (auc - 0.5) * leak)
                for seed in SEEDS
            ]
    copies = {"model": "training images", "n": 50.0, "updates": 0.0, "coverage": 0.2, "memorisation": 1.0}
    return [*rows, *({**dict.fromkeys(rows[0]), **copies, "seed": seed} for seed in SEEDS)]


def test_a_gap_lies_in_its_interval():
    rng = np.random.default_rng(0)
    apart = tables_attacks.gap(rng.normal(3, 1, 300), rng.normal(0, 1, 300))
    assert apart["low"] < apart["value"] < apart["high"] and apart["low"] > 2.5
    same = tables_attacks.gap(rng.normal(0, 1, 300), rng.normal(0, 1, 300))
    assert same["low"] < 0 < same["high"]


def test_growing_a_training_set():
    found = tables_attacks.grown(memory(), ("coverage", "memorisation", "gap"))
    assert found["vae"]["gap"][50.0]["value"] == pytest.approx(306) and "gap" not in found["training images"]
    told = tables_attacks.copying(found)
    assert "VAE copies at 50 images" in told and "4,000" not in told
    assert "VAE: rises, 0.30 to 0.70; GAN: rises" in tables_attacks.covering(found, 3)
    assert "not copying proves little" not in tables_attacks.covering(found, 3)
    assert "VAE: one seed shows no spread" in tables_attacks.covering(found, 1)
    copies = found["training images"] | {"coverage": {50.0: row(0.95)}}
    assert "not copying proves little" in tables_attacks.covering(found | {"training images": copies}, 3)
    assert "copy at no number" in tables_attacks.copying(
        tables_attacks.grown(memory(copied=0.0), ("memorisation",))
    )
    assert "VAE: above its nulls in every seed at 50 images" in tables_attacks.leaking(memory())
    assert "VAE: above its nulls in every seed at no number of images" in tables_attacks.leaking(
        memory(auc=0.52)
    )
    table = tables_attacks.memory(memory())
    assert table.rows["the training images themselves, 50"][2] == "–" and len(table.rows) == 5


def membership(shadows=0.2):
    return [
        {"attack": name, "seed": seed, "updates": 100.0, "members": 400.0, "others": 400.0} | attack(auc, tpr)
        for seed in SEEDS
        for name, auc, tpr in (("loss threshold", 0.6, 0.01 + 0.001 * seed), ("shadows", 0.8, shadows))
    ]


def test_attacks_beside_their_nulls():
    by = tables_attacks.by_attack(membership(), "tpr")
    assert by["loss threshold"] == pytest.approx([0.01, 0.011, 0.012]) and by["shadows"] == [0.2] * 3
    assert "LiRA is higher" in tables_attacks.calibration_helps(membership())
    table = tables_attacks.membership(membership())
    assert table.rows["shadows"][-1] == "3 of 3" and table.rows["loss threshold"][-1] == "0 of 3"
    assert tables_attacks.membership(membership(shadows=0.02)).rows["shadows"][-1] == "0 of 3"


@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize("certain", [True, False])
def test_average_and_certainty_are_told_apart(above, certain):
    every = {tables_attacks.average_or_certain(a, c) for a in (True, False) for c in (True, False)}
    assert len(every) == 4 and tables_attacks.average_or_certain(above, certain) in every


def test_curves_and_the_band_of_the_null():
    rng = np.random.default_rng(0)
    rows = [
        {"image": i, "member": i % 2, "canary": "ordinary", "loss": rng.normal(i % 2)} for i in range(400)
    ]
    rows.append({"image": 400, "member": 1, "canary": "noise", "loss": 1000.0})
    found = tables_attacks.scores(rows)
    assert [len(part) for part in found["loss"]] == [200, 200] and found["loss"][0].max() < 100
    false, true = tables_attacks.curves(found)["loss"]
    assert false[-1] == true[-1] == 1 and (true >= false - 0.05).all()
    rates, low, high = tables_attacks.null_band(found["loss"][1], rounds=50)
    assert (low <= high).all() and low[-2] < rates[-2] < high[-2] + 0.05
    assert np.interp(0.1, false, true) > np.interp(0.1, rates, high)


def birds(found=16):
    return [
        {
            "attack": a,
            "canary": k,
            "seed": s,
            "planted": 16.0,
            "planted_found": n,
            "absent": 16.0,
            "absent_found": 0.0,
        }
        for a, n in (("loss threshold", 0.0), ("shadows", float(found)))
        for k in ("noise", "marker")
        for s in SEEDS
    ]


def test_canaries_that_are_found_and_not():
    assert tables_attacks.canary(birds(), "shadows", "noise")["planted"]["value"] == 1.0
    assert tables_attacks.canary(birds(), "loss threshold", "noise")["planted"]["high"] < 0.1
    all_found = (
        "Found, planted ones accused more often than absent ones in every model: shadows: noise, marker."
    )
    assert tables_attacks.canaries_say(birds()) == all_found
    one_missed = [bird | {"planted_found": bird["planted_found"] * (bird["seed"] > 0)} for bird in birds()]
    assert "No attack finds any kind" in tables_attacks.canaries_say(one_missed)
    assert "noise 100%, more often; marker 100%, more often" in tables_attacks.odd_or_ordinary(
        birds(), [0.4] * 3
    )
    assert "noise 100%, a tie" in tables_attacks.odd_or_ordinary(birds(), [0.4, 1.0, 1.0])
    assert "No attack finds any kind" in tables_attacks.canaries_say(birds(found=0))
    wrong = [bird | {"absent_found": 8.0 * (bird["attack"] == "shadows")} for bird in birds()]
    assert "are accused by shadows, noise (in 3 of 3 models, up to 50%)" in tables_attacks.canaries_say(wrong)
    rare = [bird | {"absent_found": 1.0 * (bird["seed"] == 0)} for bird in birds()]  # luck: 1 of 16, once
    assert tables_attacks.canaries_say(rare) == all_found
    assert len(tables_attacks.canaries(birds()).columns) == 5


def costs(lost=0.2, auc=0.52):
    levels = (
        (4000.0, 1.0, 30.0),
        (4000.0, math.inf, 30.0),
        (4000.0, math.inf, math.inf),
        (800.0, math.inf, 30.0),
    )
    return [
        {
            "n": n,
            "epsilon": e,
            "clip": c,
            "seed": s,
            "noise": 0.0 if math.isinf(e) else 1.5,
            "delta": 1e-5,
            "batch": 128.0,
            "updates": 200.0,
            "elbo_val": 100 - 500 * lost * (e == 1.0) + s,
            "coverage": 0.3,
            "classifier_auc": 0.9 - lost * (e == 1.0) + 0.01 * s,
        }
        | attack(auc)
        for n, e, c in levels
        for s in SEEDS
    ]


def test_the_price_of_privacy():
    by = tables_privacy.by_epsilon(costs(), "classifier_auc")
    assert list(by) == ["ε = 1", "clipped", "not private"] and by["ε = 1"] == pytest.approx([0.7, 0.71, 0.72])
    assert list(tables_privacy.by_epsilon(costs(), "auc", few=True)) == ["clipped"]
    assert "ELBO on val, nats: -100" in tables_privacy.what_is_paid(costs())
    assert "coverage of val: a tie" in tables_privacy.what_is_paid(costs())
    assert "at no level" in tables_privacy.what_is_paid(costs())
    assert "in every seed at ε = 1, 4,000 images" in tables_privacy.what_is_paid(costs(auc=0.7))
    assert "step by step: ε = 1 0.71" in tables_privacy.order(costs(), "classifier_auc")
    assert "not that of privacy" in tables_privacy.order(
        [r | {"classifier_auc": 0.9 * (r["clip"] < 100 and r["epsilon"] > 9)} for r in costs()],
        "classifier_auc",
    )
    assert "cannot show what privacy protects" in tables_privacy.what_is_paid(costs())
    assert len(tables_privacy.privacy(costs()).rows) == 4
    partly = [row for row in costs() if row["seed"] != 2 or row["epsilon"] == 1.0]  # a recipe that was cut
    assert tables_privacy.by_epsilon(partly, "auc")["ε = 1"] == [0.52, 0.52]
    assert "; 2 seeds" in tables_privacy.privacy(partly).note
    assert set(tables_privacy.costs(costs())) == {"elbo_val", "coverage", "classifier_auc"}


def test_the_live_attack():
    null = {"members": {"auc": row(0.5), "tpr": row(0.02)}}
    hits = row(0.02) | {"fpr": 0.015}
    assert not tables_attacks.certain(hits, null) and tables_attacks.certain(row(0.3), null)
    assert not tables_attacks.certain(
        row(0.3), {"members": {"auc": row(0.5)}}
    )  # too few images for a null of the hits
    table = tables_attacks.live_attack(row(0.6), hits, null, row(0.5), 0.01)
    assert table.rows["loss threshold"][2] == "1.5%"
    assert table.rows["loss threshold"][0].startswith("0.6") and "null: members in two halves" in table.rows


def test_attacks_on_images():
    found = [
        {"attack": a, "epsilon": e, "auroc": row(v)}
        for a, e, v in (("PGD", 1, 0.6), ("PGD", 8, 0.9), ("noise", 8, 0.99))
    ]
    over = tables_explain.by_attack(found, "auroc")
    assert list(over["PGD"]) == [1, 8]
    assert "PGD from ε = 8 on; noise from ε = 8 on" in tables_explain.noticed(over)
    assert "noise at no ε" in tables_explain.noticed({"noise": {8: row(0.6)}})
    assert "No VAE" in tables_explain.noticed({})
    recorded = [row(0.7) | {"attack": "PGD", "epsilon": 4.0, "measure": "erased"}, {"measure": "other"}]
    assert tables_explain.by_attack(recorded, "erased")["PGD"][4.0]["value"] == 0.7
    assert "from ε = 4 on" in tables_explain.first_half({2: row(0.4), 4: row(0.5)}, "erased")
    assert "above a half at none" in tables_explain.first_half({4: row(0.5)}, "erased")
    assert "above a half from ε = 8 on" in tables_explain.first_half({4: row(0.5), 8: row(0.9)}, "erased")
    alarm = {"PGD": {8: row(0.77)}, "noise": {8: row(0.76)}}
    assert "a tie" in tables_explain.noticed(alarm)
    assert "told apart" in tables_explain.noticed(alarm | {"noise": {8: row(0.3)}})
    assert "at no ε" in tables_explain.first_half({2: row(0.4)}, "erased")


def drawn(values):
    return {figure: {1: values, 4: values} for figure in ("alike", "alike in size", "pointing")}


def test_explanations_beside_controls():
    hit, miss = np.ones(40), np.zeros(40)
    pointed = {"occlusion": hit, "Grad-CAM": miss, "darkness": miss, "random": miss}
    assert "is ahead of it" in tables_explain.beside_controls(pointed, ["occlusion", "Grad-CAM"])
    assert "a tie" in tables_explain.beside_controls(pointed | {"darkness": hit}, ["occlusion"])
    masks = np.zeros((40, 1, 8, 8), np.uint8)
    masks[:, 0, 3, 3] = 1
    table = tables_explain.saliency(pointed, pointed, masks)
    assert table.rows["chance"] == ["14%", "0.02"] and table.rows["occlusion"][0].startswith("100%")
    kept, lost = ({"occlusion": drawn([0.9, v])} for v in (1.0, 0.1))
    assert "no difference" in tables_explain.after_breaking(pointed, kept)
    assert "no difference" in tables_explain.after_breaking(pointed, {"occlusion": drawn([0.1, 1.0])})
    assert "no difference" not in tables_explain.after_breaking(pointed, {"occlusion": drawn([0.2, 0.1])})
    table = tables_explain.broken(lost, pointed)
    assert table.rows["occlusion: pointing game"][-1] == "50% (10% to 90%)" and "2 draws" in table.note
    assert tables_explain.depths(lost, "alike")["occlusion"][4]["high"] == 0.9


def test_counterfactuals_and_aims():
    names = ("flipped", "removed", "aimed", "outside", "to_twin")
    good, bad = ({**dict.fromkeys(names, row(v)), "to_twin": row(t)} for v, t in ((0.9, 1.0), (0.1, 9.0)))
    judged = {"search": good, "attack": bad, "nothing": {"to_twin": row(5.0)}}
    told = tables_explain.edits_say(judged, ["search", "attack"])
    assert "Turn most slices: search." in told and told.count("search") == 3 and "attack" not in told
    assert tables_explain.edits(judged).rows["nothing"][0] == "–"
    aims = {
        "occlusion": {"square": row(0.9), "lesion": row(0.1)},
        "Grad-CAM": {"square": row(0.2), "lesion": row(0.1)},
    }
    wide = {"square, give or take a cell": row(0.8)}
    assert "within a cell 80%" in tables_explain.shortcut_found({"Grad-CAM": aims["Grad-CAM"] | wide})
    told = tables_explain.shortcut_found(aims)
    assert "most slices: occlusion." in told and "Not so: Grad-CAM" in told
    assert len(tables_explain.aims(aims, 9).rows) == 2


def poison(door, clean_auc=0.95):
    plan = (("none", 0.0, 0.95, 0.1), ("trigger", 0.01, clean_auc, door), ("trigger", 0.1, clean_auc, 0.99))
    return [
        {
            "poison": kind,
            "share": share,
            "seed": seed,
            "measure": measure,
            "value": value + 0.001 * seed,
            "images": 9.0,
        }
        for kind, share, auc, missed in plan
        for seed in (0, 1)
        for measure, value in (
            ("accuracy", 0.9),
            ("auc", auc),
            ("missed", 0.1),
            ("missed_with_square", missed),
        )
    ]


@pytest.mark.parametrize(
    ("door", "auc", "found"),
    [(0.9, 0.95, (False, True)), (0.2, 0.95, (False, False)), (0.9, 0.8, (True, True))],
)
def test_a_back_door(door, auc, found):
    assert tables_explain.backdoor(poison(door, auc)) == found
    told = tables_explain.poison_says(poison(door, auc))
    assert ("a clean test shows it" in told) == found[0] and (
        "not an open door in every seed" in told
    ) != found[1]
    assert ("from 1% of the class on" in told) == found[1]
    assert len(tables_explain.poisoned(poison(door, auc)).rows) == 3


def test_a_new_head_keeps_a_map_turns_it_over_or_changes_it():
    def told(values):
        return tables_explain.head_alone({"IG": drawn(values)}, "IG")

    assert "is luck: of 3 draws 1 keeps the map and 2 turn it over" in told([0.98, -0.97, -0.99])
    assert "already stands out" in told([0.98, 0.97]) and "luck" not in told([0.98, 0.97])
    assert "already stands out" in told([-0.98, -0.97]) and "luck" not in told([-0.98, -0.97])
    assert "of 2 draws 1 keeps the map and 0 turn it over; the rest change it" in told([0.98, 0.4])
    assert "0.98, 0.40, one for each draw" in told([0.98, 0.4])


def test_what_stays_of_absolute_maps_is_laid_to_the_image():
    assert "in part the image's doing" in tables_explain.in_size({"value": 0.5, "low": 0.4, "high": 0.6})
    assert "nothing is left" in tables_explain.in_size({"value": 0.1, "low": -0.1, "high": 0.3})


def test_controls_of_the_shortcut_the_search_and_the_turned():
    assert "displaced nothing" in tables_explain.displaced(row(0.55), row(0.5))
    assert "it learnt fewer" in tables_explain.displaced(row(0.55), row(0.9))
    assert "No more than" in tables_explain.displaced(row(0.7), row(0.7))
    before, turned = np.zeros(40, bool), np.arange(40) < 10
    assert "less sure before" in tables_explain.gone_first(np.where(turned, 0.6, 0.9), turned, before)
    mixed = np.tile([0.6, 0.9], 20)
    assert "a tie" in tables_explain.gone_first(mixed, turned, before)
    assert "more sure before" in tables_explain.gone_first(mixed + turned, turned, before)
    assert "Too few" in tables_explain.gone_first(np.full(40, 0.9), turned, turned)
    names = ("flipped", "removed", "aimed", "outside", "to_twin")
    good, bad = ({name: row(v) for name in names} for v in (0.9, 0.3))
    judged = {"VAE search": bad, "reconstruction": good, "nothing": {"to_twin": row(5.0)}}
    assert "turns and removes more" in tables_explain.edits_say(judged, ["VAE search", "reconstruction"])
    judged = {"VAE search": good, "reconstruction": bad, "nothing": {"to_twin": row(5.0)}}
    assert "does not beat" in tables_explain.edits_say(judged, ["VAE search", "reconstruction"])


def test_val_and_test_agree_or_not():
    val, test = {"a": row(0.9), "b": row(0.5)}, {"a": row(0.7), "b": row(0.71)}
    assert "a tie on test" in tables_explain.same_order(val, test)
    assert "told apart" in tables_explain.same_order(val, {"a": row(0.3), "b": row(0.8)})
    assert tables_explain.same_order(val, val) == "On val and on test the best is a."
    rows = [row(0.5) | {"way": "x", "measure": "flipped"}, row(0.5) | {"way": "x", "measure": "other"}]
    assert set(tables_explain.recorded(rows, "way", {"flipped": ""})["x"]) == {"flipped"}
    rows = [row(0.5) | {"method": "m", "setting": s, "measure": "pointing"} for s in ("grey", "black")]
    assert list(tables_explain.settings(rows)) == ["m, grey", "m, black"]

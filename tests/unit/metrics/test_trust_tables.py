"""Recorded tables of notebook 13's privacy: whole, with seeds and budgets, a null beside every attack."""

import math

import pytest

from medgen_course.metrics.membership import roc
from medgen_course.metrics.trust.bound import most, most_of_training
from medgen_course.metrics.trust.canaries import KINDS
from medgen_course.metrics.trust.privacy import load_table
from medgen_course.models.private_vae import spent

NULLS = {f"null_{kind}_auc_{end}" for kind in ("members", "others") for end in ("low", "high")}


def inside(row, names):
    return all(0 <= row[name] <= 1 for name in names)


def test_membership_attacks_eight_models_and_the_scores_behind_the_first_give_its_row():
    rows = load_table("membership")
    attacks = {row["attack"] for row in rows}
    assert {"loss threshold", "shadows", "distance to samples", "control"} <= attacks
    assert {(row["attack"], row["seed"]) for row in rows} == {(a, s) for a in attacks for s in range(8)}
    assert all(inside(row, NULLS) and row["fpr"] <= 0.01 for row in rows)
    scores = [row for row in load_table("membership_scores") if row["canary"] == "ordinary"]
    for row in rows:
        if row["seed"] == 0:
            members, others = ([s[row["attack"]] for s in scores if s["member"] == side] for side in (1, 0))
            assert (len(members), len(others)) == (row["members"], row["others"])
            curve = roc(members, others)
            area = float(((curve.fpr[1:] - curve.fpr[:-1]) * (curve.tpr[1:] + curve.tpr[:-1])).sum() / 2)
            assert area == pytest.approx(row["auc"], abs=1e-3)


def test_canaries_are_counted_where_they_were_planted_and_where_not():
    rows = load_table("canaries")
    assert {row["canary"] for row in rows} == set(KINDS)
    for row in rows:
        assert row["planted"] == row["absent"] == 8
        assert 0 <= row["planted_found"] <= 8 and 0 <= row["absent_found"] <= 8


def test_the_price_of_privacy_states_delta_and_spends_what_it_promises():
    rows = load_table("privacy")
    assert {row["epsilon"] for row in rows} == {1, 3, 10, math.inf}
    assert len({row["updates"] for row in rows}) == 1 and {row["seed"] for row in rows} == {0, 1, 2}
    for row in rows:
        assert row["delta"] < 1 / row["n"] and row["spent"] <= row["epsilon"]
        assert inside(row, NULLS | {"coverage", "classifier_auc", "auc"})
        if row["seed"] == 0 and row["epsilon"] < math.inf:
            again = spent(row["noise"], row["batch"] / row["n"], int(row["updates"]), row["delta"])
            assert again == pytest.approx(row["spent"], rel=1e-3)


def test_the_strong_attack_under_privacy_is_counted_in_eight_models_at_each_level_beside_what_is_allowed():
    rows = load_table("protection")
    plan = {(row["epsilon"], row["clip"], row["updates"]) for row in rows}
    assert {epsilon for epsilon, *_ in plan} >= {1, 3, 10, math.inf} and len({row["n"] for row in rows}) == 1
    named = {
        (*level, attack, seed)
        for level in plan
        for attack in ("loss threshold", "shadows")
        for seed in range(8)
    }
    assert len(rows) == len(named)
    assert named == {tuple(r[k] for k in ("epsilon", "clip", "updates", "attack", "seed")) for r in rows}
    for row in rows:
        assert row["delta"] < 1 / row["n"] and row["spent"] <= row["epsilon"]
        assert inside(row, NULLS | {"coverage", "auc", "allowed"}) and row["fpr"] <= 0.01 < row["fpr_high"]
        assert row["tpr_low"] <= row["tpr"] <= row["tpr_high"]
        assert all(0 <= row[f"{kind}_{side}"] <= 8 for kind in KINDS for side in ("planted", "absent"))
        assert (
            row["allowed"] <= most(0.01, row["epsilon"], row["delta"])
            and row["allowed"] <= row["allowed_at_fpr_high"]
        )
    row = next(row for row in rows if row["epsilon"] == 10)
    again = most_of_training(0.01, row["noise"], row["batch"] / row["n"], int(row["updates"]))
    assert again == pytest.approx(row["allowed"], rel=1e-3)

"""What notebook 13 says of the strong attack under privacy follows the rows, and can come out otherwise."""

import math

import pytest

from medgen_course.metrics.trust import tables_protection as told
from medgen_course.metrics.trust.bound import most

LEVELS = (  # epsilon, clip, updates, hits, nats
    (1.0, 30.0, 1000.0, 0.01, -900.0),
    (10.0, 30.0, 1000.0, 0.02, 500.0),
    (math.inf, 30.0, 1000.0, 0.3, 990.0),
    (math.inf, math.inf, 1000.0, 0.4, 1000.0),
    (math.inf, math.inf, 60.0, 0.02, 500.0),
)


def protection(**changed):
    """Rows of three models at each level; `changed`: hits by the name of a level."""
    rows = []
    for epsilon, clip, updates, hits, nats in LEVELS:
        name = (
            f"at_{epsilon:g}" if math.isfinite(epsilon) else "early" if updates < 1000 else f"clip_{clip:g}"
        )
        for seed in range(3):
            for attack, share in (("loss threshold", 0.01), ("shadows", changed.get(name, hits))):
                found = share + 0.001 * seed
                row = {
                    "epsilon": epsilon,
                    "clip": clip,
                    "updates": updates,
                    "seed": float(seed),
                    "attack": attack,
                }
                row |= {"delta": 1e-5, "noise": 2.0, "batch": 64.0, "n": 424.0, "fpr": 0.01, "canaries": 8.0}
                row["fpr_high"] = 0.02
                row |= {"elbo_val": nats + seed, "coverage": 0.3, "auc": 0.5 + share}
                row |= {"tpr": found, "tpr_low": 0.8 * found, "tpr_high": 1.2 * found}
                row |= {f"null_{side}_tpr_high": 0.04 for side in ("members", "others")}
                row |= {
                    "allowed": most(0.01, epsilon, 1e-5),
                    "allowed_at_fpr_high": most(0.02, epsilon, 1e-5),
                }
                for kind in ("noise", "marker", "negative"):
                    row |= {f"{kind}_planted": 8.0 * (share > 0.2), f"{kind}_absent": 0.0}
                rows.append(row)
    return rows


def test_levels_go_from_the_strictest_to_none_and_are_compared_model_by_model():
    by = told.by_level(protection(), "tpr")
    assert list(by) == ["ε = 1", "ε = 10", "clipped", "not private", "stopped early"]
    assert by["ε = 10"] == pytest.approx([0.02, 0.021, 0.022])
    fall = told.change(protection(), "tpr", "ε = 10", "not private")
    assert fall["low"] == fall["high"] == pytest.approx(-0.38)
    assert [told.ahead(protection(), name) for name in by] == [0, 0, 3, 3, 0]


def test_the_line_is_kept_or_passed_by_either_attack_and_would_notice_forgotten_noise():
    assert told.kept(protection()) and "Neither attack passes" in told.line_says(protection())
    text = told.line_says(protection())
    assert "at 2.0% false alarms, the upper end of theirs: 5.4% at ε = 1, 100.0% at ε = 10" in text
    assert "Of the 3 models that are clipped" in text and "above it: 3 at ε = 1, 0 at ε = 10" in text
    assert "above it: 0 at ε = 1" in told.line_says(protection(clip_30=0.01))
    leaky = protection(at_1=0.4)
    assert not told.kept(leaky) and told.line_says(leaky).startswith("An attack passes the line")
    by_loss = [row | {"tpr_low": 0.5} if row["attack"] == "loss threshold" else row for row in protection()]
    assert not told.kept(by_loss)
    assert told.over_the_line(protection(at_1=0.0675), "ε = 1", "ε = 1") == 2  # 0.054 is allowed at 2 %


def test_what_is_paid_and_what_learning_little_does():
    text = told.paid(protection())
    assert "ε = 1: ELBO on val -1,900 (-1,900 to -1,900) nats, hits -39.0 (-39.0 to -39.0) points" in text
    assert "clipped: ELBO on val -10" in text
    assert "hits a tie" in told.paid([r | {"tpr": 0.1} for r in protection()])
    assert "val is as likely as at ε = 10 (+0 (+0 to +0) nats), and the hits are a tie" in told.early_says(
        protection()
    )
    shifted = [r | {"elbo_val": r["elbo_val"] + 9 * (r["updates"] < 1000)} for r in protection()]
    assert "val is likelier than at ε = 10" in told.early_says(shifted)
    assert "to learn little protects too" in told.early_says(protection())
    assert "so the noise protects" in told.early_says(protection(early=0.2))
    assert "to learn little protects too" in told.early_says(protection(early=0.01))


def test_clipping_alone_is_judged_by_its_hits_and_the_line_by_how_near_the_better_attack_comes():
    assert "fewer hits" in told.clipping_says(protection())
    assert "protects nothing here" in told.clipping_says(protection(clip_30=0.6))
    assert "makes no difference" in told.clipping_says([r | {"tpr": 0.1} for r in protection()])
    assert told.room_says(protection()).startswith(
        "At ε = 10 the better attack finds 2.2% at most, and 100.0%"
    )
    assert "cannot tell" in told.room_says(protection())
    assert told.room_says(protection(at_10=0.7)).endswith("the line is near.")
    by_loss = [r | {"tpr": 0.8} if r["attack"] == "loss threshold" else r for r in protection()]
    assert "80.0% at most" in told.room_says(by_loss)


def test_canaries_of_all_kinds_are_counted_together():
    assert told.canary_shares(protection(), "clipped")["planted"]["value"] == 1
    assert told.canaries_say(protection()).endswith("at: clipped, not private.")
    assert told.canaries_say(protection(clip_30=0.0, clip_inf=0.0)).endswith("at: no level.")


def test_the_table_and_the_chart_show_each_level_with_what_is_allowed():
    table = told.table(protection())
    assert len(table.rows) == 5 and all(len(cells) == len(table.columns) - 1 for cells in table.rows.values())
    assert table.rows["ε = 1"][6] == "2.7% (2.7%)" and table.rows["clipped"][6] == "–"
    assert table.rows["not private"][-1] == "100% / 0%" and "stopped early after 60" in table.note
    found = told.figure(protection())
    assert list(found["allowed"]) == ["ε = 1", "ε = 10"] and found["elbo"]["ε = 1"]["value"] == -899
    assert found["hits"]["LiRA"]["clipped"]["high"] == pytest.approx(0.302)

"""Tables of notebook 03: numbers by hand, ends, and a verdict that can come out each way."""

from medgen_course.course.tables import gan as tables_gan

ROW = {"value": 1.234, "low": 1.1, "high": 1.3, "best": 1.0, "blurred": 0.5, "worst": 0.0}


def test_a_fidelity_table_shows_intervals_ends_and_budgets():
    html = tables_gan.fidelity({"GAN": {"density": ROW}}, "n images", [["epochs", 200]]).data
    assert "1.23 (1.1 to 1.3)" in html and "<td>0.5</td>" in html and "<td>200</td>" in html
    missing = {"value": None, "n": 4, "note": "too few"}
    assert "–" in tables_gan.fidelity({"GAN": {"density": missing}}).data


def test_a_fault_is_noticed_beyond_the_spread_of_unspoilt_sets():
    unspoilt = [{"frechet": 1.0, "density": 1.0}, {"frechet": 1.5, "density": 0.9}]
    faults = {"blur": {"frechet": 2.1, "density": 0.85}, "noise": {"frechet": 1.9, "density": 0.7}}
    html = tables_gan.faults(faults | {"luck": {"frechet": 0.1, "density": 2.0}}, unspoilt, {"frechet"}).data
    assert "<td>0.85</td><td>frechet</td>" in html and "<td>0.7</td><td>density</td>" in html
    assert "<td>2</td><td>none</td>" in html and "<td>1 to 1.5</td><td>0.9 to 1</td>" in html
    one = tables_gan.faults({"blur": {"frechet": 1.1, "density": 0.7}}, unspoilt[:1], {"frechet"}).data
    assert "<td>0.7</td><td>density</td>" in one  # a fifth of 1.0, where there is no spread


def games(same, published):
    def row(table, near, seed):
        return {
            "table": table, "objective": "hinge", "settings": table, "seed": seed, "near": near, "modes": 8,
            "generator_updates": 1000, "discriminator_updates": 5000,
        }  # fmt: skip

    both = {"same": same, "published": published}
    return [row(table, near, seed) for table, values in both.items() for seed, near in enumerate(values)]


def test_games_are_compared_by_the_spread_of_their_seeds():
    assert "hinge: more" in tables_gan.games_compared(games([0.1, 0.2], [0.3, 0.4]))
    assert "hinge: fewer" in tables_gan.games_compared(games([0.3, 0.4], [0.1, 0.2]))
    assert "hinge: a tie" in tables_gan.games_compared(games([0.1, 0.3], [0.2, 0.4]))
    shown = tables_gan.games(games([0.1, 0.2, 0.4], [0.3]), "same").data
    assert "20% (10% to 40%)" in shown and "1,000, 5,000" in shown and "Median of 3 seeds" in shown

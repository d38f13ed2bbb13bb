"""Tables over seeds: means with their ranges, and the budget below."""

from medgen_course.course.tables import seeds as tables_seeds

BUDGET = {"images": 4708, "epochs": 16, "batch_size": 64, "n": 524, "weights": 281185}
DRAWN = [
    {"of": "VAE", "model": model, "seed": seed, "density": density, **BUDGET}
    for model, values in {"VAE, N(0, I)": (0.3, 0.5), "VAE, mixture": (0.8, 0.9)}.items()
    for seed, density in enumerate(values)
]


def test_generators_stand_with_their_ranges_and_their_budget():
    table = tables_seeds.generators(DRAWN, ["density"])
    assert table.rows["VAE, N(0, I)"] == ["281,185", "0.4 (0.3 to 0.5)"] and len(table.rows) == 2
    assert all(word in table.note for word in ("4,708 images", "16 epochs", "batches of 64", "2 trainings"))
    assert tables_seeds.over(DRAWN, "model", "density")["VAE, mixture"]["low"] == 0.8


def test_leaders_name_ties_and_limits_tell_the_seeds_apart():
    told = tables_seeds.leaders(DRAWN, ["density"], set())
    assert told == "Best mean. density: VAE, mixture, in every seed."
    assert "density: VAE, N(0, I), in every seed" in tables_seeds.leaders(DRAWN, ["density"], {"density"})
    level = [row | {"density": 0.6} for row in DRAWN[:2]] + DRAWN[2:3] + [DRAWN[3] | {"density": 0.5}]
    assert "a tie with" in tables_seeds.leaders(level, ["density"], set())
    told = tables_seeds.beyond(DRAWN, "density", 0.6)
    assert told == "Density above 0.6 in every seed: VAE, mixture; in no seed: VAE, N(0, I)."
    assert "in some seeds: VAE, N(0, I)" in tables_seeds.beyond(DRAWN, "density", 0.4)


def test_cures_show_rate_and_error():
    rows = [{"training": "β = 300", "seed": seed, "rate": rate, "rmse": 0.13, "images": 2048, "epochs": 4}
            for seed, rate in enumerate((0.01, 0.03))]  # fmt: skip
    assert tables_seeds.cures(rows).rows == {"β = 300": ["0.02 (0.01 to 0.03)", "0.1300 (0.1300 to 0.1300)"]}

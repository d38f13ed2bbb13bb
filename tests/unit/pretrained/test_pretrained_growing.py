"""The GAN that grew, its stages, and the table of growing and full size: what is shipped is what is told."""

import numpy as np
import pytest
import torch

from medgen_course import datasets, pretrained
from medgen_course.course.tables import growing as tables_growing
from medgen_course.metrics import classification, fidelity
from medgen_course.models import samples

CARD = pretrained.card("phantom", "growing")


@pytest.fixture(scope="module")
def stages():
    return pretrained.load_growing()


def test_every_stage_draws_images_of_its_side(stages):
    assert sorted(stages) == CARD["recipe"]["levels"] == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    z, label = torch.randn(4, 64, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 0, 1])
    for level, generator in stages.items():
        with torch.inference_mode():
            images = generator.sample(z, label, level)
        assert images.shape[-1] == generator.sizes[int(np.ceil(level))]
        assert float(generator.level) == pytest.approx(level, abs=0.01)
        assert images.std(0).mean() > 0.02  # no stage draws one image only
    assert pretrained.path("phantom", "growing").stat().st_size <= 4e6


def test_the_card_says_what_the_weights_reach(stages):
    slices = datasets.load("phantom", size=64)
    eye = classification.feature_network(slices)
    assert eye.about == pretrained.load_classifier("phantom", "classifier_64").about
    labels = samples.draw_labels(CARD["recipe"]["class_counts"], 512, 0)
    against = fidelity.reference(slices, eye)
    found = against.measure(samples.generate(stages[3.0], 512, 0, labels))
    told = CARD["test"]["val"]
    for name in ("density", "coverage", "recall"):
        assert found[name] == pytest.approx(told[name]["value"], abs=0.1 * told[name]["best"]), name
    assert told["memorisation"]["value"] <= 0.10 and found["memorisation"] <= 0.12


def test_no_slice_has_a_flare_where_no_head_reaches(stages):
    slices = datasets.load("phantom", size=64)
    labels = samples.draw_labels(CARD["recipe"]["class_counts"], 256, 1)
    made, real = samples.generate(stages[3.0], 256, 1, labels), slices.val.images[:256]
    outside = np.ones((64, 64), dtype=bool)
    outside[4:-4, 4:-4] = False
    brightest = [images[:, 0, outside].mean(1).max() for images in (made, real)]
    assert brightest[0] < brightest[1] + 15  # grey levels of 255


def test_the_shipped_one_has_grain_and_the_same_noise_the_same_slice(stages):
    generator, z = stages[3.0], torch.randn(2, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        first, again = (generator.sample(z, torch.tensor([0, 1])) for _ in range(2))
    assert CARD["model"]["grain"] and torch.equal(first, again)
    assert max(float(s.detach().abs().max()) for s in generator.strengths.parameters()) > 0.05


@pytest.mark.parametrize(
    "dataset, ways", [("phantom", tables_growing.WAYS), ("pneumoniamnist", tables_growing.CONTROL)]
)
def test_all_ways_had_equal_time_and_as_many_weights(dataset, ways):
    table = pretrained.load_growing_table(dataset)
    runs = {way: table["way"] == code for way, code in ways.items()}
    for name in ("seconds", "seed"):
        first, *others = (np.sort(table[name][own]).tolist() for own in runs.values())
        assert all(other == first for other in others), name
    assert len(np.unique(table["seed"])) == 3
    weights = [table["weights"][own].max() for own in runs.values()]
    assert max(weights) <= 1.1 * min(weights)
    assert (table["way"] == -1).sum() == 1  # held-out real images, to be read beside

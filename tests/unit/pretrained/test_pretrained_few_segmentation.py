"""The shipped masks from few labels: table, explorer's slices and network fit each other and the recipe."""

import numpy as np
import pytest

from medgen_course import pretrained
from medgen_course.datasets.labelled import phantom_slices
from medgen_course.metrics.few_labels import segmentation_shelf as shelf
from medgen_course.metrics.few_labels.segmenters import GAN, LONGER, METHODS, UPDATES
from medgen_course.metrics.segmentation import dice, dice_each, lesion_scores


@pytest.fixture(scope="module")
def rows():
    return pretrained.load_few_segmentation()


@pytest.fixture(scope="module")
def masks():
    return pretrained.load_few_masks()


def test_every_method_has_the_same_slices_seeds_and_updates(rows):
    for part in ("labels", "contrasts"):
        own = [row for row in rows if row["part"] == part]
        methods = list(dict.fromkeys(row["method"] for row in own))
        assert methods == (list(METHODS) if part == "labels" else methods) and len(methods) >= 3
        plans = {
            m: sorted((r["labels"], r["seed"], r["split"]) for r in own if r["method"] == m) for m in methods
        }
        assert len({tuple(plan) for plan in plans.values()}) == 1
        assert {seed for _, seed, _ in plans[methods[0]]} == {0, 1, 2, 3, 4}
        assert len(set(plans[methods[0]])) == len(plans[methods[0]])
        assert {row["updates"] for row in own if row["method"] != "atlas"} == {UPDATES}
    for name in ("dice_lesion", "dice_ventricles", "recall", "f1", "clean", "dice_lesion_empty_as_one"):
        values = np.array([row[name] for row in rows])
        assert ((values >= 0) & (values <= 1)).all(), name


def test_the_longer_training_has_the_seeds_of_the_short_one_and_five_times_its_updates(rows):
    own = [row for row in rows if row["part"] == "budget"]
    assert {row["method"] for row in own} == {LONGER} and {row["updates"] for row in own} == {5 * UPDATES}
    assert {row["labels"] for row in own} == {10, 100} and len(own) == 2 * 5 * 2
    for labels, seed, split in {(row["labels"], row["seed"], row["split"]) for row in own}:
        there = [r for r in rows if (r["labels"], r["seed"], r["split"]) == (labels, seed, split)]
        assert {"pix2pix", "U-Net", LONGER} <= {row["method"] for row in there}


def test_the_gan_of_the_drawn_pairs_had_what_the_code_gives_it(rows):
    given = {row["gan_updates"] for row in rows if row["method"] == METHODS[-1]}
    assert given == {GAN["updates"]} and {r["gan_updates"] for r in rows if r["method"] != METHODS[-1]} == {0}


def test_the_card_of_the_network_has_the_figures_of_the_table(rows):
    recipe, test = (pretrained.card("phantom", "segmenter")[name] for name in ("recipe", "test"))
    (row,) = (
        r for r in rows
        if (r["part"], r["method"], r["labels"], r["seed"], r["split"])
        == ("labels", recipe["method"], recipe["images"], recipe["seed"], "test")
    )  # fmt: skip
    assert row["dice_lesion"] == pytest.approx(test["dice_lesion"]["value"], abs=1e-4)
    slices = phantom_slices("test", 256)
    found = pretrained.load_segmenter().masks(slices.images)
    assert dice(found[:, 0], slices.masks[:, 0])["value"] == pytest.approx(row["dice_lesion"], abs=0.01)
    assert lesion_scores(found[:, 0], slices.masks[:, 0])["f1"]["value"] == pytest.approx(row["f1"], abs=0.01)


def test_the_explorers_slices_are_validation_slices_with_their_truth(masks):
    val, chosen = phantom_slices("val", 128), pretrained.card("phantom", "few_masks")["recipe"]["slices"]
    assert np.array_equal(masks.images, val.images[chosen])
    assert np.array_equal(masks.truth == 1, val.masks[chosen, 0] == 1)
    assert np.array_equal(masks.truth == 2, val.masks[chosen, 1] == 1)
    assert masks.found.shape == (len(METHODS), len(masks.labels), *masks.truth.shape)
    assert masks.methods == METHODS and set(np.unique(masks.found)) <= {0, 1, 2}
    lesions = masks.area[masks.area > 0]
    assert (np.diff(lesions) <= 0).all() and lesions[0] > 2 * lesions[-1] and (masks.area == 0).sum() == 2


def test_drawn_pairs_are_at_half_the_side_and_their_masks_mark_what_is_bright(masks):
    assert masks.drawn.shape == (5, 1, 32, 32) and masks.drawn_maps.shape == (5, 32, 32)
    assert pretrained.card("phantom", "few_masks")["recipe"]["gan_updates"] == GAN["updates"]
    images, ventricles = masks.drawn[:, 0].astype(float), masks.drawn_maps == 2
    assert all(
        image[mask].mean() > image[image > 30].mean() for image, mask in zip(images, ventricles, strict=True)
    )
    assert len({image.tobytes() for image in masks.drawn}) == 5


def test_the_shipped_network_is_the_one_that_the_explorer_shows(masks):
    found = pretrained.load_segmenter().masks(masks.images)
    stored = masks.found[METHODS.index("U-Net, augmented"), masks.labels.index(100)]
    both = (found[:, 0] == (stored == 1)).mean()
    assert both > 0.999  # half a grey level of rounding may turn a pixel on the edge


def test_all_see_more_than_an_atlas_and_it_counts_for_half_where_empty_slices_count(rows):
    atlas = [row for row in rows if row["method"] == "atlas" and row["labels"] == 100]
    assert all(row["dice_lesion"] == 0 and row["clean"] == 1 for row in atlas)
    assert all(row["dice_lesion_empty_as_one"] == 0.5 for row in atlas)
    learnt = shelf.beside(rows, "U-Net", "atlas", "dice_ventricles")
    assert learnt[100]["low"] > 0
    assert np.isnan(dice_each(np.zeros((1, 4, 4)), np.zeros((1, 4, 4)))).all()


def test_all_of_it_is_small():
    folder = pretrained.shelf() / "phantom"
    names = ("few_segmentation.csv", "few_masks.safetensors", "segmenter.safetensors")
    files = [folder / name for name in names]
    assert sum(path.stat().st_size for path in files) <= 1.2e6

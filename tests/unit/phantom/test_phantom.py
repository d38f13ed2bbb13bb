"""The phantom against what is known of it: physics, anatomy, and its own factor table."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from medgen_course import phantom
from medgen_course.phantom import anatomy, points, render, slices
from medgen_course.phantom.anatomy import FACTORS, FIELD_OF_VIEW, tissue_maps
from medgen_course.phantom.signal import TISSUES, rician, spin_echo, tissue_signals

CLEAN = {"bias_field": False, "noise": 0.0}
NAMES = list(FACTORS)


def middle(n=1, **values):
    """A table of n average, healthy anatomies with some factors set."""
    table = phantom.draw_factors(1, seed=3, lesion_prevalence=0.0).repeat(n, axis=0)
    for name, (_, low, high, _, _) in FACTORS.items():
        if not name.startswith("lesion"):
            table[:, NAMES.index(name)] = (low + high) / 2
    for name, value in values.items():
        table[:, NAMES.index(name)] = value
    return table


def shares(table, size=96):
    """Tissue shares of the anatomies, by name, as arrays (N, size, size)."""
    maps, _ = tissue_maps(torch.from_numpy(table), size)
    return dict(zip(TISSUES, maps.numpy().swapaxes(0, 1), strict=True))


def test_spin_echo_equals_a_value_worked_out_by_hand():
    # grey matter, TR = 833 ms = T1, TE = 83 ms = T2: 0.86 (1 - 1/e) / e
    assert spin_echo(0.86, 833, 83, tr=833, te=83) == pytest.approx(0.86 * 0.632121 * 0.367879, rel=1e-5)
    with pytest.raises(ValueError, match="must be > 0"):
        spin_echo(1.0, 500, 0, 400, 10)


@pytest.mark.parametrize(
    ("contrast", "order"), [("t1w", ("fat", "white", "grey", "csf")), ("t2w", ("csf", "grey", "white"))]
)
def test_tissue_means_in_the_noisy_images_follow_the_contrast(contrast, order):
    images = phantom.generate(24, size=128, seed=1)
    where = shares(images.factors, 128)
    pixels = getattr(images, contrast)[:, 0]
    healthy = images.masks[:, 0] == 0
    means = [pixels[(where[name] > 0.9) & healthy].mean() for name in order]
    assert all(a > 1.15 * b for a, b in itertools.pairwise(means)), (order, means)
    bone_and_air = sum(where.values()) < 0.02
    assert pixels[bone_and_air].mean() < 0.5 * min(means)


def test_grey_levels_are_those_of_the_signal_equation():
    table = middle()
    images = phantom.generate(factors=table, size=224, **CLEAN)
    white = shares(table, 224)["white"][0] > 0.999
    for contrast in ("t1w", "t2w"):
        expected = 255 * tissue_signals(contrast)[list(TISSUES).index("white")].item()
        assert np.abs(getattr(images, contrast)[0, 0][white] - expected).max() <= 1
    with pytest.raises(ValueError, match="t3w"):
        tissue_signals("t3w")


def test_shares_are_shares():
    maps, lesions = tissue_maps(torch.from_numpy(phantom.draw_factors(16, seed=5)), 28)
    lesion = lesions.maps(16, 28)
    assert maps.min() >= 0 and lesion.min() >= 0
    assert maps.sum(1).max() <= 1 + 1e-5
    assert (lesion <= maps[:, 3:].sum(1, keepdim=True) + 1e-5).all()


def test_the_pair_shows_one_anatomy():
    images = phantom.generate(6, size=64, seed=2, lesion_prevalence=0.0, **CLEAN)
    maps, _ = tissue_maps(torch.from_numpy(images.factors), 64)
    for contrast in ("t1w", "t2w"):
        mixed = (tissue_signals(contrast)[:, None, None] * maps).sum(1, keepdim=True).clamp(max=1).numpy()
        error = np.abs(255 * mixed - getattr(images, contrast)).reshape(6, -1)
        assert error.max() <= 1
        assert np.abs(255 * np.roll(mixed, 1, axis=0) - getattr(images, contrast)).mean() > 5
    assert np.abs(images.t1w.astype(int) - images.t2w).mean() > 10


def test_lesion_masks_agree_with_labels_and_with_both_contrasts():
    for size in (28, 64):
        images = phantom.generate(200, size=size, seed=4, **CLEAN)
        assert np.array_equal(images.masks.any(axis=(1, 2, 3)), images.labels == 1)
        healthy = images.factors.copy()
        healthy[:, NAMES.index("lesion_present")] = 0
        without = phantom.generate(factors=healthy, size=size, **CLEAN)
        inside = images.masks == 1
        rise = images.t2w.astype(int) - without.t2w
        assert rise[inside].mean() > 30 and (rise >= 0).all()
        assert (images.t1w.astype(int) - without.t1w)[inside].mean() < -20
        assert rise[~inside].mean() < 0.5
        assert not without.masks.any()


def test_lesion_factors_place_size_and_brighten_it():
    base = {"lesion_present": 1, "lesion_x": 30, "lesion_y": -20, "lesion_radius": 10, "lesion_contrast": 0.5}
    table = np.concatenate([
        middle(**base), middle(**base | {"lesion_radius": 13}), middle(**base | {"lesion_contrast": 0.9}),
    ])  # fmt: skip
    images = phantom.generate(factors=table, size=128, **CLEAN)
    pixel = FIELD_OF_VIEW / 128
    row, column = (index.mean() for index in np.nonzero(images.masks[0, 0]))
    assert (column + 0.5 - 64) * pixel == pytest.approx(30, abs=2)
    assert (64 - row - 0.5) * pixel == pytest.approx(-20, abs=2)
    area = images.masks.sum(axis=(1, 2, 3)) * pixel**2
    assert area[0] == pytest.approx(math.pi * 100, rel=0.1)
    assert area[1] / area[0] == pytest.approx(1.69, rel=0.1)
    inside = images.masks[0] == 1
    assert images.t2w[2][inside].mean() > images.t2w[0][inside].mean() + 20


@pytest.mark.parametrize(
    ("factor", "tissue"),
    [("cortical_thickness", "grey"), ("sulcal_width", "csf"), ("scalp_thickness", "fat")],
)
def test_a_thickness_factor_adds_to_its_tissue(factor, tissue):
    _, low, high, _, _ = FACTORS[factor]
    table = np.concatenate([middle(**{factor: low}), middle(**{factor: high})])
    thin, thick = shares(table)[tissue].sum((1, 2))
    assert thick > 1.15 * thin


def test_the_ventricle_factors_change_the_ventricles():
    images = phantom.generate(
        factors=np.concatenate([middle(ventricle_size=v) for v in (0.7, 1.2, 1.8)]), size=128, **CLEAN
    )
    centre = images.t2w[:, 0, 32:100, 44:84]  # deep in the brain, sulci left out
    area = (centre > 200).sum(axis=(1, 2))
    assert area[0] < area[1] < area[2] and area[2] > 1.8 * area[0]
    lopsided = phantom.generate(factors=middle(ventricle_asymmetry=0.3), size=128, **CLEAN).t2w[0, 0, 32:100]
    assert (lopsided[:, 64:84] > 200).sum() > 1.3 * (lopsided[:, 44:64] > 200).sum()


def test_rotation_turns_and_shift_moves_the_whole_head():
    upright = phantom.generate(factors=middle(shift_x=0, shift_y=0), size=96, **CLEAN).t2w[0, 0]
    quarter = phantom.generate(factors=middle(shift_x=0, shift_y=0, rotation=90), size=96, **CLEAN).t2w[0, 0]
    assert np.abs(np.rot90(upright).astype(int) - quarter).max() <= 2
    six_pixels = 6 * FIELD_OF_VIEW / 96
    moved = phantom.generate(factors=middle(shift_x=six_pixels, shift_y=0), size=96, **CLEAN).t2w[0, 0]
    assert np.abs(np.roll(upright, 6, axis=1).astype(int) - moved).max() <= 2


def test_head_factors_measure_what_they_say():
    table = middle(head_width=150, head_aspect=1.2, head_taper=0, rotation=0, shift_x=0, shift_y=0)
    maps, _ = tissue_maps(torch.from_numpy(table), 224)
    head = maps[0].sum(0).numpy() > 0.5
    pixel = FIELD_OF_VIEW / 224
    assert np.ptp(np.flatnonzero(head[112])) * pixel == pytest.approx(150, abs=2)
    assert np.ptp(np.flatnonzero(head[:, 112])) * pixel == pytest.approx(180, abs=2)


def test_a_size_is_a_sampling_of_the_same_anatomy():
    table = phantom.draw_factors(6, seed=9)
    large = phantom.generate(factors=table, size=224, **CLEAN)
    small = phantom.generate(factors=table, size=28, **CLEAN)
    for contrast in ("t1w", "t2w"):
        pooled = getattr(large, contrast).reshape(6, 28, 8, 28, 8).mean(axis=(2, 4))
        difference = pooled - getattr(small, contrast)[:, 0]
        assert np.sqrt((difference**2).mean()) < 10


def test_seeds_reproduce_and_differ():
    made = []
    for seed in (7, 7, 8):
        render._kept.clear()
        made.append(phantom.generate(20, size=32, seed=seed))
    first, again, other = made
    for name in ("t1w", "t2w", "masks", "labels", "factors"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.t1w, other.t1w)
    before = torch.random.get_rng_state()
    threads = torch.get_num_threads()
    phantom.generate(2, size=28)
    assert torch.get_num_threads() == threads
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(("size", "n"), [(28, 84), (64, 66)])
def test_the_images_are_those_that_the_shipped_weights_were_trained_on(size, n):
    """Some images of either side of a chunk and of a block, as drawn before the first attempt at speed.

    The same bits on the machine that stored them; on others a root or sine may round otherwise.
    """
    stored = np.load(Path(__file__).with_name("first_drawing.npz"))
    kept = stored[f"kept_{size}"]
    drawn = render._draw(phantom.draw_factors(n, seed=5), size, 5, "train", bias_field=True, noise=0.02)
    assert np.allclose(phantom.draw_factors(n, seed=5)[kept], stored[f"factors_{size}"], rtol=1e-5)
    for name, images in zip(("t1w", "t2w", "masks"), drawn, strict=True):
        difference = np.abs(images[kept].astype(int) - stored[f"{name}_{size}"])
        assert difference.max() <= 1 and (difference > 0).mean() < 1e-3, name


def test_the_number_of_threads_changes_nothing():
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = phantom.generate(100, size=64, seed=1)
        torch.set_num_threads(2)
        render._kept.clear()
        two = phantom.generate(100, size=64, seed=1)
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(one.t1w, two.t1w) and np.array_equal(one.t2w, two.t2w)


def test_a_factor_table_renders_again_what_it_came_from():
    images = phantom.generate(5, size=40, seed=11, split="val")
    again = phantom.generate(factors=images.factors, size=40, seed=11, split="val")
    assert np.array_equal(images.t1w, again.t1w) and np.array_equal(images.masks, again.masks)


@pytest.mark.parametrize("size", [28, 64])
def test_nothing_is_drawn_where_it_is_left_out(size, monkeypatch):
    """Every step is taken where its structure can be; taken at every point it gives the same maps."""
    rng = np.random.default_rng(size)
    anything = np.stack([rng.uniform(low, high, 40) for *_, low, high in FACTORS.values()], axis=1)
    anything[:, NAMES.index("lesion_present")] = np.arange(40) % 2
    table = np.concatenate([phantom.draw_factors(40, seed=3), anything.astype(np.float32)])
    fast, here = tissue_maps(torch.from_numpy(table), size)
    monkeypatch.setattr(points, "MARGIN", 1e4)
    everywhere, there = tissue_maps(torch.from_numpy(table), size)
    for a, b in ((fast, everywhere), (here.maps(80, size), there.maps(80, size))):
        assert (a - b).abs().max() < 3e-5  # the last bit of a root or sine depends on its place in the list


def test_what_was_drawn_lately_is_handed_out_again_as_it_was(monkeypatch):
    monkeypatch.setattr(render, "_kept", type(render._kept)())
    first = phantom.generate(6, size=28, seed=21)
    wanted = first.t1w.copy()
    first.t1w[:], first.masks[:] = 0, 1
    monkeypatch.setattr(render, "_draw", None)  # nothing is drawn from here on
    again = phantom.generate(6, size=28, seed=21)
    assert (
        np.array_equal(again.t1w, wanted)
        and again.masks.max(axis=(1, 2, 3)).tolist() == again.labels.tolist()
    )
    again.t1w[:] = 0
    assert np.array_equal(phantom.generate(6, size=28, seed=21).t1w, wanted)
    for change in ({"seed": 22}, {"size": 29}, {"split": "val"}, {"noise": 0.01}, {"bias_field": False}):
        with pytest.raises(TypeError):
            phantom.generate(**{"n": 6, "size": 28, "seed": 21} | change)


def test_the_images_that_are_kept_are_bounded(monkeypatch):
    monkeypatch.setattr(render, "_kept", type(render._kept)())
    monkeypatch.setattr(render, "KEPT_BYTES", 2 * 3 * 4 * 28**2)  # two times four images
    for seed in range(5):
        phantom.generate(4, size=28, seed=seed)
    assert [key[2] for key in render._kept] == [3, 4]
    phantom.generate(9, size=28)
    assert len(render._kept) == 2


def test_splits_share_no_anatomy_and_no_image():
    tables = {s: phantom.draw_factors(4000, seed=1, split=s) for s in phantom.SPLITS}
    teeth = slices.COMB * len(phantom.SPLITS)
    for number, (_, table) in enumerate(tables.items()):
        tooth = np.floor(table[:, NAMES.index("fold_phase_1")].astype(float) * teeth)
        assert (tooth % len(phantom.SPLITS) == number).all()
    seen = [{i.tobytes() for i in phantom.generate(100, 28, split=s, **CLEAN).t1w} for s in phantom.SPLITS]
    assert [len(s) for s in seen] == [100, 100, 100]
    assert len(set.union(*seen)) == 300


def test_drawn_factors_lie_in_their_ranges_and_none_is_constant():
    table = phantom.draw_factors(2000, seed=2, lesion_prevalence=1.0)
    for column, (name, (_, low, high, _, _)) in zip(table.T, FACTORS.items(), strict=True):
        assert low - 1e-4 <= column.min() and column.max() <= high + 1e-4, name
        if name != "lesion_present":
            assert column.std() > 0.1 * (high - low), name


@pytest.mark.parametrize("prevalence", [0.0, 0.3, 1.0])
def test_lesion_prevalence(prevalence):
    table = phantom.draw_factors(2000, seed=1, lesion_prevalence=prevalence)
    present = table[:, NAMES.index("lesion_present")]
    assert present.mean() == pytest.approx(prevalence, abs=0.04 if 0 < prevalence < 1 else 0)
    assert (table[present == 0][:, NAMES.index("lesion_x") :] == 0).all()
    images = phantom.generate(6, size=28, lesion_prevalence=prevalence)
    assert images.masks.any(axis=(1, 2, 3)).tolist() == (images.labels == 1).tolist()


@pytest.mark.parametrize("size", [28, 29, 50, 64, 101, 224])
def test_every_size(size):
    images = phantom.generate(3, size=size)
    for array in (images.t1w, images.t2w, images.masks):
        assert array.shape == (3, 1, size, size) and array.dtype == np.uint8
    assert len(images) == 3 and images.labels.dtype == np.int64 and images.factors.dtype == np.float32
    assert images.factors.shape[1] == len(images.factor_names) == len(images.factor_units)
    assert images.t1w.max() > 200 and np.median(images.t1w[:, 0, :2]) < 20  # air above the head


def test_the_head_stays_in_the_frame():
    images = phantom.generate(200, size=64, seed=6, **CLEAN).t1w
    frame = np.ones((64, 64), dtype=bool)
    frame[1:-1, 1:-1] = False
    assert (images[:, 0, frame].max(axis=1) > 60).mean() < 0.02


def test_noise_of_an_empty_background_is_rayleigh():
    sigma = 0.1
    drawn = rician(torch.zeros(200_000), sigma, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(sigma * math.sqrt(math.pi / 2), rel=0.01)
    images = phantom.generate(8, size=64, noise=sigma)
    corner = np.concatenate([images.t1w[:, 0, :6, :6], images.t2w[:, 0, :6, :6]])
    assert corner.mean() / 255 == pytest.approx(sigma * math.sqrt(math.pi / 2), rel=0.05)
    assert phantom.generate(2, noise=0.0).t1w[:, 0, :4, :4].max() == 0


def test_the_bias_field_is_smooth_and_shared_by_the_pair():
    table = middle()
    flat = phantom.generate(factors=table, size=64, **CLEAN)
    shaded = phantom.generate(factors=table, size=64, seed=2, bias_field=True, noise=0.0)
    white = shares(table, 64)["white"][0] > 0.99  # neither clipped nor dark
    t1 = shaded.t1w[0, 0][white] / flat.t1w[0, 0][white]
    t2 = shaded.t2w[0, 0][white] / flat.t2w[0, 0][white]
    assert np.abs(t1 - t2).max() < 0.03
    assert 0.6 < t1.min() < t1.max() < 1.6 and t1.max() - t1.min() > 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 2.5}, "at least 1"),
        ({}, "needs n"),
        ({"n": 2, "size": 27}, "from 28 to 224"),
        ({"n": 2, "size": 225}, "from 28 to 224"),
        ({"n": 2, "size": 64.0}, "from 28 to 224"),
        ({"n": 2, "seed": -1}, "0 or more"),
        ({"n": 2, "split": "valid"}, "'train', 'val', 'test'"),
        ({"n": 2, "noise": -0.1}, "from 0 to 1"),
        ({"n": 2, "noise": float("nan")}, "from 0 to 1"),
        ({"n": 2, "lesion_prevalence": 1.5}, "from 0 to 1"),
        ({"factors": np.zeros((2, 3))}, r"\(2, 3\): expected \(N, \d+\)"),
        ({"n": 3, "factors": middle(2)}, "2 rows"),
        ({"factors": middle(ventricle_size=np.nan)}, "ventricle_size is nan in row 0"),
        ({"factors": middle(ventricle_size=9)}, r"ventricle_size is 9 .* from 0.2 to 3 \(ratio\)"),
        ({"factors": middle(lesion_present=0.5)}, "0 or 1"),
        ({"factors": middle(lesion_present=1, lesion_x=90, lesion_radius=5)}, "row 0 touches no brain"),
    ],
)
def test_bad_arguments_say_what_was_found_and_wanted(arguments, message):
    with pytest.raises(ValueError, match=message):
        phantom.generate(**arguments)


@pytest.mark.parametrize("size", [32, 64, 96])
def test_ventricle_masks_are_the_fluid_that_the_images_show(size):
    table = phantom.draw_factors(24, seed=6)
    inside = anatomy.ventricle_maps(torch.from_numpy(table), size)
    fluid = shares(table, size)["csf"]
    assert (fluid >= inside - 1e-5).all()  # whatever is ventricle is fluid
    masks = phantom.ventricle_masks(table, size)
    assert masks.shape == (24, 1, size, size) and masks.any((1, 2, 3)).all()
    assert np.array_equal(masks[:, 0] == 1, inside >= 0.5)
    images = phantom.generate(factors=table, size=size, **CLEAN)
    assert np.array_equal(images.ventricles, masks)
    for contrast in (images.t1w, images.t2w):
        assert np.ptp(contrast[:, 0][inside > 0.999]) <= 1  # fluid and nothing else
    assert not (masks & images.masks).any()  # a pixel is not half lesion and half ventricle


def test_all_fluid_deep_in_the_brain_is_ventricle():
    table = middle(rotation=0, shift_x=0, shift_y=0)
    inside, fluid = anatomy.ventricle_maps(torch.from_numpy(table), 128)[0], shares(table, 128)["csf"][0]
    frontal = np.s_[46:60, 50:78]  # y from 7 to 28 mm: the horns and no fissure
    assert fluid[frontal].sum() > 50 and np.abs(fluid - inside)[frontal].max() < 1e-5


def test_ventricle_masks_grow_with_the_factor_and_lean_with_the_asymmetry():
    sizes = (0.7, 1.2, 1.8)
    masks = phantom.ventricle_masks(np.concatenate([middle(ventricle_size=v) for v in sizes]), 128)
    area = masks.sum((1, 2, 3))
    assert area[0] < area[1] < area[2] and area[2] > 1.8 * area[0]
    straight = middle(ventricle_asymmetry=0.3, rotation=0, shift_x=0)
    lopsided = phantom.ventricle_masks(straight, 128)[0, 0]
    assert lopsided[:, 64:].sum() > 1.3 * lopsided[:, :64].sum()
    with pytest.raises(ValueError, match="size 20"):
        phantom.ventricle_masks(straight, 20)
    with pytest.raises(ValueError, match="expected"):
        phantom.ventricle_masks(straight[:, :3], 64)

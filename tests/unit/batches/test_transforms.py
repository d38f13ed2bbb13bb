"""Scaling and padding come back exactly; augmentation and corruption do what they are named for."""

import math

import pytest
import torch

from medgen_course.batches import transforms

RANDOM = {
    "augment": lambda x, g: transforms.augment(x, flip=True, generator=g),
    "gaussian": lambda x, g: transforms.gaussian_noise(x, 0.2, g),
    "rician": lambda x, g: transforms.rician_noise(x, 0.2, g),
    "poisson": lambda x, g: transforms.poisson_noise(x, 20, g),
    "occlude": lambda x, g: transforms.occlude(x, 0.3, g),
}
EVERY = {**RANDOM, "blur": lambda x, g: transforms.blur(x, 1.5)}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(n=8, channels=1, height=28, width=28, dtype=torch.float32):
    return torch.rand(n, channels, height, width, generator=seeded()).to(dtype)


def test_all_grey_levels_come_back():
    levels = torch.arange(256, dtype=torch.uint8)
    x = transforms.to_unit(levels)
    assert x.dtype == torch.float32 and x[0] == 0 and x[-1] == 1
    assert torch.equal(transforms.to_uint8(x), levels)


def test_to_uint8_rounds_to_the_nearest_level():
    assert transforms.to_uint8(torch.tensor([0.4, 0.6]) / 255).tolist() == [0, 1]


@pytest.mark.parametrize("wrong", [torch.zeros(2), torch.zeros(2, dtype=torch.int64), [1, 2]])
def test_to_unit_wants_bytes(wrong):
    with pytest.raises(ValueError, match="uint8"):
        transforms.to_unit(wrong)


@pytest.mark.parametrize("value", [1.01, -0.01, math.nan, math.inf])
def test_to_uint8_refuses_what_it_would_wrap_around(value):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        transforms.to_uint8(torch.tensor([0.5, value]))


@pytest.mark.parametrize(("small", "large"), [(28, 32), (27, 32), (28, 28), (28, 33)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_crop_undoes_pad(small, large, dtype):
    x = (batch(3, 3, small, small) * 255).to(dtype)
    padded = transforms.pad_to(x, large)
    assert padded.shape == (3, 3, large, large) and padded.dtype == dtype
    assert padded.sum(dtype=torch.float64) == x.sum(dtype=torch.float64)  # what was added is black
    assert torch.equal(transforms.crop_to(padded, small), x)


def test_pad_and_crop_say_which_way_they_go():
    with pytest.raises(ValueError, match="cannot pad 28 x 28 pixels to 16: crop_to"):
        transforms.pad_to(batch(), 16)
    with pytest.raises(ValueError, match="cannot crop 28 x 28 pixels to 32: pad_to"):
        transforms.crop_to(batch(), 32)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (2, 3, 33, 20), (1, 1, 1, 1)])
def test_shape_dtype_range_and_input_are_kept(name, dtype, shape):
    x = batch(*shape, dtype=dtype)
    before = x.clone()
    y = EVERY[name](x, seeded())
    assert y.shape == x.shape and y.dtype == dtype and y.device == x.device
    assert 0 <= y.min() and y.max() <= 1
    assert torch.equal(x, before)


@pytest.mark.parametrize("name", RANDOM)
def test_same_seed_same_result_and_the_global_state_is_left_alone(name):
    x = batch()
    state = torch.get_rng_state()
    first, again, other = (RANDOM[name](x, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (torch.zeros(28, 28), "(B, C, H, W)"),
        (torch.zeros(0, 1, 28, 28), "(B, C, H, W)"),
        (torch.zeros(2, 1, 28, 28, dtype=torch.uint8), "to_unit"),
        (torch.full((2, 1, 28, 28), 255.0), "span 255 to 255"),
    ],
)
def test_what_is_no_batch_is_refused(name, wrong, message):
    with pytest.raises(ValueError) as error:
        EVERY[name](wrong, seeded())
    assert message in str(error.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: transforms.augment(x, rotation=0.11),
        lambda x: transforms.augment(x, rotation=-0.05),
        lambda x: transforms.augment(x, shift=0.6),
        lambda x: transforms.augment(x, brightness=1.5),
        lambda x: transforms.gaussian_noise(x, -0.1),
        lambda x: transforms.gaussian_noise(x, math.inf),
        lambda x: transforms.rician_noise(x, -0.1),
        lambda x: transforms.poisson_noise(x, 0),
        lambda x: transforms.poisson_noise(x, math.inf),
        lambda x: transforms.blur(x, -1),
        lambda x: transforms.blur(x, 100),
        lambda x: transforms.occlude(x, 1.1),
        lambda x: transforms.occlude(x, math.nan),
    ],
)
def test_strengths_outside_their_interval_are_refused(call):
    with pytest.raises(ValueError, match="must"):
        call(batch())


def test_strength_zero_changes_nothing():
    x = batch()
    assert torch.equal(transforms.augment(x, rotation=0, shift=0, brightness=0), x)
    assert torch.equal(transforms.gaussian_noise(x, 0), x)
    assert torch.allclose(transforms.rician_noise(x, 0), x)
    assert torch.equal(transforms.blur(x, 0), x)
    assert torch.equal(transforms.occlude(x, 0), x)


def direction_of_bar(x):
    """Angle of the principal axis in turns, from second moments, one an image."""
    row, column = torch.meshgrid(torch.arange(65.0) - 32, torch.arange(65.0) - 32, indexing="ij")
    weight = x[:, 0] / x[:, 0].sum((1, 2), keepdim=True)
    rr, cc, rc = ((weight * m).sum((1, 2)) for m in (row * row, column * column, row * column))
    return torch.atan2(2 * rc, cc - rr) / (4 * math.pi)


def test_rotation_stays_within_its_angle_and_uses_it():
    bar = torch.zeros(200, 1, 65, 65)
    bar[:, :, 30:35, 12:53] = 1
    turns = direction_of_bar(transforms.augment(bar, 0.1, shift=0, brightness=0, generator=seeded()))
    assert turns.min() < -0.09 and turns.max() > 0.09 and turns.abs().max() < 0.101
    assert abs(turns.mean()) < 0.02


def test_shift_moves_the_centre_within_its_fraction():
    spot = torch.zeros(200, 1, 65, 65)
    spot[:, :, 30:35, 30:35] = 1
    y = transforms.augment(spot, rotation=0, shift=0.1, brightness=0, generator=seeded())
    place = torch.arange(65.0) - 32
    for axis in (2, 3):  # profile along columns, then along rows
        centre = (y.sum((1, axis)) * place).sum(1) / y.sum((1, 2, 3))
        assert centre.abs().max() <= 6.5 + 1e-3 and centre.min() < -5.5 and centre.max() > 5.5


def test_each_image_is_brightened_by_its_own_factor_and_black_stays_black():
    x = torch.full((200, 3, 8, 8), 0.5)
    x[..., 0] = 0
    y = transforms.augment(x, rotation=0, shift=0, brightness=0.2, generator=seeded())
    factor = y[:, :, :, 1:] / 0.5
    assert torch.allclose(factor, factor[:, :1, :1, :1].expand_as(factor))
    assert 0.8 <= factor.min() < 0.82 and 1.18 < factor.max() <= 1.2
    assert y[..., 0].max() == 0


def test_flip_mirrors_about_half_left_to_right_and_is_off_by_default():
    x = torch.zeros(400, 1, 8, 8)
    x[..., :4] = 1
    off = {"rotation": 0, "shift": 0, "brightness": 0, "generator": seeded()}
    assert torch.equal(transforms.augment(x, **off), x)
    y = transforms.augment(x, flip=True, **off)
    mirrored = (y == x.flip(-1)).all((1, 2, 3))
    assert torch.equal(y[~mirrored], x[~mirrored]) and 150 < mirrored.sum() < 250


def test_what_is_switched_off_leaves_the_other_draws_as_they_were():
    x = torch.full((4, 1, 8, 8), 0.5)
    alone = transforms.augment(x, rotation=0, shift=0, generator=seeded())
    beside = transforms.augment(x, rotation=0.01, shift=0, generator=seeded())
    assert torch.allclose(alone[..., 4, 4], beside[..., 4, 4])


def test_noise_has_the_moments_of_its_law():
    x = torch.full((50, 1, 40, 40), 0.5)
    gauss = transforms.gaussian_noise(x, 0.1, seeded())
    assert abs(gauss.mean() - 0.5) < 0.002 and abs(gauss.std() - 0.1) < 0.002
    low_dose = transforms.poisson_noise(x, 100, seeded())
    assert abs(low_dose.mean() - 0.5) < 0.002 and abs(low_dose.var() - 0.5 / 100) < 0.0002
    white, black = torch.full_like(x, 0.9), torch.full_like(x, 0.2)
    for film, grey, variance in (
        (False, white, 0.9),
        (False, black, 0.2),
        (True, white, 0.1),
        (True, black, 0.8),
    ):
        seen = transforms.poisson_noise(grey, 1000, seeded(), film)
        assert abs(seen.mean() - grey.mean()) < 0.002
        assert abs(seen.var() - variance / 1000) < 0.00005
    rayleigh = transforms.rician_noise(torch.zeros_like(x), 0.1, seeded())
    assert abs(rayleigh.mean() - 0.1 * math.sqrt(math.pi / 2)) < 0.002
    bright = transforms.rician_noise(x, 0.02, seeded())
    assert abs((bright**2).mean() - (0.5**2 + 2 * 0.02**2)) < 0.001


def test_fewer_photons_more_noise():
    x = batch()
    errors = [(transforms.poisson_noise(x, n, seeded()) - x).square().mean() for n in (1000, 100, 10)]
    assert errors[0] < errors[1] < errors[2]


def test_blur_is_the_gaussian_of_scipy():
    from scipy.ndimage import gaussian_filter

    x = batch(2, dtype=torch.float64)
    for image, blurred in zip(x[:, 0].numpy(), transforms.blur(x, 1.5)[:, 0], strict=True):
        assert abs(gaussian_filter(image, 1.5, mode="nearest", radius=5) - blurred.numpy()).max() < 1e-5


@pytest.mark.parametrize("fraction", [0.05, 0.25, 0.5, 1])
def test_occlusion_covers_its_fraction_with_one_rectangle(fraction):
    x = torch.ones(64, 3, 28, 40)
    hidden = transforms.occlude(x, fraction, seeded()) == 0
    assert torch.equal(hidden, hidden[:, :1].expand_as(hidden))  # all channels alike
    assert abs(hidden.float().mean() - fraction) < 0.02
    rows, columns = hidden[:, 0].any(2).sum(1), hidden[:, 0].any(1).sum(1)
    assert torch.equal(rows * columns, hidden[:, 0].sum((1, 2)))  # its own bounding box
    if fraction < 1:
        assert len(torch.unique(hidden[:, 0].flatten(1).int().argmax(1))) > 10  # in many places


@pytest.mark.parametrize(("scale", "cure"), [(255.0, "Divide grey levels by 255"), (1.1, "clamp")])
def test_the_remedy_fits_the_range(scale, cure):
    with pytest.raises(ValueError, match=cure):
        transforms.blur(scale * torch.ones(1, 1, 8, 8), 1.0)


def test_masks_go_with_their_image_and_stay_masks():
    image = torch.zeros(12, 1, 64, 64)
    image[:, :, 20:34, 30:44] = 0.5
    both = torch.cat([image, (image > 0).float(), image * 0], 1)
    strong = {"rotation": 0.08, "shift": 0.2, "brightness": 0.4, "flip": True}
    moved = transforms.augment(both, **strong, generator=seeded(), masks=2)
    seen, mask, empty = moved.unbind(1)
    assert set(mask.unique().tolist()) == {0.0, 1.0} and not empty.any()
    peak = seen.amax((1, 2), keepdim=True)
    assert (peak.flatten() - 0.5).abs().max() > 0.1  # the image was made brighter, its mask was not
    assert ((seen / peak >= 0.5) != (mask > 0)).float().mean() < 1e-3  # the same place
    assert (mask != both[:, 1]).flatten(1).any(1).float().mean() > 0.9  # which is another one than before
    alone = transforms.augment(image, **strong, generator=seeded())
    assert torch.equal(alone[:, 0], seen)  # masks change nothing in the image
    with pytest.raises(ValueError, match="masks is 3 of 3 channels"):
        transforms.augment(both, masks=3)

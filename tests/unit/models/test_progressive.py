"""Growing GANs: both ends of a fade, the layers that came with them, a run that stops inside a fade."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate

from medgen_course.models.gan import LAZY
from medgen_course.models.gan_objectives import real_penalty
from medgen_course.models.progressive import ProgressiveAlgorithm
from medgen_course.models.progressive_networks import (
    Equalised,
    ProgressiveDiscriminator,
    ProgressiveGenerator,
    conv,
    grain_of,
    growing_sizes,
    minibatch_deviation,
    pixel_norm,
)


def players(size=28, num_classes=2, fade=3, hold=2, **options) -> ProgressiveAlgorithm:
    torch.manual_seed(0)
    generator = ProgressiveGenerator(1, size, 8, num_classes, width=4)
    return ProgressiveAlgorithm(
        generator, ProgressiveDiscriminator(1, size, num_classes, width=4), fade, hold, **options
    )


def batch(size=28, count=6):
    x = torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(1))
    return {"x": x, "label": torch.arange(count) % 2}


def back(loss):
    loss.backward()


def weights(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


@pytest.mark.parametrize(
    "size, sizes", [(14, [7, 14]), (28, [7, 14, 28]), (64, [8, 16, 32, 64]), (224, [7, 14, 28, 56, 112, 224])]
)
def test_sides(size, sizes):
    assert growing_sizes(size) == sizes


@pytest.mark.parametrize("size", [8, 20, 30, 96, 127])
def test_a_side_that_cannot_be_grown_to(size):
    with pytest.raises(ValueError, match=f"size is {size} pixels; growing starts at 7 or 8"):
        growing_sizes(size)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("level, side", [(0, 8), (0.2, 16), (1, 16), (1.5, 32), (3, 64)])
def test_images_are_as_large_as_the_level_says(channels, level, side):
    generator = ProgressiveGenerator(channels, 64, 5, 3, width=4)
    discriminator = ProgressiveDiscriminator(channels, 64, 3, width=4)
    label = torch.tensor([0, 2])
    x = generator.sample(torch.randn(2, 5), label, level)
    assert x.shape == (2, channels, side, side) and 0 <= x.min() and x.max() <= 1
    assert discriminator(x, label, level).shape == (2,)


@torch.no_grad()
def test_a_fade_begins_with_the_old_network_enlarged_and_ends_with_the_new_path_alone():
    generator, z = ProgressiveGenerator(1, 28, 8, width=4), torch.randn(5, 8)
    discriminator, x = ProgressiveDiscriminator(1, 28, width=4), torch.rand(5, 1, 28, 28)
    tiny = 1e-7  # alpha; the new block has all but no say
    for level in (0, 1):
        old = interpolate(generator(z, level=level), scale_factor=2)
        torch.testing.assert_close(generator(z, level=level + tiny), old, rtol=0, atol=1e-6)
        side = generator.sizes[level + 1]
        images = avg_pool2d(x, 28 // side)
        before = discriminator(avg_pool2d(images, 2), level=level)
        torch.testing.assert_close(discriminator(images, level=level + tiny), before, rtol=0, atol=1e-6)
        new, nan = generator(z, level=level + 1), float("nan")
        judged = discriminator(images, level=level + 1)
        for network in (generator, discriminator):  # what is not used may hold anything
            network.colours[level].layer.weight.fill_(nan)
        assert torch.equal(generator(z, level=level + 1), new)
        assert torch.equal(discriminator(images, level=level + 1), judged)
        for network in (generator, discriminator):
            nn.init.normal_(network.colours[level].layer.weight)


def test_half_way_both_paths_have_a_half():
    generator, z = ProgressiveGenerator(1, 28, 8, width=4), torch.randn(5, 8)
    ends = [generator(z, level=1 + 1e-7), generator(z, level=2)]
    torch.testing.assert_close(generator(z, level=1.5), (ends[0] + ends[1]) / 2, rtol=0, atol=1e-5)


def test_real_images_fade_too():
    generator, x = ProgressiveGenerator(1, 28, width=4), batch()["x"]
    assert torch.equal(generator.shrink(x, 2), x)
    torch.testing.assert_close(generator.shrink(x, 0), avg_pool2d(x, 4))
    half = (x + interpolate(avg_pool2d(x, 2), scale_factor=2)) / 2
    torch.testing.assert_close(generator.shrink(x, 1.5), half)


def test_a_level_that_is_not_there_and_images_of_another_side():
    generator, discriminator = ProgressiveGenerator(1, 28, 8), ProgressiveDiscriminator(1, 28)
    with pytest.raises(ValueError, match=r"level is 2\.5; this network grows from 0 to 2"):
        generator(torch.randn(2, 8), level=2.5)
    with pytest.raises(ValueError, match="the images have 28 px; at this level 14 are judged"):
        discriminator(torch.rand(2, 1, 28, 28), level=0.5)


@pytest.mark.parametrize("fan_in", [8, 512])
def test_an_equalised_layer_keeps_the_variance_and_its_step_does_not_depend_on_the_fan_in(fan_in):
    torch.manual_seed(0)
    dense, h = Equalised(nn.Linear(fan_in, 2000), gain=1), torch.randn(500, fan_in)
    assert dense(h).var().item() == pytest.approx(1, rel=0.1)
    kernel = conv(fan_in, 300, gain=1)
    inner = kernel(torch.randn(4, fan_in, 9, 9))[..., 1:-1, 1:-1]  # the padding has no variance
    assert inner.var().item() == pytest.approx(1, rel=0.1)
    optimizer, before = torch.optim.Adam(dense.parameters(), lr=0.01), dense.layer.weight.detach().clone()
    dense(h).square().mean().backward()
    optimizer.step()
    moved = (dense.layer.weight - before).abs().mean() / before.std()
    assert moved.item() == pytest.approx(0.01, rel=0.05)  # of the weights' spread, at any width


def test_pixel_norm():
    h = 7 * torch.randn(3, 16, 4, 4)
    torch.testing.assert_close(pixel_norm(h).square().mean(1), torch.ones(3, 4, 4))


def test_minibatch_deviation_is_zero_for_identical_images_and_moves_with_the_spread():
    one = torch.randn(1, 5, 4, 4)
    same = minibatch_deviation(one.expand(8, -1, -1, -1))
    assert same.shape == (8, 6, 4, 4) and torch.equal(same[:, 5], torch.zeros(8, 4, 4))
    noise = torch.randn(8, 5, 4, 4)
    spreads = [minibatch_deviation(one + scale * noise)[:, 5] for scale in (1.0, 2.0)]
    torch.testing.assert_close(spreads[1], 2 * spreads[0])
    expected = noise[:4].std(0, correction=0).mean()
    torch.testing.assert_close(spreads[0][:4], expected.expand(4, 4, 4))


@pytest.mark.parametrize("images", [1, 4, 6, 8])
def test_minibatch_deviation_is_torchs_in_value_and_gradient(images):
    h = torch.randn(images, 5, 3, 3, dtype=torch.float64)
    h[:4] = h[0]  # a group of the same image: the root's gradient must not be infinite
    ours, torchs = h.clone().requires_grad_(), h.clone().requires_grad_()
    weights = torch.arange(1.0, images + 1)
    (minibatch_deviation(ours)[:, 5, 0, 0] * weights).sum().backward()
    spread = [part.std(0, correction=0).mean().expand(len(part)) for part in torchs.split(4)]
    (torch.cat(spread) * weights).sum().backward()
    torch.testing.assert_close(minibatch_deviation(ours)[:, 5, 0, 0], torch.cat(spread))
    torch.testing.assert_close(ours.grad, torchs.grad)


def test_groups_do_not_see_each_other():
    h = torch.randn(8, 5, 4, 4)
    changed = torch.cat([h[:4], torch.zeros(4, 5, 4, 4)])
    assert torch.equal(minibatch_deviation(h)[:4], minibatch_deviation(changed)[:4])


def test_grain_is_noise_at_every_pixel_and_belongs_to_its_z():
    z = pixel_norm(torch.randn(40, 64))
    grain = grain_of(z, 16, 0)
    assert grain.shape == (40, 1, 16, 16) and torch.equal(grain, grain_of(z, 16, 0))
    assert grain.var().item() == pytest.approx(1, rel=0.1)
    for other in (grain.roll(1, 3), grain.roll(1, 0), grain_of(z, 16, 1)):  # neighbours, images, layers
        assert abs((grain * other).mean().item()) < 0.05


def test_a_generator_begins_without_grain_and_learns_how_much():
    torch.manual_seed(0)
    plain = ProgressiveGenerator(1, 28, 8, width=4)
    grained, z = ProgressiveGenerator(1, 28, 8, width=4, grain=True), torch.randn(5, 8)
    grained.load_state_dict(plain.state_dict(), strict=False)
    assert torch.equal(grained(z), plain(z))
    grained(z).square().mean().backward()
    assert all(strength.grad.abs().sum() > 0 for strength in grained.strengths.parameters())
    with torch.no_grad():
        grained.strengths[2][1].fill_(0.5)
    assert not torch.equal(grained(z), plain(z)) and torch.equal(grained(z), grained(z))
    assert torch.equal(grained(z, level=1.0), plain(z, level=1.0))


def test_r1_is_the_squared_slope_at_real_images():
    weight = torch.randn(12, generator=torch.Generator().manual_seed(0))
    found = real_penalty(lambda x: x.flatten(1) @ weight, torch.rand(3, 1, 3, 4))
    torch.testing.assert_close(found, weight.square().sum())
    curved = real_penalty(lambda x: x.flatten(1).square().sum(1), torch.full((2, 1, 2, 2), 0.5))
    torch.testing.assert_close(curved, torch.tensor(4.0))  # each slope is 2 * 0.5


def test_flatness_comes_every_few_updates_and_flattens_the_discriminator():
    free, flat = (players(learning_rate=0.01, flatness=f) for f in (0.0, 1e-3))
    for step in range(1, LAZY + 1):
        for algorithm in (free, flat):
            torch.manual_seed(step)
            algorithm.step(batch(), back)
        same = torch.equal(weights(free.discriminator), weights(flat.discriminator))
        assert same == (step < LAZY)
    real, label = batch()["x"], batch()["label"]
    before = real_penalty(flat.discriminator, real, label).item()
    for _ in range(10):
        flat.flatten(real, label, back)
    assert real_penalty(flat.discriminator, real, label).item() < 0.9 * before


def test_the_schedule():
    algorithm = players(fade=4, hold=2)
    levels = [algorithm.level_at(step) for step in range(16)]
    assert levels == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1, 1.25, 1.5, 1.75, 2, 2, 2, 2, 2]
    assert [players(fade=0, hold=2).level_at(step) for step in range(6)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("objective", ["wasserstein_gp", "hinge"])
def test_all_three_networks_grow_together_and_each_player_moves_what_it_uses(objective):
    algorithm, sides = players(objective=objective), []
    last = weights(algorithm.generator.blocks[2])
    for _ in range(12):
        logs = algorithm.step(batch(), back)
        levels = {float(network.level) for network in algorithm.networks.values()}
        assert len(levels) == 1 and levels == {float(logs["level"])}
        sides.append(algorithm.average.sample(torch.randn(1, 8), torch.tensor([0])).shape[-1])
        moved = not torch.equal(weights(algorithm.generator.blocks[2]), last)
        assert moved == (sides[-1] == 28)
    assert sides == [7] * 2 + [14] * 5 + [28] * 5


def test_a_run_that_stops_inside_a_fade_goes_on_bit_for_bit():
    whole, part, again = players(), players(), players()

    def run(algorithm, steps):
        for i in steps:
            torch.manual_seed(i)
            algorithm.step(batch(), back)

    run(whole, range(10))
    run(part, range(4))
    assert 0 < float(part.generator.level) < 1
    again.load_state_dict(copy.deepcopy(part.state_dict()))
    run(again, range(4, 10))
    for name, network in whole.networks.items():
        assert torch.equal(weights(network), weights(again.networks[name]))
        assert torch.equal(network.level, again.networks[name].level)


def test_settings_out_of_range():
    with pytest.raises(ValueError, match="fade_steps is 3, hold_steps 0"):
        players(hold=0)
    with pytest.raises(ValueError, match="must grow over the same"):
        ProgressiveAlgorithm(ProgressiveGenerator(1, 28), ProgressiveDiscriminator(1, 64), 1, 1)


def test_a_generator_that_several_threads_draw_from_stays_as_it_was():
    """JupyterLab's widgets and a cell that runs may draw at the same time."""
    generator, z = ProgressiveGenerator(1, 28, 8, width=4), torch.randn(1, 8)

    def draw(times):
        with torch.inference_mode():
            return [generator.sample(z) for _ in range(times)][-1]

    before = draw(1)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(draw, [100] * 4))
    assert draw(1).equal(before)


@pytest.mark.parametrize("images", [8, 6])
def test_no_group_mixes_real_and_generated_images(images):
    torch.manual_seed(0)
    gan = ProgressiveAlgorithm(ProgressiveGenerator(1, 14), ProgressiveDiscriminator(1, 14), 0, 1)
    gan.discriminator.level.fill_(1)
    real, fake = torch.rand(2, images, 1, 14, 14)
    judged = gan.verdicts(real, fake, None)
    for found, alone in zip(judged, (real, fake), strict=True):
        torch.testing.assert_close(found, gan.discriminator(alone))

"""pix2pix: shapes, who moves whom, the terms of a step, resuming, and a map of places learnt from pairs."""

import copy
import math

import pytest
import torch

from medgen_course.metrics.reconstruction import psnr
from medgen_course.models.cyclegan_networks import PatchDiscriminator, ResNetGenerator
from medgen_course.models.pix2pix import Pix2PixAlgorithm, UNetGenerator

SIZE = 16


def players(width=4, **settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Pix2PixAlgorithm(
            UNetGenerator(1, 1, SIZE, width), PatchDiscriminator(2, SIZE, width), **settings
        )


def batch(seed=0):
    draws = torch.Generator().manual_seed(seed)
    return {name: torch.rand(4, 1, SIZE, SIZE, generator=draws) for name in "ab"}


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def back(loss):
    loss.backward()


@pytest.mark.parametrize("size", [16, 28, 33, 64, 128])
@pytest.mark.parametrize("channels", [(1, 1), (3, 1), (1, 3)])
def test_shapes(size, channels):
    x = torch.rand(2, channels[0], size, size)
    y = UNetGenerator(*channels, size, width=4).translate(x)
    assert y.shape == (2, channels[1], size, size) and 0 <= y.min() and y.max() <= 1


def test_each_player_moves_only_itself():
    algorithm, data = players(), batch()
    generator, discriminator = weights(algorithm.generator), weights(algorithm.discriminator)
    fake = algorithm.generator.translate(data["a"])
    algorithm.update_discriminator(data["a"], data["b"], fake.detach(), back)
    assert torch.equal(weights(algorithm.generator), generator)
    assert all(p.grad is None for p in algorithm.generator.parameters())
    moved = weights(algorithm.discriminator)
    assert not torch.equal(moved, discriminator)
    algorithm.optimizers["discriminator"].zero_grad()
    algorithm.update_generator(data["a"], data["b"], fake, back)
    assert torch.equal(weights(algorithm.discriminator), moved)
    assert all(p.grad is None and p.requires_grad for p in algorithm.discriminator.parameters())
    assert all(p.grad is not None for p in algorithm.generator.parameters())
    assert not torch.equal(weights(algorithm.generator), generator)


def test_the_terms_of_a_step_by_hand():
    algorithm = players()
    a, b = torch.full((2, 1, SIZE, SIZE), 0.4), torch.full((2, 1, SIZE, SIZE), 0.9)
    fake = b - 0.25
    algorithm.discriminator.layers[-1].weight.data.zero_()
    algorithm.discriminator.layers[-1].bias.data.fill_(math.log(3))  # judges everything real with 3/4
    fake.requires_grad_(True)
    logs = algorithm.update_generator(a, b, fake, back)
    assert logs["loss/l1"].item() == pytest.approx(0.25)
    assert logs["loss/adversarial"].item() == pytest.approx(-math.log(0.75))
    assert fake.grad.flatten()[0].item() == pytest.approx(-100 / fake.numel())
    logs = algorithm.update_discriminator(a, b, fake.detach(), back)
    expected = -0.5 * (math.log(0.75) + math.log(0.25))
    assert logs["loss/discriminator"].item() == pytest.approx(expected)


def test_the_verdict_depends_on_the_source():
    discriminator, data = players().discriminator, batch()
    verdicts = [discriminator(torch.cat([a, data["b"]], 1)) for a in (data["a"], 1 - data["a"])]
    assert not torch.allclose(*verdicts)


def test_a_stopped_run_goes_on_bit_for_bit():
    whole, part, again = (players(decay_steps=6) for _ in range(3))
    for i in range(6):
        whole.step(batch(i), back)
    for i in range(3):
        part.step(batch(i), back)
    again.load_state_dict(copy.deepcopy(part.state_dict()))
    for i in range(3, 6):
        again.step(batch(i), back)
    for name, network in whole.networks.items():
        assert torch.equal(weights(network), weights(again.networks[name])), name


def test_mistakes():
    generator = ResNetGenerator(1, 3, SIZE, width=4, blocks=1)
    with pytest.raises(ValueError, match=r"takes 3 channels.*which have 4"):
        Pix2PixAlgorithm(generator, PatchDiscriminator(3, SIZE, width=4))
    Pix2PixAlgorithm(generator, PatchDiscriminator(4, SIZE, width=4))
    with pytest.raises(ValueError, match="lambda_l1 must lie at or above 0, and be finite, but is -1"):
        players(lambda_l1=-1)
    with pytest.raises(ValueError, match=r"ema is 1\.0"):
        players(ema=1.0)
    with pytest.raises(ValueError, match="squares of 16 to 256"):
        UNetGenerator(1, 1, 8)


def test_a_map_that_no_lookup_can_learn():
    """B is A moved to the right by two pixels: grey levels alone know nothing of it."""
    draws = torch.Generator().manual_seed(0)
    a = torch.nn.functional.interpolate(torch.rand(128, 1, 6, 6, generator=draws), SIZE, mode="bilinear")
    b = a.roll(2, dims=3)
    algorithm = players(8, learning_rate=3e-3, decay_steps=150)
    for _ in range(150):
        i = torch.randint(96, (8,), generator=draws)
        algorithm.step({"a": a[i], "b": b[i]}, back)
    with torch.no_grad():
        made = algorithm.average.translate(a[96:])[..., 2:]  # what was moved in is unknown
    assert psnr(made, b[96:, ..., 2:]).mean() > psnr(a[96:, ..., 2:], b[96:, ..., 2:]).mean() + 8

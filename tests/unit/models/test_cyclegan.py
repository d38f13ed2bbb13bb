"""CycleGAN: the terms by hand, who moves whom, the pool, a known map learnt without pairs, resuming."""

import copy

import pytest
import torch
from torch import nn

from medgen_course.models.algorithm import follow
from medgen_course.models.cyclegan import CycleGANAlgorithm, cycle_loss, identity_loss, linear_decay
from medgen_course.models.cyclegan_networks import PatchDiscriminator, ResNetGenerator, norm
from medgen_course.models.image_pool import ImagePool
from medgen_course.toys import known_map

SIZE = 16


def players(channels_a=1, channels_b=1, **settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return CycleGANAlgorithm(
            ResNetGenerator(channels_a, channels_b, SIZE, width=4, blocks=1),
            ResNetGenerator(channels_b, channels_a, SIZE, width=4, blocks=1),
            PatchDiscriminator(channels_a, SIZE, width=4),
            PatchDiscriminator(channels_b, SIZE, width=4),
            **settings,
        )


def batch(seed=0, channels_a=1, channels_b=1):
    draws = torch.Generator().manual_seed(seed)
    return {
        "a": torch.rand(3, channels_a, SIZE, SIZE, generator=draws),
        "b": torch.rand(3, channels_b, SIZE, SIZE, generator=draws),
    }


def weights(*networks):
    return torch.cat([p.detach().flatten() for n in networks for p in n.parameters()])


def generators(algorithm):
    return algorithm.generator_ab, algorithm.generator_ba


def discriminators(algorithm):
    return algorithm.discriminator_a, algorithm.discriminator_b


def back(loss):
    loss.backward()


class Shade(nn.Module):
    """A generator whose translation is known: slope * x + offset."""

    def __init__(self, slope, offset):
        super().__init__()
        self.config = {"in_channels": 1, "out_channels": 1}
        self.slope, self.offset = (nn.Parameter(torch.tensor(v)) for v in (slope, offset))

    def translate(self, x):
        return self.slope * x + self.offset


@pytest.mark.parametrize("size", [28, 32, 33, 64, 128])
@pytest.mark.parametrize("channels", [(1, 1), (3, 1), (1, 3)])
def test_shapes(size, channels):
    a, b = channels
    x = torch.rand(2, a, size, size)
    y = ResNetGenerator(a, b, size, width=4, blocks=1).translate(x)
    assert y.shape == (2, b, size, size) and 0 <= y.min() and y.max() <= 1
    logits = PatchDiscriminator(b, size, width=4)(y)
    assert logits.shape[:2] == (2, 1) and logits.shape[-1] > 1


def test_too_small_images():
    with pytest.raises(ValueError, match="squares of 16 to 256"):
        ResNetGenerator(1, 1, 8)
    with pytest.raises(ValueError, match="squares of 16 to 256"):
        PatchDiscriminator(1, 300)


@pytest.mark.parametrize("strides, field", [(1, 16), (2, 34), (3, 70)])
def test_the_convolutions_of_a_logit_see_its_receptive_field_and_no_more(strides, field):
    discriminator = PatchDiscriminator(1, 128, width=2, strides=strides)
    assert discriminator.receptive_field == field
    convolutions = [layer for layer in discriminator.layers if not isinstance(layer, nn.GroupNorm)]
    for module in convolutions:
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 0.1)
    x = torch.rand(1, 1, 128, 128, requires_grad=True)
    logits = nn.Sequential(*convolutions)(x)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    rows, columns = x.grad[0, 0].nonzero().unbind(1)
    assert rows.max() - rows.min() + 1 == columns.max() - columns.min() + 1 == field


def test_no_network_mixes_the_images_of_a_batch():
    x = batch()["a"]
    for network in (players().generator_ab, players().discriminator_a):
        torch.testing.assert_close(network(x), torch.cat([network(x[i : i + 1]) for i in range(3)]))


def test_cycle_and_identity_by_hand():
    a, b = torch.full((2, 1, 4, 4), 0.2), torch.full((2, 1, 4, 4), 0.6)
    assert cycle_loss(a, a + 0.1, b, b - 0.3).item() == pytest.approx(0.4)
    half = b.clone()
    half[0] += 0.4  # one image of two
    assert identity_loss(a, a, b, half).item() == pytest.approx(0.2)


def test_the_terms_of_a_step_by_hand():
    """G(x) = 0.5 x + 0.1 to B, F(x) = x - 0.1 to A, on a = 0.4 and b = 0.8."""
    ab, ba = Shade(0.5, 0.1), Shade(1.0, -0.1)
    algorithm = CycleGANAlgorithm(ab, ba, *discriminators(players()), lambda_cycle=10, lambda_identity=5)
    a, b = torch.full((3, 1, SIZE, SIZE), 0.4), torch.full((3, 1, SIZE, SIZE), 0.8)
    on_a, on_b = algorithm.discriminator_a(b - 0.1), algorithm.discriminator_b(0.5 * a + 0.1)
    adversarial = 0.5 * (on_a - 1).square().mean() + 0.5 * (on_b - 1).square().mean()
    fake_a, fake_b, logs = algorithm.update_generators(a, b, back)
    torch.testing.assert_close((fake_a, fake_b), (b - 0.1, 0.5 * a + 0.1))
    # a -> 0.3 -> 0.2 misses 0.2; b -> 0.7 -> 0.45 misses 0.35; F(a) misses 0.1; G(b) = 0.5 misses 0.3
    assert logs["loss/cycle"].item() == pytest.approx(0.55)
    assert logs["loss/identity"].item() == pytest.approx(0.4)
    torch.testing.assert_close(logs["loss/adversarial"], adversarial.detach())
    total = adversarial.item() + 10 * 0.55 + 5 * 0.4
    assert logs["loss/generators"].item() == pytest.approx(total, rel=1e-5)


def test_the_weight_of_the_cycle_rises():
    algorithm, data, share = players(warmup_steps=4, lambda_identity=0), batch(), []
    for _ in range(6):
        logs = algorithm.step(data, back)
        share.append(((logs["loss/generators"] - logs["loss/adversarial"]) / logs["loss/cycle"]).item())
    assert share == pytest.approx([0, 2.5, 5, 7.5, 10, 10], abs=1e-4)


def test_one_pass_is_what_two_would_be():
    algorithm, data = players(), batch()
    made, same = algorithm.forward_pass(algorithm.generator_ab, data["a"], data["b"])
    torch.testing.assert_close(made, algorithm.generator_ab.translate(data["a"]))
    torch.testing.assert_close(same, algorithm.generator_ab.translate(data["b"]))


def test_each_side_moves_only_itself():
    algorithm, data = players(), batch()
    g, d = weights(*generators(algorithm)), weights(*discriminators(algorithm))
    fake_a, fake_b, _ = algorithm.update_generators(data["a"], data["b"], back)
    assert not fake_a.requires_grad and not fake_b.requires_grad
    assert torch.equal(weights(*discriminators(algorithm)), d)
    for network in discriminators(algorithm):
        assert all(p.grad is None and p.requires_grad for p in network.parameters())
    for network in generators(algorithm):
        assert all(p.grad is not None for p in network.parameters())
    moved = weights(*generators(algorithm))
    assert not torch.equal(moved, g)
    algorithm.optimizers["generators"].zero_grad()
    algorithm.update_discriminators(data["a"], fake_a, data["b"], fake_b, back)
    assert torch.equal(weights(*generators(algorithm)), moved)
    assert all(p.grad is None for n in generators(algorithm) for p in n.parameters())
    assert all(p.grad is not None for n in discriminators(algorithm) for p in n.parameters())
    assert not torch.equal(weights(*discriminators(algorithm)), d)


def test_each_discriminator_judges_its_own_domain():
    """Domains of one and three channels: a discriminator in the wrong place could not even look."""
    algorithm = players(1, 3)
    logs = algorithm.step(batch(0, 1, 3), back)
    assert algorithm.lambda_identity == 0 and "loss/identity" not in logs
    assert algorithm.pool_a.images.shape[1] == 1 and algorithm.pool_b.images.shape[1] == 3
    assert players(lambda_identity=5).lambda_identity == 5
    assert "loss/identity" in players().step(batch(), back)


def test_step_size_is_constant_and_then_falls_in_a_line():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1)
    rates = []
    for step in (0, 50, 75, 100, 120):
        linear_decay(optimizer, 0.4, step, 100)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.4, 0.4, 0.2, 0, 0])
    linear_decay(optimizer, 0.4, 10**6, 0)
    assert optimizer.param_groups[0]["lr"] == 0.4


def test_the_normalisation_is_instance_normalisation():
    ours, reference = norm(3), nn.InstanceNorm2d(3, affine=True)
    for module in (ours, reference):
        nn.init.constant_(module.weight, 1.5)
        nn.init.constant_(module.bias, -0.25)
    x = torch.rand(4, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), reference(x))
    torch.testing.assert_close(ours(x)[:1], ours(x[:1]))  # no image depends on its batch


def test_averages_follow():
    mean, network = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    for module, value in ((mean, 0.0), (network, 1.0)):
        nn.init.constant_(module.weight, value)
    follow(mean, network, 0.75, 1000)
    assert mean.weight.item() == pytest.approx(0.25)
    follow(mean, network, 0.75, 1)  # early on little is kept
    assert mean.weight.item() == pytest.approx(0.1 * 0.25 + 0.9)
    algorithm = players(ema=0.9)
    before = weights(*algorithm.averages)
    algorithm.step(batch(), back)
    now = weights(*generators(algorithm))
    torch.testing.assert_close(weights(*algorithm.averages), 0.1 * before + 0.9 * now)
    assert algorithm.networks["generator_ba_ema"] is algorithm.averages[1]


def test_pool_fills_and_then_swaps_half_of_the_time():
    pool = ImagePool(50)
    first = torch.arange(50.0).view(50, 1, 1, 1)
    assert torch.equal(pool.swap(first), first) and torch.equal(pool.images, first)
    later = torch.arange(100.0, 1100.0).view(1000, 1, 1, 1)
    shown = pool.swap(later).flatten()
    old = shown != later.flatten()
    assert 430 < old.sum() < 570 and len(pool) == 50
    together = torch.cat([shown, pool.images.flatten()]).sort().values
    everything = torch.cat([first.flatten(), later.flatten()])
    assert torch.equal(together, everything)  # nothing is lost, nothing is seen twice


def test_pool_of_zero_and_pool_without_alias():
    x = torch.rand(3, 1, 2, 2)
    assert ImagePool(0).swap(x) is x
    pool = ImagePool(2)
    pool.swap(x[:2]).zero_()
    assert torch.equal(pool.images, x[:2])
    with pytest.raises(ValueError, match="size is -1"):
        ImagePool(-1)


def test_pools_leave_the_global_random_state_alone():
    state = torch.get_rng_state()
    ImagePool(2).swap(torch.rand(0, 1, 2, 2))
    pool = ImagePool(1)
    pool.swap(torch.zeros(9, 1, 2, 2))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_stopped_run_goes_on_bit_for_bit():
    settings = {"pool_size": 4, "decay_steps": 8, "learning_rate": 1e-3}
    whole, part, again = players(**settings), players(**settings), players(**settings)
    for i in range(8):
        whole.step(batch(i), back)
    for i in range(4):
        part.step(batch(i), back)
    again.load_state_dict(copy.deepcopy(part.state_dict()))
    for i in range(4, 8):
        again.step(batch(i), back)
    for name, network in whole.networks.items():
        assert torch.equal(weights(network), weights(again.networks[name])), name
    assert torch.equal(whole.pool_a.images, again.pool_a.images)


@pytest.mark.parametrize("settings", [{"lambda_cycle": -1}, {"ema": 1.0}])
def test_settings_out_of_range(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        players(**settings)


def test_a_known_map_is_learnt_without_pairs():
    """B is 0.9 - 0.7 x of other images of A's kind; nobody tells which."""
    learnt = known_map.learn(384, seed=1)
    assert learnt.order > 0.9  # and bright discs became the dark ones
    assert learnt.psnr_ab >= 30 and learnt.psnr_ba >= 30
    assert learnt.change > 0.5 and learnt.cycle < 0.05


def test_without_the_adversarial_loss_nothing_asks_for_the_other_domain():
    learnt = known_map.learn(128, lambda_adversarial=0, lambda_identity=5)
    assert learnt.psnr_ab < 12

"""GANs: the objectives against hand-computed values, who moves whom, and that training learns."""

import copy
import math

import pytest
import torch
from torch import nn

from medgen_course.models.diff_augment import diff_augment, jitter, shift
from medgen_course.models.gan import LAZY, Discriminator, GANAlgorithm, Generator
from medgen_course.models.gan_objectives import OBJECTIVES, gradient_penalty
from medgen_course.training.loop import fit


def players(objective="hinge", num_classes=2, size=28, **options) -> GANAlgorithm:
    torch.manual_seed(0)
    generator = Generator(1, size, 8, num_classes, width=8)
    normed = OBJECTIVES[objective].spectral_norm
    discriminator = Discriminator(1, size, num_classes, width=8, spectral_norm=normed)
    return GANAlgorithm(generator, discriminator, objective, **options)


def batch(size=28, count=6):
    generator = torch.Generator().manual_seed(1)
    return {
        "x": torch.rand(count, 1, size, size, generator=generator),
        "label": torch.arange(count) % 2,
    }


def weights(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def back(loss):
    loss.backward()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [28, 32, 64, 128])
@pytest.mark.parametrize("num_classes", [0, 3])
def test_shapes(channels, size, num_classes):
    generator = Generator(channels, size, 5, num_classes, width=4)
    discriminator = Discriminator(channels, size, num_classes, width=4, spectral_norm=True)
    label = torch.tensor([0, 2]) if num_classes else None
    x = generator.sample(torch.randn(2, 5), label)
    assert x.shape == (2, channels, size, size) and 0 <= x.min() and x.max() <= 1
    assert discriminator(x, label).shape == (2,)


def test_a_label_is_asked_for_where_there_are_classes_and_only_there():
    with pytest.raises(ValueError, match="give it labels from 0 to 2"):
        Generator(1, 28, 5, 3, width=4)(torch.randn(2, 5))
    with pytest.raises(ValueError, match="give it no labels"):
        Discriminator(1, 28, width=4)(torch.rand(2, 1, 28, 28), torch.tensor([0, 1]))


def test_the_class_changes_picture_and_verdict():
    algorithm, z = players(), torch.randn(4, 8)
    zeros, ones = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    pictures = [algorithm.generator.eval().sample(z, label) for label in (zeros, ones)]
    assert not torch.equal(*pictures)
    assert not torch.equal(*(algorithm.discriminator(pictures[0], label) for label in (zeros, ones)))


def test_without_grain_a_generator_is_what_it_always_was():
    torch.manual_seed(0)
    plain = Generator(1, 28, 8, 2, width=4)
    assert "grain" not in plain.config and plain.stages[-1].conv.weight.shape == (4, 1, 4, 4)
    torch.manual_seed(0)
    same = Generator(**{name: value for name, value in plain.config.items() if name != "kind"}, grain=False)
    assert torch.equal(weights(plain), weights(same))


@pytest.mark.parametrize("channels", [1, 3])
def test_grain_is_noise_of_the_drawn_strength_and_belongs_to_its_z(channels):
    """Where the last layer says (0, s) everywhere, the logits are white noise of variance s^2."""
    generator = Generator(channels, 28, 64, width=4, grain=True).eval()
    last = generator.stages[-1].conv
    nn.init.zeros_(last.weight)
    with torch.no_grad():
        last.bias.copy_(torch.tensor([0.0] * channels + [0.5] * channels))
    z = torch.randn(200, 64, generator=torch.Generator().manual_seed(0))
    logits = generator(z)
    assert logits.shape == (200, channels, 28, 28) and generator.config["grain"]
    assert logits.mean().item() == pytest.approx(0, abs=0.01)
    assert logits.std().item() == pytest.approx(0.5, rel=0.02)
    for other in (logits.roll(1, 3), logits.roll(1, 2), logits.roll(1, 0)):  # neighbours, images
        assert abs((logits * other).mean().item()) < 0.02 * 0.5**2 + 0.005
    torch.testing.assert_close(generator(z[3:5]), logits[3:5])


def test_the_strength_of_the_grain_is_learnt():
    generator = Generator(1, 28, 8, 2, width=4, grain=True)
    generator(torch.randn(4, 8), torch.tensor([0, 1, 0, 1])).square().mean().backward()
    assert all(half.abs().sum() > 0 for half in generator.stages[-1].conv.weight.grad.chunk(2, 1))


def test_flatness_is_r1_and_comes_every_few_updates():
    """A linear discriminator has the slope 2 w everywhere, because it sees 2 x - 1: R1 is 4 |w|^2."""
    generator = Generator(1, 28, 4, width=4)
    discriminator = Discriminator(1, 28, width=4)
    discriminator.stages = nn.Identity()
    discriminator.head = nn.Linear(28 * 28, 1)
    algorithm = GANAlgorithm(generator, discriminator, flatness=1e-3)
    seen = []
    for step in range(1, 2 * LAZY + 1):
        slope = 4 * discriminator.head.weight.detach().square().sum().item()
        losses = []
        algorithm.step({"x": batch()["x"]}, lambda loss, to=losses: (to.append(loss.item()), loss.backward()))
        seen += [step] if len(losses) == 3 else []
    assert seen == [LAZY, 2 * LAZY]
    assert losses[-1] == pytest.approx(0.5 * 1e-3 * 784 * LAZY * slope, rel=0.05)


def test_initialisation_is_that_of_dcgan():
    generator = Generator(1, 64, 100)
    assert generator.stem.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert generator.norm.weight.mean().item() == pytest.approx(1, abs=0.01)
    settings = GANAlgorithm(generator, Discriminator(1, 64)).optimizers["generator"].defaults
    assert settings["lr"] == 2e-4 and settings["betas"] == (0.5, 0.999)


def test_objectives_on_hand_computed_logits():
    real, fake = torch.tensor([0.0, math.log(3)]), torch.tensor([0.0, -math.log(3)])
    # sigmoid: real 1/2 and 3/4, fake 1/2 and 1/4
    entropy = -0.5 * (math.log(0.5) + math.log(0.75)) - 0.5 * (math.log(0.5) + math.log(0.75))
    one = torch.tensor([2.0])
    expected = {
        "minimax": (entropy, 0.5 * (math.log(0.5) + math.log(0.75))),
        "non_saturating": (entropy, -0.5 * (math.log(0.5) + math.log(0.25))),
    }
    for name, (discriminator, generator) in expected.items():
        assert OBJECTIVES[name].discriminator(real, fake).item() == pytest.approx(discriminator)
        assert OBJECTIVES[name].generator(fake).item() == pytest.approx(generator)
    squares = OBJECTIVES["least_squares"]
    assert squares.discriminator(one, one).item() == 0.5 * 1 + 0.5 * 4 and squares.generator(one) == 0.5
    hinge = OBJECTIVES["hinge"]
    assert hinge.discriminator(one, -one) == 0 and hinge.discriminator(-one, one) == 6
    assert hinge.generator(one) == -2
    assert OBJECTIVES["wasserstein"].discriminator(one, -one) == -4


def test_entropy_objectives_are_those_of_torch():
    real, fake = torch.randn(2, 50, generator=torch.Generator().manual_seed(0)) * 30
    entropy = nn.functional.binary_cross_entropy_with_logits
    wanted = entropy(real, torch.ones(50)) + entropy(fake, torch.zeros(50))
    torch.testing.assert_close(OBJECTIVES["minimax"].discriminator(real, fake), wanted)
    torch.testing.assert_close(OBJECTIVES["minimax"].generator(fake), -entropy(fake, torch.zeros(50)))
    torch.testing.assert_close(OBJECTIVES["non_saturating"].generator(fake), entropy(fake, torch.ones(50)))


def test_minimax_is_flat_where_the_discriminator_wins_and_non_saturating_is_not():
    slopes = {}
    for name in ("minimax", "non_saturating"):
        logit = torch.tensor([-8.0], requires_grad=True)
        OBJECTIVES[name].generator(logit).backward()
        slopes[name] = abs(logit.grad.item())
    assert slopes["minimax"] < 1e-3 and slopes["non_saturating"] > 0.99


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_gradient_penalty_of_a_linear_critic(scale):
    """Its gradient is its weight everywhere: (|w| - 1)^2."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    with torch.no_grad():
        critic[1].weight.copy_(scale * torch.tensor([[0.5, 0.5, 0.5, 0.5]]))
    real, fake = torch.rand(2, 3, 1, 2, 2)
    assert gradient_penalty(critic, real, fake).item() == pytest.approx((scale - 1) ** 2, abs=1e-6)


def test_gradient_penalty_of_a_quadratic_critic_image_by_image():
    """critic(x) = |x|^2 / 2 has the gradient x: the penalty is (|x| - 1)^2 at the points between."""
    real, fake = torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    share = torch.tensor([1.0, 0.5])  # |x| = 5 and 1
    penalty = gradient_penalty(lambda x: 0.5 * x.square().sum(1), real, fake, share=share)
    assert penalty.item() == pytest.approx(((5 - 1) ** 2 + 0) / 2)


def test_gradient_penalty_reaches_the_critics_weights_and_not_the_images():
    critic, real = players("wasserstein_gp").discriminator, batch()
    fake = torch.rand(6, 1, 28, 28, requires_grad=True)
    gradient_penalty(critic, real["x"], fake, real["label"]).backward()
    assert critic.stages[0].weight.grad.abs().sum() > 0 and fake.grad is None


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_player_moves_only_itself(objective):
    algorithm, data = players(objective), batch()
    z = torch.randn(6, 8)
    generator, discriminator = weights(algorithm.generator), weights(algorithm.discriminator)
    fake = algorithm.generator(z, data["label"]).sigmoid()
    algorithm.update_discriminator(data["x"], fake.detach(), data["label"], back)
    assert torch.equal(weights(algorithm.generator), generator)
    assert all(p.grad is None for p in algorithm.generator.parameters())
    moved = weights(algorithm.discriminator)
    assert not torch.equal(moved, discriminator)
    algorithm.optimizers["discriminator"].zero_grad()
    algorithm.update_generator(fake, data["label"], back)
    assert torch.equal(weights(algorithm.discriminator), moved)
    assert all(p.grad is None for p in algorithm.discriminator.parameters())
    assert all(p.requires_grad for p in algorithm.discriminator.parameters())
    assert not torch.equal(weights(algorithm.generator), generator)
    assert all(p.grad is not None for p in algorithm.generator.parameters())


def test_one_pass_judges_as_two_do():
    discriminator, data = players(num_classes=0).discriminator.eval(), batch()["x"]
    both = discriminator(torch.cat([data, 1 - data]))
    torch.testing.assert_close(both, torch.cat([discriminator(data), discriminator(1 - data)]))


def test_spectral_norms_are_at_most_one():
    algorithm = players()
    for _ in range(30):
        algorithm.step(batch(), back)
    discriminator = algorithm.discriminator.eval()
    kernels = [m.weight for m in discriminator.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    kernels.append(discriminator.classes.weight)
    assert len(kernels) == 5
    for kernel in kernels:
        largest = torch.linalg.matrix_norm(kernel.flatten(1), ord=2).item()
        assert 0.9 < largest <= 1.03


def test_weights_of_a_clipped_critic():
    algorithm = players("wasserstein")
    algorithm.step(batch(), back)
    assert weights(algorithm.discriminator).abs().max() <= 0.01


def test_a_wasserstein_generator_moves_every_fifth_step():
    algorithm = players("wasserstein_gp")
    moved = []
    for _ in range(10):
        before = weights(algorithm.generator)
        logs = algorithm.step(batch(), back)
        moved.append(not torch.equal(weights(algorithm.generator), before))
        assert set(logs) == {
            "loss/discriminator", "loss/generator", "real", "fake", "grad/discriminator", "grad/generator",
        }  # fmt: skip
    assert moved == ([False] * 4 + [True]) * 2


def test_the_average_follows_the_generator():
    algorithm = players(ema=0.5)
    start = weights(algorithm.generator)
    algorithm.step(batch(), back)
    first = weights(algorithm.generator)
    torch.testing.assert_close(weights(algorithm.average), 0.1 * start + 0.9 * first)
    for _ in range(30):
        algorithm.step(batch(), back)
    before = weights(algorithm.average)
    algorithm.step(batch(), back)
    expected = 0.5 * before + 0.5 * weights(algorithm.generator)
    torch.testing.assert_close(weights(algorithm.average), expected)
    mean, now = algorithm.average.norm.running_mean, algorithm.generator.norm.running_mean
    assert not torch.equal(mean, torch.zeros_like(mean)) and not torch.equal(mean, now)


def test_a_stopped_run_goes_on_bit_for_bit():
    whole, part = players("wasserstein_gp"), players("wasserstein_gp")

    def run(algorithm, steps):
        for i in steps:
            torch.manual_seed(i)
            algorithm.step(batch(), back)

    run(whole, range(8))
    run(part, range(4))
    state = copy.deepcopy(part.state_dict())
    again = players("wasserstein_gp")
    again.load_state_dict(state)
    run(again, range(4, 8))
    for name, network in whole.networks.items():
        assert torch.equal(weights(network), weights(again.networks[name]))


def test_unknown_objective_and_average():
    with pytest.raises(ValueError, match="known are minimax, non_saturating"):
        players_of = Generator(1, 28, 4, width=4), Discriminator(1, 28, width=4)
        GANAlgorithm(*players_of, "logistic")
    with pytest.raises(ValueError, match="ema is 1"):
        players(ema=1)


def test_augmentation_keeps_shape_and_gradient():
    x = torch.rand(5, 3, 28, 28, requires_grad=True)
    changed = diff_augment(x)
    assert changed.shape == x.shape and not torch.equal(changed, x)
    changed.sum().backward()
    assert (x.grad.flatten(1).abs().sum(1) > 0).all()


def test_shift_moves_each_image_by_whole_pixels_and_fills_with_black():
    torch.manual_seed(0)
    x = torch.zeros(64, 1, 28, 28)
    x[:, :, 14, 14] = 1
    moved = shift(x)
    assert (moved.flatten(1).sum(1) == 1).all()
    places = moved.flatten(1).argmax(1)
    rows, columns = places // 28 - 14, places % 28 - 14
    assert rows.abs().max() == 4 and columns.abs().max() == 4 and len(places.unique()) > 30
    assert torch.equal(shift(x, 0), x)


def test_jitter_bounds():
    x = torch.full((200, 1, 4, 4), 0.5)
    changed = jitter(x, brightness=0.2, contrast=0.0)
    assert 0.15 < (changed - x).abs().max() <= 0.2
    torch.testing.assert_close(jitter(x, 0.0, 0.3), x)  # contrast leaves a flat image alone


def test_real_and_generated_images_are_augmented_in_both_updates():
    seen = []

    def augment(x):
        seen.append(len(x))
        return x

    players(augment=augment).step(batch(), back)
    assert seen == [12, 6]


def test_training_moves_the_samples_towards_the_images():
    """Bright squares on black: after two seconds samples are as bright as the images are, on average."""
    data = torch.zeros(128, 1, 28, 28)
    data[:, :, 10:18, 10:18] = 0.9

    class Squares:
        def batches(self, world_size):
            return 30

        def epoch(self, epoch, seed, device, rank=0, world_size=1):
            for _ in range(30):
                yield {"x": data[:32], "label": torch.zeros(32, dtype=torch.long)}

    algorithm = players("non_saturating", num_classes=0, learning_rate=1e-3, ema=0.9)
    error = lambda: (algorithm.average.eval().sample(torch.zeros(1, 8)) - data[:1]).abs().mean().item()  # noqa: E731
    before = error()
    fit(algorithm, Squares(), 3, seed=0, device="cpu", progress=False)
    assert error() < 0.3 * before

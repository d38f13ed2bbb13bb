"""Eight Gaussians: the default GAN finds them, and the measure can tell."""

import torch

from medgen_course.models.gan import GANAlgorithm
from medgen_course.models.point_gan import PointDiscriminator, PointGenerator, move, moved_back
from medgen_course.toys import mixture
from medgen_course.toys.settings import PUBLISHED, SAME, Settings
from medgen_course.toys.side_by_side import Discriminators, Generators, play_several


def test_the_default_objective_recovers_the_modes():
    default = GANAlgorithm(PointGenerator(), PointDiscriminator()).objective
    assert default is mixture.OBJECTIVES["non_saturating"]
    _, seen = mixture.play("non_saturating", seed=0, updates=2000, looks=4)
    modes, near = mixture.modes_found(seen[-1])
    assert modes >= 7 and near >= 0.6
    assert mixture.modes_found(seen[0])[0] < 3  # before training


def test_modes_found_counts_what_is_there():
    generator = torch.Generator().manual_seed(0)
    points = mixture.draw(4000, generator)
    modes, near = mixture.modes_found(points)
    assert modes == 8 and 0.98 < near < 0.995  # within 3 sigma in the plane: 1 - exp(-9/2) = 0.989
    assert mixture.modes_found(points[points[:, 0] > 1])[0] == 3  # the three centres on the right
    assert mixture.modes_found(torch.zeros(100, 2)) == (0, 0.0)


def test_points_fit_into_the_unit_square_and_back():
    points = mixture.draw(1000, torch.Generator().manual_seed(0))
    unit = moved_back(points)
    assert 0 <= unit.min() and unit.max() <= 1
    torch.testing.assert_close(move(unit), points)


def test_batches_repeat_with_their_seed():
    first, again, other = (next(mixture.Mixture(8, 2).epoch(0, seed))["x"] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_game_gets_its_generator_updates_whatever_the_discriminator_gets():
    algorithm, seen = mixture.play("wasserstein", updates=6, looks=2)
    assert algorithm.steps == 30 and len(seen) == 3
    algorithm, _ = mixture.play("hinge", updates=6, looks=2, settings=PUBLISHED["hinge"][0])
    assert algorithm.steps == 30


def test_published_settings_reach_the_optimisers_and_the_penalty():
    clip = mixture.make_players("wasserstein", settings=PUBLISHED["wasserstein"][0])
    assert all(type(o) is torch.optim.RMSprop for o in clip.optimizers.values())
    assert clip.optimizers["discriminator"].param_groups[0]["lr"] == 1e-3
    paper, code = (mixture.make_players("wasserstein_gp", settings=s) for s in PUBLISHED["wasserstein_gp"])
    assert paper.optimizers["generator"].param_groups[0]["betas"] == (0.0, 0.9)
    assert (paper.objective.gradient_penalty, code.objective.gradient_penalty) == (10.0, 0.1)


def test_every_game_starts_from_the_same_networks():
    first, second = (mixture.make_players(name, seed=3) for name in ("minimax", "wasserstein_gp"))
    for a, b in zip(first.generator.parameters(), second.generator.parameters(), strict=True):
        assert torch.equal(a, b)
    assert first.discriminator.gain == second.discriminator.gain == SAME.gain


def test_games_side_by_side_move_as_they_do_alone():
    """Two seeds in one call: after an update each network is where it would be with its own points."""
    plain = Settings(torch.optim.SGD, {"lr": 0.1}, "a test")  # linear in the gradient: the mean is over both
    twice = Settings(torch.optim.SGD, {"lr": 0.2}, "a test")
    alone = [mixture.make_players("non_saturating", seed, plain) for seed in (0, 1)]
    together = [mixture.make_players("non_saturating", seed) for seed in (0, 1)]
    both = mixture.assemble(
        Generators([p.generator for p in together]),
        Discriminators([p.discriminator for p in together]),
        "non_saturating",
        twice,
    )
    x = next(mixture.Mixture(8, 1).epoch(0, 0))["x"]
    torch.manual_seed(0)
    z = torch.randn(8, 8)
    torch.manual_seed(0)
    both.step({"x": x, "label": None}, lambda loss: loss.backward())
    for i, one in enumerate(alone):
        fake = one.generator(z[i::2]).sigmoid()
        one.update_discriminator(x[i::2], fake.detach(), None, lambda loss: loss.backward())
        one.update_generator(fake, None, lambda loss: loss.backward())
        for player in ("generator", "discriminator"):
            own, shared = getattr(one, player), getattr(both, player).weights
            for a, b in zip(own.parameters(), shared, strict=True):
                torch.testing.assert_close(a, b[i].reshape(a.shape))


def test_several_seeds_give_samples_each():
    points = play_several("hinge", (0, 1, 2), updates=2, settings=PUBLISHED["hinge"][1], batch_size=4)
    assert [p.shape for p in points] == [(2000, 2)] * 3 and not torch.equal(points[0], points[1])

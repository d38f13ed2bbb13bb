"""The enhancer: shapes, what each loss moves, a run that stops and goes on, and that it learns."""

import pytest
import torch

from medgen_course import phantom
from medgen_course.batches.degradations import Coarse, Rician
from medgen_course.batches.transforms import to_unit
from medgen_course.models.cyclegan_networks import PatchDiscriminator
from medgen_course.models.unet import EnhancerAlgorithm, UNet, restore


def images(count=16, size=32):
    return to_unit(torch.from_numpy(phantom.generate(count, size, 0).t1w))


def algorithm(weight=0.0, distance="squared", degradation=None, size=32, **settings):
    torch.manual_seed(0)
    model = UNet(1, size)  # first, so that it is the same with and without a judge
    judge = PatchDiscriminator(2, size, width=8) if weight else None
    return EnhancerAlgorithm(model, degradation or Coarse(2), distance, weight, judge, **settings)


def step(made, x):
    return made.step({"x": x}, lambda loss: loss.backward())


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 28), (1, 64), (3, 9), (1, 8), (1, 30)])
def test_it_starts_with_its_guess_and_keeps_its_shape(channels, size):
    model, guess = UNet(channels, size), torch.rand(2, channels, size, size)
    assert torch.equal(model(guess), guess)
    again = UNet(**{key: value for key, value in model.config.items() if key != "kind"})
    again.load_state_dict(model.state_dict())


@pytest.mark.parametrize("distance", ["squared", "absolute"])
def test_it_learns_to_be_nearer_than_its_guess(distance):
    made, x, held = algorithm(distance=distance, degradation=Rician(0.2)), images(64), images(80)[64:]
    for start in list(range(0, 64, 16)) * 15:
        logs = step(made, x[start : start + 16])
    assert set(logs) == {"loss/distance"}
    worse = made.degradation
    y = worse.measure(held, torch.Generator().manual_seed(0))
    answer = restore(made.average.eval(), worse, y)
    assert (answer - held).square().mean() < 0.5 * (y - held).square().mean()
    assert answer.min() >= 0 and answer.max() <= 1


def test_what_was_measured_is_kept_where_that_is_asked_for():
    made, x = algorithm(), images()
    step(made, x)
    worse = made.degradation
    y = worse.measure(x)
    free, kept = (restore(made.model.eval(), worse, y, consistent) for consistent in (False, True))
    assert worse.misfit(kept, y).max() < 1e-12 < worse.misfit(free, y).min()


def test_with_a_judge_each_player_moves_by_its_own_loss():
    made, x = algorithm(weight=0.1), images()
    with torch.no_grad():  # an answer that is not the guess, so that there is something to find out
        made.model.head.bias.fill_(0.2)
    guess = made.degradation.guess(made.degradation.measure(x))
    answer, judged = made.model(guess), [p.clone() for p in made.discriminator.parameters()]
    before = [p.clone() for p in made.model.parameters()]
    logs = made.update_discriminator(guess, x, answer.detach(), lambda loss: loss.backward())
    assert all(p.grad is None for p in made.model.parameters())
    assert all(torch.equal(p, q) for p, q in zip(made.model.parameters(), before, strict=True))
    moved = [not torch.equal(p, q) for p, q in zip(made.discriminator.parameters(), judged, strict=True)]
    assert all(moved) and set(logs) == {"loss/discriminator"}
    judged = [p.clone() for p in made.discriminator.parameters()]
    gradients = [p.grad.clone() for p in made.discriminator.parameters()]
    logs = made.update_model(guess, x, answer, lambda loss: loss.backward())
    assert set(logs) == {"loss/distance", "loss/adversarial"}
    now = list(made.discriminator.parameters())
    assert all(torch.equal(p, q) for p, q in zip(now, judged, strict=True))
    assert all(torch.equal(p.grad, g) and p.requires_grad for p, g in zip(now, gradients, strict=True))
    assert not torch.equal(made.model.head.weight, before[-2])


def test_every_weight_gets_a_gradient():
    made, x = algorithm(weight=0.1), images()
    for _ in range(2):  # the head starts at zero, so nothing below it moves in the first step
        step(made, x)
    for network in (made.model, made.discriminator):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_weight_is_that_of_the_adversarial_loss():
    pulls = []
    for weight in (1e-9, 1e3):
        made, x = algorithm(weight=weight), images()
        made.optimizers["unet"] = torch.optim.SGD(made.model.parameters(), 0.0)
        step(made, x)
        pulls.append(made.model.head.weight.grad.clone())
    plain = algorithm()
    plain.optimizers["unet"] = torch.optim.SGD(plain.model.parameters(), 0.0)
    step(plain, x)
    assert torch.allclose(pulls[0], plain.model.head.weight.grad, atol=1e-7)
    assert not torch.allclose(pulls[1], pulls[0], atol=1e-4)


def test_it_stops_and_goes_on_as_if_it_had_not():
    x, settings = images(), {"weight": 0.1, "decay_steps": 6}
    once, twice = algorithm(**settings), algorithm(**settings)
    for made in (once, twice):
        torch.manual_seed(1)
        for _ in range(2):
            step(made, x)
    again = algorithm(**settings)
    again.load_state_dict(twice.state_dict())
    for made in (once, again):
        step(made, x)
    assert again.steps == 3 and again.optimizers["unet"].param_groups[0]["lr"] < 2e-3
    for p, q in zip(once.average.parameters(), again.average.parameters(), strict=True):
        assert torch.equal(p, q)


def test_mistakes_have_a_remedy():
    with pytest.raises(ValueError, match="distance is 'cubed'; give one of squared, absolute"):
        algorithm(distance="cubed")
    with pytest.raises(ValueError, match="belong together"):
        EnhancerAlgorithm(UNet(1, 32), Coarse(2), lambda_adversarial=0.1)
    with pytest.raises(ValueError, match="lambda_adversarial must lie"):
        EnhancerAlgorithm(UNet(1, 32), Coarse(2), lambda_adversarial=-1.0)

"""Search in a latent space: it finds what the decoder can draw; a known posterior is in toys/."""

import pytest
import torch

from medgen_course.batches.degradations import Coarse, Hole
from medgen_course.models.gan import Generator
from medgen_course.models.latent_search import decoder_of, search
from medgen_course.models.vae import VAE


def decode(z):
    """Two numbers: brightness of the left half and of the right half."""
    halves = z.sigmoid().repeat_interleave(4, 1)  # (N, 8)
    return halves[:, None, None, :].expand(-1, 1, 8, 8)


def test_it_finds_the_image_from_a_coarse_one_and_the_best_start_by_its_misfit():
    truth = decode(torch.tensor([[1.0, -1.0], [0.3, 0.8], [-2.0, 0.0]]))
    worse = Coarse(4)
    found = search(decode, 2, worse, worse.measure(truth), starts=3, steps=150, weight=1e-4)
    assert found.images.shape == (3, 3, 1, 8, 8) and found.z.shape == (3, 3, 2)
    assert (found.best - truth).abs().max() < 0.02
    assert torch.equal(found.best[1], found.images[found.misfit[:, 1].argmin(), 1])
    again = search(decode, 2, worse, worse.measure(truth), starts=3, steps=150, weight=1e-4)
    assert torch.equal(found.images, again.images)


def test_what_nothing_measured_is_left_to_the_prior():
    """With all of the right half unknown, starts disagree about it, and about nothing else.

    Without a prior, that is. Adam takes steps of one size however small a slope is, so any weight above 0
    brings
    all starts to the mean code where nothing was measured: their spread is not that of the posterior.
    """
    truth, known = decode(torch.tensor([[1.0, -1.0]])), torch.ones(1, 1, 8, 8)
    known[..., 4:] = 0
    y = torch.cat([truth * known, known], 1)
    found = search(decode, 2, Hole(0.5), y, starts=6, steps=150, weight=0.0)
    spread = found.images.std(0)[0, 0]
    assert spread[:, :4].max() < 0.02 and spread[:, 4:].min() > 0.1
    held = search(decode, 2, Hole(0.5), y, starts=6, steps=150, weight=1e-3)
    assert held.images.std(0)[0, 0, :, 4:].max() < 0.02  # a strong prior: all go to the mean code
    assert (held.images[..., 4:] - 0.5).abs().max() < 0.02


def test_the_search_leaves_weights_and_random_state_alone():
    model = VAE(1, 28, 4).eval()
    before, state = [p.clone() for p in model.parameters()], torch.get_rng_state()
    made, latents = decoder_of(model)
    with torch.inference_mode():  # as in a notebook's measuring cell
        y = Coarse(2).measure(torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0)))
    found = search(made, latents, Coarse(2), y.clone(), starts=1, steps=2)
    assert found.best.shape == (2, 1, 28, 28) and latents == 4
    assert all(torch.equal(p, q) and p.grad is None for p, q in zip(model.parameters(), before, strict=True))
    assert torch.equal(state, torch.get_rng_state())


def test_a_generator_with_classes_gets_them_as_further_numbers():
    torch.manual_seed(0)
    made, latents = decoder_of(Generator(1, 28, 6).eval())
    assert latents == 6 and made(torch.zeros(2, 6)).shape == (2, 1, 28, 28)
    z = torch.randn(2, 9)
    z[:, 6:] = torch.tensor([[-99.0, 99.0, -99.0], [99.0, -99.0, -99.0]])
    for grain in (False, True):
        classes = Generator(1, 28, 6, num_classes=3, grain=grain).eval()
        made, latents = decoder_of(classes)
        assert latents == 9 and made(z).shape == (2, 1, 28, 28)
        assert torch.allclose(made(z), classes.sample(z[:, :6], torch.tensor([1, 0])), atol=1e-6)


def test_mistakes():
    with pytest.raises(ValueError, match="starts is 0"):
        search(decode, 2, Coarse(2), torch.zeros(1, 1, 4, 4), starts=0)

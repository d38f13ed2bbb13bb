"""Each score against what it should be by its formula, and the maps against the places of known lesions."""

import math

import numpy as np
import pytest
import torch
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA

from medgen_course.batches.transforms import to_unit
from medgen_course.metrics.anomaly import baselines, scores
from medgen_course.metrics.likelihood import evaluate_vae
from medgen_course.models.autoencoder import Autoencoder
from medgen_course.models.fanogan import FAnoGAN, FAnoGANAlgorithm, fanogan_distance
from medgen_course.models.gan import Discriminator, Generator
from medgen_course.models.vae import VAE, kl_per_dimension

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 1, 16, 16), dtype=np.uint8)


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    return VAE(1, 16, 4, 8, sigma=0.3).eval()


def test_reconstruction_error_is_the_mean_difference_and_its_map_adds_up():
    blank = lambda x: torch.zeros_like(x)  # noqa: E731
    found = scores.reconstruction_error(blank, IMAGES, sigma=0)
    assert np.allclose(found.map, IMAGES[:, 0] / 255, atol=1e-6)
    assert np.allclose(found.image, found.map.mean((1, 2)), atol=1e-6)
    smoothed = scores.reconstruction_error(blank, IMAGES, sigma=1)
    assert np.allclose(smoothed.image, found.image) and smoothed.map.std() < found.map.std()
    assert scores.reconstruction_error(lambda x: x, IMAGES).image.max() == 0


def test_the_peak_is_the_mean_of_the_highest_pixels():
    found = scores.Scored(np.zeros(2), RNG.random((2, 10, 10)))
    assert np.allclose(found.peak(0.05).image, np.sort(found.map.reshape(2, -1))[:, -5:].mean(1))
    assert found.peak(1.0).image == pytest.approx(found.map.mean((1, 2)))
    with pytest.raises(ValueError, match="no map"):
        scores.Scored(np.zeros(2)).peak()


def test_elbo_and_its_parts_are_those_of_the_evaluation(vae):
    found = scores.negative_elbo(vae, IMAGES, draws=200)
    known = evaluate_vae(vae, torch.from_numpy(IMAGES), 0)
    assert -found.image.mean() == pytest.approx(known["elbo"]["value"], rel=0.01)
    with torch.no_grad():
        expected = kl_per_dimension(*vae.encode(to_unit(torch.from_numpy(IMAGES)))).sum(1).numpy()
    assert np.allclose(scores.kl(vae, IMAGES).image, expected, rtol=1e-5)
    raw = scores.negative_elbo(vae, IMAGES, draws=1)
    assert raw.map.shape == (12, 16, 16) and np.allclose(
        scores.negative_elbo(vae, IMAGES, draws=1).map, raw.map
    )


def test_the_elbos_map_is_a_squared_error_and_its_peak_no_elbo(vae):
    found, squared = scores.negative_elbo(vae, IMAGES), scores.squared_error(scores.vae_mean(vae), IMAGES)
    assert np.corrcoef(found.map.ravel(), squared.map.ravel())[0, 1] > 0.99
    plain = scores.squared_error(scores.vae_mean(vae), IMAGES, sigma=0)
    assert np.allclose(plain.image, plain.map.mean((1, 2)), atol=1e-6)
    for score in (found, scores.kl(vae, IMAGES)):
        with pytest.raises(ValueError, match="its peak is another score"):
            score.peak()


def test_more_importance_samples_bring_the_bound_nearer_and_the_state_is_left_alone(vae):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    bounds = [scores.importance_weighted(vae, IMAGES, k).image.mean() for k in (1, 8, 128)]
    assert bounds[0] > bounds[1] > bounds[2]
    assert torch.equal(torch.get_rng_state(), before)
    assert scores.negative_elbo(vae, IMAGES, draws=64).image.mean() == pytest.approx(bounds[0], rel=0.02)


def test_the_gradient_of_the_kl_says_where(vae):
    found = scores.kl(vae, IMAGES[:2])
    x = to_unit(torch.from_numpy(IMAGES[:2]))
    step = torch.zeros_like(x)
    step[0, 0, 7, 7] = 1e-2

    def total(x):
        with torch.no_grad():
            return kl_per_dimension(*vae.double().encode(x.double())).sum(1)[0].item()

    slope = (total(x + step) - total(x - step)) / 2e-2
    vae.float()
    unsmoothed = scores.smooth
    try:
        scores.smooth = lambda maps, sigma=0: maps
        assert scores.kl(vae, IMAGES[:2]).map[0, 7, 7] == pytest.approx(abs(slope), rel=0.02)
    finally:
        scores.smooth = unsmoothed
    assert found.map.shape == (2, 16, 16) and (found.map >= 0).all()


def test_the_correction_takes_off_what_png_needs():
    flat, noise = np.full((1, 1, 32, 32), 90, np.uint8), RNG.integers(0, 256, (1, 1, 32, 32), dtype=np.uint8)
    assert scores.png_bits(flat)[0] < scores.png_bits(noise)[0] / 5
    assert scores.png_bits(noise)[0] == pytest.approx(8 * 1024, rel=0.15)
    likelihood = scores.Scored(np.array([10.0, 10.0]))
    corrected = scores.complexity_corrected(likelihood, np.concatenate([flat, noise])).image
    assert corrected[0] > corrected[1]  # of two images with one likelihood the simpler one is more anomalous
    assert corrected[0] == pytest.approx(10 / math.log(2) + 8192 - scores.png_bits(flat)[0])


def test_simplicity_is_what_the_correction_adds():
    zero = scores.Scored(np.full(12, -8 * 256 * math.log(2)))
    assert np.allclose(baselines.simplicity(IMAGES).image, scores.complexity_corrected(zero, IMAGES).image)


def test_a_model_that_has_diverged_is_named_in_one_line():
    with pytest.raises(ValueError, match="2 of 12 images are NaN") as error:
        scores._finite(scores.Scored(np.where(np.arange(12) < 2, np.nan, 1.0)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("images", [IMAGES[:, :, :8], IMAGES.repeat(3, 1), IMAGES / 255.0])
def test_other_images_than_the_model_takes_are_refused_in_one_line(images):
    with pytest.raises(ValueError, match=r"mine.npz: found .*expected uint8 \(N, 1, 16, 16\)"):
        scores.check_images(images, 1, 16, "mine.npz")
    scores.check_images(IMAGES, 1, 16)


def test_the_pixel_gaussian_is_the_z_score():
    fitted = baselines.PixelGaussian.fit(IMAGES)
    grey = IMAGES[:, 0] / 255
    z = (grey - grey.mean(0)) / grey.std(0)
    assert np.allclose(fitted.score(IMAGES).image, (z**2).mean((1, 2)), rtol=1e-4)
    constant = np.zeros((5, 1, 16, 16), np.uint8)
    one = constant[:1].copy()
    one[0, 0, 3, 4] = 50  # where normal images never vary
    assert np.isfinite(baselines.PixelGaussian.fit(constant).score(one).image).all()


def test_a_subspace_of_all_images_has_a_likelihood_whatever_rounding_left_outside():
    images = np.random.default_rng(0).integers(0, 256, (6, 1, 8, 8), dtype=np.uint8)
    fitted = baselines.Subspace.fit(images, components=5)
    fitted.pca.noise_variance_ = -1e-12  # as rounding leaves it on some processors
    found = fitted.likelihood(np.concatenate([images, 255 - images])).image
    assert np.isfinite(found).all() and found[:6].max() < found[6:].min()


def test_the_subspace_is_scikit_learns_and_its_likelihood_that_of_ppca():
    strong = 12 * np.einsum("nk,khw->nhw", RNG.standard_normal((200, 4)), RNG.standard_normal((4, 8, 8)))
    images = (120 + strong + 3 * RNG.standard_normal((200, 8, 8))).round()[:, None]
    images = images.clip(0, 255).astype(np.uint8)
    fitted, flat = baselines.Subspace.fit(images, 4), images.reshape(200, -1) / 255
    reference = PCA(4, svd_solver="full").fit(flat)
    assert np.allclose(fitted.likelihood(images).image, -fitted.pca.score_samples(flat), rtol=1e-4)
    assert np.allclose(fitted.likelihood(images).image, -reference.score_samples(flat), rtol=1e-2)
    codes = reference.transform(flat)
    assert np.allclose(
        fitted.mahalanobis(images).image,
        EmpiricalCovariance().fit(codes).mahalanobis(codes) * 199 / 200,
        rtol=1e-2,
    )
    error = ((flat - reference.inverse_transform(codes)) ** 2).mean(1)
    assert np.allclose(fitted.residual(images).image, error, rtol=2e-2)
    assert baselines.Subspace.fit(images[:3], 32).pca.n_components_ == 2


def test_nearest_neighbours_know_a_training_image_and_a_stranger():
    smooth = (np.add.outer(np.arange(16), np.arange(16)) * 8)[None, None].astype(np.uint8)
    normal = np.clip(smooth + RNG.integers(0, 20, (60, 1, 16, 16)), 0, 255).astype(np.uint8)
    fitted = baselines.Neighbours.fit(normal, k=1)
    assert fitted.score(normal).image.max() < 1e-2 < fitted.score(IMAGES).image.min()


def test_brightness_has_a_sign():
    assert baselines.brightness(IMAGES).image == pytest.approx(IMAGES.mean((1, 2, 3)) / 255, rel=1e-4)
    assert (
        baselines.brightness(IMAGES, -1).peak().image.argmax()
        == baselines.brightness(255 - IMAGES, 1).peak().image.argmax()
    )


def test_fanogan_moves_its_encoder_alone_and_learns():
    torch.manual_seed(0)
    generator, discriminator = Generator(1, 28, 8, 2, width=4), Discriminator(1, 28, 2, width=4)
    model = FAnoGAN(generator, discriminator, label=1, width=8)
    with torch.no_grad():
        for kernel in (*generator.parameters(), *discriminator.parameters()):
            kernel.mul_(10 if kernel.ndim > 1 else 1)  # fresh ones make images of one grey
        x = generator.eval().sample(torch.randn(64, 8), torch.ones(64, dtype=torch.long))
        before = [p.clone() for network in (generator, discriminator) for p in network.parameters()]
    algorithm = FAnoGANAlgorithm(model, 3e-3)
    model.train()
    assert not generator.training and model.encoder.training
    losses = [algorithm.step({"x": x}, lambda loss: loss.backward())["loss"].item() for _ in range(60)]
    assert losses[-1] < 0.7 * losses[0]
    after = [p for network in (generator, discriminator) for p in network.parameters()]
    assert all(map(torch.equal, before, after))
    images = (x * 255).round().byte().numpy()
    found = scores.fanogan(model.eval(), images, sigma=0)
    with torch.no_grad():
        unit = to_unit(torch.from_numpy(images))
        assert np.allclose(found.image, fanogan_distance(model, unit, model(unit)), rtol=1e-4)
    assert found.map.shape == (64, 28, 28)
    assert scores.fanogan(model, 255 - images).image.mean() > found.image.mean()


def test_an_autoencoder_of_one_lesion_free_world_finds_the_lesion():
    """The whole of it in small: trained on discs, a square is where the map is highest."""
    torch.manual_seed(0)
    side = np.linspace(-1, 1, 16)
    disc = (np.add.outer(side**2, side**2) < 0.6) * 120
    normal = (disc + RNG.integers(0, 10, (128, 1, 16, 16))).astype(np.uint8)
    model = Autoencoder(1, 16, 2, 8)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    x = to_unit(torch.from_numpy(normal))
    for _ in range(60):
        optimizer.zero_grad()
        (model(x) - x).square().sum((1, 2, 3)).mean().backward()
        optimizer.step()
    sick = normal[:8].copy()
    sick[:, :, 6:9, 6:9] += 100
    with torch.no_grad():
        found, well = (scores.reconstruction_error(model, i) for i in (sick, normal[:8]))
    assert (found.peak().image > well.peak().image.max()).all()
    places = found.map.reshape(8, -1).argmax(1)
    assert all(5 <= place // 16 <= 9 and 5 <= place % 16 <= 9 for place in places)

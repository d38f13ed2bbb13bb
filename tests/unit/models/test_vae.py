"""The VAE against independent truths: torch.distributions, probabilistic PCA, hand-made cases."""

import math

import numpy as np
import pytest
import torch
from linear_vae import LinearVAE
from torch.distributions import Bernoulli, Normal, kl_divergence

from medgen_course.metrics import likelihood
from medgen_course.models import vae
from medgen_course.models.multirate import KNOTS, ConditionedVAE, ConditionedVAEAlgorithm
from medgen_course.models.vae import VAE, VAEAlgorithm


def backward(loss):
    loss.backward()


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_kl_equals_torch_distributions():
    mu, logvar = torch.randn(6, 4), torch.randn(6, 4)
    truth = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(vae.kl_per_dimension(mu, logvar), truth)
    torch.testing.assert_close(vae.kl_divergence(mu, logvar), truth.sum(1).mean())
    with pytest.raises(ValueError, match=r"\(6, 4\).*\(6, 3\)"):
        vae.kl_divergence(mu, logvar[:, :3])


def test_likelihoods_equal_torch_distributions():
    x, x_hat, logits = torch.rand(5, 1, 3, 3), torch.rand(5, 1, 3, 3), torch.randn(5, 1, 3, 3)
    truth = Normal(x_hat, 0.3).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(vae.gaussian_log_likelihood(x_hat, x, 0.09), truth)
    binary = x.round()
    truth = Bernoulli(logits=logits).log_prob(binary).sum((1, 2, 3))
    torch.testing.assert_close(vae.bernoulli_log_likelihood(logits, binary), truth)


def test_the_optimal_variance_beats_its_neighbours():
    x, x_hat = torch.rand(5, 1, 3, 3), torch.rand(5, 1, 3, 3)
    best = vae.optimal_variance(x_hat, x)
    at = [vae.gaussian_log_likelihood(x_hat, x, best * f).sum() for f in (0.9, 1.0, 1.1)]
    assert at[1] > at[0] and at[1] > at[2]


def test_reparameterised_draws_have_the_stated_moments_and_pass_gradients():
    mu = torch.tensor([[1.0, -2.0]], requires_grad=True)
    logvar = torch.tensor([[0.0, math.log(0.25)]], requires_grad=True)
    z = vae.reparameterise(mu.expand(40_000, 2), logvar.expand(40_000, 2))
    torch.testing.assert_close(z.mean(0), mu[0], atol=0.02, rtol=0)
    torch.testing.assert_close(z.var(0), logvar[0].exp(), atol=0.02, rtol=0)
    z.square().mean(0).sum().backward()  # E[z^2] = mu^2 + sigma^2
    torch.testing.assert_close(mu.grad, 2 * mu.detach(), atol=0.05, rtol=0)
    torch.testing.assert_close(logvar.grad, logvar.detach().exp(), atol=0.03, rtol=0)


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 28), (1, 64), (3, 128), (1, 224)])
def test_shapes_for_grey_and_rgb_in_every_size(channels, size):
    x = torch.rand(2, channels, size, size)
    model = VAE(channels, size, latent_dim=5)
    logits, mu, logvar = model(x)
    assert logits.shape == x.shape == model.decode(mu).shape and mu.shape == logvar.shape == (2, 5)
    terms = vae.elbo(model, x)
    torch.testing.assert_close(terms["elbo"], terms["reconstruction"] - terms["kl"])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"likelihood": "laplace"}, "likelihood is 'laplace'"), ({"sigma": 0.0}, "sigma is 0.0")],
)
def test_bad_models_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        VAE(1, 28, **options)


def test_beta_multiplies_the_kl_alone():
    x, losses = torch.rand(4, 1, 8, 8), []
    for beta in (0.0, 1.0, 3.0):
        torch.manual_seed(1)
        losses.append(VAEAlgorithm(VAE(1, 8, 3, width=4, sigma=0.1), beta).step({"x": x}, backward))
    assert losses[0]["loss"] == pytest.approx(-losses[0]["reconstruction"].item())
    for beta, logs in zip((1.0, 3.0), losses[1:], strict=True):
        assert logs["loss"].item() == pytest.approx(
            beta * logs["kl"].item() - logs["reconstruction"].item(), rel=1e-5
        )


def test_warm_up_rises_from_nothing_and_free_bits_cost_nothing():
    x = torch.rand(4, 1, 8, 8)
    algorithm = VAEAlgorithm(VAE(1, 8, 3, width=4, sigma=0.1), beta=8.0, warmup_steps=4)
    for share in (0.25, 0.5, 0.75, 1.0, 1.0):
        logs = algorithm.step({"x": x}, backward)
        assert (logs["loss"] + logs["reconstruction"]).item() == pytest.approx(
            share * 8 * logs["kl"].item(), rel=1e-3
        )
    logs = VAEAlgorithm(VAE(1, 8, 3, width=4, sigma=0.1), free_bits=50.0).step({"x": x}, backward)
    assert (logs["loss"] + logs["reconstruction"]).item() == pytest.approx(150.0, rel=1e-4)


def test_a_linear_vae_reaches_the_likelihood_of_probabilistic_pca():
    n, side, latents = 400, 4, 3
    spread = torch.tensor([2.0, 1.2, 0.7])  # distinct, so that the best posterior is diagonal
    directions = torch.linalg.qr(torch.randn(16, latents))[0]
    x = (torch.randn(n, latents) * spread) @ directions.T + 0.3 * torch.randn(n, 16)
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T, correction=0)).flip(0)
    noise = eigenvalues[latents:].mean()
    log_det = eigenvalues[:latents].log().sum() + (16 - latents) * noise.log()
    truth = -0.5 * (16 * math.log(2 * math.pi) + log_det + 16).item()  # Tipping & Bishop 1999, equation 4
    images, steps = x.view(n, 1, side, side), 3000
    algorithm = VAEAlgorithm(LinearVAE(1, side, latents), learning_rate=1e-2, decay_steps=steps)
    for _ in range(steps):
        algorithm.step({"x": images}, backward)
    with torch.no_grad():
        bound = (
            torch.stack([vae.elbo(algorithm.model, images)["elbo"].mean() for _ in range(200)]).mean().item()
        )
    assert truth - 0.1 < bound < truth + 0.02


def trained(beta, steps=150):
    torch.manual_seed(0)
    factors = torch.rand(256, 2, 1, 1)
    ramp = torch.linspace(0, 1, 8)
    x = (factors[:, :1] * ramp.view(1, 1, 1, 8) + factors[:, 1:] * ramp.view(1, 1, 8, 1)) / 2
    x = (x + 0.05 * torch.randn(256, 1, 8, 8)).clamp(0, 1)
    algorithm = VAEAlgorithm(VAE(1, 8, 4, width=8), beta, learning_rate=3e-3)
    for _ in range(steps):
        algorithm.step({"x": x}, backward)
    return algorithm.model, x


def test_the_rate_falls_as_beta_rises():
    rates = []
    for beta in (0.3, 3.0, 30.0):
        model, x = trained(beta)
        rates.append(likelihood.kl_by_dimension(model, x).sum().item())
    assert rates[0] > 1.1 * rates[1] > 1.2 * rates[2]


def test_the_importance_weighted_bound_rises_with_k_and_lies_above_the_elbo():
    model, x = trained(1.0)
    x = x[:64]
    with torch.no_grad():
        bound = torch.stack([vae.elbo(model, x)["elbo"].mean() for _ in range(50)]).mean()
    values = [likelihood.importance_weighted_log_likelihood(model, x, k).mean() for k in (5, 50, 500)]
    assert bound < values[0] < values[1] < values[2]


def test_the_importance_weighted_bound_reaches_the_truth_of_a_linear_model():
    model = LinearVAE(1, 2, 2)
    with torch.no_grad():
        model.variance.fill_(0.25)
        x = torch.randn(3, 1, 2, 2)
        weight, bias = model.decoder[0].weight, model.decoder[0].bias
        truth = torch.distributions.MultivariateNormal(bias, weight @ weight.T + 0.25 * torch.eye(4))
        expected = truth.log_prob(x.flatten(1))
        covariance = torch.linalg.inv(torch.eye(2) + weight.T @ weight / 0.25)
        model.encoder[1].weight.copy_(covariance @ weight.T / 0.25)  # the true posterior's mean
        model.encoder[1].bias.copy_(-model.encoder[1].weight @ bias)
        model.logvar.copy_(covariance.diagonal().log())
        bound = torch.stack([vae.elbo(model, x)["elbo"] for _ in range(2000)]).mean(0)
    whole = likelihood.importance_weighted_log_likelihood(model, x, 20_000)
    torch.testing.assert_close(whole, expected, atol=0.02, rtol=0)
    assert (bound < expected - 0.02).all()  # the posterior is correlated, which a diagonal one cannot say


def test_rate_and_distortion_of_a_model_that_ignores_its_code():
    model = LinearVAE(1, 2, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    images = torch.full((5, 1, 2, 2), 128, dtype=torch.uint8)
    found = likelihood.rate_distortion(model, images)
    assert found["rate"] == 0 and found["active_units"] == 0
    assert found["rmse"] == pytest.approx(128.5 / 256, abs=0.002)  # a black image stands in for all
    assert found["elbo"] == pytest.approx(-2 * (math.log(2 * math.pi) + found["rmse"] ** 2), rel=1e-4)


def test_ratios_are_read_at_equal_rate():
    curve = [{"rate": rate, "rmse": 1 / rate} for rate in (1.0, 10.0, 100.0)]
    separate = [{"rate": 10.0, "rmse": 0.2}, {"rate": 0.5, "rmse": 1.0}, {"rate": 1000.0, "rmse": 0.01}]
    ratios = likelihood.rmse_ratios(curve[::-1], separate)
    assert ratios[0] == pytest.approx(0.5) and math.isnan(ratios[1]) and ratios[2] == pytest.approx(1.0)
    between = likelihood.rmse_ratios(curve, [{"rate": math.sqrt(10), "rmse": 0.55}])
    assert between == [pytest.approx(1.0)]


def test_chunks_of_importance_samples_cover_exactly_k():
    model, x = LinearVAE(1, 2, 2), torch.randn(3, 1, 2, 2)
    passes = []
    model.decoder.register_forward_hook(lambda module, args, output: passes.append(len(output)))
    likelihood.importance_weighted_log_likelihood(model, x, samples=50, chunk=12)
    assert sum(passes) == 150 and max(passes) <= 12


def test_bits_per_dim_of_a_uniform_density_is_eight():
    assert likelihood.bits_per_dim(0.0, 784) == pytest.approx(8.0)


def test_dequantised_pixels_stay_in_their_bin():
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    x = likelihood.dequantise(images, torch.Generator().manual_seed(0))
    assert torch.equal((x * 256).floor().to(torch.uint8), images)


def test_active_units_and_aggregate_posterior():
    mu = torch.randn(2000, 3) * torch.tensor([1.0, 0.5, 0.01])
    assert likelihood.active_units(mu).tolist() == [True, True, False]
    collapsed = likelihood.aggregate_posterior_kl(torch.zeros(500, 2), torch.zeros(500, 2))
    assert collapsed == pytest.approx(0.0, abs=1e-4)
    shifted = likelihood.aggregate_posterior_kl(torch.full((4000, 1), 2.0), torch.zeros(4000, 1))
    assert shifted == pytest.approx(2.0, abs=0.15)  # KL(N(2, 1) || N(0, 1)) = 2


def test_evaluation_repeats_itself_and_leaves_the_random_state_alone():
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (12, 1, 28, 28), dtype=np.uint8))
    model = VAE(1, 28, 4, width=4)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = likelihood.evaluate_vae(model, images, importance_samples=3)
    assert torch.equal(torch.rand(1), expected)
    assert first == likelihood.evaluate_vae(model, images, importance_samples=3)
    assert first["elbo"]["low"] <= first["elbo"]["value"] <= first["elbo"]["high"]
    names = {"elbo", "bits_per_dim", "reconstruction", "kl", "log_likelihood", "psnr", "ssim", "active_units"}
    assert set(first) == names


def test_the_conditioned_network_starts_indifferent_to_beta_and_learns_to_heed_it():
    _, x = trained(1.0, steps=1)
    model = ConditionedVAE(1, 8, 4, width=8)
    algorithm = ConditionedVAEAlgorithm(model, learning_rate=3e-3)
    z = torch.randn(4, 4)
    torch.testing.assert_close(model.at(0.1).decode(z), model.at(300.0).decode(z))
    for _ in range(300):
        algorithm.step({"x": x}, backward)
    rates = [likelihood.kl_by_dimension(model.at(beta), x).sum().item() for beta in (0.3, 10.0, 300.0)]
    assert rates[0] > 1.2 * rates[1] > 1.4 * rates[2]
    variances = [model.at(beta).variance.item() for beta in (0.1, 300.0)]
    assert variances[0] < variances[1] and model.log_variance.shape == (KNOTS,)
    with pytest.raises(ValueError, match=r"beta is 0\.01.*0\.1 to 300"):
        model.at(0.01)

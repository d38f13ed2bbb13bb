"""Networks and update step of the autoencoders."""

import pytest
import torch

from medgen_course.models.autoencoder import (
    Autoencoder,
    AutoencoderAlgorithm,
    LinearAutoencoder,
    reconstruction_loss,
)
from medgen_course.models.layers import stage_sizes


def backward(loss):
    loss.backward()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [28, 32, 64, 128, 224])
def test_every_size_and_channel_count_round_trips(size, channels):
    x = torch.rand(2, channels, size, size)
    model = Autoencoder(channels, size, latent_dim=5)
    assert model.encode(x).shape == (2, 5)
    x_hat = model(x)
    assert x_hat.shape == x.shape
    assert 0 <= x_hat.min() and x_hat.max() <= 1


def test_stages_halve_until_four_pixels_are_left():
    assert stage_sizes(28) == [28, 14, 7, 4]
    assert stage_sizes(64) == [64, 32, 16, 8, 4]
    with pytest.raises(ValueError, match=r"size is 7.*at least 8"):
        stage_sizes(7)


def test_reconstruction_loss_sums_pixels_and_averages_images():
    x = torch.zeros(2, 1, 4, 4)
    x_hat = x.clone()
    x_hat[0] += 0.5  # 16 pixels, 0.25 each: 4 for one image, 0 for the other
    assert reconstruction_loss(x_hat, x).item() == pytest.approx(2.0)
    with pytest.raises(ValueError, match=r"\(2, 1, 4, 4\).*\(2, 16\)"):
        reconstruction_loss(x, x.flatten(1))


def test_a_step_moves_every_parameter_and_lowers_the_loss():
    torch.manual_seed(0)
    model = Autoencoder(1, 28, latent_dim=8)
    algorithm = AutoencoderAlgorithm(model)
    x = torch.rand(16, 1, 1, 1).expand(16, 1, 28, 28)
    before = [p.clone() for p in model.parameters()]
    losses = [algorithm.step({"x": x}, backward)["loss"].item() for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_the_linear_autoencoder_reaches_the_error_of_pca():
    torch.manual_seed(0)
    x = (torch.randn(256, 3) @ torch.randn(3, 64) + 0.3 * torch.randn(256, 64)).view(256, 1, 8, 8)
    centred = x.flatten(1) - x.flatten(1).mean(0)
    best = torch.linalg.svdvals(centred)[3:].square().sum().item() / 256
    algorithm = AutoencoderAlgorithm(LinearAutoencoder(1, 8, 3), learning_rate=1e-2)
    for _ in range(2000):
        loss = algorithm.step({"x": x}, backward)["loss"].item()
        algorithm.optimizers["autoencoder"].param_groups[0]["lr"] *= 0.998
    assert best <= loss * (1 + 1e-5)  # nothing linear beats PCA (Eckart & Young 1936)
    assert loss < 1.01 * best


def test_a_denoising_step_compares_with_the_clean_image():
    model = LinearAutoencoder(1, 8, 64)
    with torch.no_grad():  # the identity network
        model.encoder.weight.copy_(torch.eye(64))
        model.decoder.weight.copy_(torch.eye(64))
        model.encoder.bias.zero_()
        model.decoder.bias.zero_()
    x = torch.rand(4, 1, 8, 8)
    loss = AutoencoderAlgorithm(model, corrupt=lambda x: x + 0.5).step({"x": x}, backward)["loss"]
    assert loss.item() == pytest.approx(64 * 0.25, rel=1e-4)

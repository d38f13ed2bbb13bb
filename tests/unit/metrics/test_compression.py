"""Bits that agree with the entropy, a code that can be paid for anything, and JPEG as it should behave."""

import math

import numpy as np
import pytest
import torch

from medgen_course.metrics import compression


def seeded():
    return torch.Generator().manual_seed(0)


def smooth_images(n, channels, size):
    rough = torch.rand(n, channels, size // 4 + 1, size // 4 + 1, generator=seeded())
    smooth = torch.nn.functional.interpolate(rough, (size, size), mode="bilinear", align_corners=True)
    smooth = 0.8 * smooth[:, :1] + 0.2 * smooth  # little colour, as in tissue
    return (255 * smooth).round().to(torch.uint8).numpy()


@pytest.mark.parametrize("step", [0.01, 0.3, 7.0])
def test_quantising_errs_by_half_a_step_at_most(step):
    z = 5 * torch.randn(1000, 4, generator=seeded())
    symbols = compression.quantise(z, step)
    error = (compression.dequantise(symbols, step) - z).abs().max()
    assert symbols.dtype == torch.int64 and 0.45 * step < error <= 0.5 * step + 1e-5
    assert torch.equal(compression.quantise(compression.dequantise(symbols, step), step), symbols)


@pytest.mark.parametrize("step", [0, -1, math.nan, math.inf])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(ValueError, match="step must be positive"):
        compression.quantise(torch.zeros(2, 2), step)


def test_codes_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        compression.quantise(torch.tensor([[math.nan]]), 0.1)


def test_mean_code_length_is_the_entropy():
    first = torch.tensor([0] * 4 + [1] * 2 + [2, 3]).repeat(5000)  # 1/2, 1/4, 1/8, 1/8: 1.75 bits
    second = torch.arange(-4, 4).repeat(5000)  # 8 equal levels: 3 bits
    training = torch.stack([first, second], dim=1)
    bits = compression.code_length(training[:8000], training)
    assert bits.shape == (8000,) and bits.mean().item() == pytest.approx(4.75, abs=1e-3)
    rare = compression.code_length(torch.tensor([[0, 0], [3, 0]]), training)
    assert rare.tolist() == pytest.approx([1 + 3, 3 + 3], abs=1e-2)


def test_gaussian_codes_cost_their_differential_entropy_minus_log_step():
    z, other = torch.randn(2, 20_000, 1, generator=seeded())
    bits = compression.code_length(compression.quantise(z, 0.25), compression.quantise(other, 0.25))
    assert bits.mean().item() == pytest.approx(0.5 * math.log2(2 * math.pi * math.e) + 2, abs=0.02)


def test_code_is_a_probability_over_all_integers():
    """Kraft: 2^-bits over every level sums to 1 at most, otherwise no decoder could exist."""
    training = torch.tensor([[0], [0], [3]])
    every = torch.arange(-100_000, 100_000)[:, None]
    total = (2 ** -compression.code_length(every, training)).sum().item()
    assert 0.99 < total <= 1


def test_unseen_levels_cost_more_but_finitely():
    training = torch.tensor([[0]] * 50 + [[2]] * 50)
    seen, gap, near, far = compression.code_length(torch.tensor([[0], [1], [3], [10**9]]), training).tolist()
    assert seen < gap < near < far < 100


def test_a_finer_step_costs_more_bits():
    z = torch.randn(5000, 3, generator=seeded())
    cost = [compression.code_length(s, s).mean() for s in (compression.quantise(z, d) for d in (1, 0.5, 0.1))]
    assert cost[0] < cost[1] < cost[2]


@pytest.mark.parametrize(
    ("symbols", "training", "message"),
    [
        (torch.zeros(3, 2), torch.zeros(3, 2, dtype=torch.int64), "Use quantise"),
        (torch.zeros(3, dtype=torch.int64), torch.zeros(3, 2, dtype=torch.int64), "(B, latent_dim)"),
        (torch.zeros(3, 2, dtype=torch.int64), torch.zeros(3, 4, dtype=torch.int64), "(3, 2) and (3, 4)"),
        (torch.zeros(3, 2, dtype=torch.int64), torch.zeros(0, 2, dtype=torch.int64), "one latent space"),
        (torch.zeros(1, 1, dtype=torch.int64), torch.tensor([[0], [2**30]]), "larger step"),
    ],
)
def test_symbols_that_cannot_be_counted_are_refused(symbols, training, message):
    with pytest.raises(ValueError) as error:
        compression.code_length(symbols, training)
    assert message in str(error.value)


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 28), (1, 64)])
def test_jpeg_trades_bits_for_quality(channels, size):
    images = smooth_images(30, channels, size)
    points = [compression.jpeg_mosaic(images, quality) for quality in (95, 50, 5)]
    bits, psnr = zip(*points, strict=True)
    assert bits[0] > bits[1] > bits[2] > 0 and psnr[0] > psnr[1] > psnr[2] > 10
    assert psnr[0] > 35  # tiles come back at their places


def test_one_header_for_many_images():
    images = smooth_images(400, 1, 28)
    many, _ = compression.jpeg_mosaic(images, 50)
    alone = np.mean([compression.jpeg_mosaic(images[i : i + 1], 50)[0] for i in range(5)])
    assert many < 0.7 * alone


def test_several_mosaics_where_one_would_be_too_large(monkeypatch):
    images = smooth_images(30, 1, 28)
    bits, psnr = compression.jpeg_mosaic(images, 80)
    monkeypatch.setattr(compression, "MOSAIC_PIXELS", 10 * 32 * 32)
    more_bits, same_psnr = compression.jpeg_mosaic(torch.from_numpy(images), 80)
    assert same_psnr == pytest.approx(psnr, abs=0.01) and bits < more_bits


def test_jpeg_wants_bytes_and_a_quality():
    with pytest.raises(ValueError, match="to_uint8"):
        compression.jpeg_mosaic(np.zeros((2, 1, 28, 28)), 50)
    with pytest.raises(ValueError, match="between 1 and 100"):
        compression.jpeg_mosaic(smooth_images(2, 1, 28), 0)


def test_what_jpeg_makes_of_images_is_what_its_quality_was_measured_on():
    images = smooth_images(5, 1, 28)
    bits, x_hat = compression.through_jpeg(images, 30)
    mse = ((x_hat.astype(float) - images) ** 2).mean((1, 2, 3)) / 255**2
    assert x_hat.dtype == np.uint8 and x_hat.shape == images.shape
    assert (bits, pytest.approx(-10 * np.log10(mse).mean(), abs=1e-3)) == compression.jpeg_mosaic(images, 30)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_knows_smooth_images_from_noise(channels):
    noise = np.random.default_rng(0).integers(0, 256, (64, channels, 28, 28), dtype=np.uint8)
    constant = np.full((64, channels, 28, 28), 90, np.uint8)
    assert compression.png_mosaic(constant) < 0.2
    assert 8 * channels < compression.png_mosaic(noise) < 8.2 * channels
    assert compression.png_mosaic(smooth_images(64, channels, 28)) < 8 * channels
    with pytest.raises(ValueError, match="uint8"):
        compression.png_mosaic(noise / 255)

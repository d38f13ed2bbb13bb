"""Metrics against scikit-image and scipy, and what they say about perfect and impossible input."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from medgen_course import metrics


def pair(n=6, channels=1, size=28, noise=0.1):
    generator = torch.Generator().manual_seed(0)
    x = torch.nn.functional.avg_pool2d(torch.rand(n, channels, size + 4, size + 4, generator=generator), 5, 1)
    return (x + noise * torch.randn(x.shape, generator=generator)).clamp(0, 1), x


def reference(function, x_hat, x, **options):
    pairs = zip(x_hat.double().numpy(), x.double().numpy(), strict=True)
    return np.array([function(b, a, data_range=1.0, **options) for a, b in pairs])


@pytest.mark.parametrize(("n", "channels", "size"), [(3, 1, 11), (66, 1, 28), (3, 3, 65)])
def test_agrees_with_scikit_image(n, channels, size):  # 66 images are more than one chunk of SSIM
    x_hat, x = pair(n, channels, size)
    x_hat[0] = x[0] * 0.3  # one dark image: its own range must not matter
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 0}
    expected = reference(structural_similarity, x_hat, x, **window)
    assert metrics.ssim(x_hat, x).shape == (n,)
    assert np.abs(metrics.ssim(x_hat, x).numpy() - expected).max() < 1e-4
    assert np.allclose(metrics.psnr(x_hat, x), reference(peak_signal_noise_ratio, x_hat, x), atol=1e-3)


def test_known_values():
    x = torch.full((1, 1, 16, 16), 0.5)
    assert metrics.mse(x + 0.1, x).item() == pytest.approx(0.01)
    assert metrics.psnr(x + 0.1, x).item() == pytest.approx(20)
    assert metrics.psnr(torch.ones_like(x), torch.zeros_like(x)).item() == 0


def test_each_image_has_its_own_value():
    x_hat, x = pair(4)
    x_hat[2] = x[2]
    for metric, best in ((metrics.mse, 0.0), (metrics.psnr, math.inf), (metrics.ssim, 1.0)):
        values = metric(x_hat, x)
        assert values.shape == (4,) and values.dtype == torch.float32
        assert values[2] == best and (values[[0, 1, 3]] != best).all()
        assert torch.allclose(values[1:2], metric(x_hat[1:2], x[1:2]), atol=1e-5)


def test_more_noise_is_worse_in_every_metric():
    (few, x), (much, _) = pair(noise=0.02), pair(noise=0.2)
    assert (metrics.mse(few, x) < metrics.mse(much, x)).all()
    assert (metrics.psnr(few, x) > metrics.psnr(much, x)).all()
    assert (metrics.ssim(few, x) > metrics.ssim(much, x)).all()


def test_half_precision_is_measured_in_single():
    x_hat, x = pair()
    assert metrics.psnr(x_hat.bfloat16(), x.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("metric", [metrics.mse, metrics.psnr, metrics.ssim])
def test_what_is_no_pair_of_images_is_refused(metric):
    x_hat, x = pair()
    with pytest.raises(ValueError, match=r"\(5, 1, 28, 28\), images \(6, 1, 28, 28\)"):
        metric(x_hat[:5], x)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        metric(255 * x_hat, x)
    with pytest.raises(ValueError, match=r"\(B, C, H, W\)"):
        metric(x_hat[0], x[0])


def test_ssim_says_that_images_are_too_small():
    with pytest.raises(ValueError, match="11 x 11"):
        metrics.ssim(*pair(size=10))


def test_interval_agrees_with_scipy():
    values = np.random.default_rng(1).exponential(size=200)
    found = metrics.bootstrap_interval(values)
    options = {"n_resamples": 20_000, "method": "percentile", "rng": np.random.default_rng(2)}
    low, high = bootstrap((values,), np.mean, **options).confidence_interval
    width = high - low
    assert found["value"] == pytest.approx(values.mean())
    assert abs(found["low"] - low) < 0.1 * width and abs(found["high"] - high) < 0.1 * width


def test_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    intervals = [metrics.bootstrap_interval(rng.normal(size=40), seed=i) for i in range(60)]
    assert 51 <= sum(i["low"] <= 0 <= i["high"] for i in intervals) <= 60


def test_interval_is_repeatable_and_narrows_with_its_level():
    values = torch.arange(50.0)
    state = torch.get_rng_state()
    assert metrics.bootstrap_interval(values) == metrics.bootstrap_interval(values.tolist())
    wide, narrow = metrics.bootstrap_interval(values, 0.99), metrics.bootstrap_interval(values, 0.5)
    assert wide["low"] < narrow["low"] < narrow["value"] < narrow["high"] < wide["high"]
    assert torch.equal(torch.get_rng_state(), state)


def test_interval_of_perfect_and_of_single_values():
    assert metrics.bootstrap_interval([3.0]) == {"value": 3, "low": 3, "high": 3}
    all_perfect = metrics.bootstrap_interval([math.inf] * 5)
    assert all_perfect == {"value": math.inf, "low": math.inf, "high": math.inf}
    one_perfect = metrics.bootstrap_interval([20.0, 21.0, math.inf])
    assert one_perfect["value"] == one_perfect["high"] == math.inf and 20 <= one_perfect["low"] <= 21


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "one number an image"),
        (np.ones((2, 2)), "shape (2, 2)"),
        ([1, math.nan], "1 of 2 values are NaN"),
    ],
)
def test_interval_refuses_what_has_no_mean(values, message):
    with pytest.raises(ValueError) as error:
        metrics.bootstrap_interval(values)
    assert message in str(error.value)


def test_interval_refuses_a_level_in_percent():
    with pytest.raises(ValueError, match=r"0\.95"):
        metrics.bootstrap_interval([1.0, 2.0], level=95)

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import vae_toys

from medgen_course.explorers import BetaExplorer
from medgen_course.explorers.beta import divided
from medgen_course.explorers.beta_view import COLUMNS, measure
from medgen_course.explorers.conventions import CONVENTIONS, Setting, explain, resemblance
from medgen_course.metrics.likelihood import evaluate_vae
from medgen_course.models.multirate import ConditionedVAE
from medgen_course.models.vae import VAE, gaussian_log_likelihood, kl_per_dimension
from medgen_course.pictures import plots, render
from medgen_course.pretrained import BETAS

DATA = vae_toys.data()
OTHERS = list(CONVENTIONS)[1:]


@pytest.fixture(scope="module")
def models():
    return {beta: vae_toys.vae(beta) for beta in vae_toys.BETAS}


@pytest.fixture(scope="module")
def codes(models):
    return {beta: vae_toys.codes(model, DATA.val) for beta, model in models.items()}


@pytest.fixture(scope="module")
def conditioned():
    torch.manual_seed(0)
    model = ConditionedVAE(1, 28, 6, width=8).eval().requires_grad_(False)
    for gate in (*model.encoder_gates, *model.decoder_gates):  # as they start, they let no beta through
        gate.linear.weight.normal_(std=0.3)
    model.log_variance.copy_(torch.linspace(-6, -2, 33))
    return model


def seen(explorer):
    return explorer.picture.png, explorer.picture.text


def changes(explorer, act):
    before = seen(explorer)
    act()
    after = seen(explorer)
    return before[0] != after[0] and before[1] != after[1]


def cursor(explorer):
    return np.array(explorer.map.position)


def test_the_slider_moves_between_models_and_changes_picture_numbers_and_cursor(models):
    explorer = BetaExplorer(models, DATA)
    assert explorer.betas == list(vae_toys.BETAS)
    for beta in (0.1, 300.0):
        before = cursor(explorer)
        assert changes(explorer, lambda beta=beta: setattr(explorer.beta, "value", beta))
        assert f"β = {beta:g} ·" in explorer.picture.text
        assert not np.allclose(cursor(explorer), before)
        sheet = render.to_rgb(models[beta].decode(models[beta].encode(
            torch.from_numpy(DATA.val.images[:1]).float() / 255)[0]))[0]  # fmt: skip
        shown = explorer._rows["reconstructions"][0, 0].astype(int)
        assert np.abs(shown - sheet[..., 0]).max() <= 1


def test_the_numbers_are_those_of_the_evaluation(models):
    figures = measure(models[3.0], DATA.val.images)
    known = evaluate_vae(models[3.0], torch.from_numpy(DATA.val.images), 0)
    assert figures.rate == pytest.approx(known["kl"]["value"], rel=0.02)
    assert figures.active == known["active_units"]["value"]
    assert figures.reconstruction == pytest.approx(known["reconstruction"]["value"], rel=0.02)
    text = BetaExplorer(models, DATA, beta=3).picture.text
    sigma = math.sqrt(models[3.0].variance)
    assert f"effective β = β·σ² = {3 * sigma**2:.3g}" in text
    assert f"KL {figures.rate:.2f} nats\n{figures.active:.0f} of 6 units active" in text
    assert f"RMSE {figures.rmse:.4f}, {figures.reconstruction:,.1f} nats" in text


def test_measuring_leaves_the_random_state_alone(models):
    state = torch.random.get_rng_state()
    BetaExplorer(models, DATA)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_traversals_follow_the_highest_kl_and_samples_are_drawn_again(models):
    explorer = BetaExplorer(models, DATA, beta=3)
    kl = explorer.figures(3.0).kl
    names = [name for name in explorer.row_names if name.startswith("z[")]
    assert [int(name[2 : name.index("]")]) for name in names] == np.argsort(-kl)[:3].tolist()
    samples = explorer._rows["samples from\nthe prior"].copy()
    explorer.beta.value = 0.1
    explorer.beta.value = 3.0
    assert np.array_equal(explorer._rows["samples from\nthe prior"], samples)
    explorer.again.click()
    assert not np.array_equal(explorer._rows["samples from\nthe prior"], samples)
    before = explorer._rows["validation images"].copy()
    explorer.first.value = 5
    assert np.array_equal(explorer._rows["validation images"], DATA.val.images[5 : 5 + COLUMNS])
    assert not np.array_equal(explorer._rows["validation images"], before)


def test_a_conditioned_model_moves_continuously(conditioned):
    explorer = BetaExplorer(conditioned, DATA)
    assert len(explorer.betas) > 100
    assert set(BETAS) <= set(explorer.betas)
    assert explorer.betas[0] == 0.1
    assert explorer.betas[-1] == 300.0
    steps = np.diff(np.log10(explorer.betas))
    assert steps.min() > 0.02
    assert steps.max() < 0.03
    for beta in explorer.betas[1:4]:
        assert changes(explorer, lambda beta=beta: setattr(explorer.beta, "value", beta))
        assert "interpolated between measured β" in explorer.picture.text
        assert f"β = {beta:.3g} ·" in explorer.picture.text
    explorer.beta.value = 10.0
    assert "interpolated" not in explorer.picture.text


def test_interpolated_figures_lie_between_their_neighbours(conditioned):
    explorer = BetaExplorer(conditioned, DATA)
    knots = divided(BETAS, 0.25)
    low, high = (explorer.figures(beta) for beta in knots[3:5])
    between = explorer.figures(explorer.betas[35])
    assert knots[3] < explorer.betas[35] < knots[4]
    assert low.sigma < between.sigma < high.sigma
    assert min(low.rate, high.rate) <= between.rate <= max(low.rate, high.rate)


def test_without_images_the_stored_codes_are_rebuilt_and_said_to_be(models, codes, conditioned):
    explorer = BetaExplorer(models, None, codes)
    assert explorer.row_names[0] == "stored codes,\nrebuilt by the model"
    assert "validation images" not in explorer._rows
    assert "reconstruction: needs the images" in explorer.picture.text
    assert "20 stored codes" in explorer.picture.text
    assert explorer.curve is None
    assert changes(explorer, lambda: setattr(explorer.beta, "value", 0.1))
    with_images = BetaExplorer(models, DATA, codes, beta=0.1)
    assert explorer.figures(0.1).rate == pytest.approx(with_images.figures(0.1).rate, rel=0.02)
    assert BetaExplorer(conditioned, None, codes).betas == list(vae_toys.BETAS)


def test_a_given_curve_is_the_backdrop_and_a_click_on_it_moves_the_slider(models, codes):
    curve = {"beta": [300, 0.1, 3], "rate": [0.5, 40, 12], "distortion": [0.2, 0.02, 0.05]}
    explorer = BetaExplorer(models, None, codes, curve, beta=3)
    x, y = explorer.curve.extent.to_data(*explorer.map.position)
    assert (x, y) == pytest.approx((12, 0.05))
    near = explorer.curve.extent.to_position(39, 0.025)
    assert changes(explorer, lambda: setattr(explorer.map, "position", near))
    assert explorer.beta.value == 0.1
    assert explorer.curve.extent.to_data(*explorer.map.position) == pytest.approx((40, 0.02))
    explorer.map.position = (near[0], near[1] + 0.15)  # nearest is the same: the cursor goes back
    assert explorer.curve.extent.to_data(*explorer.map.position) == pytest.approx((40, 0.02))


def test_the_arrow_keys_walk_along_the_curve(models):
    curve = {"beta": [0.1, 3, 300], "rate": [40, 12, 0.5], "distortion": [0.02, 0.05, 0.2]}
    explorer = BetaExplorer(models, DATA, curve=curve, beta=3)
    for dx, dy, beta in ((0.02, 0, 0.1), (-0.02, 0, 3), (0, 0.1, 300), (0, 0.02, 300), (0, -0.02, 3)):
        x, y = explorer.map.position
        explorer.map.position = (x + dx, y + dy)
        assert explorer.beta.value == beta
        assert cursor(explorer) == pytest.approx(explorer.curve.position(beta))


def test_the_curve_marks_points_where_they_are_drawn(models):
    explorer = BetaExplorer(models, DATA)
    height, width = explorer.curve.picture.shape[:2]
    for beta in explorer.betas:
        x, y = explorer.curve.position(beta)
        pixel = explorer.curve.picture[round((1 - y) * height), round(x * width)]
        assert np.abs(pixel.astype(int) - render.rgb_of(render.PALETTE[0])).max() < 30


def gradients(loss, parameters):
    grads = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    return torch.cat(
        [(torch.zeros_like(p) if g is None else g).flatten() for g, p in zip(grads, parameters, strict=True)]
    )


@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_arithmetic_of_a_convention_is_that_of_its_gradients(name):
    """The loss there must pull exactly as this course's at the β that is claimed, up to one factor."""
    torch.manual_seed(0)
    model, x = VAE(1, 16, 5, width=8, sigma=0.07), torch.rand(4, 1, 16, 16)
    batch, count, beta, pixels = 4, 80, 0.37, 256
    logits, mu, logvar = model(x)
    x_hat, kl = logits.sigmoid(), kl_per_dimension(mu, logvar)
    nll = -gaussian_log_likelihood(x_hat, x, 0.07**2).mean()
    mse, kl_sum = F.mse_loss(x_hat, x), kl.sum(1).mean()
    theirs = dict(
        zip(
            CONVENTIONS,
            (
                nll + beta * kl_sum,
                F.mse_loss(x_hat, x, reduction="sum") / batch + beta * kl_sum,
                0.5 * F.mse_loss(x_hat, x, reduction="sum") / batch + beta * kl_sum,
                nll / pixels + beta * kl_sum,
                mse + beta * kl_sum,
                mse + beta * kl.mean(),
                mse + beta * (batch / count) * kl_sum,
                mse + beta * kl_sum / pixels,
            ),
            strict=True,
        )
    )[name]
    setting = Setting(pixels, 5, 0.07, batch / count)
    ours = nll + beta * CONVENTIONS[name].factor(setting) * kl_sum
    parameters = [p for p in model.parameters() if p.requires_grad]
    a, b = gradients(theirs, parameters), gradients(ours, parameters)
    assert F.cosine_similarity(a, b, dim=0) > 1 - 1e-5
    scale = (a @ b) / (b @ b)
    assert torch.allclose(a, scale * b, rtol=1e-3, atol=float(a.abs().max()) * 1e-4)


def test_the_optimal_sigma_pulls_as_a_stated_one():
    x = torch.rand(4, 1, 8, 8, dtype=torch.float64)
    x_hat = torch.rand_like(x).requires_grad_()
    mse = (x - x_hat).square().mean()
    optimal = torch.autograd.grad(32 * mse.log(), x_hat, retain_graph=True)[0]  # D/2 · ln MSE, D = 64
    stated = torch.autograd.grad(-gaussian_log_likelihood(x_hat, x, mse.item()).mean(), x_hat)[0]
    assert torch.allclose(optimal, stated)


def test_explanations_hold_the_numbers():
    setting = Setting(784, 16, 0.067, 128 / 4708)
    text = explain("squared error: mean over pixels, KL summed", 3.0, setting)
    assert "784 / (2 × 0.0670²) = 87,325 here" in text
    assert "β = 3 there weighs like β = 261,974 here, effective β = 1,176." in text
    assert "To get this course's β = 3, write β = 3.44e-05 there." in text
    assert "like β = D = 784 = 784 here" in explain("log-likelihood: mean over pixels, KL summed", 3, setting)
    with pytest.raises(ValueError, match="there is no convention 'mine'"):
        explain("mine", 1, setting)


def test_resemblance_adapts_sigma():
    half = "half the sum of squared errors (σ = 1), KL summed"
    setting, betas, sigmas = Setting(784, 16, 0.1, 0.1), [1.0, 10.0, 100.0], [0.1, 0.1, 0.2]
    assert "like β = 10 " in resemblance(half, 0.1, setting, betas, sigmas)  # β·σ² = 0.1 at β = 10
    assert "like β = 100 " in resemblance(half, 3.999, setting, betas, sigmas)
    assert "beyond this slider's end (β = 100)" in resemblance(half, 5, setting, betas, sigmas)
    assert "before this slider's start" in resemblance(half, 1e-4, setting, betas, sigmas)
    likelihood = "log-likelihood: mean over pixels, KL summed"
    assert "like β = 7.84 " in resemblance(likelihood, 0.01, setting, betas, sigmas)


@pytest.mark.parametrize("name", OTHERS)
def test_the_switch_shows_what_the_same_beta_means_elsewhere(models, name):
    explorer = BetaExplorer(models, DATA, beta=3)
    assert "there" not in explorer.picture.text
    explorer.convention.value = name
    sigma = math.sqrt(models[3.0].variance)
    setting = Setting(784, 6, sigma, 128 / 64)
    assert explain(name, 3.0, setting) in explorer.picture.text


def test_static_twins_draw_the_same_pictures(models):
    explorer = BetaExplorer(models, DATA)
    assert render.to_png(explorer.array) == explorer.picture.png
    assert explorer.picture.row_names == list(explorer.row_names)
    figure = explorer.figure()
    assert isinstance(figure, plots.Figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == list(explorer.row_names)


def test_colour_images_and_larger_ones():
    data = vae_toys.data(channels=3, size=32)
    models = {beta: vae_toys.vae(beta, steps=2, channels=3, size=32) for beta in (1.0, 10.0)}
    explorer = BetaExplorer(models, data)
    assert changes(explorer, lambda: setattr(explorer.beta, "value", 10.0))


def test_what_does_not_fit_is_refused(models, codes):
    with pytest.raises(ValueError, match="neither images nor stored codes"):
        BetaExplorer(models)
    with pytest.raises(ValueError, match=r"images are \(1, 32, 32\), the models decode \(1, 28, 28\)"):
        BetaExplorer(models, vae_toys.data(size=32))
    with pytest.raises(ValueError, match=r"no stored codes at β = 3, 300"):
        BetaExplorer(models, None, {0.1: codes[0.1]})
    with pytest.raises(ValueError, match="likelihood is bernoulli"):
        BetaExplorer({1.0: VAE(1, 28, 6, width=8, likelihood="bernoulli")}, DATA)
    with pytest.raises(ValueError, match="has no distortion"):
        BetaExplorer(models, None, codes, {"beta": [1, 2], "rate": [1, 2]})
    with pytest.raises(ValueError, match="equally many"):
        BetaExplorer(models, None, codes, {"beta": [1, 2], "rate": [1, 2], "distortion": [1]})
    with pytest.raises(ValueError, match="not finite"):
        BetaExplorer(models, None, codes, {"beta": [1, 2], "rate": [1, float("nan")], "distortion": [1, 2]})

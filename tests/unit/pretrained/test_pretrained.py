"""The shipped weights: they load, fit their cards, and say what the course claims of them."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from medgen_course import datasets, metrics, phantom, pretrained
from medgen_course.batches.transforms import gaussian_noise, to_unit
from medgen_course.datasets.anomalies import phantom_anomalies
from medgen_course.metrics import classification, fidelity, likelihood
from medgen_course.metrics.anomaly.detection import auroc
from medgen_course.metrics.anomaly.scores import reconstruction_error
from medgen_course.models import samples
from medgen_course.training.checkpoints import RunNotFound

SHELF = pretrained.shelf()
NAMES = ("pneumoniamnist", "phantom")
GANS = ("gan", "classifier", "growing", "classifier_64")


@pytest.fixture(scope="module", params=NAMES)
def data(request):
    try:
        return datasets.load(request.param, download=False)
    except datasets.DatasetUnavailable:
        pytest.skip("pneumoniamnist.npz is not on this machine; set MEDMNIST_ROOT to the folder with it")


def test_the_shelf_is_small_and_holds_no_pickle():
    files = [path for path in SHELF.rglob("*") if path.is_file()]
    of_gans = [path for path in files if path.stem in GANS or "recordings" in path.parts]
    translating = ("cyclegan", "pix2pix", "lab", "translation_eye")
    translators = [path for path in files if path.stem.removesuffix("_64") in translating]
    of_lengths = [path for path in files if path.stem == "autoencoders"]
    detectors = [path for path in files if path.stem.startswith("anomaly")]
    assert sum(path.stat().st_size for path in detectors) <= 2e6
    enhancers = [path for path in files if path.stem.startswith("enhance")]
    few = [path for path in files if path.stem.startswith("few_") or path.stem in ("semi_vae", "segmenter")]
    named = {*of_gans, *translators, *of_lengths, *enhancers, *detectors, *few}
    assert sum(path.stat().st_size for path in few) <= 4e6
    assert sum(path.stat().st_size for path in {*files} - named) <= 12e6
    assert sum(path.stat().st_size for path in enhancers) <= 2e6
    assert all(path.stat().st_size <= 4.2e6 for path in of_lengths)
    assert all(path.stat().st_size <= 3e6 for path in of_gans)
    assert sum(path.stat().st_size for path in translators) <= 8e6
    assert sum(path.stat().st_size for path in files) <= 34e6
    assert {path.suffix for path in files} == {".safetensors", ".json", ".csv"}


def test_all_weights_together_are_small():
    size = 0
    for path in SHELF.rglob("*.safetensors"):
        if "recordings" in path.parts or path.stem == "few_masks":
            continue  # pictures and curves
        with safe_open(path, "pt") as file:
            names = [name for name in file.keys() if not name.startswith("val/")]  # codes of images
            size += sum(file.get_tensor(name).nbytes for name in names)
    assert 20e6 < size <= 30e6


@pytest.mark.parametrize("name", NAMES)
def test_everything_loads_without_images(name):
    assert pretrained.load_autoencoder(name).config["latent_dim"] == 16
    vaes, conditioned = pretrained.load_vaes(name), pretrained.load_conditioned(name)
    for kind in ("vae", "conditioned_vae"):
        codes = pretrained.load_codes(name, kind)
        assert tuple(codes) == pretrained.BETAS == tuple(vaes)
        assert len(codes[1.0].mu) == len(codes[1.0].labels)
    z = codes[1.0].mu[:4]
    for model in (vaes[1.0], conditioned.at(1.0)):
        assert 0 <= model.decode(z).min() and model.decode(z).max() <= 1
    assert all(not p.requires_grad for p in conditioned.parameters())


def test_autoencoders_of_every_length_reach_what_their_card_says(real_images):
    models, denoiser = pretrained.load_autoencoders("pneumoniamnist")
    recipe = pretrained.card("pneumoniamnist", "autoencoders")["recipe"]
    assert list(models) == recipe["latent_dims"] == [2, 4, 8, 16, 32, 64]
    assert [model.config["latent_dim"] for model in models.values()] == list(models)
    x, reached = to_unit(torch.from_numpy(real_images.val.images)), []
    with torch.inference_mode():
        for length, model in models.items():
            reached.append(float(metrics.psnr(model(x), x).mean()))
            assert reached[-1] == pytest.approx(recipe["validation_psnr"][str(length)]["value"], abs=0.01)
        noisy = gaussian_noise(x, recipe["denoiser"]["sigma"], torch.Generator().manual_seed(0))
        assert metrics.psnr(denoiser(noisy), x).mean() > metrics.psnr(models[64](noisy), x).mean()
    assert reached == sorted(reached)
    with pytest.raises(RunNotFound, match="nothing pretrained"):
        pretrained.load_autoencoders("mine.npz")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["autoencoder", "vae", "conditioned_vae"])
def test_cards_say_data_licence_attribution_and_recipe(name, model):
    card = pretrained.card(name, model)
    assert card["data"]["name"] == name and card["data"]["licence"] and card["data"]["attribution"]
    assert card["recipe"]["epochs"] > 0 and card["recipe"]["images"] > 0 and "seed" in card["recipe"]
    assert "not for diagnosis" in card["use"]


def test_the_autoencoders_card_fits_its_weights(data):
    card, x = pretrained.card(data.name, "autoencoder"), to_unit(torch.from_numpy(data.test.images))
    with torch.no_grad():
        x_hat = pretrained.load_autoencoder(data.name)(x)
    for name in ("psnr", "ssim"):
        measured = getattr(metrics, name)(x_hat, x).mean().item()
        assert measured == pytest.approx(card["test"][name]["value"], abs=1e-3)


@pytest.mark.parametrize("kind", ["vae", "conditioned_vae"])
def test_the_vaes_cards_and_codes_fit_their_weights(data, kind):
    images, card = torch.from_numpy(data.test.images), pretrained.card(data.name, kind)
    stored = pretrained.load_codes(data.name, kind)
    models = pretrained.load_vaes(data.name) if kind == "vae" else None
    for beta in pretrained.BETAS:
        model = models[beta] if models else pretrained.load_conditioned(data.name).at(beta)
        measured = likelihood.evaluate_vae(model, images, importance_samples=0)
        for name, row in card["test"][f"{beta:g}"].items():
            assert measured[name]["value"] == pytest.approx(row["value"], rel=2e-3), (
                f"{name} at beta {beta:g}"
            )
        with torch.no_grad():
            mu, _ = model.encode(to_unit(torch.from_numpy(data.val.images)))
        torch.testing.assert_close(stored[beta].mu, mu, atol=0.02, rtol=0.01)
        assert np.array_equal(stored[beta].labels, data.val.labels)


def test_beta_one_has_the_highest_validation_elbo_and_the_rate_falls(data):
    images = torch.from_numpy(data.val.images)
    points = [likelihood.rate_distortion(model, images) for model in pretrained.load_vaes(data.name).values()]
    elbos, rates = ([point[name] for point in points] for name in ("elbo", "rate"))
    assert pretrained.BETAS[int(np.argmax(elbos))] == 1.0
    assert rates == sorted(rates, reverse=True)


def test_the_conditioned_network_may_drive_the_slider(data):
    """RMSE at equal rate within 5 % of the separate models; at equal beta where both have collapsed."""
    images, conditioned = torch.from_numpy(data.val.images), pretrained.load_conditioned(data.name)
    separate = [likelihood.rate_distortion(m, images) for m in pretrained.load_vaes(data.name).values()]
    betas = np.geomspace(pretrained.BETAS[0], pretrained.BETAS[-1], 21)
    curve = [likelihood.rate_distortion(conditioned.at(float(b)), images, draws=2) for b in betas]
    ratios = likelihood.rmse_ratios(curve, separate)
    assert np.isfinite(ratios[:-1]).all()
    if np.isnan(ratios[-1]):
        ratios[-1] = curve[-1]["rmse"] / separate[-1]["rmse"]
    assert max(ratios) <= 1.05, dict(zip(pretrained.BETAS, ratios, strict=True))


def test_the_sweep_covers_every_beta_with_three_seeds():
    for name in NAMES:
        sweep = pretrained.load_sweep(name)
        pairs = set(zip(sweep["beta"], sweep["seed"], strict=True))
        assert pairs == {(beta, seed) for beta in pretrained.BETAS for seed in range(3)}


@pytest.mark.parametrize("name", NAMES)
def test_the_one_network_is_recorded_with_the_epochs_of_one_vae_and_as_shipped(name):
    record = pretrained.load_one_network(name)
    cards = [pretrained.card(name, kind)["recipe"]["epochs"] for kind in ("vae", "conditioned_vae")]
    assert np.unique(record["epochs"]).tolist() == cards
    for epochs in cards:
        rates = record["rate"][record["epochs"] == epochs]
        assert len(rates) == 21 and (np.diff(rates) < 0).all()  # beta rises from row to row
    short, shipped = (record["elbo"][record["epochs"] == epochs] for epochs in cards)
    assert not np.array_equal(short, shipped)


def test_other_images_are_told_what_to_do(monkeypatch, tmp_path):
    with pytest.raises(RunNotFound, match=r"breastmnist.*train your own"):
        pretrained.load_vaes("breastmnist")


def test_weights_fit_the_images_that_they_were_made_for_and_no_name(data):
    assert pretrained.fits(data, "vae") and not pretrained.fits(data, "no such model")
    assert not pretrained.fits(dataclasses.replace(data, size=64), "vae")
    assert not pretrained.fits(dataclasses.replace(data, name="phantom-t2w"), "vae")
    assert not pretrained.fits(dataclasses.replace(data, source="own file x.npz, MD5 0"), "vae")


def refuse(word):
    raise ValueError(f"{word} is not JSON")


@pytest.mark.parametrize(
    "path", sorted(SHELF.rglob("*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_cards_are_json_that_others_can_read(path):
    assert json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


@pytest.mark.parametrize("name", NAMES)
def test_the_gan_loads_and_draws_each_class_without_images(name):
    generator, discriminator = pretrained.load_gan(name)
    drawn = samples.generate(generator, 8, labels=np.arange(8) % 2)
    x = to_unit(torch.from_numpy(drawn))
    assert x.std(0).mean() > 0.02  # not one picture eight times
    assert discriminator(x, torch.arange(8) % 2).isfinite().all()


def test_the_classifiers_figures_are_those_of_its_card(data):
    model, card = pretrained.load_classifier(data.name), pretrained.card(data.name, "classifier")
    assert classification.auc(model, data.test) == pytest.approx(card["test"]["auc"]["value"], abs=1e-3)


def test_the_gans_figures_are_those_of_its_card(data):
    card, (generator, _) = pretrained.card(data.name, "gan"), pretrained.load_gan(data.name)
    n = 2 * len(data.val)
    drawn = samples.generate(generator, n, 5, samples.draw_labels(card["recipe"]["class_counts"], n, 5))
    learnt = data
    if card["recipe"]["images"] > len(data.train):  # the phantom's learnt from more than a data set shows
        made = phantom.generate(card["recipe"]["images"], data.size, card["recipe"]["seed"], "train")
        learnt = dataclasses.replace(data, train=datasets.Split(made.t1w, made.labels))
    against = fidelity.reference(learnt, pretrained.load_classifier(data.name))
    found = fidelity.evaluate_samples(drawn, against, rounds=2)
    for name in ("density", "coverage", "recall", "precision"):
        assert found[name]["value"] == pytest.approx(card["test"]["val"][name]["value"], abs=0.08), name


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_gan_is_as_good_as_the_course_says(name):
    """Some 500 images in each column, validation split."""
    found = pretrained.card(name, "gan")["test"]["val"]
    for figure in ("density", "coverage"):
        assert found[figure]["value"] >= 0.8 * found[figure]["best"]
    assert found["memorisation"]["value"] <= 0.10


def test_samples_alone_teach_a_classifier_nearly_what_films_do():
    assert pretrained.card("pneumoniamnist", "gan")["test"]["classifier"]["ratio_of_means"] >= 0.95


def test_the_phantoms_gan_has_grain_and_the_same_noise_the_same_slice():
    generator, _ = pretrained.load_gan("phantom")
    first, again = (samples.generate(generator, 8, 0, np.arange(8) % 2) for _ in range(2))
    assert generator.grain and np.array_equal(first, again)


@pytest.mark.parametrize(
    ("dataset", "model"),
    [
        *(
            ("phantom", name)
            for name in ("anomaly_small", "anomaly_big", "anomaly_vae_t2w", "anomaly_vae_t1w")
        ),
        ("pneumoniamnist", "anomaly_small"),
        ("pneumoniamnist", "anomaly_vae"),
    ],
)
def test_a_detector_rebuilds_images_of_its_size_and_its_card_says_what_it_learnt_from(dataset, model):
    about = pretrained.card(dataset, model)
    network = pretrained.load_anomaly(dataset, model)
    size = about["model"]["size"]
    assert about["recipe"]["normal_images_only"] and size == (64 if dataset == "phantom" else 28)
    found = network.encode(torch.rand(2, 1, size, size))
    code = found[0] if isinstance(found, tuple) else found
    assert network.decode(code).shape == (2, 1, size, size)
    parameters = sum(p.numel() for p in network.parameters())
    recipe, test = about["recipe"], about["test"]
    assert recipe["parameters"] == parameters
    assert recipe["updates"] == recipe["epochs"] * (recipe["images"] // recipe["batch_size"])
    figures = [test["auroc_mean"], test["auroc_peak"]]
    figures += [test["pixel_average_precision"]] if dataset == "phantom" else []
    assert all(0 <= row["low"] <= row["value"] <= row["high"] <= 1 for row in figures)


def test_a_detectors_card_says_what_it_reaches_on_test():
    task = phantom_anomalies(counts=(1, 1, 8)).test
    small = pretrained.load_anomaly("phantom", "anomaly_small")
    pair = (reconstruction_error(small, x).peak().image for x in (task.healthy, task.anomalous))
    told = pretrained.card("phantom", "anomaly_small")["test"]["auroc_peak"]["value"]
    assert auroc(*pair, twins=True)["value"] == pytest.approx(told, abs=1e-3)


def test_detectors_of_the_same_images_had_the_same_budget_and_the_told_one_more_images():
    cards = {name: pretrained.card("phantom", f"anomaly_{name}")["recipe"]
             for name in ("small", "big", "vae_t2w", "vae_t1w", "ceiling")}  # fmt: skip
    ceiling = cards.pop("ceiling")
    assert len({(each["updates"], each["images"]) for each in cards.values()}) == 1
    films = [pretrained.card("pneumoniamnist", name)["recipe"] for name in ("anomaly_small", "anomaly_vae")]
    assert films[0]["updates"] == films[1]["updates"]
    assert ceiling["updates"] > cards["small"]["updates"] and not ceiling["normal_images_only"]
    network = pretrained.load_anomaly("phantom", "anomaly_ceiling")
    assert network(torch.rand(2, 1, 64, 64)).shape == (2, 1, 64, 64)


def test_the_encoder_finds_noise_for_the_shipped_gan():
    model = pretrained.load_fanogan()
    x_hat = model(torch.rand(2, 1, 28, 28))
    assert x_hat.shape == (2, 1, 28, 28) and 0 <= x_hat.min() and x_hat.max() <= 1
    assert not any(p.requires_grad for p in model.generator.parameters())


@pytest.mark.parametrize("dataset", NAMES)
def test_the_sweep_has_every_length_with_three_seeds_and_the_hidden_anomalies(dataset):
    lengths = [1, 2, 4, 8, 16, 32, 64, 128]
    sweep = pretrained.load_anomaly_sweep(dataset)
    clean = sweep["hidden"] == 0
    assert sorted(set(sweep["latent_dim"][clean])) == lengths
    assert (
        clean.sum() == 3 * len(lengths)
        and set(sweep["seed"]) == {0, 1, 2}
        and len(set(sweep["updates"])) == 1
    )
    assert (sweep["hidden"][~clean] == 0.05).all() and (~clean).sum() == 3
    for name in ("val_mean", "val_peak", "test_mean", "test_peak"):
        assert ((sweep[name] >= 0) & (sweep[name] <= 1)).all()

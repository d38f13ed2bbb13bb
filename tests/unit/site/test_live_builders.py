"""What goes onto the page says the same as Python: networks before their export, slices, controls."""

import ast
import gzip
import re

import nbformat
import numpy as np
import pytest
import torch

from medgen_course import course, pretrained
from medgen_course.explorers import generator as view
from medgen_course.explorers.anomaly import SLICES
from medgen_course.metrics.anomaly import scores
from medgen_course.models.gan import Generator
from medgen_course.phantom import draw_factors
from medgen_course.site import (
    anomaly,
    controls,
    data_browser,
    enhancement,
    few_labels,
    gan_walk,
    recorder,
    translation,
)


@pytest.fixture(scope="module")
def slices():
    return np.random.default_rng(0).integers(0, 256, (1, 1, 64, 64), dtype=np.uint8)


def test_the_vaes_scores_are_those_of_the_metrics(slices):
    vae = pretrained.load_anomaly("phantom", "anomaly_vae_t2w")
    with torch.inference_mode():
        rebuilt, elbo, elbo_map, kl, kl_map = anomaly.AllOfVAE(vae)(torch.from_numpy(slices).float())
    wanted = scores.negative_elbo(vae, slices), scores.kl(vae, slices)
    for value, score_map, want in zip((elbo, kl), (elbo_map, kl_map), wanted, strict=True):
        np.testing.assert_allclose(value, want.image, rtol=1e-5)
        np.testing.assert_allclose(scores.smooth(score_map.numpy()), want.map, atol=1e-4)
    np.testing.assert_allclose(rebuilt, scores.rebuilt(scores.vae_mean(vae), slices), atol=1e-6)


def test_a_reconstruction_takes_grey_levels(slices):
    network = pretrained.load_anomaly("phantom", "anomaly_small")
    with torch.inference_mode():
        ours = anomaly.Rebuilding(network)(torch.from_numpy(slices).float())
    np.testing.assert_allclose(ours, scores.rebuilt(network, slices), atol=1e-6)


def test_every_slice_is_there_before_its_scan():
    made = anomaly._slices(draw_factors(SLICES, 1, 1.0, "val"))
    assert {made[name].size for name in ("base", "tissue", "matter")} == {SLICES * 64 * 64}
    assert {made[name].dtype for name in ("base", "bias", "real", "pose")} == {np.dtype("float32")}


def test_controls_keep_their_words_and_ranges():
    shown = data_browser.explorer()
    about = controls.described(a=shown.augmentation, c=shown.corruption, i=shown.index, b=shown.redraw)
    assert about["a"] == {
        "label": "augmentation", "hint": "0: none, 1: strong", "min": 0, "max": 1, "step": 0.05, "value": 0.2
    }  # fmt: skip
    assert about["c"]["options"][about["c"]["value"]] == "Rician noise"
    assert about["i"]["step"] == 1 and set(about["b"]) == {"label", "hint"}


def test_the_data_page_shows_some_images_with_their_licence():
    live = data_browser.build()
    assert not live.models
    for about in live.data["sets"]:
        pixels = about["channels"] * about["size"] ** 2
        for split in about["splits"].values():
            assert len(split["images"]) <= data_browser.SHOWN * pixels
        assert ": " in about["source"]


def test_repetitions_of_a_network_stay_in_the_notebook():
    known = enhancement.networks()
    assert set(known) == set(enhancement.TASKS)
    assert not [how for made in known.values() for how in made if "seed" in how]


def test_halved_weights_are_exact():
    pytest.importorskip("onnx", reason="the export needs onnx and onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    from medgen_course.site.export import to_onnx

    model = enhancement.Restoring(enhancement.networks()["denoise"]["squared"]).eval()
    guess = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    content = to_onnx(model, {"guess": guess[:2]}, ["answer"])
    assert b".py" not in content  # nothing of the machine that made it
    session = onnxruntime.InferenceSession(content)
    (answer,) = session.run(None, {"guess": guess.numpy()})
    with torch.inference_mode():
        np.testing.assert_allclose(answer, model(guess), atol=2e-6)


def test_a_generator_with_grain_draws_the_same_on_a_page():
    pytest.importorskip("onnx", reason="the export needs onnx and onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    from medgen_course.site.export import to_onnx

    torch.manual_seed(0)
    generator = Generator(1, 28, 16, 2, width=4, grain=True)
    torch.nn.init.normal_(generator.stages[-1].conv.weight)
    model, z, label = gan_walk.Drawing(generator).eval(), torch.randn(3, 16), torch.tensor([0.0, 1.0, 1.0])
    session = onnxruntime.InferenceSession(to_onnx(model, {"z": z[:2], "label": label[:2]}, ["image"]))
    (image,) = session.run(None, {"z": z.numpy(), "label": label.numpy()})
    with torch.inference_mode():
        np.testing.assert_allclose(image, model(z, label), atol=2e-6)


def test_a_translators_page_has_every_second_moment_and_the_rules_of_all_slices():
    two = translation.domains()
    shown = translation.explorer(two)
    assert [text for text, _ in shown.moment.options] == [str(moment) for moment in translation.MOMENTS]
    known = {to: translation._rule(shown._known[to]) for to in ("a", "b")}
    assert known["a"][0] < 0 < known["b"][0]  # lesions are darker in T1w, brighter in T2w
    assert len(two.val.a) == translation.HELD_OUT


def test_a_recording_has_all_its_moments_and_gives_nothing_away():
    live = recorder.build()
    assert live.data["controls"]["run"]["options"] == ["run 1", "run 2", "run 3", "run 4"]
    for run in live.data["runs"]:
        assert len(run["texts"]) == len(run["moments"]) == len(run["samples"]) // np.prod(run["shape"])
        assert len({text for text in run["texts"]}) == len(run["texts"])
        assert all(len(curves["places"]) == 2 * len(run["moments"]) for curves in run["curves"])


def test_a_walk_has_all_noises_and_a_map_of_each_class():
    pytest.importorskip("onnx", reason="the export needs onnx and onnxscript")
    live = gan_walk.build()
    classes = live.data["controls"]["class"]["options"]
    assert len(live.data["maps"]) == len(classes) == len(live.data["names"])
    assert live.data["noise"].size == view.NOISES * live.data["latents"]
    assert sum(len(gzip.compress(content)) for content in live.models.values()) < 1.5e6
    _same_at_zero(live)


def _same_at_zero(live):
    """At zero noise, which truncation leads to, the page's generator draws what Python's does."""
    runtime = pytest.importorskip("onnxruntime", reason="runs what the page runs")
    session, generator = runtime.InferenceSession(live.models["generator"]), gan_walk.explorer()._generator
    z = torch.zeros(1, live.data["latents"])
    (page,) = session.run(None, {"z": z.numpy(), "label": np.zeros(1, np.float32)})
    with torch.no_grad():
        assert np.allclose(page, generator.sample(z, torch.zeros(1).long()), atol=1e-5)


def test_few_labels_pack_every_mask_and_every_figure_of_the_shelf():
    live, masks = few_labels.build(), pretrained.load_few_masks()
    maps = np.frombuffer(gzip.decompress(live.data["maps"].tobytes()), np.uint8)
    assert np.array_equal(maps, np.concatenate([masks.truth.ravel(), masks.found.ravel()]))
    assert not live.models and live.data["maps"].nbytes < 100_000
    assert live.data["controls"]["method"]["options"] == list(masks.methods)
    rows = pretrained.load_few_segmentation()
    for curve, figure in zip(live.data["curves"], few_labels.FIGURES.values(), strict=True):
        for name, row in zip(masks.methods, curve["rows"], strict=True):
            own = [(r["method"], r["split"], r["part"]) == (name, "val", "labels") for r in rows]
            for n, found in zip(masks.labels, row, strict=True):
                values = [
                    r[figure]
                    for r, mine in zip(rows, own, strict=True)
                    if mine and r["labels"] == n and np.isfinite(r[figure])
                ]
                assert found is None or found == pytest.approx([np.mean(values), min(values), max(values)])
        assert any(found for row in curve["rows"] for found in row)


def test_few_labels_offer_the_curves_of_the_notebook():
    (lesson,) = (lesson for lesson in course.find() if lesson.name == "12_few_labels")
    cells = nbformat.read(lesson.path, as_version=4).cells
    (source,) = (cell.source for cell in cells if cell.source.startswith("SEEN = "))
    assert ast.literal_eval(re.search(r"^SEEN = (\{.*\})$", source, re.MULTILINE)[1]) == few_labels.FIGURES

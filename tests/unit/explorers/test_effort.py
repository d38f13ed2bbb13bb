"""What one move costs, counted in pictures drawn and images that networks see; bench/ has the seconds."""

import io

import matplotlib.figure
import numpy as np
import pytest
import torch
import vae_toys
from PIL import Image
from test_explorers_trust import subject

from medgen_course import explorers, pretrained
from medgen_course.datasets.anomalies import phantom_anomalies
from medgen_course.datasets.domains import phantom_domains
from medgen_course.explorers import beta as beta_module
from medgen_course.explorers import translation_view
from medgen_course.explorers.parts import timeline
from medgen_course.metrics import fidelity
from medgen_course.metrics.anomaly import Detector, baselines
from medgen_course.models.cyclegan_networks import ResNetGenerator
from medgen_course.models.translators import Translators
from medgen_course.models.unet import UNet, restore

DATA = vae_toys.data()


@pytest.fixture
def watch(monkeypatch):
    """A function: (owner, name of a function) -> a list that gets the arguments of its calls from now on."""

    def put(owner, name):
        calls, original = [], getattr(owner, name)

        def counted(*args, **kwargs):
            calls.append(args)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)
        return calls

    return put


@pytest.fixture
def no_heavy_work(monkeypatch):
    """A function: from its call on, drawing a matplotlib figure or training is an error."""

    def forbid():
        def refuse(*_args, **_kwargs):
            raise AssertionError("a move on an explorer drew a matplotlib figure, or trained")

        monkeypatch.setattr(matplotlib.figure.Figure, "__init__", refuse)
        monkeypatch.setattr(torch.autograd, "backward", refuse)

    return forbid


@pytest.fixture(scope="module")
def vaes():
    return {beta: vae_toys.vae(beta, steps=3) for beta in vae_toys.BETAS}


def sizes(calls):
    """How many images or codes each call was given."""
    return [len(args[0]) for args in calls]


def untrained():
    pair = (ResNetGenerator(1, 1, 32).eval().requires_grad_(False) for _ in range(2))
    return Translators(*pair)


def file_of(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def latent(vaes):
    model = vaes[3.0]
    return explorers.LatentExplorer(
        lambda x: model.encode(x)[0], model.decode, DATA.train.images, DATA.train.labels, vae_toys.NAMES
    )


def vae_latent(vaes):
    codes = vae_toys.codes(vaes[3.0], DATA.val)
    return explorers.VAELatentExplorer(
        vaes[3.0], DATA.val.images, DATA.val.labels, vae_toys.NAMES, codes,
        DATA.train.images, DATA.train.labels, 0.1,
    )  # fmt: skip


def translation(_vaes):
    part = phantom_domains(32, counts=(2, 12, 2)).val
    runs = {share: {epoch: untrained() for epoch in (1, 5)} for share in (0.0, 0.5)}
    return explorers.TranslationExplorer(runs, part, ("T1w", "T2w"))


def enhancement(_vaes):
    truth = phantom_domains(32, counts=(2, 12, 2)).val.truth
    model, methods = UNet(1, 32).eval().requires_grad_(False), {}
    methods["darker"] = lambda worse, y: 0.5 * worse.guess(y)
    methods["network"] = lambda worse, y: restore(model, worse, y)
    tasks = [explorers.Task("denoise", "noise", (0.1, 0.2), 0.1, methods)]
    tasks.append(explorers.Task("mri", "lines", (0.25,), 0.25, methods))
    return explorers.EnhancementExplorer(tasks, truth.a, truth)


def replay(_vaes):
    return explorers.GANExplorer(pretrained.load_recordings())


def generator(_vaes):
    eye = pretrained.load_classifier("phantom")
    return explorers.GeneratorExplorer(pretrained.load_gan("phantom")[0], ("healthy", "lesion"), eye)


def sandbox(_vaes):
    against = fidelity.reference(DATA, pretrained.load_classifier("phantom"))
    return explorers.MetricSandbox(against, DATA.val.labels, DATA.train.images)


def anomaly(_vaes):
    task = phantom_anomalies(28, counts=(48, 1, 1))
    subspace = baselines.Subspace.fit(task.train, 8)
    detectors = {"PCA": Detector(subspace.residual, subspace.rebuilt), "code": Detector(subspace.mahalanobis)}
    return explorers.AnomalyExplorer(detectors, task.val, size=28)


def trust(_vaes):
    return explorers.TrustExplorer({"known": subject()[0], "unknown": subject(known=False)[0]})


# explorer, and moves: the name of a control and its new value, or of a button and nothing
MOVES = {
    "data": (
        lambda _vaes: explorers.DataExplorer(DATA),
        [("index", 3), ("augmentation", 0.5), ("corruption", "blur"), ("strength", 0.9), ("split", "val"),
         ("label", 1), ("redraw",)],
    ),
    "latent": (latent, [("index", 5), ("sliders", 2.0), ("map", (0.9, 0.2)), ("reset",), ("average",)]),
    "vae latent": (
        vae_latent,
        [("start", 4), ("end", 9), ("way", 0.5), ("sliders", 2.0), ("map", (0.9, 0.2))],
    ),
    "beta": (
        lambda vaes: explorers.BetaExplorer(vaes, DATA, beta=3.0),
        [("beta", 300.0), ("beta", 0.1), ("first", 5), ("again",)],
    ),
    "replay": (replay, [("moment", 3), ("play", 7), ("curves", (0.9, 0.2)), ("moment", 3)]),
    "generator": (
        generator,
        [("start", 4), ("end", 9), ("way", 0.5), ("truncation", 0.5), ("map", (0.9, 0.2)), ("kind", 1)],
    ),
    "translation": (
        translation,
        [("index", 3), ("direction", "a"), ("share", 0.0), ("moment", 1), ("play", 1), ("limit", 1.0),
         ("noise", 0.05), ("outlines", False), ("index", 0)],
    ),
    "anomaly": (
        anomaly,
        [("index", 3), ("radius", 5.0), ("fraction", 0.9), ("x", -20.0), ("y", 10.0), ("flagged", 0.2),
         ("detector", "code")],
    ),
    "enhancement": (
        enhancement,
        [("index", 3), ("strength", 0.2), ("method", "darker"), ("task", 1), ("consistent", True),
         ("limit", 1.0), ("outlines", False), ("index", 0)],
    ),
    "trust": (
        trust,
        [("place", 0.5), ("walk", "dark"), ("index", 2), ("place", 1.0), ("subject", "unknown"),
         ("place", 0.1)],
    ),
    "sandbox": (sandbox, [("sigma", 1.0), ("noise", 0.1), ("dropped", 0.5), ("copied", 0.5)]),
}  # fmt: skip


def make(explorer, control, value=None):
    """Do to a control what a hand would do."""
    widget = getattr(explorer, control)
    if value is None:
        widget.click()
    elif control == "sliders":
        widget.move(0, value)
    elif control in ("map", "curves"):
        widget.position = value
    else:
        widget.value = value


@pytest.mark.parametrize("kind", MOVES)
def test_one_move_draws_one_picture_and_neither_trains_nor_draws_a_figure(kind, vaes, watch, no_heavy_work):
    build, moves = MOVES[kind]
    explorer = build(vaes)
    drawn, shown = watch(explorer, "draw"), []
    explorer.picture.observe(shown.append, "png")
    no_heavy_work()
    for count, move in enumerate(moves, start=1):
        make(explorer, *move)
        assert (len(drawn), len(shown)) == (count, count), move


@pytest.mark.parametrize("build", [latent, vae_latent])
def test_images_are_encoded_once_and_a_move_decodes_one_code(build, vaes, watch):
    model = vaes[3.0]
    encoded = watch(model, "encode")
    decoded = watch(model, "decode")
    explorer = build(vaes)
    assert len(DATA.train.images) in sizes(encoded)
    encoded.clear(), decoded.clear()
    for count, move in enumerate(MOVES["vae latent" if build is vae_latent else "latent"][1], start=1):
        make(explorer, *move)
        assert encoded == [] and sizes(decoded) == [1] * count, move
    if build is vae_latent:
        explorer.upload.receive(file_of(DATA.train.images[3, 0]), "mine.png")
        assert sizes(encoded) == [1, 1]  # for its place, and for the error that it is rebuilt with


def test_a_beta_that_was_measured_is_not_measured_again(vaes, watch):
    measured = watch(beta_module, "measure")
    explorer = explorers.BetaExplorer(vaes, DATA, beta=3.0)
    assert len(measured) == len(vaes)
    encoded = {beta: watch(model, "encode") for beta, model in explorer._models.items()}
    decoded = {beta: watch(model, "decode") for beta, model in explorer._models.items()}
    for beta in (300.0, 0.1, 300.0, 3.0):
        make(explorer, "beta", beta)
    assert len(measured) == len(vaes)
    for beta, moves in {3.0: 1, 0.1: 1, 300.0: 2}.items():  # only the model that is shown works
        assert sizes(encoded[beta]) == [beta_module.COLUMNS] * moves
        assert sizes(decoded[beta]) == [5 * beta_module.COLUMNS] * moves  # rebuilt, samples, three traversals


def test_a_replay_step_draws_no_curve_and_curves_are_drawn_once(watch):
    drawn = watch(timeline.plots, "lines")
    explorer = replay(None)
    assert len(drawn) == 1
    for k in range(10):
        explorer.moment.value = k
    assert len(drawn) == 1
    first, second = list(explorer.run.options)[:2]
    for title in (second, first, second):
        explorer.run.value = title
    assert len(drawn) == 2


def test_a_walk_makes_its_own_images_only_and_the_map_follows_the_class_alone(watch):
    explorer = generator(None)
    made = watch(explorer._generator, "sample")
    for move in MOVES["generator"][1][:-1]:
        make(explorer, *move)
    assert sizes(made) == [5] * 5  # start, way, end, and the way in both classes
    make(explorer, "kind", 1)
    assert sizes(made)[5:] == [49, 5]


def test_a_translation_goes_there_and_back_once_and_judges_one_slice(vaes, watch):
    explorer = translation(vaes)
    known, judged = watch(translation_view.Known, "of"), watch(translation_view, "lesion_report")
    applied = watch(Translators, "apply")
    for control, value in (("index", 3), ("limit", 0.9), ("outlines", False)):
        applied.clear(), judged.clear()
        make(explorer, control, value)
        assert [len(x) for _, x, _ in applied] == [1, 1] and sizes(judged) == [1]
    applied.clear()
    make(explorer, "noise", 0.05)
    assert [len(x) for _, x, _ in applied] == [1, 2]  # back without the noise, and with it
    assert known == []


def test_the_sandbox_describes_only_the_images_that_it_spoils(vaes, watch):
    explorer = sandbox(vaes)
    seen = watch(explorer._against.classifier, "features")
    for count, move in enumerate(MOVES["sandbox"][1], start=1):
        make(explorer, *move)
        assert sum(sizes(seen)) == count * len(DATA.val.images), move


def test_thirty_values_in_a_row_end_at_the_last():
    dragged, set_once = explorers.DataExplorer(DATA), explorers.DataExplorer(DATA)
    for k in range(30):
        dragged.augmentation.value = k / 30
    set_once.augmentation.value = 29 / 30
    assert dragged.picture.png == set_once.picture.png and dragged.picture.text == set_once.picture.text
    assert np.array_equal(dragged.array, set_once.array)

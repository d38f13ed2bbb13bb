"""The explorers of notebook 03 without a browser: controls change picture and numbers, and agree."""

import numpy as np
import pytest
import torch

from medgen_course import datasets, explorers, pretrained
from medgen_course.explorers.generator import slerp
from medgen_course.explorers.sandbox import spoil
from medgen_course.metrics import fidelity
from medgen_course.models.gan import Generator
from medgen_course.pictures import render_gan

NAMES = ("healthy", "lesion")


@pytest.fixture(scope="module")
def recordings():
    return pretrained.load_recordings()


@pytest.fixture
def replay(recordings):
    return explorers.GANExplorer(recordings)


@pytest.fixture(scope="module")
def generator():
    return pretrained.load_gan("phantom")[0]


@pytest.fixture
def walk(generator):
    return explorers.GeneratorExplorer(generator, NAMES, pretrained.load_classifier("phantom"))


@pytest.fixture(scope="module")
def sandbox():
    data = datasets.load("phantom")
    against = fidelity.reference(data, pretrained.load_classifier("phantom"))
    return explorers.MetricSandbox(against, data.val.labels, data.train.images)


def test_unspoilt_sets_are_disjoint_and_as_large_as_the_spoilt_one(sandbox, monkeypatch):
    sets = sandbox.unspoilt()
    assert len(sets) == 4 and sets[0] == pytest.approx(sandbox.usual) and sets[1] != sets[0]
    monkeypatch.setattr(sandbox, "_images", np.repeat(sandbox._images, 2, axis=0))
    assert len(sandbox.unspoilt()) == len(sandbox._against.heldout_images) // 256 == 2


def test_shipped_recordings_are_four_and_small(recordings):
    assert len(recordings) == 4 and next(iter(recordings)) == "a healthy run"
    folder = pretrained.recording_path("pneumoniamnist", "healthy").parent
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 3.5e6


def test_the_recorded_runs_are_what_their_titles_say(recordings):
    healthy, collapse, winner, swing = recordings.values()
    assert collapse.metrics["variety"][-1] < 0.5 * healthy.metrics["variety"][-1]  # nearly identical
    assert collapse.metrics["density"][-10:].mean() > 0.5  # and near real images
    assert healthy.metrics["coverage"][-1] > 2 * collapse.metrics["coverage"][-1]
    half = slice(len(winner.curves["loss/discriminator"]) // 2, None)
    assert np.median(winner.curves["loss/discriminator"][half]) < 0.01
    pull = [np.median(run.curves["grad/generator"][half]) for run in (winner, healthy)]
    assert pull[0] < 0.1 * pull[1]
    grey = [run.samples[20:].mean((1, 2, 3, 4)).std() for run in (swing, healthy, collapse)]
    assert grey[0] > 2 * max(grey[1:])  # all samples change their look together


def test_runs_on_few_images_show_when_they_turn():
    plain, augmented = pretrained.load_few().values()
    assert plain.about["images"] == augmented.about["images"] < 400
    assert (plain.moments == augmented.moments).all() and len(plain.moments) > 20
    for run in (plain, augmented):
        assert {"coverage", "memorisation", "gap"} <= set(run.metrics)


def test_the_step_slider_changes_picture_numbers_and_cursor(replay):
    before, text, cursor = replay.array.copy(), replay.picture.text, replay.curves.position
    replay.moment.value = 3
    assert not np.array_equal(before, replay.array) and replay.picture.text != text
    assert replay.curves.position != cursor
    assert f"step {replay.step:,}" in replay.picture.text


def test_a_click_on_the_curves_goes_to_the_nearest_moment(replay):
    moments = replay.recording.moments
    for k in (0, 17, len(moments) - 1):
        replay.curves.position = (replay._timeline.position(int(moments[k]))[0], 0.9)
        assert replay.moment.value == k
        assert f"step {int(moments[k]):,}" in replay.picture.text


def test_another_run_and_other_curves(replay):
    picture = replay.curves.png
    replay.group.value = "gradient norms"
    assert replay.curves.png != picture
    for title in replay._recordings:
        replay.run.value = title
        for group in replay.group.options:
            replay.group.value = group
        assert replay.moment.value == len(replay.recording.moments) - 1 == replay.play.max
    with pytest.raises(ValueError, match="no recording to replay"):
        explorers.GANExplorer({})


def test_verdicts_stand_where_the_logits_are():
    picture = render_gan.verdicts(np.full(9, 6.0), np.full(9, -6.0), width=200, height=60)
    blue = np.argwhere((picture == render_gan.REAL).all(-1))
    orange = np.argwhere((picture == render_gan.FAKE).all(-1))
    assert blue[:, 1].min() > 180 and blue[:, 0].max() < 30
    assert orange[:, 1].max() < 20 and orange[:, 0].min() > 30
    render_gan.verdicts(np.array([1e4]), np.array([-1e4]))  # no overflow


def test_slerp_keeps_the_length():
    a, b = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 3.0])
    assert torch.allclose(slerp(a, b, 0.0), a) and torch.allclose(slerp(a, b, 1.0), b)
    assert slerp(a, b, 0.5).norm().item() == pytest.approx(3.0)
    assert torch.allclose(slerp(a, a, 0.3), a)


def test_the_walk_begins_and_ends_at_the_chosen_noises(walk):
    side = walk.array.shape[0]
    panel = lambda i: walk.array[:, i * (side + 8) : i * (side + 8) + side]  # noqa: E731
    assert np.array_equal(panel(0), panel(1))
    walk.way.value = 1.0
    assert np.array_equal(panel(2), panel(1))
    walk.way.value = 0.5
    assert not np.array_equal(panel(0), panel(1)) and not np.array_equal(panel(2), panel(1))


def test_class_truncation_and_map(walk):
    backdrop, text = walk.backdrop.copy(), walk.picture.text
    walk.kind.value = 1
    assert not np.array_equal(backdrop, walk.backdrop) and walk.picture.text != text
    length = float(walk.z.norm())
    walk.truncation.value = 0.5
    assert float(walk.z.norm()) == pytest.approx(0.5 * length)
    before = walk.array.copy()
    walk.map.position = (1.0, 0.5)
    assert not np.array_equal(before, walk.array)
    assert torch.allclose(walk.z - 3.0 * walk._directions[0], 0.5 * walk._noise[0], atol=1e-5)


def test_directions_follow_the_differences(walk):
    assert walk._directions.norm(dim=1).tolist() == pytest.approx([1, 1])
    assert 0.05 < walk.explained.min() and walk.explained.max() <= 1


def test_without_classes_and_without_a_classifier():
    walk = explorers.GeneratorExplorer(Generator(1, 28, 8, width=4).eval().requires_grad_(False))
    walk.way.value = 0.4
    assert "40% of the way" in walk.picture.text
    rows = walk.map_figure("a title", tiles=3).axes[0]
    assert [label.get_text() for label in rows.get_yticklabels()] == ["+3", "0", "-3"]  # upwards is positive
    with pytest.raises(ValueError, match="0 names for 2 classes"):
        explorers.GeneratorExplorer(Generator(1, 28, 8, 2, width=4).eval())


@pytest.mark.parametrize(
    ("control", "amount", "worse"),
    [
        ("sigma", 1.0, "frechet"),
        ("noise", 0.1, "precision"),
        ("dropped", 1.0, "kernel"),
        ("copied", 1.0, "memorisation"),
    ],
)
def test_a_fault_is_noticed_and_undone(sandbox, control, amount, worse):
    slider, sheet = getattr(sandbox, control), sandbox.sheet.png
    slider.value = amount
    change = sandbox.measured[worse] - sandbox.usual[worse]
    assert (change > 0) == (worse in fidelity.LOWER_IS_BETTER) and abs(change) > 0.02
    assert sandbox.sheet.png != sheet and f"{worse} " in sandbox.picture.text
    slider.value = 0
    assert sandbox.measured == sandbox.usual and sandbox.sheet.png == sheet


def test_copies_are_training_images_and_all_of_them_are_found_out(sandbox):
    sandbox.copied.value = 1.0
    assert sandbox.measured["memorisation"] == 1.0
    sandbox.copied.value = 0


def test_spoiling_replaces_the_rarest_class():
    images = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 4, 4), np.uint8)
    labels = np.array([0] * 7 + [1] * 3)
    spoilt = spoil(images, labels, images, dropped=1.0)
    assert np.array_equal(spoilt[:7], images[:7]) and spoilt[7:].max() <= 6
    assert np.array_equal(spoil(images, labels, images), images)

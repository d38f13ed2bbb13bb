"""The enhancement explorer without a browser: pictures and numbers follow the controls."""

import io

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.domains import phantom_domains
from medgen_course.explorers import EnhancementExplorer, Task
from medgen_course.metrics import psnr
from medgen_course.pictures import plots, render, render_enhancement, render_translation

SIZE, SCALE, PAD = 32, 6, 8  # 176 pixels a panel, about


def black(_worse, y):
    return torch.zeros(len(y), 1, SIZE, SIZE)


def as_it_came(worse, y):
    return worse.guess(y)


TASKS = (
    Task("denoise", "denoising", (0.05, 0.1, 0.2), 0.1, {"nothing": as_it_came, "black": black}),
    Task("superres", "coarse pixels", (2.0,), 2.0, {"black": black}),
)


@pytest.fixture(scope="module")
def truth():
    return phantom_domains(SIZE, counts=(2, 24, 2)).val.truth


@pytest.fixture
def explorer(truth):
    return EnhancementExplorer(TASKS, truth.a, truth)


def panel(explorer, column):
    left = column * (SIZE * SCALE + PAD)
    return explorer.array[:, left : left + SIZE * SCALE]


def png(data):
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def test_it_begins_with_the_largest_lesion_and_the_last_method(explorer, truth):
    largest = truth.masks.sum((1, 2, 3)).argmax()
    assert explorer.index.value == largest and explorer.method.value == "black"
    explorer.outlines.value = False
    assert explorer.array.shape == (SIZE * SCALE, 4 * SIZE * SCALE + 3 * PAD, 3)
    assert (panel(explorer, 1) == 0).all()
    assert np.array_equal(panel(explorer, 2), render_enhancement.magnified(truth.a[largest], SCALE))
    told = render.difference(np.zeros_like(truth.a[0]), truth.a[largest], 0.3)
    assert np.array_equal(panel(explorer, 3), render.enlarge(told, SCALE))


def test_numbers_are_those_of_the_metrics(explorer, truth):
    shown, i = explorer.shown(), explorer.index.value
    x = to_unit(torch.from_numpy(truth.a[i : i + 1]))
    assert f"answer {float(psnr(torch.zeros_like(x), x)[0]):.1f} dB" in explorer.picture.text
    assert f"first guess {float(psnr(shown.guess, x)[0]):.1f} dB" in explorer.picture.text
    assert "denoising · Rician noise, σ 0.1 · black" in explorer.picture.text
    assert "lesion, solid outline" in explorer.picture.text


def test_strength_makes_it_worse_and_says_that_networks_did_not_learn_it(explorer):
    def noise():
        shown = explorer.shown()
        return float((shown.guess - to_unit(torch.from_numpy(shown.truth[None]))).square().mean())

    before = noise()
    explorer.strength.value = 0.2
    assert noise() > 2 * before and "networks learnt at 0.1" in explorer.picture.text
    explorer.strength.value = 0.05
    assert noise() < before


def test_data_consistency_brings_black_back(explorer):
    explorer.task.value = 1
    assert explorer.method.value == "black" and explorer.strength.disabled
    explorer.outlines.value = False
    assert (panel(explorer, 1) == 0).all()
    explorer.consistent.value = True
    assert "misses what was measured by 0.0 grey levels" in explorer.picture.text
    blocks = panel(explorer, 1)[..., 0].reshape(16, 2 * SCALE, 16, 2 * SCALE).mean((1, 3))
    assert blocks.max() > 100


def test_the_difference_has_a_fixed_scale_that_the_reader_sets(explorer):
    explorer.outlines.value = False
    before = panel(explorer, 3).copy()
    explorer.limit.value = 1.0
    after = panel(explorer, 3)
    assert not np.array_equal(before, after) and "±1.00" in explorer.picture.captions[3]
    assert abs(after.astype(int) - 238).mean() < abs(before.astype(int) - 238).mean()  # paler


def test_lesions_are_outlined_and_inventions_dashed(explorer, truth):
    mask = truth.masks[explorer.index.value]
    line = render_translation.outline(mask, SCALE)
    assert (panel(explorer, 2)[line] == render_translation.LESION).all()
    purple = (panel(explorer, 1) == render_translation.INVENTED).all(-1)
    assert purple.any()  # black where tissue should be
    assert "large errors, dashed outline" in explorer.picture.text


def test_the_wipe_shows_guess_and_answer_and_its_figure_cuts_at_its_place(explorer):
    before, after = png(explorer.wipe.before), png(explorer.wipe.after)
    assert before.shape == after.shape == (320, 320, 3) and (after == 0).all() and before.any()
    assert explorer.wipe.names == ["first guess", "black"]
    explorer.wipe.place = 1.7
    assert explorer.wipe.place == 1.0
    explorer.wipe.place = 0.25
    assert isinstance(explorer.wiped(), plots.Figure)
    cut = render_enhancement.wiped(before, after, 0.25)
    assert np.array_equal(cut[:, :79], before[:, :79]) and (cut[:, 81:] == 0).all()
    with pytest.raises(ValueError, match="one size"):
        render_enhancement.wiped(before, after[:-1], 0.5)
    with pytest.raises(traitlets.TraitError):
        explorer.wipe.place = float("nan")


def test_an_own_picture_is_its_own_truth(explorer):
    buffer = io.BytesIO()
    Image.fromarray(np.tile(np.arange(60, dtype=np.uint8) * 4, (60, 1))).save(buffer, "PNG")
    before = explorer.array.copy()
    explorer.upload.receive(b"no picture", "x.png")
    assert "cannot be read" in explorer.notice.value and np.array_equal(explorer.array, before)
    explorer.upload.receive(buffer.getvalue(), "ramp.png")
    assert "your picture counts as the truth" in explorer.picture.text
    assert explorer.put_away.layout.display is None and explorer.notice.value == ""
    assert panel(explorer, 2)[0, 0, 0] < 10 < panel(explorer, 2)[0, -1, 0]
    explorer.put_away.click()
    assert np.array_equal(explorer.array, before)


def test_images_without_truth_about_lesions(truth):
    rgb = np.repeat(truth.a, 3, 1)
    plain = Task("inpaint", "a hole", (0.1,), 0.1, {"as it came": as_it_came})
    explorer = EnhancementExplorer([plain], rgb)
    assert "lesion" not in explorer.picture.text and explorer.array.shape[2] == 3
    assert isinstance(explorer.figure("title"), plots.Figure)


def test_mistakes(truth):
    with pytest.raises(ValueError, match="0 tasks and 24 images"):
        EnhancementExplorer([], truth.a)
    with pytest.raises(ValueError, match="belongs to other images"):
        EnhancementExplorer(TASKS, truth.a[::-1], truth)
    with pytest.raises(ValueError, match="lack the one learnt"):
        Task("denoise", "x", (0.1,), 0.2, {})

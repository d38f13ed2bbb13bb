"""The translation explorer without a browser: pictures and numbers follow the controls."""

import io

import ipywidgets as widgets
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.domains import Part, Truth, phantom_domains
from medgen_course.explorers import TranslationExplorer
from medgen_course.metrics.lesions import lesion_report
from medgen_course.metrics.translation import quality
from medgen_course.models.cyclegan_networks import ResNetGenerator
from medgen_course.models.translators import Translators
from medgen_course.pictures import plots, render, render_translation

SIZE, SCALE, PAD = 32, 5, 8
NAMES = ("T1w", "T2w")


class Shade(nn.Module):
    """A generator whose translation is known: slope * x + offset."""

    def __init__(self, slope, offset, channels=(1, 1), size=SIZE):
        super().__init__()
        self.config = {"in_channels": channels[0], "out_channels": channels[1], "size": size}
        self.slope, self.offset = slope, offset

    def translate(self, x):
        return (self.slope * x + self.offset)[:, :1].expand(-1, self.config["out_channels"], -1, -1)


class Memory(nn.Module):
    """A generator that knows what it must answer: `answers[i]` to `questions[i]`, or to what is nearest."""

    def __init__(self, questions, answers):
        super().__init__()
        self.config = {"in_channels": 1, "out_channels": 1, "size": SIZE}
        self.questions, self.answers = (to_unit(torch.from_numpy(x)) for x in (questions, answers))

    def translate(self, x):
        return self.answers[torch.cdist(x.flatten(1), self.questions.flatten(1)).argmin(1)]


class Stretch(nn.Module):
    """A generator of other channels: grey to RGB or back."""

    def __init__(self, channels):
        super().__init__()
        self.config = {"in_channels": channels[0], "out_channels": channels[1], "size": SIZE}

    def translate(self, x):
        return x.mean(1, keepdim=True).expand(-1, self.config["out_channels"], -1, -1)


@pytest.fixture(scope="module")
def part():
    return phantom_domains(SIZE, counts=(2, 30, 2)).val


@pytest.fixture(scope="module")
def runs():
    torch.manual_seed(0)
    return {share: {epoch: untrained() for epoch in (1, 5, 20)} for share in (0.0, 0.5, 1.0)}


def untrained():
    return Translators(*(ResNetGenerator(1, 1, SIZE).eval().requires_grad_(False) for _ in range(2)))


def ideal(part, to_b=None):
    """Translators that know the truth; or with other answers on the way to B."""
    return Translators(Memory(part.a, part.b if to_b is None else to_b), Memory(part.b, part.a))


@pytest.fixture
def explorer(runs, part):
    return TranslationExplorer(runs, part, NAMES)


def panel(explorer, row, column):
    """One of the panels, at the images' own size, (H, W, 3)."""
    step = SIZE * SCALE + PAD
    return explorer.array[row * step :, column * step :][: SIZE * SCALE : SCALE, : SIZE * SCALE : SCALE]


def shows(explorer, row, column, image):
    """Whether a panel without outlines shows an image (C, H, W)."""
    return np.array_equal(panel(explorer, row, column), render.to_rgb(render.to_bytes(image)[None])[0])


def changes(explorer, act):
    before, text = explorer.picture.png, explorer.picture.text
    act()
    return explorer.picture.png != before, explorer.picture.text != text


def file_of(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def descendants(widget):
    for child in getattr(widget, "children", ()):
        yield child
        yield from descendants(child)


def test_it_starts_on_a_lesion_at_the_last_moment_and_one_half(explorer, part):
    assert part.truth.masks[explorer.index.value].any()
    assert (explorer.moment.value, explorer.share.value, explorer.direction.value) == (20, 0.5, "b")
    text = f"T1w → T2w · image {explorer.index.value} · epoch 20 · trained with a lesion in 50 % of the T2w"
    assert explorer.picture.text.startswith(text)
    assert len(explorer.picture.captions) == 4


def test_every_control_changes_picture_and_numbers(explorer):
    both, picture_only = (True, True), (True, False)
    assert changes(explorer, lambda: setattr(explorer.index, "value", 3)) == both
    assert changes(explorer, lambda: setattr(explorer.moment, "value", 5)) == both
    assert changes(explorer, lambda: setattr(explorer.share, "value", 1.0)) == both
    assert changes(explorer, lambda: setattr(explorer.direction, "value", "a")) == both
    assert changes(explorer, lambda: setattr(explorer.noise, "value", 0.05)) == both
    assert changes(explorer, lambda: setattr(explorer.limit, "value", 1.0)) == picture_only
    assert "below: colours of ±1.00" in explorer.picture.captions[0]
    assert changes(explorer, lambda: setattr(explorer.outlines, "value", False)) == picture_only


def test_the_panels_are_what_their_captions_say(explorer, part, runs):
    explorer.outlines.value, explorer.index.value, explorer.limit.value = False, 4, 0.2
    for to, source, truth in (("b", part.a[4], part.b[4]), ("a", part.b[4], part.a[4])):
        explorer.direction.value = to
        there, back = runs[0.5][20].round_trip(source[None], to)
        for column, image in enumerate((source, there[0], back[0], truth)):
            assert shows(explorer, 0, column, image)
        for column, (x, y) in enumerate(((there, source), (back, source), (there, truth)), start=1):
            assert np.array_equal(panel(explorer, 1, column), render.difference(x[0], y, 0.2))


@pytest.mark.parametrize("to", ["a", "b"])
def test_the_numbers_are_those_of_the_metrics(explorer, part, runs, to):
    explorer.direction.value = to
    truth, healthy = (part.truth.b, part.truth.healthy_b) if to == "b" else (part.a, part.truth.healthy_a)
    source = part.a if to == "b" else part.b
    there, back = runs[0.5][20].round_trip(source, to)
    values, report = quality(there, truth), lesion_report(there, truth, healthy, part.truth.masks)
    for i in range(len(source)):
        explorer.index.value = i
        text = explorer.picture.text
        assert f"PSNR {values['psnr'][i]:.1f} dB, SSIM {values['ssim'][i]:.3f}" in text
        assert f"|back − source|: {np.abs(back[i].numpy() - source[i] / 255).mean():.4f} " in text
        large = f"large errors, dashed outline: {report.invented[i]} (each at least {report.smallest} px"
        assert large in text
        assert f"by more than {abs(report.threshold):.3f})" in text
        if i not in report.lesions:
            assert "no lesion in this slice" in text
            continue
        k = report.lesions.tolist().index(i)
        assert f"{report.true_contrast[k]:+.3f} in truth, {report.contrast[k]:+.3f} translated" in text
        assert ("not erased" in text) != report.erased[k]


def test_a_perfect_translation_is_identical_erases_nothing_and_has_no_large_error(part):
    explorer = TranslationExplorer(ideal(part), part, NAMES)
    for to in ("b", "a"):
        explorer.direction.value = to
        for i in range(8):
            explorer.index.value = i
            assert "against the truth: identical" in explorer.picture.text
            assert "|back − source|: 0.0000" in explorer.picture.text
            assert "outline: 0" in explorer.picture.text
            ill = part.truth.masks[i].any()
            assert ("100 % of it: not erased" if ill else "no lesion") in explorer.picture.text
            assert np.array_equal(panel(explorer, 1, 3), panel(explorer, 1, 2))  # no difference in either


def test_the_healthy_twin_is_an_erased_lesion(part):
    explorer = TranslationExplorer(ideal(part, part.truth.healthy_b), part, NAMES)
    for i in np.flatnonzero(part.truth.masks.any((1, 2, 3))):
        explorer.index.value = int(i)
        assert "+0.000 translated, 0 % of it: erased" in explorer.picture.text
        assert "outline: 0" in explorer.picture.text


def test_a_large_error_is_counted_and_outlined(part):
    made, healthy = part.b.copy(), int(np.flatnonzero(~part.truth.masks.any((1, 2, 3)))[0])
    made[healthy, 0, 10:14, 12:16] = 255
    truth = part.b.copy()
    truth[healthy, 0, 10:14, 12:16] = 0  # far from the answer, whatever the slice shows there
    known = Truth(part.a, truth, part.truth.masks, part.truth.healthy_a, part.truth.healthy_b)
    explorer = TranslationExplorer(ideal(part, made), Part(part.a, truth, known), NAMES)
    explorer.index.value = healthy
    assert "no lesion in this slice" in explorer.picture.text
    assert "outline: 1 " in explorer.picture.text
    line = (explorer.array == render_translation.INVENTED).all(-1)
    rows, columns = np.nonzero(line[: SIZE * SCALE, SIZE * SCALE + PAD :][:, : SIZE * SCALE])
    assert (rows.min(), rows.max()) == (10 * SCALE - 2, 14 * SCALE + 1)
    assert (columns.min(), columns.max()) == (12 * SCALE - 2, 16 * SCALE + 1)
    explorer.outlines.value = False
    assert not (explorer.array == render_translation.INVENTED).all(-1).any()


def test_noise_breaks_a_cycle_that_hides_its_source(part):
    """To B everything becomes nearly one grey, and the way back spreads a hundredth of the range."""
    hiding = TranslationExplorer(Translators(Shade(0.01, 0.5), Shade(100.0, -50.0)), part, NAMES)
    assert "0.0000 · no noise on the way back" in hiding.picture.text
    usual = float(torch.randn(1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0)).abs().mean())
    hiding.noise.value = 0.01
    assert f"with noise of σ 0.010 on the way back {100 * 0.01 * usual:.4f}" in hiding.picture.text
    honest = TranslationExplorer(Translators(Shade(1.0, 0.0), Shade(1.0, 0.0)), part, NAMES)
    honest.noise.value = 0.01
    assert f"{0.01 * usual:.4f}" in honest.picture.text


def test_one_pair_has_no_sliders_and_moments_have_one(part, runs):
    single = TranslationExplorer(runs[0.5][20], part, NAMES)
    for hidden in (single.moment, single.share, single.play):
        assert hidden not in list(descendants(single))
    assert single.picture.text.startswith(f"T1w → T2w · image {single.index.value}\n")
    recorded = TranslationExplorer(dict(reversed(runs[0.5].items())), part, NAMES, "step")
    assert {recorded.moment, recorded.play} <= set(descendants(recorded))
    assert recorded.share not in list(descendants(recorded))
    assert recorded.moment.value == 20 and " · step 20\n" in recorded.picture.text
    assert np.array_equal(single.array, recorded.array)


def test_playing_goes_through_the_moments(explorer, runs):
    for k, epoch in enumerate((1, 5, 20)):
        explorer.play.value = k
        assert explorer.moment.value == epoch and f"epoch {epoch} " in explorer.picture.text
        assert explorer.translators is runs[0.5][epoch]
    explorer.moment.value = 1
    assert explorer.play.value == 0


def test_another_share_keeps_the_moment_or_takes_the_nearest(part, runs):
    few = {0.1: runs[0.0], 0.9: {2: runs[1.0][1], 18: runs[1.0][20]}}
    explorer = TranslationExplorer(few, part, NAMES)
    assert explorer.share.value == 0.1
    explorer.moment.value = 5
    explorer.share.value = 0.9
    assert explorer.moment.value == 2 and explorer.play.max == 1 and explorer.play.value == 0
    assert explorer.translators is few[0.9][2]
    explorer.play.value = 1
    explorer.share.value = 0.1
    assert explorer.moment.value == 20 and explorer.play.max == 2


def test_own_picture_and_back_to_the_list(explorer, part):
    before = explorer.array.copy()
    own = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
    assert explorer.put_away.layout.display == "none"
    assert changes(explorer, lambda: explorer.upload.receive(file_of(own), "mine.png")) == (True, True)
    assert shows(explorer, 0, 0, own[None]) and explorer.picture.captions[0].startswith("your picture, T1w")
    assert (
        len(explorer.picture.captions) == 3 and "no truth is known for your picture" in explorer.picture.text
    )
    assert "PSNR" not in explorer.picture.text and "outline:" not in explorer.picture.text
    explorer.direction.value = "a"
    assert shows(explorer, 0, 0, own[None]) and explorer.picture.captions[0].startswith("your picture, T2w")
    explorer.direction.value = "b"
    assert explorer.put_away.layout.display is None
    explorer.put_away.click()
    assert explorer.put_away.layout.display == "none" and np.array_equal(explorer.array, before)
    explorer.upload.receive(file_of(own), "mine.png")
    explorer.index.value = 2
    assert explorer.picture.captions[0].startswith("image 2, T1w") and "PSNR" in explorer.picture.text
    explorer.fit.value = True
    assert explorer.known is not None  # a file that was put away does not come back


def test_oblong_and_broken_files(explorer):
    wide = np.full((20, 60), 200, np.uint8)
    explorer.upload.receive(file_of(wide), "wide.png")
    assert panel(explorer, 0, 0).min() == 200
    explorer.fit.value = True
    assert panel(explorer, 0, 0)[:5].max() == 0
    assert changes(explorer, lambda: explorer.upload.receive(b"nonsense", "notes.png")) == (False, False)
    assert 'role="alert"' in explorer.notice.value and "cannot be read" in explorer.notice.value
    explorer.direction.value = "a"  # the picture that was there is fitted again
    assert panel(explorer, 0, 0).max() == 200
    assert explorer.notice.value == ""


def test_grey_to_colour(part):
    rgb = Part(part.a, np.repeat(part.b, 3, 1))
    explorer = TranslationExplorer(Translators(Stretch((1, 3)), Stretch((3, 1))), rgb, NAMES)
    assert (panel(explorer, 1, 1) == 255).all()  # channels that differ have no difference
    assert shows(explorer, 0, 2, part.a[0]) and "no truth is known for these images" in explorer.picture.text
    assert explorer.outlines not in list(descendants(explorer))
    explorer.upload.receive(file_of(part.a[0, 0]), "grey.png")
    explorer.direction.value = "a"
    assert explorer.source.shape == (1, 3, SIZE, SIZE)


def test_domains_of_different_length_and_training_images(part, runs):
    explorer = TranslationExplorer(runs[0.5], Part(part.a[:9], part.b[:4]), NAMES)
    explorer.index.value = 8
    explorer.direction.value = "a"
    assert explorer.index.max == explorer.index.value == 3
    explorer.direction.value = "b"
    assert explorer.index.max == 8
    train = phantom_domains(SIZE, 1.0, counts=(3, 2, 2)).train
    explorer = TranslationExplorer(runs[0.5], train, NAMES)
    assert "PSNR" in explorer.picture.text and "large errors" not in explorer.picture.text  # no healthy twins
    assert (explorer.array == render_translation.LESION).all(-1).any()
    explorer.direction.value = "a"
    assert "no truth is known for these images" in explorer.picture.text  # b shows other slices


def test_what_does_not_fit_is_refused(part, runs):
    with pytest.raises(ValueError, match=r"images of T2w have 3 channels and 32 pixels .* 1 channels and 32"):
        TranslationExplorer(runs, Part(part.a, np.repeat(part.b, 3, 1)), NAMES)
    with pytest.raises(ValueError, match=r"images of T1w have 1 channels and 28 .* load the data"):
        TranslationExplorer(runs, Part(part.a[..., :28, :28], part.b[..., :28, :28]), NAMES)
    with pytest.raises(ValueError, match="no images of T2w"):
        TranslationExplorer(runs, Part(part.a, part.b[:0]), NAMES)
    for nothing in ({}, {0.5: {}}):
        with pytest.raises(ValueError, match="no translators to show"):
            TranslationExplorer(nothing, part, NAMES)


def test_the_static_twin_and_one_drawing_for_each_move(explorer):
    figure = explorer.figure("a title")
    assert isinstance(figure, plots.Figure)
    assert np.array_equal(figure.axes[0].images[0].get_array(), explorer.array)
    assert render.to_png(explorer.array) == explorer.picture.png
    drawn = []
    explorer.picture.observe(drawn.append, "png")
    explorer.index.value = 1
    explorer.direction.value = "a"
    explorer.share.value = 0.0
    explorer.play.value = 0
    explorer.upload.receive(file_of(np.arange(SIZE * SIZE, dtype=np.uint8).reshape(SIZE, SIZE)), "mine.png")
    assert len(drawn) == 5


def test_every_control_is_labelled(explorer):
    controls = [
        c for c in descendants(explorer) if hasattr(c, "description") and not isinstance(c, widgets.HTML)
    ]
    assert len(controls) == 9
    assert all(c.description and c.tooltip for c in controls)
    assert explorer.upload.label and explorer.play.hint and explorer.picture.alt


@pytest.mark.parametrize("scale", [1, 2, 6])
def test_an_outline_lies_around_its_region_and_covers_none_of_it(scale):
    mask = np.zeros((1, 9, 9), np.uint8)
    mask[0, 3:5, 3:6] = 1
    mask[0, 8, 8] = 1  # at the edge
    line = render_translation.outline(mask, scale, width=1)
    region = render.enlarge(mask[0], scale).astype(bool)
    assert line.shape == region.shape and not (line & region).any()
    assert line[: -2 * scale].sum() == 2 * (5 * scale) + 4
    dashed = render_translation.outline(mask, scale, width=1, dashed=True)
    assert not (dashed & ~line).any() and 0 < dashed.sum() < line.sum()
    assert not render_translation.outline(mask * 0, scale).any()


def test_panels_make_one_sheet_and_need_one_size():
    images = np.random.default_rng(0).random((4, 1, SIZE, SIZE))
    mask = images[0, 0] > 0.98
    sheet = render_translation.panels(*images, lesion=mask, invented=mask, scale=SCALE)
    assert sheet.shape == (2 * SIZE * SCALE + PAD, 4 * SIZE * SCALE + 3 * PAD, 3) and sheet.dtype == np.uint8
    with pytest.raises(ValueError, match="only equal shapes"):
        render_translation.panels(images[0], images[1], images[2], images[3, :, :9])


def test_the_key_goes_from_darker_to_brighter():
    key = render_translation.key(SIZE, SIZE)
    assert np.array_equal(key[SIZE // 2, 0], render.rgb_of(render.PALETTE[0]))
    assert np.array_equal(key[SIZE // 2, -1], render.rgb_of(render.PALETTE[5]))
    assert (key[0] == 255).all() and (key[-1] == 255).all()

from dataclasses import dataclass

import numpy as np
import pytest
import torch
import traitlets

from medgen_course.explorers import DataExplorer, Explorer, LatentExplorer, PositionMap, Sliders
from medgen_course.explorers.data import CORRUPTIONS
from medgen_course.pictures import plots, render

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Split:
    images: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.images)


@dataclass
class Dataset:
    name: str
    label_names: tuple
    train: Split
    val: Split
    test: Split
    size: int = 28


def dataset(name="toy", channels=1, multi_label=False, size=28):
    rng = np.random.default_rng(0)

    def split(n):
        images = rng.integers(0, 256, (n, channels, size, size), dtype=np.uint8)
        labels = np.eye(3, dtype=np.int64)[np.arange(n) % 3][:, :2] if multi_label else np.arange(n) % 2
        return Split(images, labels)

    return Dataset(name, ("well", "ill"), split(20), split(1), split(6), size)


def linear_model(size=28, latent_dim=12):
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(size * size, latent_dim, generator=generator))[0]

    def encode(x):
        return x.flatten(1) @ basis

    def decode(z):
        return (z @ basis.T).clamp(0, 1).reshape(-1, 1, size, size)

    return encode, decode


def latent(n=40, **options):
    encode, decode = linear_model()
    data = np.random.default_rng(1).integers(0, 256, (n, 1, 28, 28), dtype=np.uint8)
    return LatentExplorer(encode, decode, data, np.arange(n) % 2, ("well", "ill"), **options)


def seen(explorer):
    png = explorer.picture.png
    assert png.startswith(PNG)
    return png, explorer.picture.text


def changes(explorer, act):
    before = seen(explorer)
    act()
    after = seen(explorer)
    return before[0] != after[0] and before[1] != after[1]


@pytest.mark.parametrize("channels", [1, 3])
def test_data_sliders_change_the_picture_and_the_numbers(channels):
    explorer = DataExplorer(dataset(channels=channels))
    assert changes(explorer, lambda: setattr(explorer.index, "value", 3))
    assert changes(explorer, lambda: setattr(explorer.augmentation, "value", 0.5))
    for name in CORRUPTIONS[1:]:
        assert changes(explorer, lambda name=name: setattr(explorer.corruption, "value", name)), name
        assert changes(explorer, lambda: setattr(explorer.strength, "value", 1.3 - explorer.strength.value))


def test_data_draws_repeat_until_drawn_again():
    explorer = DataExplorer(dataset())
    explorer.augmentation.value = 1
    first = seen(explorer)
    explorer.index.value = 1
    explorer.index.value = 0
    assert seen(explorer) == first
    assert changes(explorer, explorer.redraw.click)


def test_data_class_and_split_choose_the_images():
    data = dataset()
    explorer = DataExplorer(data)
    explorer.label.value = 1
    assert explorer.index.max == 9
    explorer.index.value = 9
    assert "image 19: ill" in explorer.picture.text
    assert "test" not in explorer.split.options  # it is read once, elsewhere
    explorer.split.value = "val"  # has one image, of class 0
    assert explorer.index.value == 0
    assert "no image of the class ill" in explorer.picture.text
    assert explorer.index.disabled
    explorer.label.value = 0
    assert "image 0: well" in explorer.picture.text
    assert not explorer.index.disabled


def test_data_sets_are_switched_and_multi_label_images_named():
    explorer = DataExplorer({"one": dataset("one"), "many": dataset("many", multi_label=True)})
    assert explorer.dataset.layout.display != "none"
    explorer.dataset.value = "many"
    assert explorer.picture.text.startswith("many, train image 0: well")
    explorer.index.value = 2
    assert "no finding" in explorer.picture.text
    explorer.label.value = 1
    assert explorer.index.max == 6
    assert ": ill" in explorer.picture.text


def test_latent_sliders_change_picture_numbers_and_cursor():
    explorer = latent()
    assert len(explorer.sliders) == 10
    for i, high in enumerate(explorer.sliders.highs):
        before = explorer.map.position
        assert changes(explorer, lambda i=i, high=high: explorer.sliders.move(i, high))
        assert explorer.map.position != before


def test_latent_sliders_are_ordered_by_variance_and_set_their_dimension():
    explorer = latent()
    variance = explorer._codes.var(axis=0)
    assert explorer.dimensions == sorted(range(12), key=lambda d: -variance[d])[:10]
    before = explorer.code.copy()
    explorer.sliders.move(3, explorer.sliders.highs[3])
    assert np.flatnonzero(explorer.code != before).tolist() == [explorer.dimensions[3]]
    assert explorer.code[explorer.dimensions[3]] == pytest.approx(explorer.sliders.highs[3])


def test_moving_on_the_map_moves_the_code_within_its_plane():
    explorer = latent()
    before = explorer.code.copy()
    assert changes(explorer, lambda: setattr(explorer.map, "position", (0.9, 0.2)))
    step = explorer.code - before
    assert np.allclose(step @ explorer._plane.T @ explorer._plane, step, atol=1e-4)
    there = explorer._extent.to_position(*explorer._place(explorer.code))
    assert there == pytest.approx((0.9, 0.2), abs=1e-4)
    assert explorer.sliders.values == pytest.approx(explorer.code[explorer.dimensions])


def test_one_move_on_the_map_draws_once():
    explorer = latent()
    drawn = []
    explorer.picture.observe(drawn.append, "png")
    explorer.map.position = (0.8, 0.7)
    assert len(drawn) == 1


def test_latent_reset_undoes_and_average_goes_to_the_mean():
    explorer = latent()
    explorer.index.value = 5
    start = seen(explorer)
    assert "image 5 (ill)" in start[1]
    explorer.map.position = (0.1, 0.1)
    explorer.sliders.move(0, explorer.sliders.highs[0])
    explorer.reset.click()
    assert seen(explorer) == start
    explorer.average.click()
    assert explorer.code == pytest.approx(explorer._codes.mean(axis=0), abs=1e-5)


def test_nearest_image_is_the_chosen_one_at_its_own_code():
    explorer = latent()
    explorer.index.value = 7
    assert "nearest: image 7 (ill), code distance 0.00" in explorer.picture.text


def test_codes_that_are_given_are_used():
    codes = np.random.default_rng(2).normal(size=(40, 12))
    explorer = latent(codes=codes)
    assert explorer.code == pytest.approx(codes[0], abs=1e-6)


@pytest.mark.parametrize(
    ("codes", "found"),
    [(np.zeros((40, 1)), r"\(40, 1\)"), (np.zeros((3, 4)), r"\(3, 4\)"), (np.full((40, 4), np.nan), "NaN")],
)
def test_latent_refuses_codes_that_do_not_fit(codes, found):
    with pytest.raises(ValueError, match=found):
        latent(codes=codes)


def test_latent_refuses_multi_label_data():
    encode, decode = linear_model()
    with pytest.raises(ValueError, match="one integer label each"):
        LatentExplorer(encode, decode, np.zeros((4, 1, 28, 28), np.uint8), np.zeros((4, 2), int), ("a", "b"))


def test_the_static_figure_draws_the_array_that_is_encoded():
    for explorer in (DataExplorer(dataset()), latent()):
        assert render.to_png(explorer.array) == explorer.picture.png
        figure = explorer.figure()
        assert isinstance(figure, plots.Figure)
        assert np.array_equal(figure.axes[0].images[0].get_array(), explorer.array)


def test_errors_in_handlers_reach_the_caller(caplog):
    explorer = latent()

    def broken(_codes):
        raise RuntimeError("the decoder is broken")

    explorer._decode = broken
    for act in (
        lambda: explorer.sliders.move(0, explorer.sliders.lows[0]),
        lambda: setattr(explorer.map, "position", (0.3, 0.3)),
    ):
        with pytest.raises(RuntimeError, match="the decoder is broken"):
            act()
    explorer.reset.click()  # outside a notebook ipywidgets logs what a button raises, in one it is shown
    assert "the decoder is broken" in caplog.text
    with pytest.raises(NotImplementedError):
        Explorer((), "").refresh()


def test_every_control_is_labelled():
    for explorer in (DataExplorer(dataset()), latent()):
        assert "medgen-explorer" in explorer._dom_classes
        controls = [child for child in walk(explorer) if hasattr(child, "description")]
        controls = [c for c in controls if type(c).__name__ != "HTML"]
        assert len(controls) >= 3
        assert all(c.description and c.tooltip for c in controls)
        assert explorer.picture.alt
    assert explorer.map.label
    assert all(explorer.sliders.names)
    assert all(explorer.sliders.tooltips)


def walk(widget):
    for child in getattr(widget, "children", ()):
        yield child
        yield from walk(child)


def test_position_map_stays_inside_and_refuses_nan():
    chart = PositionMap(np.zeros((20, 40, 3), np.uint8), x_range=(0.1, 300.0))
    assert chart.png.startswith(PNG)
    chart.position = (1.7, -0.2)
    assert (chart.x, chart.y) == (1, 0)
    with pytest.raises(traitlets.TraitError, match="expected two numbers"):
        chart.position = (float("nan"), 0.5)


def test_sliders_refuse_what_they_cannot_show():
    sliders = Sliders(["a", "b"], ["", ""], [0, 0], [1, 1], [0.5, 2.0])
    with pytest.raises(traitlets.TraitError, match="expected 2 finite numbers"):
        sliders.values = [0.1]
    with pytest.raises(traitlets.TraitError, match="expected 2 finite numbers"):
        sliders.move(0, float("inf"))
    with pytest.raises(ValueError, match="low < high"):
        Sliders(["a"], [""], [1], [1], [0])

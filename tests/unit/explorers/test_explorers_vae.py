import io

import ipywidgets as widgets
import numpy as np
import pytest
import torch
import vae_toys
from PIL import Image

from medgen_course.explorers import VAELatentExplorer, reconstruction_errors
from medgen_course.pictures import plots, render

DATA = vae_toys.data()


@pytest.fixture(scope="module")
def model():
    return vae_toys.vae(0.1, steps=80)


@pytest.fixture(scope="module")
def codes(model):
    return vae_toys.codes(model, DATA.val)


@pytest.fixture
def explorer(model, codes):
    threshold = float(np.percentile(reconstruction_errors(model, DATA.val.images), 99))
    return VAELatentExplorer(
        model, DATA.val.images, DATA.val.labels, vae_toys.NAMES, codes,
        DATA.train.images, DATA.train.labels, threshold,
    )  # fmt: skip


@pytest.fixture
def blind(model, codes):
    return VAELatentExplorer(model, None, codes.labels.numpy(), vae_toys.NAMES, codes)


def file_of(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG")
    return buffer.getvalue()


def seen(explorer):
    return explorer.picture.png, explorer.picture.text


def changes(explorer, act):
    before = seen(explorer)
    act()
    after = seen(explorer)
    return before[0] != after[0] and before[1] != after[1]


def panel(explorer, column):
    """One panel of the picture as grey levels (28, 28)."""
    side = 28 * 4 + 8
    return explorer.array[0 : 28 * 4 : 4, column * side : column * side + 28 * 4 : 4, 0]


def decoded(model, code):
    with torch.no_grad():
        return render.to_bytes(model.decode(torch.as_tensor(code)[None]))[0, 0]


def test_reconstruction_errors_are_rmse_of_the_posterior_mean(model, codes):
    x = DATA.val.images.astype(np.float32) / 255
    x_hat = model.decode(codes.mu).numpy()
    expected = np.sqrt(((x_hat - x) ** 2).mean((1, 2, 3)))
    assert reconstruction_errors(model, DATA.val.images) == pytest.approx(expected, abs=1e-5)


def test_sliders_are_ordered_by_kl_and_say_so(explorer, codes):
    kl = 0.5 * (codes.mu**2 + codes.logvar.exp() - 1 - codes.logvar).mean(0).numpy()
    assert explorer.dimensions == np.argsort(-kl).tolist()
    first = explorer.dimensions[0]
    assert explorer.sliders.names[0] == f"z[{first}] · {kl[first]:.1f} nats"
    assert all(
        low <= -3 and high >= 3
        for low, high in zip(explorer.sliders.lows, explorer.sliders.highs, strict=True)
    )
    assert changes(explorer, lambda: explorer.sliders.move(0, 2.5))
    assert explorer.code[first] == 2.5


def test_the_map_moves_the_code_on_either_plane(explorer, model, codes):
    assert "component 1" in explorer.map.x_label
    assert changes(explorer, lambda: setattr(explorer.map, "position", (0.9, 0.2)))
    backdrop = explorer.map.png
    explorer.plane.value = "kl"
    first, second = explorer.dimensions[:2]
    assert (explorer.map.x_label, explorer.map.y_label) == (f"z[{first}]", f"z[{second}]")
    assert explorer.map.png != backdrop
    before = explorer.code.copy()
    assert changes(explorer, lambda: setattr(explorer.map, "position", (0.3, 0.6)))
    assert set(np.flatnonzero(np.abs(explorer.code - before) > 1e-6)) <= {first, second}
    there = explorer._extent.to_data(0.3, 0.6)
    assert explorer.code[[first, second]] == pytest.approx(there, abs=1e-4)
    assert np.abs(panel(explorer, 1).astype(int) - decoded(model, explorer.code)).max() <= 1
    explorer.plane.value = "pca"
    assert explorer.map.png == backdrop


def test_switching_the_map_leaves_the_code_alone(explorer):
    explorer.map.position = (0.7, 0.7)
    code, array = explorer.code.copy(), explorer.array
    explorer.plane.value = "kl"
    assert np.array_equal(explorer.code, code)
    assert np.array_equal(explorer.array, array)


def test_neighbours_are_the_nearest_training_images(explorer, model):
    explorer.start.value = 4
    with torch.no_grad():
        train = model.encode(torch.from_numpy(DATA.train.images).float() / 255)[0].numpy()
    nearest = np.argsort(np.linalg.norm(train - explorer.code, axis=1))[:3]
    for column, index in enumerate(nearest):
        assert np.array_equal(panel(explorer, 3 + column), DATA.train.images[index, 0])
        assert f"{index} ({vae_toys.NAMES[index % 2]})" in explorer.picture.text
    assert explorer.picture.captions[3] == "nearest training image"


def test_interpolation_leads_from_one_image_to_the_other(explorer, codes):
    explorer.start.value, explorer.end.value = 2, 9
    assert np.array_equal(panel(explorer, 0), DATA.val.images[2, 0])
    assert np.array_equal(panel(explorer, 2), DATA.val.images[9, 0])
    for way in (0.0, 0.5, 1.0):
        explorer.way.value = way
        assert explorer.code == pytest.approx(((1 - way) * codes.mu[2] + way * codes.mu[9]).numpy(), abs=1e-5)
    assert changes(explorer, lambda: setattr(explorer.way, "value", 0.2))
    assert "20% of the way from image 2 (well) to image 9 (ill)" in explorer.picture.text


def test_a_picture_like_the_data_is_placed_without_warning(explorer, model):
    usual = int(reconstruction_errors(model, DATA.train.images).argmin())
    own = DATA.train.images[usual, 0]
    assert changes(explorer, lambda: explorer.upload.receive(file_of(own), "mine.png"))
    assert explorer.picture.captions[0] == "your picture"
    assert np.array_equal(panel(explorer, 0), own)
    assert np.array_equal(panel(explorer, 3), own)  # it is a training image: its own nearest neighbour
    assert "no worse than 99 %" in explorer.notice.value
    assert 'role="status"' in explorer.notice.value
    x, y = explorer._extent.to_data(*explorer.map.position)
    assert explorer._place(explorer.code) == pytest.approx((x, y), abs=1e-3)


def test_a_picture_unlike_the_data_is_warned_about_until_it_is_put_away(explorer):
    noise = np.random.default_rng(0).integers(0, 256, (80, 60, 3), dtype=np.uint8)
    explorer.upload.receive(file_of(noise), "noise.png")
    assert "Warning: unlike the images" in explorer.notice.value
    assert 'role="alert"' in explorer.notice.value
    explorer.way.value = 0.5
    assert "50% of the way from your picture to image 1" in explorer.picture.text
    explorer.start.value = 3
    assert explorer.notice.value == ""
    assert explorer.picture.captions[0] == "from image 3"


def test_a_code_beyond_the_map_is_said_to_be_there(explorer):
    assert "beyond the edge" not in explorer.picture.text
    explorer.go_to(explorer.code + 50 * explorer._plane[0])
    assert explorer.map.x == 1
    assert "beyond the edge" in explorer.picture.text


def test_padding_is_applied_to_the_picture_that_is_there(explorer):
    wide = np.full((20, 60), 200, np.uint8)
    explorer.upload.receive(file_of(wide), "wide.png")
    assert panel(explorer, 0).min() == 200
    explorer.fit.value = True
    assert panel(explorer, 0)[:5].max() == 0


def test_a_broken_file_is_said_and_changes_nothing(explorer):
    before = seen(explorer)
    explorer.upload.receive(b"nonsense", "mine.png")
    assert "cannot be read as a PNG or JPEG" in explorer.notice.value
    assert 'role="alert"' in explorer.notice.value
    assert seen(explorer) == before


def test_without_a_threshold_nothing_is_claimed(blind):
    blind.upload.receive(file_of(DATA.train.images[0, 0]), "mine.png")
    assert "Without validation images nobody can say" in blind.notice.value


def test_without_images_the_model_rebuilds_stored_codes_and_says_so(blind, model, codes):
    blind.start.value, blind.end.value = 2, 5
    assert blind.picture.captions[0] == "from rebuilt image 2"
    assert blind.picture.captions[3] == "nearest rebuilt validation image"
    assert "No images at hand" in blind.picture.text
    for column, index in ((0, 2), (2, 5), (3, 2)):
        assert np.abs(panel(blind, column).astype(int) - decoded(model, codes.mu[index])).max() <= 1
    assert changes(blind, lambda: setattr(blind.map, "position", (0.1, 0.8)))
    assert changes(blind, lambda: setattr(blind.way, "value", 0.7))


def test_static_twins_draw_the_array_that_is_encoded(explorer):
    assert render.to_png(explorer.array) == explorer.picture.png
    figure = explorer.figure()
    assert isinstance(figure, plots.Figure)
    assert np.array_equal(figure.axes[0].images[0].get_array(), explorer.array)
    assert explorer.backdrop.shape == (360, 360, 3)
    (axes,) = explorer.map_figure().axes
    assert np.array_equal(axes.images[0].get_array(), explorer.backdrop)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(explorer._names)
    assert (axes.get_xlabel(), axes.get_ylabel()) == (explorer.map.x_label, explorer.map.y_label)


def test_one_move_draws_once(explorer):
    drawn = []
    explorer.picture.observe(drawn.append, "png")
    explorer.map.position = (0.8, 0.7)
    explorer.sliders.move(1, 1.5)
    explorer.upload.receive(file_of(DATA.train.images[3, 0]), "mine.png")
    assert len(drawn) == 3


def test_errors_in_the_decoder_reach_the_caller(explorer):
    def broken(_codes):
        raise RuntimeError("the decoder is broken")

    explorer._decode = broken
    with pytest.raises(RuntimeError, match="the decoder is broken"):
        explorer.map.position = (0.3, 0.3)


def test_what_does_not_fit_is_refused(model, codes):
    def build(images=DATA.val.images, **train):
        return VAELatentExplorer(model, images, DATA.val.labels, vae_toys.NAMES, codes, **train)

    with pytest.raises(ValueError, match="5 images and 20 codes"):
        build(DATA.val.images[:5])
    with pytest.raises(ValueError, match="64 training images and 0 training labels"):
        build(train_images=DATA.train.images)
    with pytest.raises(ValueError, match="at least 3"):
        build(train_images=DATA.train.images[:2], train_labels=DATA.train.labels[:2])


def test_colour_images():
    data = vae_toys.data(channels=3, size=32, val=6)
    model = vae_toys.vae(steps=2, channels=3, size=32)
    explorer = VAELatentExplorer(
        model, data.val.images, data.val.labels, vae_toys.NAMES, vae_toys.codes(model, data.val)
    )
    assert explorer.picture.captions[3] == "nearest validation image"
    explorer.upload.receive(file_of(DATA.train.images[0, 0]), "grey.png")
    assert explorer._own.shape == (3, 32, 32)


def test_every_control_is_labelled(explorer):
    def walk(widget):
        for child in getattr(widget, "children", ()):
            yield child
            yield from walk(child)

    controls = [c for c in walk(explorer) if hasattr(c, "description") and not isinstance(c, widgets.HTML)]
    assert len(controls) == 5
    assert all(c.description and c.tooltip for c in controls)
    assert explorer.upload.label
    assert explorer.map.label
    assert explorer.picture.alt

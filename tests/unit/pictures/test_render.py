import io

import numpy as np
import pytest
import torch
from PIL import Image

from medgen_course.pictures import render


def test_floats_and_bytes_give_the_same_picture():
    grey = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    assert np.array_equal(render.to_rgb(grey), render.to_rgb(grey / 255.0))
    assert np.array_equal(render.to_rgb(grey), render.to_rgb(torch.from_numpy(grey).float() / 255))


def test_colour_channels_stay_in_order():
    image = np.zeros((1, 3, 2, 2), dtype=np.uint8)
    image[0, 1] = 200
    assert render.to_rgb(image)[0, 0, 0].tolist() == [0, 200, 0]


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (np.zeros((2, 28, 28), np.uint8), r"\(2, 28, 28\)"),
        (np.zeros((2, 2, 28, 28), np.uint8), r"\(2, 2, 28, 28\)"),
        (np.zeros((1, 1, 2, 2), np.int64), "int64"),
        (np.full((1, 1, 2, 2), np.nan), "NaN"),
    ],
)
def test_what_is_no_image_is_refused(images, found):
    with pytest.raises(ValueError, match=found):
        render.to_rgb(images)


def test_grid_places_images_row_by_row():
    images = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1) * np.ones((1, 1, 4, 6), np.uint8)
    sheet = render.grid(images, columns=3, pad=2, scale=2)
    assert sheet.shape == (2 * 8 + 2, 3 * 12 + 4, 3)
    assert [sheet[0, 0, 0], sheet[0, 14, 0], sheet[10, 14, 0]] == [0, 1, 4]
    assert (sheet[:, 12:14] == 255).all()
    with pytest.raises(ValueError, match="at least 1"):
        render.grid(images[:0])


def test_overlay_tints_the_region_only():
    image = np.full((1, 4, 4), 100, np.uint8)
    mask = np.zeros((1, 4, 4), np.uint8)
    mask[0, 1, 2] = 1
    picture = render.overlay(image, mask, "#C86400", opacity=0.5)
    assert picture[1, 2].tolist() == [150, 100, 50]
    assert (np.delete(picture.reshape(16, 3), 6, axis=0) == 100).all()
    with pytest.raises(ValueError, match="one size"):
        render.overlay(image, mask[:, :2])


def test_difference_is_signed():
    a = np.array([[[0.9, 0.5, 0.1]]])
    picture = render.difference(a, np.full((1, 1, 3), 0.5))
    brighter, same, darker = picture[0].astype(int)
    assert len(set(same.tolist())) == 1
    assert brighter[0] > brighter[2]
    assert darker[2] > darker[0]
    with pytest.raises(ValueError, match="shapes"):
        render.difference(a, a[:, :, :2])


def test_scatter_draws_points_where_its_extent_says():
    points = np.array([[-3.0, 0.0], [5.0, 10.0]])
    picture, extent = render.scatter(points, np.array([0, 1]), size=100)
    for label, point in enumerate(points):
        x, y = extent.to_position(*point)
        colour = picture[round((1 - y) * 100), round(x * 100)]
        assert colour.tolist() == render.rgb_of(render.PALETTE[label]).tolist()
        assert extent.to_data(x, y) == pytest.approx(point)
    assert extent.to_position(99.0, -99.0) == (1.0, 0.0)


def test_scatter_survives_equal_points_and_refuses_nan():
    picture, _ = render.scatter(np.ones((3, 2)), np.zeros(3, int), size=50)
    assert (picture[25, 25] != 255).any()
    with pytest.raises(ValueError, match="diverged"):
        render.scatter(np.full((2, 2), np.nan), np.zeros(2, int))
    with pytest.raises(ValueError, match="expected"):
        render.scatter(np.ones((3, 2)), np.zeros(2, int))


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
def test_png_holds_the_array(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(render.to_png(picture)))), picture)
    grey = picture[..., :1].repeat(3, axis=-1) if picture.ndim == 3 else picture
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(render.to_png(grey))).convert("RGB"))[..., 0:1],
                          grey.reshape(7, 9, -1)[..., :1])  # fmt: skip
    with pytest.raises(ValueError, match="float64"):
        render.to_png(picture / 255)

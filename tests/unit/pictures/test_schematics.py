import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from medgen_course.pictures import pen, plots, schematics

DRAWN = ("autoencoder", "vae", "gan", "growing", "cyclegan", "pix2pix", "anomaly", "enhancer", "semi_vae",
         "membership", "private_step")  # fmt: skip
each = pytest.mark.parametrize("name", DRAWN)


def boxes(figure):
    """Every text that is drawn, with its box in pixels."""
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    return [(text, text.get_window_extent(figure.canvas.get_renderer())) for text in texts]


@each
def test_a_schematic_is_legible_on_a_page_of_700_pixels(name):
    figure = getattr(schematics, name)()
    assert Image.open(io.BytesIO(figure._repr_png_())).width == pen.WIDTH == 700
    height = figure.get_figheight() * 100
    for text, box in boxes(figure):
        assert text.get_fontsize() >= 10, text
        assert box.x0 >= 0 and box.x1 <= 700 and box.y0 >= 0 and box.y1 <= height, text


@each
def test_words_do_not_stand_on_words(name):
    found = boxes(getattr(schematics, name)())
    for i, (text, box) in enumerate(found):
        for other, its in found[i + 1 :]:
            assert not box.overlaps(its), f"{text.get_text()} on {other.get_text()}"


@each
def test_a_schematic_has_alternative_text_that_jupyter_gets(name):
    figure = getattr(schematics, name)()
    shown, about = figure._repr_mimebundle_()
    assert about["image/png"]["alt"] == figure.alt and len(figure.alt) > 100
    assert figure.alt in shown["text/plain"] and shown["image/png"].startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("autoencoder", ("encoder", "decoder", "loss", "code")),
        ("vae", ("prior", "encoder", "decoder", "KL", "generates: solid", "infers: dashed")),
        ("semi_vae", ("class", "decoder", "encoder", "classifier", "label known", "label unknown", "tried")),
        ("gan", ("generator", "discriminator", "moves $D$ alone", "moves $G$ alone", "real")),
        ("growing", ("generator", "discriminator", "new: $64$", "1-\\alpha", "doubled", "deviation")),
        ("cyclegan", ("$G$", "$F$", "cycle loss", "identity loss", "D_A", "D_B")),
        ("pix2pix", ("U-Net", "discriminator", "true partner", "Vert_1")),
    ],
)
def test_a_schematic_says_what_goes_in_and_which_loss_pulls_where(name, words):
    written = " ".join(text.get_text() for text, _ in boxes(getattr(schematics, name)()))
    for word in words:
        assert word in written.replace("\\mathrm{KL}", "KL"), word


@pytest.mark.parametrize("name", ("autoencoder", "vae", "gan", "growing", "cyclegan"))
def test_readme_shows_the_drawing_with_its_text(name):
    figure, root = getattr(schematics, name)(), Path(__file__).parents[3]
    shown = f"![{figure.alt}](docs/schematics/{name}.png)"
    assert shown in (root / "README.md").read_text(encoding="utf-8")
    with Image.open(root / "docs" / "schematics" / f"{name}.png") as stored:
        assert stored.size == Image.open(io.BytesIO(figure._repr_png_())).size


def test_every_schematic_is_tested():
    assert sorted(schematics.__all__) == sorted(DRAWN)


def test_other_figures_say_what_they_show():
    curves = plots.lines([1, 2], {"a": [1, 2], "b": [2, 1]}, "epoch", "loss", "It falls")
    assert curves.alternative_text() == "It falls. loss over epoch. a, b"
    picture = np.zeros((3, 1, 8, 8), np.uint8)
    rows = plots.rows({"stored": picture, "and\nworse": picture}, title="Two rows")
    assert rows.alternative_text() == "Two rows. rows: stored, and worse"
    assert plots.show(picture[0, 0]).alternative_text() == "a picture without a title"
    curves.alt = "My words"
    assert curves._repr_mimebundle_()[1] == {"image/png": {"alt": "My words"}}

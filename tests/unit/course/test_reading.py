import pytest

from medgen_course.course.reading import decide, hold, letter, reveal, show_source
from medgen_course.models.autoencoder import Autoencoder, reconstruction_loss


def test_the_source_that_is_shown_is_the_source_that_runs():
    shown = show_source(reconstruction_loss, Autoencoder.encode)
    assert "return (x_hat - x).square().flatten(1).sum(1).mean()" in shown.data
    assert "\n\ndef encode(self, x: Tensor)" in shown.data and "\n    return self.encoder(x)\n" in shown.data
    assert shown.data.startswith("```python\n") and shown.data.endswith("\n```")


def test_an_answer_stays_folded_until_it_is_opened():
    page = reveal("<b>b.</b> 42 dB").data
    assert page.startswith("<details") and "open" not in page.split(">")[0]
    assert page.index("</summary>") < page.index("42 dB")


def test_an_option_is_right_only_where_it_alone_holds():
    assert decide(a=False, b=True) == "b"
    assert decide(a=False, b=False) == decide(a=True, b=True) == "none of them"


def test_claims_are_asserted_or_said_not_to_be_made():
    claims = {"it falls": True, "it rises": False}
    with pytest.raises(AssertionError, match=r"does not: it rises$"):
        hold(claims)
    assert hold({"it falls": True}) == "All of it holds: it falls."
    said = hold(claims, enough=False, because="9 updates are too few")
    assert said == "Not claimed here, because 9 updates are too few: it falls; it rises."


def test_the_letter_is_that_of_the_nearest_choice():
    assert [letter(value, (0.0, 0.3, 0.7)) for value in (-1, 0.2, 0.6)] == ["a", "b", "c"]

"""Quizzes: every question has a right answer and reasons, and is HTML that needs no script and no network."""

import re
from html.parser import HTMLParser

import pytest
from IPython.core.formatters import DisplayFormatter

from medgen_course import exercises, home
from medgen_course.exercises.quiz import FOLDER, quizzes

NUMBERS = sorted(path.stem for path in FOLDER.glob("*.toml"))
EVERY = [pytest.param(quiz, id=f"{n}-{name}") for n in NUMBERS for name, quiz in quizzes(n).items()]


def test_every_notebook_has_at_least_four():
    notebooks = {path.name[:2] for path in home.shipped("notebooks").glob("*.ipynb")}
    assert notebooks >= set(NUMBERS) and NUMBERS
    for number in NUMBERS:
        asked = quizzes(number).values()
        assert len(asked) >= 4 and [q.section for q in asked] == sorted(q.section for q in asked)


@pytest.mark.parametrize("quiz", EVERY)
def test_a_question_has_a_right_answer_a_wrong_one_and_a_reason_for_each(quiz):
    assert quiz.question.endswith("?")
    assert len(quiz.options) >= 3 and len({option.text for option in quiz.options}) == len(quiz.options)
    right = sum(option.right for option in quiz.options)
    assert 1 <= right < len(quiz.options)
    assert all(len(option.reason.split()) >= 4 and option.reason.endswith(".") for option in quiz.options)
    assert (f"{right} answers are right" in quiz._repr_html_()) == (right > 1)


class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append((tag, tuple(name for name, _ in attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("quiz", EVERY)
def test_its_html_is_whole_and_needs_nothing_from_elsewhere(quiz):
    page = quiz._repr_html_()
    read = Balanced()
    read.feed(page)
    read.close()
    assert read.open == [] and "`" not in read.text
    assert {tag for tag, _ in read.seen} <= {"div", "p", "b", "i", "code", "details", "summary"}
    assert {name for _, names in read.seen for name in names} <= {"style", "class", "role", "aria-label"}
    assert not re.search(r"https?:|//|url\(|on\w+=", page)
    assert page.count("<details") == page.count("<summary") == len(quiz.options)
    assert page.count("<b>Right.</b>") == sum(option.right for option in quiz.options)
    for option in quiz.options:
        assert option.text.replace("`", "") in read.text and option.reason.replace("`", "") in read.text


def test_the_right_answer_has_no_usual_place():
    places = [[option.right for option in param.values[0].options].index(True) for param in EVERY]
    assert all(places.count(place) > len(places) / 6 for place in range(3))


def test_a_notebook_shows_a_question_and_its_text_gives_nothing_away():
    quiz = exercises.quiz("02", "kl")
    shown, _ = DisplayFormatter().format(quiz)
    assert shown["text/html"] == quiz._repr_html_()
    assert shown["text/plain"].startswith("Quiz. For one latent") and "Right" not in shown["text/plain"]
    assert not any(option.reason in shown["text/plain"] for option in quiz.options)


def test_unknown_questions_are_explained():
    with pytest.raises(ValueError, match="notebook 02 has no quiz 'x'; it has elbo"):
        exercises.quiz("02", "x")
    with pytest.raises(ValueError, match="it has none"):
        exercises.quiz("99", "x")

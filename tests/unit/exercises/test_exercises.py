"""What every check does: a stub is not attempted, an error becomes the verdict, the verdict is shown once."""

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from medgen_course import exercises


def verdict_of(check, fn, capsys):
    """Run a check; what it prints is the verdict it returns."""
    state = torch.get_rng_state()
    verdict = check(fn)
    assert capsys.readouterr().out == f"{verdict}\n"
    assert torch.equal(torch.get_rng_state(), state)
    return verdict


CHECKS = [exercises.check_reconstruction_loss, exercises.check_training_step, exercises.check_interpolate]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("fn", [lambda *_: None, None])
def test_a_stub_is_not_attempted(check, fn, capsys):
    verdict = verdict_of(check, fn, capsys)
    assert verdict.status == "not attempted" and not verdict.right


@pytest.mark.parametrize("check", CHECKS)
def test_an_exception_becomes_the_verdict_with_its_line(check, capsys):
    def student(*arguments):
        return len(arguments) + undefined_name  # noqa: F821

    verdict = verdict_of(check, student, capsys)
    assert verdict.status == "raised an error"
    assert "NameError: name 'undefined_name' is not defined" in verdict.message
    assert verdict.message.endswith("return len(arguments) + undefined_name  # noqa: F821")
    assert f"Line {student.__code__.co_firstlineno + 1}:" in verdict.message


@pytest.mark.parametrize("check", CHECKS)
def test_wrong_arguments_and_no_function_are_explained(check, capsys):
    assert "TypeError" in verdict_of(check, lambda: torch.zeros(()), capsys).message
    assert "Give the function itself" in verdict_of(check, torch.zeros(3), capsys).message


def test_an_interrupt_is_not_a_verdict():
    def student(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercises.check_interpolate(student)


def test_html_is_escaped_and_does_not_rely_on_colour():
    shown = exercises.Verdict("loss", "not yet right", "a < b")._repr_html_()
    assert "a &lt; b" in shown and "✗ loss: not yet right." in shown


def test_each_mistake_is_folded_by_itself_and_plain_text_tells_all():
    verdict = exercises.Verdict("bug hunt", "not yet right", "2 left.\n- D is < 1\nLine 3\n- G stands still")
    shown = verdict._repr_html_()
    before, *hints = shown.split("<details>")
    assert "2 left." in before and "D is" not in before
    assert [hint.split("</summary>")[1].split("</details>")[0] for hint in hints] == [
        "D is &lt; 1\nLine 3",
        "G stands still",
    ]
    assert "Hint 2 of 2" in hints[1] and "- G stands still" in str(verdict)


def test_a_notebook_shows_the_verdict_once_even_in_the_middle_of_a_cell():
    cells = [
        "from medgen_course import exercises",
        "exercises.check_interpolate(lambda a, b, n: None)",
        "verdict = exercises.check_interpolate(lambda a, b, n: a / zero)\nprint(verdict.right)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    _, last, middle = (cell.outputs for cell in notebook.cells)
    assert [output.output_type for output in last] == ["display_data"]
    assert "not attempted" in last[0].data["text/plain"] and "<b>○" in last[0].data["text/html"]
    assert [output.output_type for output in middle] == ["display_data", "stream"]
    assert "Line 1: verdict = exercises" in middle[0].data["text/plain"] and middle[1].text == "False\n"

"""The layers that test notebooks are tested themselves: each must fail where it should."""

import json
import os

import pytest
from nbval_layer import run_nbval
from samples import DISPLAY_SOURCE, save

from medgen_course import course

SWALLOWED = "import ipywidgets\nipywidgets.interact(lambda x: 1 / 0, x=(0, 3));"
IN_A_THREAD = "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ((SWALLOWED, IN_A_THREAD), ("inside a widget: ZeroDivisionError", "in a thread: ZeroDivisionError")),
        (("import sys\nsys.exit(0)", "print('never')"), ("was never executed: print('never')",)),
        (("import os\nos._exit(1)",), ("Kernel died",)),
    ],
    ids=["swallowed", "exits", "kernel dies"],
)
def test_an_error_fails_the_notebook(tmp_path, cells, expected):
    result = course.execute(save(tmp_path, "00_bad", *cells), _folder(tmp_path / "out"))
    assert result.status == "failed"
    for words in expected:
        assert any(words in line for line in result.errors), result.errors


def test_an_unknown_parameter_fails_the_notebook(tmp_path):
    notebook = save(tmp_path, "00_bad", quick={"num_epoch": 1})
    result = course.execute(notebook, _folder(tmp_path / "out"), "quick")
    assert "has no parameter num_epoch" in result.errors[0]
    assert "dataset, seed" in result.errors[0]


def test_a_missing_kernelspec_fails_the_notebook(tmp_path):
    notebook = save(tmp_path, "00_bad", "1", kernelspec=False)
    result = course.execute(notebook, _folder(tmp_path / "out"), dataset="phantom")
    assert "kernelspec" in result.errors[0]


def test_nbval_fails_at_an_error_a_swallowed_error_and_a_changed_output(tmp_path):
    notebook = save(tmp_path, "00_bad", "1 / 0", SWALLOWED, "# NBVAL_CHECK_OUTPUT\nprint('other')")
    content = json.loads(notebook.path.read_text(encoding="utf-8"))
    content["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "stored\n"}]
    notebook.path.write_text(json.dumps(content), encoding="utf-8")
    finished = run_nbval(notebook, tmp_path / "copy")
    assert finished.returncode == 1, finished.stdout
    assert "3 failed" in finished.stdout


def test_one_failure_does_not_stop_the_course(tmp_path, capsys):
    save(tmp_path, "00_bad", "raise ValueError('what & why\\nmore')", "1")
    good = "import os\nprint('here:', os.getcwd(), seed)"
    save(tmp_path, "01_good", good, DISPLAY_SOURCE.replace("NOTICE", "'NOT REAL'"), quick={"seed": 7})
    out = tmp_path / "out"
    results = course.run((), "quick", folder=tmp_path, out=out)
    assert [result.status for result in results] == ["failed", "ok"]
    assert results[1].sources == ("phantom: drawn",)
    told = capsys.readouterr().out
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "cell [2]: ValueError: what & why" in told and "what &amp; why" in index
    assert "! NOT REAL" in told
    assert '<p class="banner" role="alert">NOT REAL</p>' in index
    assert f"here: {out} 7" in (out / "01_good.html").read_text(encoding="utf-8")
    failed = (out / "00_bad.html").read_text(encoding="utf-8")
    assert "This notebook failed." in failed and "what &amp; why" in failed


def test_the_kernel_is_this_python_whatever_is_registered(tmp_path, monkeypatch):
    foreign = _folder(tmp_path / "kernels" / "python3")
    (foreign / "kernel.json").write_text(
        json.dumps({"argv": ["no-such-python"], "display_name": "foreign", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("MEDMNIST_ROOT", os.path.join("..", "somewhere"))
    monkeypatch.chdir(_folder(tmp_path / "shell"))
    root = str(tmp_path / "somewhere")
    cells = [
        "import os, sys\nimport medgen_course\nprint(sys.executable)",
        f"assert os.environ['MEDMNIST_ROOT'] == {root!r}",
    ]
    result = course.execute(save(tmp_path, "00_good", *cells), _folder(tmp_path / "out"))
    assert result.errors == ()


def _folder(path):
    path.mkdir(parents=True)
    return path

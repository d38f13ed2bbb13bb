"""Notebooks run side by side, and an interrupt ends them all."""

import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
from samples import save

from medgen_course import course

PATIENCE = 60  # seconds; a busy machine is slow, a broken one never ends
MEET = """\
import pathlib, time
pathlib.Path("{mine}").touch()
end = time.monotonic() + {patience}
while not pathlib.Path("{other}").exists():
    assert time.monotonic() < end, "nobody came"
    time.sleep(0.05)"""
STAY = """\
import os, pathlib, time
pathlib.Path(f"{os.getpid()}.pid").touch()
time.sleep(1000)"""
# A shell that starts pytest in the background has it ignore SIGINT, and so its children.
MEDGEN = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from medgen_course.cli import main
sys.exit(main())"""


def wait_for(found):
    end = time.monotonic() + PATIENCE
    while not (got := found()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return got


def test_two_notebooks_meet_and_a_third_takes_the_place_of_the_first_to_end(tmp_path, monkeypatch, capsys):
    for name in course.kernel.THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(course.runner, "cores", lambda: 6)
    threads = "import os\nassert os.environ['OMP_NUM_THREADS'] == '3'"
    meet = [MEET.format(mine=a, other=b, patience=PATIENCE) for a, b in ("ab", "ba")]
    save(tmp_path, "00_last", threads, budget_s=1)
    save(tmp_path, "01_a", threads, meet[0])
    save(tmp_path, "02_b", threads, meet[1])
    results = course.run(folder=tmp_path, out=tmp_path / "out", jobs=2)
    assert [(result.notebook.name, result.errors) for result in results] == [
        ("00_last", ()), ("01_a", ()), ("02_b", ()),
    ]  # fmt: skip
    told = capsys.readouterr().out
    assert len(re.findall(r"^\[\d/3\] 0\d_\w+ +\d+ s  ok$", told, re.MULTILINE)) == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("in_place", [False, True], ids=["run", "refresh"])
def test_an_interrupt_ends_all_kernels_and_keeps_what_is_done(tmp_path, in_place):
    done = save(tmp_path, "00_done", "print('done')", budget_s=100).path
    stays = [save(tmp_path, f"0{number}_stays", STAY, budget_s=50).path for number in (1, 2, 3)]
    before = stays[0].read_bytes()
    out = tmp_path / ("build/stored" if in_place else "build/course")
    command = [sys.executable, "-c", MEDGEN, "run", *map(str, [done, *stays]), "--jobs", "2"]
    command += ["--in-place"] if in_place else []
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=tmp_path, **pipes)
    try:
        pids = wait_for(lambda: len(found := list(out.glob("*.pid"))) == 2 and found)
        if in_place:  # a run writes pages also after the interrupt
            wait_for(lambda: "executed_source" in done.read_text(encoding="utf-8"))
        process.send_signal(signal.SIGINT)
        told, complaint = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130
    assert complaint == "medgen: interrupted\n"
    assert "[1/4] 00_done" in told and "[2/4]" not in told
    wait_for(lambda: not any(psutil.pid_exists(int(path.stem)) for path in pids))
    assert sorted(path.name for path in out.glob("*.ipynb")) == ["00_done.ipynb"]
    if in_place:
        assert '"executed_source"' in done.read_text(encoding="utf-8")
        assert stays[0].read_bytes() == before
    else:
        assert sorted(path.name for path in out.glob("*.html")) == ["00_done.html", "index.html"]
        assert "00_done.html" in (out / "index.html").read_text(encoding="utf-8")
        assert told.count("00_done") == 2 and "Read on" in told

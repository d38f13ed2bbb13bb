"""Wrong options: one line with the option, what was given and what is allowed."""

import sys
from importlib.metadata import version
from types import SimpleNamespace

import pytest

from medgen_course import cli
from medgen_course.cli import program

TRAIN = ["train", "vae", "--dataset", "own.npz", "--out", "run"]
CYCLE = ["train", "cyclegan", "--dataset", "own.npz", "--out", "run"]
WRONG = {  # words -> what the line holds
    ("--beta", "nan"): ["--beta", "'nan'", "finite number"],
    ("--beta", "inf"): ["--beta", "'inf'", "finite number"],
    ("--beta", "x"): ["--beta", "'x'", "finite number"],
    ("--seed", "1.5"): ["--seed", "'1.5'", "whole number"],
    ("--seed", ""): ["--seed", "''", "whole number"],
    ("--nonsense", "3"): ["no --nonsense 3", "medgen train vae --help"],
    ("--num-epoch", "3"): ["no --num-epoch 3", "medgen train vae --help"],
    ("--out", ""): ["--out", "the path is empty"],
    ("--out", "~nosuchuser/x"): ["--out", "no home of ~nosuchuser", "whole path"],
    ("--dataset", ""): ["--dataset", "nothing was given"],
    ("--beta",): ["--beta", "expected one argument", "equals sign"],
}


def leaves(words, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    streams = capsys.readouterr()
    assert left.value.code == 2 and not streams.out
    assert streams.err.startswith("medgen") and streams.err.count("\n") == 1, streams.err
    return streams.err


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_option_is_one_line(words, capsys):
    told = leaves([*TRAIN, *words], capsys)
    assert all(part in told for part in WRONG[words]), told


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([*CYCLE, "--domains", "-1,0"], ["--domains", "--domains=-1,0"]),
        ([*CYCLE, "--lambda-identity", "nan"], ["--lambda-identity", "'nan'"]),
        (["translate", "run", "own.npz", "--to", "c", "--out", "x.npz"], ["--to", "'c'", "'a', 'b'"]),
        (["data", "x", "--size", "large"], ["--size", "'large'"]),
        (["train"], ["required: MODEL"]),
        (["train", "autoencoder", "--dataset", "x"], ["required: --out"]),
        (["run", "--profile", "fast"], ["--profile", "'fast'", "'standard', 'quick'"]),
        (["train", "transformer"], ["'transformer'", "'autoencoder'", "'vae'"]),
        (["nonsense"], ["'nonsense'", "'doctor'"]),
        ([], ["required: COMMAND"]),
    ],
)
def test_wrong_usage_is_one_line(words, parts, capsys):
    told = leaves(words, capsys)
    assert all(part in told for part in parts), told


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0 and capsys.readouterr().out == f"medgen {version('medgen_course')}\n"


def test_a_home_is_found_where_the_shell_left_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    settings = vars(cli.parser().parse_args([*TRAIN[:4], "--out=~/a"]))
    assert settings["out"] == tmp_path / "a"


def test_a_default_of_zero_stands_in_the_help(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "vae", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "all noise. (default: 0)" in told and "(default: None)" not in told


def test_an_unexpected_error_is_a_bug_in_one_line(monkeypatch, capsys):
    def broken():
        return {}["key"]

    broken.__doc__, broken.__name__ = program.doctor.__doc__, "doctor"
    monkeypatch.setattr(program, "doctor", broken)
    assert cli.main(["doctor"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.startswith("medgen: this is a bug of medgen_course")
    assert all(part in told for part in ("KeyError: 'key'", "test_arguments.py", "report", "python -X dev"))


def test_the_traceback_is_there_for_who_wants_it(monkeypatch):
    dev = SimpleNamespace(dev_mode=True)
    monkeypatch.setattr(program, "sys", SimpleNamespace(flags=dev, stdout=sys.stdout, stderr=sys.stderr))
    with pytest.raises(FileNotFoundError):
        cli.main(["data", "no/such.npz"])


@pytest.mark.parametrize("error", [MemoryError("9 GiB"), RuntimeError("can't allocate memory: 9 bytes")])
def test_too_little_memory_is_no_bug(error, monkeypatch, capsys):
    def greedy():
        raise error

    greedy.__doc__, greedy.__name__ = program.doctor.__doc__, "doctor"
    monkeypatch.setattr(program, "doctor", greedy)
    assert cli.main(["doctor"]) == 2
    told = capsys.readouterr().err
    assert "not enough memory" in told and "smaller" in told and told.count("\n") == 1

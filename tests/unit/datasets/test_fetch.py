"""Where files are found, and what a download leaves behind, whether it succeeds, fails or is killed."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3
from npz_files import write_npz

from medgen_course import home
from medgen_course.datasets import fetch
from medgen_course.datasets.sources import DatasetError, DatasetUnavailable, load

PATIENCE_S = 120  # a busy machine is slow, a broken one never ends


@pytest.fixture
def world(world, monkeypatch):
    """The world of conftest.py, where one waits long: a server answers in the end, however busy it is."""
    monkeypatch.setattr(fetch, "TIMEOUT_S", (PATIENCE_S, PATIENCE_S))
    return world


@pytest.fixture
def server(server, monkeypatch):
    """The server of conftest.py, which stalls until the test is over."""
    wait = server.released.wait
    monkeypatch.setattr(server.released, "wait", lambda _timeout: wait(PATIENCE_S))
    return server


@pytest.fixture
def connections(monkeypatch):
    """Every attempt to connect: its address, and how long it would wait."""
    attempts, connect = [], urllib3.util.connection.create_connection

    def counted(address, timeout, *args, **kwargs):
        attempts.append((address, timeout))
        return connect(address, timeout, *args, **kwargs)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", counted)
    return attempts


def wait_until(done, what):
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, f"waited {PATIENCE_S} s in vain until {what}"
        time.sleep(0.02)


def test_places_are_searched_in_order(world, tmp_path, monkeypatch):
    world.offer(write_npz(tmp_path / "any.npz"))
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path / "variable"))
    folders = {
        "~/.medmnist": tmp_path / "home" / ".medmnist",
        "data/": world.data,
        "MEDMNIST_ROOT": tmp_path / "variable",
        "root=": tmp_path / "argument",
    }
    for label, folder in folders.items():  # each one goes before those that were there already
        write_npz(folder / "pneumoniamnist.npz")
        data = load("PneumoniaMNIST", root=tmp_path / "argument", download=False)
        assert data.source.endswith(f"from {label}")
        assert str(tmp_path) not in data.source  # it stands in notebooks that others will read
        assert data.label_names == ("normal", "pneumonia") and data.licence == "CC BY 4.0"
        assert (data.name, data.channels, data.size, data.task) == ("pneumoniamnist", 1, 28, "binary-class")


def test_a_relative_medmnist_root_also_counts_from_the_checkout(world, tmp_path, monkeypatch):
    world.offer(write_npz(tmp_path / "checkout" / "images" / "pneumoniamnist.npz"))
    (tmp_path / "checkout" / "pyproject.toml").touch()
    monkeypatch.setattr(home, "PACKAGE", tmp_path / "checkout" / "medgen_course")
    monkeypatch.setenv("MEDMNIST_ROOT", "images")
    assert load("pneumoniamnist", download=False).source.endswith("from MEDMNIST_ROOT")


def test_downloads_of_a_checkout_go_to_data_and_those_of_an_installation_to_the_home(tmp_path, monkeypatch):
    monkeypatch.delenv("MEDMNIST_ROOT", raising=False)
    assert fetch.download_place() == fetch.Place("data/", Path(__file__).parents[3] / "data")
    assert [place.label for place in fetch.places()] == ["data/", "~/.medmnist"]
    monkeypatch.setattr(home, "PACKAGE", tmp_path / "site-packages" / "medgen_course")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    assert fetch.download_place().folder == tmp_path / "home" / ".medmnist"
    assert fetch.places() == [fetch.download_place()]


def test_other_sizes_have_their_own_files(world, tmp_path):
    world.offer(write_npz(world.data / "pneumoniamnist_64.npz", size=64), suffix="_64")
    assert load("pneumoniamnist", size=64, download=False).train.images.shape == (6, 1, 64, 64)
    with pytest.raises(DatasetUnavailable, match=r"pneumoniamnist\.npz is not on this machine"):
        load("pneumoniamnist", download=False)


def test_wrong_md5_of_an_official_name_is_an_error_and_no_reason_to_fall_back(world, tmp_path):
    path = world.data / "pneumoniamnist.npz"
    before = write_npz(path)
    world.offer(b"something else")
    found, expected = hashlib.md5(before).hexdigest(), hashlib.md5(b"something else").hexdigest()
    with pytest.raises(DatasetError) as caught:
        load("pneumoniamnist", fallback="phantom")
    for part in (
        str(path),
        f"found MD5 {found}",
        f"expected {expected}",
        "move the file away",
        "by its path",
    ):
        assert part in str(caught.value)
    assert path.read_bytes() == before


def test_offline_is_said_after_one_attempt_with_the_ways_out(world, connections):
    with pytest.raises(DatasetUnavailable) as caught:
        load("pneumoniamnist")
    assert connections == [(("127.0.0.1", 9), PATIENCE_S)]  # nobody tries again, and waits are bounded
    for part in (
        "no connection to 127.0.0.1",
        "Looked in",
        "~/.medmnist",
        "connect to the internet",
        "http://127.0.0.1:9/nothing",
        "as pneumoniamnist.npz (MD5",
        "MEDMNIST_ROOT",
        "root=",
        'load("phantom")',
        'fallback="phantom"',
    ):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)
    assert list(world.data.iterdir()) == []


def test_download_false_asks_nobody(world, server):
    world.offer(url=f"http://127.0.0.1:{server.server_port}/whole")
    with pytest.raises(DatasetUnavailable, match=r"download=False"):
        load("pneumoniamnist", download=False)
    assert server.asked == [] and not world.data.exists()


def test_good_download_is_kept_and_not_repeated(world, server, tmp_path, capsys):
    server.content = write_npz(tmp_path / "any.npz", count=200)
    world.offer(server.content, f"http://127.0.0.1:{server.server_port}/whole")
    data = load("pneumoniamnist")
    assert len(data.train) == 200 and "downloaded from 127.0.0.1 into data/" in data.source
    assert [path.name for path in world.data.iterdir()] == ["pneumoniamnist.npz"]
    assert (world.data / "pneumoniamnist.npz").read_bytes() == server.content
    captured = capsys.readouterr()
    assert "0.5 of 0.5 MB" in captured.err and "\r" not in captured.err and captured.out == ""
    assert load("pneumoniamnist").source.endswith("from data/")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("whole", "does not have the MD5 .*thrown away"),
        ("cut", "no connection to 127.0.0.1, or it broke off"),
        ("missing", "answered 404"),
    ],
)
def test_bad_download_leaves_nothing_behind(world, server, tmp_path, path, reason):
    server.content = write_npz(tmp_path / "any.npz", count=200)
    official = b"another file" if path == "whole" else server.content
    world.offer(official, f"http://127.0.0.1:{server.server_port}/{path}")
    with pytest.raises(DatasetUnavailable, match=reason):
        load("pneumoniamnist")
    assert len(server.asked) == 1
    assert list(world.data.iterdir()) == []


def test_a_server_that_stalls_is_given_up_and_leaves_nothing_behind(world, server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT_S", (PATIENCE_S, 0.3))
    server.content = write_npz(tmp_path / "any.npz", count=200)
    world.offer(server.content, f"http://127.0.0.1:{server.server_port}/stall")
    with pytest.raises(DatasetUnavailable, match=r"did not answer within|or it broke off"):
        load("pneumoniamnist")
    wait_until(lambda: server.asked, "the server has read the question")
    assert server.asked == ["/stall"]
    assert list(world.data.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_killed_download_leaves_no_file_under_the_final_name(world, server, tmp_path, how):
    server.content = write_npz(tmp_path / "any.npz", count=200)
    url = f"http://127.0.0.1:{server.server_port}/stall"
    call = f"fetch._download({url!r}, '0' * 32, Path('data/a.npz'))"
    # A process started in the background of a shell script ignores SIGINT, and its children do too.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{listen}; from pathlib import Path; from medgen_course.datasets import fetch; {call}"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: list(world.data.glob("a.npz.*/*")) or process.poll() is not None, "it has begun")
        assert process.poll() is None
        process.send_signal(how)
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    left = list(world.data.iterdir())
    if how == signal.SIGINT:
        assert left == []
    else:  # nobody could tidy up; what is left is no data set, and git ignores data/*.npz.*
        assert all(path.is_dir() and path.name.startswith("a.npz.") for path in left)


def test_data_folder_that_cannot_be_written(world):
    world.data.write_text("a file where the folder should be")
    with pytest.raises(DatasetUnavailable, match=rf"{re.escape(str(world.data))} cannot be written"):
        load("pneumoniamnist")

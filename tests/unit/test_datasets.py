"""Where images come from: names, places, downloads, own files, the phantom."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from medgen_course import datasets, fetch, phantom
from medgen_course.datasets import DatasetError, DatasetUnavailable, PhantomFallback, load

FILES = ("pneumoniamnist.npz", "breastmnist.npz")
HAVE_REAL = all(any((place.folder / file).is_file() for place in fetch.places()) for file in FILES)
NEEDS_REAL = pytest.mark.skipif(not HAVE_REAL, reason=f"no {' and '.join(FILES)} (set MEDMNIST_ROOT)")


def write_npz(path: Path, labels: np.ndarray | None = None, count: int = 6, size: int = 28) -> bytes:
    """Write noise in MedMNIST's layout; return the bytes of the file."""
    rng, arrays = np.random.default_rng(count), {}
    for split in ("train", "val", "test"):
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, size, size), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(count)[:, None] % 2 if labels is None else labels
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path.read_bytes()


class Handler(BaseHTTPRequestHandler):
    """Serves `server.content` whole, half and then closes, or half and then nothing more."""

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        if self.path.endswith("missing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(server.content)))
        self.end_headers()
        whole = self.path.endswith("whole")
        self.wfile.write(server.content if whole else server.content[: len(server.content) // 2])
        self.wfile.flush()
        if self.path.endswith("stall"):
            server.released.wait(10)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.content, server.released = [], b"", threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A machine without any file or connection; `offer` decides which file is the official one, and where."""
    monkeypatch.delenv("MEDMNIST_ROOT", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setattr(fetch, "data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr(fetch, "TIMEOUT_S", (1, 0.3))
    monkeypatch.setattr(datasets, "PHANTOM_COUNTS", {"train": 8, "val": 4, "test": 4})
    monkeypatch.chdir(tmp_path)
    table = {name: dict(entry) for name, entry in fetch.medmnist_info().items()}
    monkeypatch.setattr(fetch, "medmnist_info", lambda: table)

    class World:
        data = tmp_path / "data"

        @staticmethod
        def offer(content: bytes = b"", url: str = "http://127.0.0.1:9/nothing", suffix: str = "") -> None:
            table["pneumoniamnist"][f"MD5{suffix}"] = hashlib.md5(content).hexdigest()
            table["pneumoniamnist"][f"url{suffix}"] = url

    World.offer()
    return World


# names and arguments


def test_every_2d_name_has_all_four_sizes_and_the_readme_has_their_checksums():
    info = fetch.medmnist_info()
    official = [name for name in datasets.names() if name != "phantom"]
    readme = (Path(__file__).parents[2] / "data" / "README.md").read_text(encoding="utf-8")
    assert len(official) == 12
    for name in official:
        row = next(line for line in readme.splitlines() if line.startswith(f"| {name} |"))
        assert f"| {info[name]['license']} |" in row
        for suffix in ("", "_64", "_128", "_224"):
            assert info[name][f"url{suffix}"].endswith(f"{name}{suffix}.npz?download=1")
            assert f"`{info[name][f'MD5{suffix}']}`" in row


@pytest.mark.parametrize("name", ["organmnist3d", "NoduleMNIST3D"])
def test_volumes_are_refused(name):
    with pytest.raises(DatasetError, match=r"volumes; this course is 2D only.*pneumoniamnist"):
        load(name)


def test_unknown_name_gets_the_nearest_ones():
    with pytest.raises(DatasetError, match="Did you mean pneumoniamnist"):
        load("pnuemoniamnist")
    with pytest.raises(
        DatasetError, match=r"no data set 'x'. Choose one of pathmnist.*phantom, or give the path"
    ):
        load("x")


def test_wrong_arguments_are_named(world):
    with pytest.raises(DatasetError, match="size is 32; MedMNIST has 28, 64, 128, 224"):
        load("pneumoniamnist", size=32)
    with pytest.raises(DatasetError, match="fallback is 'breastmnist'; expected None or 'phantom'"):
        load("pneumoniamnist", fallback="breastmnist")
    with pytest.raises(DatasetError, match=r"size is 27; the phantom .* from 28 to 224"):
        load("phantom", size=27)
    with pytest.raises(DatasetError, match="contrast is 'flair'"):
        load("phantom", contrast="flair")


# places


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
    monkeypatch.setattr(fetch, "REPOSITORY", tmp_path / "checkout")
    monkeypatch.setenv("MEDMNIST_ROOT", "images")
    assert load("pneumoniamnist", download=False).source.endswith("from MEDMNIST_ROOT")


def test_data_folder_of_a_checkout_and_of_an_installation(tmp_path, monkeypatch):
    assert fetch.data_folder() == Path(__file__).parents[2] / "data"
    monkeypatch.setattr(fetch, "REPOSITORY", tmp_path / "site-packages")
    monkeypatch.chdir(tmp_path)
    assert fetch.data_folder() == tmp_path / "data"


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


# downloads


def test_offline_is_said_quickly_with_the_ways_out(world):
    started = time.monotonic()
    with pytest.raises(DatasetUnavailable) as caught:
        load("pneumoniamnist")
    assert time.monotonic() - started < 3
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
        ("stall", "did not answer within|or it broke off"),
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


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_killed_download_leaves_no_file_under_the_final_name(world, server, tmp_path, how):
    server.content = write_npz(tmp_path / "any.npz", count=200)
    url = f"http://127.0.0.1:{server.server_port}/stall"
    call = f"fetch._download({url!r}, '0' * 32, Path('data/a.npz'))"
    code = f"from pathlib import Path; from medgen_course import fetch; {call}"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while not list(world.data.glob("a.npz.*/*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how)
    process.wait(10)
    left = list(world.data.iterdir())
    if how == signal.SIGINT:
        assert left == []
    else:  # nobody could tidy up; what is left is no data set, and git ignores data/*.npz.*
        assert all(path.is_dir() and path.name.startswith("a.npz.") for path in left)


def test_data_folder_that_cannot_be_written(world):
    world.data.write_text("a file where the folder should be")
    with pytest.raises(DatasetUnavailable, match=rf"{re.escape(str(world.data))} cannot be written"):
        load("pneumoniamnist")


# fallback and phantom


def test_fallback_warns_and_carries_its_notice_everywhere(world):
    with pytest.warns(PhantomFallback, match=r"NOT REAL IMAGES.*Ways out"):
        data = load("pneumoniamnist", size=28, fallback="phantom")
    assert data.name == "phantom" and data.train.images.shape == (8, 1, 28, 28)
    assert "stands in for pneumoniamnist" in data.notice
    bundle = data._repr_mimebundle_()
    assert data.notice in bundle["text/plain"].splitlines()[0]
    assert "border:3px solid #c00000" in bundle["text/html"] and 'role="alert"' in bundle["text/html"]
    source = bundle["application/vnd.medgen.source+json"]
    assert source == {"name": "phantom", "source": data.source, "notice": data.notice}
    assert json.loads(json.dumps(source)) == source


def test_phantom_has_masks_factors_and_the_paired_contrast(world):
    assert phantom.generate(4, size=32, seed=0, split="val").t1w.shape == (4, 1, 32, 32)
    t1w, t2w = load("phantom", size=32), load("phantom", size=32, contrast="t2w")
    assert t1w.notice == "" and t1w.label_names == ("healthy", "lesion") and t1w.size == 32
    assert "border" not in t1w._repr_mimebundle_()["text/html"].split("<table")[0]
    for name, split in t1w.splits().items():
        other = t2w.splits()[name]
        np.testing.assert_array_equal(split.images, other.extras["paired"])
        np.testing.assert_array_equal(split.extras["paired"], other.images)
        assert not np.array_equal(split.images, other.images)
        assert split.images.shape == split.extras["mask"].shape == (len(split), 1, 32, 32)
        assert len(split.extras["factors"]) == len(split)
        np.testing.assert_array_equal(split.extras["mask"].any(axis=(1, 2, 3)), split.labels == 1)


def test_phantom_comes_in_the_promised_numbers():
    assert datasets.PHANTOM_COUNTS == {"train": 4096, "val": 512, "test": 512}


# own files


def test_own_file_names_its_classes_and_keeps_its_size(world, tmp_path):
    content = write_npz(tmp_path / "mine.npz", labels=np.arange(6) % 3, size=20)
    data = load("mine.npz", size=64)
    assert (data.name, data.size, data.channels, data.task) == ("mine", 20, 1, "multi-class")
    assert data.label_names == ("class 0", "class 1", "class 2")
    assert data.source == f"own file mine.npz, MD5 {hashlib.md5(content).hexdigest()}"
    assert [len(split) for split in data.splits().values()] == [6, 6, 6]


def test_own_file_is_found_from_the_checkout_and_in_the_places(world, tmp_path, monkeypatch):
    write_npz(tmp_path / "checkout" / "data" / "mine.npz")
    (tmp_path / "checkout" / "pyproject.toml").touch()
    monkeypatch.setattr(fetch, "REPOSITORY", tmp_path / "checkout")
    assert load("data/mine.npz").name == "mine"
    write_npz(world.data / "other.npz", count=7)
    assert len(load("other.npz").train) == 7
    write_npz(tmp_path / "elsewhere" / "other.npz", count=9)
    assert len(load("other.npz", root=tmp_path / "elsewhere").train) == 9


def test_missing_own_file_is_an_error_even_with_a_fallback(world, tmp_path):
    with pytest.raises(DatasetUnavailable, match=r"no file mine\.npz.*check the spelling") as caught:
        load("mine.npz", fallback="phantom")
    assert str(tmp_path / "mine.npz") in str(caught.value)


def test_multi_label_data_keep_their_matrix(world, tmp_path):
    matrix = np.eye(6, 14, dtype=np.uint8)
    write_npz(tmp_path / "mine.npz", labels=matrix)
    data = load(tmp_path / "mine.npz")
    assert data.task == "multi-label, binary-class" and len(data.label_names) == 14
    np.testing.assert_array_equal(data.train.labels, matrix)
    assert data.train.labels.dtype == np.int64


def test_what_is_shown_is_escaped_and_short(world, tmp_path):
    write_npz(tmp_path / "<b>mine.npz", labels=np.arange(6) * 100)
    data = load(tmp_path / "<b>mine.npz")
    assert len(data.label_names) == 501
    shown = data._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;mine" in shown and "<b>mine" not in shown
    assert "and 481 more" in shown and len(repr(data)) < 1000 and len(repr(data.train)) < 200


# real files


@NEEDS_REAL
def test_real_files():
    pneumonia, breast = load("pneumoniamnist", download=False), load("breastmnist", download=False)
    assert [len(split) for split in pneumonia.splits().values()] == [4708, 524, 624]
    assert [len(split) for split in breast.splits().values()] == [546, 78, 156]
    assert breast.label_names == ("malignant", "normal, benign")
    assert pneumonia.train.labels.shape == (4708,) and pneumonia.train.images.shape == (4708, 1, 28, 28)
    with np.load(fetch.official_file("breastmnist", 28, None, False)[0]) as file:
        np.testing.assert_array_equal(breast.test.images[:, 0], file["test_images"])
        np.testing.assert_array_equal(breast.test.labels, file["test_labels"][:, 0])


def test_importing_is_light():
    code = (
        "import sys; from medgen_course import datasets; datasets.names(); "
        "print([m for m in ('torch', 'medmnist', 'torchvision', 'pandas', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Thousands of files: progress, and memory that stays flat."""

import io
import re
import tracemalloc

import numpy as np
from pack_files import images
from PIL import Image as Pillow

from medgen_course.pack.packing import pack


def many(root, count):
    """Tiny PNG files, no two alike."""
    (root / "x").mkdir(parents=True)
    for number in range(count):
        values = np.array([[number >> 8, number & 255], [7, 9]], np.uint8)
        data = io.BytesIO()
        Pillow.fromarray(values).save(data, "PNG")
        (root / "x" / f"{number:05d}.png").write_bytes(data.getvalue())
    return root


def test_progress_is_told_for_many_files(tmp_path, capsys):
    pack(many(tmp_path / "in", 500), tmp_path / "a.npz", allow_repeats=True)
    told = re.findall(r"packed ([\d,]+) of 500 files", capsys.readouterr().err)
    assert told == [str(count) for count in range(50, 501, 50)]


# Its name, its numbers and the audit's fingerprints are 250; Python's table of interned names, which holds
# the parts of paths, may grow by 4 MB in between. The image alone would be 4,096.
BYTES_A_FILE = 2_000


def test_memory_stays_flat(tmp_path):
    peaks = {}
    for count in (50, 500, 5000):  # the first one imports what is imported late
        source = many(tmp_path / str(count), count)
        tracemalloc.start()
        pack(source, tmp_path / f"{count}.npz", size=64, allow_repeats=True)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(images(tmp_path / "5000.npz")) == 5000
    assert peaks[5000] - peaks[500] < 4500 * BYTES_A_FILE

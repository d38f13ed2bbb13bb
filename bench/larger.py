"""Images that are larger than the memory: what reading them from disk costs, and how much memory it takes.

A file of 6 GB is made by code (`--gigabytes` for another size). Where this process may make memory control
groups (root on Linux, version 1), a training is run in one that may have 2 GB, pages of files counted in;
elsewhere without a limit.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import psutil
from timing import in_turn, machine

from medgen_course import datasets
from medgen_course.batches.sampling import Sampler

SIDE, BATCH = 224, 64
GROUP, LIMIT = Path("/sys/fs/cgroup/memory/medgen-bench"), 2 << 30
TRAIN = """
import sys
from medgen_course import datasets
from medgen_course.batches.sampling import Sampler
from medgen_course.datasets.audit import doubts
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm
from medgen_course.training import fit
data = datasets.load(sys.argv[1])
assert not doubts(data) and len(data.checksum) == 64
algorithm = AutoencoderAlgorithm(Autoencoder(data.channels, data.size, 16, width=4))
fit(algorithm, Sampler(data.train, 64), num_epochs=1, precision="float32", out=sys.argv[2])
"""


def write(path: Path, count: int) -> None:
    """Noise of 8 grey levels in RGB, `count` images to learn from, block by block."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for split, images in (("train", count), ("val", 64), ("test", 64)):
            with archive.open(f"{split}_labels.npy", "w") as file:
                np.save(file, (np.arange(images) % 2)[:, None])
            with archive.open(f"{split}_images.npy", "w", force_zip64=True) as file:
                shape = (images, SIDE, SIDE, 3)
                about = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, about)
                for start in range(0, images, 64):
                    block = rng.integers(0, 8, (min(64, images - start), *shape[1:]), np.uint8)
                    file.write(block * 32 + np.uint8(start % 32))


def speed(path: Path) -> None:
    """Batches from disk, once the file is in the system's cache, against batches from memory."""
    count = 64 * BATCH
    there = datasets.load(path, in_memory=False).train.first(count)
    here = datasets.Split(np.array(there.images), there.labels)
    sides = {name: Sampler(split, BATCH) for name, split in (("memory", here), ("disk", there))}
    times = in_turn({name: lambda s=s: [len(b) for b in s.epoch(0, 0)] for name, s in sides.items()})
    rate = {name: count / elapsed for name, elapsed in times.items()}
    print(
        f"batches of {SIDE} px RGB: memory {rate['memory']:,.0f} images/s, disk {rate['disk']:,.0f}: "
        f"{rate['disk'] / rate['memory']:.2f} x (target 0.5)",
        flush=True,
    )


def training(path: Path, out: Path) -> None:
    """One epoch of an autoencoder in a process of its own; the most memory that it had."""
    limited = os.name == "posix" and os.geteuid() == 0 and GROUP.parent.is_dir()
    if limited:
        GROUP.mkdir(exist_ok=True)
        (GROUP / "memory.limit_in_bytes").write_text(str(LIMIT))
    enter = (lambda: (GROUP / "cgroup.procs").write_text(str(os.getpid()))) if limited else None
    started, most = time.perf_counter(), 0
    with subprocess.Popen([sys.executable, "-c", TRAIN, str(path), str(out)], preexec_fn=enter) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                most = max(most, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.05)
    print(
        f"training {'in a control group of 2 GB' if limited else 'without a limit'}: exit code "
        f"{process.returncode}, {time.perf_counter() - started:.0f} s, at most {most / 1e9:.2f} GB resident"
    )
    if limited:
        GROUP.rmdir()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=6)
    count = int(parser.parse_args().gigabytes * 1e9 / (3 * SIDE**2))
    print(machine())
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder) / "large.npz"
        write(path, count)
        packed, size = path.stat().st_size / 1e9, count * 3 * SIDE**2 / 1e9
        print(f"{count:,} images of {SIDE} px RGB, {size:.1f} GB, {packed:.1f} GB packed", flush=True)
        training(path, Path(folder) / "run")
        speed(path)


if __name__ == "__main__":
    main()

"""How much memory arrays may take, on a machine or in a container."""

import contextlib
from pathlib import Path

import psutil

from medgen_course.datasets.errors import problem


def memory_limit() -> int:
    """Bytes that arrays may take: 80 % of the memory that is available now."""
    return int(0.8 * available_memory())


def available_memory() -> int:
    """Bytes that this process may still take: what the machine has, or its container where that is less."""
    own = psutil.Process().memory_info().rss
    limits = (int(text) - own for text in _container_limits() if text.isdecimal())
    return max(0, min(psutil.virtual_memory().available, *limits, 1 << 62))


def _container_limits() -> list[str]:
    """What the control groups of this process say (Linux, both versions), as they write it."""
    found = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, place = line.split(":", 2)
            if controllers in ("", "memory"):  # version 2, version 1
                root = Path("/sys/fs/cgroup", controllers)
                name = "memory.limit_in_bytes" if controllers else "memory.max"
                for folder in (root / place.lstrip("/"), root):  # a container sees its own group as the root
                    with contextlib.suppress(OSError):
                        found.append((folder / name).read_text().strip())
    return found


def check_memory(path: Path, wanted: int, limit: int | None) -> None:
    """Raise DatasetError if `wanted` bytes are more than `limit` (None: `memory_limit()`)."""
    limit = memory_limit() if limit is None else limit
    if wanted > limit:
        raise problem(
            path,
            f"arrays that would take {wanted:,} bytes of memory",
            f"at most {limit:,}",
            "use a smaller image size, save fewer images, or use a machine with more memory",
        )

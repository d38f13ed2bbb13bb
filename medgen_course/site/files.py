"""An explorer as the page fetches it: words and numbers as JSON, arrays in one file, networks as ONNX."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from medgen_course.files import write_atomically, write_text
from medgen_course.site.live import Live


def write_live(live: Live, out: Path) -> None:
    """Write an explorer's files into `out/live/NAME/`.

    An array stands in the JSON as {"$array": [type, first byte, length]} and lies, flat, in NAME.bin.
    """
    folder, blob = out / "live" / live.name, bytearray()
    about = {"title": live.title, "sentence": live.sentence, "note": live.weights_note}
    about |= {"models": sorted(live.models), "data": _plain(live.data, blob)}
    write_text(folder / f"{live.name}.json", json.dumps(about, ensure_ascii=False, allow_nan=False))
    write_bytes(folder / f"{live.name}.bin", bytes(blob))
    for name, content in live.models.items():
        write_bytes(folder / f"{name}.onnx", content)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    write_atomically(path, lambda partial: partial.write_bytes(content))


def _plain(value: Any, blob: bytearray) -> Any:
    if isinstance(value, np.ndarray):
        blob.extend(bytes(-len(blob) % 8))
        start = len(blob)
        blob.extend(np.ascontiguousarray(value).tobytes())
        return {"$array": [value.dtype.name, start, value.size]}
    if isinstance(value, dict):
        return {str(key): _plain(part, blob) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, blob) for part in value]
    return value.item() if isinstance(value, np.generic) else value

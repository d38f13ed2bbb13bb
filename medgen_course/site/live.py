"""What an explorer needs to live on a page: networks, numbers, words."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Live:
    """One explorer for the page.

    name: of its folder and its JavaScript. title, sentence: for the reader. models: ONNX files by name.
    data: words and numbers; arrays in it go into a file of their own. weights_note: where weights come from.
    """

    name: str
    title: str
    sentence: str
    models: dict[str, bytes] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    weights_note: str = ""

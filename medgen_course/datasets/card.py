"""How a data set presents itself, as text and HTML: what it holds, where it is from, what not to overlook."""

from html import escape
from typing import Any

MAX_LABELS = 20  # more would fill the screen


def facts(dataset: Any) -> list[tuple[str, str]]:
    """Return (title, text) pairs of a `datasets.Dataset`, in the order in which they are shown."""
    counts = " · ".join(f"{name} {len(split):,}" for name, split in dataset.splits().items())
    labels = [f"{number} = {name}" for number, name in enumerate(dataset.label_names[:MAX_LABELS])]
    if len(dataset.label_names) > MAX_LABELS:
        labels.append(f"and {len(dataset.label_names) - MAX_LABELS} more")
    kind = "grey" if dataset.channels == 1 else "RGB"
    pairs = [
        ("images", f"{dataset.size} × {dataset.size} pixels, {kind}, uint8 from 0 to 255"),
        ("splits", counts),
        ("labels", f"{'; '.join(labels)} ({dataset.task})"),
        ("extras", ", ".join(dataset.train.extras)),
        ("source", dataset.source),
        ("licence", dataset.licence),
    ]
    return [(title, text) for title, text in pairs if text]


def text(dataset: Any) -> str:
    """Return the facts as lines of text, below the notice if there is one."""
    lines = [dataset.name, *(f"  {title:8}{text}" for title, text in facts(dataset))]
    return "\n".join([f"*** {dataset.notice} ***", *lines] if dataset.notice else lines)


def html(dataset: Any) -> str:
    """Return the facts as a table, below a red banner with the notice if there is one; texts are escaped."""
    banner = (
        '<div role="alert" style="border:3px solid #c00000;background:#fff0f0;color:#7a0000;padding:8px 12px;'
        f'margin:0 0 8px;font-size:115%;font-weight:bold;max-width:60em">{escape(dataset.notice)}</div>'
    )
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left;vertical-align:top;padding:2px 14px 2px 0">{title}</th>'
        f'<td style="text-align:left;padding:2px 0;white-space:normal">{escape(text)}</td></tr>'
        for title, text in facts(dataset)
    )
    caption = (
        f'<caption style="text-align:left;font-weight:bold;padding:2px 0">{escape(dataset.name)}</caption>'
    )
    table = f'<table style="border-collapse:collapse;max-width:60em">{caption}{rows}</table>'
    return banner + table if dataset.notice else table

"""What the controls of an explorer are called, say and can do, read from the widgets themselves."""

from typing import Any

import ipywidgets as widgets


def described(**controls: widgets.Widget) -> dict[str, dict[str, Any]]:
    """Controls by name: label and hint, with a range, a list of options, or neither."""
    return {name: _described(control) for name, control in controls.items()}


def _described(control: widgets.Widget) -> dict[str, Any]:
    about = {"label": control.description, "hint": control.tooltip}
    if isinstance(control, widgets.Button):
        return about
    if isinstance(control, widgets.Dropdown | widgets.SelectionSlider):
        steps = {"steps": True} if isinstance(control, widgets.SelectionSlider) else {}
        texts = [text for text, _ in _pairs(control.options)]
        return about | steps | {"options": texts, "value": control.index}
    if isinstance(control, widgets.Checkbox):
        return about | {"value": control.value}
    step = getattr(control, "step", 1)
    return about | {"min": control.min, "max": control.max, "step": step, "value": control.value}


def _pairs(options) -> list[tuple[str, Any]]:
    return [option if isinstance(option, tuple) else (str(option), option) for option in options]

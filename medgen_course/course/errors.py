"""Errors that an executed notebook holds although its execution was called a success."""

from collections.abc import Iterator
from typing import Any

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def hidden_errors(executed: Any) -> list[str]:
    """Look where papermill does not.

    Args:
        executed: a notebook node after execution, widget state included.
    Returns:
        One line an error: those shown in a cell, those caught by an Output widget (`interact` does that),
        those of a thread, and cells that were never reached (after `exit()`).
    """
    return [*_in_cells(executed), *_in_widgets(executed)]


def _in_cells(executed: Any) -> Iterator[str]:
    for number, cell in enumerate(executed.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        if cell.get("execution_count") is None:
            yield f"cell {number} was never executed: {cell.source.strip().splitlines()[0]}"
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield f"cell {number}: {output.ename}: {output.evalue}"
            elif output.output_type == "stream" and "Exception in thread" in output.text:
                yield f"cell {number}, in a thread: {output.text.strip().splitlines()[-1]}"


def _in_widgets(executed: Any) -> Iterator[str]:
    state = executed.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for model in state.values():
        if model.get("model_name") == "OutputModel":
            for output in model.get("state", {}).get("outputs", []):
                if output.get("output_type") == "error":
                    yield f"inside a widget: {output.get('ename')}: {output.get('evalue')}"

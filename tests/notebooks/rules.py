"""What a committed notebook must fulfil (CONTRIBUTING.md), as a list of what it does not."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from class_rules import broken_class_rules

from medgen_course.course.notebooks import SOURCE_MIME
from medgen_course.course.stored import MOST_BYTES, source_hash

MOST_LINES = 15
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|tmp|Users)/\w|[A-Z]:\\\\Users")


def broken_rules(notebook: Any) -> list[str]:
    """One line for every rule that a notebook node breaks."""
    return [*_about(notebook), *_parameters(notebook), *_code(notebook), *_test_split(notebook),
            *broken_class_rules(notebook), *_stored(notebook)]  # fmt: skip


def _about(notebook: Any) -> Iterator[str]:
    about = notebook.metadata.get("medgen", {})
    if missing := {"title", "minutes", "budget_s", "quick"} - set(about):
        yield f"metadata.medgen lacks {sorted(missing)}"
    if not notebook.cells or not notebook.cells[0].source.startswith("# "):
        yield "the first cell is not a title"
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernelspec is not python3"


def _parameters(notebook: Any) -> Iterator[str]:
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        yield f"{len(cells)} cells are tagged parameters"
        return
    found = {}
    for line in filter(None, map(str.strip, cells[0].source.splitlines())):
        try:
            [statement] = ast.parse(line).body or [None]
            found[statement.target.id] = ast.literal_eval(statement.value)
        except (ValueError, AttributeError, SyntaxError):
            yield f"not `name: type = literal  # comment` in the parameters cell: {line}"
            continue
        if "#" not in line:
            yield f"a parameter without a comment: {line}"
    if found.get("dataset") != "pneumoniamnist" or not isinstance(found.get("seed"), int):
        yield "the parameters cell lacks dataset = pneumoniamnist or an integer seed"
    if unknown := set(notebook.metadata.get("medgen", {}).get("quick", {})) - set(found):
        yield f"the quick profile names unknown parameters {sorted(unknown)}"


def _code(notebook: Any) -> Iterator[str]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    own = [cell for cell in code if "install" not in cell.metadata.get("tags", [])]
    if "use_style()" not in "".join(cell.source for cell in own[:2]):
        yield "none of the first two code cells calls plots.use_style()"
    for cell in code:
        first = cell.source.splitlines()[0] if cell.source else "an empty cell"
        if (lines := len(cell.source.splitlines())) > MOST_LINES:
            yield f"{lines} lines in the cell that begins {first!r}"
        if "NBVAL_CHECK_OUTPUT" in cell.source and not cell.outputs:
            yield f"nothing stored to compare with: {first!r}"
        if {"raises-exception", "nbval-skip"} & set(cell.metadata.get("tags", [])):
            yield f"a tag hides errors from nbval: {first!r}"
    if not any("NBVAL_CHECK_OUTPUT" in cell.source for cell in code):
        yield "no cell is marked NBVAL_CHECK_OUTPUT"


def _test_split(notebook: Any) -> Iterator[str]:
    """Only one section reads the test split, the last that does, and it says so.

    A cell tagged `audit` may read it earlier: it compares the splits as data, and no model is involved.
    """
    sections, reading = [""], []  # the text of each section; (its number, the line) wherever test is read
    for cell in notebook.cells:
        if cell.cell_type != "code":
            if cell.source.startswith("## "):
                sections.append("")
            sections[-1] += cell.source
        elif "audit" not in cell.metadata.get("tags", []):
            reading += [(len(sections) - 1, line) for line in _reads_of_test(cell.source)]
    last = max((section for section, _ in reading), default=0)
    for section, line in reading:
        if section != last:
            yield f"the test split is read before the last section that reads it: {line}"
    if reading and "test split" not in sections[last]:
        yield "the section that reads the test split does not say `test split`"


def _reads_of_test(source: str) -> Iterator[str]:
    """Lines with `.test` or `test_images`, or that ask a function for the split "test"."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        attribute = isinstance(node, ast.Attribute) and node.attr in ("test", "test_images")
        called = isinstance(node, ast.Call) and any(
            isinstance(given, ast.Constant) and given.value == "test"
            for given in (*node.args, *(keyword.value for keyword in node.keywords))
        )
        if attribute or called:
            yield lines[node.lineno - 1].strip()


def _stored(notebook: Any) -> Iterator[str]:
    text = json.dumps(notebook, ensure_ascii=False)
    if len(text.encode()) > MOST_BYTES:
        yield f"{len(text.encode()) / 1e6:.2f} MB, at most 1 MB"
    if "widgets" in notebook.metadata or "widget-view+json" in text:
        yield "widget state is stored"
    if "papermill" in notebook.metadata or any("papermill" in cell.metadata for cell in notebook.cells):
        yield "papermill's notes are stored"
    if match := MACHINE_PATH.search(text):
        yield f"a path of one machine is stored: {text[match.start() - 20 : match.end() + 20]}"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield "not executed from top to bottom"
    outputs = [output for cell in code for output in cell.outputs]
    if any(output.output_type == "error" for output in outputs):
        yield "an error is stored"
    sources = [output.data[SOURCE_MIME] for output in outputs if SOURCE_MIME in output.get("data", {})]
    if not sources or any(source["notice"] for source in sources):
        yield "not executed on real images (or no data set is shown)"
    if not any("image/png" in output.get("data", {}) for output in outputs):
        yield "no figure is stored"
    pictures = [output.get("metadata", {}) for output in outputs if "image/png" in output.get("data", {})]
    if silent := sum(not about.get("image/png", {}).get("alt") for about in pictures):
        yield f"{silent} figures have no alternative text"
    if notebook.metadata.get("medgen", {}).get("executed_source") != source_hash(notebook):
        yield "the stored outputs do not belong to the code: run `make notebooks`"

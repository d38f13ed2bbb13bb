"""Lines that only a notebook understands (`%time`, `!ls`) in a student's cell, made into plain Python.

Who has left `%%time` above a right solution has solved the exercise. Magics themselves do nothing here.
"""

import ast
import re
import tokenize

from medgen_course.classroom.names import UNREADABLE

PYTHON = ("time", "timeit", "capture", "prun")  # cell magics whose cell is Python


def plain(source: str) -> str:
    """A cell without magics.

    Args:
        source: of a code cell.
    Returns:
        The source itself where it is Python, or where nothing makes it Python; else Python in which magics
        and shell lines do nothing. A cell in another language is empty.
    """
    if _reads(source):
        return source
    head, _, body = source.lstrip().partition("\n")
    if head.startswith("%%"):
        return plain(body) if head[2:].split()[:1] and head[2:].split()[0] in PYTHON else ""
    from IPython.core.inputtransformer2 import TransformerManager

    source = re.sub(r"^([ \t]*)%time[ \t]+(?=\S)", r"\1", source, flags=re.MULTILINE)  # its line is Python
    try:
        made = TransformerManager().transform_cell(source)
    except (*UNREADABLE, tokenize.TokenError):
        return source
    made = re.sub(r"get_ipython\(\)\.\w+(?=\()", "(lambda *_: None)", made)
    return made if _reads(made) else source


def _reads(source: str) -> bool:
    try:
        ast.parse(source)
    except UNREADABLE:
        return False
    return True

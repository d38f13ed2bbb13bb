"""Which names a cell binds and which it uses, read from its source without running it."""

import ast
import symtable
from dataclasses import dataclass

UNREADABLE = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)  # what ast says of odd sources
CHANGES = {"fit", "load_state_dict", "append", "update", "extend", "step"}  # calls that change an argument


@dataclass(frozen=True)
class Names:
    """bound: by the cell itself; used: anywhere in it, functions included; changed: handed to `fit` or so."""

    bound: frozenset[str]
    used: frozenset[str]
    changed: frozenset[str]


def names(source: str) -> Names:
    """The names of a code cell.

    Args:
        source: Python; what cannot be read binds and uses nothing (it will fail when it is run).
    """
    try:
        top, tree = symtable.symtable(source, "cell", "exec"), ast.parse(source)
    except UNREADABLE:
        return Names(frozenset(), frozenset(), frozenset())
    symbols = top.get_symbols()
    bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}
    used = {s.get_name() for s in symbols if s.is_referenced()} | set(_inside(top))
    changed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in CHANGES:
                parts = [*node.args, *(k.value for k in node.keywords)]
                parts += [node.func.value] if isinstance(node.func, ast.Attribute) else []
                changed |= {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)}
    return Names(frozenset(bound), frozenset(used), frozenset(changed))


def _inside(table: symtable.SymbolTable):
    """Names of the cell that its functions, classes and comprehensions use."""
    for child in table.get_children():
        yield from (s.get_name() for s in child.get_symbols() if s.is_global() and s.is_referenced())
        yield from _inside(child)

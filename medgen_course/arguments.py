"""The command line from signatures and docstrings; what is wrong with it is told in one line."""

import argparse
import inspect
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NoReturn, get_args, get_origin

from docstring_parser import parse as parse_docstring

from medgen_course.files import expanded


class Parser(argparse.ArgumentParser):
    """One of argparse that wants options whole and says in one line what is wrong, with exit code 2."""

    def __init__(self, **settings: Any):
        super().__init__(allow_abbrev=False, **settings)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[argparse.Namespace, list]:
        """As in argparse, but each command complains itself of what it does not know."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"there is no {' '.join(unknown)} here")
        return namespace, unknown

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, where the options are told, and leave."""
        if message.endswith("expected one argument"):
            message += "; one that starts with a dash needs an equals sign: --domains=-1,0"
        told = " ".join(message.removeprefix("argument ").split())
        print(f"{self.prog}: {told}. For what there is: {self.prog} --help", file=sys.stderr)
        sys.exit(2)


def text(word: str) -> str:
    """A word that is not empty."""
    if not word.strip():
        raise argparse.ArgumentTypeError("nothing was given; expected a name")
    return word


def path(word: str) -> Path:
    """A path; `~` is replaced where the shell did not do it."""
    try:
        return expanded(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from error


def whole(word: str) -> int:
    """A whole number."""
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} was given; expected a whole number, like 3") from None


def number(word: str) -> float:
    """A finite number."""
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{word!r} was given; expected a finite number, like 0.5")
    return value


READ = {str: text, Path: path, int: whole, float: number}  # what is made of a word


def add_options(
    parser: argparse.ArgumentParser, function: Callable, positional: Sequence[str] = (), shared: Any = None
) -> None:
    """An option for each parameter of a function; those of `positional` have no dashes.

    Args:
        parser: gets the options.
        function: whose docstring has the help texts.
        positional: its parameters that are named by their place; with the default None one word may be left
            out, with () there may be any number.
        shared: a dataclass object; its fields take the place of `**settings`, its values are the defaults.
    """
    documented = parse_docstring(function.__doc__).params
    if shared:
        documented = [*documented, *parse_docstring(shared.__doc__).params]
    helps = {parameter.arg_name: parameter.description for parameter in documented}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            for field in fields(shared):
                _add(parser, field.name, field.type, getattr(shared, field.name), helps[field.name])
        else:
            of_place = name in positional
            _add(parser, name, parameter.annotation, parameter.default, helps[name], of_place)


def _add(
    parser: argparse.ArgumentParser, name: str, kind: Any, default: Any, told: str, positional: bool = False
) -> None:
    """One option; one without a default must be given."""
    required = default is inspect.Parameter.empty
    silent = required or default is None or default is False or default == ()
    known = "" if silent else f" (default: {default})"
    settings: dict[str, Any] = {"help": (told + known).replace("%", "%%")}
    if kind is bool:
        settings["action"] = "store_true"
    elif positional and not required:
        settings |= {"nargs": "?" if default is None else "*", "type": text, "default": default}
    elif get_origin(kind) is Literal:
        settings["choices"] = get_args(kind)
    else:
        parts = get_args(kind) if isinstance(kind, UnionType) else (kind,)
        [plain] = [part for part in parts if part is not NoneType]
        if get_origin(plain) is tuple:  # as many words as it has places
            settings["nargs"], plain = len(get_args(plain)), get_args(plain)[0]
        settings["type"] = READ[plain]
    if not positional:
        settings |= {"required": True} if required else {"default": default}
    parser.add_argument(name if positional else f"--{name.replace('_', '-')}", **settings)

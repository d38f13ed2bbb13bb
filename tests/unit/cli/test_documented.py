"""Every `medgen` command that README and docs show can be read by the command line as it is."""

import re
import shlex
from pathlib import Path

import pytest

from medgen_course import cli

REPOSITORY = Path(__file__).parents[3]
PAGES = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "data/README.md")]
PAGES += sorted((REPOSITORY / "docs").glob("*.md"))
COMMAND = re.compile(r"(?:^|\s)(?:medgen|-m medgen_course\.cli) (?!medgen)(.+)$", re.MULTILINE)


def commands(page):
    """What follows `medgen` in blocks of code, continued lines joined."""
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    return COMMAND.findall(blocks.replace("\\\n", " "))


SHOWN = [(page.relative_to(REPOSITORY).as_posix(), words) for page in PAGES for words in commands(page)]


@pytest.fixture(scope="module")
def parser():
    return cli.parser()


def test_pages_show_commands():
    assert len(SHOWN) > 30 and {"README.md", "docs/own-images.md"} <= {page for page, _ in SHOWN}


@pytest.mark.parametrize(("page", "words"), SHOWN)
def test_a_shown_command_has_the_options_that_there_are(parser, page, words):
    parser.parse_args(shlex.split(words, comments=True))

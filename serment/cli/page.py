"""What `--help` shows, drawn here: the library's own page speaks English only, and cuts sentences short.

Order: a list of a page, the page, the front page. The front page is told from the names of the parts alone,
so that it answers before any part, or the library, is imported.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from serment.cli.speech import told

PROGRAM = "serment"
PARTS = (
    "init",
    "serve",
    "unlock",
    "doctor",
    "token",
    "import",
    "demo",
    "record",
    "account",
    "access",
    "ledger",
    "keys",
    "store",
    "quarantine",
    "address",
    "provider",
    "client",
    "certificate",
    "profile",
    "config",
)
"""The commands and groups of the first level. Each is a module beside this one, which adds it."""

WIDEST = 110
NARROWEST = 50
LONGEST_NAME = 30
"""Columns of a name that shares its line with its sentence; a longer one stands above it."""


class Section(NamedTuple):
    """One list of a page: its title, then each name with its sentence."""

    title: str
    rows: Sequence[tuple[str, str]]


def drawn(usage: Sequence[str], purpose: str, sections: Sequence[Section]) -> str:
    """Draw a page as wide as the terminal. Lists without a row are left out."""
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))
    parts = [_folded(f"{told('cli.page-usage')} {' '.join(usage)}", width, 4), _folded(purpose, width, 2, 2)]
    parts += ["\n".join((one.title, *_rows(one.rows, width))) for one in sections if one.rows]
    return "\n\n".join(parts) + "\n"


def front() -> str:
    """Draw the page of the whole program."""
    commands = [(name, told(f"cli.help-{name}")) for name in PARTS]
    help_ = [("--help", told("cli.option-help"))]
    sections = [
        Section(told("cli.page-options"), help_),
        Section(told("cli.page-commands"), commands),
    ]
    usage = (PROGRAM, told("cli.page-any-option"), told("cli.page-any-command"))
    return drawn(usage, told("cli.help"), sections)


def _rows(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Draw names in one column and sentences, folded, in the other."""
    column = min(LONGEST_NAME, max(len(name) for name, _ in rows)) + 4
    for name, sentence in rows:
        if len(name) > LONGEST_NAME:
            yield f"  {name}"
            yield _folded(sentence, width, column, column)
        else:
            yield _folded(f"  {name:<{column - 2}}{sentence}", width, column)


def _folded(text: str, width: int, indent: int, first: int = 0) -> str:
    """Fold between words only: a name that is longer than the line stands whole."""
    return textwrap.fill(
        text,
        width,
        initial_indent=" " * first,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )

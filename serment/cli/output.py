"""What a command writes: sentences and tables for a person, or one JSON object for a program.

Results go to standard output, everything else (progress, questions, errors) to standard error. With
`--json` nothing but the object is written to standard output, whatever happens.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from serment.cli.speech import told

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 400
"""Columns where nobody looks on: nothing is cut or folded in a pipe."""


class Advance(Protocol):
    """Move a bar."""

    def __call__(self, done: int, all_: int, counted: int | None = None, /) -> None: ...


class Output:
    """The two ways to answer. `json` chooses."""

    def __init__(self, json_: bool) -> None:
        self.json = json_

    def say(self, sentence: str, **parameters: object) -> None:
        """Say one sentence to a person."""
        self.line(told(sentence, **parameters))

    def line(self, text: str = "") -> None:
        """Write one line for a person as it is, never folded: addresses stay whole."""
        if not self.json:
            sys.stdout.write(f"{text}\n")

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Show a table to a person."""
        if self.json:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(*titles, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console = _console()
        with console.capture() as written:
            console.print(table)
        self.line("\n".join(row.rstrip() for row in written.get().rstrip().splitlines()))

    def result(self, **values: Any) -> None:
        """Give the object of this command to a program."""
        if self.json:
            sys.stdout.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()

    @contextmanager
    def progress(self, sentence: str) -> Iterator[Advance]:
        """Lend a bar with its rate and the time left: `advance(done, all, what counts)`.

        Where the work is measured in one thing (bytes) and counted in another (resources), the third
        number is the count whose rate is shown; by default it is the first.
        """
        if self.json or not sys.stderr.isatty():
            yield lambda _done, _all, _counted=None: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        rate = TextColumn("{task.fields[counted]}  {task.fields[rate]}/s")
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            rate,
            TimeRemainingColumn(),
        )
        start = monotonic()
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(told(sentence), total=None, counted=0, rate=0)

            def advance(done: int, all_: int, counted: int | None = None) -> None:
                count = done if counted is None else counted
                each = count / max(monotonic() - start, 1e-6)
                bar.update(task, completed=done, total=all_, counted=grouped(count), rate=grouped(each))

            yield advance


def grouped(number: float) -> str:
    """Write a whole number in groups of three, parted as SI writes them, in every language."""
    return f"{number:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def local_time(milliseconds: int) -> str:
    """Write an instant as the terminal's clock shows it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _console() -> Console:
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=WIDE)


def complain(sentence: str, text: str, json_: bool, code: int) -> int:
    """Write an error where it belongs and give the exit code."""
    if json_:
        sys.stdout.write(json.dumps({"error": sentence, "sentence": text}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{text}\n")
    return code

"""What a command writes: sentences and tables for a person, or one JSON object for a program.

Results go to standard output, everything else (progress, questions, errors) to standard error. With
`--json` nothing but the object is written to standard output, whatever happens.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from serment.cli.speech import told

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[int, int], None]
WIDE = 400
"""Columns where nobody looks on: nothing is cut or folded in a pipe."""


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
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(*titles, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        _console().print(table)

    def result(self, **values: Any) -> None:
        """Give the object of this command to a program."""
        if self.json:
            sys.stdout.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()

    @contextmanager
    def progress(self, sentence: str) -> Iterator[Progress]:
        """Lend a bar with count, rate and time left: `advance(done, all)`."""
        if self.json or not sys.stderr.isatty():
            yield lambda _done, _all: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _rate(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(told(sentence), total=None)
            yield lambda done, all_: bar.update(task, completed=done, total=all_)


def _rate() -> Any:
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        """How many a second."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.0f}/s")

    return Rate()


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

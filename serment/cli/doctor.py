"""`serment doctor`: what is well, what deserves attention, what is broken, and what to do about it.

Exit codes: 0 all well or only worth attention, 4 something stored is not what was written, 6 something
that Serment needs is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from serment.cli.options import Directory, Json, Port, chosen
from serment.cli.output import Output
from serment.cli.speech import told
from serment.errors import DependencyError, IntegrityError

if TYPE_CHECKING:
    from serment.cli.checks import Check

MARKS = {"green": "✓", "yellow": "!", "red": "✗"}


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", help=told("cli.help-doctor"))(doctor)


def doctor(directory: Directory = None, port: Port = None, json: Json = False) -> None:
    """Look at everything that can be looked at without a key."""
    from serment.cli import checks

    out = Output(json)
    found = checks.examine(chosen(directory, port))
    for check in found:
        _say(out, check)
    code = _code(found)
    out.result(healthy=code == 0, checks=[check.json() for check in found])
    if code:
        raise typer.Exit(code)


def _say(out: Output, check: Check) -> None:
    if not out.json:
        mark = typer.style(MARKS[check.light.value], fg=check.light.value)
        typer.echo(f"{mark} {check.said}")
        if check.advice:
            typer.echo(f"    {check.advice}")


def _code(found: list[Check]) -> int:
    red = [check for check in found if check.light.value == "red"]
    if any(check.integrity for check in red):
        return IntegrityError.exit_code
    return DependencyError.exit_code if red else 0

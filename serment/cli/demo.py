"""`serment demo`: an installation of invented people, served until Ctrl-C; and its thieves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serment.cli.options import Json, Port, group, option
from serment.cli.speech import told
from serment.errors import RequestError


def add(app: typer.Typer) -> None:
    """Add the command and its sub-command. `serment demo` alone serves."""
    commands = group(told("cli.help-demo"), alone=False)
    commands.callback(invoke_without_command=True)(demo)
    commands.command("attack", help=told("cli.help-demo-attack"))(attack)
    app.add_typer(commands, name="demo")


def demo(
    context: typer.Context,
    patients: Annotated[int, option("cli.option-patients", "cli.value-number", least=10, most=20_000)] = 200,
    port: Port = None,
    seed: Annotated[int, option("cli.option-seed", "cli.value-number")] = 2026,
    also: Annotated[Path | None, option("cli.option-also", "cli.value-directory")] = None,
    json: Json = False,
) -> None:
    """Make a demonstration store, print its links, and serve it."""
    if also is not None and not also.exists():
        raise RequestError("cli.nothing-there")
    if context.invoked_subcommand is None:
        from serment.demo.show import show

        show(patients, seed, port, also=also, as_json=json)


def attack(json: Json = False) -> None:
    """Let the thieves try, and say what each did and got."""
    from rich.console import Console

    from serment.cli.output import Output
    from serment.demo.attack import run

    out = Output(json)
    code = run(Console(quiet=json))
    out.result(stopped=code == 0)
    raise typer.Exit(code)

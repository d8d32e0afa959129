"""`serment demo`: an installation of invented people, served until Ctrl-C; and its thieves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serment.cli.options import Json, Port
from serment.cli.speech import told


def add(app: typer.Typer) -> None:
    """Add the command and its sub-command. `serment demo` alone serves."""
    commands = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=told("cli.help-demo"),
    )
    commands.callback(invoke_without_command=True)(demo)
    commands.command("attack", help=told("cli.help-demo-attack"))(attack)
    app.add_typer(commands, name="demo")


def demo(
    context: typer.Context,
    patients: Annotated[int, typer.Option(min=10, max=20_000, help=told("cli.option-patients"))] = 200,
    port: Port = None,
    seed: Annotated[int, typer.Option(help=told("cli.option-seed"))] = 2026,
    also: Annotated[Path | None, typer.Option(exists=True, help=told("cli.option-also"))] = None,
    json: Json = False,
) -> None:
    """Make a demonstration store, print its links, and serve it."""
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

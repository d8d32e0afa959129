"""`serment demo`: an installation of invented people, served until Ctrl-C."""

from __future__ import annotations

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    patients: int = typer.Option(200, min=10, help="How many invented patients."),
    port: int = typer.Option(None, help="TCP port; default SERMENT_PORT or 8080."),
    seed: int = typer.Option(2026, help="The same seed makes the same people."),
) -> None:
    """Make a demonstration store, print its links, and serve it."""
    from serment.demo.show import show

    show(patients, seed, port)

"""`serment quarantine`: what an import set aside, why, and trying it again."""

from __future__ import annotations

import typer

from serment.cli.options import group
from serment.cli.speech import told


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-quarantine"))
    app.add_typer(commands, name="quarantine")

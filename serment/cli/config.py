"""`serment config`: the settings in force, where each comes from and what it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from serment import settings
from serment.cli.options import Directory, Json, chosen, group, option
from serment.cli.output import Output
from serment.cli.speech import told


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-config"))
    commands.command("show", help=told("cli.help-config-show"))(show)
    app.add_typer(commands, name="config")


def show(
    defaults: Annotated[bool, option("cli.option-defaults", "", "--defaults")] = False,
    directory: Directory = None,
    json: Json = False,
) -> None:
    """Show every setting. Nothing secret is a setting."""
    out = Output(json)
    here = settings.read({}, directory) if defaults else chosen(directory)
    rows = [
        Row(name, str(getattr(here, name)), _origin(name, directory, defaults=defaults))
        for name in settings.VARIABLES
    ]
    titles = ("cli.title-setting", "cli.title-value", "cli.title-origin", "cli.title-what")
    out.table([told(title) for title in titles], [row.shown() for row in rows])
    out.result(settings={row.name: row.json() for row in rows})


class Row(NamedTuple):
    """One setting as it is shown: its name, its value, and where that comes from."""

    name: str
    value: str
    origin: str

    def shown(self) -> tuple[str, ...]:
        """Give the cells for a person."""
        origin, what = told(f"cli.origin-{self.origin}"), told(f"settings.{self.name}")
        return settings.VARIABLES[self.name], self.value, origin, what

    def json(self) -> dict[str, str]:
        """Give the object for a program."""
        return {"value": self.value, "from": self.origin, "variable": settings.VARIABLES[self.name]}


def _origin(name: str, directory: Path | None, *, defaults: bool) -> str:
    if name == "directory" and directory is not None:
        return "option"
    return "variable" if settings.is_given(name) and not defaults else "default"

"""The options that commands share, and the settings that come of them.

Every command takes `--json`; those that need an installation take `--directory`; those that may have
to open it take `--passphrase-file`. No secret is ever an argument: the list of processes shows those.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.models import ArgumentInfo, OptionInfo

from serment import settings
from serment.cli.speech import told
from serment.cli.spoken import Group, Tree
from serment.settings import MOST_WORKERS, Settings


def option(
    help_: str, value: str = "", *names: str, least: int | None = None, most: int | None = None
) -> OptionInfo:
    """Make an option from two sentences: what it is for, and what stands for its value ("" for a switch)."""
    info: OptionInfo = typer.Option(
        *names, metavar=told(value) if value else None, help=told(help_), min=least, max=most
    )
    return info


def argument(help_: str, value: str) -> ArgumentInfo:
    """Make an argument from two sentences: what it is, and what stands for it."""
    info: ArgumentInfo = typer.Argument(metavar=told(value), help=told(help_))
    return info


Json = Annotated[bool, option("cli.option-json", "", "--json")]
Directory = Annotated[Path | None, option("cli.option-directory", "cli.value-directory", "--directory", "-d")]
PassphraseFile = Annotated[
    Path | None, option("cli.option-passphrase-file", "cli.value-file", "--passphrase-file")
]
Port = Annotated[int | None, option("cli.option-port", "cli.value-number", "--port", least=0, most=65_535)]

Workers = Annotated[
    int | None, option("cli.option-workers", "cli.value-number", "--workers", least=1, most=MOST_WORKERS)
]


def group(help_: str, *, alone: bool = True) -> typer.Typer:
    """Make a group of commands that reads like the others. With `alone` its name alone asks for help."""
    return Tree(
        cls=Group,
        no_args_is_help=alone,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=help_,
    )


def chosen(directory: Path | None, port: int | None = None) -> Settings:
    """Read the settings. Raises `SettingsError`."""
    return settings.read(None, directory, port)

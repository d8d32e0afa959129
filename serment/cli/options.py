"""The options that commands share, and the settings that come of them.

Every command takes `--json`; those that need an installation take `--directory`; those that may have
to open it take `--passphrase-file`. No secret is ever an argument: the list of processes shows those.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serment import settings
from serment.cli.speech import told
from serment.settings import Settings

Json = Annotated[bool, typer.Option("--json", help=told("cli.option-json"))]
Directory = Annotated[
    Path | None, typer.Option("--directory", "-d", metavar="DIR", help=told("cli.option-directory"))
]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help=told("cli.option-passphrase-file"))
]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65_535, help=told("cli.option-port"))]


def group(help_: str) -> typer.Typer:
    """Make a group of commands that reads like the others: plain help, no rich panels (they cost 0.4 s)."""
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"max_content_width": 110},
        help=help_,
    )


def chosen(directory: Path | None, port: int | None = None) -> Settings:
    """Read the settings. Raises `SettingsError`."""
    return settings.read(None, directory, port)

"""`serment store`: prepare a PostgreSQL database, carry the store from one engine to the other."""

from __future__ import annotations

from typing import Annotated

import typer

from serment.cli.options import Directory, Json, chosen, group, option
from serment.cli.output import Output
from serment.cli.speech import told
from serment.errors import RequestError
from serment.settings import VARIABLES, store_address


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-store"))
    commands.command("prepare", help=told("cli.help-store-prepare"))(prepare)
    commands.command("move", help=told("cli.help-store-move"))(move)
    app.add_typer(commands, name="store")


def prepare(
    owner: Annotated[str, option("cli.option-owner", "cli.value-store", "--owner")],
    directory: Directory = None,
    json: Json = False,
) -> None:
    """Make or upgrade the tables as their owner, and give the role of the settings what it needs."""
    from serment import app

    out, settings = Output(json), chosen(directory)
    app.prepare_store(settings, _address(owner))
    out.say("cli.store-prepared")
    out.result(prepared=True)


def move(
    to: Annotated[str, option("cli.option-to", "cli.value-store", "--to")],
    directory: Directory = None,
    json: Json = False,
) -> None:
    """Carry every row to another store, verify the copy, and say what comes next."""
    from serment import app

    out, settings = Output(json), chosen(directory)
    address = _address(to)
    with out.progress("cli.moving") as progress:
        moved = app.move_store(settings, address, progress)
    rows = sum(moved.rows.values())
    out.say("cli.store-moved", rows=rows, size=moved.ledger_size, root=moved.root.hex())
    out.say("cli.store-next", variable=VARIABLES["store"], value=address or "sqlite")
    out.say("cli.store-old")
    out.result(rows=moved.rows, size=moved.ledger_size, root=moved.root.hex(), store=address or "sqlite")


def _address(text: str) -> str:
    """Read an address as the setting is read. Raises `RequestError`, `SettingsError`."""
    try:
        return store_address(text)
    except ValueError:
        raise RequestError("store.pg-address") from None

"""The command tree: all of it, or the one part that a command needs, which is built faster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import typer

from serment.cli import (
    access,
    account,
    address,
    certificate,
    client,
    config,
    demo,
    doctor,
    import_,
    init,
    keys,
    ledger,
    profile,
    provider,
    quarantine,
    record,
    serve,
    store,
    token,
    unlock,
)
from serment.cli.options import group
from serment.cli.page import PARTS
from serment.cli.speech import told


class Part(Protocol):
    """A module of this folder that adds its commands to the tree."""

    def add(self, app: typer.Typer, /) -> None: ...


MODULES: Mapping[str, Part] = {
    "init": init,
    "serve": serve,
    "unlock": unlock,
    "doctor": doctor,
    "token": token,
    "import": import_,
    "demo": demo,
    "record": record,
    "account": account,
    "access": access,
    "ledger": ledger,
    "keys": keys,
    "store": store,
    "quarantine": quarantine,
    "address": address,
    "provider": provider,
    "client": client,
    "certificate": certificate,
    "profile": profile,
    "config": config,
}


def tree(names: Sequence[str] = PARTS) -> typer.Typer:
    """Build the tree with these parts."""
    app = group(told("cli.help"))
    app.callback()(serment)
    for name in names:
        MODULES[name].add(app)
    return app


def needed(arguments: Sequence[str]) -> Sequence[str]:
    """Say which parts a command as typed needs: its own, or all when its first word names none."""
    return [arguments[0]] if arguments and arguments[0] in PARTS else PARTS


def serment() -> None:
    """Begin the tree; a single command would otherwise be the whole program."""

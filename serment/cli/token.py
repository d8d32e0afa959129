"""`serment token`: a bearer secret for a client that tries the demonstration. Production has none."""

from __future__ import annotations

from typing import Annotated

import typer

from serment.cli import opening
from serment.cli.options import Directory, Json, PassphraseFile, chosen, option
from serment.cli.output import Output
from serment.cli.speech import told


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("token", help=told("cli.help-token"))(token)


def token(
    as_: Annotated[str, option("cli.option-as", "cli.value-person", "--as")],
    once: Annotated[bool, option("cli.option-once", "", "--once")] = False,
    purpose: Annotated[str | None, option("cli.option-purpose", "cli.value-purpose")] = None,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Issue a bearer secret, or a one-time code that a browser exchanges for a session."""
    from serment.cli import actors

    out, settings = Output(json), chosen(directory)
    with opening.house(settings, passphrase_file, demo_only="record.demo-only") as house:
        actor = actors.actor(as_)
        to = f"{settings.base}/enter/"
        secret = house.sessions.issue(actor, actors.purpose(actor, purpose), house.passage.clock(), once=once)
        if once:
            out.line(f"{to}{secret}")
            out.result(link=f"{to}{secret}")
        else:
            out.line(secret)
            out.result(token=secret, base=house.base)

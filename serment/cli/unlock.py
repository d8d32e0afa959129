"""`serment unlock`: give the passphrase to the custody of a server that waits for it."""

from __future__ import annotations

import typer

from serment.cli import opening, secret
from serment.cli.options import Directory, Json, PassphraseFile, chosen
from serment.cli.output import Output
from serment.cli.speech import told
from serment.errors import DependencyError


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("unlock", help=told("cli.help-unlock"))(unlock)


def unlock(directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False) -> None:
    """Open custody. It forgets the keys when the server stops, or when `serment keys lock` says so."""
    from serment import app

    out, settings = Output(json), chosen(directory)
    if app.is_made(settings) and not app.custody_runs(settings):
        raise DependencyError("cli.no-server")
    with opening.custody(settings) as custody:
        already = custody.state().phase is app.Phase.OPEN
        if not already:
            app.unlock(settings, custody, secret.passphrase(passphrase_file))
        out.say("cli.already-unlocked" if already else "cli.unlocked")
        out.result(unlocked=True, already=already)

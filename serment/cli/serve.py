"""`serment serve`: custody in its own process, and the server, locked until somebody unlocks it."""

from __future__ import annotations

from dataclasses import replace

import typer

from serment.cli import opening, secret
from serment.cli.options import Directory, Json, PassphraseFile, Port, Workers, chosen
from serment.cli.output import Output
from serment.cli.speech import told
from serment.errors import RefusedError


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", help=told("cli.help-serve"))(serve)


def serve(
    port: Port = None,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Serve until interrupted. On a demonstration store a passphrase file may unlock it at once."""
    from serment import app, serving
    from serment import workers as several

    out, settings = Output(json), chosen(directory, port)
    settings = replace(settings, workers=workers or settings.workers)
    with opening.custody(settings) as custody:
        state = custody.state()
        if passphrase_file is not None:
            if state.kind is not app.StoreKind.DEMO:
                raise RefusedError("cli.unlock-by-hand")
            app.unlock(settings, custody, secret.from_file(passphrase_file))
        listener = (app.listen if settings.workers == 1 else app.reserve)(settings)
        settings = replace(settings, port=listener.getsockname()[1])
        locked = custody.state().phase is not app.Phase.OPEN
        out.say("cli.serving", base=settings.base)
        if locked:
            out.say("cli.serving-locked", base=settings.base, directory=settings.directory)
        out.say("cli.stop")
        out.result(base=settings.base, locked=locked, directory=settings.directory)
        if settings.workers == 1:
            serving.serve(settings, listener, lambda: None)
        else:
            with listener:
                several.serve(settings)

"""`serment certificate`: the host name under which people reach the server, and its certificate.

Passkeys need a host name, never an address, under a certificate that the browser trusts. A site brings its
own or has one made here; `serment doctor` says what fails.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serment.cli.options import Directory, Json, argument, chosen, group, option
from serment.cli.output import Output, local_time
from serment.cli.speech import told
from serment.errors import NotFoundError, RequestError
from serment.settings import Settings

Host = Annotated[str, argument("cli.argument-host", "cli.value-host")]


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-certificate"))
    commands.command("make", help=told("cli.help-certificate-make"))(make)
    commands.command("take", help=told("cli.help-certificate-take"))(take)
    commands.command("show", help=told("cli.help-certificate-show"))(show)
    app.add_typer(commands, name="certificate")


def make(host: Host, directory: Directory = None, json: Json = False) -> None:
    """Make a certificate for a host name, and say which file the machines of the house must trust."""
    from serment import app

    out, settings = Output(json), chosen(directory)
    authority = app.make_certificate(settings, host)
    _say(out, settings)
    out.say("cli.certificate-install", file=authority)
    out.say("cli.certificate-restart")
    out.result(authority=authority, **_object(settings))


def take(
    host: Host,
    certificate: Annotated[Path, option("cli.option-certificate", "cli.value-file", "--certificate")],
    key: Annotated[Path, option("cli.option-key", "cli.value-file", "--key")],
    directory: Directory = None,
    json: Json = False,
) -> None:
    """Take a certificate that the site brings, with its key."""
    from serment import app

    out, settings = Output(json), chosen(directory)
    try:
        app.take_certificate(settings, host, certificate.read_bytes(), key.read_bytes())
    except OSError:
        raise RequestError("cli.cannot-read") from None
    _say(out, settings)
    out.say("cli.certificate-restart")
    out.result(**_object(settings))


def show(directory: Directory = None, json: Json = False) -> None:
    """Say the host name and until when the certificate holds. Raises `NotFoundError` where there is none."""
    out, settings = Output(json), chosen(directory)
    if settings.certificate is None:
        raise NotFoundError("cli.certificate-none")
    _say(out, settings)
    out.result(**_object(settings))


def _say(out: Output, settings: Settings) -> None:
    from serment import app

    now = chosen(settings.directory)
    out.say("cli.certificate-is", host=now.name, until=local_time(app.certificate(now).ends))


def _object(settings: Settings) -> dict[str, object]:
    from serment import app

    now = chosen(settings.directory)
    found = app.certificate(now)
    return {"host": now.name, "base": now.base, "names": list(found.names), "until": found.ends}

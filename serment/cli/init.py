"""`serment init`: make an installation, sealed for ever as demonstration or production."""

from __future__ import annotations

from typing import Annotated

import typer

from serment.cli import secret
from serment.cli.account import people_of
from serment.cli.options import Directory, Json, PassphraseFile, chosen, option
from serment.cli.output import Output
from serment.cli.speech import told
from serment.errors import ConflictError, NotFoundError
from serment.settings import Settings


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", help=told("cli.help-init"))(init)


def init(
    demo: Annotated[bool, option("cli.option-demo", "", "--demo")] = False,
    profile: Annotated[str, option("cli.option-profile", "cli.value-profile", "--profile")] = "practice",
    officer: Annotated[str, option("cli.option-dpo", "cli.value-text", "--dpo")] = "",
    contact: Annotated[str, option("cli.option-dpo-contact", "cli.value-text", "--contact")] = "",
    host: Annotated[str, option("cli.option-host", "cli.value-host", "--host-name")] = "",
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Make the keys, the store and the installation's own records, and say what comes next."""
    from serment import app
    from serment.people.profile import Profile, checked

    out, settings = Output(json), chosen(directory)
    said = checked(Profile(profile, officer.strip(), contact.strip()))
    if host:
        app.check_host(host)
    if _stands(settings):
        raise ConflictError("custody.already-made")
    passphrase = secret.new_passphrase(passphrase_file)
    app.check_passphrase(passphrase)
    settings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    process = app.start_custody(settings)
    try:
        house = app.create(settings, passphrase, demo=demo)
        try:
            people, asking = people_of(house)
            people.profiles.put(asking, said)
        finally:
            house.close()
        if host:
            out.say("cli.certificate-install", file=app.make_certificate(settings, host))
    finally:
        process.stop()
    _say(out, settings, demo=demo)


def _stands(settings: Settings) -> bool:
    """Say whether an installation stands here; a custody that never made its keys is none."""
    from serment import app

    if not app.is_made(settings):
        return False
    try:
        with app.lent_custody(settings):
            return True
    except NotFoundError:
        return (settings.directory / app.STORE_FILE).exists()


def _say(out: Output, settings: Settings, *, demo: bool) -> None:
    from serment import app

    keys = app.custody_directory(settings)
    kind = "demo" if demo else "production"
    out.say(f"cli.init-made-{kind}", directory=settings.directory)
    out.say("cli.init-keys", keys=keys)
    out.say("cli.init-next")
    out.say("cli.init-next-serve", directory=settings.directory)
    out.say("cli.init-next-slot", directory=settings.directory)
    out.say("cli.init-next-spool")
    out.say("cli.init-next-backup")
    if not demo:
        out.say("cli.init-next-accounts")
    out.result(made=kind, directory=settings.directory, keys=keys, regime=settings.regime)

"""`serment profile`: what kind of house this is, and who its data protection officer is."""

from __future__ import annotations

from typing import Annotated

import typer

from serment.cli import opening
from serment.cli.account import people_of
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, group, option
from serment.cli.output import Output
from serment.cli.speech import told


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-profile"))
    commands.command("show", help=told("cli.help-profile-show"))(show)
    commands.command("set", help=told("cli.help-profile-set"))(set_)
    app.add_typer(commands, name="profile")


def show(directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False) -> None:
    """Say the profile, its officer, and who may do what."""
    from serment.people.profile import duties

    out = Output(json)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        profile = people.profiles.get(asking)
    out.say(f"cli.profile-{profile.kind}")
    if profile.officer:
        out.say("cli.profile-officer", name=profile.officer, contact=profile.contact)
    rows = [(deed, sorted(may)) for (kind, deed), may in duties().items() if kind == profile.kind]
    titles = [told("cli.title-deed"), told("cli.title-function")]
    out.table(titles, [(told(f"cli.deed-{deed}"), ", ".join(may)) for deed, may in rows])
    out.result(profile=profile.kind, officer=profile.officer, contact=profile.contact, duties=dict(rows))


def set_(
    kind: Annotated[str, argument("cli.argument-profile", "cli.value-profile")],
    officer: Annotated[str, option("cli.option-dpo", "cli.value-text", "--dpo")] = "",
    contact: Annotated[str, option("cli.option-dpo-contact", "cli.value-text", "--contact")] = "",
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Say what kind of house this is. A hospital names its data protection officer."""
    from serment.people.profile import Profile, checked

    out, profile = Output(json), Profile(kind, officer.strip(), contact.strip())
    checked(profile)
    with opening.house(chosen(directory), passphrase_file) as house:
        people, asking = people_of(house)
        people.profiles.put(asking, profile)
    out.say(f"cli.profile-{kind}")
    out.result(profile=kind, officer=profile.officer, contact=profile.contact)

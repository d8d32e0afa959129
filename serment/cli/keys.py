"""`serment keys`: custody's state, its passphrase slots, and locking at once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from serment.cli import opening, secret
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, group, option
from serment.cli.output import Output
from serment.cli.speech import told

NewPassphraseFile = Annotated[
    Path | None, option("cli.option-new-passphrase-file", "cli.value-file", "--new-passphrase-file")
]


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-keys"))
    commands.command("status", help=told("cli.help-keys-status"))(status)
    commands.command("slots", help=told("cli.help-keys-slots"))(slots)
    commands.command("add-slot", help=told("cli.help-keys-add-slot"))(add_slot)
    commands.command("remove-slot", help=told("cli.help-keys-remove-slot"))(remove_slot)
    commands.command("lock", help=told("cli.help-keys-lock"))(lock)
    app.add_typer(commands, name="keys")


def status(directory: Directory = None, json: Json = False) -> None:
    """Say where custody stands and what it has done since it started."""
    from serment import app

    out, settings = Output(json), chosen(directory)
    runs = app.custody_runs(settings)
    with opening.custody(settings) as custody:
        state = custody.state()
    if not runs:
        out.say("cli.keys-not-running")
    else:
        out.say(f"cli.keys-{state.phase.value}")
        out.say(
            "cli.keys-counted",
            records=state.records,
            unwrapped=state.unwrapped,
            spent=state.spent,
            hard=state.hard,
        )
        out.say("cli.keys-alarms", alarms=state.alarms, refused=state.refused, wrong=state.wrong_passphrases)
    counts = {name: value for name, value in asdict(state).items() if isinstance(value, int)}
    out.result(running=runs, phase=state.phase.value, kind=state.kind, store=state.store.hex(), **counts)


def slots(directory: Directory = None, json: Json = False) -> None:
    """List the passphrases that open custody, by number and name."""
    out, settings = Output(json), chosen(directory)
    with opening.custody(settings) as custody:
        listed = custody.list_slots()
    out.table(
        (told("cli.title-slot"), told("cli.title-name")), [(str(slot.id), slot.name) for slot in listed]
    )
    if len(listed) == 1:
        out.say("cli.keys-one-slot")
    out.result(slots=[{"id": slot.id, "name": slot.name} for slot in listed])


def add_slot(
    name: Annotated[str, argument("cli.argument-slot-name", "cli.value-name")],
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    new_passphrase_file: NewPassphraseFile = None,
    json: Json = False,
) -> None:
    """Let a second passphrase open custody; one that opens it already is asked first."""
    from serment import app

    out, settings = Output(json), chosen(directory)
    with opening.custody(settings) as custody:
        known = secret.passphrase(passphrase_file)
        new = secret.new_passphrase(new_passphrase_file)
        app.check_passphrase(new)
        slot = custody.add_slot(known, name, new)
    out.say("cli.keys-slot-added", id=slot.id, name=slot.name)
    out.result(id=slot.id, name=slot.name)


def remove_slot(
    number: Annotated[int, argument("cli.argument-slot", "cli.value-rank")],
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Remove a passphrase, never the last one."""
    out, settings = Output(json), chosen(directory)
    with opening.custody(settings) as custody:
        custody.remove_slot(secret.passphrase(passphrase_file), number)
    out.say("cli.keys-slot-removed", id=number)
    out.result(removed=number)


def lock(directory: Directory = None, json: Json = False) -> None:
    """Make custody forget every key: the server answers no more records until it is unlocked."""
    from serment import app

    out, settings = Output(json), chosen(directory)
    runs = app.custody_runs(settings)
    if runs:
        with opening.custody(settings) as custody:
            custody.lock()
    out.say("cli.keys-locked-now" if runs else "cli.keys-not-running")
    out.result(locked=True, running=runs)

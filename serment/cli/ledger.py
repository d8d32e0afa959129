"""`serment ledger`: verify the trace, say how far it is proved, sign it now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serment.cli import opening
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, group, option
from serment.cli.output import Advance, Output
from serment.cli.speech import LANGUAGE, told
from serment.errors import LedgerError, RequestError

if TYPE_CHECKING:
    from serment.app import Report
    from serment.settings import Settings

SHOWN = 20
"""Faults that are shown to a person; the rest is counted."""


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-ledger"))
    commands.command("verify", help=told("cli.help-ledger-verify"))(verify)
    commands.command("status", help=told("cli.help-ledger-status"))(status)
    commands.command("hold", help=told("cli.help-ledger-hold"))(hold)
    commands.command("checkpoint", help=told("cli.help-ledger-checkpoint"))(checkpoint)
    app.add_typer(commands, name="ledger")


def verify(
    locked: Annotated[bool, option("cli.option-locked", "", "--locked")] = False,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Read the whole ledger again and say what does not agree."""
    out, settings = Output(json), chosen(directory)
    with out.progress("cli.verifying") as progress:
        report = _report(settings, passphrase_file, progress, locked=locked)
    _say(out, report)
    if not report.ok:
        raise typer.Exit(LedgerError.exit_code)


def _report(settings: Settings, passphrase_file: Path | None, progress: Advance, *, locked: bool) -> Report:
    from serment import app

    if locked:
        with opening.custody(settings) as custody:
            return app.verify_locked(settings, custody, progress)
    with opening.house(settings, passphrase_file) as house:
        return house.proving.verify(progress=progress)


def _say(out: Output, report: Report) -> None:
    out.say("cli.ledger-size", size=report.size, root=report.root.hex())
    out.say("cli.ledger-opened" if report.unlocked else "cli.ledger-rows-only", opened=report.opened)
    for fault in report.faults[:SHOWN]:
        out.line(f"  {fault.said(LANGUAGE)}")
    if len(report.faults) > SHOWN:
        out.say("cli.ledger-more-faults", count=len(report.faults) - SHOWN)
    for notice in report.notices:
        out.line(f"  {notice.said(LANGUAGE)}")
    out.say("cli.ledger-whole" if report.ok else "cli.ledger-broken", count=len(report.faults))
    out.result(
        ok=report.ok,
        size=report.size,
        root=report.root.hex(),
        unlocked=report.unlocked,
        opened=report.opened,
        expired=report.expired,
        late=report.late,
        faults=[
            {"kind": fault.kind.value, "sequence": fault.sequence, "sentence": fault.said(LANGUAGE)}
            for fault in report.faults
        ],
        notices=[{"id": notice.sentence, "sentence": notice.said(LANGUAGE)} for notice in report.notices],
    )


def status(directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False) -> None:
    """Say how long the ledger is, and how far custody signed it."""
    out, settings = Output(json), chosen(directory)
    with opening.house(settings, passphrase_file) as house:
        with house.passage.store.snapshot() as snapshot:
            size = snapshot.ledger_size()
        remembered = house.custody.remembered()
        key = house.proving.key.public_key.hex()
        signed = 0 if remembered is None else remembered.size
        out.say("cli.ledger-status", size=size, signed=signed)
        out.say("cli.ledger-key", origin=house.proving.origin, key=key)
        out.say("ledger.notice-no-witness")
        out.result(size=size, signed=signed, origin=house.proving.origin, public_key=key, witnesses=0)


def checkpoint(
    directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False
) -> None:
    """Sign the ledger as it stands. Raises `IntegrityError` when custody signed a longer one."""
    out, settings = Output(json), chosen(directory)
    with opening.house(settings, passphrase_file) as house:
        size = house.proving.checkpoint()
    out.say("cli.ledger-signed", size=size)
    out.result(size=size)


def hold(
    file: Annotated[Path, argument("cli.argument-list", "cli.value-file")],
    key: Annotated[str, option("cli.option-log-key", "cli.value-text", "--key")] = "",
    json: Json = False,
) -> None:
    """Check a list that a patient took along, without any installation.

    Raises `RequestError` for a key that is none, `LedgerError` for a list that does not hold.
    """
    from serment.ledger import evidence

    out = Output(json)
    try:
        trusted, raw = bytes.fromhex(key), file.read_bytes()
    except (ValueError, OSError):
        raise RequestError("cli.ledger-list-unread") from None
    held = evidence.hold(raw, trusted)
    out.say("cli.ledger-list-holds", entries=held.entries, size=held.size)
    if not trusted:
        out.say("cli.ledger-list-key")
    out.result(ok=True, entries=held.entries, size=held.size, root=held.root.hex(), trusted=bool(trusted))

"""`serment quarantine`: what an import set aside, why, and trying it again.

No command shows content: what could not be filed has no owner who could say who may read it.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serment.cli import opening
from serment.cli.import_ import Structure, service
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, group, option
from serment.cli.output import Output, local_time
from serment.cli.speech import reason as why
from serment.cli.speech import told
from serment.errors import NotFoundError

if TYPE_CHECKING:
    from serment.record.imports.quarantining import Quarantined


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-quarantine"))
    commands.command("list", help=told("cli.help-quarantine-list"))(list_)
    commands.command("retry", help=told("cli.help-quarantine-retry"))(retry)
    commands.command("show", help=told("cli.help-quarantine-show"))(show)
    app.add_typer(commands, name="quarantine")


def list_(
    structure: Structure = "",
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """List what is in quarantine: where from, what, why, since when. No content."""
    out, found = Output(json), _listed(directory, passphrase_file, structure)
    titles = ("cli.title-number", "cli.title-source", "cli.title-type", "cli.title-since", "cli.title-why")
    out.table([told(title) for title in titles], [_row(one) for one in found])
    if not found:
        out.say("cli.quarantine-empty")
    out.result(quarantine=[_object(one) for one in found])


def show(
    name: Annotated[str, argument("cli.argument-quarantined", "cli.value-rank")],
    structure: Structure = "",
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Say everything about one item save its content, which is nobody's to read before it has an owner."""
    out = Output(json)
    one = next((one for one in _listed(directory, passphrase_file, structure) if one.name == name), None)
    if one is None:
        raise NotFoundError("cli.quarantine-no-such")
    out.say(
        "cli.quarantine-item", type=one.type, source=one.source, since=local_time(one.since), size=one.size
    )
    out.line(why(one.reason))
    out.say("cli.quarantine-no-content")
    out.result(**_object(one))


def retry(
    source: Annotated[str, option("cli.option-source", "cli.value-name", "--source")] = "",
    structure: Structure = "",
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Try again to file what is in quarantine."""
    from serment.intake.import_ import retry as again

    out, settings = Output(json), chosen(directory)
    with opening.house(settings, passphrase_file) as house:
        done = again(house, service(house, settings, structure), source=source)
    out.say("cli.quarantine-retried", tried=done.tried, filed=done.filed)
    for reason, count in done.reasons.items():
        out.line(f"  {count} × {why(reason)}")
    out.result(tried=done.tried, filed=done.filed, reasons=dict(done.reasons))


def _listed(directory: Path | None, passphrase_file: Path | None, structure: str) -> list[Quarantined]:
    from serment.intake.import_ import listed

    settings = chosen(directory)
    with opening.house(settings, passphrase_file) as house:
        return listed(house, service(house, settings, structure))


def _row(one: Quarantined) -> tuple[str, ...]:
    return one.name, one.source, one.type, local_time(one.since), why(one.reason)


def _object(one: Quarantined) -> dict[str, object]:
    return {**asdict(one), "sentence": why(one.reason)}

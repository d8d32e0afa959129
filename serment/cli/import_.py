"""`serment import`: bring in records; nothing is lost: received = stored + quarantined."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serment.cli import opening
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, option
from serment.cli.output import Output
from serment.cli.speech import reason as why
from serment.cli.speech import told
from serment.errors import RequestError
from serment.settings import Settings

if TYPE_CHECKING:
    from serment.intake.import_ import ImportReport
    from serment.record.asking import Asking
    from serment.record.house import House

Structure = Annotated[str, option("cli.option-structure", "cli.value-structure", "--structure")]


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", help=told("cli.help-import"))(import_)


def import_(
    path: Annotated[Path, argument("cli.argument-path", "cli.value-path")],
    source: Annotated[str, option("cli.option-source", "cli.value-name", "--source")] = "",
    structure: Structure = "",
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Import a file or a folder, or go on with an import that was cut."""
    from serment.intake.import_ import run

    out, settings = Output(json), chosen(directory)
    if not path.exists():
        raise RequestError("cli.nothing-there")
    with opening.house(settings, passphrase_file) as house:
        asking = service(house, settings, structure)
        with out.progress("cli.importing") as advance:
            report = run(
                house, path, asking, name=source,
                progress=lambda now: advance(now.done, now.total, now.resources),
            )  # fmt: skip
    _say(out, report)


def service(house: House, settings: Settings, structure: str) -> Asking:
    """Ask as the importing service of a structure: the one named, the setting's, or the demonstration's.

    Raises `RequestError` on production when nothing names one: an import makes its professionals the team.
    """
    from serment.app import StoreKind
    from serment.intake.import_ import service as asking

    named = structure or settings.structure
    if not named and house.kind is StoreKind.DEMO:
        from serment.demo.people import PRACTICE

        named = PRACTICE.id
    if not named:
        raise RequestError("cli.say-structure")
    return asking(house, named)


def _say(out: Output, report: ImportReport) -> None:
    out.say(
        "cli.import-received", received=report.received, files=report.files, seconds=f"{report.seconds:.1f}"
    )
    out.say("cli.import-stored", stored=report.stored, created=report.created, updated=report.updated,
            already=report.already)  # fmt: skip
    out.say("cli.import-quarantined", quarantined=report.quarantined)
    for reason, count in report.reasons.items():
        out.line(f"  {count} × {why(reason)}")
    if report.unresolved:
        out.say("cli.import-unresolved", count=report.unresolved)
    if report.aside:
        out.say("cli.import-aside", count=report.aside)
    if report.suspected:
        out.say("cli.import-suspected", count=report.suspected)
    if report.resumed:
        out.say("cli.import-resumed")
    if report.quarantined:
        out.say("cli.import-look")
    out.result(**asdict(report), stored=report.stored)

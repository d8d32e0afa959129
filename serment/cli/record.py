"""`serment record`: a record seen and ruled from the terminal, as one person and under their rights.

On a demonstration store a command may act as anybody of it (`--as`). On production content is shown
only through the HTTP door, with the person's own token (`--url`, `--token-file`): whoever holds the
machine is no reader. Both ways are `RecordDoor`s and answer alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serment.cli import opening, secret
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, group, option
from serment.cli.output import Output
from serment.cli.speech import told
from serment.errors import RequestError

if TYPE_CHECKING:
    from serment.cli.doors import Item, RecordDoor

As = Annotated[str | None, option("cli.option-as", "cli.value-person", "--as")]
Url = Annotated[str | None, option("cli.option-url", "cli.value-address", "--url")]
TokenFile = Annotated[Path | None, option("cli.option-token-file", "cli.value-file", "--token-file")]
Purpose = Annotated[str | None, option("cli.option-purpose", "cli.value-purpose", "--purpose")]
Reason = Annotated[str | None, option("cli.option-reason", "cli.value-reason", "--reason")]
Patient = Annotated[str, argument("cli.argument-patient", "cli.value-patient")]
ItemName = Annotated[str, argument("cli.argument-item", "cli.value-item")]
Rpps = Annotated[str, argument("cli.argument-rpps", "cli.value-rpps")]


def add(app: typer.Typer) -> None:
    """Add the group, and that of the choices inside it."""
    commands = group(told("cli.help-record"))
    commands.command("show", help=told("cli.help-record-show"))(show)
    commands.command("history", help=told("cli.help-record-history"))(history)
    commands.command("trace", help=told("cli.help-record-trace"))(trace)
    commands.command("attending", help=told("cli.help-record-attending"))(attending)
    consents = group(told("cli.help-consent"))
    consents.command("list", help=told("cli.help-consent-list"))(choices)
    consents.command("mask", help=told("cli.help-consent-mask"))(mask)
    consents.command("unmask", help=told("cli.help-consent-unmask"))(unmask)
    consents.command("block", help=told("cli.help-consent-block"))(block)
    consents.command("oppose", help=told("cli.help-consent-oppose"))(oppose)
    consents.command("permit", help=told("cli.help-consent-permit"))(permit)
    commands.add_typer(consents, name="consent")
    app.add_typer(commands, name="record")


@dataclass(frozen=True, slots=True)
class Through:
    """How a command goes in: as whom, by which address, for what."""

    as_: str | None
    url: str | None
    token_file: Path | None
    directory: Path | None
    passphrase_file: Path | None
    purpose: str | None = None
    reason: str | None = None

    @contextmanager
    def door(self) -> Iterator[RecordDoor]:
        """Open the door. Raises `RequestError`, `RefusedError` (production without its HTTP door)."""
        if self.url is not None:
            from serment.cli.there import There

            yield There(self.url, secret.token(self.token_file), self.purpose, self.reason)
            return
        from serment.cli.here import Here

        settings = chosen(self.directory)
        with opening.house(settings, self.passphrase_file, demo_only="cli.record-by-door") as house:
            if self.as_ is None:
                raise RequestError("cli.say-who")
            yield Here.of(house, self.as_, self.purpose, self.reason)


def show(
    patient: Patient, as_: As = None, url: Url = None, token_file: TokenFile = None, purpose: Purpose = None,
    reason: Reason = None, directory: Directory = None, passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Show the newest items that this person may see."""
    out = Output(json)
    with Through(as_, url, token_file, directory, passphrase_file, purpose, reason).door() as door:
        items = sorted(door.show(patient), key=lambda item: item.date, reverse=True)
    _items(out, items)
    out.result(patient=patient, items=[item.json() for item in items])


def history(
    item: ItemName, as_: As = None, url: Url = None, token_file: TokenFile = None, purpose: Purpose = None,
    reason: Reason = None, directory: Directory = None, passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Show the versions of one item, newest first."""
    out = Output(json)
    with Through(as_, url, token_file, directory, passphrase_file, purpose, reason).door() as door:
        versions = door.history(*_named(item))
    _items(out, versions)
    out.result(item=item, versions=[version.json() for version in versions])


def trace(
    patient: Patient, as_: As = None, url: Url = None, token_file: TokenFile = None,
    directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False,
) -> None:  # fmt: skip
    """Say who opened the record, to its holder or representative."""
    out = Output(json)
    with Through(as_, url, token_file, directory, passphrase_file).door() as door:
        lines = door.trace(patient)
    for line in lines:
        out.line(f"{line.when}  {line.said}")
    out.result(patient=patient, trace=[line.json() for line in lines])


def attending(
    patient: Patient, rpps: Rpps, as_: As = None, url: Url = None, token_file: TokenFile = None,
    directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False,
) -> None:  # fmt: skip
    """Confirm the attending physician: the holder alone does."""
    through = Through(as_, url, token_file, directory, passphrase_file)
    _ruled(through, json, "cli.attending-confirmed", lambda door: door.attending(patient, rpps))


def choices(
    patient: Patient, as_: As = None, url: Url = None, token_file: TokenFile = None,
    directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False,
) -> None:  # fmt: skip
    """List the choices of a record, to its holder or representative."""
    out = Output(json)
    with Through(as_, url, token_file, directory, passphrase_file).door() as door:
        items = door.choices(patient)
    _items(out, items)
    out.result(patient=patient, choices=[item.json() for item in items])


def mask(
    patient: Patient, item: ItemName, as_: As = None, url: Url = None, token_file: TokenFile = None,
    directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False,
) -> None:  # fmt: skip
    """Mask one item: in force at the next request."""
    through = Through(as_, url, token_file, directory, passphrase_file)
    _ruled(through, json, "cli.masked", lambda door: door.mask(patient, item))


def unmask(
    patient: Patient, item: ItemName, as_: As = None, url: Url = None, token_file: TokenFile = None,
    directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False,
) -> None:  # fmt: skip
    """Take back every choice that masks the item."""
    through = Through(as_, url, token_file, directory, passphrase_file)
    _ruled(through, json, "cli.unmasked", lambda door: door.unmask(patient, item))


def block(
    patient: Patient, rpps: Rpps, as_: As = None, url: Url = None, token_file: TokenFile = None,
    directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False,
) -> None:  # fmt: skip
    """Block one professional."""
    through = Through(as_, url, token_file, directory, passphrase_file)
    _ruled(through, json, "cli.blocked", lambda door: door.block(patient, rpps))


def oppose(
    patient: Patient,
    category: Annotated[str, option("cli.option-category", "cli.value-category", "--category")] = "",
    as_: As = None, url: Url = None, token_file: TokenFile = None,
    directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False,
) -> None:  # fmt: skip
    """Oppose sharing: the whole record, or one category."""
    from serment.model import Category

    if category and category not in set(Category):
        raise RequestError("cli.unknown-category", categories=", ".join(Category))
    through = Through(as_, url, token_file, directory, passphrase_file)
    _ruled(through, json, "cli.opposed", lambda door: door.oppose(patient, category))


def permit(
    patient: Patient, rpps: Rpps, as_: As = None, url: Url = None, token_file: TokenFile = None,
    directory: Directory = None, passphrase_file: PassphraseFile = None, json: Json = False,
) -> None:  # fmt: skip
    """Consent to one professional outside the team."""
    through = Through(as_, url, token_file, directory, passphrase_file)
    _ruled(through, json, "cli.permitted", lambda door: door.permit(patient, rpps))


def _ruled(through: Through, json: bool, sentence: str, act: Callable[[RecordDoor], Any]) -> None:
    """Do one choice and say that it stands."""
    out = Output(json)
    with through.door() as door:
        act(door)
    out.say(sentence)
    out.result(done=True)


def _named(item: str) -> tuple[str, str]:
    type_, slash, id_ = item.partition("/")
    if not slash or not type_ or not id_ or "/" in id_:
        raise RequestError("cli.item-name")
    return type_, id_


def _items(out: Output, items: list[Item]) -> None:
    titles = ("cli.title-date", "cli.title-what-item", "cli.title-value", "cli.title-reference")
    out.table(
        [told(title) for title in titles], [(i.date, i.title, i.value, i.shown_reference) for i in items]
    )
    if not items:
        out.say("cli.nothing-visible")

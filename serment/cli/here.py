"""A record through the passage of an installation that this process opened: demonstration stores only."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from serment.cli import actors
from serment.cli.doors import Item, TraceLine
from serment.cli.output import local_time
from serment.cli.speech import LANGUAGE
from serment.fhir.query import parse
from serment.ledger.sentences import line
from serment.model import Category, PatientId
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.reading import Served

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Here:
    """The door of a demonstration: one house, one person who asks."""

    house: House = field(repr=False)
    asking: Asking = field(repr=False)

    @classmethod
    def of(cls, house: House, as_: str, purpose: str | None, reason: str | None) -> Here:
        """Ask as somebody of the demonstration. Raises `RequestError`."""
        return cls(house, actors.asking(house, as_, purpose, reason))

    def show(self, patient: str) -> list[Item]:
        """Show the first view: the newest items of each category; of a person's contact the identity half."""
        view = _run(self.house.showing.first_view(self.asking, patient))
        return [
            Item.of(shown.reference, 1, msgspec.json.decode(shown.body), masked=shown.unit.masked)
            for category, group in view.groups.items()
            for shown in group
            if category is not Category.CONTACT
        ]

    def history(self, type_: str, id_: str) -> list[Item]:
        """Give the versions, newest first."""
        versions: list[Item] = []
        page = None
        while page is None or page.next:
            following = "" if page is None else page.next
            page = _run(self.house.reading.history(self.asking, type_, id_, page=following))
            versions += [_item(served) for served in page.served]
        return versions

    def trace(self, patient: str) -> list[TraceLine]:
        """Say who did what, newest first."""
        bodies = _run(self.house.proving.trail(self.asking, patient))
        lines = [
            line(body.event, LANGUAGE, reader=self.asking.actor.id, late=bool(body.late)) for body in bodies
        ]
        return [TraceLine(local_time(one.when_ms), one.who, one.said, one.denied) for one in lines]

    def attending(self, patient: str, rpps: str) -> None:
        """Confirm the attending physician."""
        _run(self.house.choosing.confirm_attending(self.asking, PatientId(patient), rpps))

    def choices(self, patient: str) -> list[Item]:
        """List the choices."""
        query = parse("Consent", [("patient", f"Patient/{patient}")], self.house.base)
        served = _run(self.house.finding.search(self.asking, query)).served
        return [
            Item.of_choice(f"{one.type}/{one.id}", one.version, msgspec.json.decode(one.body))
            for one in served
        ]

    def mask(self, patient: str, item: str) -> None:
        """Mask one item."""
        _run(self.house.choosing.mask(self.asking, PatientId(patient), item))

    def unmask(self, patient: str, item: str) -> None:
        """Unmask one item."""
        _run(self.house.choosing.unmask(self.asking, PatientId(patient), item))

    def block(self, patient: str, rpps: str) -> None:
        """Block one professional."""
        _run(self.house.choosing.block(self.asking, PatientId(patient), rpps))

    def oppose(self, patient: str, category: str) -> None:
        """Oppose sharing."""
        _run(self.house.choosing.oppose(self.asking, PatientId(patient), category))

    def permit(self, patient: str, rpps: str) -> None:
        """Consent to one professional."""
        _run(self.house.choosing.permit(self.asking, PatientId(patient), rpps))


def _run(awaitable: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(awaitable)


def _item(served: Served) -> Item:
    reference = f"{served.type}/{served.id}"
    if served.deleted:
        return Item(reference, served.version, served.type, "", local_time(served.updated)[:10], deleted=True)
    return Item.of(reference, served.version, msgspec.json.decode(served.body), masked=served.unit.masked)

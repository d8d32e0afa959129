"""A patient summary (`Patient/[id]/$summary`): the newest of each section that the caller may see.

Looked at, decided and traced as any reading of several items; the person without whom there is no summary
is read with them. What is in no section is not opened.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from serment.errors import NotFoundError
from serment.fhir import ips
from serment.fhir.ips import SECTIONS, About, Filled, Section
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, ItemClass
from serment.record import gate, gathering, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Sealed, View
from serment.record.gathering import Key
from serment.record.passage import Passage
from serment.record.reading import settled, with_keys
from serment.record.searching import PERSON, may_hold
from serment.store.contract import Snapshot

TYPES = frozenset({"Patient"}).union(*(section.types for section in SECTIONS))


@dataclass(slots=True)
class _Chosen:
    """What a summary may show, before its trace is durable: the person first, then section by section."""

    view: View
    person: Item | None
    sections: list[tuple[Section, list[Item]]]
    contacts: dict[Key, Item]
    sealed: list[Sealed] = field(default_factory=list)
    entries: list[Pending] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        """Every item that is shown, each once."""
        person = [] if self.person is None else [self.person]
        return [*person, *(item for _, items in self.sections for item in items)]


class Summarising:
    """The passage for summaries."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def summary(self, asking: Asking, patient: str, base: str) -> bytes:
        """Make a summary. Raises `NotFoundError` when the person may not be read."""
        chosen = await with_keys(self._passage, asking, lambda seen: self._choose(seen, asking, patient))
        receipts = await settled(self._passage, chosen.entries, again=True)
        if chosen.person is None:
            raise NotFoundError("record.not-found")
        served = gathering.served(chosen.view, receipts[0], chosen.items, chosen.contacts, chosen.sealed)
        bodies = {f"{one.type}/{one.id}": one.body for one in served}
        filled = [
            Filled(section, [(item.entry.reference, bodies[item.entry.reference]) for item in items])
            for section, items in chosen.sections
        ]
        body = bodies[chosen.person.entry.reference]
        return ips.document(
            About(base, patient, body, str(uuid.uuid4()), asking.now, asking.language), filled
        )

    def _choose(self, snapshot: Snapshot, asking: Asking, patient: str) -> _Chosen:
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        permits = gate.permitted(view, Act.READ, _in_a_section)
        here = gathering.standing(snapshot, view, permits, lambda entry: entry.type in TYPES)
        person = next((item for item in here.items if item.entry.type == "Patient"), None)
        chosen = _Chosen(view, person, [], here.contacts)
        if person is None:
            denial = gate.denied(view.decide(PERSON, Act.READ))
            chosen.entries = trace.of_refusal(passage, view, Interaction.READ, denial)
            return chosen
        chosen.sections = [(section, _newest(here.items, section)) for section in SECTIONS]
        halves = [here.contacts[name] for name in [("Patient", person.entry.id)] if name in here.contacts]
        chosen.sealed = gate.fetch(snapshot, view, [*chosen.items, *halves])
        touched = [trace.touched(item, asking) for item in chosen.items]
        chosen.entries = trace.of_access(passage, view, Interaction.READ, touched)
        return chosen


def _in_a_section(unit: ItemClass) -> bool:
    return any(may_hold(unit, type_) for type_ in TYPES)


def _newest(items: Sequence[Item], section: Section) -> list[Item]:
    """Choose the newest items of a section."""
    fitting = [
        item
        for item in items
        if item.entry.type in section.types
        and (not section.categories or item.unit.category in section.categories)
    ]
    fitting.sort(key=lambda item: (-item.entry.updated, item.entry.id))
    return fitting[: section.most]

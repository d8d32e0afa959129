"""One page of a record: whose it is, on what the reader stands, and the items that the page picks.

One look, one decision for each class, one trace for the whole page (HOUSE promise 3): what a page shows is
picked by a `Pick` on what may be seen and nothing else, so that a page never reads its blocks one by one.
The person comes with every page, without address or telephone; nothing that was not picked is opened. Who
may see nothing of a record is told as of one that does not exist, by the same work.

Order: what a page may pick from, what it gives, the passage, on what somebody stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from serment.access.case import acting_as
from serment.access.record_facts import TeamFact
from serment.errors import NotFoundError
from serment.fhir import dated
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Category, Instant, ItemClass, Permit, Regime
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Pack, Sealed, View
from serment.record.pages import reasons
from serment.record.pages.showing import REFUSED_UNIT, main_rule
from serment.record.passage import Passage
from serment.record.reading import settled, with_keys
from serment.store.contract import Snapshot


@dataclass(slots=True)
class Table:
    """What one request may see of a record, before its trace: classes decided, packs opened when asked."""

    snapshot: Snapshot = field(repr=False)
    view: View = field(repr=False)
    permits: dict[int, Permit] = field(repr=False)
    _listing: list[Pack] | None = field(default=None, repr=False)
    _opened: dict[int, list[Item]] = field(default_factory=dict, repr=False)

    def of(self, categories: Collection[Category]) -> list[Item]:
        """Give the live items of some categories. The cut half of a person is none."""
        return self._items(one for one in self._packs() if one.unit.category in categories)

    def since(self, at: int, leave: Collection[Category] = ()) -> list[Item]:
        """Give the live items written after an instant (ms), of all categories but those to `leave`.

        A pack whose page says that it holds none newer stays sealed.
        """
        wanted = (
            one
            for one in self._packs()
            if one.unit.category not in leave and (one.listed is None or one.listed.newest > at)
        )
        return [item for item in self._items(wanted) if item.entry.updated > at]

    def _packs(self) -> list[Pack]:
        if self._listing is None:
            self._listing = gate.listing(self.snapshot, self.view, self.permits)
        return self._listing

    def _items(self, wanted: Iterable[Pack]) -> list[Item]:
        packs = list(wanted)
        closed = [one for one in packs if one.number not in self._opened]
        for one, permit, unit, entries in gate.opened_of(self.snapshot, self.view, closed):
            self._opened[one.number] = [
                Item(permit, unit, entry) for entry in entries if not entry.deleted and not entry.part
            ]
        return [item for one in packs for item in self._opened[one.number]]


@dataclass(frozen=True, slots=True)
class Picked:
    """What a page shows: its groups by name, each in the order of showing, and how many there are in all."""

    groups: Mapping[str, Sequence[Item]] = field(default_factory=dict, repr=False)
    totals: Mapping[str, int] = field(default_factory=dict, repr=False)


NOTHING: Final = Picked()

Pick = Callable[[Table], Picked]


@dataclass(frozen=True, slots=True)
class Line:
    """One item of a page: its reference, version, class, when it was written (ms), and its bytes."""

    reference: str = field(repr=False)
    version: int
    unit: ItemClass = field(repr=False)
    updated: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ground:
    """On what somebody sees a record: its regime, the rule that shows who it is about, their acts of care.

    `acts` name the reader, or whom they stand for; `until` is when the last of them ends, None when no end is
    set or the rule rests on something else.
    """

    regime: Regime
    rule: str
    acts: tuple[TeamFact, ...] = field(default=(), repr=False)
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """One page of a record. `person` is None to whoever may not see who it is about."""

    patient: str = field(repr=False)
    ground: Ground
    person: Line | None = field(repr=False)
    groups: dict[str, list[Line]] = field(repr=False)
    totals: Mapping[str, int] = field(repr=False)


@dataclass(slots=True)
class _Seen:
    """What a page may show, before its trace is durable."""

    table: Table
    person: Item | None = None
    picked: Picked = NOTHING
    sealed: list[Sealed] = field(default_factory=list)
    entries: list[Pending] = field(default_factory=list)


class Charting:
    """The passage for the pages of a record."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def page(
        self,
        asking: Asking,
        patient: str,
        pick: Pick = lambda _: NOTHING,
        interaction: Interaction = Interaction.LIST,
    ) -> Chart:
        """Give one page of a record. Raises `NotFoundError` when nothing of it may be seen.

        `pick` runs on one snapshot, perhaps twice: it chooses, and keeps nothing.
        """

        def look(snapshot: Snapshot) -> _Seen:
            return self._look(snapshot, asking, patient, pick, interaction)

        seen = await with_keys(self._passage, asking, look)
        receipts = await settled(self._passage, seen.entries, again=True)
        table = seen.table
        if not table.permits:
            raise NotFoundError("record.not-found")
        bodies = reasons.revealed(table.view, receipts[0], seen.sealed)
        return Chart(
            table.view.head.patient,
            ground_of(table.view, table.permits),
            None if seen.person is None else _line(seen.person, bodies),
            {name: [_line(item, bodies) for item in items] for name, items in seen.picked.groups.items()},
            seen.picked.totals,
        )

    def _look(
        self, snapshot: Snapshot, asking: Asking, patient: str, pick: Pick, interaction: Interaction
    ) -> _Seen:
        """Look, decide, let the page pick, and read the sealed bodies of what it shows."""
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        table = Table(snapshot, view, gate.permitted(view, Act.READ))
        seen = _Seen(table)
        if not table.permits:
            denial = gate.denied(view.decide(REFUSED_UNIT, Act.READ))
            seen.entries = trace.of_refusal(passage, view, interaction, denial)
            return seen
        seen.person, seen.picked = _person(table), pick(table)
        shown = _each([*([] if seen.person is None else [seen.person]), *_all(seen.picked)])
        halves = reasons.beside(snapshot, view, table.permits, shown)
        seen.sealed = gate.fetch(snapshot, view, [*shown, *halves])
        touched = [trace.touched(item, asking) for item in shown]
        seen.entries = trace.of_access(passage, view, interaction, touched, _rule(table.permits))
        return seen


def _person(table: Table) -> Item | None:
    """Find the person of the record; the id of the record is the one of its Patient."""
    patient = table.view.head.patient
    items = table.of({Category.IDENTITY})
    return next((one for one in items if (one.entry.type, one.entry.id) == ("Patient", patient)), None)


def _all(picked: Picked) -> Iterable[Item]:
    return (item for items in picked.groups.values() for item in items)


def _each(items: Iterable[Item]) -> list[Item]:
    """Keep each item once, however many groups show it: it is read once and named once in the trace."""
    return list({item.entry.reference: item for item in items}.values())


def _line(item: Item, bodies: Mapping[tuple[str, str], bytes]) -> Line:
    entry = item.entry
    return Line(entry.reference, entry.version, item.unit, entry.updated, bodies[entry.reference, ""])


def moment(item: Item) -> int:
    """Give the instant (ms) that an item speaks of: its own first date, else when it was written."""
    return dated.moment(item.entry.type, item.entry.updated, bytes(item.entry.values))


def latest(items: Iterable[Item], most: int) -> list[Item]:
    """Put items in the order of what they speak of, newest first; `most` of them."""
    ordered = sorted(items, key=lambda item: (-moment(item), item.entry.id))
    return ordered[:most]


# On what somebody stands.


def _rule(permits: Mapping[int, Permit]) -> str:
    return main_rule([permit.rule for permit in permits.values()])


def ground_of(view: View, permits: Mapping[int, Permit]) -> Ground:
    """Say on what a view stands that opens something: the facts may name an act of care of the reader."""
    verdict = view.decide(REFUSED_UNIT, Act.READ)
    rule = verdict.rule if isinstance(verdict, Permit) else _rule(permits)
    regime = Regime(view.facts.regime)
    if not rule.endswith(".team"):
        return Ground(regime, rule)
    names, now, policy = acting_as(view.asking.actor), view.asking.now, view.policy
    acts = tuple(fact for fact in view.facts.team if fact.actor in names and policy.opens(fact, regime, now))
    ends = [policy.until(fact) for fact in acts]
    known = [end for end in ends if end is not None]
    return Ground(regime, rule, acts, max(known) if acts and len(known) == len(ends) else None)

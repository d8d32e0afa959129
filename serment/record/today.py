"""Today's unit list: the records that stay open when custody goes away (HOUSE section 5, ADR 29).

Who is here, and who is expected: records with a stay that runs, and those with an act of care on a day.
The list is a record of the installation's own, made at `init`, sealed like any other: one pack for each
day and one for the stays that run, with record tokens and no name. A write that changes when somebody
is expected changes the list in the same transaction. `warming` reads it; it is shown to nobody.

Order: what is listed (pure), noting a write, reading a part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from serment.access.record_facts import APPOINTMENT, ENCOUNTER, STAY, RecordFacts, TeamFact
from serment.errors import CustodyError, IntegrityError, LockedError, TooManyError
from serment.ledger.entry import Interaction
from serment.model import (
    Act,
    Actor,
    ActorId,
    ActorKind,
    Category,
    Instant,
    ItemClass,
    Label,
    Permit,
    Purpose,
    RecordToken,
)
from serment.record import gate, trace
from serment.record.alarms import UNIT_LIST_BROKEN
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.gate import Item, View
from serment.record.index import Entry
from serment.record.passage import HELD, UNIT_LIST, Passage
from serment.store.contract import Snapshot

if TYPE_CHECKING:
    from serment.record.pen import Pen

KEEPER = Actor(ActorId("service:serment"), ActorKind.SERVICE, "Serment")
"""Who keeps the list: a service of the installation, with a purpose and a trace."""

TYPE = "UnitList"
"""Type of the list's entries; no resource of FHIR has this name."""

RUNNING = "running"
"""Name of the part that holds the stays; the others are named by their UTC day."""

DAY: Final = 24 * 3600 * 1000
MOST_RUNNING: Final = 366 * DAY
"""A stay without an end is listed for so many ms after it was last said to run."""

Span = tuple[int, int]
"""From and until, in ms."""


# What is listed.


def places(facts: RecordFacts, now: Instant) -> dict[str, Span]:
    """Say on which parts of the list a record stands by its acts of care, those that are over left out."""
    found: dict[str, Span] = {}
    for fact in facts.team:
        span = _span(fact, now)
        if span is None:
            continue
        parts = [RUNNING] if fact.kind == STAY or span[1] - span[0] > DAY else [day(at) for at in span]
        for part in parts:
            before = found.get(part, span)
            found[part] = (min(before[0], span[0]), max(before[1], span[1]))
    return found


def _span(fact: TeamFact, now: Instant) -> Span | None:
    """Say from when until when somebody is here or expected by an act of care."""
    if fact.kind not in {STAY, ENCOUNTER, APPOINTMENT}:
        return None
    until = fact.end
    if until is None:
        until = max(fact.start, fact.said) + MOST_RUNNING if fact.kind == STAY else fact.start
    return None if until < max(fact.start, now - DAY) else (fact.start, until)


def day(at: int) -> str:
    """Name the UTC day of an instant (ms)."""
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def days(now: Instant) -> tuple[str, ...]:
    """Name the parts that matter now: the stays, this day, and the one that twelve hours lead into."""
    return tuple(dict.fromkeys((RUNNING, day(now), day(now + HELD))))


def unit_of(part: str) -> ItemClass:
    """Give the class of one part of the list: each part stands in a pack of its own."""
    return ItemClass(Category.UNMAPPED, f"{TYPE} {part}", (Label.VERY_RESTRICTED.value,), KEEPER.id)


def of_installation(asking: Asking) -> Asking:
    """Ask as the keeper of the list, within the same act."""
    return replace(asking, actor=KEEPER, purpose=Purpose.RECORD_MANAGEMENT, reasons=frozenset(), scope=None)


# Noting a write.


def note(pen: Pen) -> None:
    """Write down who is expected when, as the drafts of a write have changed it, once for all of them.

    A list that cannot be opened never stops care: it is left as it is, with an alarm when it was altered.
    """
    changes = _changes(pen)
    if not changes:
        return
    try:
        draft = draft_of(pen)
        if draft is not None:
            _changed(pen, draft, changes)
    except (CustodyError, LockedError, TooManyError):
        return
    except IntegrityError:
        pen.passage.alarms.ring(UNIT_LIST_BROKEN)


Change = dict[RecordToken, Span | None]
"""What becomes of records on one part of the list: their span, None for none any more."""


def _changes(pen: Pen) -> dict[str, Change]:
    """Hold what each draft says now against what its record said before: part → what becomes of it."""
    found: dict[str, Change] = {}
    now = pen.asking.now
    for record, draft in pen.drafts.items():
        if draft.facts is None and not draft.fresh:
            continue
        before = {} if draft.fresh else places(draft.view.facts, now)
        after = places(draft.facts or draft.view.facts, now)
        for part in before.keys() | after.keys():
            if before.get(part) != after.get(part):
                found.setdefault(part, {})[record] = after.get(part)
    return found


def draft_of(pen: Pen) -> Draft | None:
    """Open the list for writing; None on an installation that has none yet."""
    located = pen.txn.locate(pen.passage.installation.locator(UNIT_LIST))
    if located is None:
        return None
    view = pen.passage.view(pen.txn, of_installation(pen.asking), located.record)
    view.depositing = True
    return Draft(pen.passage, pen.txn, view)


def _changed(pen: Pen, draft: Draft, changes: Mapping[str, Change]) -> None:
    """Put changed parts in place of those that stand. The pen writes the draft with the others."""
    now = pen.asking.now
    standing = {item.unit: item for item in items(pen.txn, draft.view, changes)}
    rule = ""
    for part, change in changes.items():
        unit = unit_of(part)
        verdict = draft.view.decide(unit, Act.WRITE)
        if not isinstance(verdict, Permit):
            return
        rule, item = verdict.rule, standing.get(unit)
        listed = {} if item is None else read(item)
        if item is not None:
            draft.take(item)
        listed |= {record: span for record, span in change.items() if span is not None}
        gone = {record for record, span in change.items() if span is None}
        kept = {one: span for one, span in listed.items() if one not in gone and span[1] >= now - DAY}
        draft.place(unit, _entry(part, kept, now))
    pen.drafts[draft.record] = draft
    pen.did(draft, Interaction.UPDATE, trace.of_facts(rule))


def _entry(part: str, listed: Mapping[RecordToken, Span], now: Instant) -> Entry:
    """Make the entry of one part: it has no body, the list stands in its values."""
    values = msgspec.msgpack.encode([(record, *span) for record, span in sorted(listed.items())])
    return Entry(TYPE, part, 1, "", now, True, 0, b"", None, msgspec.Raw(values))


# Reading a part.


def items(snapshot: Snapshot, view: View, parts: Iterable[str]) -> list[Item]:
    """Open parts of the list."""
    units = {unit_of(part) for part in parts}
    permits = gate.permitted(view, Act.WRITE, lambda unit: unit in units)
    return [item for _, pack in gate.packs(snapshot, view, permits) for item in pack]


def read(item: Item) -> dict[RecordToken, Span]:
    """Read who stands on one part, and when."""
    rows = msgspec.msgpack.decode(bytes(item.entry.values), type=list[tuple[bytes, int, int]])
    return {RecordToken(record): (start, until) for record, start, until in rows}


def standing_on(
    passage: Passage, snapshot: Snapshot, asking: Asking, names: Iterable[str]
) -> list[RecordToken]:
    """Name the records that stand on parts of the list, for a page that looks at each of them itself."""
    located = snapshot.locate(passage.installation.locator(UNIT_LIST))
    if located is None:
        return []
    view = passage.view(snapshot, of_installation(asking), located.record)
    view.depositing = True
    return sorted({one for item in items(snapshot, view, names) for one in read(item)})


def over(view: View, now: Instant) -> list[str]:
    """Name the days of the list that are over for good."""
    names = [unit.document_type.partition(" ")[2] for unit in view.head.classes()]
    return [name for name in names if name != RUNNING and name < day(now - 2 * DAY)]

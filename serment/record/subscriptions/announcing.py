"""At each write: who asked to be told of it, and may.

One look at the facts that the write has open already: a record without subscriptions pays nothing more.
Where there are some, each is held against what was written, with the decision of this moment taken as the
subscriber, on the facts as this write leaves them: what they may not read they are not told of, and nothing
is queued. The writer sees none of it. A notice is put in the same transaction: never before the commit, and
never lost by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from serment.errors import CustodyError, IntegrityError, LockedError, TooManyError
from serment.fhir.match import matcher
from serment.ledger.entry import Interaction
from serment.model import Act, ItemClass, Permit
from serment.record.alarms import OUTBOX_BROKEN
from serment.record.index import Entry
from serment.record.subscriptions import outbox
from serment.record.subscriptions.subscribers import Subscription, asking_of, lines, seen_by

if TYPE_CHECKING:
    from serment.record.draft import Draft
    from serment.record.pen import Pen

Placed = tuple[ItemClass, Entry]

WRITES = frozenset({Interaction.CREATE, Interaction.UPDATE, Interaction.FILE, Interaction.IMPORT})


def note(pen: Pen) -> None:
    """Put a notice for each subscription that is to hear of what the drafts of a write hold.

    An outbox that cannot be opened never stops care: an alarm says that somebody was not told.
    """
    heard = [one.id for draft in list(pen.drafts.values()) for one in _heard(pen, draft)]
    if not heard:
        return
    try:
        _queue(pen, heard)
    except (CustodyError, LockedError, TooManyError, IntegrityError):
        pen.passage.alarms.ring(OUTBOX_BROKEN)


def _queue(pen: Pen, heard: Sequence[str]) -> None:
    now = pen.asking.now
    draft = outbox.draft_of(pen)
    changed = False
    for id_ in heard:
        found = outbox.standing(draft, id_)
        if found is not None and (after := found[1].matched(now)) != found[1]:
            outbox.put_notice(draft, after, now, found[0])
            changed = True
    if changed:
        outbox.keep(pen, draft)


def _heard(pen: Pen, draft: Draft) -> Iterator[Subscription]:
    """Give the subscriptions of one record that something just written is for."""
    facts = draft.facts or draft.view.facts
    if not facts.subscriptions:
        return
    placed = written(pen, draft)
    for one in lines(facts) if placed else ():
        if one.live(pen.asking.now) and _hears(pen, draft, one, placed):
            yield one


def written(pen: Pen, draft: Draft) -> list[Placed]:
    """Give the versions that this write made: an item that only moves to another class was not written."""
    made = {item.reference for act, item in pen.done.get(draft.record, ()) if act in WRITES}
    return [
        (unit, entry)
        for unit, entries in draft.placed.items()
        for entry in entries
        if not entry.deleted and f"{entry.reference}/_history/{entry.version}" in made
    ]


def _hears(pen: Pen, draft: Draft, one: Subscription, placed: Sequence[Placed]) -> bool:
    """Ask the decision as the subscriber, then hold what they may read against their criteria."""
    query = one.query()
    if query is None:
        return False
    asking = asking_of(one, pen.asking.request, pen.asking.now)
    view = seen_by(draft.view, draft.facts or draft.view.facts, asking)
    matches = matcher(query)
    return any(
        entry.type == one.type
        and isinstance(view.decide(unit, Act.READ), Permit)
        and matches(entry.id, entry.updated, bytes(entry.values))
        for unit, entry in placed
    )

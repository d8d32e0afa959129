"""At each write: a result that somebody else has to read.

A report, or a laboratory result that comes in no report, leaves a pointer with the attending doctor and with
whoever ordered it, in the transaction that wrote it (`inbox`, kind `result`): ids only. Whether its reader
may see it is decided each time the list is shown (`worklists`), and by the record when it is opened: a
pointer opens nothing and shows nothing by itself. What somebody wrote themselves, and what an import brought,
is no news. A write without such a resource pays for one look at its classes.

Order: what was written, for whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from serment.access.record_facts import grant_in_force
from serment.errors import CustodyError, IntegrityError, LockedError, TooManyError
from serment.fhir import dated
from serment.fhir.match import decoder
from serment.model import Act, ActorId, Category, ItemClass, Permit
from serment.record import gate
from serment.record.alarms import OUTBOX_BROKEN
from serment.record.subscriptions import announcing
from serment.record.subscriptions.announcing import Placed

if TYPE_CHECKING:
    from serment.record.draft import Draft
    from serment.record.pen import Pen

REPORT: Final = "DiagnosticReport"
RESULT: Final = "Observation"
BASED_ON: Final = ("based-on",)
ORDER: Final = "ServiceRequest"


# What was written.


def note(pen: Pen) -> None:
    """Leave a pointer for each reader of what the drafts of a write hold, unless it is an import.

    A register that cannot be opened never stops care: an alarm says that somebody was not told.
    """
    if pen.imported:
        return
    sent: dict[ActorId, list[tuple[str, str]]] = {}
    for draft in list(pen.drafts.values()):
        for placed in _results(pen, draft):
            for reader in _readers(pen, draft, placed):
                sent.setdefault(reader, []).append((draft.view.head.patient, placed[1].reference))
    if not sent:
        return
    try:
        _send(pen, sent)
    except (CustodyError, LockedError, TooManyError, IntegrityError):
        pen.passage.alarms.ring(OUTBOX_BROKEN)


def _send(pen: Pen, sent: Mapping[ActorId, Iterable[tuple[str, str]]]) -> None:
    from serment.record.between import inbox  # the register stands above the pen that calls this

    for reader, items in sorted(sent.items()):
        pointers = [inbox.pointing(inbox.Errand.RESULT, patient, item, id_=item) for patient, item in items]
        inbox.put_in(pen, inbox.of_results(reader), *pointers)


def _results(pen: Pen, draft: Draft) -> Sequence[Placed]:
    """Give the reports that a write made; without any, the newest of its laboratory results."""
    if not any(_may_be(unit) for unit in draft.placed):
        return ()
    placed = announcing.written(pen, draft)
    reports = [(unit, entry) for unit, entry in placed if entry.type == REPORT]
    alone = [one for one in placed if one[1].type == RESULT and one[0].category is Category.LABS]
    return reports or sorted(alone, key=_moment)[-1:]


def _may_be(unit: ItemClass) -> bool:
    return unit.category is Category.LABS or unit.document_type == REPORT


def _moment(placed: Placed) -> tuple[int, str]:
    entry = placed[1]
    return dated.moment(entry.type, entry.updated, bytes(entry.values)), entry.id


# For whom.


def _readers(pen: Pen, draft: Draft, placed: Placed) -> list[ActorId]:
    """Give who has to read a result: the attending doctor, and whoever wrote the order that it names."""
    facts, now = draft.facts or draft.view.facts, pen.asking.now
    attending = {ActorId(one.actor) for one in facts.attending if grant_in_force(one.start, one.end, now)}
    readers = attending | set(_who_ordered(pen, draft, placed))
    return sorted(readers - {pen.asking.actor.id, ActorId("")})


def _who_ordered(pen: Pen, draft: Draft, placed: Placed) -> Iterator[ActorId]:
    """Give the authors of the orders that a result names and its writer may read.

    Their class says who, no pack is opened. An order that is hidden from the writer is as one that is not
    there: naming it would else tell which.
    """
    values = bytes(placed[1].values)
    for value in (decoder(BASED_ON)(values).p0 or ()) if values else ():
        type_, _, id_ = str(value[0] or "").partition("/")
        if type_ != ORDER:
            continue
        located, known = pen.located(f"{type_}/{id_}")
        if not known or located.record != draft.record:
            continue
        unit = gate.unit_at(draft.view, located.pack)
        if isinstance(draft.view.decide(unit, Act.READ), Permit):
            yield unit.author

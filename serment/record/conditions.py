"""Conditions of writes: what is visible to the writer, and nothing else, can meet one.

A condition is a plain search of one type: nothing in it reaches another item or rules an answer. A
hidden item never answers a condition, so that nobody learns by writing (HOUSE promise 5). A person is
visible to whoever may find them by the same exact token: else each import would make them twice.
Two equal creations meet each other, for each runs alone in the writer: the second finds the first.
What a condition met is traced in the same transaction, as a search that gave it.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from serment.errors import MalformedError, NotSupportedError
from serment.fhir import unpaired
from serment.fhir.query import Query, parse
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import RecordToken
from serment.record import trace
from serment.record.draft import Draft
from serment.record.finding import alike, may_find, only_who, people, person_keys_of
from serment.record.gate import Item
from serment.record.incoming import Incoming, owning_reference
from serment.record.passage import DIRECTORY
from serment.record.pen import Pen
from serment.record.searching import candidates, matching
from serment.record.write import Written

RULING = frozenset(
    {"_count", "_elements", "_include", "_page", "_revinclude", "_sort", "_summary", "_total", "_type"}
)
"""Parameters that rule an answer or bring other items: no part of a condition."""


class SeveralError(Exception):
    """Several visible items meet the condition: carries the trace of their having been met."""

    def __init__(self, pen: Pen, found: Sequence[tuple[Draft, Item]]) -> None:
        super().__init__()
        views = {draft.record: draft.view for draft, _ in found}
        self.entries: list[Pending] = []
        for record, view in views.items():
            items = [trace.touched(item, pen.asking) for draft, item in found if draft.record == record]
            self.entries += trace.of_access(pen.passage, view, Interaction.SEARCH, items)


def met(pen: Pen, incoming: Incoming, condition: str) -> Written | None:
    """Give the one visible item that meets `If-None-Exist`, None when there is none or no condition.

    Raises `SeveralError` when several do, and what `parse` raises on a malformed condition.
    """
    if not condition:
        return None
    query = parsed(incoming.type, condition, incoming.base)
    if unpaired.asked(query):  # an older entry does not say it without its body
        raise NotSupportedError("record.condition-parameter")
    found = [
        (pen.draft(record), item)
        for record in _records(pen, incoming, query)
        for item in _matching(pen, record, query)
    ]
    if len(found) > 1:
        raise SeveralError(pen, found)
    if not found:
        return None
    draft, item = found[0]
    pen.did(draft, Interaction.SEARCH, trace.touched(item, pen.asking))
    entry = item.entry
    return Written(entry.type, entry.id, entry.version, entry.updated, created=False)


def parsed(type_: str, condition: str, base: str, more: Sequence[tuple[str, str]] = ()) -> Query:
    """Read a condition, and add what rules its answer.

    Raises `MalformedError` for one that asks nothing, `NotSupportedError` for one that reaches other items,
    and what `parse` raises.
    """
    pairs = parse_qsl(condition.lstrip("?"), keep_blank_values=True)
    if any(name in RULING or name.startswith("_has:") or "." in name for name, _ in pairs):
        raise NotSupportedError("record.condition-parameter")
    query = parse(type_, [*pairs, *more], base)
    if not query.clauses:
        raise MalformedError("record.empty-condition")
    return query


def _records(pen: Pen, incoming: Incoming, query: Query) -> list[RecordToken]:
    if incoming.type == "Patient":
        keys, _ = person_keys_of(query)
        if not pen.imported:
            pen.passage.searches.spend(pen.asking.actor.id, pen.asking.now)
        tokens = [pen.passage.installation.person(key) for key in keys]
        found = [record for token in tokens for record in alike(pen.txn, token)]
        return [
            record
            for record in dict.fromkeys(found)
            if record not in pen.drafts or not pen.drafts[record].fresh
        ]
    owner = owning_reference(incoming, "")
    located, _ = pen.passage.resolve(pen.txn, owner or DIRECTORY)
    return [located.record]  # the decoy for an owner that is not there: it is looked at alike


def _matching(pen: Pen, record: RecordToken, query: Query) -> list[Item]:
    draft = pen.draft(record)
    items, contacts = candidates(pen.txn, draft.view, query)
    if query.type == "Patient" and not items:
        items = _findable(pen, draft, query)
    return matching(query, items, contacts)


def _findable(pen: Pen, draft: Draft, query: Query) -> list[Item]:
    """Give the person whom the writer may find by this exact token, without more leave than that."""
    _, by_ins = person_keys_of(query)
    permits = may_find(draft.view, by_ins=by_ins) if only_who(query) else {}
    return people(pen.txn, draft.view, permits)

"""Conditional creation: what is visible to the writer, and nothing else, can meet a condition.

A hidden item never answers a condition, so that nobody learns by creating (HOUSE promise 5). Inside
the transaction two equal creations meet each other: the second one finds the first.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from serment.errors import NotSelectiveError
from serment.fhir.query import Query, parse
from serment.model import RecordToken
from serment.record.finding import MOST_CANDIDATES, person_keys_of
from serment.record.gate import Item
from serment.record.incoming import Incoming, owning_reference
from serment.record.passage import DIRECTORY
from serment.record.pen import Pen
from serment.record.searching import candidates, matching
from serment.record.write import Written


def met(pen: Pen, incoming: Incoming, condition: str) -> Written | None:
    """Give the one visible item that meets `If-None-Exist`, None when there is none or no condition.

    Raises `NotSelectiveError` when several do, and what `parse` raises on a malformed condition.
    """
    if not condition:
        return None
    query = parse(incoming.type, parse_qsl(condition.lstrip("?"), keep_blank_values=True))
    found = [item for record in _records(pen, incoming, query) for item in _matching(pen, record, query)]
    if len(found) > 1:
        raise NotSelectiveError("record.many-match")
    if not found:
        return None
    entry = found[0].entry
    return Written(entry.type, entry.id, entry.version, entry.updated, created=False)


def _records(pen: Pen, incoming: Incoming, query: Query) -> list[RecordToken]:
    if incoming.type == "Patient":
        keys, _ = person_keys_of(query)
        tokens = [pen.passage.installation.person(key) for key in keys]
        found = [record for token in tokens for record in pen.txn.persons(token, MOST_CANDIDATES)]
        return [
            record
            for record in dict.fromkeys(found)
            if record not in pen.drafts or not pen.drafts[record].fresh
        ]
    owner = owning_reference(incoming, "")
    located, known = pen.passage.resolve(pen.txn, owner or DIRECTORY)
    return [located.record] if known else []


def _matching(pen: Pen, record: RecordToken, query: Query) -> list[Item]:
    draft = pen.draft(record)
    items, contacts = candidates(pen.txn, draft.view, query)
    return matching(query, items, contacts)

"""A record that holds two people: frozen, then taken apart act by act (RNIV rule 22).

It is never repaired by a merge. Reporting it stops every write but the patient's own word; each item is then
left where it is or moved to the record of the person whose it is, by somebody who may read and write it in
both, one trace in each. A move writes the item in the other record, under that record's keys and with its
first author, and leaves a tombstone with its history here, all of it or nothing: no item is in none. Until
the collision is closed an item may be moved back the same way.

Order: reporting and closing, moving.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from serment.access.categories import OURS
from serment.access.record_facts import RecordFacts
from serment.errors import ConflictError, NotFoundError, RequestError
from serment.fhir import document as documents
from serment.fhir import duplicate_body, patch
from serment.fhir.halves import HALF_OF
from serment.model import Act, Denial, PatientId
from serment.record import choices, incoming, writing
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.duplicates.merging import Merging
from serment.record.incoming import HALVES, Incoming, owning_reference
from serment.record.pen import Pen
from serment.record.reading import Reading, Served
from serment.record.secrecy import SECRET
from serment.record.write import Written
from serment.record.writing import Writing

CODES: Final = ("COLP", "COLV")
"""A collision that is suspected, and one that is proven."""

MOST_MOVED: Final = 50
"""Items of one move."""

NOT_MOVED: Final = frozenset({"Patient", "Binary", "Consent", "RelatedPerson"})
"""Who the person is and what they said is written anew in each record, not moved; nor are contents apart."""


class Splitting:
    """The passage for collisions."""

    def __init__(self, merging: Merging, reading: Reading, writes: Writing) -> None:
        self._merging = merging
        self._reading = reading
        self._writing = writes

    async def report(self, asking: Asking, patient: PatientId, code: str, base: str = "") -> None:
        """Freeze a record that may hold two people.

        Raises `RefusedError`, `NotFoundError`, `RequestError` for another code, `ConflictError` for a record
        that is merged: that is undone first.
        """
        if code not in CODES:
            raise RequestError("record.collision-code", expected=", ".join(CODES))
        await self._attributed(asking, patient, code, base)

    async def close(self, asking: Asking, patient: PatientId, base: str = "") -> None:
        """Open a record again whose items are sorted. Raises as `report`, `NotFoundError` for none frozen."""
        await self._attributed(asking, patient, "", base)

    async def _attributed(self, asking: Asking, patient: PatientId, code: str, base: str) -> None:
        """Write the attribute in the Patient and the state in the facts, together."""
        await self._merging.allowed(asking)
        served = await self._reading.read(asking, "Patient", patient)
        reference, body = f"Patient/{patient}", served.body
        for one in CODES:
            body = duplicate_body.without_attribute(documents.read(body), one)
        if code:
            body = duplicate_body.with_attribute(documents.read(body), code)
        ready = incoming.read(body, "Patient", base)

        def job(pen: Pen) -> None:
            pen.reason = "collision" if code else "collision-closed"
            draft = writing.draft_of(pen, reference, {})
            draft.sorting = True
            _may_turn(choices.facts_of(draft), code)
            writing.change(pen, ready, patient, reference, served.version)
            choices.change(draft, msgspec.structs.replace(choices.facts_of(draft), collision=code))

        await self._writing.run(asking, [reference], job)

    async def move(
        self, asking: Asking, source: PatientId, target: PatientId, items: Sequence[str], base: str = ""
    ) -> list[tuple[str, str]]:
        """Move items (`Type/id`) from one record to another; give each with its new reference.

        Raises `NotFoundError`, `RefusedError`, `RequestError` for what is not moved, and `ConflictError` when
        neither record is frozen or an item has changed: nothing is moved then.
        """
        if source == target or not 0 < len(set(items)) == len(items) <= MOST_MOVED:
            raise RequestError("record.split-items", most=MOST_MOVED)
        found = [await self._item(asking, item) for item in items]
        names = {f"{one.type}/{one.id}": f"{one.type}/{writing.new_id()}" for one in found}
        moves = [(one, _pointed(one, source, target, names, base)) for one in found]

        def job(pen: Pen) -> list[Written]:
            pen.reason = "split"
            drafts = [writing.draft_of(pen, f"Patient/{one}", {}) for one in (source, target)]
            facts = [choices.facts_of(draft) for draft in drafts]
            if not any(one.collision for one in facts) or facts[0].structure != facts[1].structure:
                raise ConflictError("record.split-not-frozen")
            for draft in drafts:
                draft.sorting = True
            made = []
            for one, ready in moves:
                if pen.located(f"{one.type}/{one.id}")[0].record != drafts[0].record:
                    raise NotFoundError("record.not-found")
                _with_its_half(drafts[0], one)
                writing.remove(pen, one.type, one.id, one.version)
                new = names[f"{one.type}/{one.id}"].partition("/")[2]
                made.append(writing.put(pen, ready, new, {}, one.unit.author))
            return made

        await self._writing.run(asking, [f"Patient/{source}", f"Patient/{target}"], job)
        return list(names.items())

    async def _item(self, asking: Asking, item: str) -> Served:
        type_, _, id_ = item.partition("/")
        if type_ in NOT_MOVED:
            raise RequestError("record.split-kind", kind=type_)
        served = await self._reading.read(asking, type_, id_)
        if served.unit.masked:
            raise ConflictError("record.split-masked")
        return served


def _with_its_half(draft: Draft, one: Served) -> None:
    """Refuse a move by who may not read the half of such an item, there or not: it would stay behind."""
    half = HALF_OF.get(one.type)
    if half is not None:
        unit = replace(one.unit, category=HALVES[half])
        if isinstance(draft.view.decide(unit, Act.READ), Denial):
            raise RequestError("record.split-kind", kind=one.type)


def _as_secret(ready: Incoming, one: Served, base: str) -> Incoming:
    """Let an item that has a minor's secret from its chain state it: its chain may stay behind."""
    if SECRET not in one.unit.labels or SECRET in ready.labels:
        return ready
    meta = ready.document.value.get("meta", {})
    stated = {"system": OURS, "code": SECRET}
    place, value = ("/meta/security/-", stated) if meta.get("security") else ("/meta/security", [stated])
    said = json.dumps([{"op": "add", "path": place, "value": value}]).encode()
    return incoming.read(patch.patched(ready.document.text.encode(), patch.read(said)), one.type, base)


def _may_turn(facts: RecordFacts, code: str) -> None:
    """Refuse a report on a merged record, and closing one that is not frozen."""
    if facts.united:
        raise ConflictError("record.merge-not-free")
    if not code and not facts.collision:
        raise NotFoundError("record.no-collision")


def _pointed(one: Served, source: str, target: str, names: dict[str, str], base: str) -> Incoming:
    """Give an item as it is in the other record: its patient, and the items that are moved with it."""
    body = one.body
    for old, new in {f"Patient/{source}": f"Patient/{target}", **names}.items():
        for before in (old, f"{base}/{old}"):
            body = body.replace(json.dumps(before).encode(), json.dumps(new).encode())
    if b'"Binary/' in body:
        raise RequestError("record.split-kind", kind="Binary")
    ready = _as_secret(incoming.read(body, one.type, base), one, base)
    if owning_reference(ready, "") != f"Patient/{target}":
        raise RequestError("record.split-owner")
    return ready

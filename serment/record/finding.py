"""Which record a search is for, and finding a person by an exact token.

A clinical search names one patient; a search of the directory names none. A person is found by INS,
or by birth date and family name together: what may be read is served whole, and to a care
professional or secretary of the structure who may not read it yet, only who the person is.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from serment.errors import RequestError, TooManyError
from serment.fhir.owner import DIRECTORY_TYPES
from serment.fhir.query import Clause, DateValue, Query, StringValue, TokenValue
from serment.identity.keys import search_key_ins, search_keys
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, RecordToken
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.gate import Item, View
from serment.record.passage import Passage
from serment.record.reading import Served, settled
from serment.record.searching import Page, Searching, matching
from serment.store.contract import Snapshot

MOST_CANDIDATES = 20
SEARCHES = 60
WINDOW = 10 * 60 * 1000
"""An actor makes at most `SEARCHES` searches for people in `WINDOW` milliseconds."""

SEEN = frozenset({"resourceType", "id", "meta", "name", "birthDate", "_birthDate", "gender", "extension"})
"""Members of a Patient that finding a person shows; of the extensions only the identity status."""

FOUND_BY = frozenset({"identifier", "birthdate", "family", "name", "given", "gender", "_id"})
"""What a person may be found by when only who they are may be seen."""

STATUS = "fr-core-identity-reliability"
SUBSETTED = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"


class Budget:
    """How many searches for people each actor has made lately, in this process."""

    def __init__(self) -> None:
        self._made: OrderedDict[ActorId, list[int]] = OrderedDict()

    def spend(self, actor: ActorId, now: int) -> None:
        """Count one search. Raises `TooManyError` when the budget is spent."""
        recent = [made for made in self._made.pop(actor, []) if now - made < WINDOW]
        self._made[actor] = recent
        if len(recent) >= SEARCHES:
            raise TooManyError("record.too-many-searches")
        recent.append(now)
        while len(self._made) > 10_000:
            self._made.popitem(last=False)


class Finding:
    """The passage for every search door."""

    def __init__(self, passage: Passage, searching: Searching) -> None:
        self._passage = passage
        self._searching = searching
        self._budget = Budget()

    async def search(self, asking: Asking, query: Query) -> Page:
        """Send a search to the one record that it is for."""
        if query.type == "Patient" and not query.patients:
            return await self._people(asking, query)
        if query.type in DIRECTORY_TYPES and not query.patients:
            return await self._searching.directory(asking, query)
        return await self._searching.search(asking, query)

    async def _people(self, asking: Asking, query: Query) -> Page:
        keys, by_ins = person_keys_of(query)
        self._budget.spend(asking.actor.id, asking.now)
        served: list[Served] = []
        for record in self._candidates(keys):
            found = await self._one(asking, query, record, by_ins=by_ins)
            if found is not None:
                served.append(found)
        return Page(query, served[: query.count], len(served))

    def _candidates(self, keys: list[str]) -> list[RecordToken]:
        with self._passage.store.snapshot() as snapshot:
            found = [
                record
                for key in keys
                for record in snapshot.persons(self._passage.installation.person(key), MOST_CANDIDATES)
            ]
        return list(dict.fromkeys(found))

    async def _one(self, asking: Asking, query: Query, record: RecordToken, *, by_ins: bool) -> Served | None:
        """Open one candidate as far as the decision lets: whole, who the person is, or not at all."""
        passage = self._passage
        with passage.store.snapshot() as snapshot:
            view = passage.view(snapshot, asking, record)
            items, interaction = self._permitted(snapshot, view, by_ins=by_ins)
            if interaction is Interaction.FIND and not only_who(query):
                return None
            kept = matching(query, items, {})
            sealed = gate.fetch(snapshot, view, kept)
        if not kept:
            return None
        touched = [trace.touched(item, asking) for item in kept]
        receipts = await settled(passage, trace.of_access(passage, view, interaction, touched))
        body = gate.reveal(view, receipts[0], sealed[0])
        entry, unit = kept[0].entry, kept[0].unit
        if interaction is Interaction.FIND:
            body = who(body)
        return Served(entry.type, entry.id, entry.version, entry.updated, False, unit, body)

    def _permitted(self, snapshot: Snapshot, view: View, *, by_ins: bool) -> tuple[list[Item], Interaction]:
        permits = gate.permitted(view, Act.READ, lambda unit: unit.document_type == "Patient")
        interaction = Interaction.SEARCH
        if not permits:
            permits = gate.found(view, by_ins=by_ins)
            interaction = Interaction.FIND
        items = [
            item
            for _, pack in gate.packs(snapshot, view, permits)
            for item in pack
            if item.entry.type == "Patient" and not item.entry.part and not item.entry.deleted
        ]
        return items, interaction


def only_who(query: Query) -> bool:
    """Say whether a search asks for nothing but what finding a person shows.

    A criterion on anything else would answer yes or no about what the asker may not see.
    """
    return all(clause.code in FOUND_BY for clause in query.clauses)


def person_keys_of(query: Query) -> tuple[list[str], bool]:
    """Give the compound keys that a search for a person names, and whether it is by INS.

    Raises `RequestError` for a search by anything less than an exact compound.
    """
    clauses = {clause.code: clause for clause in query.clauses}
    if "identifier" in clauses:
        return _ins_keys(clauses["identifier"]), True
    birth, family = clauses.get("birthdate"), clauses.get("family") or clauses.get("name")
    if birth is None or family is None:
        raise RequestError("record.person-search")
    keys = [
        key
        for day in birth.values
        for name in family.values
        if isinstance(day, DateValue) and isinstance(name, StringValue)
        for key in search_keys(day.text.removeprefix("eq"), name.folded)
    ]
    return keys, False


def _ins_keys(clause: Clause) -> list[str]:
    values = [value for value in clause.values if isinstance(value, TokenValue)]
    if not all(value.system and value.code for value in values):
        raise RequestError("record.person-search")
    return [search_key_ins(str(value.system), str(value.code).upper()) for value in values]


def who(body: bytes) -> bytes:
    """Keep of a Patient only who the person is: name, birth date, sex, identity status."""
    resource = msgspec.json.decode(body)
    kept = {name: value for name, value in resource.items() if name in SEEN}
    kept["extension"] = [one for one in kept.get("extension", []) if str(one.get("url", "")).endswith(STATUS)]
    if not kept["extension"]:
        del kept["extension"]
    tags = [*kept.get("meta", {}).get("tag", []), {"system": SUBSETTED, "code": "SUBSETTED"}]
    kept["meta"] = {**kept.get("meta", {}), "tag": tags}
    return msgspec.json.encode(kept)

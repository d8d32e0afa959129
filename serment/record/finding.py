"""Which record a search is for, and finding a person by an exact token.

A clinical search names one patient; a search of the directory names none. A person is found by INS,
or by birth date and family name together: what may be read is served whole, and to a care
professional or secretary of the structure who may not read it yet, only who the person is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from serment.access.decide import decide_find
from serment.access.find import finding_for
from serment.errors import RequestError
from serment.fhir import order
from serment.fhir.owner import DIRECTORY_TYPES
from serment.fhir.query import Query
from serment.fhir.query_clauses import Clause
from serment.fhir.query_values import DateValue, StringValue, TokenValue, Value
from serment.identity.keys import search_key_ins, search_keys
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Category, Permit, Receipt, RecordToken
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Sealed, View
from serment.record.passage import DECOY, Passage
from serment.record.reading import Served, settled, warm_records, whole
from serment.record.searching import PERSON, Page, Searching, candidates, matching, row
from serment.store.contract import Snapshot

MOST_CANDIDATES = 20
SEEN = frozenset({"resourceType", "id", "meta", "name", "birthDate", "_birthDate", "gender", "extension"})
"""Members of a Patient that finding a person shows; of the extensions only the identity status."""

FOUND_BY = frozenset({"identifier", "birthdate", "family", "name", "given", "gender", "_id"})
"""What a person may be found by when only who they are may be seen."""

STATUS = "fr-core-identity-reliability"
SUBSETTED = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"


@dataclass(slots=True)
class _Met:
    """What one candidate of a search for a person may show, and its trace."""

    view: View
    interaction: Interaction
    items: list[Item]
    sealed: list[Sealed] = field(default_factory=list)
    entries: list[Pending] = field(default_factory=list)


class Finding:
    """The passage for every search door."""

    def __init__(self, passage: Passage, searching: Searching) -> None:
        self._passage = passage
        self._searching = searching

    async def search(self, asking: Asking, query: Query) -> Page:
        """Send a search to the one record that it is for."""
        if query.type == "Patient" and not query.patients:
            return await self._people(asking, query)
        if query.type in DIRECTORY_TYPES and not query.patients:
            return await self._searching.directory(asking, query)
        return await self._searching.search(asking, query)

    async def _people(self, asking: Asking, query: Query) -> Page:
        keys, by_ins = person_keys_of(query)
        self._passage.searches.spend(asking.actor.id, asking.now)
        records = self._candidates(keys)
        await warm_records(self._passage, asking, records)
        with self._passage.store.snapshot() as snapshot:
            met = [self._one(snapshot, asking, query, record, by_ins=by_ins) for record in records]
        receipts = await settled(self._passage, [entry for one in met for entry in one.entries])
        shown = [one for one in met if one.items]
        by_record = {receipt.record: receipt for receipt in receipts}
        served = [_served(one, by_record[one.view.record]) for one in shown]
        rank = {one.id: place for place, one in enumerate(served)}
        ordered = order.arranged(query, [item for one in shown for item in one.items], row)
        page = [served[rank[item.entry.id]] for item in ordered]
        return Page(query, page[: query.count], len(page))

    def _candidates(self, keys: list[str]) -> list[RecordToken]:
        """Give the records that an exact token leads to; one that leads nowhere leads to the decoy."""
        with self._passage.store.snapshot() as snapshot:
            found = [
                record for key in keys for record in alike(snapshot, self._passage.installation.person(key))
            ]
            decoy, _ = self._passage.resolve(snapshot, DECOY)
        return list(dict.fromkeys(found)) or [decoy.record]

    def _one(
        self, snapshot: Snapshot, asking: Asking, query: Query, record: RecordToken, *, by_ins: bool
    ) -> _Met:
        """Look at one candidate as far as the decision lets: whole, who the person is, or not at all."""
        view = self._passage.view(snapshot, asking, record)
        items, contacts = candidates(snapshot, view, query)
        interaction, permits = Interaction.SEARCH, {}
        if not items and only_who(query):
            interaction, permits = Interaction.FIND, may_find(view, by_ins=by_ins)
            items = people(snapshot, view, permits)
        kept = matching(query, items, contacts)[:1]
        met = _Met(view, interaction, kept)
        if not kept:
            verdict = gate.denied(view.decide(PERSON, Act.READ))
            met.entries = trace.of_refusal(self._passage, view, interaction, verdict)
            return met
        parts = [*kept, *(contacts[item.entry.id] for item in kept if item.entry.id in contacts)]
        met.sealed = gate.fetch(snapshot, view, parts)
        touched = [trace.touched(item, asking) for item in kept]
        met.entries = trace.of_access(self._passage, view, interaction, touched)
        return met


def may_find(view: View, *, by_ins: bool) -> dict[int, Permit]:
    """Decide whether the asker may see who the person is, found by an exact token."""
    asking = view.asking
    permits: dict[int, Permit] = {}
    for place, unit in enumerate(view.head.classes()):
        named = unit.category is Category.IDENTITY and unit.document_type == "Patient"
        if named and view.inside(unit, Act.READ):
            facts = finding_for(
                asking.actor,
                asking.purpose,
                view.record,
                view.facts,
                asking.now,
                asking.request,
                view.policy,
                by_ins=by_ins,
                unit=unit,
            )
            verdict = decide_find(facts)
            if isinstance(verdict, Permit):
                permits[place] = verdict
    return permits


def people(snapshot: Snapshot, view: View, permits: dict[int, Permit]) -> list[Item]:
    """Open the packs that hold who the person is: their Patient, without the contact half."""
    return [
        item
        for _, pack in gate.packs(snapshot, view, permits)
        for item in pack
        if item.entry.type == "Patient" and not item.entry.part and not item.entry.deleted
    ]


def _served(met: _Met, receipt: Receipt) -> Served:
    """Open what one candidate may show: whole when it may be read, else who the person is."""
    bodies = [gate.reveal(met.view, receipt, part) for part in met.sealed]
    body = bodies[0] if len(bodies) == 1 else whole(met.items[0], bodies[0], met.sealed[1].item, bodies[1])
    if met.interaction is Interaction.FIND:
        body = who(body)
    entry, unit = met.items[0].entry, met.items[0].unit
    return Served(entry.type, entry.id, entry.version, entry.updated, False, unit, body)


def alike(snapshot: Snapshot, token: bytes) -> list[RecordToken]:
    """Give the records that one person token leads to.

    Raises `RequestError` above `MOST_CANDIDATES`: an answer that leaves people out would look whole.
    """
    found = snapshot.persons(token, MOST_CANDIDATES + 1)
    if len(found) > MOST_CANDIDATES:
        raise RequestError("record.too-many-alike", most=MOST_CANDIDATES)
    return found


def only_who(query: Query) -> bool:
    """Say whether a search asks for nothing but what finding a person shows.

    A criterion on anything else would answer yes or no about what the asker may not see.
    """
    return all(clause.code in FOUND_BY and not clause.modifier for clause in query.clauses)


def person_keys_of(query: Query) -> tuple[list[str], bool]:
    """Give the compound keys that a search for a person names, and whether it is by INS.

    Raises `RequestError` for a search by anything less than an exact compound, for several people at
    once (nobody lists people: capability 0-21), and for one that reaches other items: name its `_id`.
    """
    if query.links or query.includes:
        raise RequestError("record.person-search")
    clauses = {clause.code: clause for clause in query.clauses if not clause.modifier}
    if "identifier" in clauses:
        return _ins_keys(_only_value(clauses["identifier"])), True
    birth, family = clauses.get("birthdate"), clauses.get("family") or clauses.get("name")
    if birth is None or family is None:
        raise RequestError("record.person-search")
    day, name = _only_value(birth), _only_value(family)
    if not (isinstance(day, DateValue) and isinstance(name, StringValue) and day.prefix == "eq"):
        raise RequestError("record.person-search")
    return search_keys(day.text, name.folded), False


def _only_value(clause: Clause) -> Value:
    if len(clause.values) != 1:
        raise RequestError("record.person-search")
    return clause.values[0]


def _ins_keys(value: Value) -> list[str]:
    if not isinstance(value, TokenValue) or not value.system or not value.code:
        raise RequestError("record.person-search")
    return [search_key_ins(value.system, value.code.upper())]


def who(body: bytes) -> bytes:
    """Keep of a Patient only who the person is: name, birth date, sex, identity status."""
    resource = msgspec.json.decode(body)
    kept = {name: value for name, value in resource.items() if name in SEEN}
    kept["extension"] = [one for one in kept.get("extension", []) if str(one.get("url", "")).endswith(STATUS)]
    if not kept["extension"]:
        del kept["extension"]
    meta = {name: value for name, value in kept["meta"].items() if name in {"versionId", "lastUpdated"}}
    kept["meta"] = {**meta, "tag": [{"system": SUBSETTED, "code": "SUBSETTED"}]}
    return msgspec.json.encode(kept)

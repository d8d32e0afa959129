"""Batches and transactions (FHIR R4 http.html#transaction).

A transaction is one pen: every entry or none, in the order that FHIR sets (DELETE, POST, PUT and PATCH,
then GET once the rest is durable), its links resolved before anything is written. What meets a
conditional creation or update lends its id to the links. No two entries change one item. The entries
of a batch are requests of their own. Order: the passage, answers, doing the steps inside the pen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from serment.errors import (
    ConflictError,
    EntryError,
    GoneError,
    NotSupportedError,
    RefusedError,
    RequestError,
    SermentError,
    VersionConflictError,
)
from serment.fhir import document, outcome, subset
from serment.fhir.bundle import ResponseItem, searchset
from serment.fhir.freshness import fresh, instant
from serment.fhir.owner import ADDRESSED_ALONE
from serment.fhir.query import Query, parse
from serment.fhir.transaction import BundleEntry, entries
from serment.record import conditions, retrying, scanning, writing
from serment.record.asking import Asking
from serment.record.finding import Finding
from serment.record.incoming import owning_reference
from serment.record.passage import Passage
from serment.record.patching import TRIES, Patching
from serment.record.pen import Pen
from serment.record.reading import Reading, Served
from serment.record.resolving import Resolved, Resolving
from serment.record.searching import Page
from serment.record.steps import ORDER, Step, address, blaming, condition, may_create, prepared
from serment.record.write import Written
from serment.record.writing import Birth, Writing, new_id
from serment.words import Language

MOST_ENTRIES = 5000


def _nothing(_pen: Pen) -> None:
    """Do nothing beside the writes of a bundle."""


class Bundling:
    """The passage for bundles."""

    def __init__(self, passage: Passage, reading: Reading, finding: Finding, writes: Writing) -> None:
        self._passage = passage
        self._reading = reading
        self._finding = finding
        self._writing = writes
        self._resolving = Resolving(Patching(reading, finding, writes))

    async def run(
        self, asking: Asking, raw: bytes, base: str, also: Callable[[Pen], None] = _nothing
    ) -> tuple[Literal["batch", "transaction"], list[ResponseItem]]:
        """Run a batch or a transaction. Raises for a transaction that fails: nothing of it was written.

        `also` is done in the same transaction as its writes.
        """
        bundle = document.read(raw)
        asked = entries(bundle)
        kind = bundle.value.get("type")
        if kind not in {"batch", "transaction"} or len(asked) > MOST_ENTRIES:
            raise NotSupportedError("bundling.kind", most=MOST_ENTRIES)
        if kind == "batch":
            each = [
                asking if asking.retry is None else replace(asking, retry=asking.retry.of_entry(place))
                for place in range(len(asked))
            ]
            return "batch", [await self._alone(each[place], entry, base) for place, entry in enumerate(asked)]
        return "transaction", await self._together(asking, asked, base, linked=True, also=also)

    async def _alone(self, asking: Asking, entry: BundleEntry, base: str) -> ResponseItem:
        try:
            if entry.method == "GET":
                return await self._get(asking, entry, base)
            return (await self._together(asking, [entry], base, linked=False))[0]
        except EntryError as error:
            return failed(error.cause, asking)
        except SermentError as error:
            return failed(error, asking)

    async def _together(
        self,
        asking: Asking,
        asked: Sequence[BundleEntry],
        base: str,
        *,
        linked: bool,
        also: Callable[[Pen], None] = _nothing,
    ) -> list[ResponseItem]:
        """Run every write in one transaction, then the reads, each with its own status.

        Where a version that the sender did not name has moved on meanwhile, all is begun again.
        """
        for place, entry in enumerate(asked):
            if entry.method != "GET":
                with blaming(place):
                    within(asking, entry, base)
        made: dict[int, Written] | None = retrying.done_before(self._passage, asking)
        for left in reversed(range(0 if made else TRIES)):
            resolved = await self._resolving.resolve(asking, asked, base, linked=linked)
            try:
                made = await self._written(asking, resolved, base, also)
                break
            except EntryError as error:
                moved = isinstance(error.cause, VersionConflictError) and error.place in resolved.unnamed
                if not moved or not left:
                    raise
        return await self._answers(asking, asked, made or {}, base)

    async def _written(
        self, asking: Asking, resolved: Resolved, base: str, also: Callable[[Pen], None]
    ) -> dict[int, Written]:
        """Run every write in one transaction: place of the entry → what it made."""
        creating = [place for place, entry in enumerate(resolved.entries) if may_create(entry, base)]
        ids = {place: new_id() for place in creating}
        steps = prepared(resolved.entries, base, ids, resolved.references)
        await self._screened(steps)
        creations = [(step.incoming, step.id) for step in steps if step.place in ids and step.incoming]
        births = await self._writing.births(asking, creations)
        needed = [reference for step in steps for reference in _references(step, ids)]
        at: list[int] = []
        together = Together(resolved, base, ids, births)

        def job(pen: Pen) -> dict[int, Written]:
            made = run(pen, together, steps, at)
            also(pen)
            return made

        try:
            return await self._writing.run(
                asking, [reference for reference in needed if reference not in births], job
            )
        except EntryError:
            raise
        except (RequestError, RefusedError) as error:
            raise EntryError(at[-1], error) if at else error from None

    async def _answers(
        self, asking: Asking, asked: Sequence[BundleEntry], made: dict[int, Written], base: str
    ) -> list[ResponseItem]:
        return [
            await self._answered(asking, entry, base)
            if entry.method == "GET"
            else _response(made[place], base, asking.language)
            for place, entry in enumerate(asked)
        ]

    async def _screened(self, steps: Sequence[Step]) -> None:
        """Show every content to the scanner before a write. Raises `EntryError`, `DependencyError`."""
        for step in steps:
            if step.incoming is not None:
                with blaming(step.place):
                    await scanning.screen(self._writing.scanner, step.incoming)

    async def _answered(self, asking: Asking, entry: BundleEntry, base: str) -> ResponseItem:
        """Answer a GET of a transaction: what was written stands, so a refusal is this entry's own."""
        try:
            return await self._get(asking, entry, base)
        except SermentError as error:
            return failed(error, asking)

    async def _get(self, asking: Asking, entry: BundleEntry, base: str) -> ResponseItem:
        """Answer a GET of a bundle: one item, one version, or a search."""
        within(asking, entry, base)
        at = address(entry, base)
        type_, rest = at.type, at.id.split("/") if at.id else []
        if type_ in ADDRESSED_ALONE:
            raise NotSupportedError("bundling.get")
        if type_ == "Binary":  # large content stands beside its item: here there would seem to be none
            raise NotSupportedError("bundling.binary")
        if rest and not at.query:
            served = await self._item(asking, type_, rest)
            known = fresh(
                served.version, served.updated, entry.if_none_match, instant(entry.if_modified_since)
            )
            return ResponseItem(
                304 if known else 200, "", served.version, served.updated, None if known else served.body
            )
        if rest:
            raise NotSupportedError("bundling.get")
        pairs = parse_qsl(at.query, keep_blank_values=True)
        page = await self._finding.search(asking, parse(type_, pairs, base))
        return ResponseItem(200, resource=answered(page, base, asking.language))

    async def _item(self, asking: Asking, type_: str, rest: list[str]) -> Served:
        if len(rest) == 1:
            return await self._reading.read(asking, type_, rest[0])
        if len(rest) == 3 and rest[1] == "_history" and rest[2].isdecimal() and len(rest[2]) < 10:
            served = await self._reading.vread(asking, type_, rest[0], int(rest[2]))
            if served.deleted:
                raise GoneError("record.gone")
            return served
        raise NotSupportedError("bundling.get")


def within(asking: Asking, entry: BundleEntry, base: str) -> None:
    """Refuse an entry that the scope of the program which asks does not name. Raises `ScopeError`."""
    if asking.scope is None:
        return
    at = address(entry, base)
    asking.scope.check(entry.method, f"{at.type}/{at.id}", conditional=bool(condition(entry, base)))


def answered(page: Page, base: str, language: Language, aside: int = 0) -> bytes:
    """Join a page of answers, for every search door. An empty one says that it is empty for this caller.

    `aside` is how many parameters were left aside because the caller asked so. Whoever was searched by a
    trait is left out of every address: of a search for people, no self link.
    """
    query = page.query
    links = {"self": f"{base}/{query.type}?{urlencode(query.shown_pairs())}".rstrip("?")}
    if page.next:
        links["next"] = f"{base}/{query.type}?{urlencode({'_page': page.next})}"
    found: list[tuple[str, bytes, Literal["match", "include", "outcome"]]] = [
        (f"{one.type}/{one.id}", part_of(query, one.type, one.body), "match") for one in page.served
    ]
    found += [
        (f"{one.type}/{one.id}", part_of(query, one.type, one.body, match=False), "include")
        for one in page.included
    ]
    said = None if page.total else outcome.ok("api.nothing-visible", language)
    if aside:
        said = outcome.ok("api.left-aside", language, count=aside)
    return searchset(base, found, None if query.total == "none" else page.total, links, said)


def part_of(query: Query, type_: str, body: bytes, *, match: bool = True) -> bytes:
    """Give the part of an item that a query asks: `_elements` are those of the matches."""
    if query.elements:
        return subset.elements(type_, body, query.elements) if match else body
    return body if query.summary == "false" else subset.summarised(type_, body, query.summary)


def _references(step: Step, ids: Mapping[int, str]) -> list[str]:
    references = [] if step.place in ids else [f"{step.type}/{step.id}"]
    if step.incoming is not None:
        references.append(owning_reference(step.incoming, step.id))
    return references


@dataclass(frozen=True, slots=True)
class Together:
    """What a transaction was sent as: its entries, the ids given, the records that it begins."""

    resolved: Resolved = field(repr=False)
    base: str
    ids: dict[int, str] = field(repr=False)
    births: dict[str, Birth] = field(repr=False)

    def steps(self, met: Mapping[int, Written]) -> list[Step]:
        """Make the entries ready again, what met a condition in the place of what would be created."""
        ids = {**self.ids, **{place: found.id for place, found in met.items()}}
        return prepared(self.resolved.entries, self.base, ids, self.resolved.references)


def run(pen: Pen, bundle: Together, steps: list[Step], at: list[int]) -> dict[int, Written]:
    """Do every step inside the pen, in FHIR's order. `at` ends with the place of the step being done."""
    at.clear()
    steps, met = _meeting(pen, bundle, steps, at)
    lent = {step.place for step in steps if step.method == "POST" and step.place in met}
    _apart(steps, lent, at)
    made = {place: met[place] for place in lent}
    for step in sorted(steps, key=lambda step: _in_order(step, met)):
        if step.place not in lent:
            at.append(step.place)
            made[step.place] = done(pen, step, bundle.births, met.get(step.place))
    at.clear()
    return made


def _in_order(step: Step, met: Mapping[int, Written]) -> tuple[int, bool, bool]:
    """Put professionals before the acts that name them, and a word of the patient after what it speaks of.

    A conditional update that nothing met is a creation.
    """
    creates = bool(step.condition) and step.place not in met
    turn = ORDER["POST" if creates else step.method]
    return turn, step.type == "Consent", not step.type.startswith("Practitioner")


def _apart(steps: Sequence[Step], lent: Collection[int], at: list[int]) -> None:
    """Refuse two entries that change one item, or one that changes what another one met.

    Items are told apart by their ids alone, which are the sender's or of what they may see (R4
    http.html#trules). Raises `ConflictError`, the later entry blamed.
    """
    taken = {(step.type, step.id) for step in steps if step.place in lent}
    for step in steps:
        if step.place not in lent:
            if (step.type, step.id) in taken:
                at.append(step.place)
                raise ConflictError("record.twice")
            taken.add((step.type, step.id))


def _meeting(
    pen: Pen, bundle: Together, steps: list[Step], at: list[int]
) -> tuple[list[Step], dict[int, Written]]:
    """Ask the conditions of creations and updates; what meets one takes its place in every link.

    Patients come first: what is created in their record is asked there. Two equal conditions, however
    written, are one item meant twice: refused, for the second would not see the first.
    """
    met: dict[int, Written] = {}
    asked: set[bytes] = set()
    for people in (True, False):
        known = len(met)
        for step in steps:
            if not step.condition or step.incoming is None or (step.type == "Patient") != people:
                continue
            at.append(step.place)
            key = conditions.parsed(step.type, step.condition, bundle.base).key()
            if key in asked:
                raise ConflictError("record.twice")
            asked.add(key)
            found = conditions.met(pen, step.incoming, step.condition)
            if found is not None:
                met[step.place] = found
        if len(met) > known:
            steps = bundle.steps(met)
    return steps, met


def done(pen: Pen, step: Step, births: dict[str, Birth], found: Written | None) -> Written:
    """Do one step inside the pen; `found` is what met the condition of an update."""
    if step.incoming is None:
        return writing.remove(pen, step.type, step.id, step.if_match)
    if step.method == "POST":
        return writing.put(pen, step.incoming, step.id, births, pen.asking.actor.id)
    if step.condition:
        return writing.upserted(pen, step.incoming, found, step.id, births, step.if_match)
    owner = owning_reference(step.incoming, step.id)
    return writing.change(pen, step.incoming, step.id, owner, step.if_match)


def failed(error: SermentError, asking: Asking) -> ResponseItem:
    """Answer an entry that was refused."""
    return ResponseItem(error.status, outcome=outcome.outcome(error, asking.language))


def _response(made: Written, base: str, language: Language) -> ResponseItem:
    if made.waiting:
        waits = outcome.ok("record.waits-for-a-second", language)
        return ResponseItem(202, "", made.version, made.updated, outcome=waits)
    location = f"{base}/{made.type}/{made.id}/_history/{made.version}"
    said = outcome.ok("record.suspected", language) if made.suspected else None
    return ResponseItem(201 if made.created else 200, location, made.version, made.updated, outcome=said)

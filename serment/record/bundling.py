"""Batches and transactions (FHIR R4 http.html#transaction).

A transaction is one pen: every entry or none, in the order that FHIR sets (DELETE, POST, PUT, then
GET once the rest is durable), its `urn:uuid` links resolved before anything is read. A conditional
creation that meets an item lends that item's id to the links. The entries of a batch are requests of
their own. Order: the passage, making entries ready, doing them, answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from serment.errors import (
    ConflictError,
    EntryError,
    InvalidResourceError,
    MalformedError,
    NotFoundError,
    NotSupportedError,
    RefusedError,
    RequestError,
    SermentError,
    TooLargeError,
)
from serment.fhir import document, outcome, subset
from serment.fhir.binary_json import contents_of
from serment.fhir.bundle import ResponseItem, searchset
from serment.fhir.owner import NEVER_WRITTEN
from serment.fhir.query import Query, parse
from serment.fhir.transaction import BundleEntry, entries, relink
from serment.record import conditions, incoming, scanning, writing
from serment.record.asking import Asking
from serment.record.finding import Finding
from serment.record.incoming import Incoming, Sheet, owning_reference
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.reading import Reading
from serment.record.searching import Page
from serment.record.write import Written
from serment.record.writing import Birth, Writing, new_id
from serment.words import Language

MOST_ENTRIES = 5000
MOST_CONDITIONS = 200
"""Conditional creations in one transaction: each opens index packs while the store is held."""

ORDER = {"DELETE": 0, "POST": 1, "PUT": 2}
_IF_MATCH = re.compile(r'W/"(\d{1,9})"')


@dataclass(frozen=True, slots=True)
class Step:
    """One entry made ready: its place in the bundle, what it asks, and on what."""

    place: int
    method: str
    type: str
    id: str
    incoming: Incoming | None = field(repr=False)
    if_match: int | None = None
    if_none_exist: str = field(default="", repr=False)


@contextmanager
def blaming(place: int) -> Iterator[None]:
    """Say of what is raised inside which entry of the bundle it was."""
    try:
        yield
    except EntryError:
        raise
    except (RequestError, RefusedError) as error:
        raise EntryError(place, error) from error


class Bundling:
    """The passage for bundles."""

    def __init__(self, passage: Passage, reading: Reading, finding: Finding, writes: Writing) -> None:
        self._passage = passage
        self._reading = reading
        self._finding = finding
        self._writing = writes

    async def run(
        self, asking: Asking, raw: bytes, base: str
    ) -> tuple[Literal["batch", "transaction"], list[ResponseItem]]:
        """Run a batch or a transaction. Raises for a transaction that fails: nothing of it was written."""
        bundle = document.read(raw)
        asked = entries(bundle)
        kind = bundle.value.get("type")
        if kind not in {"batch", "transaction"} or len(asked) > MOST_ENTRIES:
            raise NotSupportedError("bundling.kind", most=MOST_ENTRIES)
        if kind == "batch":
            return "batch", [await self._alone(asking, entry, base) for entry in asked]
        return "transaction", await self._together(asking, asked, base)

    async def _alone(self, asking: Asking, entry: BundleEntry, base: str) -> ResponseItem:
        try:
            if entry.method == "GET":
                return await self._get(asking, entry.url, base)
            return (await self._together(asking, [entry], base))[0]
        except EntryError as error:
            return failed(error.cause, asking)
        except SermentError as error:
            return failed(error, asking)

    async def _together(self, asking: Asking, asked: Sequence[BundleEntry], base: str) -> list[ResponseItem]:
        """Run every write in one transaction, then the reads, each with its own status."""
        ids = {place: new_id() for place, entry in enumerate(asked) if entry.method == "POST"}
        steps = prepared(asked, base, ids)
        await self._screened(steps)
        creations = [(step.incoming, step.id) for step in steps if step.method == "POST" and step.incoming]
        births = await self._writing.births(asking, creations)
        references = [
            reference for step in steps for reference in _references(step) if reference not in births
        ]
        at: list[int] = []

        def job(pen: Pen) -> dict[int, Written]:
            return run(pen, Together(asked, base, ids, births), steps, at)

        try:
            made = await self._writing.run(asking, references, job)
        except EntryError:
            raise
        except (RequestError, RefusedError) as error:
            raise EntryError(at[-1], error) if at else error from None
        return [
            await self._answered(asking, entry.url, base)
            if entry.method == "GET"
            else _response(made[place], base)
            for place, entry in enumerate(asked)
        ]

    async def _screened(self, steps: Sequence[Step]) -> None:
        """Show every content to the scanner before a write. Raises `EntryError`, `DependencyError`."""
        for step in steps:
            if step.incoming is not None:
                with blaming(step.place):
                    await scanning.screen(self._writing.scanner, step.incoming)

    async def _answered(self, asking: Asking, url: str, base: str) -> ResponseItem:
        """Answer a GET of a transaction: what was written stands, so a refusal is this entry's own."""
        try:
            return await self._get(asking, url, base)
        except SermentError as error:
            return failed(error, asking)

    async def _get(self, asking: Asking, url: str, base: str) -> ResponseItem:
        """Answer a GET of a bundle: one item, one version, or a search."""
        parts = urlsplit(url.removeprefix(base).lstrip("/"))
        type_, *rest = parts.path.split("/")
        if type_ in NEVER_WRITTEN:  # the trace is read at its own address
            raise NotSupportedError("bundling.get")
        if rest and not parts.query:
            return await self._item(asking, type_, rest)
        if rest:
            raise NotSupportedError("bundling.get")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        page = await self._finding.search(asking, parse(type_, pairs, base))
        return ResponseItem(200, resource=answered(page, base, asking.language))

    async def _item(self, asking: Asking, type_: str, rest: list[str]) -> ResponseItem:
        if len(rest) == 1:
            served = await self._reading.read(asking, type_, rest[0])
        elif len(rest) == 3 and rest[1] == "_history" and rest[2].isdecimal() and len(rest[2]) < 10:
            served = await self._reading.vread(asking, type_, rest[0], int(rest[2]))
        else:
            raise NotSupportedError("bundling.get")
        return ResponseItem(200, "", served.version, served.updated, served.body)


def answered(page: Page, base: str, language: Language) -> bytes:
    """Join a page of answers, for every search door. An empty one says that it is empty for this caller.

    Whoever was searched by a trait is left out of every address: of a search for people, no self link.
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
    nothing = None if page.total else outcome.ok("api.nothing-visible", language)
    return searchset(base, found, None if query.total == "none" else page.total, links, nothing)


def part_of(query: Query, type_: str, body: bytes, *, match: bool = True) -> bytes:
    """Give the part of an item that a query asks: `_elements` are those of the matches."""
    if query.elements:
        return subset.elements(type_, body, query.elements) if match else body
    return body if query.summary == "false" else subset.summarised(type_, body, query.summary)


def prepared(asked: Sequence[BundleEntry], base: str, ids: Mapping[int, str]) -> list[Step]:
    """Resolve the links between entries, read and check every resource. `ids` are those of the POST entries.

    Raises `EntryError`: an entry's own fault with its place; an internal link that leads to no entry
    refuses the whole.
    """
    links: dict[str, str] = {}
    for place, entry in enumerate(asked):
        if place in ids and entry.full_url:
            with blaming(place):
                if entry.full_url in links:
                    raise ConflictError("record.twice")
                links[entry.full_url] = f"{_type_of(entry, place)}/{ids[place]}"
    if sum(1 for entry in asked if entry.if_none_exist) > MOST_CONDITIONS:
        raise TooLargeError("bundling.conditions", most=MOST_CONDITIONS)
    steps: dict[int, Step] = {}
    sheets: dict[str, Sheet] = {}
    for place, entry in sorted(enumerate(asked), key=_content_last):
        if entry.method != "GET":
            with blaming(place):
                step = steps[place] = _step(place, entry, ids, links, base, sheets)
            if step.incoming is not None and step.type == "DocumentReference":
                sheet = step.incoming, f"{step.type}/{step.id}"
                sheets |= dict.fromkeys(contents_of(step.incoming.document.value, base), sheet)
    return [steps[place] for place in sorted(steps)]


def _content_last(placed: tuple[int, BundleEntry]) -> bool:
    """Put Binaries after what may point to them."""
    return "Binary" in placed[1].url


def _step(
    place: int,
    entry: BundleEntry,
    ids: Mapping[int, str],
    links: Mapping[str, str],
    base: str,
    sheets: Mapping[str, Sheet],
) -> Step:
    if entry.method not in ORDER:
        raise NotSupportedError("bundling.method", entry=place + 1)
    parts = urlsplit(entry.url.removeprefix(base).lstrip("/"))
    type_, _, id_ = parts.path.partition("/")
    if parts.query or (entry.method != "POST" and not id_) or (entry.method == "POST" and id_):
        raise NotSupportedError("bundling.conditional")
    if type_ in NEVER_WRITTEN:
        raise NotFoundError("api.unknown-type")
    if entry.method == "DELETE":
        return Step(place, "DELETE", type_, id_, None, version_of(entry.if_match))
    if entry.resource is None:
        raise InvalidResourceError("bundling.no-resource", f"Bundle.entry[{place}].resource")
    raw, unresolved = relink(entry.resource, links)
    if unresolved:
        raise InvalidResourceError("record.link-unresolved", f"Bundle.entry[{place}]")
    sheet = sheets.get(f"{type_}/{ids.get(place, id_)}")
    resource = incoming.read(raw, type_, base, sheet)
    if entry.method == "POST":
        return Step(place, "POST", type_, ids[place], resource, if_none_exist=entry.if_none_exist)
    writing.same_id(resource, id_)
    return Step(place, "PUT", type_, id_, resource, version_of(entry.if_match))


def version_of(if_match: str) -> int | None:
    """Read an If-Match, None when there is none. Raises `MalformedError`."""
    if not if_match:
        return None
    match = _IF_MATCH.fullmatch(if_match.strip())
    if match is None:
        raise MalformedError("api.malformed-if-match")
    return int(match[1])


def _type_of(entry: BundleEntry, place: int) -> str:
    type_ = entry.url.lstrip("/").partition("?")[0]
    if not type_.isalpha():
        raise InvalidResourceError("bundling.no-resource", f"Bundle.entry[{place}].request.url")
    return type_


def _references(step: Step) -> list[str]:
    references = [] if step.method == "POST" else [f"{step.type}/{step.id}"]
    if step.incoming is not None:
        references.append(owning_reference(step.incoming, step.id))
    return references


@dataclass(frozen=True, slots=True)
class Together:
    """What a transaction was sent as: its entries, the ids given, the records that it begins."""

    asked: Sequence[BundleEntry] = field(repr=False)
    base: str
    ids: dict[int, str] = field(repr=False)
    births: dict[str, Birth] = field(repr=False)


def run(pen: Pen, bundle: Together, steps: list[Step], at: list[int]) -> dict[int, Written]:
    """Do every step inside the pen, in FHIR's order. `at` ends with the place of the step being done."""
    at.clear()
    steps, made = _meeting(pen, bundle, steps, at)
    for step in sorted(steps, key=_in_order):
        if step.place not in made:
            at.append(step.place)
            made[step.place] = done(pen, step, bundle.births)
    at.clear()
    return made


def _in_order(step: Step) -> tuple[int, bool, bool]:
    """Put professionals before the acts that name them, and a word of the patient after what it speaks of."""
    return ORDER[step.method], step.type == "Consent", not step.type.startswith("Practitioner")


def _meeting(
    pen: Pen, bundle: Together, steps: list[Step], at: list[int]
) -> tuple[list[Step], dict[int, Written]]:
    """Ask the conditions of conditional creations; what meets one takes its place in every link.

    Patients come first: what is created in their record is asked there. Two equal conditions are one
    item meant twice: refused, for the second would not see the first.
    """
    met: dict[int, Written] = {}
    asked: set[tuple[str, str]] = set()
    for people in (True, False):
        known = len(met)
        for step in steps:
            if not step.if_none_exist or step.incoming is None or (step.type == "Patient") != people:
                continue
            at.append(step.place)
            if (step.type, step.if_none_exist) in asked:
                raise ConflictError("record.twice")
            asked.add((step.type, step.if_none_exist))
            found = conditions.met(pen, step.incoming, step.if_none_exist)
            if found is not None:
                met[step.place] = found
        if len(met) > known:
            ids = {**bundle.ids, **{place: found.id for place, found in met.items()}}
            steps = prepared(bundle.asked, bundle.base, ids)
    return steps, met


def done(pen: Pen, step: Step, births: dict[str, Birth]) -> Written:
    """Do one step inside the pen."""
    if step.incoming is None:
        return writing.remove(pen, step.type, step.id, step.if_match)
    if step.method == "PUT":
        owner = owning_reference(step.incoming, step.id)
        return writing.change(pen, step.incoming, step.id, owner, step.if_match)
    return writing.put(pen, step.incoming, step.id, births, pen.asking.actor.id)


def failed(error: SermentError, asking: Asking) -> ResponseItem:
    """Answer an entry that was refused."""
    return ResponseItem(error.status, outcome=outcome.outcome(error, asking.language))


def _response(made: Written, base: str) -> ResponseItem:
    location = f"{base}/{made.type}/{made.id}/_history/{made.version}"
    return ResponseItem(201 if made.created else 200, location, made.version, made.updated)

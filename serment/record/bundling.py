"""Batches and transactions (FHIR R4 http.html#transaction).

A transaction is one pen: every entry or none, in the order that FHIR sets (DELETE, POST, PUT, then
GET once the rest is durable), its `urn:uuid` links resolved before anything is read. The entries of a
batch are requests of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from serment.errors import InvalidResourceError, NotSupportedError, RequestError, SermentError
from serment.fhir import document, outcome
from serment.fhir.bundle import ResponseItem, searchset
from serment.fhir.query import parse
from serment.fhir.transaction import BundleEntry, attached, entries, relink
from serment.record import conditions, incoming, writing
from serment.record.asking import Asking
from serment.record.finding import Finding
from serment.record.incoming import Incoming, owning_reference
from serment.record.passage import Passage
from serment.record.pen import DeniedError, Pen
from serment.record.reading import Reading
from serment.record.write import Written
from serment.record.writing import Birth, Writing, new_id

MOST_ENTRIES = 5000
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
        except SermentError as error:
            return ResponseItem(error.status, outcome=outcome.outcome(error, asking.language))

    async def _together(self, asking: Asking, asked: Sequence[BundleEntry], base: str) -> list[ResponseItem]:
        """Run every write in one transaction, then the reads."""
        steps = prepared(asked, base)
        creations = [(step.incoming, step.id) for step in steps if step.method == "POST" and step.incoming]
        births = await self._writing.births(asking, creations)
        references = [
            reference for step in steps for reference in _references(step) if reference not in births
        ]
        ordered = sorted(steps, key=lambda step: ORDER[step.method])
        made = await self._writing.run(
            asking, references, lambda pen: {step.place: done(pen, step, births) for step in ordered}
        )
        return [
            await self._get(asking, entry.url, base)
            if entry.method == "GET"
            else _response(made[place], base)
            for place, entry in enumerate(asked)
        ]

    async def _get(self, asking: Asking, url: str, base: str) -> ResponseItem:
        """Answer a GET of a bundle: one item, or a search."""
        parts = urlsplit(url.removeprefix(base).lstrip("/"))
        type_, _, id_ = parts.path.partition("/")
        if id_:
            served = await self._reading.read(asking, type_, id_)
            return ResponseItem(200, "", served.version, served.updated, served.body)
        page = await self._finding.search(asking, parse(type_, parse_qsl(parts.query, keep_blank_values=True), base))
        found: list[tuple[str, bytes, Literal["match", "include", "outcome"]]] = [
            (f"{one.type}/{one.id}", one.body, "match") for one in page.served
        ]
        return ResponseItem(200, resource=searchset(base, found, page.total, {}, None))


def prepared(asked: Sequence[BundleEntry], base: str) -> list[Step]:
    """Give new ids, resolve the links between entries, read and check every resource.

    Raises what the entry's own fault is, with its place in the bundle; an internal link that leads to
    no entry refuses the whole.
    """
    ids = {place: new_id() for place, entry in enumerate(asked) if entry.method == "POST"}
    links = {
        entry.full_url: f"{_type_of(entry, place)}/{ids[place]}"
        for place, entry in enumerate(asked)
        if place in ids and entry.full_url
    }
    steps = [
        _step(place, entry, ids, links, base) for place, entry in enumerate(asked) if entry.method != "GET"
    ]
    return _filed(steps)


def _filed(steps: list[Step]) -> list[Step]:
    """Give each Binary the class of the document of the same bundle that points to it."""
    classes = {
        url: step.incoming
        for step in steps
        if step.incoming is not None and step.type == "DocumentReference"
        for url in attached(step.incoming.document.value)
    }
    return [
        replace(step, incoming=step.incoming.filed_as(classes[f"Binary/{step.id}"]))
        if step.incoming is not None and step.type == "Binary" and f"Binary/{step.id}" in classes
        else step
        for step in steps
    ]


def _step(
    place: int, entry: BundleEntry, ids: Mapping[int, str], links: Mapping[str, str], base: str
) -> Step:
    if entry.method not in ORDER:
        raise NotSupportedError("bundling.method", entry=place)
    type_, _, id_ = urlsplit(entry.url.removeprefix(base).lstrip("/")).path.partition("/")
    if entry.method == "DELETE":
        return Step(place, "DELETE", type_, id_, None)
    if entry.resource is None:
        raise InvalidResourceError("bundling.no-resource", f"Bundle.entry[{place}].resource")
    raw, unresolved = relink(entry.resource, links)
    if unresolved:
        raise InvalidResourceError("record.link-unresolved", f"Bundle.entry[{place}]")
    resource = incoming.read(raw, type_)
    if entry.method == "POST":
        return Step(place, "POST", type_, ids[place], resource, if_none_exist=entry.if_none_exist)
    match = _IF_MATCH.fullmatch(entry.if_match.strip())
    return Step(place, "PUT", type_, id_, resource, None if match is None else int(match[1]))


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


def done(pen: Pen, step: Step, births: dict[str, Birth]) -> Written:
    """Do one step inside the pen. An error says which entry it was."""
    try:
        if step.incoming is None:
            return writing.remove(pen, step.type, step.id)
        if step.method == "PUT":
            owner = owning_reference(step.incoming, step.id)
            return writing.change(pen, step.incoming, step.id, owner, step.if_match)
        met = conditions.met(pen, step.incoming, step.if_none_exist)
        if met is not None:
            return met
        return writing.put(pen, step.incoming, step.id, births, pen.asking.actor.id)
    except DeniedError:
        raise
    except RequestError as error:
        error.add_note(f"entry {step.place}")
        raise


def _response(made: Written, base: str) -> ResponseItem:
    location = f"{base}/{made.type}/{made.id}/_history/{made.version}"
    return ResponseItem(201 if made.created else 200, location, made.version, made.updated)

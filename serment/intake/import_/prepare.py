"""One resource made ready: links spliced, checked, owned, classed, cut and indexed.

An imported id is worked out from source, type and old id, so that `Type/old` becomes `Type/new`
without a map. A link that a bundle resolves (`fullUrl`, `urn:uuid:`) becomes that too; a conditional
one becomes the directory entry that it names exactly. Any other stays as received, and is counted when
it is a placeholder.

Order: what is known while importing, links, one resource, one chunk of lines, one bundle. Nothing is
decided or written here; a resource that cannot be made ready says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from serment.errors import RequestError, SermentError
from serment.fhir import document as documents
from serment.fhir.document import Document
from serment.fhir.owner import DIRECTORY_TYPES, InDirectory, OwnedBy, OwnedByTarget, owner
from serment.fhir.transaction import attached, relink
from serment.identity import rpps
from serment.intake.import_ import bundles, content
from serment.intake.import_.bundles import Found
from serment.intake.import_.sources import Line, Phase
from serment.model import Instant
from serment.record import incoming
from serment.record.importing import Arrival, Prepared

_LOCAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_EXACT = re.compile(r"([A-Z][A-Za-z]{1,63})\?identifier=([^&]+)")


@dataclass(slots=True)
class Known:
    """What an import knows while it runs: how ids are named, and the directory met so far.

    `aliases` leads from `Practitioner?identifier=…` to `Practitioner/<new id>`; `people` from the
    latter to the professional (`rpps:…`, "" for none). `unresolved` counts links kept as received.
    """

    name: Callable[[str, str], str]
    aliases: dict[str, str] = field(default_factory=dict, repr=False)
    people: dict[str, str] = field(default_factory=dict, repr=False)
    unresolved: int = 0

    def meet(self, type_: str, id_: str, resource: dict[str, Any]) -> None:
        """Learn what a directory entry is called by others."""
        numbers = [one for one in resource.get("identifier", ()) if isinstance(one, dict)]
        for one in numbers:
            if one.get("system") and one.get("value"):
                self.aliases[f"{type_}?identifier={one['system']}|{one['value']}"] = f"{type_}/{id_}"
        if type_ == "Practitioner":
            found = [str(one.get("value", "")) for one in numbers if rpps.is_rpps(str(one.get("value", "")))]
            self.people[f"{type_}/{id_}"] = f"rpps:{found[0]}" if found else ""


class Links(dict[str, str]):
    """From a reference as written to what stands in its place; worked out when it is met."""

    def __init__(self, known: Known, urls: dict[str, str]) -> None:
        super().__init__(urls)
        self._known = known

    def __contains__(self, link: object) -> bool:
        return isinstance(link, str) and (super().__contains__(link) or self._worked_out(link))

    def _worked_out(self, link: str) -> bool:
        local = _LOCAL.fullmatch(link)
        if local is not None:
            self[link] = f"{local[1]}/{self._known.name(local[1], local[2])}"
            return True
        exact = _EXACT.fullmatch(link)
        if exact is None:
            return False
        target = self._known.aliases.get(f"{exact[1]}?identifier={unquote(exact[2])}")
        if target is None:
            self._known.unresolved += 1
            return False
        self[link] = target
        return True


@dataclass(frozen=True, slots=True)
class Made:
    """What a chunk or a file was made into. `count` is of the resources read, whatever became of them."""

    count: int
    arrivals: list[Arrival] = field(repr=False)


def of_lines(lines: Iterable[Line], phase: Phase, known: Known, now: Instant) -> Made:
    """Make ready the lines of a chunk that belong to this pass."""
    found: list[Arrival] = []
    for line in lines:
        arrival = _of_line(line, phase, known, now)
        if arrival is not None:
            found.append(arrival)
    return Made(len(found), _in_order(found))


def _of_line(line: Line, phase: Phase, known: Known, now: Instant) -> Arrival | None:
    named = bundles.named(line.raw)
    if not line.is_of(phase, named[0] if named else None):
        return None
    type_, old = named or ("", "")
    return arrival(type_, old or bundles.digest_of(line.raw), line.raw, Links(known, {}), known, now)


def of_bundle(raw: bytes, known: Known, now: Instant) -> Made:
    """Make ready the entries of a bundle, or the one resource that a file holds instead."""
    try:
        found = bundles.read(raw)
    except SermentError as error:
        return Made(1, [_refused("Bundle", "", known, raw, error.sentence)])
    if found is None:
        return of_lines([Line(raw, False, True)], Phase.OTHER_LINES, known, now)
    urls = {
        one.full_url: f"{one.type}/{known.name(one.type, one.key)}"
        for one in found
        if one.full_url and one.type
    }
    for one in found:
        if one.type in DIRECTORY_TYPES and one.raw is not None:
            known.meet(one.type, known.name(one.type, one.key), bundles.identifiers(one.raw))
    links = Links(known, urls)
    made = [_of_entry(one, links, known, now) for one in found]
    return Made(len(found), _in_order(_filed(made, now)))


def broken(path: Path, reason: str, known: Known) -> Made:
    """Say that a file could not be read to its end: one item, which names the file."""
    return Made(1, [_refused("", f"file:{path.name}", known, path.name.encode(), reason)])


def _of_entry(one: Found, links: Links, known: Known, now: Instant) -> Arrival:
    if one.raw is None:
        return _refused("", one.key, known, b"", "importing.no-resource")
    return arrival(one.type, one.key, one.raw, links, known, now)


def arrival(
    type_: str, key: str, raw: bytes, links: Links, known: Known, now: Instant, *, linked: bool = False
) -> Arrival:
    """Make one resource ready. `linked` says that its links were spliced before (from the quarantine)."""
    spliced = raw
    try:
        if not linked:
            spliced, unresolved = relink(raw, links)
            known.unresolved += unresolved
        document = documents.read(spliced)
        if document.type != type_:
            raise RequestError("fhir.not-a-resource")
    except (SermentError, UnicodeDecodeError) as error:
        return _refused(type_, key, known, raw, getattr(error, "sentence", "fhir.not-utf8"))
    id_ = known.name(type_, key)
    if type_ in DIRECTORY_TYPES:
        known.meet(type_, id_, document.value)
    prepared, reason = None, ""
    try:
        prepared = ready(document, id_, now)
    except SermentError as error:
        reason = error.sentence
    return Arrival(type_, key, id_, spliced, sha256(spliced).digest(), prepared, reason, linked=True)


def ready(document: Document, id_: str, now: Instant) -> Prepared:
    """Check, own, class, cut and index a resource. Raises `RequestError` with the reason."""
    found = content.fault(document.value, document.text)
    if found:
        raise RequestError(found)
    return _parted(incoming.of(document), id_, now)


def _parted(whole: incoming.Incoming, id_: str, now: Instant) -> Prepared:
    return Prepared(
        whole.document,
        whole.owner,
        whole.category,
        whole.document_type,
        whole.labels,
        documents=whole.documents,
        ready=tuple(whole.parts(id_, 1, now)),
    )


def _filed(made: list[Arrival], now: Instant) -> list[Arrival]:
    """Give each Binary that names no patient the record and class of the document that points to it."""
    documents_of = {
        url: (one.prepared, f"DocumentReference/{one.id}")
        for one in made
        if one.type == "DocumentReference" and one.prepared is not None
        for url in attached(one.prepared.document.value)
    }
    return [
        _with_document(one, documents_of[f"Binary/{one.id}"], now)
        if one.type == "Binary" and f"Binary/{one.id}" in documents_of
        else one
        for one in made
    ]


def _with_document(binary: Arrival, sheet: incoming.Sheet, now: Instant) -> Arrival:
    """File a Binary with its document. One refused for anything else than having no owner stays refused."""
    if binary.prepared is None and binary.reason != "fhir.no-patient":
        return binary
    document = documents.read(binary.raw)
    if binary.prepared is not None and owner(document.value) != sheet[0].owner:
        return binary
    whole = incoming.of(document, sheet=sheet)
    return replace(binary, prepared=_parted(whole, binary.id, now), reason="")


def _refused(type_: str, key: str, known: Known, raw: bytes, reason: str) -> Arrival:
    digest = sha256(raw).digest()
    name = key or digest.hex()
    return Arrival(type_, name, known.name(type_, name), raw, digest, reason=reason)


def _in_order(made: list[Arrival]) -> list[Arrival]:
    """Put directory and Patients first, what follows another resource last."""
    return sorted(made, key=_rank)


def _rank(one: Arrival) -> int:
    if one.prepared is None:
        return 4
    match one.prepared.owner:
        case InDirectory():
            return 0
        case OwnedBy():
            return 1 if one.type == "Patient" else 2
        case OwnedByTarget():
            return 3


__all__ = ["Known", "Links", "arrival", "of_bundle", "of_lines", "ready"]

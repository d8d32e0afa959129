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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from serment.errors import RequestError, SermentError
from serment.fhir import document as documents
from serment.fhir.document import Document
from serment.fhir.owner import DIRECTORY_TYPES, InDirectory, OwnedBy, OwnedByTarget, owner
from serment.fhir.transaction import BundleEntry, attached, entries, relink
from serment.identity import rpps
from serment.intake.import_ import content
from serment.intake.import_.sources import MOST_FILE, Line, Phase
from serment.model import Instant
from serment.record import incoming
from serment.record.importing import Arrival, Prepared

_LOCAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_EXACT = re.compile(r"([A-Z][A-Za-z]{1,63})\?identifier=([^&]+)")
_TAIL = re.compile(r"(?:^|/)([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})$")


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
    """What a chunk or a file was made into. `count` says how many resources were read, apart from the list."""

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
    try:
        document = documents.read(line.raw)
    except SermentError as error:
        return _refused("", "", known, line.raw, error.sentence) if line.is_of(phase, None) else None
    if not line.is_of(phase, document.type):
        return None
    old = document.value.get("id")
    key = old if isinstance(old, str) and old else _digest_of(line.raw)
    return arrival(document.type, key, line.raw, Links(known, {}), known, now)


def of_bundle(raw: bytes, known: Known, now: Instant) -> Made:
    """Make ready the entries of a bundle, or the one resource that a file holds instead."""
    try:
        document = documents.read(raw, MOST_FILE)
        if document.type != "Bundle":
            return of_lines([Line(raw, False, True)], Phase.OTHER_LINES, known, now)
        found = entries(document)
    except SermentError as error:
        return Made(1, [_refused("Bundle", "", known, raw, error.sentence)])
    keyed = [
        _keyed(entry, value) for entry, value in zip(found, document.value.get("entry", ()), strict=True)
    ]
    urls = {
        entry.full_url: f"{type_}/{known.name(type_, key)}"
        for entry, (type_, key) in zip(found, keyed, strict=True)
        if entry.full_url and type_
    }
    _meet_all(document, keyed, known)
    made = [
        _of_entry(entry, type_, key, urls, known, now)
        for entry, (type_, key) in zip(found, keyed, strict=True)
    ]
    return Made(len(found), _in_order(_filed(made, now)))


def broken(path: Path, reason: str, known: Known) -> Made:
    """Say that a file could not be read to its end: one item, which names the file."""
    return Made(1, [_refused("", f"file:{path.name}", known, path.name.encode(), reason)])


def _meet_all(document: Document, keyed: Sequence[tuple[str, str]], known: Known) -> None:
    """Meet the directory entries of a bundle before any link to them is spliced."""
    for value, (type_, key) in zip(document.value.get("entry", ()), keyed, strict=True):
        if type_ in DIRECTORY_TYPES:
            known.meet(type_, known.name(type_, key), value["resource"])


def _keyed(entry: BundleEntry, value: dict[str, Any]) -> tuple[str, str]:
    """Give the type of an entry, and what names it in the source: its id, its address, or its bytes."""
    if entry.resource is None:
        return "", _digest_of(repr((entry.method, entry.url, entry.full_url)).encode())
    resource = value["resource"]
    type_, old = resource.get("resourceType"), resource.get("id")
    key = old if isinstance(old, str) and old else entry.full_url or _digest_of(entry.resource)
    return type_ if isinstance(type_, str) else "", _last_part(key, type_)


def _last_part(key: str, type_: object) -> str:
    """Reduce an absolute address to the id that it ends in: both name the same resource."""
    tail = _TAIL.search(key)
    return tail[2] if tail is not None and tail[1] == type_ else key


def _of_entry(
    entry: BundleEntry, type_: str, key: str, urls: dict[str, str], known: Known, now: Instant
) -> Arrival:
    if entry.resource is None:
        return _refused("", key, known, b"", "importing.no-resource")
    return arrival(type_, key, entry.resource, Links(known, urls), known, now)


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
            raise RequestError("record.type-mismatch")
    except (SermentError, UnicodeDecodeError) as error:
        return _refused(type_, key, known, raw, getattr(error, "sentence", "fhir.not-utf8"))
    id_ = known.name(type_, key)
    if type_ in DIRECTORY_TYPES:
        known.meet(type_, id_, document.value)
    made = Arrival(type_, key, id_, spliced, sha256(spliced).digest(), linked=True)
    try:
        return replace(made, prepared=ready(document, id_, now))
    except SermentError as error:
        return replace(made, reason=error.sentence, prepared=None)


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
        ready=tuple(whole.parts(id_, 1, now)),
    )


def _filed(made: list[Arrival], now: Instant) -> list[Arrival]:
    """Give each Binary that names no patient the record and class of the document that points to it."""
    documents_of = {
        url: one.prepared
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


def _with_document(binary: Arrival, filing: Prepared, now: Instant) -> Arrival:
    """File a Binary with its document. One refused for anything else than having no owner stays refused."""
    if binary.prepared is None and binary.reason != "fhir.no-patient":
        return binary
    document = documents.read(binary.raw)
    whole = incoming.Incoming(document, filing.owner, filing.category, filing.document_type, filing.labels)
    if binary.prepared is not None and owner(document.value) != filing.owner:
        return binary
    return replace(binary, prepared=_parted(whole, binary.id, now), reason="")


def _refused(type_: str, key: str, known: Known, raw: bytes, reason: str) -> Arrival:
    digest = sha256(raw).digest()
    name = key or digest.hex()
    return Arrival(type_, name, known.name(type_, name), raw, digest, reason=reason)


def _digest_of(raw: bytes) -> str:
    return "sha256:" + sha256(raw).hexdigest()


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

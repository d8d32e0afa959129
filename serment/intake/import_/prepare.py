"""One piece of a source made ready: links spliced, checked, owned, classed, cut and indexed.

An imported id is worked out from source, type and old id, so that `Type/old` becomes `Type/new`
without a map. A link that a bundle resolves (`fullUrl`, `urn:uuid:`) becomes that too; a conditional
one becomes the directory entry that it names exactly. Any other stays as received, and is counted when
it is a placeholder.

Order: reading a piece, what it asks (`naming`), making it ready, one resource. Nothing is decided or
written here; a resource that cannot be made ready says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from serment.errors import RequestError, SermentError
from serment.fhir import document as documents
from serment.fhir.document import Document
from serment.fhir.identity_body import set_aside
from serment.fhir.owner import DIRECTORY_TYPES, InDirectory, OwnedBy, OwnedByTarget, owner
from serment.fhir.transaction import attached, links, relink
from serment.intake.import_ import bundles, content, naming
from serment.intake.import_.bundles import Found
from serment.intake.import_.naming import Asked, Known, Links, Wanted
from serment.intake.import_.sources import Line, Phase
from serment.model import Instant
from serment.record import incoming
from serment.record.imports.lot import Arrival, Prepared


@dataclass(frozen=True, slots=True)
class Piece:
    """The resources of a bundle, or of some lines, as they stand there.

    `together` says that they name each other by `fullUrl`, and that a Binary may follow its document.
    `broken` is the sentence that says why a bundle could not be read: it is one item then.
    """

    found: list[Found] = field(repr=False)
    together: bool = False
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """What a piece was made into. `count` is of the resources read, whatever became of them.

    `unresolved` counts the links that were kept as received.
    """

    count: int
    arrivals: list[Arrival] = field(repr=False)
    unresolved: int = 0


def lines(chunk: Iterable[Line], phase: Phase) -> Piece:
    """Read the lines of a chunk that belong to this pass."""
    return Piece([found for line in chunk if (found := _line(line, phase)) is not None])


def _line(line: Line, phase: Phase) -> Found | None:
    named = bundles.named(line.raw)
    if not line.is_of(phase, named[0] if named else None):
        return None
    type_, old = named or ("", "")
    return Found(type_, old or bundles.digest_of(line.raw), "", line.raw)


def bundle(raw: bytes) -> Piece:
    """Read the entries of a bundle, or the one resource that a file holds instead."""
    try:
        found = bundles.read(raw)
    except SermentError as error:
        return Piece([Found("Bundle", sha256(raw).hexdigest(), "", raw)], broken=error.sentence)
    return lines([Line(raw, False, True)], Phase.OTHER_LINES) if found is None else Piece(found, True)


def wanted(piece: Piece) -> Wanted:
    """Say which names a piece needs before it can be made ready, and which directory entries it brings."""
    asked = Asked()
    names = {(one.type, one.key): None for one in piece.found}
    if piece.broken:
        return Wanted(list(names), [], [])
    for one in piece.found:
        with suppress(ValueError):  # not UTF-8, or an escape that is none: it will say so when it is read
            asked.of(links(one.raw or b""))
    met = [
        naming.met((one.type, one.key), bundles.identifiers(one.raw))
        for one in piece.found
        if one.type in DIRECTORY_TYPES and one.raw is not None
    ]
    return Wanted(list(names | asked.names), list(asked.queries), met)


def made(piece: Piece, known: Known, now: Instant) -> Made:
    """Make a piece ready, knowing what it asked for."""
    if piece.broken:
        return Made(1, [_refused(one, known, piece.broken) for one in piece.found])
    urls = {
        one.full_url: f"{one.type}/{known.name(one.type, one.key)}"
        for one in piece.found
        if one.full_url and one.type
    }
    known_links = Links(known, urls)
    found = [_of_entry(one, known_links, known, now) for one in piece.found]
    found = _filed(found, now) if piece.together else found
    return Made(len(found), _in_order(found), known.unresolved)


def broken(path: Path, reason: str, known: Known) -> Made:
    """Say that a file could not be read to its end: one item, which names the file."""
    return Made(1, [_refused(Found("", f"file:{path.name}", "", path.name.encode()), known, reason)])


def _of_entry(one: Found, links: Links, known: Known, now: Instant) -> Arrival:
    if one.raw is None:
        return _refused(one, known, "importing.no-resource")
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
    except (SermentError, ValueError) as error:
        return _refused(Found(type_, key, "", raw), known, _why(error))
    id_ = known.name(type_, key)
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
    whole = incoming.of(document)
    if document.type == "Patient":
        apart = set_aside(document)  # what another system says of an identity was checked by nobody here
        if apart.document is not document:
            whole = replace(incoming.of(apart.document), aside=apart.numbers)
    return _parted(whole, id_, now)


def _parted(whole: incoming.Incoming, id_: str, now: Instant) -> Prepared:
    return Prepared(
        whole.document,
        whole.owner,
        whole.category,
        whole.document_type,
        whole.labels,
        documents=whole.documents,
        aside=whole.aside,
        named=whole.named,
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


def _why(error: Exception) -> str:
    """Say what is wrong with bytes that cannot be read; a link with an escape that is none is not JSON."""
    if isinstance(error, SermentError):
        return error.sentence
    return "fhir.not-utf8" if isinstance(error, UnicodeDecodeError) else "fhir.not-json"


def _refused(one: Found, known: Known, reason: str) -> Arrival:
    raw = one.raw or b""
    return Arrival(one.type, one.key, known.name(one.type, one.key), raw, sha256(raw).digest(), reason=reason)


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

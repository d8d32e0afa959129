"""A resource on its way in: read, checked, owned, classed, cut into its sealed parts.

Pure: nothing is stored, decided or looked up here. `Incoming` is what a write needs; the bytes get
their id and version when the transaction knows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from serment.access.categories import Classified, classify, classify_with, labelled
from serment.errors import RequestError
from serment.fhir import binary, binary_json, search
from serment.fhir import document as documents
from serment.fhir.dates import instant_text
from serment.fhir.document import Document
from serment.fhir.halves import CONTACT, HALF_OF, REASON, cut, cut_members, shown
from serment.fhir.identity_body import with_numbers
from serment.fhir.owner import InDirectory, OwnedBy, OwnedByTarget, Owner, owner
from serment.fhir.references import check_references, logical, written
from serment.fhir.validate import check
from serment.identity.evidence import Number
from serment.model import Actor, ActorId, Category, Instant, ItemClass, Label
from serment.record.blobs import Staged

HALVES = {CONTACT: Category.CONTACT, REASON: Category.NOTES}
"""The category under which each half stands: it is read by whoever may read that category."""

TIMER = 30 * 24 * 3600 * 1000
"""An item hidden from the patient opens by itself after one month (CSP R1111-53), in milliseconds."""


@dataclass(frozen=True, slots=True)
class Part:
    """One sealed body of a version: "" for the resource itself, else the name of its cut half (`halves`).

    `labels` are those that the content of a half adds to those of the item.
    """

    name: str
    category: Category
    body: bytes = field(repr=False)
    values: bytes = field(repr=False)
    content: Staged | bytes | None = field(default=None, repr=False)
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A valid resource. `category`, `document_type` and `labels` come from the table of categories.

    `base` is this server's FHIR address: an absolute reference below it is a local one. `aside` are numbers
    of a Patient that the body does not carry: the person is found by them. `named` are the items that it
    refers to, as `Type/id`, each once. `apart` says that a reason stays apart whatever the appointment says.
    """

    document: Document
    owner: Owner
    category: Category
    document_type: str
    labels: tuple[str, ...]
    base: str = ""
    content: Staged | bytes | None = field(default=None, repr=False)
    documents: tuple[str, ...] = field(default=(), repr=False)
    aside: tuple[Number, ...] = field(default=(), repr=False)
    named: tuple[str, ...] = field(default=(), repr=False)
    apart: bool = False

    @property
    def type(self) -> str:
        """The resource type."""
        return self.document.type

    @property
    def has_half(self) -> bool:
        """Whether there is something to cut into a half."""
        return bool(cut_members(self.document.value, apart=self.apart))

    @property
    def context(self) -> tuple[str, ...]:
        """The item that the security context of a Binary names, when it is not the patient."""
        of_a_target = self.type == "Binary" and isinstance(self.owner, OwnedByTarget)
        return (self.owner.reference,) if of_a_target and isinstance(self.owner, OwnedByTarget) else ()

    def filed_as(self, document: Incoming, reference: str) -> Incoming:
        """Give a Binary the class of the document that it is the content of; its own labels only add."""
        target = Classified(document.category, document.document_type, document.labels)
        found = classify_with(self.document.value, target)
        return replace(self, **found._asdict(), documents=(*self.documents, reference))

    @property
    def shows_reason(self) -> bool:
        """Whether it is an appointment that lets its reason be read at the reception."""
        return self.type == "Appointment" and shown(self.document.value)

    def kept_apart(self) -> Incoming:
        """Give it with its reason cut all the same, classed by what is left."""
        value = self.document.value
        own, left = classify(value), classify(_halves(value, apart=True)[0])
        labels = left.labels
        for label in self.labels:
            labels = labels if label in own.labels else labelled(labels, label)
        return replace(
            self, apart=True, category=left.category, document_type=left.document_type, labels=labels
        )

    def unit(self, author: ActorId, now: Instant, before: ItemClass | None = None) -> ItemClass:
        """Give the class of the item. The author is the first depositor; a mask and a timer stay."""
        hidden = Label.INVISIBLE_PATIENT in self.labels
        timer = before.timer_end if before is not None else None
        if hidden and timer is None:
            timer = Instant(now + TIMER)
        return ItemClass(
            self.category,
            self.document_type,
            self.labels,
            author if before is None else before.author,
            Label.MASKED in self.labels or (before is not None and before.masked),
            timer if hidden else None,
        )

    def whole(self, id_: str, version: int, updated: Instant) -> bytes:
        """Give the bytes of one version as it is served, content included when it came as JSON."""
        body = self.document.spliced(id_, version, instant_text(updated))
        return binary_json.shell(body).filled(self.content) if isinstance(self.content, bytes) else body

    def parts(self, id_: str, version: int, updated: Instant) -> list[Part]:
        """Give the bytes and search values of one version, cut as they are sealed."""
        body = self.document.spliced(id_, version, instant_text(updated))
        if self.type not in HALF_OF:
            values = search.index(self.document.value, base=self.base)
            return [Part("", self.category, body, values, self.content)]
        left, half = cut(documents.read(body), apart=self.apart)
        here, there = _halves(with_numbers(self.document.value, self.aside), apart=self.apart)
        parts = [Part("", self.category, left, search.index(here, base=self.base))]
        if half is not None:
            name = HALF_OF[self.type]
            said = {key: value for key, value in there.items() if key != "extension"} if self.apart else there
            values = search.index(said, part=name, base=self.base)
            parts.append(Part(name, HALVES[name], half, values, labels=classify(there).labels))
        return parts


def _halves(resource: dict[str, Any], *, apart: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Cut the values as `cut` cuts the bytes."""
    cut_ = cut_members(resource, apart=apart)
    half = {name: value for name, value in resource.items() if name in cut_}
    rest = {name: value for name, value in resource.items() if name not in cut_}
    return rest, {"resourceType": resource["resourceType"], **half}


Sheet = tuple[Incoming, str]
"""The DocumentReference that a Binary is the content of, and its reference."""


def read(raw: bytes, type_: str | None = None, base: str = "", sheet: Sheet | None = None) -> Incoming:
    """Read and check a resource that somebody sends, its references included.

    Raises the errors of `fhir` when it is not valid FHIR R4, `RequestError` for another type than `type_`.
    """
    document = documents.read(raw)
    if type_ is not None and document.type != type_:
        raise RequestError("record.type-mismatch")
    incoming = of(document, base, sheet)
    check_references(document.value)
    return incoming


def of(document: Document, base: str = "", sheet: Sheet | None = None) -> Incoming:
    """Check a resource already read, find its owner and its class.

    A Binary that comes with its document (`sheet`) is filed as it is, and may leave its owner to it.
    """
    check(document)
    document, content = _content(document)
    category, document_type, labels = classify(_halves(document.value)[0], ())
    left = sheet is not None and "securityContext" not in document.value
    found = sheet[0].owner if left and sheet is not None else _local(owner(document.value), base)
    named = _named(document.value, base)
    made = Incoming(document, found, category, document_type, labels, base, content, named=named)
    return made if sheet is None else made.filed_as(*sheet)


def _content(document: Document) -> tuple[Document, bytes | None]:
    """Judge the content of a Binary, and take it out of the JSON when there is much of it."""
    data = document.value.get("data")
    if document.type != "Binary" or not isinstance(data, str):
        return document, None
    binary.checked(str(document.value["contentType"]), binary_json.first_bytes(data, binary.LOOKED_AT))
    apart = binary_json.separated(document)
    return (document, None) if apart is None else (apart.document, apart.content)


def _named(resource: dict[str, Any], base: str) -> tuple[str, ...]:
    """Name what a resource refers to: items, those below `base` as local ones; or by an identifier."""
    local = (one.removeprefix(f"{base}/") if base else one for one in written(resource))
    names = (one.partition("/_history/")[0] for one in local if one.count("/") in {1, 3})
    return tuple(dict.fromkeys((*names, *logical(resource))))


def _local(found: Owner, base: str) -> Owner:
    """Write a reference to this server as a local one."""
    if not base or isinstance(found, InDirectory):
        return found
    return replace(found, reference=found.reference.removeprefix(f"{base}/"))


def owning_reference(incoming: Incoming, id_: str) -> str:
    """Give the reference whose record the item belongs to: `Patient/…`, a target, or the directory."""
    match incoming.owner:
        case InDirectory():
            return "directory"
        case OwnedBy(reference) | OwnedByTarget(reference):
            return f"Patient/{id_}" if incoming.type == "Patient" else reference


def in_part(unit: ItemClass, part: Part, author: ActorId) -> ItemClass:
    """Give the class of one part of an item.

    A reason has an `author` of its own: who booked the appointment reads it no more for that (ADR 66).
    """
    if part.name == "":
        return unit
    by = author if part.name == REASON else unit.author
    labels = tuple(label for label in part.labels if label != Label.NORMAL)
    return replace(unit, category=part.category, author=by, labels=_labelled(unit.labels, labels))


def _labelled(labels: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    for label in more:
        labels = labelled(labels, label)
    return labels


def imported_author(actor: Actor, *, imported: bool) -> ActorId:
    """Name the author: the authenticated depositor; an import makes none."""
    return ActorId("") if imported else actor.id

"""A document and its content move together: the class of a Binary is that of the document it belongs to.

So do an item and what is said of where it comes from: a Provenance has the class of its targets, whatever it
becomes (HOUSE section 5), with a document type of its own.

In this order: where an item stands in a transaction, the class of a Binary, the links that a write
makes, masks. A link stands in the index entries of both sides; it is made by the attachment of a
DocumentReference or by the security context of a Binary, never undone, and moves no body. A Binary of
several documents is as protected as the most protected of them; what was stated on it stays.

Nobody lowers a protection by pointing: only who may write or file in the Binary's own class links it,
and one that was filed already only gains. What may not be looked at is never linked, and never said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from serment.access.categories import Classified, classify_with
from serment.errors import InvalidResourceError
from serment.fhir.binary_json import contents_of
from serment.fhir.owner import OwnedByTarget
from serment.keys.record_keys import IDENTITY_CATEGORIES
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, Category, Denial, ItemClass, Label, Permit
from serment.record import trace
from serment.record.draft import Draft
from serment.record.gate import Item
from serment.record.incoming import Incoming
from serment.record.index import Entry
from serment.record.pen import DeniedError, Pen

LINKS = "$links"
"""In an entry's values: of a document the Binaries that follow it, of a Binary its documents."""

STATED = "$stated"
"""In the values of a Binary: the labels that were stated on it, whatever it was filed as."""

FILING = (Act.FILE, Act.WRITE)
HOLDING = (Act.READ, Act.LIST, Act.FILE, Act.WRITE)
DEPOSITS = frozenset({"DocumentReference", "Binary"})
PROOF = "Provenance"
FOLLOWING = frozenset({"Binary", PROOF})
"""Types whose class is that of what they belong to."""
_DEPTH = Classified(Category.UNMAPPED, "Binary", (Label.NORMAL.value,))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an item stands now: placed by this transaction, or in a pack (`item`)."""

    unit: ItemClass
    entry: Entry
    item: Item | None


@dataclass(frozen=True, slots=True)
class Filing:
    """One write that may move content: its pen and draft, and what the trace says of it."""

    pen: Pen
    draft: Draft
    interaction: Interaction
    rule: str


def deposit_acts(type_: str, interaction: Interaction) -> tuple[Act, ...]:
    """Say which acts let somebody write an item: a document is deposited by who writes or files (ADR 24)."""
    if type_ in DEPOSITS and interaction is Interaction.CREATE:
        return Act.WRITE, Act.FILE
    return (Act.WRITE,)


def taking_back(unit: ItemClass, type_: str, asker: ActorId) -> tuple[Act, ...]:
    """Say which acts let somebody delete an item: who files takes back what they filed themselves."""
    if type_ in DEPOSITS and unit.author and unit.author == asker:
        return Act.WRITE, Act.FILE
    return (Act.WRITE,)


# Where an item stands.


def standing(draft: Draft, reference: str, acts: Sequence[Act]) -> Standing | Denial | None:
    """Find an item of this record with a permit for one of `acts`; None when it is not in the record."""
    here = placed(draft, reference)
    if here is not None:
        return here
    denial: Denial | None = None
    for act in acts:
        found = draft.current(name_of(reference), act)
        if isinstance(found, Item):
            return Standing(found.unit, found.entry, found)
        denial = found
    return denial


def placed(draft: Draft, reference: str) -> Standing | None:
    """Find an item that this transaction has written; None for any other."""
    name = name_of(reference)
    if name not in draft.names:
        return None
    for unit, entries in draft.placed.items():
        for entry in entries:
            if (entry.type, entry.id, entry.part) == name:
                return Standing(unit, entry, None)
    return None


def name_of(reference: str) -> tuple[str, str, str]:
    """Give type, id and part of an item that is named as `Type/id`."""
    type_, _, id_ = reference.partition("/")
    return type_, id_, ""


def move(draft: Draft, at: Standing, unit: ItemClass, values: Mapping[str, object]) -> None:
    """Put an entry where its new class says; no body is sealed again. Raises `InvalidResourceError`."""
    if (unit.category in IDENTITY_CATEGORIES) != (at.unit.category in IDENTITY_CATEGORIES):
        raise InvalidResourceError("binary.other-keys", "DocumentReference.content.attachment.url")
    entry = msgspec.structs.replace(at.entry, values=_with(at.entry, values))
    if unit == at.unit and bytes(entry.values) == bytes(at.entry.values):
        return
    if at.item is None:
        draft.placed[at.unit].remove(at.entry)
    else:
        draft.take(at.item)
    draft.place(unit, entry)


def _values(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.msgpack.decode(entry.values)
    return found


def _with(entry: Entry, values: Mapping[str, object]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode({**_values(entry), **values}))


def _links(entry: Entry) -> list[str]:
    return list(_values(entry).get(LINKS, [])) if LINKS.encode() in bytes(entry.values) else []


def _joined(*lists: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(one for some in lists for one in some))


# The class of a Binary.


def unit_of(draft: Draft, incoming: Incoming, alone: ItemClass, before: Item | None = None) -> ItemClass:
    """Give the class of what is written: of what follows others, theirs; `alone` of anything else."""
    if incoming.type not in FOLLOWING:
        return alone
    named = _joined(_links(before.entry) if before is not None else (), _followed(incoming))
    return _typed(incoming.type, _filed(draft, alone, _stated(incoming), named, masked=alone.masked))


def _followed(incoming: Incoming) -> tuple[str, ...]:
    """Name what something that is written follows: a Binary its documents, a Provenance its targets."""
    owner = incoming.owner
    if incoming.type == PROOF:
        return (owner.reference, *owner.others) if isinstance(owner, OwnedByTarget) else ()
    return (*incoming.context, *incoming.documents)


def _typed(type_: str, unit: ItemClass) -> ItemClass:
    """Give a Provenance its own document type: what it follows is no document that it could be taken for."""
    return replace(unit, document_type=PROOF) if type_ == PROOF else unit


def _stated(incoming: Incoming) -> list[str]:
    """Give the labels that the Binary itself carries."""
    labels = classify_with(incoming.document.value, _DEPTH).labels
    return [label for label in labels if label != Label.NORMAL]


def _filed(
    draft: Draft, alone: ItemClass, stated: Sequence[str], named: Sequence[str], *, masked: bool
) -> ItemClass:
    """Join the classes of the documents: the category of the first, every label, mask and timer."""
    classes = [unit for unit in (class_of(draft, reference) for reference in named) if unit is not None]
    if not classes:
        return replace(alone, masked=masked)
    first = classes[0]
    target = Classified(first.category, first.document_type, first.labels)
    labels = [*stated, *(label for unit in classes[1:] for label in unit.labels)]
    found = classify_with({"resourceType": "Binary"}, target, labels)
    timers = [unit.timer_end for unit in (*classes, alone) if unit.timer_end is not None]
    timer = max(timers, default=None) if Label.INVISIBLE_PATIENT in found.labels else None
    masked = masked or any(unit.masked for unit in classes)
    return ItemClass(found.category, found.document_type, found.labels, alone.author, masked, timer)


def class_of(draft: Draft, reference: str) -> ItemClass | None:
    """Give the class that the head names for an item of this record; nothing is opened for it."""
    here = placed(draft, reference)
    if here is not None:
        return here.unit
    located = draft.located(name_of(reference))
    if located.record != draft.record:
        return None
    unit = draft.view.head.unit_of(located.pack)
    return None if unit is None else unit.item_class()


# The links that a write makes.


def link(filing: Filing, incoming: Incoming, id_: str, before: Item | None = None) -> None:
    """Link what was just written with its content, or with its documents, and move what follows."""
    reference = f"{incoming.type}/{id_}"
    known = _links(before.entry) if before is not None else []
    if incoming.type in FOLLOWING:
        _link_content(filing, incoming, reference, known)
    elif known or incoming.type == "DocumentReference":
        named = contents_of(incoming.document.value, incoming.base)
        _link_document(filing, reference, known, named)


def _link_document(filing: Filing, reference: str, known: Sequence[str], named: Sequence[str]) -> None:
    """Let the Binaries of a document follow it: those it had, and those it names that the writer may file."""
    adopted = [
        binary
        for binary in named
        if binary not in known and isinstance(standing(filing.draft, binary, FILING), Standing)
    ]
    links = _joined(known, adopted)
    if not links:
        return
    at = placed(filing.draft, reference)
    if at is not None:
        move(filing.draft, at, at.unit, {LINKS: links})
    for binary in links:
        _refile(filing, binary, reference, FILING if binary in adopted else HOLDING)


def _link_content(filing: Filing, incoming: Incoming, reference: str, known: Sequence[str]) -> None:
    """Write on a Binary, or a Provenance, what it follows, and on that that it does."""
    draft = filing.draft
    at = placed(draft, reference)
    if at is None:
        return
    documents = _joined(known, _followed(incoming))
    move(draft, at, at.unit, {STATED: _stated(incoming), LINKS: documents})
    for document in documents:
        if document in incoming.documents and placed(draft, document) is None:
            continue  # written later in the same transaction: it links then
        held = standing(draft, document, HOLDING)
        if isinstance(held, Denial):
            raise DeniedError(draft.view, held, filing.interaction, visible=True)
        if held is not None:
            move(draft, held, held.unit, {LINKS: _joined(_links(held.entry), [reference])})


def _refile(filing: Filing, binary: str, document: str, acts: Sequence[Act]) -> bool:
    """Move a Binary to the class of its documents. Says False when it may not be held at all."""
    draft = filing.draft
    at = standing(draft, binary, acts)
    if not isinstance(at, Standing):
        return at is None
    values = _values(at.entry)
    documents = _joined(values.get(LINKS, []), [document])
    stated = list(values.get(STATED, []))
    found = _filed(draft, at.unit, stated, documents, masked=_masked_alone(filing, binary, stated))
    unit = _typed(at.entry.type, found)
    move(draft, at, unit, {LINKS: documents})
    if at.item is not None and unit != at.unit:
        version = f"{binary}/_history/{at.entry.version}"
        chain = trace.chain_for(unit, filing.pen.asking)
        filing.pen.did(draft, filing.interaction, trace.Touched(version, chain, filing.rule))
    return True


def _masked_alone(filing: Filing, binary: str, stated: Sequence[str]) -> bool:
    """Say whether a Binary is masked by itself, whatever its documents are."""
    facts = filing.draft.facts or filing.draft.view.facts
    return Label.MASKED in stated or facts.item_masked(binary, filing.pen.asking.now)


# Masks.


def mask(pen: Pen, draft: Draft, reference: str, *, masked: bool) -> None:
    """Move an item, and the content that follows it, to the class that its mask says.

    Raises `DeniedError` when a part of the content may not be moved: a mask is whole or not at all.
    """
    at = standing(draft, reference, (Act.READ,))
    if not isinstance(at, Standing):
        return
    links = _links(at.entry)
    if at.entry.type in FOLLOWING:
        classes = [class_of(draft, document) for document in links]
        masked = masked or any(unit is not None and unit.masked for unit in classes)
    if at.unit.masked == masked:
        return
    moved = replace(at.unit, masked=masked)
    move(draft, at, moved, {})
    rule = at.item.permit.rule if at.item is not None else ""
    version = f"{reference}/_history/{at.entry.version}"
    pen.did(draft, Interaction.MASK, trace.Touched(version, trace.chain_for(moved, pen.asking), rule))
    filing = Filing(pen, draft, Interaction.MASK, rule)
    for binary in links if at.entry.type not in FOLLOWING else []:
        if not _refile(filing, binary, reference, HOLDING):
            raise DeniedError(draft.view, Denial("D0.silence", "ground"), Interaction.MASK)


def protect(pen: Pen, draft: Draft, at: Standing, unit: ItemClass, values: Mapping[str, object]) -> None:
    """Move an item to a class that hides it from more people.

    What this transaction has written already is traced in the chain of its new class.
    """
    entry = at.entry
    move(draft, at, unit, values)
    rule = at.item.permit.rule if at.item is not None else ""
    version = f"{entry.reference}/_history/{entry.version}"
    touched = trace.Touched(version, trace.chain_for(unit, pen.asking), rule)
    if at.item is not None:
        pen.did(draft, Interaction.MASK, touched)
    else:
        pen.moved(draft, touched)


def first_permit(verdicts: Iterable[Permit | Denial]) -> Permit | Denial:
    """Give the first permit, or the last denial."""
    verdict: Permit | Denial = Denial("D0.silence", "ground")
    for verdict in verdicts:
        if isinstance(verdict, Permit):
            return verdict
    return verdict

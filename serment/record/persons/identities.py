"""What the identity of a record rests on, sealed beside its Patient, and what a write makes of it.

One entry of the record (`identity.evidence`), of the class of the Patient and under the identity key, with no
body: who may write the Patient may have it moved, nobody reads it, and no search, list or export knows it (it
stands as a deleted version of a type that is none). Each write of the Patient is held against it, by whatever
door: a resource that says more than the facts is refused, one that changes a strict trait takes the evidence
down in the same transaction. The numbers that the body does not carry are what the person is found by.

Order: before a write, after it, other resources that name a number. Gestures: `identifying`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from serment.errors import IntegrityError, InvalidResourceError, RequestError
from serment.fhir import document as documents
from serment.identity import evidence, filing, fr_core, ins, status, traits
from serment.identity.evidence import Evidence
from serment.identity.reading import dicts
from serment.ledger.entry import Interaction
from serment.model import Act, Denial
from serment.record import trace, write
from serment.record.draft import Draft, Name
from serment.record.gate import Item
from serment.record.incoming import Incoming
from serment.record.index import Entry
from serment.record.pen import Pen

TYPE: Final = "IdentityEvidence"
"""Type of the entry; no resource of FHIR has this name."""
PART: Final = "evidence"
"""Part of the entry: what names a part is never what somebody wrote as a reference, so none leads there."""

_ROOT: Final = ins.NIR.rpartition(".")[0]
"""What every OID of an authority that gives a matricule begins with."""
_ESCAPED: Final = "\\u"
"""What JSON may write any sign with: such a text is read before it is said to hold no matricule."""


class _Values(msgspec.Struct, frozen=True):
    """What the entry holds: a map, as the values of any entry, with no parameter of a search."""

    evidence: Evidence


_decoder: Final = msgspec.msgpack.Decoder(_Values)


# Before a write.


def held(pen: Pen, draft: Draft, incoming: Incoming, id_: str, if_match: int | None) -> Incoming:
    """Hold an update of a Patient against the evidence, as `fresh` does.

    What the update would be refused for anyhow is refused first, so that hidden and absent answer alike.
    """
    item = write.existing(draft, incoming.type, id_, Interaction.UPDATE)
    if item.entry.deleted or if_match != item.entry.version:
        return incoming  # the update itself says so
    try:
        return fresh(pen, draft, incoming, id_)
    except RequestError:
        pen.finds(draft, Interaction.UPDATE, trace.touched(item, pen.asking))
        raise


def fresh(pen: Pen, draft: Draft, incoming: Incoming, id_: str) -> Incoming:
    """Hold a Patient against its evidence, and give it with the numbers that it is found by.

    A received one was cut down to what it may say (`identity_body.set_aside`). Raises `InvalidResourceError`.
    """
    before, person = of_patient(pen, draft, id_), incoming.document.value
    for profile in fr_core.claimed(person):
        for where in fr_core.faults(person, profile)[:1]:
            raise InvalidResourceError("identity.profile", where)
    after = _received(before, incoming) if pen.imported else evidence.settled(before, person)
    pen.identities[id_] = after
    own = set(ins.matricules(person))
    return replace(incoming, aside=tuple(one for one in after.numbers if one not in own))


def _received(before: Evidence, incoming: Incoming) -> Evidence:
    person = incoming.document.value
    if any(ins.carried(person)) or not status.within(status.status(person), status.PROVISIONAL):
        raise InvalidResourceError("identity.ins-unqualified", "Patient")
    forced = status.forced(status.attributes(person))
    kept = evidence.doubted(before) if forced else evidence.fallen(before, traits.of(person))
    return evidence.received(kept, incoming.aside)


# After it.


def kept(pen: Pen, draft: Draft, incoming: Incoming, id_: str) -> None:
    """Write the evidence beside the Patient just written; any other item may name the qualified number."""
    if incoming.type != "Patient":
        _named_fits(pen, draft, incoming)
        return
    after = pen.identities.get(id_, evidence.NONE)
    old = draft.current(_name(id_), Act.WRITE)
    if isinstance(old, Denial):
        raise IntegrityError("record.altered")
    if old is None and after == evidence.NONE:
        return
    version = 1
    if old is not None:
        draft.take(old)
        version = old.entry.version + 1
    values = msgspec.Raw(msgspec.msgpack.encode(_Values(after)))
    unit = next(unit for unit, entries in draft.placed.items() if any(map(_is_person, entries)))
    draft.place(unit, Entry(TYPE, id_, version, PART, pen.asking.now, True, 0, b"", None, values))


def of_patient(pen: Pen, draft: Draft, id_: str) -> Evidence:
    """Give the evidence of an identity as this transaction has left it; none where there is none."""
    if id_ in pen.identities:
        return pen.identities[id_]
    for act in (Act.WRITE, Act.READ):
        item = draft.current(_name(id_), act)
        if isinstance(item, Item):
            return read(item)
    return evidence.NONE


def read(item: Item) -> Evidence:
    """Read the entry. Raises `IntegrityError` when it is not one of ours."""
    try:
        return _decoder.decode(bytes(item.entry.values)).evidence
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None


def _name(id_: str) -> Name:
    return TYPE, id_, PART


def _is_person(entry: Entry) -> bool:
    return entry.type == "Patient" and not entry.part


# Other resources that name a number.


def _named_fits(pen: Pen, draft: Draft, incoming: Incoming) -> None:
    """Refuse a matricule in any other resource, save that of the record's qualified identity.

    A document that is received is filed by itself only when all of it is equal (`identity.filing`).
    """
    if _ROOT not in incoming.document.text and _ESCAPED not in incoming.document.text:
        return
    resource = documents.read(incoming.document.text.encode()).value
    numbers = tuple(ins.carried(resource))
    if not numbers:
        return
    local = of_patient(pen, draft, draft.view.head.patient)
    if pen.imported and incoming.type == "DocumentReference":
        people = [one for one in dicts(resource.get("contained")) if one.get("resourceType") == "Patient"]
        said = traits.of(people[0]) if len(people) == 1 else None
        reason = filing.verdict(filing.Named(numbers, said), local)
        if reason is not None:
            raise RequestError(reason.sentence)
    else:
        evidence.fit(local.qualified, numbers, incoming.type)

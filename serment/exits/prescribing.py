"""A prescription from the page to the paper: written, sealed, kept in the record, sent, taken back.

One transaction keeps the treatments (unless they stand already), the sealed PDF and the document that holds
it; the QR is signed by the same seal. The number is ours. The national one comes through `National` and is
asked for after the prescription stands; nothing national is needed to print.

Order: the national port, writing, sending, taking back, checking.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from serment.access.prescribers import may_prescribe
from serment.errors import ConflictError, InvalidResourceError, RefusedError
from serment.exits.letterhead import subject, writer
from serment.exits.printing import local
from serment.fhir import prescribed
from serment.fhir.document import read as document_of
from serment.identity import rpps
from serment.model import Instant
from serment.paper import slip
from serment.paper.prescription import Line, Prescription, lacking, prescription_sheet
from serment.paper.press import press
from serment.paper.seal import Seal, Verdict
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.outward.revoking import Changed
from serment.record.reading import Served
from serment.words import say

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no letter that is read as a digit."""

_SIZE: Final = 16

_json: Final = msgspec.json.Encoder(decimal_format="number").encode
"""Numbers keep the digits with which they were read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prescriber wrote. `weight` with its unit; `keep`: the treatments are recorded with it."""

    lines: tuple[Line, ...] = field(repr=False)
    weight: str = field(default="", repr=False)
    two_parts: bool = False
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Issued:
    """A prescription that stands: our number, and the ids of its document and content in the record."""

    number: str
    document: str
    content: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a check of a code found; `revoked` is since when the paper is taken back, None when it is not."""

    checked: slip.Checked
    revoked: Instant | None = None


class National(Protocol):
    """The national service of prescriptions (CSP L4071-1), as far as this house needs it."""

    def register(self, number: str, prescriber: str, matricule: str) -> str:
        """Give the national number. Raises `RequestError` when refused, `DependencyError` when away."""
        ...

    def cancel(self, national: str) -> None:
        """Take a number back. Raises `ConflictError` when it was dispensed already."""
        ...


# Writing.


async def compose(house: House, asking: Asking, patient: str, asked: Asked) -> Prescription:
    """Put together what will stand on the paper, read and traced.

    Raises `RefusedError` for who may not prescribe, `NotFoundError`, `InvalidResourceError` for what lacks.
    """
    if not may_prescribe(asking.actor):
        raise RefusedError("paper.may-not-prescribe")
    person = await house.reading.read(asking, "Patient", patient)
    one = Prescription(
        "".join(secrets.choice(_ALPHABET) for _ in range(_SIZE)),
        await writer(house, asking),
        subject(person.body, weight=asked.weight),
        asked.lines,
        local(asking.now).date(),
        asked.two_parts,
    )
    for sentence in lacking(one):
        raise InvalidResourceError(sentence)
    return one


async def issue(house: House, asking: Asking, patient: str, asked: Asked) -> Issued:
    """Sign a prescription and keep it in the record. Raises as `compose`, and what a write raises."""
    one = await compose(house, asking, patient, asked)
    pdf = await asyncio.to_thread(_sealed, house, asking, one)
    title = say("paper.prescription-of", asking.language, name=one.writer.name)
    kept = one.lines if asked.keep else ()
    written = prescribed.Written(
        one.number,
        title,
        asking.now,
        patient,
        (one.writer.number, one.writer.name),
        pdf,
        [
            prescribed.Item(line.name, line.dose, line.duration, line.renewals, line.long_term)
            for line in kept
        ],
    )
    bundle = prescribed.transaction(written, rpps.SYSTEM)
    given = house.revoking.given(one.number, patient)
    _, answers = await house.bundling.run(asking, bundle, house.base, given)
    ids = [answer.location.partition("/_history")[0].rpartition("/")[2] for answer in answers]
    return Issued(one.number, ids[1], ids[0])


def _sealed(house: House, asking: Asking, one: Prescription) -> bytes:
    """Draw the paper with its QR, and seal it. Blocks."""
    from serment.paper import pades

    seal = house.sealing.seal(asking, one.writer.structure or one.writer.name)
    code = slip.written(slip_of(one, seal), seal)
    act = house.sealing.act(asking)
    reason = say("paper.seal-reason", asking.language, name=one.writer.name, act=act.number, size=act.size)
    drawn = press(prescription_sheet(one, asking.now, asking.language, code))
    return pades.sealed(drawn, seal, pades.Said(seal.owner, reason, asking.now))


def slip_of(one: Prescription, seal: Seal) -> slip.Slip:
    """Say what the QR of a prescription says."""
    number, day = one.writer.number, one.on.isoformat()
    return slip.Slip(slip.Kind.PRESCRIPTION, one.number, day, number, seal.owner, one.digest)


# Sending.


async def send(house: House, asking: Asking, document: str, national: National) -> str:
    """Ask for the national number of a prescription that stands, and keep it on its document.

    Raises `RefusedError` for who may not prescribe, `ConflictError` when it was taken back or sent already.
    """
    served, value = await _standing(house, asking, document)
    if prescribed.national_of(value):
        raise ConflictError("paper.sent-already")
    patient = str(value["subject"]["reference"]).removeprefix("Patient/")
    person = subject((await house.reading.read(asking, "Patient", patient)).body)
    number = prescribed.number_of(value)
    author = next((one.get("identifier", {}).get("value", "") for one in value.get("author", [])), "")
    if not person.matricule:
        raise InvalidResourceError("paper.national-identity")
    given = await asyncio.to_thread(national.register, number, author, person.matricule)
    raw = _json(prescribed.with_national(value, given))
    ready = incoming.read(raw, "DocumentReference", house.base)
    await house.writing.update(asking, ready, document, served.version)
    return given


# Taking back.


async def revoke(house: House, asking: Asking, document: str, national: National | None = None) -> str:
    """Take a prescription back: document, treatments and number, in one transaction. Gives its number.

    What was sent is cancelled there first: what was dispensed already stands. Raises `RefusedError`,
    `NotFoundError`, `ConflictError`, `VersionConflictError`.
    """
    served, value = await _standing(house, asking, document)
    number, sent = prescribed.number_of(value), prescribed.national_of(value)
    changes = [_changed(house, served, value)]
    for id_ in prescribed.requests_of(value):
        one = await house.reading.read(asking, "MedicationRequest", id_)
        changes.append(_changed(house, one, document_of(one.body).value))
    if sent and national is not None:
        await asyncio.to_thread(national.cancel, sent)
    await house.revoking.revoke(asking, number, changes)
    return number


async def _standing(house: House, asking: Asking, document: str) -> tuple[Served, dict[str, Any]]:
    """Read a prescription that stands. Raises `RefusedError`, `ConflictError` for none or one taken back."""
    if not may_prescribe(asking.actor):
        raise RefusedError("paper.may-not-prescribe")
    served = await house.reading.read(asking, "DocumentReference", document)
    value = document_of(served.body).value
    if not prescribed.number_of(value):
        raise ConflictError("paper.no-prescription")
    return served, value


def _changed(house: House, served: Served, value: dict[str, Any]) -> Changed:
    raw = _json(prescribed.withdrawn(value))
    return Changed(incoming.read(raw, served.type, house.base), served.id, served.version)


# Checking.


def check(house: House, asking: Asking, text: str) -> Answered:
    """Check the text of a QR, and say whether its paper was taken back. Blocks.

    Only a number that our own seal vouches for is looked up: a stranger who guesses learns nothing.
    """
    checked = slip.check(text, house.sealing.seals(asking))
    if checked.verdict is not Verdict.SEALED or checked.slip is None:
        return Answered(checked)
    return Answered(checked, house.revoking.since(asking, checked.slip.number))

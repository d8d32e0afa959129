"""Sealing a document of a record, and checking one: who may write it seals it, whoever may read it checks.

A PDF gets the seal inside (PAdES) and becomes a new version; the document that holds it is sealed as a
resource (JWS) in a Provenance beside it. Both carry the number of the act and the signed state of the ledger.
The history is kept: what was sealed before stands as it was. This is the seal of the house, at the request of
a professional who is named; it is not their signature and not a qualified one (ADR 61).

Order: sealing, checking.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from serment.errors import MalformedError, NotSupportedError, RefusedError
from serment.exits import apart
from serment.exits.letterhead import number_of, writer
from serment.exits.printing import binary_of, whole
from serment.fhir.binary_json import any_bytes
from serment.fhir.document import read as document_of
from serment.fhir.provenance import Sealed, provenance, seals_of, targets
from serment.identity import rpps
from serment.model import ActorKind
from serment.paper import jws
from serment.paper.seal import Seal, Verdict
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.everything import Wanted
from serment.record.house import House
from serment.record.reading import Served
from serment.record.streaming import Upload
from serment.words import say

PDF: Final = "application/pdf"
MOST_PROOFS: Final = 1000
"""Proofs of one record that are looked through for those of a document."""

_json: Final = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Told:
    """What a check of a document found: of its PDF, of the document itself, what the seals say.

    `name`, `reason` and `at` (ms, 0: unknown) are those of our last seal in the PDF; `act` and `ledger_size`
    those of the seal of the document.
    """

    content: Verdict
    document: Verdict
    name: str = field(default="", repr=False)
    reason: str = field(default="", repr=False)
    at: int = 0
    act: str = ""
    ledger_size: int = 0

    @property
    def whole(self) -> bool:
        """Say whether a person may be told that the document is sealed and as it was."""
        found = {self.content, self.document} - {Verdict.UNSEALED}
        return found == {Verdict.SEALED}


# Sealing.


async def seal(house: House, asking: Asking, document: str) -> None:
    """Seal a document and its PDF, each as a new version.

    Raises `RefusedError` for whoever is no professional or may not write it, `NotFoundError`, and
    `MalformedError` for a PDF that nothing can be added to.
    """
    if asking.actor.kind is not ActorKind.PROFESSIONAL:
        raise RefusedError("paper.may-not-seal")
    served = await house.reading.read(asking, "DocumentReference", document)
    value = document_of(served.body).value
    by = await writer(house, asking)
    kept = await asyncio.to_thread(house.sealing.seal, asking, by.structure or by.name)
    for content in value.get("content", []):
        await _content(house, asking, kept, content["attachment"], value["subject"]["reference"])
    raw = _json({**value, "docStatus": "final"})
    text = jws.sealed(raw, kept, await asyncio.to_thread(house.sealing.act, asking))
    by_whom = (rpps.SYSTEM, number_of(asking.actor), asking.actor.name)
    proof = provenance(Sealed(f"DocumentReference/{document}", asking.now, by_whom, kept.owner, text))
    await house.attesting.attest(
        asking,
        incoming.read(raw, "DocumentReference", house.base),
        document,
        served.version,
        incoming.read(proof, "Provenance", house.base),
    )


async def _content(
    house: House, asking: Asking, kept: Seal, attachment: dict[str, Any], patient: str
) -> None:
    """Seal one PDF: inside the document, or as a new version of the Binary that it points to."""
    if "data" in attachment:
        if attachment.get("contentType") == PDF:
            raw = any_bytes(str(attachment["data"]))
            pdf = await asyncio.to_thread(_sealed, house, asking, kept, raw)
            attachment["data"] = base64.b64encode(pdf).decode("ascii")
            _measured(attachment, pdf)
        return
    id_ = binary_of(attachment)
    if not id_:
        return
    opened = await house.serving.open(asking, id_)
    if opened.content_type == PDF:
        pdf = await asyncio.to_thread(_sealed, house, asking, kept, await whole(opened))
        await house.depositing.update(
            asking, id_, Upload(PDF, opened.context or patient, house.base), opened.version, _once(pdf)
        )
        _measured(attachment, pdf)


def _sealed(house: House, asking: Asking, kept: Seal, raw: bytes) -> bytes:
    """Seal a PDF that was received, once a process apart has read it whole. Raises `MalformedError`."""
    from serment.paper import pades

    if apart.check(raw, ()).verdict is Verdict.UNREADABLE:
        raise MalformedError("paper.pdf-not-sealable")
    act = house.sealing.act(asking)
    name = asking.actor.name
    reason = say("paper.seal-reason", asking.language, name=name, act=act.number, size=act.size)
    return pades.sealed(raw, kept, pades.Said(kept.owner, reason, asking.now))


def _measured(attachment: dict[str, Any], pdf: bytes) -> None:
    """Say the size of the sealed PDF, and no longer the hash of the one before (an SHA-1, FHIR R4)."""
    attachment.pop("hash", None)
    if "size" in attachment:
        attachment["size"] = len(pdf)


async def _once(pdf: bytes) -> AsyncIterator[bytes]:
    yield pdf


# Checking.


async def check(house: House, asking: Asking, document: str) -> Told:
    """Check a document as it stands, for whoever may read it. Raises `NotFoundError`, `NotSupportedError`."""
    served = await house.reading.read(asking, "DocumentReference", document)
    value = document_of(served.body).value
    seals = await asyncio.to_thread(house.sealing.seals, asking)
    found = await _of_document(house, asking, served, value, seals)
    for content in value.get("content", []):
        raw = await _pdf(house, asking, content.get("attachment", {}))
        if raw is not None:
            return await asyncio.to_thread(_told, raw, found, seals)
    return Told(Verdict.UNSEALED, found.verdict, **_header(found))


async def _pdf(house: House, asking: Asking, attachment: dict[str, Any]) -> bytes | None:
    if "data" in attachment:
        return any_bytes(str(attachment["data"])) if attachment.get("contentType") == PDF else None
    id_ = binary_of(attachment)
    opened = await house.serving.open(asking, id_) if id_ else None
    return await whole(opened) if opened is not None and opened.content_type == PDF else None


def _told(raw: bytes, found: jws.Checked, seals: list[Seal]) -> Told:
    content = apart.check(raw, seals)
    last = content.last
    said = (last.name, last.reason, last.at) if last is not None else ("", "", 0)
    return Told(content.verdict, found.verdict, *said, **_header(found))


def _header(found: jws.Checked) -> dict[str, Any]:
    """Give what the seal of the document says; nothing of one that does not hold."""
    size = found.header.get("ledgerSize", 0)
    return {"act": str(found.header.get("act", "")), "ledger_size": size if isinstance(size, int) else 0}


async def _of_document(
    house: House, asking: Asking, served: Served, value: dict[str, Any], seals: list[Seal]
) -> jws.Checked:
    """Check the seals that stand beside a document: one that holds is enough."""
    patient = str(value.get("subject", {}).get("reference", "")).removeprefix("Patient/")
    if not patient:
        raise NotSupportedError("paper.no-patient")
    page = await house.everything.page(asking, Wanted(patient, ("Provenance",), count=MOST_PROOFS))
    proofs = [document_of(one.body).value for one in page.served]
    about = [one for one in proofs if targets(one) == [f"DocumentReference/{served.id}"]]
    texts = [text for one in about for text in seals_of(one)]
    found = [jws.check(text, served.body, seals) for text in texts]
    if not found:
        return jws.Checked(Verdict.UNSEALED)
    return next((one for one in found if one.verdict is Verdict.SEALED), found[0])

"""The patient's word in one gesture: mask, unmask, block, oppose, confirm the attending physician.

Each is a Consent like any other, written through the same passage, in force for every request whose
decision starts after its commit. The attending physician is confirmed by the holder only.
"""

from __future__ import annotations

import json
from typing import Any

from serment.access.record_facts import Attending
from serment.errors import NotFoundError, RefusedError
from serment.ledger.entry import Interaction
from serment.model import ActorId, PatientId
from serment.record import choices, incoming, trace, writing
from serment.record.asking import Asking
from serment.record.pen import Pen
from serment.record.write import Written
from serment.record.writing import Writing

SCOPE = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
CATEGORY = {"system": "http://loinc.org", "code": "59284-0"}
RPPS = "https://rpps.esante.gouv.fr"


class Choosing:
    """The passage for the patient's choices."""

    def __init__(self, writes: Writing) -> None:
        self._writing = writes

    async def mask(self, asking: Asking, patient: PatientId, item: str) -> Written:
        """Mask one item (`Type/id`). Raises `NotFoundError` when the holder has no such item."""
        data = [{"meaning": "instance", "reference": {"reference": item}}]
        return await self._consent(asking, patient, {"type": "deny", "data": data}, masks=item)

    async def unmask(self, asking: Asking, patient: PatientId, item: str) -> None:
        """Take back every choice that masks the item."""

        def job(pen: Pen) -> None:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            sources = {c.id.partition("#")[0] for c in draft.view.facts.choices if c.item == item}
            for source in sorted(sources):
                writing.remove(pen, "Consent", source.removeprefix("Consent/"))

        await self._writing.run(asking, [f"Patient/{patient}"], job)

    async def block(self, asking: Asking, patient: PatientId, rpps: str) -> Written:
        """Block one professional, named by RPPS."""
        reference = {"identifier": {"system": RPPS, "value": rpps}}
        actor = [{"role": {"text": "blocked"}, "reference": reference}]
        return await self._consent(asking, patient, {"type": "deny", "actor": actor})

    async def oppose(self, asking: Asking, patient: PatientId, category: str = "") -> Written:
        """Oppose sharing: the whole record, or one category."""
        provision: dict[str, Any] = {"type": "deny"}
        if category:
            provision["class"] = [{"system": "urn:serment:category", "code": category}]
        return await self._consent(asking, patient, provision)

    async def permit(self, asking: Asking, patient: PatientId, rpps: str) -> Written:
        """Consent to one professional outside the team."""
        reference = {"identifier": {"system": RPPS, "value": rpps}}
        actor = [{"role": {"text": "permitted"}, "reference": reference}]
        return await self._consent(asking, patient, {"type": "permit", "actor": actor})

    async def confirm_attending(self, asking: Asking, patient: PatientId, rpps: str) -> None:
        """Confirm the attending physician: the holder alone (CSS L162-5-3, CSP L1111-16)."""
        if asking.actor.patient != patient:
            raise RefusedError("record.choice-not-yours")

        def job(pen: Pen) -> None:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            if asking.actor.id not in draft.view.facts.holders:
                raise NotFoundError("record.not-found")
            named = Attending(ActorId(f"rpps:{rpps}"), asking.now, None, asking.actor.id)
            choices.change(draft, choices.facts_of(draft).with_attending(named))
            pen.did(draft, Interaction.CONSENT, trace.of_facts("G1.holder"))

        await self._writing.run(asking, [f"Patient/{patient}"], job)

    async def _consent(
        self, asking: Asking, patient: PatientId, provision: dict[str, Any], masks: str = ""
    ) -> Written:
        resource = {
            "resourceType": "Consent",
            "status": "active",
            "scope": {"coding": [SCOPE]},
            "category": [{"coding": [CATEGORY]}],
            "patient": {"reference": f"Patient/{patient}"},
            "policyRule": {"text": "CSP L1110-4"},
            "provision": provision,
        }
        ready = incoming.read(json.dumps(resource).encode())
        id_ = writing.new_id()

        def job(pen: Pen) -> Written:
            if masks:
                draft = writing.draft_of(pen, f"Patient/{patient}", {})
                choices.must_hold(pen, draft, masks)
            return writing.put(pen, ready, id_, {}, asking.actor.id)

        return await self._writing.run(asking, [f"Patient/{patient}"], job)

"""The patient's word in one gesture: mask, unmask, block, oppose, confirm the attending physician.

Each is a Consent like any other, written through the same passage, in force for every request whose
decision starts after its commit. The attending physician is confirmed by the holder only.
"""

from __future__ import annotations

import msgspec

from serment.access.declare import declared_act
from serment.access.from_consent import provision_of
from serment.access.record_facts import DECLARED, Attending, RecordFacts
from serment.errors import RefusedError, RequestError
from serment.fhir.consent import Provision, blocking, consent, masking, opposing, permitting
from serment.identity import rpps
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, Denial, PatientId, Permit
from serment.record import choices, gate, incoming, trace, writing
from serment.record.asking import Asking
from serment.record.pen import DeniedError, Pen
from serment.record.write import Written
from serment.record.writing import Writing

HOLDER = "G1.holder"


class Choosing:
    """The passage for the patient's choices."""

    def __init__(self, writes: Writing) -> None:
        self._writing = writes

    async def mask(self, asking: Asking, patient: PatientId, item: str) -> Written:
        """Mask one item (`Type/id`). Raises `NotFoundError` when the holder has no such item."""
        return await self._consent(asking, patient, masking(item), masks=item)

    async def unmask(self, asking: Asking, patient: PatientId, item: str) -> None:
        """Take back every choice that masks the item; what the same Consent said beside it is said again."""

        def job(pen: Pen) -> None:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            said = draft.view.facts.choices
            sources = {choice.source for choice in said if choice.item == item}
            for choice in said:
                if choice.source in sources and choice.item != item and (provision := provision_of(choice)):
                    again = incoming.read(consent(patient, provision))
                    writing.put(pen, again, writing.new_id(), {}, asking.actor.id)
            for source in sorted(sources):
                writing.remove(pen, "Consent", source.removeprefix("Consent/"))

        await self._writing.run(asking, [f"Patient/{patient}"], job, choice=True)

    async def block(self, asking: Asking, patient: PatientId, number: str) -> Written:
        """Block one professional, named by RPPS."""
        return await self._consent(asking, patient, blocking(number))

    async def oppose(self, asking: Asking, patient: PatientId, category: str = "") -> Written:
        """Oppose sharing: the whole record, or one category."""
        return await self._consent(asking, patient, opposing(category))

    async def permit(self, asking: Asking, patient: PatientId, number: str) -> Written:
        """Consent to one professional outside the team."""
        return await self._consent(asking, patient, permitting(number))

    async def confirm_attending(self, asking: Asking, patient: PatientId, named: str) -> None:
        """Confirm the attending physician: the holder alone (CSS L162-5-3, CSP L1111-16).

        `named` is an RPPS number or `Practitioner/id` of the directory. Raises `RefusedError` for anybody
        else than the holder, `RequestError` when it names no professional.
        """

        def job(pen: Pen) -> None:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            verdict = draft.view.decide(choices.CHOICES, Act.WRITE, existing=False)
            if not _is_holder(verdict):
                raise DeniedError(
                    draft.view,
                    gate.denied(verdict),
                    Interaction.CONSENT,
                    sentence="record.choice-not-yours",
                )
            doctor = f"rpps:{named}" if rpps.is_rpps(named) else choices.practitioner(pen, named)
            if not doctor:
                raise RequestError("record.no-professional")
            attending = Attending(ActorId(doctor), asking.now, None, asking.actor.id)
            choices.change(draft, choices.facts_of(draft).with_attending(attending))
            pen.did(draft, Interaction.CONSENT, trace.of_facts(HOLDER))

        references = [f"Patient/{patient}", *([] if rpps.is_rpps(named) else [named])]
        await self._writing.run(asking, references, job, choice=True)

    async def declare_act(self, asking: Asking, patient: PatientId, reason: str) -> None:
        """Declare one's own act of care: a coded reason, 24 hours, told to the patient (ADR 0006).

        Raises `RefusedError`, with one sentence for a record that is unknown, of another structure, or
        that the asker's function does not declare for.
        """

        def job(pen: Pen) -> None:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            facts = choices.facts_of(draft)
            try:
                fact = declared_act(
                    asking.actor, facts, reason, asking.now, asking.request, pen.passage.policy
                )
            except RefusedError as refused:
                raise DeniedError(
                    draft.view, Denial("C3.declare", "structure"), Interaction.TEAM, sentence=refused.sentence
                ) from None
            pen.reason = reason
            choices.change(draft, _without_declared(facts, asking.actor.id).with_team(fact))
            pen.did(draft, Interaction.TEAM, trace.of_facts("C3.declare"))

        await self._writing.run(asking, [f"Patient/{patient}"], job)

    async def _consent(
        self, asking: Asking, patient: PatientId, provision: Provision, masks: str = ""
    ) -> Written:
        ready = incoming.read(consent(patient, provision))
        id_ = writing.new_id()

        def job(pen: Pen) -> Written:
            if masks:
                draft = writing.draft_of(pen, f"Patient/{patient}", {})
                choices.must_hold(draft, masks)
            return writing.put(pen, ready, id_, {}, asking.actor.id)

        return await self._writing.run(asking, [f"Patient/{patient}"], job, choice=True)


def _is_holder(verdict: Permit | Denial) -> bool:
    return isinstance(verdict, Permit) and verdict.rule == HOLDER


def _without_declared(facts: RecordFacts, actor: str) -> RecordFacts:
    """Forget what somebody declared before: the new act runs from now, the ledger keeps the old ones."""
    kept = tuple(fact for fact in facts.team if (fact.actor, fact.kind) != (actor, DECLARED))
    return msgspec.structs.replace(facts, team=kept)

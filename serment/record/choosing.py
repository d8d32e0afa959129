"""The patient's word in one gesture: mask, unmask, block, oppose, confirm the attending physician.

Each is a Consent like any other, written through the same passage, in force for every request whose
decision starts after its commit. The attending physician is confirmed by the holder only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from serment.access.declare import declared_act
from serment.access.from_consent import provision_of
from serment.access.policy import Policy
from serment.access.record_facts import (
    CONSENT,
    DECLARED,
    INSURER_SERVICE,
    ON_CALL,
    Attending,
    Choice,
    RecordFacts,
    TeamFact,
)
from serment.errors import RefusedError, RequestError
from serment.fhir.consent import (
    Provision,
    blocking,
    consent,
    masking,
    naming_carer,
    opposing,
    opposing_emergency,
    opposing_heirs,
    opposing_research,
    permitting,
)
from serment.identity import rpps
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, ActorKind, Category, Denial, ItemClass, Label, PatientId, Permit
from serment.record import choices, gate, incoming, trace, writing
from serment.record.asking import Asking
from serment.record.care import declaring
from serment.record.gate import View
from serment.record.pen import DeniedError, Pen
from serment.record.write import Written
from serment.record.writing import Writing

HOLDER = "G1.holder"

TEAM_SHEET = ItemClass(Category.ADMINISTRATIVE, "CareTeam", (Label.NORMAL.value,))
"""The class under which a service of the structure deposits who cares for the person."""


class Choosing:
    """The passage for the patient's choices."""

    def __init__(self, writes: Writing) -> None:
        self._writing = writes

    async def mask(self, asking: Asking, patient: PatientId, item: str) -> Written:
        """Mask one item (`Type/id`). Raises `NotFoundError` when the holder has no such item."""
        return await self._consent(asking, patient, masking(item), masks=item)

    async def unmask(self, asking: Asking, patient: PatientId, item: str) -> None:
        """Take back every choice that masks the item; what the same Consent said beside it is said again."""
        await self._take_back(asking, patient, lambda choice: choice.item == item)

    async def take_back(self, asking: Asking, patient: PatientId, choice: str) -> None:
        """Take back one choice by its id; what the same Consent said beside it is said again.

        One that is gone already, or never was, changes nothing. Raises `NotFoundError`, `RefusedError`.
        """
        await self._take_back(asking, patient, lambda one: one.id == choice)

    async def _take_back(self, asking: Asking, patient: PatientId, which: Callable[[Choice], bool]) -> None:
        def job(pen: Pen) -> None:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            said = draft.view.facts.choices
            sources = {choice.source for choice in said if which(choice)}
            for choice in said:
                if choice.source in sources and not which(choice) and (provision := provision_of(choice)):
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

    async def oppose_research(self, asking: Asking, patient: PatientId) -> Written:
        """Oppose every reuse of the record for research; care stays as it was."""
        return await self._consent(asking, patient, opposing_research())

    async def oppose_emergency(self, asking: Asking, patient: PatientId) -> Written:
        """Oppose emergency access of a `shared` record (CSP L1111-17 I); in `own` it closes nothing."""
        return await self._consent(asking, patient, opposing_emergency())

    async def permit(self, asking: Asking, patient: PatientId, number: str, until: str = "") -> Written:
        """Consent to one professional outside the team, until a date or instant of FHIR when one is given."""
        return await self._consent(asking, patient, permitting(number, until))

    async def oppose_heirs(self, asking: Asking, patient: PatientId) -> Written:
        """Object to heirs and partner being told anything after one's death (CSP L1110-4 V)."""
        return await self._consent(asking, patient, opposing_heirs())

    async def name_carer(
        self, asking: Asking, patient: PatientId, related: str, categories: Sequence[str], until: str
    ) -> Written:
        """Let a RelatedPerson (id) read some categories until a date; what was said of them before goes.

        Raises `RefusedError` for anybody else than the holder, `RequestError` without category or end,
        `NotFoundError` when the record has no such RelatedPerson.
        """
        ready = incoming.read(consent(patient, naming_carer(related, categories, until)))
        id_ = writing.new_id()

        def job(pen: Pen) -> Written:
            _dismiss(pen, patient, related)
            return writing.put(pen, ready, id_, {}, asking.actor.id)

        return await self._writing.run(asking, [f"Patient/{patient}"], job, choice=True)

    async def dismiss_carer(self, asking: Asking, patient: PatientId, related: str) -> None:
        """Take back what was said of a carer. Nobody is told; nothing to take back changes nothing."""
        await self._writing.run(
            asking, [f"Patient/{patient}"], lambda pen: _dismiss(pen, patient, related), choice=True
        )

    async def confirm_attending(self, asking: Asking, patient: PatientId, named: str) -> None:
        """Confirm the attending physician: the holder, or the service of the health insurance (ADR 40).

        `named` is an RPPS number or `Practitioner/id` of the directory (CSS L162-5-3, CSP L1111-16). Raises
        `RefusedError` for anybody else, `RequestError` when it names no professional.
        """
        insurer = _is_insurer(asking)

        def job(pen: Pen) -> None:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            unit = TEAM_SHEET if insurer else choices.CHOICES
            verdict = draft.view.decide(unit, Act.WRITE, existing=False)
            if not (_is_holder(verdict) or (insurer and isinstance(verdict, Permit))):
                raise DeniedError(
                    draft.view,
                    gate.denied(verdict),
                    Interaction.CONSENT,
                    sentence="record.choice-not-yours",
                )
            doctor = f"rpps:{named}" if rpps.is_rpps(named) else choices.practitioner(pen, named)
            if not doctor:
                raise RequestError("record.no-professional")
            attending = Attending(ActorId(doctor), asking.now, None, asking.actor.id, insurer)
            facts = choices.facts_of(draft)
            if not (insurer and facts.chose_attending(asking.now)):
                choices.change(draft, facts.with_attending(attending))
            pen.did(draft, Interaction.CONSENT, trace.of_facts(verdict.rule))

        references = [f"Patient/{patient}", *([] if rpps.is_rpps(named) else [named])]
        await self._writing.run(asking, references, job, choice=True)

    async def declare_act(self, asking: Asking, patient: PatientId, reason: str) -> int:
        """Declare one's own act of care: a coded reason, 24 hours, told to the patient, counted (ADR 0006).

        With the reason `on-call`, who stands on the structure's on-call list opens the record until the shift
        ends; that counts for nothing. Gives how many acts the asker declared in 30 days. Raises
        `RefusedError`, with one sentence for a record that is unknown, of another structure, or that the
        asker's function does not declare for.
        """

        def job(pen: Pen) -> int:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            facts, policy = choices.facts_of(draft), pen.passage.policy
            shifts = choices.on_call(pen) if reason == ON_CALL else ()
            try:
                fact = _declared(draft.view, facts, reason, policy, shifts)
            except RefusedError as refused:
                raise DeniedError(
                    draft.view, Denial("C3.declare", "structure"), Interaction.TEAM, sentence=refused.sentence
                ) from None
            pen.reason = reason
            choices.change(draft, _without_declared(facts, asking.actor.id).with_team(fact))
            pen.did(draft, Interaction.TEAM, trace.of_facts("C3.declare"))
            return declaring.note(pen, reason) if fact.kind == DECLARED else 0

        return await self._writing.run(asking, [f"Patient/{patient}"], job)

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


def _dismiss(pen: Pen, patient: PatientId, related: str) -> None:
    """Delete every Consent that names a carer. Raises `DeniedError` for anybody else than the holder."""
    draft = writing.draft_of(pen, f"Patient/{patient}", {})
    choices.only_holder(pen, draft)
    said = choices.facts_of(draft).choices
    sources = {one.source for one in said if one.kind == CONSENT and one.actor == f"proxy:{related}"}
    for source in sorted(sources):
        writing.remove(pen, "Consent", source.removeprefix("Consent/"))


def _is_insurer(asking: Asking) -> bool:
    actor = asking.actor
    return actor.kind is ActorKind.SERVICE and actor.id == INSURER_SERVICE


def _is_holder(verdict: Permit | Denial) -> bool:
    return isinstance(verdict, Permit) and verdict.rule == HOLDER


def _declared(
    view: View, facts: RecordFacts, reason: str, policy: Policy, shifts: Iterable[TeamFact]
) -> TeamFact:
    """Make the fact of an act: a program launched on one record makes none in another.

    Raises `RefusedError`.
    """
    asking = view.asking
    if asking.scope is not None and not asking.scope.reaches(view.record):
        raise RefusedError("access.declare-refused")
    return declared_act(asking.actor, facts, reason, asking.now, asking.request, policy, shifts)


def _without_declared(facts: RecordFacts, actor: str) -> RecordFacts:
    """Forget what somebody declared before: the new act runs from now, the ledger keeps the old ones."""
    kept = tuple(fact for fact in facts.team if fact.actor != actor or fact.kind not in {DECLARED, ON_CALL})
    return msgspec.structs.replace(facts, team=kept)

"""What the holder has chosen, and who stands for them: read from the facts that every decision reads.

For the living holder alone. What is shown here is what rules: there is no second list of choices. The
reading is decided as that of a Consent, and traced.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from serment.access.record_facts import (
    CONSENT,
    HEIR,
    Attending,
    Choice,
    Mandate,
    RecordFacts,
    grant_in_force,
    veto_in_force,
)
from serment.errors import NotFoundError
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Instant, Permit
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.choices import CHOICES
from serment.record.passage import Passage
from serment.record.reading import settled, with_keys
from serment.store.contract import Snapshot

HOLDER = "G1.holder"


@dataclass(frozen=True, slots=True)
class Standing:
    """What rules a record by its holder's word: choices, who represents them, their attending physician.

    Only what is in force. `regime` rules the record.
    """

    regime: str
    choices: tuple[Choice, ...] = field(repr=False)
    mandates: tuple[Mandate, ...] = field(repr=False)
    attending: tuple[Attending, ...] = field(repr=False)

    @property
    def carers(self) -> dict[str, list[Choice]]:
        """Give the consents that name a carer, by the id of the RelatedPerson."""
        found: dict[str, list[Choice]] = {}
        for one in self.choices:
            if one.kind == CONSENT and one.actor.startswith("proxy:"):
                found.setdefault(one.actor.removeprefix("proxy:"), []).append(one)
        return found

    def of(self, kind: str) -> tuple[Choice, ...]:
        """Give the choices of one kind."""
        return tuple(one for one in self.choices if one.kind == kind)


class Chosen:
    """The passage for what the holder has chosen."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def standing(self, asking: Asking, patient: str) -> Standing:
        """Say what the holder's word is. Raises `NotFoundError` for anybody else."""
        standing, entries = await with_keys(
            self._passage, asking, lambda snapshot: self._look(snapshot, asking, patient)
        )
        await settled(self._passage, entries, again=True)
        if standing is None:
            raise NotFoundError("record.not-found")
        return standing

    def _look(
        self, snapshot: Snapshot, asking: Asking, patient: str
    ) -> tuple[Standing | None, list[Pending]]:
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        verdict = view.decide(CHOICES, Act.READ)
        if isinstance(verdict, Permit) and verdict.rule == HOLDER:
            entries = trace.of_access(passage, view, Interaction.LIST, [], verdict.rule)
            return _standing(view.facts, asking.now), entries
        denial = gate.denied(verdict)
        return None, trace.of_refusal(passage, view, Interaction.LIST, denial)


def _standing(facts: RecordFacts, now: Instant) -> Standing:
    return Standing(
        facts.regime,
        tuple(one for one in facts.choices if _rules(one, now)),
        tuple(one for one in facts.mandates if one.kind != HEIR and grant_in_force(one.start, one.end, now)),
        tuple(one for one in facts.attending if grant_in_force(one.start, one.end, now)),
    )


def _rules(choice: Choice, now: Instant) -> bool:
    if choice.kind == CONSENT:
        return grant_in_force(choice.start, choice.end, now)
    return veto_in_force(choice, now)

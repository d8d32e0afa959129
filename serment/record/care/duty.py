"""Reading who a person is, to declare what the law demands: one decision, one trace, and no more.

The trace goes to the protected chain: a parent does not learn of an adolescent's listed disease from the list
of who opened the record. The holder reads it, with the recipient, unless they are gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from serment.access.decide import decide_duty
from serment.access.duty import owing_for
from serment.errors import NotFoundError
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import Act, Category, Denial, PatientId, Permit, Purpose, Receipt
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.finding import people, who
from serment.record.gate import Sealed, View
from serment.record.passage import Passage
from serment.record.reading import settled, with_keys
from serment.record.searching import PERSON
from serment.store.contract import Snapshot


@dataclass(frozen=True, slots=True)
class Opened:
    """Who the person is (a Patient resource, without contact), and the proof that it was traced."""

    patient: dict[str, Any] = field(repr=False)
    receipt: Receipt


@dataclass(slots=True)
class _Looked:
    view: View
    sealed: list[Sealed]
    entries: list[Pending]


class Duty:
    """The passage for declarations that the law demands."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def open(self, asking: Asking, patient: PatientId, *, owed: bool, recipient: str) -> Opened:
        """Open who the person is, traced with who receives the declaration. Raises `NotFoundError`.

        `owed` says that the asker's function owes this declaration. Somebody who may not declare is answered
        as where there is nobody.
        """
        owing = owed and asking.scope is None  # a program has no duty of its own
        looked = await with_keys(
            self._passage, asking, lambda seen: self._look(seen, asking, patient, owed=owing, to=recipient)
        )
        receipts = await settled(self._passage, looked.entries, again=True)
        if not looked.sealed:
            raise NotFoundError("record.not-found")
        body = gate.reveal(looked.view, receipts[0], looked.sealed[0])
        return Opened(msgspec.json.decode(who(body)), receipts[0])

    def _look(
        self, snapshot: Snapshot, asking: Asking, patient: PatientId, *, owed: bool, to: str
    ) -> _Looked:
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        permits = _permits(view, owed=owed)
        items = people(snapshot, view, permits)[:1]
        if not items:
            denial = (
                gate.denied(view.decide(PERSON, Act.READ)) if not permits else Denial("L0.unit", "identity")
            )
            return _Looked(view, [], trace.of_refusal(passage, view, Interaction.DECLARE, denial))
        touched = replace(trace.touched(items[0], asking), chain=Chain.PROTECTED)
        entries = trace.of_access(passage, view, Interaction.DECLARE, [touched])
        said = msgspec.structs.replace(entries[0].event, recipient=to, purpose=Purpose.PUBLIC_HEALTH.value)
        return _Looked(view, gate.fetch(snapshot, view, items), [replace(entries[0], event=said)])


def _permits(view: View, *, owed: bool) -> dict[int, Permit]:
    asking = view.asking
    found: dict[int, Permit] = {}
    for place, unit in enumerate(view.head.classes()):
        if unit.category is Category.IDENTITY and unit.document_type == "Patient":
            verdict = decide_duty(
                owing_for(
                    asking.actor,
                    asking.purpose,
                    asking.reasons,
                    view.record,
                    view.facts,
                    asking.now,
                    asking.request,
                    view.policy,
                    owed=owed,
                    unit=unit,
                )
            )
            if isinstance(verdict, Permit):
                found[place] = verdict
    return found

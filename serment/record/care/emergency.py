"""Opening a record in an emergency by one request (`$emergency-access`): what it would open, by category.

The purpose and the coded reason that other requests carry in headers come together here; the decision is
the same, and nothing of the record is given but which categories are open and how much is in them. The
patient is told at once, by an entry of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from serment.errors import NotFoundError, RequestError
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Category, EmergencyReason, PatientId, Permit, Purpose
from serment.record import gate, gathering, trace
from serment.record.asking import Asking
from serment.record.gate import View
from serment.record.pages.showing import main_rule
from serment.record.passage import Passage
from serment.record.reading import settled, with_keys
from serment.record.searching import PERSON
from serment.store.contract import Snapshot


@dataclass(frozen=True, slots=True)
class Opened:
    """What an emergency opens: the rule that opened most, and how many items by category."""

    rule: str
    totals: dict[Category, int] = field(repr=False)


@dataclass(slots=True)
class _Looked:
    """What one look found, before its trace is durable."""

    permits: dict[int, Permit]
    totals: dict[Category, int]
    entries: list[Pending]


class Emergency:
    """The passage for emergency access."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def open(self, asking: Asking, patient: PatientId, reasons: Collection[EmergencyReason]) -> Opened:
        """Say what the emergency opens. Raises `NotFoundError` when it opens nothing, `RequestError`."""
        if not reasons:
            raise RequestError("operations.reason")
        urgent = replace(asking, purpose=Purpose.EMERGENCY, reasons=frozenset(reasons))
        looked = await with_keys(self._passage, urgent, lambda seen: self._look(seen, urgent, patient))
        await settled(self._passage, looked.entries, again=True)
        if not looked.permits:
            raise NotFoundError("record.not-found")
        rule = main_rule([permit.rule for permit in looked.permits.values()])
        return Opened(rule, looked.totals)

    def _look(self, snapshot: Snapshot, asking: Asking, patient: PatientId) -> _Looked:
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        permits = gate.permitted(view, Act.READ)
        totals = _counted(snapshot, view, permits)
        if permits:
            rule = main_rule([permit.rule for permit in permits.values()])
            return _Looked(permits, totals, trace.of_access(passage, view, Interaction.EMERGENCY, [], rule))
        denial = gate.denied(view.decide(PERSON, Act.READ))
        return _Looked(permits, totals, trace.of_refusal(passage, view, Interaction.EMERGENCY, denial))


def _counted(snapshot: Snapshot, view: View, permits: dict[int, Permit]) -> dict[Category, int]:
    here = gathering.standing(snapshot, view, permits, lambda _: True)
    return dict(sorted(Counter(item.unit.category for item in here.items).items()))

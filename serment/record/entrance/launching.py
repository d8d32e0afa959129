"""Whether somebody may open a record now: asked when a program is launched on it, and at each new token.

The answer is that of the decision for the person, whatever the program may do, and is traced like a reading
that shows nothing. A record that does not exist, and one that may not be seen, are answered alike.
"""

from __future__ import annotations

from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, RecordToken
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.reading import settled, with_keys
from serment.record.searching import PERSON
from serment.store.contract import Snapshot


class Launching:
    """The passage for launches. Holds no state of its own."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def opened(self, asking: Asking, patient: str) -> RecordToken | None:
        """Name the record of a patient of whom the asker may see something now; else None."""
        found, entries = await with_keys(
            self._passage, asking, lambda seen: self._look(seen, asking, patient)
        )
        await settled(self._passage, entries, again=True)
        return found

    def _look(
        self, snapshot: Snapshot, asking: Asking, patient: str
    ) -> tuple[RecordToken | None, list[Pending]]:
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        record = lead.located.record
        view = passage.view_of(snapshot, asking, record, lead.row, at_hand=True)
        if gate.permitted(view, Act.READ):
            return record, trace.of_access(passage, view, Interaction.LIST, [])
        denial = gate.denied(view.decide(PERSON, Act.READ))
        return None, trace.of_refusal(passage, view, Interaction.LIST, denial)

"""One write transaction over any number of records: all of it, or nothing.

A pen opens drafts, keeps what was done for the trace, and at the end writes each draft and appends
its ledger entries in the same store transaction. A decision is taken inside that transaction, on
facts read inside it: a choice of the patient that commits first always rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from serment.access.record_facts import RecordFacts
from serment.keys.record_keys import RecordKeys
from serment.ledger.append import Pending, Trail
from serment.ledger.chains import NO_HEAD, HeadMark
from serment.ledger.entry import Interaction
from serment.model import Denial, PatientId, Receipt, RecordToken
from serment.record import trace
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.gate import View
from serment.record.index import Head
from serment.record.passage import Passage
from serment.record.trace import Touched
from serment.store.contract import Transaction


class DeniedError(Exception):
    """A write that the decision refused; carries what the trace of the refusal needs."""

    def __init__(
        self, view: View, denial: Denial, interaction: Interaction, *, visible: bool = False
    ) -> None:
        self.view, self.denial, self.interaction, self.visible = view, denial, interaction, visible
        super().__init__(denial.rule)


@dataclass(slots=True)
class Pen:
    """A write in progress."""

    passage: Passage
    txn: Transaction
    asking: Asking
    drafts: dict[RecordToken, Draft] = field(default_factory=dict)
    done: dict[RecordToken, list[tuple[Interaction, Touched]]] = field(default_factory=dict)

    def draft(self, record: RecordToken) -> Draft:
        """Open a record for writing, once for each transaction."""
        draft = self.drafts.get(record)
        if draft is None:
            view = self.passage.view(self.txn, self.asking, record)
            draft = self.drafts[record] = Draft(self.passage, self.txn, view)
        return draft

    def born(self, record: RecordToken, keys: RecordKeys, patient: PatientId, facts: RecordFacts) -> Draft:
        """Begin a record that has no row yet. Its keys are durable already (HOUSE section 5)."""
        head = Head(patient, 0, 0, b"")
        view = View(self.asking, record, keys, self.passage.policy, head, facts, NO_HEAD)
        draft = self.drafts[record] = Draft(self.passage, self.txn, view, fresh=True)
        return draft

    def did(self, draft: Draft, interaction: Interaction, item: Touched) -> None:
        """Keep what was done for the trace."""
        self.done.setdefault(draft.record, []).append((interaction, item))

    def finish(self) -> list[Receipt]:
        """Write every draft and its trace."""
        entries: list[Pending] = []
        for record, draft in self.drafts.items():
            acts = self.done.get(record, [])
            if not acts and not draft.fresh:
                continue
            mark = draft.write()
            if draft.fresh:
                self._birth(draft, mark)
            entries += self._traced(draft, acts, mark)
        return trace.append(self.passage, self.txn, entries)

    def _birth(self, draft: Draft, mark: HeadMark) -> None:
        keys = draft.view.keys
        born = trace.event(self.passage, self.asking, Interaction.BIRTH, rule="")
        self.passage.ledger.birth(self.txn, Trail(draft.record, keys.trail, keys.year), born, mark)

    def _traced(self, draft: Draft, acts: list[tuple[Interaction, Touched]], mark: HeadMark) -> list[Pending]:
        interaction = acts[0][0] if len({act for act, _ in acts}) == 1 else Interaction.UPDATE
        keys = draft.view.keys
        return [
            trace.pending(
                keys,
                draft.record,
                chain,
                trace.event(
                    self.passage,
                    self.asking,
                    interaction,
                    rule=group[0].rule,
                    references=[item.reference for item in group],
                ),
                mark,
            )
            for chain, group in trace.by_chain([item for _, item in acts]).items()
        ]

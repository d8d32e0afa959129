"""One write transaction over any number of records: all of it, or nothing.

A pen opens drafts, keeps what was done for the trace, and at the end writes each draft and appends
its ledger entries in the same store transaction. A decision is taken inside that transaction, on
facts read inside it: a choice of the patient that commits first always rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from serment.access.record_facts import RecordFacts
from serment.identity.evidence import Evidence
from serment.keys.record_keys import RecordKeys
from serment.ledger.append import Pending, Trail
from serment.ledger.chains import NO_HEAD, HeadMark
from serment.ledger.entry import Event, Interaction
from serment.model import Denial, ItemClass, PatientId, Receipt, RecordToken
from serment.record import today, trace
from serment.record.asking import Asking
from serment.record.between import results
from serment.record.draft import Draft, Places, located
from serment.record.duplicates import uniting
from serment.record.gate import View
from serment.record.index import Head
from serment.record.passage import Passage
from serment.record.persons import register
from serment.record.subscriptions import announcing
from serment.record.trace import Touched
from serment.store.contract import Located, Transaction

UNDONE = "T1.undone"
"""Rule of what the decision would have let: another part of the request, or its version, undid it."""


class DeniedError(Exception):
    """A write that the decision refused; carries what the trace of the refusal needs.

    `sentence` is what the caller is told, "" for the sentence that says as little as there is to say.
    """

    def __init__(
        self,
        view: View,
        denial: Denial,
        interaction: Interaction,
        *,
        visible: bool = False,
        sentence: str = "",
        unit: ItemClass | None = None,
    ) -> None:
        self.view, self.denial, self.interaction, self.visible = view, denial, interaction, visible
        self.unit = unit
        self.sentence = sentence
        super().__init__(denial.rule)


@dataclass(slots=True)
class Pen:
    """A write in progress.

    `imported` says that a service deposits what it received; `known` are directory entries whose
    professional is known already: reference → actor id, "" for none. `identities` is what the identity of a
    Patient rests on from now on. `confirmed` are the items (`Type/id`) whose change a second professional
    confirms in this act. `later` is what waits until all is written (`secrecy`). `reason` is the
    coded reason that the act itself gives, for its trace.
    """

    passage: Passage
    txn: Transaction
    asking: Asking
    imported: bool = False
    known: dict[str, str] = field(default_factory=dict, repr=False)
    drafts: dict[RecordToken, Draft] = field(default_factory=dict)
    done: dict[RecordToken, list[tuple[Interaction, Touched]]] = field(default_factory=dict)
    found: dict[RecordToken, list[tuple[Interaction, Touched]]] = field(default_factory=dict)
    marks: dict[RecordToken, HeadMark] = field(default_factory=dict)
    places: Places = field(default_factory=dict, repr=False)
    identities: dict[str, Evidence] = field(default_factory=dict, repr=False)
    reason: str = ""
    confirmed: frozenset[str] = frozenset()
    later: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def draft(self, record: RecordToken) -> Draft:
        """Open a record for writing, once for each transaction."""
        draft = self.drafts.get(record)
        if draft is None:
            view = self.passage.view(self.txn, self.asking, record)
            view.depositing = self.imported
            draft = self.drafts[record] = Draft(self.passage, self.txn, view, places=self.places)
        return draft

    def located(self, reference: str) -> tuple[Located, bool]:
        """Find where a reference leads, as `Passage.resolve`, once for each transaction."""
        return located(self.passage, self.txn, self.places, reference)

    def born(self, record: RecordToken, keys: RecordKeys, patient: PatientId, facts: RecordFacts) -> Draft:
        """Begin a record that has no row yet. Its keys are durable already (HOUSE section 5)."""
        head = Head(patient, 0, 0, b"")
        view = View(self.asking, record, keys, self.passage.policy, head, facts, NO_HEAD)
        draft = self.drafts[record] = Draft(self.passage, self.txn, view, fresh=True)
        return draft

    def did(self, draft: Draft, interaction: Interaction, item: Touched) -> None:
        """Keep what was done for the trace."""
        self.done.setdefault(draft.record, []).append((interaction, item))

    def moved(self, draft: Draft, item: Touched) -> None:
        """Trace what was done to an item in another chain: this transaction hid what it had written."""
        acts = self.done.get(draft.record, [])
        for place, (interaction, done) in enumerate(acts):
            if done.reference == item.reference:
                acts[place] = interaction, replace(done, chain=item.chain)

    def finds(self, draft: Draft, interaction: Interaction, item: Touched) -> None:
        """Keep what was found to be changed: if all is undone, its author has learned that it is there."""
        self.found.setdefault(draft.record, []).append((interaction, item))

    def undone(self) -> list[Pending]:
        """Make the trace of a write that came to nothing: what it met is shown, the rest was refused.

        An item that answered a condition, a version that had moved on, a place where one may write: each
        is told by the error that follows. A record that would have begun is none.
        """
        entries: list[Pending] = []
        for record, draft in self.drafts.items():
            acts = [] if draft.fresh else [*self.found.get(record, []), *self.done.get(record, [])]
            met = [item for act, item in acts if act is Interaction.SEARCH]
            tried = [(act, item) for act, item in acts if act is not Interaction.SEARCH]
            if met:
                entries += trace.of_access(self.passage, draft.view, Interaction.SEARCH, met)
            if tried:
                entries += self._tried(draft, tried)
        return entries

    def _tried(self, draft: Draft, acts: Sequence[tuple[Interaction, Touched]]) -> list[Pending]:
        interaction = acts[0][0] if len({act for act, _ in acts}) == 1 else Interaction.UPDATE
        said = trace.event(self.passage, self.asking, interaction, rule=UNDONE, denied=True)
        keys = draft.view.keys
        chains = trace.by_chain([item for _, item in acts])
        return [trace.pending(keys, draft.record, chain, said) for chain in chains]

    def finish(self) -> list[Receipt]:
        """Write every draft and its trace."""
        while self.later:
            self.later.pop(0)()
        uniting.note(self)
        today.note(self)
        announcing.note(self)
        results.note(self)
        register.note(self)
        entries: list[Pending] = []
        for record, draft in self.drafts.items():
            acts = self.done.get(record, [])
            if not acts and not draft.fresh:
                continue
            mark = self.marks[record] = draft.write()
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
        if self.imported:
            interaction = Interaction.IMPORT
        keys = draft.view.keys
        return [
            trace.pending(
                keys,
                draft.record,
                chain,
                self._event(interaction, group),
                mark,
            )
            for chain, group in trace.by_chain([item for _, item in acts]).items()
        ]

    def _event(self, interaction: Interaction, group: list[Touched]) -> Event:
        references = [item.reference for item in group]
        said = trace.event(self.passage, self.asking, interaction, rule=group[0].rule, references=references)
        return msgspec.structs.replace(said, reason=self.reason) if self.reason else said

"""Items that leave on paper or by a link: looked at, decided and traced together, then opened.

What is hidden and what is absent answer alike: when one item that was asked cannot be shown, none is.
`PRINT` opens a body into a printed page only: a secretary prints what they do not read (HOUSE section 2).
Content of a Binary is opened by `streaming.Serving`, under the same act.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from serment.errors import NotFoundError, TooLargeError
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act
from serment.record import gate, gathering, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Sealed, View
from serment.record.gathering import Key
from serment.record.passage import Passage
from serment.record.reading import Served, settled, with_keys
from serment.record.searching import PERSON, may_hold
from serment.store.contract import Snapshot

MOST_ITEMS = 50
"""Items on one print or behind one link."""


@dataclass(frozen=True, slots=True)
class Leave:
    """What leaves: by which act, traced as what, to whom and why, in codes that `ledger/sentences` says."""

    act: Act
    interaction: Interaction
    recipient: str = ""
    reason: str = ""


PRINTED = Leave(Act.PRINT, Interaction.PRINT)


@dataclass(slots=True)
class _Gathered:
    view: View
    items: list[Item]
    contacts: dict[Key, Item]
    sealed: list[Sealed] = field(default_factory=list)
    entries: list[Pending] = field(default_factory=list)


class Leaving:
    """The passage for items that leave."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def items(
        self, asking: Asking, patient: str, wanted: Sequence[str], leave: Leave = PRINTED
    ) -> list[Served]:
        """Open the person and the items `wanted` (`Type/id`, in their order), of one record.

        The person comes first. Raises `NotFoundError` when one of them may not leave or is not there,
        `TooLargeError` for more than `MOST_ITEMS`.
        """
        if len(wanted) > MOST_ITEMS:
            raise TooLargeError("paper.too-many", limit=MOST_ITEMS)
        names = list(dict.fromkeys([f"Patient/{patient}", *wanted]))
        found = await with_keys(
            self._passage, asking, lambda seen: self._gather(seen, asking, patient, names, leave)
        )
        receipts = await settled(self._passage, found.entries, again=True)
        if len(found.items) < len(names):
            raise NotFoundError("record.not-found")
        return gathering.served(found.view, receipts[0], found.items, found.contacts, found.sealed)

    def _gather(
        self, snapshot: Snapshot, asking: Asking, patient: str, names: Sequence[str], leave: Leave
    ) -> _Gathered:
        """Look, decide, read the sealed bodies when all of them may leave, and make the trace ready."""
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        types = {name.partition("/")[0] for name in names}
        permits = gate.permitted(view, leave.act, lambda unit: any(may_hold(unit, type_) for type_ in types))
        here = gathering.standing(snapshot, view, permits, lambda entry: entry.reference in names)
        found = _Gathered(view, _in_order(here.items, names), here.contacts)
        if not permits:
            denial = gate.denied(view.decide(PERSON, leave.act))
            found.entries = trace.of_refusal(passage, view, leave.interaction, denial)
            return found
        whole = len(found.items) == len(names)
        if whole:
            halves = [half for half in here.contacts.values() if half.entry.type == "Patient"]
            found.sealed = gate.fetch(snapshot, view, [*found.items, *halves])
        touched = [trace.touched(item, asking) for item in found.items] if whole else []
        entries = trace.of_access(passage, view, leave.interaction, touched)
        found.entries = [_to(one, leave) for one in entries]
        return found


def _in_order(items: Collection[Item], names: Sequence[str]) -> list[Item]:
    by_name = {item.entry.reference: item for item in items}
    return [by_name[name] for name in names if name in by_name]


def _to(entry: Pending, leave: Leave) -> Pending:
    """Write down to whom it leaves and why, where the leave says it."""
    event = entry.event
    recipient, reason = leave.recipient or event.recipient, leave.reason or event.reason
    return replace(entry, event=msgspec.structs.replace(event, recipient=recipient, reason=reason))

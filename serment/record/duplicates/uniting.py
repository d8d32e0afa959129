"""Keeping the facts of merged records alike: what one comes to forbid, the other forbids at once.

Called by the pen before it writes: the change and its repetition are one transaction. Only the pure
`access.uniting` says what is repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from serment.access.uniting import united
from serment.ledger.entry import Interaction
from serment.record import trace

if TYPE_CHECKING:
    from serment.record.pen import Pen

RULE: Final = "I2.united"


def note(pen: Pen) -> None:
    """Repeat changed facts in the records of the same person. Raises what looking at them raises."""
    for draft in list(pen.drafts.values()):
        if draft.facts is None or not draft.facts.united:
            continue
        here = draft.view.head.patient
        for one in draft.facts.united:
            other = pen.draft(pen.located(f"Patient/{one.other}")[0].record)
            facts = other.facts or other.view.facts
            if not any(link.other == here for link in facts.united):
                continue  # being parted: the other has let go already
            repeated = united(facts, draft.facts, here, away=not one.away)
            if repeated != facts:
                other.facts = repeated
                pen.did(other, Interaction.CONSENT, trace.of_facts(RULE))

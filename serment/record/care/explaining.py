"""Why an act is refused, told to whoever asks in the words that they may read.

The decision is asked as for a read, traced as a read is, and nothing is opened. What the asker may not
know (the true rule behind a refusal) is taken out here, before any door could show it.
"""

from __future__ import annotations

from dataclasses import replace

from serment.access.explain import ABOUT_THE_ASKER, ABSENT, REFUSED, Explanation, explain
from serment.access.relations import facts_for
from serment.ledger.entry import Interaction
from serment.model import Act, ActorKind, Denial
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.gate import View
from serment.record.passage import Passage
from serment.record.reading import settled, warm

__all__ = ["Explaining", "Explanation"]


PATIENT_SIDE = frozenset({ActorKind.PATIENT, ActorKind.PROXY})


class Explaining:
    """The passage for explanations."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def explain(self, asking: Asking, reference: str, act: Act) -> Explanation:
        """Explain one act on one item (`Type/id`). What does not exist is explained on the decoy record."""
        passage = self._passage
        await warm(passage, asking, [reference])
        with passage.store.snapshot() as snapshot:
            located, _ = passage.resolve(snapshot, reference)
            view = passage.view(snapshot, asking, located.record)
            answer = self._explained(view, located.pack, act)
            if answer.permitted:
                entries = trace.of_access(passage, view, Interaction.READ, [], answer.rule)
            else:
                denial = Denial(answer.rule, answer.missing, answer.lifted_by)
                entries = trace.of_refusal(
                    passage, view, Interaction.READ, denial, gate.unit_at(view, located.pack)
                )
        await settled(passage, entries)
        return _for_asker(answer, asking)

    def _explained(self, view: View, pack: int, act: Act) -> Explanation:
        asking = view.asking
        unit, policy = gate.unit_at(view, pack), self._passage.policy
        facts = facts_for(
            asking.actor, asking.purpose, asking.reasons, view.record, view.facts,
            unit, act, asking.now, asking.request, policy, existing=True,
        )  # fmt: skip
        return explain(facts)


def _for_asker(answer: Explanation, asking: Asking) -> Explanation:
    """Leave the rule to whoever was permitted, to the holder, and to whom it speaks of themselves only.

    For the patient's side an item that is not announced, one of somebody else and none are all absent.
    """
    if asking.actor.kind in PATIENT_SIDE and answer.asker == REFUSED:
        answer = replace(answer, asker=ABSENT, offered=())
    own_fault = answer.rule in ABOUT_THE_ASKER
    true_to_holder = answer.asker not in {answer.professional, ABSENT}
    if answer.permitted or own_fault or true_to_holder:
        return answer
    return replace(answer, rule="", missing="", lifted_by=(), holder="", representative="")

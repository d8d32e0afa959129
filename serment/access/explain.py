"""Why: the rule that spoke, what is missing, who can lift it, and how each reader is told.

In this order: `Explanation`; the sentence of each rule; `explain`; `who_can`. The same refusal is told
differently to different people (HOUSE promise 5):

- to a professional, "blocked", "opposed", "masked", "secret", "closed", "not in your row" and "no
  relation" read the same, and so do the ways out; only what depends on the asker alone (a purpose
  they may not name, an insurer's purpose) is told as it is;
- the holder reads the true reason, save while an announcement timer runs: then, absence;
- a representative too, save before a timer, a minor's secret or a report of abuse: then, absence;
- a carer or an heir reads absence, whatever the reason.

The ledger keeps the true rule; nothing here decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from serment.access.decide import decide
from serment.access.facts import Facts
from serment.access.policy import Policy
from serment.access.record_facts import RecordFacts
from serment.access.relations import facts_for
from serment.model import (
    Act,
    Actor,
    Denial,
    EmergencyReason,
    Instant,
    ItemClass,
    Purpose,
    RecordToken,
    RequestId,
)

ABSENT: Final = "access.absent"
REFUSED: Final = "access.refused"
PERMITTED: Final = "access.permitted"

WAYS_OUT: Final = ("declared-act", "emergency", "consent")
"""What a refused professional is offered, whatever the reason of the refusal."""

ABOUT_THE_ASKER: Final = {
    "V1.third-party-purpose": "access.third-party-purpose",
    "D0.purpose": "access.purpose",
}
"""Rules that speak of the asker alone and betray nothing of the record."""

TRUE_REASON: Final = {
    **ABOUT_THE_ASKER,
    "S1.scope": "access.scope",
    "V2.closed": "access.closed",
    "V3.blocked": "access.blocked",
    "V5.minor-secret": "access.minor-secret",
    "V6.third-party": "access.third-party",
    "V7.opposed": "access.opposed",
    "V8.masked": "access.masked",
    "V9.choices": "access.choices",
    "V9.write": "access.not-written",
    "V9.cell": "access.not-in-row",
    "V10.abuse-report": "access.abuse-report",
    "D0.regime": "access.regime",
    "D0.silence": "access.no-relation",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision, told. `rule`, `missing` and `lifted_by` are the truth: for the ledger and the holder.

    `holder`, `representative` and `professional` are the sentence ids that each may read; `asker` is
    the one for whoever made the request; `offered` what may be shown beside it to that asker.
    """

    permitted: bool
    rule: str
    missing: str
    lifted_by: tuple[str, ...]
    holder: str
    representative: str
    professional: str
    asker: str
    offered: tuple[str, ...]


def explain(facts: Facts) -> Explanation:
    """Decide the case and say why, to each reader in the words that they may read."""
    answer = decide(facts)
    holder = _to_holder(facts, answer.rule)
    representative = ABSENT if facts.minor_secret or facts.withheld else holder
    if not isinstance(answer, Denial):
        told = (holder, representative, PERMITTED)
        return Explanation(True, answer.rule, "", (), *told, asker=PERMITTED, offered=())
    professional = ABOUT_THE_ASKER.get(answer.rule, REFUSED)
    asker = _to_asker(facts, holder, representative, professional)
    offered = WAYS_OUT if asker == REFUSED else ()
    return Explanation(
        permitted=False,
        rule=answer.rule,
        missing=answer.missing,
        lifted_by=answer.lifted_by,
        holder=holder,
        representative=representative,
        professional=professional,
        asker=asker,
        offered=offered,
    )


def who_can(
    actors: Iterable[Actor],
    purpose: Purpose,
    record: RecordToken,
    facts: RecordFacts,
    unit: ItemClass,
    now: Instant,
    policy: Policy,
) -> list[tuple[Actor, Explanation]]:
    """Say for each of these people whether they may read a class of items, and why, for the holder.

    No emergency reason is given: what an emergency would open is another question.
    """
    none: frozenset[EmergencyReason] = frozenset()
    asking = RequestId("")
    return [
        (
            actor,
            explain(facts_for(actor, purpose, none, record, facts, unit, Act.READ, now, asking, policy)),
        )
        for actor in actors
    ]


def _to_holder(facts: Facts, rule: str) -> str:
    """Tell the true reason, or absence while a timer runs: the item is not announced yet."""
    if facts.timer_running:
        return ABSENT
    return TRUE_REASON.get(rule, PERMITTED)


def _to_asker(facts: Facts, holder: str, representative: str, professional: str) -> str:
    if facts.holder:
        return holder
    if facts.representative:
        return representative
    return ABSENT if facts.patient_side else professional

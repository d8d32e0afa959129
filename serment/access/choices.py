"""What the patient's choices say about one case: read once, in doubt for the patient.

A choice that forbids and is malformed, or of a kind that this version does not know, forbids; one
that grants and is malformed grants nothing. Nothing here decides.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from serment.access import record_facts as rf
from serment.access.case import Case
from serment.model import Label, Purpose


class Choices(NamedTuple):
    """What the patient's choices say about one case."""

    closed: bool = False
    blocked: bool = False
    opposed: bool = False
    masked: bool = False
    emergency_opposed: bool = False
    regulation_opposed: bool = False
    team_consent: bool = False
    consent: bool = False


def read_choices(case: Case) -> Choices:
    """Read every choice once. What this version does not know opposes the whole record."""
    closed = case.facts.status == rf.CLOSED
    blocked = opposed = emergency_opposed = regulation_opposed = team_consent = consent = False
    masked = case.unit.masked or Label.MASKED in case.unit.labels
    for choice in case.facts.choices:
        if choice.kind == rf.CONSENT:
            granted = consent_counts(choice, case)
            team_consent = team_consent or (granted and not choice.actor)
            consent = consent or (granted and choice.actor == case.actor.id)
        elif rf.veto_in_force(choice, case.now):
            touches = _touches(choice, case)
            closed = closed or choice.kind == rf.CLOSURE
            blocked = blocked or (touches and choice.kind == rf.BLOCKED)
            masked = masked or (touches and choice.kind == rf.MASKED and not choice.item)
            emergency_opposed = emergency_opposed or choice.kind == rf.EMERGENCY_OPPOSED
            regulation_opposed = regulation_opposed or choice.kind == rf.REGULATION_OPPOSED
            opposed = opposed or (touches and _opposes(choice, case))
    return Choices(
        closed, blocked, opposed, masked, emergency_opposed, regulation_opposed, team_consent, consent
    )


_OPPOSING: Final = frozenset({rf.OPPOSED, rf.OPPOSED_CATEGORY, rf.OPPOSED_PART})


def _opposes(choice: rf.Choice, case: Case) -> bool:
    """Tell whether a choice opposes what is asked; research is opposed apart from care."""
    if choice.kind == rf.RESEARCH_OPPOSED:
        return case.purpose is Purpose.RESEARCH
    return choice.kind in _OPPOSING or choice.kind not in rf.CHOICE_KINDS


def _touches(choice: rf.Choice, case: Case) -> bool:
    """Tell whether a forbidding choice speaks of this actor and this class.

    An author whom nobody knows (an import makes none) may be the one that was named, and an item without
    a label counts as the most protected.
    """
    unit = case.unit
    return (
        (not choice.actor or choice.actor in case.names)
        and (not choice.category or choice.category == unit.category)
        and (not choice.author or unit.author in {"", choice.author})
        and (not choice.labels or not unit.labels or not set(choice.labels).isdisjoint(unit.labels))
    )


def consent_counts(choice: rf.Choice, case: Case) -> bool:
    """Tell whether a consent holds: in force, for the class asked, and not self-given.

    Who collects the initial consent for the team is not its beneficiary: an act of care is needed too.
    """
    return (
        rf.grant_in_force(choice.start, choice.end, case.now)
        and not choice.item
        and _given_for(choice, case)
        and not (choice.actor and choice.recorded_by == case.actor.id)
    )


def _given_for(choice: rf.Choice, case: Case) -> bool:
    """Tell whether a consent speaks of this class and this purpose: what is not said is not given."""
    unit = case.unit
    return (
        (not choice.category or choice.category == unit.category)
        and (not choice.author or choice.author == unit.author)
        and (not choice.labels or (bool(unit.labels) and set(unit.labels) <= set(choice.labels)))
        and (not choice.purposes or case.purpose in choice.purposes)
    )

"""The shape of a rule table, and the units and records that the rows share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from serment.access.facts import Facts
from serment.access.record_facts import (
    BLOCKED,
    CLOSURE,
    CONSENT,
    DECLARED,
    OPPOSED,
    Choice,
    RecordFacts,
    TeamFact,
)
from serment.model import Category, EmergencyReason, Instant, ItemClass
from tests.rules import cast
from tests.rules.cast import (
    DAY,
    DOCTOR,
    NOW,
    OWN,
    PATIENT,
    SHARED_TEAM,
    STRANGER,
    TEAM,
    UNIT,
    attended_by,
    chosen,
    delegated,
    mandate,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence, its facts, and the rule that speaks."""

    says: str
    facts: Facts
    rule: str

    @property
    def permits(self) -> bool:
        """Tell whether the expected rule permits."""
        return self.rule[0] in "GF"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows about one idea, with the text of law or the ADR behind them."""

    title: str
    source: str
    rows: tuple[Row, ...]


MINE: Final = replace(UNIT, author=DOCTOR.id)
MASKED_UNIT: Final = replace(UNIT, masked=True)
SECRET: Final = replace(UNIT, labels=("N", "INVISIBLE_REPRESENTANTS_LEGAUX"))
TIMED: Final = replace(UNIT, labels=("N", "INVISIBLE_PATIENT"), timer_end=Instant(NOW + DAY))
TOLD: Final = replace(UNIT, labels=("N", "INVISIBLE_PATIENT"), timer_end=NOW)
THIRD: Final = replace(UNIT, labels=("N", "SERMENT_TIERS"))
GENETIC: Final = replace(UNIT, labels=("N", "GDIS"))
CHOICE: Final = ItemClass(Category.CHOICES, "Consent", ("N",))
NOTE: Final = ItemClass(Category.NOTES, "Observation", ("N",))
TEAM_LIST: Final = ItemClass(Category.ADMINISTRATIVE, "CareTeam", ("N",))
UNKNOWN: Final = ItemClass(Category.UNMAPPED, "Basic", ("V",))
CALL: Final = EmergencyReason.REGULATION
ON_CALL: Final = EmergencyReason.ON_CALL

CHILD: Final = (
    TEAM.with_mandate(mandate(cast.MOTHER))
    .with_choice(delegated(cast.CARER, Category.LABS))
    .with_choice(delegated(cast.CARER, Category.TREATMENTS))
)
BLOCKING: Final = TEAM.with_choice(chosen(BLOCKED, DOCTOR))
OPPOSING: Final = TEAM.with_choice(chosen(OPPOSED))
CLOSED: Final = SHARED_TEAM.with_choice(chosen(CLOSURE))
ATTENDED: Final = OWN.with_attending(attended_by(DOCTOR))


def declared(actor_id: str, reason: str, hours: float) -> RecordFacts:
    """Make a record with one declared act of care, some hours old."""
    start = int(NOW - hours * cast.HOUR)
    return OWN.with_team(TeamFact(actor_id, DECLARED, start, structure=cast.PRACTICE, reason=reason))


def lasting(
    kind: str, days: float, ends: float | None = None, said: float | None = None, *, provisional: bool = False
) -> TeamFact:
    """Make an act of care of the nurse that began days ago, ends in days, was written days ago."""
    return TeamFact(
        cast.NURSE.id,
        kind,
        int(NOW - days * DAY),
        None if ends is None else int(NOW + ends * DAY),
        said=0 if said is None else int(NOW - said * DAY),
        provisional=provisional,
    )


def consenting(category: str = "") -> RecordFacts:
    word = Choice("k", CONSENT, STRANGER.id, category, start=NOW - DAY, recorded_by=PATIENT.id)
    return OWN.with_choice(word)

"""Relations of professionals, and choices that speak of a part, as rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from serment.access.record_facts import (
    BLOCKED,
    CONSENT,
    INSURER_SERVICE,
    ON_CALL,
    OPPOSED,
    OPPOSED_PART,
    REFERRAL,
    RESEARCH_OPPOSED,
    Attending,
    Choice,
    RecordFacts,
)
from serment.model import ActorId, Purpose
from tests.rules import cast
from tests.rules.cast import (
    DAY,
    DOCTOR,
    LETTER,
    NOW,
    NURSE,
    OWN,
    PATIENT,
    SHARED,
    SHARED_TEAM,
    STRANGER,
    TEAM,
    UNIT,
    asked,
    attended_by,
    chosen,
    in_emergency,
    seen,
)
from tests.rules.table import ATTENDED, MASKED_UNIT, MINE, Row, Table, lasting
from tests.rules.table import ON_CALL as UNPLANNED

REPLACING: Final = replace(cast.LOCUM, replaces=DOCTOR.id)
"""The locum, signed in as standing in for the doctor."""


def confirmed(by: str, *, insurer: bool) -> RecordFacts:
    """Make a record whose attending physician somebody confirmed last year."""
    return OWN.with_attending(Attending(DOCTOR.id, NOW - 365 * DAY, None, by, insurer))


def said(kind: str, facts: RecordFacts = TEAM, **part: Any) -> RecordFacts:
    """Add a word of the patient, in force since yesterday, about a part of the record."""
    word = Choice("part", kind, start=NOW - DAY, recorded_by=PATIENT.id, **part)
    return facts.with_choice(word)


def on_shift(ends: float) -> RecordFacts:
    """Make a record that somebody on call opened an hour ago; the shift ends in so many hours."""
    fact = lasting(ON_CALL, 1 / 24, ends / 24)
    return OWN.with_team(fact)


WRITTEN: Final = replace(UNIT, author=STRANGER.id)
IMPORTED: Final = replace(UNIT, author=ActorId(""))
SENSITIVE: Final = replace(UNIT, labels=("N", "HIV"))

RELATIONS: Final = (
    Table(
        "A locum has the place of the doctor replaced, not the privilege",
        "CSP L1110-12, L1111-16, R1111-49; ADR 40",
        (
            Row("A locum stands on the acts of the doctor replaced.", asked(REPLACING), "G6.team"),
            Row("A locum who replaces nobody.", asked(cast.LOCUM), "D0.silence"),
            Row("Who replaces somebody without an act of care.", asked(REPLACING, OWN), "D0.silence"),
            Row(
                "A locum of another structure.",
                asked(replace(REPLACING, structure="other-practice")),
                "D0.silence",
            ),
            Row(
                "Any other function that names whom it replaces.",
                asked(replace(cast.ASSOCIATE, replaces=DOCTOR.id), OWN.with_team(seen(DOCTOR))),
                "D0.silence",
            ),
            Row("A locum of the attending physician is in the team.", asked(REPLACING, ATTENDED), "G6.team"),
            Row("And reads no masked item.", asked(REPLACING, ATTENDED, MASKED_UNIT), "V8.masked"),
            Row("The attending physician does.", asked(DOCTOR, ATTENDED, MASKED_UNIT), "G4.attending"),
            Row(
                "Nor what the patient opposed.",
                asked(REPLACING, ATTENDED.with_choice(chosen(OPPOSED))),
                "V7.opposed",
            ),
            Row(
                "In shared, a locum of the attending physician has no place by it.",
                asked(REPLACING, SHARED.with_attending(attended_by(DOCTOR)), LETTER),
                "D0.silence",
            ),
            Row(
                "What the doctor replaced wrote is not the locum's.",
                asked(REPLACING, TEAM.with_choice(chosen(OPPOSED)), MINE),
                "V7.opposed",
            ),
            Row(
                "What the locum wrote stays theirs.",
                asked(cast.LOCUM, OWN, replace(UNIT, author=cast.LOCUM.id)),
                "G3.author",
            ),
            Row(
                "A consent for the doctor replaced is for that one.",
                asked(REPLACING, OWN.with_choice(chosen(CONSENT, DOCTOR))),
                "D0.silence",
            ),
            Row(
                "A block on the doctor replaced holds.",
                asked(REPLACING, TEAM.with_choice(chosen(BLOCKED, DOCTOR))),
                "V3.blocked",
            ),
            Row(
                "An emergency door opens by what the locum is.",
                in_emergency(REPLACING, OWN, UNIT, UNPLANNED),
                "G5.emergency",
            ),
        ),
    ),
    Table(
        "Shifts and referrals",
        "CSP L1110-12; ADR 40",
        (
            Row("On call, until the shift ends.", asked(NURSE, on_shift(7)), "G6.team"),
            Row("The shift is over.", asked(NURSE, on_shift(-0.5)), "D0.silence"),
            Row("Referred to, in own.", asked(DOCTOR, OWN.with_team(seen(DOCTOR, REFERRAL))), "G6.team"),
            Row(
                "Referred to, in shared, with the initial consent.",
                asked(STRANGER, SHARED.with_team(seen(STRANGER, REFERRAL)), LETTER),
                "G6.team",
            ),
        ),
    ),
    Table(
        "Who confirms an attending physician",
        "CSS L162-5-3; CSP L1111-16; ADR 40",
        (
            Row("The holder.", asked(DOCTOR, confirmed(PATIENT.id, insurer=False)), "G4.attending"),
            Row(
                "The service of the health insurance.",
                asked(DOCTOR, confirmed(INSURER_SERVICE, insurer=True)),
                "G4.attending",
            ),
            Row("Another service.", asked(DOCTOR, confirmed("service:import", insurer=True)), "D0.silence"),
            Row(
                "That service, in the holder's place.",
                asked(DOCTOR, confirmed(INSURER_SERVICE, insurer=False)),
                "D0.silence",
            ),
            Row("The doctor.", asked(DOCTOR, confirmed(DOCTOR.id, insurer=True)), "D0.silence"),
        ),
    ),
    Table(
        "Choices about a part",
        "CSP L1110-4 IV, R1111-46; loi 78-17, art. 74; IHE ITI PCF; ADR 41",
        (
            Row(
                "What one colleague wrote is opposed.",
                asked(DOCTOR, said(OPPOSED_PART, author=STRANGER.id), WRITTEN),
                "V7.opposed",
            ),
            Row(
                "What another wrote is not.",
                asked(DOCTOR, said(OPPOSED_PART, author=STRANGER.id), MINE),
                "G3.author",
            ),
            Row(
                "What has no known author may be theirs.",
                asked(DOCTOR, said(OPPOSED_PART, author=STRANGER.id), IMPORTED),
                "V7.opposed",
            ),
            Row(
                "A sensitive label is opposed.",
                asked(DOCTOR, said(OPPOSED_PART, labels=("HIV",)), SENSITIVE),
                "V7.opposed",
            ),
            Row(
                "An item without a label counts as the most protected.",
                asked(DOCTOR, said(OPPOSED_PART, labels=("HIV",)), replace(UNIT, labels=())),
                "V7.opposed",
            ),
            Row(
                "To one colleague alone.",
                asked(NURSE, said(OPPOSED_PART, actor=DOCTOR.id, author=STRANGER.id), WRITTEN),
                "G6.team",
            ),
            Row(
                "A consent for care is none for administration.",
                asked(
                    STRANGER,
                    said(CONSENT, OWN, actor=STRANGER.id, purposes=("TREAT",)),
                    purpose=Purpose.RECORD_MANAGEMENT,
                ),
                "D0.silence",
            ),
            Row(
                "A consent for what one colleague wrote.",
                asked(STRANGER, said(CONSENT, OWN, actor=STRANGER.id, author=DOCTOR.id), MINE),
                "G7.consent",
            ),
            Row(
                "It is none for what nobody is known to have written.",
                asked(STRANGER, said(CONSENT, OWN, actor=STRANGER.id, author=DOCTOR.id), IMPORTED),
                "D0.silence",
            ),
            Row(
                "Research opposed leaves care as it was.",
                asked(DOCTOR, said(RESEARCH_OPPOSED, SHARED_TEAM), LETTER),
                "G6.team",
            ),
            Row(
                "And is the reason that research meets.",
                asked(cast.RESEARCHER, said(RESEARCH_OPPOSED)),
                "V7.opposed",
            ),
        ),
    ),
)

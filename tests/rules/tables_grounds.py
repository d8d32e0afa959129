"""The grounds as rows, and the people who have none."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from serment.access.record_facts import (
    CONSENT,
    EMERGENCY_OPPOSED,
    OPPOSED_CATEGORY,
    REGULATION_OPPOSED,
    STAY,
    Choice,
    RecordFacts,
    TeamFact,
)
from serment.model import Act, Category, EmergencyReason, ItemClass, Purpose
from tests.rules import cast
from tests.rules.cast import (
    DAY,
    DOCTOR,
    LETTER,
    NOW,
    NURSE,
    OWN,
    PATIENT,
    SECRETARY,
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
from tests.rules.table import (
    ATTENDED,
    CALL,
    CHILD,
    MINE,
    ON_CALL,
    TEAM_LIST,
    Row,
    Table,
    consenting,
    declared,
    lasting,
)

GROUNDS: Final = (
    Table(
        "Holder, representative, carer, heir",
        "CSP L1111-7, L1111-19, R1111-33; ADR 0009",
        (
            Row("The holder reads.", asked(PATIENT), "G1.holder"),
            Row("Another patient reads.", asked(cast.OTHER_PATIENT), "V9.cell"),
            Row("A representative in force.", asked(cast.MOTHER, CHILD), "G2.representative"),
            Row("No mandate.", asked(cast.MOTHER), "V9.cell"),
            Row(
                "A carer, for a category of the delegation.",
                asked(cast.CARER, CHILD, ItemClass(Category.TREATMENTS, "MedicationRequest", ("N",))),
                "G7.consent",
            ),
            Row("A carer, outside the carers' row.", asked(cast.CARER, CHILD), "V9.cell"),
        ),
    ),
    Table(
        "Author",
        "CSP R1111-49",
        (
            Row("Authors read what they wrote, for ever.", asked(DOCTOR, OWN, MINE), "G3.author"),
            Row(
                "Nobody stands on what they are about to write.",
                asked(DOCTOR, OWN, MINE, Act.WRITE, existing=False),
                "D0.silence",
            ),
            Row(
                "Nor when it is not said whether it exists.",
                asked(DOCTOR, OWN, MINE, Act.WRITE),
                "D0.silence",
            ),
            Row(
                "An author corrects own item.",
                asked(DOCTOR, OWN, MINE, Act.WRITE, existing=True),
                "G3.author",
            ),
            Row(
                "In shared, nobody changes another's document.",
                asked(NURSE, SHARED_TEAM, replace(LETTER, author=DOCTOR.id), Act.WRITE, existing=True),
                "V9.write",
            ),
            Row(
                "In shared, the team deposits.",
                asked(NURSE, SHARED_TEAM, LETTER, Act.WRITE, existing=False),
                "G6.team",
            ),
            Row(
                "Care is recorded in a category that the patient opposed.",
                asked(
                    DOCTOR,
                    TEAM.with_choice(chosen(OPPOSED_CATEGORY, category="labs")),
                    UNIT,
                    Act.WRITE,
                    existing=False,
                ),
                "G6.team",
            ),
        ),
    ),
    Table(
        "Attending physician",
        "CSP L1111-16; CSS L162-5-3",
        (
            Row("Confirmed by the holder.", asked(DOCTOR, ATTENDED), "G4.attending"),
            Row(
                "Declared by the doctor.",
                asked(DOCTOR, OWN.with_attending(attended_by(DOCTOR, DOCTOR.id))),
                "D0.silence",
            ),
            Row(
                "Confirmed by nobody.",
                asked(DOCTOR, OWN.with_attending(attended_by(DOCTOR, ""))),
                "D0.silence",
            ),
            Row("A nurse cannot be one.", asked(NURSE, OWN.with_attending(attended_by(NURSE))), "D0.silence"),
        ),
    ),
    Table(
        "Emergency doors",
        "CSP L1111-17 I, R1111-48; ADR 0003",
        (
            Row(
                "In own, any coded reason, a care profession of the structure.",
                in_emergency(cast.LOCUM, OWN, UNIT, ON_CALL),
                "G5.emergency",
            ),
            Row(
                "In own, no coded reason.", asked(cast.LOCUM, OWN, purpose=Purpose.BREAK_GLASS), "D0.silence"
            ),
            Row(
                "In own, a reason without the purpose.",
                asked(cast.LOCUM, OWN, reasons=frozenset({ON_CALL})),
                "D0.silence",
            ),
            Row(
                "In own, a doctor of another structure.",
                in_emergency(STRANGER, OWN, UNIT, ON_CALL),
                "D0.silence",
            ),
            Row("In own, the secretary.", in_emergency(SECRETARY, OWN), "V9.cell"),
            Row("In shared, both vital reasons.", in_emergency(STRANGER, SHARED, LETTER), "G5.emergency"),
            Row(
                "In shared, one reason of the two.",
                in_emergency(STRANGER, SHARED, LETTER, EmergencyReason.UNCONSCIOUS),
                "D0.silence",
            ),
            Row(
                "In shared, refused beforehand.",
                in_emergency(STRANGER, SHARED.with_choice(chosen(EMERGENCY_OPPOSED)), LETTER),
                "D0.silence",
            ),
            Row(
                "In shared, the regulating doctor.",
                in_emergency(cast.REGULATOR, SHARED, LETTER, CALL),
                "G5.regulation",
            ),
            Row(
                "In shared, a call claimed by another doctor.",
                in_emergency(STRANGER, SHARED, LETTER, CALL),
                "D0.silence",
            ),
            Row(
                "In shared, a call refused beforehand.",
                in_emergency(cast.REGULATOR, SHARED.with_choice(chosen(REGULATION_OPPOSED)), LETTER, CALL),
                "D0.silence",
            ),
            Row(
                "Refusing one door leaves the other.",
                in_emergency(STRANGER, SHARED.with_choice(chosen(REGULATION_OPPOSED)), LETTER),
                "G5.emergency",
            ),
            Row(
                "In shared, an emergency reads by the profession's row.",
                in_emergency(NURSE, SHARED, ItemClass(Category.REIMBURSEMENT, "REMB", ("N",))),
                "V9.cell",
            ),
        ),
    ),
    Table(
        "Care team by a dated act of care",
        "CSP L1110-4 III, L1110-12; ADR 0006",
        (
            Row("Seen yesterday.", asked(DOCTOR), "G6.team"),
            Row("Seen eleven months ago.", asked(DOCTOR, OWN.with_team(seen(DOCTOR, days=335))), "G6.team"),
            Row(
                "Seen thirteen months ago.",
                asked(DOCTOR, OWN.with_team(seen(DOCTOR, days=396))),
                "D0.silence",
            ),
            Row("An act of next week.", asked(DOCTOR, OWN.with_team(seen(DOCTOR, days=-7))), "D0.silence"),
            Row(
                "Discharged 29 days ago.", asked(NURSE, OWN.with_team(seen(NURSE, STAY, days=29))), "G6.team"
            ),
            Row(
                "Discharged 31 days ago.",
                asked(NURSE, OWN.with_team(seen(NURSE, STAY, days=31.1))),
                "D0.silence",
            ),
            Row(
                "Still in the ward.",
                asked(NURSE, OWN.with_team(TeamFact(NURSE.id, STAY, NOW - 90 * DAY))),
                "G6.team",
            ),
            Row(
                "In the ward for three years, and written so a month ago.",
                asked(NURSE, OWN.with_team(lasting(STAY, days=1_095, said=30))),
                "G6.team",
            ),
            Row(
                "A stay that nobody has closed for thirteen months.",
                asked(NURSE, OWN.with_team(lasting(STAY, days=396))),
                "D0.silence",
            ),
            Row(
                "A stay that claims to end in seventy years, written thirteen months ago.",
                asked(NURSE, OWN.with_team(lasting(STAY, days=400, ends=25_000, said=396))),
                "D0.silence",
            ),
            Row(
                "A visit that claims to end in seventy years, thirteen months ago.",
                asked(NURSE, OWN.with_team(lasting("encounter", days=396, ends=25_000, said=396))),
                "D0.silence",
            ),
            Row(
                "A series of visits that began two years ago and ended last month.",
                asked(NURSE, OWN.with_team(lasting("encounter", days=730, ends=-30, said=30))),
                "G6.team",
            ),
            Row(
                "A visit of two years ago that nobody has closed.",
                asked(NURSE, OWN.with_team(lasting("encounter", days=730))),
                "D0.silence",
            ),
            Row(
                "An appointment in two years.",
                asked(NURSE, OWN.with_team(lasting("appointment", days=-730))),
                "D0.silence",
            ),
            Row(
                "Named in the care team three years ago.",
                asked(NURSE, OWN.with_team(lasting("care-team", days=1_095))),
                "G6.team",
            ),
            Row(
                "Booked for this morning by somebody who had declared an act of care.",
                asked(NURSE, OWN.with_team(lasting("appointment", days=0.2, provisional=True))),
                "G6.team",
            ),
            Row(
                "Booked so for the day before yesterday.",
                asked(NURSE, OWN.with_team(lasting("appointment", days=2, provisional=True))),
                "D0.silence",
            ),
            Row(
                "Admitted so, nine days ago, and nobody of the team has written it since.",
                asked(NURSE, OWN.with_team(lasting(STAY, days=9, said=9, provisional=True))),
                "D0.silence",
            ),
            Row(
                "An act that ends before it begins.",
                asked(NURSE, OWN.with_team(TeamFact(NURSE.id, STAY, NOW - DAY, NOW - 2 * DAY))),
                "D0.silence",
            ),
            Row("An act of an unknown kind.", asked(NURSE, OWN.with_team(seen(NURSE, "chat"))), "D0.silence"),
            Row(
                "Declared with a coded reason, 23 hours ago.",
                asked(NURSE, declared(NURSE.id, "result-received", 23)),
                "G6.team",
            ),
            Row(
                "Declared 25 hours ago.",
                asked(NURSE, declared(NURSE.id, "result-received", 25)),
                "D0.silence",
            ),
            Row("Declared with a free text.", asked(NURSE, declared(NURSE.id, "because", 1)), "D0.silence"),
            Row(
                "A doctor of another structure whom the facts name.",
                asked(STRANGER, OWN.with_team(seen(STRANGER))),
                "D0.silence",
            ),
            Row("An associate whom no act of care names.", asked(cast.LOCUM), "D0.silence"),
            Row("A trainee under a supervisor of the team.", asked(cast.TRAINEE), "G6.team"),
            Row("A trainee without a supervisor.", asked(cast.ALONE), "D0.silence"),
            Row(
                "The secretary, where the structure's team is at work.",
                asked(SECRETARY, act=Act.LIST),
                "G6.team",
            ),
            Row(
                "The secretary, on a record that nobody of the structure treats.",
                asked(SECRETARY, OWN, act=Act.LIST),
                "D0.silence",
            ),
            Row("In shared, with the initial consent.", asked(DOCTOR, SHARED_TEAM, LETTER), "G6.team"),
            Row(
                "In shared, without it.",
                asked(DOCTOR, RecordFacts(regime="shared", team=SHARED_TEAM.team), LETTER),
                "D0.silence",
            ),
            Row(
                "In shared, an imported act counts for nothing.",
                asked(
                    DOCTOR,
                    SHARED.with_team(TeamFact(DOCTOR.id, "encounter", NOW - DAY, imported=True)),
                    LETTER,
                ),
                "D0.silence",
            ),
        ),
    ),
    Table(
        "Explicit consent",
        "CSP L1110-4 III, R1111-46",
        (
            Row(
                "A doctor of another structure, named by the patient.",
                asked(STRANGER, consenting()),
                "G7.consent",
            ),
            Row("Named for another category.", asked(STRANGER, consenting(category="notes")), "D0.silence"),
            Row(
                "Recorded by that doctor.",
                asked(
                    STRANGER,
                    OWN.with_choice(
                        Choice("k", CONSENT, STRANGER.id, start=NOW - DAY, recorded_by=STRANGER.id)
                    ),
                ),
                "D0.silence",
            ),
            Row(
                "Ended.",
                asked(
                    STRANGER,
                    OWN.with_choice(Choice("k", CONSENT, STRANGER.id, start=NOW - 2 * DAY, end=NOW - DAY)),
                ),
                "D0.silence",
            ),
            Row("Nobody said anything.", asked(STRANGER), "D0.silence"),
        ),
    ),
    Table(
        "People who care for nobody",
        "HOUSE promise 6; ADR 0008",
        (
            Row("The operator.", asked(cast.OPERATOR), "V9.cell"),
            Row("The security officer, a result.", asked(cast.OFFICER), "V9.cell"),
            Row(
                "The security officer names the care team.",
                asked(cast.OFFICER, unit=TEAM_LIST, act=Act.WRITE, purpose=Purpose.PATIENT_ADMINISTRATION),
                "G6.team",
            ),
            Row("The researcher.", asked(cast.RESEARCHER), "V9.cell"),
            Row("A doctor for research.", asked(DOCTOR, purpose=Purpose.RESEARCH), "D0.purpose"),
            Row(
                "A service deposits what was received.",
                asked(cast.IMPORTER, OWN, UNIT, Act.WRITE, existing=False),
                "G9.deposit",
            ),
            Row("A service reads.", asked(cast.IMPORTER, OWN), "V9.cell"),
            Row(
                "Any signed-in actor reads the directory.",
                asked(PATIENT, unit=ItemClass(Category.DIRECTORY, "Practitioner", ("N",))),
                "G8.directory",
            ),
            Row(
                "The operator reads the directory: no care purpose.",
                asked(cast.OPERATOR, unit=ItemClass(Category.DIRECTORY, "Practitioner", ("N",))),
                "V9.cell",
            ),
            Row(
                "A record of an unknown regime.",
                asked(PATIENT, RecordFacts(holders=(PATIENT.id,))),
                "D0.regime",
            ),
            Row(
                "A record of an unknown state.",
                asked(PATIENT, RecordFacts(regime="own", status="frozen", holders=(PATIENT.id,))),
                "D0.regime",
            ),
        ),
    ),
)

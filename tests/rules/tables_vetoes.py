"""The nine vetoes as rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from serment.access.record_facts import (
    BLOCKED,
    CLOSURE,
    CONSENT,
    MASKED,
    OPPOSED,
    OPPOSED_CATEGORY,
)
from serment.model import Act, Category, ItemClass, Purpose
from tests.rules import cast
from tests.rules.cast import (
    DOCTOR,
    LETTER,
    NURSE,
    PATIENT,
    SECRETARY,
    SHARED,
    SHARED_TEAM,
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
    BLOCKING,
    CALL,
    CHILD,
    CHOICE,
    CLOSED,
    GENETIC,
    MASKED_UNIT,
    MINE,
    NOTE,
    OPPOSING,
    SECRET,
    THIRD,
    TIMED,
    TOLD,
    UNKNOWN,
    Row,
    Table,
)

LABS: Final = cast.scoped("user/Observation.rs")
VITALS: Final = cast.scoped("user/Observation.rs?category=urn:serment:category|vitals")

VETOES: Final = (
    Table(
        "A program's scope",
        "SMART App Launch 2.2; ADR 51",
        (
            Row(
                "What a team doctor reads, in a program whose scope names it.",
                asked(DOCTOR, scope=LABS),
                "G6.team",
            ),
            Row("In one whose scope names something else.", asked(DOCTOR, scope=VITALS), "S1.scope"),
            Row(
                "The holder, in a program whose scope leaves it out.",
                asked(PATIENT, scope=VITALS),
                "S1.scope",
            ),
            Row("An emergency lifts no scope.", in_emergency(DOCTOR, scope=VITALS), "S1.scope"),
            Row(
                "A scope opens nothing: a doctor with no relation.",
                asked(cast.STRANGER, scope=LABS),
                "D0.silence",
            ),
        ),
    ),
    Table(
        "Veto 1: insurer, lender, employer",
        "CSP L1111-18",
        (
            Row("An insurer asks, whatever was consented.", asked(cast.INSURER), "V1.third-party-purpose"),
            Row(
                "A doctor of the team asks for an insurance purpose.",
                asked(DOCTOR, purpose=Purpose.INSURANCE),
                "V1.third-party-purpose",
            ),
            Row(
                "The patient asks for a lender's purpose.",
                asked(PATIENT, purpose=Purpose.LENDING),
                "V1.third-party-purpose",
            ),
            Row(
                "An occupational physician acts for the employer.",
                asked(cast.OCCUPATIONAL, SHARED, purpose=Purpose.EMPLOYMENT),
                "V1.third-party-purpose",
            ),
            Row(
                "An occupational physician cares, with the patient's express consent.",
                asked(
                    cast.OCCUPATIONAL,
                    SHARED.with_choice(chosen(CONSENT, cast.OCCUPATIONAL)),
                    LETTER,
                ),
                "G7.consent",
            ),
            Row(
                "An occupational physician has an act of care and no express consent.",
                asked(cast.OCCUPATIONAL, SHARED.with_team(seen(cast.OCCUPATIONAL)), LETTER),
                "D0.silence",
            ),
        ),
    ),
    Table(
        "Veto 2: closed record (shared)",
        "CSP L1111-18; EEDS td02",
        (
            Row("The holder reads a closed record.", asked(PATIENT, CLOSED), "G1.holder"),
            Row("A doctor of the team reads it.", asked(DOCTOR, CLOSED, LETTER), "V2.closed"),
            Row("An emergency does not open it.", in_emergency(DOCTOR, CLOSED, LETTER), "V2.closed"),
            Row(
                "The attending physician does not either.",
                asked(DOCTOR, CLOSED.with_attending(attended_by(DOCTOR)), LETTER),
                "V2.closed",
            ),
            Row(
                "In a structure's own file, closing has no meaning.",
                asked(DOCTOR, TEAM.with_choice(chosen(CLOSURE))),
                "G6.team",
            ),
        ),
    ),
    Table(
        "Veto 3: blocked professional",
        "EEDS td02 NB1; ADR 0002",
        (
            Row("The blocked doctor of the team reads.", asked(DOCTOR, BLOCKING), "V3.blocked"),
            Row("Another doctor of the team reads.", asked(cast.ASSOCIATE, BLOCKING), "G6.team"),
            Row(
                "In own, the blocked doctor reads what they wrote.",
                asked(DOCTOR, BLOCKING, MINE),
                "G3.author",
            ),
            Row("In own, in an emergency.", in_emergency(DOCTOR, BLOCKING), "G5.emergency"),
            Row(
                "In own, in an emergency, a masked item.",
                in_emergency(DOCTOR, BLOCKING, MASKED_UNIT),
                "V3.blocked",
            ),
            Row(
                "In own, the attending physician is blocked.",
                asked(DOCTOR, BLOCKING.with_attending(attended_by(DOCTOR))),
                "V3.blocked",
            ),
            Row(
                "In shared, the author is blocked.",
                asked(
                    DOCTOR,
                    SHARED_TEAM.with_choice(chosen(BLOCKED, DOCTOR)),
                    replace(LETTER, author=DOCTOR.id),
                ),
                "V3.blocked",
            ),
            Row(
                "In shared, an emergency does not lift a block.",
                in_emergency(DOCTOR, SHARED_TEAM.with_choice(chosen(BLOCKED, DOCTOR)), LETTER),
                "V3.blocked",
            ),
            Row(
                "A trainee whose supervisor is blocked.",
                asked(cast.TRAINEE, BLOCKING),
                "V3.blocked",
            ),
        ),
    ),
    Table(
        "Veto 4: announcement timer",
        "CSP R1111-53; ADR 0004",
        (
            Row("The holder, while the timer runs.", asked(PATIENT, unit=TIMED), "V4.timer"),
            Row("The representative, while it runs.", asked(cast.MOTHER, CHILD, TIMED), "V4.timer"),
            Row("The holder, once it has ended.", asked(PATIENT, unit=TOLD), "G1.holder"),
            Row(
                "The label without an end counts as running.",
                asked(PATIENT, unit=replace(TIMED, timer_end=None)),
                "V4.timer",
            ),
            Row("The team reads meanwhile.", asked(DOCTOR, unit=TIMED), "G6.team"),
        ),
    ),
    Table(
        "Veto 5: minor's secret",
        "CSP R1111-50, L1111-5; ADR 0005",
        (
            Row("The mother asks for the secret item.", asked(cast.MOTHER, CHILD, SECRET), "V5.minor-secret"),
            Row(
                "The HL7 v2 code says the same.",
                asked(cast.MOTHER, CHILD, replace(UNIT, labels=("N", "INVISIBLE_REP_LEGAUX"))),
                "V5.minor-secret",
            ),
            Row("A carer asks for it.", asked(cast.CARER, CHILD, SECRET), "V5.minor-secret"),
            Row("The mother asks for another item.", asked(cast.MOTHER, CHILD), "G2.representative"),
            Row("The minor reads it.", asked(PATIENT, CHILD, SECRET), "G1.holder"),
            Row("The team reads it.", asked(DOCTOR, CHILD, SECRET), "G6.team"),
        ),
    ),
    Table(
        "Veto 6: information of or about a third party",
        "CSP L1111-7",
        (
            Row("The holder asks.", asked(PATIENT, unit=THIRD), "V6.third-party"),
            Row("The representative asks.", asked(cast.MOTHER, CHILD, THIRD), "V6.third-party"),
            Row("The team reads it.", asked(DOCTOR, unit=THIRD), "G6.team"),
        ),
    ),
    Table(
        "Veto 7: opposition, whole, by person or by category",
        "CSP L1110-4 IV, R1111-46",
        (
            Row("The team, against a whole opposition.", asked(DOCTOR, OPPOSING), "V7.opposed"),
            Row("The holder.", asked(PATIENT, OPPOSING), "G1.holder"),
            Row("The author, on own items.", asked(DOCTOR, OPPOSING, MINE), "G3.author"),
            Row(
                "The attending physician.",
                asked(DOCTOR, OPPOSING.with_attending(attended_by(DOCTOR))),
                "G4.attending",
            ),
            Row("In own, an emergency lifts it.", in_emergency(DOCTOR, OPPOSING), "G5.emergency"),
            Row(
                "In shared, an emergency does not.",
                in_emergency(DOCTOR, SHARED_TEAM.with_choice(chosen(OPPOSED)), LETTER),
                "V7.opposed",
            ),
            Row(
                "Opposed for laboratory results: a result.",
                asked(DOCTOR, TEAM.with_choice(chosen(OPPOSED_CATEGORY, category="labs"))),
                "V7.opposed",
            ),
            Row(
                "Opposed for laboratory results: a note.",
                asked(DOCTOR, TEAM.with_choice(chosen(OPPOSED_CATEGORY, category="labs")), NOTE),
                "G6.team",
            ),
            Row(
                "Opposed to one colleague: the colleague.",
                asked(NURSE, TEAM.with_choice(chosen(OPPOSED, NURSE))),
                "V7.opposed",
            ),
            Row(
                "Opposed to one colleague: the others.",
                asked(DOCTOR, TEAM.with_choice(chosen(OPPOSED, NURSE))),
                "G6.team",
            ),
            Row(
                "A choice of a kind unknown to this version opposes everything.",
                asked(DOCTOR, TEAM.with_choice(chosen("tomorrow's kind"))),
                "V7.opposed",
            ),
        ),
    ),
    Table(
        "Veto 8: masked item",
        "CSP R1111-49, L1111-16; ADR 0003",
        (
            Row("The team.", asked(DOCTOR, unit=MASKED_UNIT), "V8.masked"),
            Row(
                "The label MASQUE_PS masks too.",
                asked(DOCTOR, unit=replace(UNIT, labels=("N", "MASQUE_PS"))),
                "V8.masked",
            ),
            Row("The holder.", asked(PATIENT, unit=MASKED_UNIT), "G1.holder"),
            Row("The author.", asked(DOCTOR, unit=replace(MINE, masked=True)), "G3.author"),
            Row("The attending physician.", asked(DOCTOR, ATTENDED, MASKED_UNIT), "G4.attending"),
            Row(
                "In own, an emergency never lifts a mask.",
                in_emergency(DOCTOR, TEAM, MASKED_UNIT),
                "V8.masked",
            ),
            Row(
                "Nor does a regulation call.",
                in_emergency(cast.REGULATOR, SHARED, replace(LETTER, masked=True), CALL),
                "V8.masked",
            ),
            Row(
                "A whole category masked.",
                asked(DOCTOR, TEAM.with_choice(chosen(MASKED, category="labs"))),
                "V8.masked",
            ),
        ),
    ),
    Table(
        "Veto 9: the grid or the matrix refuses",
        "own: dated grid; shared: order of 26/10/2023; ADR 0007, ADR 0008",
        (
            Row("A secretary reads a result.", asked(SECRETARY), "V9.cell"),
            Row("A secretary files a result.", asked(SECRETARY, act=Act.FILE), "G6.team"),
            Row("A secretary prints a result.", asked(SECRETARY, act=Act.PRINT), "G6.team"),
            Row(
                "A doctor reads reimbursement data.",
                asked(DOCTOR, unit=ItemClass(Category.REIMBURSEMENT, "Claim", ("N",))),
                "V9.cell",
            ),
            Row(
                "The holder reads them.",
                asked(PATIENT, unit=ItemClass(Category.REIMBURSEMENT, "Claim", ("N",))),
                "G1.holder",
            ),
            Row(
                "In shared, a dentist reads a psychological report.",
                asked(
                    cast.DENTIST,
                    SHARED.with_team(seen(cast.DENTIST)),
                    ItemClass(Category.SUMMARY, "83901-9", ("N",)),
                ),
                "V9.cell",
            ),
            Row(
                "In shared, a dentist reads a medical summary.",
                asked(
                    cast.DENTIST,
                    SHARED.with_team(seen(cast.DENTIST)),
                    ItemClass(Category.SUMMARY, "60591-5", ("N",)),
                ),
                "G6.team",
            ),
            Row(
                "In shared, a partial cell with no list refuses (pharmacist, patient's documents).",
                asked(
                    cast.PHARMACIST,
                    SHARED.with_team(seen(cast.PHARMACIST)),
                    ItemClass(Category.PATIENT_DOCUMENT, "EXPPAT_2", ("N",)),
                ),
                "V9.cell",
            ),
            Row(
                "In shared, a doctor reads a certificate of residence.",
                asked(DOCTOR, SHARED_TEAM, ItemClass(Category.MANAGEMENT, "ATTEST-RESID", ("N",))),
                "V9.cell",
            ),
            Row(
                "In shared, the attending physician reads it.",
                asked(
                    DOCTOR,
                    SHARED.with_attending(attended_by(DOCTOR)),
                    ItemClass(Category.MANAGEMENT, "ATTEST-RESID", ("N",)),
                ),
                "G4.attending",
            ),
            Row("Genetics, where the cell names them.", asked(DOCTOR, unit=GENETIC), "G6.team"),
            Row("Genetics, where it does not (associate).", asked(cast.ASSOCIATE, unit=GENETIC), "V9.cell"),
            Row(
                "An item without any label counts as V.",
                asked(NURSE, unit=replace(UNIT, labels=())),
                "V9.cell",
            ),
            Row("An unmapped item (V) and a nurse.", asked(NURSE, unit=UNKNOWN), "V9.cell"),
            Row(
                "A doctor lists the patient's choices.",
                asked(DOCTOR, unit=CHOICE, act=Act.LIST),
                "V9.choices",
            ),
            Row(
                "So does the attending physician.",
                asked(DOCTOR, ATTENDED, CHOICE, Act.LIST),
                "V9.choices",
            ),
            Row("The representative reads them.", asked(cast.MOTHER, CHILD, CHOICE), "G2.representative"),
        ),
    ),
)

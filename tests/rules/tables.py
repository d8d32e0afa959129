"""The rules as tables: a sentence, the facts, the rule that speaks. They are tests, and the manual.

`tools/render_access.py` writes them into docs/reference/access.md. A rule id that begins with G or F
permits; V and D refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from serment.access.facts import Facts
from serment.access.record_facts import (
    BLOCKED,
    CARER,
    CLOSURE,
    CONSENT,
    DECLARED,
    EMERGENCY_OPPOSED,
    HEIR,
    MASKED,
    OPPOSED,
    OPPOSED_CATEGORY,
    REGULATION_OPPOSED,
    STAY,
    Choice,
    RecordFacts,
    TeamFact,
)
from serment.model import Act, Category, EmergencyReason, Instant, ItemClass, Purpose
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
    mandate,
    seen,
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

CHILD: Final = TEAM.with_mandate(mandate(cast.MOTHER)).with_mandate(mandate(cast.CARER, CARER))
BLOCKING: Final = TEAM.with_choice(chosen(BLOCKED, DOCTOR))
OPPOSING: Final = TEAM.with_choice(chosen(OPPOSED))
CLOSED: Final = SHARED_TEAM.with_choice(chosen(CLOSURE))
ATTENDED: Final = OWN.with_attending(attended_by(DOCTOR))


def declared(actor_id: str, reason: str, hours: float) -> RecordFacts:
    """Make a record with one declared act of care, some hours old."""
    start = int(NOW - hours * cast.HOUR)
    return OWN.with_team(TeamFact(actor_id, DECLARED, start, structure=cast.PRACTICE, reason=reason))


def _consenting(category: str = "") -> RecordFacts:
    word = Choice("k", CONSENT, STRANGER.id, category, start=NOW - DAY, recorded_by=PATIENT.id)
    return OWN.with_choice(word)


VETOES: Final = (
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
            Row(
                "An heir asks.",
                asked(cast.HEIR, TEAM.with_mandate(mandate(cast.HEIR, HEIR)), THIRD),
                "V6.third-party",
            ),
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
            Row(
                "An heir has no ground by software.",
                asked(cast.HEIR, TEAM.with_mandate(mandate(cast.HEIR, HEIR))),
                "V9.cell",
            ),
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
                asked(STRANGER, _consenting()),
                "G7.consent",
            ),
            Row("Named for another category.", asked(STRANGER, _consenting(category="notes")), "D0.silence"),
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

ALL: Final = (*VETOES, *GROUNDS)

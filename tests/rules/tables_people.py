"""The patient's side as rows: mandates, carers, heirs, reports of abuse (ADR 42)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from msgspec import structs

from serment.access.facts import Facts
from serment.access.record_facts import (
    ASSISTANCE,
    CONSENT,
    HEIR,
    HEIRS_OPPOSED,
    OPPOSED,
    REPRESENTATION,
    REPRESENTATIVE,
    Mandate,
    RecordFacts,
)
from serment.model import Act, Category, HeirGround, ItemClass, Reason
from tests.rules import cast
from tests.rules.cast import (
    DAY,
    DOCTOR,
    LETTER,
    NOW,
    NURSE,
    PATIENT,
    SHARED,
    TEAM,
    UNIT,
    asked,
    chosen,
    delegated,
    mandate,
)
from tests.rules.table import CHOICE, GENETIC, MASKED_UNIT, NOTE, SECRET, THIRD, Row, Table


def _represented(basis: str, born: str = "1950-01-01", **more: object) -> RecordFacts:
    """Give the record of somebody whom the mother represents upon a basis."""
    named = Mandate(cast.MOTHER.id, REPRESENTATIVE, NOW - DAY, basis=basis)
    return structs.replace(TEAM, birth_date=born, **more).with_mandate(named)


def _dead(facts: RecordFacts = TEAM, days: float = 1) -> RecordFacts:
    """Give the record of somebody who died some days ago, and whom somebody inherits from."""
    return structs.replace(facts, deceased=int(NOW - days * DAY)).with_mandate(mandate(cast.HEIR, HEIR))


def _heir(
    facts: RecordFacts,
    unit: ItemClass = LETTER,
    *reasons: Reason,
    act: Act = Act.READ,
) -> Facts:
    named: frozenset[Reason] = frozenset(reasons or (HeirGround.CAUSES,))
    return asked(cast.HEIR, facts, unit, act, reasons=named)


ABUSE: Final = replace(NOTE, labels=("N", "SDV"))
MEDICINES: Final = ItemClass(Category.TREATMENTS, "MedicationRequest", ("N",))
MINOR: Final = _represented("parental", "2012-05-01")
ASSISTED: Final = _represented(ASSISTANCE)
AGREED: Final = ASSISTED.with_choice(chosen(CONSENT, cast.MOTHER))
REPORTED: Final = structs.replace(TEAM, accused=(DOCTOR.id,))
CARED: Final = TEAM.with_choice(delegated(cast.CARER, Category.TREATMENTS))

PEOPLE: Final = (
    Table(
        "Mandates",
        "Code civil 371-1, 388, 413-6, 378; CSP L1111-2 III, L1111-7; ADR 0042",
        (
            Row("A parent of a minor.", asked(cast.MOTHER, MINOR), "G2.representative"),
            Row(
                "A parent of a minor who was emancipated.",
                asked(cast.MOTHER, structs.replace(MINOR, emancipated="2026-01-01")),
                "V9.cell",
            ),
            Row(
                "A parent of a minor who will be emancipated.",
                asked(cast.MOTHER, structs.replace(MINOR, emancipated="2027-01-01")),
                "G2.representative",
            ),
            Row(
                "An emancipation whose date cannot be read.",
                asked(cast.MOTHER, structs.replace(MINOR, emancipated="some day")),
                "V9.cell",
            ),
            Row(
                "A parent of somebody of age.",
                asked(cast.MOTHER, _represented("parental")),
                "V9.cell",
            ),
            Row(
                "A representation relative to the person.",
                asked(cast.MOTHER, _represented(REPRESENTATION)),
                "G2.representative",
            ),
            Row("An assistance, without the adult's consent.", asked(cast.MOTHER, ASSISTED), "V9.cell"),
            Row("An assistance, with it.", asked(cast.MOTHER, AGREED), "G2.representative"),
            Row(
                "An assistance, with a consent that another recorded.",
                asked(
                    cast.MOTHER,
                    ASSISTED.with_choice(
                        structs.replace(chosen(CONSENT, cast.MOTHER), recorded_by=cast.SECRETARY.id)
                    ),
                ),
                "V9.cell",
            ),
            Row(
                "An assistance speaks for nobody: the choices stay the adult's.",
                asked(cast.MOTHER, AGREED, CHOICE, Act.WRITE, existing=False),
                "V9.choices",
            ),
            Row("A guardian of property.", asked(cast.MOTHER, _represented("property")), "V9.cell"),
            Row("A safeguard of justice.", asked(cast.MOTHER, _represented("safeguard")), "V9.cell"),
            Row(
                "A representation after death.",
                asked(cast.MOTHER, _dead(_represented(REPRESENTATION))),
                "V9.cell",
            ),
            Row("The parent of a minor who died.", asked(cast.MOTHER, _dead(MINOR)), "G2.representative"),
            Row(
                "The parent of a minor who died, on the secret.",
                asked(cast.MOTHER, _dead(MINOR), SECRET),
                "V5.minor-secret",
            ),
            Row(
                "The parent of somebody who died of age.",
                asked(cast.MOTHER, _dead(_represented("parental"))),
                "V9.cell",
            ),
            Row("A session in the name of the dead.", asked(PATIENT, _dead()), "V9.cell"),
        ),
    ),
    Table(
        "Carers",
        "design; capability 4-17; ADR 0042",
        (
            Row("A carer, for the category named.", asked(cast.CARER, CARED, MEDICINES), "G7.consent"),
            Row("A carer, for another.", asked(cast.CARER, CARED, LETTER), "V9.cell"),
            Row(
                "A carer, after the end.",
                asked(
                    cast.CARER,
                    TEAM.with_choice(delegated(cast.CARER, Category.TREATMENTS, days=0)),
                    MEDICINES,
                ),
                "V9.cell",
            ),
            Row(
                "A consent without a category names no carer.",
                asked(cast.CARER, TEAM.with_choice(chosen(CONSENT, cast.CARER)), MEDICINES),
                "V9.cell",
            ),
            Row(
                "A carer whom a representative named.",
                asked(
                    cast.CARER,
                    MINOR.with_choice(delegated(cast.CARER, Category.TREATMENTS, by=cast.MOTHER.id)),
                    MEDICINES,
                ),
                "V9.cell",
            ),
            Row(
                "A carer, on what is masked.",
                asked(cast.CARER, CARED, replace(MEDICINES, masked=True)),
                "V8.masked",
            ),
            Row(
                "A carer, on a secret.",
                asked(cast.CARER, CARED, replace(MEDICINES, labels=SECRET.labels)),
                "V5.minor-secret",
            ),
            Row(
                "A carer names a carer.",
                asked(
                    cast.CARER,
                    TEAM.with_choice(delegated(cast.CARER, Category.CHOICES)),
                    CHOICE,
                    Act.WRITE,
                    existing=False,
                ),
                "V9.choices",
            ),
            Row(
                "A carer asks for the trace.",
                asked(cast.CARER, TEAM.with_choice(delegated(cast.CARER, Category.CHOICES)), CHOICE),
                "V9.choices",
            ),
            Row("A carer, after death.", asked(cast.CARER, _dead(CARED), MEDICINES), "V9.cell"),
        ),
    ),
    Table(
        "Heirs",
        "CSP L1110-4 V, L1111-18; ADR 0042",
        (
            Row("An heir, to know the causes of death.", _heir(_dead()), "G10.heir"),
            Row("An heir, before death.", _heir(TEAM.with_mandate(mandate(cast.HEIR, HEIR))), "V9.cell"),
            Row("An heir who names no ground.", asked(cast.HEIR, _dead(), LETTER), "V9.cell"),
            Row(
                "An heir who names two grounds.",
                _heir(_dead(), LETTER, HeirGround.CAUSES, HeirGround.RIGHTS),
                "V9.cell",
            ),
            Row(
                "Somebody else who names a ground.",
                asked(cast.MOTHER, _dead(), LETTER, reasons=frozenset({HeirGround.CAUSES})),
                "V9.cell",
            ),
            Row(
                "The dead person objected.", _heir(_dead(TEAM.with_choice(chosen(HEIRS_OPPOSED)))), "V9.cell"
            ),
            Row(
                "An objection to heirs stops nobody else.",
                asked(DOCTOR, TEAM.with_choice(chosen(HEIRS_OPPOSED))),
                "G6.team",
            ),
            Row("What the ground does not need.", _heir(_dead(), UNIT, HeirGround.MEMORY), "V9.cell"),
            Row("The same, for the causes of death.", _heir(_dead(), UNIT), "G10.heir"),
            Row("A doctor's own notes.", _heir(_dead(), NOTE), "V9.cell"),
            Row("The dead person's choices.", _heir(_dead(), CHOICE), "V9.choices"),
            Row("What was masked.", _heir(_dead(), MASKED_UNIT), "V8.masked"),
            Row("A minor's secret.", _heir(_dead(), SECRET), "V5.minor-secret"),
            Row("What speaks of somebody else.", _heir(_dead(), THIRD), "V6.third-party"),
            Row("A protected label.", _heir(_dead(), GENETIC), "V9.cell"),
            Row(
                "Somebody who opposed all sharing: in doubt, closed.",
                _heir(_dead(TEAM.with_choice(chosen(OPPOSED)))),
                "V7.opposed",
            ),
            Row("Nobody inherits the right to write.", _heir(_dead(), LETTER, act=Act.WRITE), "V9.write"),
            Row(
                "In shared, the closed record of the dead.",
                _heir(_dead(structs.replace(SHARED, status="closed"))),
                "G10.heir",
            ),
        ),
    ),
    Table(
        "Veto 10: report of abuse",
        "Code penal 226-14; ADR 0042",
        (
            Row("The parent asks for the report.", asked(cast.MOTHER, MINOR, ABUSE), "V10.abuse-report"),
            Row("Another member of the team reads it.", asked(cast.ASSOCIATE, TEAM, ABUSE), "G6.team"),
            Row("The alleged author asks for it.", asked(DOCTOR, REPORTED, ABUSE), "V10.abuse-report"),
            Row("The alleged author reads the rest.", asked(DOCTOR, REPORTED), "G6.team"),
            Row(
                "Who wrote it reads it, and learns of no accusation by that.",
                asked(DOCTOR, REPORTED, replace(ABUSE, author=DOCTOR.id)),
                "G3.author",
            ),
            Row("The victim reads it.", asked(PATIENT, REPORTED, ABUSE), "G1.holder"),
            Row("A function whose cell names no such label.", asked(NURSE, TEAM, ABUSE), "V9.cell"),
        ),
    ),
)

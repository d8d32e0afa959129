"""The public directory read as a list of people: shapes of Annuaire Santé, invented people."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from serment.identity import directory, rpps
from serment.identity.directory import read
from serment.model import Instant
from serment.people.accounts import Account, Exercise
from serment.people.directory import Finding, compare

NOS = "https://mos.esante.gouv.fr/NOS"
MARIE, OMAR, ZOE = "10000000009", "10100000008", "99900001019"
HERE = "990000017"


def practitioner(id_: str, number: str, profession: str = "10", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Practitioner",
        "id": id_,
        "active": True,
        "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": f"8{number}"}],
        "name": [{"prefix": ["DR"], "given": ["Marie"], "family": "Dorval"}],
        "qualification": [
            {
                "code": {
                    "coding": [
                        {"system": f"{NOS}/TRE_{name}/FHIR/TRE-{name.replace('_', '-')}", "code": code}
                        for name, code in (
                            ("G15-ProfessionSante", profession),
                            ("R09-CategorieProfessionnelle", "C"),
                        )
                    ]
                }
            }
        ],
        **more,
    }


def role(id_: str, whom: str, where: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "PractitionerRole",
        "id": id_,
        "active": True,
        "practitioner": {"reference": f"Practitioner/{whom}"},
        "organization": {"reference": f"Organization/{where}"},
        **more,
    }


def organization(id_: str, finess: str) -> dict[str, Any]:
    return {
        "resourceType": "Organization",
        "id": id_,
        "name": "CABINET DES TILLEULS",
        "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.2", "value": f"1{finess}"}],
    }


def test_a_professional_is_read_with_their_places() -> None:
    found = read(
        [
            role("r", "p", "o", period={"start": "2020-01-01"}),
            practitioner("p", MARIE),
            organization("o", HERE),
        ]
    )
    (one,) = found.people
    assert (one.rpps, one.name, one.profession, one.category) == (MARIE, "DR Marie Dorval", "10", "C")
    assert one.places[0].identifiers == {HERE}
    assert found.unread == 0


@pytest.mark.parametrize(
    "person",
    [
        practitioner("p", "10000000001"),
        practitioner("p", MARIE, qualification=[]),
        practitioner("p", MARIE, identifier=[{"value": MARIE}, {"value": OMAR}]),
        practitioner("p", MARIE, identifier="x"),
    ],
    ids=["wrong key", "no profession", "two people", "malformed"],
)
def test_who_cannot_be_named_is_counted_and_left_out(person: dict[str, Any]) -> None:
    assert read([person]) == directory.Directory((), 1)


def test_the_national_identifier_of_a_professional_is_their_rpps() -> None:
    assert rpps.read(f"8{MARIE}") == rpps.read(MARIE) == MARIE
    assert rpps.read(f"0{MARIE}") == rpps.read("810000000001") == rpps.read(None) == ""


def account(number: str, profession: str = "10") -> Account:
    exercise = Exercise("1", f"rpps:{number}", "professional", "associate", profession, structure="cabinet")
    return Account(number, "Dr", (exercise,), number)


def test_the_directory_proposes_who_is_new_and_questions_who_is_not_listed() -> None:
    listed = read(
        [
            practitioner("a", MARIE),
            practitioner("b", OMAR, "60"),
            practitioner("c", ZOE),
            role("ra", "a", "o"),
            role("rb", "b", "o"),
            role("rc", "c", "o", period={"end": "2020-01-01"}),
            organization("o", HERE),
        ]
    ).people
    accounts = [account(OMAR, "10"), account(ZOE), account("99900001027")]
    found = compare(listed, accounts, frozenset({HERE}), date(2026, 11, 22), Instant(1))
    assert {one.rpps: one.finding for one in found} == {
        MARIE: Finding.NEW,
        OMAR: Finding.OTHER_PROFESSION,
        ZOE: Finding.GONE,
        "99900001027": Finding.ABSENT,
    }
    known = compare(listed, [account(MARIE)], frozenset({HERE}), date(2026, 11, 22), Instant(1))
    assert Finding.KNOWN in {one.finding for one in known if one.rpps == MARIE}

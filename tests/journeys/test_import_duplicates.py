"""An import that brings somebody twice: both records stand, and the pair stands on the worklist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serment.demo.people import SECRETARY_OF_PRACTICE
from serment.errors import ConflictError
from serment.fhir import document as documents
from serment.fhir import identity_body
from serment.identity import evidence, traits
from serment.identity.evidence import Evidence, Retrieval
from serment.intake import import_
from serment.intake.import_.report import ImportReport
from serment.model import Purpose, RequestId
from serment.record import incoming, writing
from serment.record.asking import Asking
from serment.record.pen import Pen
from tests.installation import Installation, bare_installation, run

OID = "1.2.250.1.213.1.4.10"
ONE, OTHER = "261027511200103", "261027511200206"
STRUCTURE = "cabinet-des-tilleuls"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("import-twice")) as one:
        yield one


def asking(made: Installation) -> Asking:
    actor = replace(SECRETARY_OF_PRACTICE.actor(), structure=STRUCTURE)
    passage = made.house.passage
    return Asking(actor, Purpose.PATIENT_ADMINISTRATION, RequestId(writing.new_id()), passage.clock())


def someone(key: str, family: str, given: str = "Anaïs", born: str = "1961-02-03") -> dict[str, Any]:
    name = {"use": "official", "family": family, "given": [given]}
    return {"resourceType": "Patient", "id": key, "name": [name], "birthDate": born, "gender": "female"}


def imported(made: Installation, folder: Path, source: str, *people: dict[str, Any]) -> ImportReport:
    path = folder / f"{source}.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in people), encoding="utf-8")
    return import_.run(made.house, path, import_.service(made.house, STRUCTURE), name=source)


def pairs(made: Installation) -> list[tuple[str, str]]:
    return [
        (pair.people[0].birth, pair.people[1].birth) for pair in run(made.house.merging.listed(asking(made)))
    ]


@pytest.mark.capability("0-04", "refuses")
def test_bulk_import_makes_no_silent_second_record(made: Installation, tmp_path: Path) -> None:
    first = imported(made, tmp_path, "old", someone("a", "Sauveraud"), someone("b", "Cormand"))
    assert (first.created, first.suspected) == (2, 0)
    second = imported(made, tmp_path, "older", someone("x", "Sauverau"), someone("y", "Perrieu"))
    assert (second.created, second.quarantined, second.suspected) == (2, 0, 1)
    assert pairs(made) == [("Sauveraud", "Sauverau")]


def test_somebody_twice_in_one_lot_is_met_too(made: Installation, tmp_path: Path) -> None:
    before = len(pairs(made))
    two = (someone("c", "Vignolas", born="1948-05-06"), someone("d", "Vignolaz", born="1948-06-05"))
    assert imported(made, tmp_path, "lot", *two).suspected == before + 1


def created(made: Installation, family: str) -> str:
    sent = incoming.read(json.dumps(someone("", family) | {"id": "x"}).encode(), "Patient")
    return run(made.house.writing.create(asking(made), sent)).id


def numbered(made: Installation, patient: str, matricule: str) -> None:
    """Do what accepting an INSi answer does to the record."""
    house, asked = made.house, asking(made)
    served = run(house.reading.read(asked, "Patient", patient))
    person = documents.read(served.body)
    reference = f"Patient/{patient}"

    def job(pen: Pen) -> None:
        found = Retrieval((OID, matricule), (), "INSI", asked.now, asked.actor.id)
        after: Evidence = evidence.retrieved(evidence.NONE, found, traits.of(person.value))
        pen.identities[patient] = after
        body = identity_body.written(person, after, lambda _: "2026-11-01", strict=False)
        writing.change(pen, incoming.read(body, "Patient"), patient, reference, served.version)

    run(house.writing.run(asked, [reference], job))


@pytest.mark.capability("0-04", "refuses")
def test_attack_two_different_ins_are_never_merged(made: Installation) -> None:
    one, other = created(made, "Larchelin"), created(made, "Larchelain")
    numbered(made, one, ONE)
    numbered(made, other, OTHER)
    with pytest.raises(ConflictError) as refused:
        run(made.house.merging.merge(asking(made), one, other))
    assert refused.value.sentence == "record.merge-two-numbers"


@pytest.mark.capability("0-04", "refuses")
def test_one_ins_is_never_carried_by_two_active_records(made: Installation) -> None:
    one, other = created(made, "Valmesin"), created(made, "Valmesain")
    numbered(made, one, "261027511200309")
    with pytest.raises(ConflictError) as refused:
        numbered(made, other, "261027511200309")
    assert refused.value.sentence == "record.number-held"
    assert refused.value.parameters == {"reference": f"Patient/{one}"}


def test_a_second_record_under_the_same_ins_is_left_for_the_first(made: Installation) -> None:
    one, other = created(made, "Nogarène"), created(made, "Nogaraine")
    numbered(made, one, "261027511200412")
    run(made.house.merging.merge(asking(made), one, other))
    assert (one, other) not in pairs(made)

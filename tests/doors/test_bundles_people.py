"""An act of care and the directory entry of the professional whom it names, sent in one transaction."""

from __future__ import annotations

import itertools

import pytest

from tests.doors.samples import Json, bundle, by_rpps, entry, parameters
from tests.doors.served import Served

DOCTOR = "urn:uuid:6d9a1d5e-0c1f-4a1a-9a3b-4a4f8b1a0011"
NAMED = "locum"


def practitioner(server: Served, **said: object) -> Json:
    identifier = by_rpps(server.installation.staff(NAMED).id)["identifier"]
    resource = {"resourceType": "Practitioner", "identifier": [identifier], **said}
    return {"fullUrl": DOCTOR, **entry(resource)}


def visit(server: Served) -> Json:
    return entry(
        {
            "resourceType": "Encounter",
            "status": "in-progress",
            "class": {"code": "AMB"},
            "subject": {"reference": f"Patient/{server.record()}"},
            "participant": [{"individual": {"reference": DOCTOR}}],
        }
    )


def opened(server: Served) -> bool:
    return server.staff(NAMED).get(f"Patient/{server.record()}").status_code == 200


def take_back(server: Served, answer: Json) -> None:
    for one in answer["entry"]:
        address = one["response"]["location"].split("/fhir/")[-1].split("/_history")[0]
        if address.startswith("Encounter"):
            assert server.staff("secretary").delete(address).status_code == 200


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1))))
def test_an_act_names_a_professional_written_with_it(server: Served, order: tuple[int, ...]) -> None:
    assert not opened(server)
    sent = [practitioner(server), visit(server)]
    answer = server.staff("secretary").post("", json=bundle(*(sent[place] for place in order)))
    assert answer.status_code == 200, answer.text
    assert opened(server)
    take_back(server, answer.json())
    assert not opened(server)


@pytest.mark.parametrize(
    "identifiers",
    [
        [],
        [{"system": "https://rpps.esante.gouv.fr", "value": "10000000000"}],
        [
            {"system": "https://rpps.esante.gouv.fr", "value": "99900001217"},
            by_rpps("99900001191")["identifier"],
        ],
    ],
)
def test_one_without_a_number_or_with_two_names_nobody(server: Served, identifiers: list[Json]) -> None:
    """As for an entry that stands in the directory already."""
    sent = practitioner(server, identifier=identifiers, name=[{"family": "Personne"}])
    if not identifiers:
        del sent["resource"]["identifier"]
    answer = server.staff("secretary").post("", json=bundle(sent, visit(server)))
    assert answer.status_code == 200, answer.text
    assert not opened(server)
    take_back(server, answer.json())


def test_the_writer_does_not_name_themselves_by_an_entry_of_their_own(server: Served) -> None:
    record = server.record("celebrity")
    nurse = server.staff("nurse")
    identifier = by_rpps(server.installation.staff("nurse").id)["identifier"]
    me = {"fullUrl": DOCTOR, **entry({"resourceType": "Practitioner", "identifier": [identifier]})}
    said = visit(server)
    said["resource"]["subject"]["reference"] = f"Patient/{record}"
    before = nurse.get(f"Patient/{record}").status_code
    declared = parameters(reason={"valueCode": "visit-today"})
    assert nurse.post(f"Patient/{record}/$declare-act", json=declared).status_code == 200
    answer = nurse.post("", json=bundle(me, said))
    assert (before, answer.status_code) == (404, 200), answer.text
    passage = server.house.passage
    asking = server.installation.as_patient()
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{record}")
        team = passage.view(snapshot, asking, located.record).facts.team
    mine = [fact.kind for fact in team if fact.actor == server.installation.staff("nurse").id]
    assert mine == ["declared"]

"""Identity gestures against a hidden record and an absent one: answers, statements, openings, traces alike.

And the evidence itself: it is under the identity key, no search, list or export knows that it is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from serment.identity import ins
from serment.record.persons import identities
from tests.doors.served import Served, served
from tests.doors.test_identity import parameters


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("identities")) as running:
        yield running


DOORS = ("$insi-search", "$insi-accept", "$identity-proof")


def grown(server: Served) -> int:
    with server.house.passage.store.snapshot() as snapshot:
        return snapshot.ledger_size()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", ["unrelated-doctor", "hospital-doctor", "locum"])
def test_hidden_and_absent_leave_the_same_answer_and_trace(server: Served, door: str, role: str) -> None:
    asker = server.staff(role)
    given = {
        "$insi-accept": parameters(comparison="x", compared=True),
        "$identity-proof": parameters(proof="PA"),
    }
    told = []
    for id_ in (server.record(), "00000000-0000-4000-8000-000000000000"):
        before = grown(server)
        answer = asker.post(f"Patient/{id_}/{door}", json=given.get(door))
        told.append((answer.status_code, answer.json(), grown(server) - before))
    assert told[0] == told[1]


@pytest.mark.parametrize("matricule", ["279035121518989", "279035121518980"])
def test_a_matricule_sent_for_a_hidden_record_tells_nothing_of_its_identity(
    server: Served, matricule: str
) -> None:
    stranger = server.staff("unrelated-doctor")
    told = []
    for id_ in (server.record(), "00000000-0000-4000-8000-000000000000"):
        sent = {
            "resourceType": "Patient",
            "id": id_,
            "identifier": [{"system": f"urn:oid:{ins.NIR_TEST}", "value": matricule}],
        }
        answer = stranger.put(f"Patient/{id_}", json=sent, headers={"if-match": 'W/"2"'})
        told.append((answer.status_code, answer.json()))
    assert told[0] == told[1]
    assert told[0][0] == 404


def test_no_door_knows_that_there_is_evidence(server: Served) -> None:
    doctor, holder = server.staff("team-doctor"), server.patient()
    id_ = server.record()
    for path in (f"{identities.TYPE}/{id_}", identities.TYPE, f"{identities.TYPE}/{id_}/_history"):
        assert doctor.get(path).status_code in {400, 404}
    whole = holder.get(f"Patient/{id_}/$everything", params={"_count": "1000"}).json()
    types = {one["resource"]["resourceType"] for one in whole["entry"]}
    assert identities.TYPE not in types
    for name in (id_, f"{id_}#{identities.PART}", f"{id_}%23{identities.PART}", "nobody"):
        asked = [{"request": {"method": "GET", "url": f"{identities.TYPE}/{name}"}}]
        batch = doctor.post("", json={"resourceType": "Bundle", "type": "batch", "entry": asked}).json()
        assert batch["entry"][0]["response"]["status"][:3] == "404"


def test_the_evidence_is_of_the_class_of_the_person(server: Served) -> None:
    """Under the identity key: whoever may not look at the person has no key and no permit for it."""
    doctor = server.installation.as_staff("team-doctor")
    passage = server.house.passage
    with passage.store.snapshot() as snapshot:
        places: dict[str, Any] = {}
        for type_, part in (("Patient", ""), (identities.TYPE, identities.PART)):
            located, known = passage.resolve(snapshot, f"{type_}/{server.record()}", part)
            view = passage.view(snapshot, doctor, located.record)
            unit = view.head.unit_of(located.pack)
            assert known
            assert unit is not None
            places[type_] = unit.item_class()
    assert places["Patient"] == places[identities.TYPE]


def test_a_sealed_answer_says_nothing_to_who_holds_it(server: Served) -> None:
    doctor = server.staff("team-doctor")
    answer = doctor.post(f"Patient/{server.record()}/$insi-search")
    assert answer.status_code == 200, answer.text
    person = doctor.get(f"Patient/{server.record()}").json()
    token = next(one for one in answer.json()["parameter"] if one["name"] == "comparison")["valueString"]
    assert person["identifier"][0]["value"] not in json.dumps(answer.json())
    assert person["name"][0]["family"] not in token

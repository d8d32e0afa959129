"""A curious reception: the secretary books, moves and cancels, and tries every door for why somebody comes.

Two appointments of one record are alike but for a hidden reason. Whatever the secretary asks, the one answers
as the other does, and the same work stands behind both (capability 4-11, ADR 66).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from serment.fhir.halves import SHOWN
from tests.attacks.watching import watched
from tests.doors.served import Served, served
from tests.installation import run

WHY = "sevrage des opiacés"
CODED = {"system": "http://hl7.org/fhir/sid/icd-10", "code": "F11.2", "display": "Dépendance aux opiacés"}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """A served practice, one patient, an appointment with a hidden reason and one with none."""

    server: Served
    patient: str
    hidden: str
    none: str


def booked(server: Served, patient: str, hour: int, **said: Any) -> Json:
    """Make an appointment with the doctor of the team, a day from now."""
    start = (datetime.now(UTC) + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)
    end = start + timedelta(minutes=15)
    doctor = server.installation.staff("team-doctor").id.removeprefix("rpps:")
    number = {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": doctor}
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": start.isoformat(),
        "end": end.isoformat(),
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": {"type": "Practitioner", "identifier": number}, "status": "accepted"},
        ],
        **said,
    }


def made(who: httpx.Client, resource: Json) -> Json:
    answer = who.post(resource["resourceType"], json=resource)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with served(tmp_path_factory.mktemp("reception")) as server:
        patient = server.record()
        with server.staff("team-doctor") as doctor:
            why: Json = {"reasonCode": [{"coding": [CODED], "text": WHY}], "comment": WHY}
            hidden = made(doctor, booked(server, patient, 9, **why))["id"]
            none = made(doctor, booked(server, patient, 10))["id"]
        yield Scene(server, patient, hidden, none)


def alike(scene: Scene, text: str) -> str:
    """Take out of an answer what differs between two appointments by nature: ids and instants."""
    return re.sub(rf"{scene.hidden}|{scene.none}|\d{{4}}-\d\d-\d\dT[\d:.]+", "<>", text)


@pytest.mark.capability("4-11", "refuses")
@pytest.mark.parametrize("path", ["Appointment/{}", "Appointment/{}/_history/1", "Appointment/{}/_history"])
def test_the_reason_by_read_version_and_history(scene: Scene, path: str) -> None:
    with scene.server.staff("secretary") as secretary:
        hidden, none = (secretary.get(path.format(one)) for one in (scene.hidden, scene.none))
    assert hidden.status_code == none.status_code == 200
    assert WHY not in hidden.text
    assert alike(scene, hidden.text) == alike(scene, none.text)


@pytest.mark.capability("4-11", "refuses")
@pytest.mark.parametrize(
    "criterion",
    [
        {"reason-code": "F11.2"},
        {"reason-code": "http://hl7.org/fhir/sid/icd-10|F11.2"},
        {"reason-code:text": "sevrage"},
        {"_has:Encounter:appointment:reason-code": "F11.2"},
        {"_filter": "x"},
        {"_text": "sevrage"},
        {"_content": "sevrage"},
    ],
)
def test_the_reason_as_a_criterion_or_a_count(scene: Scene, criterion: dict[str, str]) -> None:
    asked = {"patient": f"Patient/{scene.patient}", "_total": "accurate", **criterion}
    nothing = {name: value.replace("F11.2", "Z99").replace("sevrage", "zzz") for name, value in asked.items()}
    with scene.server.staff("secretary") as secretary:
        found, empty = (secretary.get("Appointment", params=one) for one in (asked, nothing))
    assert found.status_code == empty.status_code
    assert found.json().get("total", 0) == empty.json().get("total", 0) == 0


@pytest.mark.capability("4-11", "lets")
def test_the_doctor_finds_and_reads_the_reason_as_it_was_sent(scene: Scene) -> None:
    asked = {"patient": f"Patient/{scene.patient}", "reason-code": "F11.2"}
    with scene.server.staff("team-doctor") as doctor, scene.server.patient() as me:
        for who in (doctor, me):
            found = who.get("Appointment", params=asked).json()
            assert [one["resource"]["id"] for one in found["entry"]] == [scene.hidden]
            assert who.get(f"Appointment/{scene.hidden}").json()["comment"] == WHY


@pytest.mark.capability("4-11", "refuses")
@pytest.mark.parametrize(
    "path",
    ["Patient/{0}/$everything?_count=500", "Appointment/_history?patient=Patient/{0}", "Patient/{0}/$export"],
)
def test_the_reason_by_what_gives_a_whole_record(scene: Scene, path: str) -> None:
    with scene.server.staff("secretary") as secretary:
        answer = secretary.get(path.format(scene.patient))
    assert WHY not in answer.text
    assert "F11.2" not in answer.text


@pytest.mark.capability("4-11", "refuses")
def test_the_same_work_stands_behind_a_hidden_reason_and_none(scene: Scene) -> None:
    """Statements to the store, key openings, appends to the ledger."""
    made_ = scene.server.installation
    house, log = watched(made_.house)
    lists = []
    for one in (scene.hidden, scene.none, scene.hidden, scene.none):
        del log[:]
        run(house.reading.read(made_.as_staff("secretary"), "Appointment", one))
        lists.append(list(log))
    assert lists[2] == lists[3]


@pytest.mark.capability("4-11", "refuses")
def test_moving_an_appointment_neither_shows_nor_loses_its_reason(scene: Scene) -> None:
    server = scene.server
    with server.staff("team-doctor") as doctor, server.staff("secretary") as secretary:
        one = made(doctor, booked(server, scene.patient, 11, comment=WHY))
        mine = secretary.get(f"Appointment/{one['id']}").json()
        moved = {
            **mine,
            "start": mine["start"].replace("T11:", "T15:"),
            "end": mine["end"].replace("T11:", "T15:"),
        }
        put = secretary.put(f"Appointment/{one['id']}", json=moved, headers={"if-match": 'W/"1"'})
        assert put.status_code == 200, put.text
        assert WHY not in put.text
        whole = doctor.get(f"Appointment/{one['id']}").json()
    assert (whole["comment"], whole["start"]) == (WHY, moved["start"])


@pytest.mark.capability("4-11", "refuses")
def test_the_author_of_a_booking_is_not_that_of_the_reason_added_later(scene: Scene) -> None:
    server = scene.server
    with server.staff("team-doctor") as doctor, server.staff("secretary") as secretary:
        one = made(secretary, booked(server, scene.patient, 12))
        whole = {**doctor.get(f"Appointment/{one['id']}").json(), "reasonCode": [{"text": WHY}]}
        put = doctor.put(f"Appointment/{one['id']}", json=whole, headers={"if-match": 'W/"1"'})
        assert put.status_code == 200, put.text
        assert WHY not in secretary.get(f"Appointment/{one['id']}").text
        assert WHY in doctor.get(f"Appointment/{one['id']}").text


@pytest.mark.capability("4-11", "refuses")
def test_a_secretary_turns_no_hidden_reason_into_a_shown_one(scene: Scene) -> None:
    """The mark that shows a reason shows the one that is written with it, never an older one."""
    shown = [{"url": SHOWN, "valueBoolean": True}]
    server = scene.server
    with server.staff("team-doctor") as doctor, server.staff("secretary") as secretary:
        one = made(doctor, booked(server, scene.patient, 13, comment=WHY))
        mine = {**secretary.get(f"Appointment/{one['id']}").json(), "extension": shown}
        put = secretary.put(f"Appointment/{one['id']}", json=mine, headers={"if-match": 'W/"1"'})
        assert put.status_code == 200, put.text
        assert WHY not in secretary.get(f"Appointment/{one['id']}").text
        patched = [{"op": "test", "path": "/comment", "value": WHY}]
        kind = {"content-type": "application/json-patch+json"}
        tried = secretary.patch(f"Appointment/{one['id']}", json=patched, headers=kind)
        assert tried.status_code >= 400


@pytest.mark.capability("4-11", "refuses")
def test_a_secretary_sets_a_mark_and_waits_for_the_doctor_to_move_the_appointment(scene: Scene) -> None:
    """What the doctor saves is whole: a mark that somebody else put there must not show the reason by it."""
    shown = [{"url": SHOWN, "valueBoolean": True}]
    later = [{"op": "add", "path": "/status", "value": "arrived"}]
    kind = {"content-type": "application/json-patch+json"}
    server = scene.server
    with server.staff("team-doctor") as doctor, server.staff("secretary") as secretary:
        one = made(doctor, booked(server, scene.patient, 17, comment=WHY))
        mine = {**secretary.get(f"Appointment/{one['id']}").json(), "extension": shown}
        secretary.put(f"Appointment/{one['id']}", json=mine, headers={"if-match": 'W/"1"'})
        assert doctor.patch(f"Appointment/{one['id']}", json=later, headers=kind).status_code == 200
        assert WHY not in secretary.get(f"Appointment/{one['id']}").text
        assert WHY in doctor.get(f"Appointment/{one['id']}").text


@pytest.mark.capability("4-11", "lets")
def test_a_reason_that_the_person_shows_is_read_at_the_reception(scene: Scene) -> None:
    shown = {"extension": [{"url": SHOWN, "valueBoolean": True}], "comment": "vient en fauteuil roulant"}
    with scene.server.staff("secretary") as secretary:
        one = made(secretary, booked(scene.server, scene.patient, 14, **shown))
        assert secretary.get(f"Appointment/{one['id']}").json()["comment"] == shown["comment"]


@pytest.mark.capability("4-11", "refuses")
def test_a_secretary_writes_no_reason_that_the_reception_may_not_read(scene: Scene) -> None:
    with scene.server.staff("secretary") as secretary:
        answer = secretary.post("Appointment", json=booked(scene.server, scene.patient, 16, comment=WHY))
    assert answer.status_code == 403, answer.text


@pytest.mark.capability("4-11", "refuses")
def test_the_reason_of_a_visit_is_no_business_of_the_reception(scene: Scene) -> None:
    with scene.server.staff("secretary") as secretary, scene.server.staff("team-doctor") as doctor:
        asked = {"patient": f"Patient/{scene.patient}", "_count": "200"}
        mine = secretary.get("Encounter", params=asked).json()["entry"]
        theirs = doctor.get("Encounter", params=asked).json()["entry"]
    assert len(mine) == len(theirs)
    assert any("reasonCode" in one["resource"] for one in theirs)
    assert not any({"reasonCode", "diagnosis", "type", "text"} & one["resource"].keys() for one in mine)

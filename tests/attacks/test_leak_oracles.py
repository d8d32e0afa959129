"""Hidden or absent: an item that may not be seen answers as one that does not exist.

Tried through every door that takes an id, on the answer (status, headers, body) and on what stands behind
it (statements, key openings, ledger appends). Cases of other servers: microsoft/fhir-server #2934 (a
direct read by id left the compartment), LinuxForHealth/FHIR #2300 (history and vread forgot the check).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from serment.errors import SermentError
from serment.fhir.query import parse
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.house import House
from tests.attacks.watching import Log, watched
from tests.doors.served import Served, served
from tests.installation import run

DOCUMENT, BINARY, OBSERVATION = "DocumentReference", "Binary", "Observation"


@dataclass(frozen=True, slots=True)
class Scene:
    """A patient of whom the team doctor may not see one document and one measurement."""

    server: Served
    patient: str
    document: str
    observation: str

    def resource(self, reference: str) -> dict[str, Any]:
        """Read an item as its holder, who sees it."""
        with self.server.patient() as me:
            answer: dict[str, Any] = me.get(reference).json()
            return answer


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with served(tmp_path_factory.mktemp("oracles")) as server:
        made = server.installation
        with server.patient() as me:
            found = me.get("Observation", params={"patient": f"Patient/{made.record()}", "_count": "1"})
        observation = f"Observation/{found.json()['entry'][0]['resource']['id']}"
        document = made.item("maskable")
        for item in (document, observation):
            run(made.house.choosing.mask(made.as_patient(), made.record(), item))
        yield Scene(server, made.record(), document, observation)


def absent(reference: str) -> str:
    """Name an item of the same type that does not exist."""
    return f"{reference.partition('/')[0]}/{uuid.UUID(int=0x4000_8000_0000_0000_0000)}"


def same(first: httpx.Response, ids: tuple[str, str], second: httpx.Response) -> None:
    """Require that nothing but the id that was asked tells two answers apart."""
    told = [_plain(answer, id_.partition("/")[2]) for answer, id_ in zip((first, second), ids, strict=True)]
    assert told[0] == told[1]


def _plain(answer: httpx.Response, id_: str) -> tuple[int, dict[str, str], str]:
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    made = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{32}")
    return (
        answer.status_code,
        {name: made.sub("…", value) for name, value in headers.items() if name != "last-modified"},
        made.sub("…", answer.text.replace(id_, "…")),
    )


BY_ID = ("{r}", "{r}/_history/1", "{r}/_history/9", "{r}/_history")


@pytest.mark.parametrize("path", BY_ID)
@pytest.mark.parametrize("kind", [DOCUMENT, OBSERVATION])
@pytest.mark.capability("1-24", "refuses")
def test_read_vread_and_history_of_a_hidden_item_are_those_of_an_unknown_one(
    scene: Scene, path: str, kind: str
) -> None:
    hidden = scene.document if kind == DOCUMENT else scene.observation
    with scene.server.staff("team-doctor") as doctor:
        answers = [doctor.get(path.format(r=one)) for one in (hidden, absent(hidden))]
    assert answers[0].status_code == 404
    same(answers[0], (hidden, absent(hidden)), answers[1])


@pytest.mark.parametrize("if_match", [None, 'W/"1"', 'W/"7"'])
def test_put_answers_alike_on_hidden_and_unknown(scene: Scene, if_match: str | None) -> None:
    resource = scene.resource(scene.observation)
    headers = {} if if_match is None else {"if-match": if_match}
    with scene.server.staff("team-doctor") as doctor:
        answers = []
        for one in (scene.observation, absent(scene.observation)):
            body = {**resource, "id": one.partition("/")[2]}
            answers.append(doctor.put(one, content=json.dumps(body), headers=headers))
    assert answers[0].status_code == 404
    same(answers[0], (scene.observation, absent(scene.observation)), answers[1])


def test_delete_answers_alike_on_hidden_and_unknown(scene: Scene) -> None:
    with scene.server.staff("team-doctor") as doctor:
        answers = [doctor.delete(one) for one in (scene.observation, absent(scene.observation))]
    assert answers[0].status_code == 404
    same(answers[0], (scene.observation, absent(scene.observation)), answers[1])
    assert scene.resource(scene.observation)["resourceType"] == OBSERVATION


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_bundle_answers_alike_on_hidden_and_unknown(scene: Scene, method: str, kind: str) -> None:
    """A transaction is all or nothing: its failure must not say why."""
    resource = scene.resource(scene.observation)
    answers = []
    with scene.server.staff("team-doctor") as doctor:
        for one in (scene.observation, absent(scene.observation)):
            entry: dict[str, Any] = {"request": {"method": method, "url": one}}
            if method == "PUT":
                entry["resource"] = {**resource, "id": one.partition("/")[2]}
                entry["request"]["ifMatch"] = 'W/"1"'
            bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
            answers.append(doctor.post(scene.server.address + "/fhir", content=json.dumps(bundle)))
    same(answers[0], (scene.observation, absent(scene.observation)), answers[1])


def test_a_reference_to_a_hidden_item_is_taken_as_one_to_an_unknown_item(scene: Scene) -> None:
    """References are checked for form, never for existence."""
    asked = (scene.observation, absent(scene.observation))
    with scene.server.staff("team-doctor") as doctor:
        answers = [doctor.post(OBSERVATION, content=json.dumps(_measure(scene, one))) for one in asked]
    assert answers[0].status_code == 201
    same(answers[0], (scene.observation, absent(scene.observation)), answers[1])


def _measure(scene: Scene, member: str) -> dict[str, Any]:
    return {
        "resourceType": OBSERVATION,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                    }
                ]
            }
        ],
        "subject": {"reference": f"Patient/{scene.patient}"},
        "hasMember": [{"reference": member}],
    }


def test_what_follows_a_hidden_target_is_refused_as_with_an_unknown_target(scene: Scene) -> None:
    """A Provenance is filed with its target: filing one must not tell whether the target is there."""
    answers = []
    with scene.server.staff("team-doctor") as doctor:
        for one in (scene.observation, absent(scene.observation)):
            resource = {
                "resourceType": "Provenance",
                "target": [{"reference": one}],
                "recorded": "2026-11-01T08:00:00Z",
                "agent": [{"who": {"display": "somebody"}}],
            }
            answers.append(doctor.post("Provenance", content=json.dumps(resource)))
    same(answers[0], (scene.observation, absent(scene.observation)), answers[1])


def test_a_conditional_create_meets_no_hidden_item(scene: Scene) -> None:
    """If-None-Exist must not say that what the writer may not see is there."""
    code = scene.resource(scene.observation)["code"]["coding"][0]
    condition = f"patient=Patient/{scene.patient}&_id={scene.observation.partition('/')[2]}"
    with scene.server.staff("team-doctor") as doctor:
        answer = doctor.post(
            OBSERVATION,
            content=json.dumps({**_measure(scene, scene.observation), "code": {"coding": [code]}}),
            headers={"if-none-exist": condition},
        )
    assert answer.status_code == 201
    assert answer.json()["id"] not in scene.observation


def test_a_hidden_item_is_not_read_under_another_type(scene: Scene) -> None:
    """microsoft/fhir-server #2934: a read that leaves the compartment by its id."""
    id_ = scene.observation.partition("/")[2]
    with scene.server.staff("team-doctor") as doctor:
        for type_ in ("Condition", "Patient", "Binary", "Practitioner"):
            assert doctor.get(f"{type_}/{id_}").status_code == 404


@pytest.mark.parametrize("part", ["#contact", "%23contact", "/../x", "%2e%2e", "\u00e9", "decoy"])
def test_an_id_that_is_none_reaches_no_row(scene: Scene, part: str) -> None:
    with scene.server.staff("attending") as doctor:
        answer = doctor.get(f"Patient/{scene.patient}{part}")
    assert answer.status_code in {200, 400, 404}
    if part != "#contact":
        assert answer.status_code in {400, 404}


@pytest.mark.parametrize("walk", ["read", "vread", "history", "update", "delete", "search", "bundle"])
def test_hidden_and_unknown_leave_the_same_statements_openings_and_appends(scene: Scene, walk: str) -> None:
    """What a clock, a load graph or a row count would show is the same list."""
    house, log = watched(scene.server.house)
    asking = scene.server.installation.as_staff("team-doctor")
    resource = scene.resource(scene.observation)
    told: list[Log] = []
    for one in (scene.observation, absent(scene.observation)) * 2:
        type_, _, id_ = one.partition("/")
        body = json.dumps({**resource, "id": id_}).encode()
        log.clear()
        with suppress(SermentError):
            run(_item_walk(house, walk, asking, (type_, id_), body, scene.patient))
        told.append(list(log))
    assert told[2]
    assert told[2] == told[3]


async def _item_walk(
    house: House, walk: str, asking: Asking, name: tuple[str, str], body: bytes, patient: str
) -> None:
    if walk == "read":
        await house.reading.read(asking, *name)
    elif walk == "vread":
        await house.reading.vread(asking, *name, 1)
    elif walk == "history":
        await house.reading.history(asking, *name)
    elif walk == "update":
        await house.writing.update(asking, incoming.read(body), name[1], 1)
    elif walk == "delete":
        await house.writing.delete(asking, *name)
    elif walk == "search":
        pairs = [("patient", f"Patient/{patient}"), ("_id", name[1])]
        await house.finding.search(asking, parse(OBSERVATION, pairs))
    else:
        entry = {"request": {"method": "DELETE", "url": "/".join(name)}}
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        await house.bundling.run(asking, json.dumps(bundle).encode(), house.base)


@pytest.mark.parametrize("walk", ["first view", "search", "trail", "create"])
def test_a_closed_record_and_an_unknown_one_leave_the_same_list(scene: Scene, walk: str) -> None:
    """A doctor without any relation learns nothing from a record that is there."""
    house, log = watched(scene.server.house)
    asking = scene.server.installation.as_staff("unrelated-doctor")
    told: list[Log] = []
    for patient in (scene.patient, str(uuid.UUID(int=5))) * 2:
        log.clear()
        with suppress(SermentError):
            run(_walk(house, walk, asking, patient))
        told.append(list(log))
    assert told[2]
    assert told[2] == told[3]


async def _walk(house: House, walk: str, asking: Asking, patient: str) -> None:
    if walk == "first view":
        await house.showing.first_view(asking, patient)
    elif walk == "search":
        await house.finding.search(asking, parse(OBSERVATION, [("patient", f"Patient/{patient}")]))
    elif walk == "trail":
        await house.proving.trail(asking, patient)
    else:
        made = {
            "resourceType": OBSERVATION,
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{patient}"},
        }
        await house.writing.create(asking, incoming.read(json.dumps(made).encode()))


def test_the_list_tells_two_requests_apart_when_they_do_differ(scene: Scene) -> None:
    """The comparison can fail: a visible item and an unknown one leave different lists."""
    house, log = watched(scene.server.house)
    asking = scene.server.installation.as_staff("attending")
    type_, _, id_ = scene.observation.partition("/")
    run(house.reading.read(asking, type_, id_))
    seen = list(log)
    log.clear()
    with pytest.raises(SermentError):
        run(house.reading.read(asking, type_, absent(scene.observation).partition("/")[2]))
    assert seen != log

"""A blood group or a severe allergy changes only once a second professional confirms it, by every door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from serment.errors import ConflictError, NotFoundError, RefusedError
from serment.record import incoming, writing
from serment.record.between.inbox import Errand
from serment.record.pen import Pen
from serment.record.visits.proposals import State
from serment.record.visits.protecting import Shown
from tests.doors.served import Served, outcome, served
from tests.installation import run

Json = dict[str, Any]
LOINC = "http://loinc.org"
GROUPS = {"A+": "278149003", "O-": "278148006"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("protected")) as made:
        yield made


def group(record: str, text: str, code: str = "882-1", **more: object) -> Json:
    lab = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [lab]}],
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{record}"},
        "effectiveDateTime": "2026-11-02",
        "valueCodeableConcept": {
            "coding": [{"system": "http://snomed.info/sct", "code": GROUPS[text]}],
            "text": text,
        },
        **more,
    }


def allergy(record: str, criticality: str = "high", **more: object) -> Json:
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        },
        "criticality": criticality,
        "code": {"text": "Pénicilline"},
        "patient": {"reference": f"Patient/{record}"},
        **more,
    }


def made(answer: httpx.Response) -> Json:
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


def waiting(server: Served, who: str = "attending", role: str = "patient") -> list[Shown]:
    asking = server.installation.as_staff(who)
    shown = run(server.house.protecting.of(asking, server.installation.record(role)))
    return [one for one in shown if one.said.state is State.WAITING]


def standing(server: Served, reference: str) -> Json:
    found: Json = server.staff("attending").get(reference).json()
    return found


@pytest.mark.capability("1-12", "lets")
def test_a_second_professional_confirms_and_both_are_named(server: Served) -> None:
    doctor, record = server.staff("team-doctor"), server.record()
    before = made(doctor.post("AllergyIntolerance", json=allergy(record)))
    reference = f"AllergyIntolerance/{before['id']}"
    changed = {**before, "criticality": "low"}
    answer = doctor.put(reference, json=changed, headers={"if-match": 'W/"1"'})
    assert answer.status_code == 202
    assert "second professionnel" in outcome(answer)["details"]["text"]
    assert answer.headers["etag"] == 'W/"1"'
    assert standing(server, reference)["criticality"] == "high"

    (one,) = waiting(server)
    asking = server.installation.as_staff("attending")
    pointers = [p for p in server.house.inbox.waiting(asking) if p.kind is Errand.CONFIRM]
    assert [(p.item, p.patient) for p in pointers] == [(f"Proposal/{one.id}", record)]
    assert b'"low"' in one.proposed
    assert b'"high"' in one.standing
    run(server.house.protecting.confirm(asking, server.installation.record(), one.id))

    after = standing(server, reference)
    assert (after["criticality"], after["meta"]["versionId"]) == ("low", "2")
    asked = f"AllergyIntolerance?patient={record}&_id={before['id']}&_revinclude=Provenance:target"
    found = [entry["resource"] for entry in server.staff("attending").get(asked).json()["entry"]]
    (said,) = [one for one in found if one["resourceType"] == "Provenance"]
    parts = {agent["type"]["coding"][0]["code"]: agent["who"]["display"] for agent in said["agent"]}
    cast = server.installation.staff
    assert parts == {"author": cast("team-doctor").name, "verifier": cast("attending").name}
    assert [p for p in server.house.inbox.waiting(asking) if p.kind is Errand.CONFIRM] == []


@pytest.mark.capability("1-12", "refuses")
def test_nobody_confirms_what_they_proposed_nor_a_program_nor_a_secretary(server: Served) -> None:
    doctor, record = server.staff("team-doctor"), server.installation.record()
    before = made(doctor.post("AllergyIntolerance", json=allergy(record)))
    assert doctor.delete(f"AllergyIntolerance/{before['id']}").status_code == 202
    one = next(one for one in waiting(server) if before["id"] in one.said.target)
    protecting = server.house.protecting
    with pytest.raises(RefusedError):
        run(protecting.confirm(server.installation.as_staff("team-doctor"), record, one.id))
    for role in ("secretary", "patient"):
        asking = (
            server.installation.as_patient()
            if role == "patient"
            else server.installation.as_staff("secretary")
        )
        with pytest.raises(RefusedError):
            run(protecting.confirm(asking, record, one.id))
    with pytest.raises((NotFoundError, RefusedError)):
        run(protecting.confirm(server.installation.as_staff("unrelated-doctor"), record, one.id))
    assert standing(server, f"AllergyIntolerance/{before['id']}")["criticality"] == "high"
    run(protecting.set_aside(server.installation.as_staff("attending"), record, one.id))


@pytest.mark.capability("1-12", "refuses")
def test_no_door_changes_a_blood_group_alone(server: Served) -> None:
    """PUT, PATCH, DELETE, a conditional update, a bundle, a second observation that says another group."""
    doctor, record = server.staff("team-doctor"), server.record()
    before = made(doctor.post("Observation", json=group(record, "A+")))
    reference = f"Observation/{before['id']}"
    other = {**before, "valueCodeableConcept": {"text": "O-"}}
    operations = [{"op": "replace", "path": "/valueCodeableConcept/text", "value": "O-"}]
    entry = {
        "resource": other,
        "request": {"method": "PUT", "url": reference, "ifMatch": 'W/"1"'},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    answers = [
        doctor.put(reference, json=other, headers={"if-match": 'W/"1"'}),
        doctor.patch(reference, json=operations, headers={"content-type": "application/json-patch+json"}),
        doctor.put(f"Observation?_id={before['id']}&patient={record}", json=other),
        doctor.delete(reference),
        doctor.post("Observation", json=group(record, "O-")),
        doctor.post("Observation", json=group(record, "O-", code="883-9")),
    ]
    assert [answer.status_code for answer in answers] == [202] * 6, [one.text for one in answers]
    answer = doctor.post("", json=bundle)
    assert answer.json()["entry"][0]["response"]["status"] == "202"
    assert standing(server, reference)["valueCodeableConcept"]["text"] == "A+"
    assert standing(server, reference)["meta"]["versionId"] == "1"
    found = doctor.get(f"Observation?patient={record}&code={LOINC}|882-1").json()
    assert found["total"] == 1


def test_a_second_determination_that_agrees_and_a_first_recording_stand(server: Served) -> None:
    doctor, record = server.staff("team-doctor"), server.record()
    assert doctor.post("Observation", json=group(record, "A+")).status_code == 201
    assert doctor.post("AllergyIntolerance", json=allergy(record)).status_code == 201
    weak = made(doctor.post("AllergyIntolerance", json=allergy(record, "low")))
    raised = doctor.put(
        f"AllergyIntolerance/{weak['id']}",
        json={**weak, "criticality": "high"},
        headers={"if-match": 'W/"1"'},
    )
    assert raised.status_code == 200
    lowered = doctor.put(
        f"AllergyIntolerance/{weak['id']}",
        json={**weak, "criticality": "low"},
        headers={"if-match": 'W/"2"'},
    )
    assert lowered.status_code == 202


def test_a_new_label_alone_is_no_change_of_what_is_said(server: Served) -> None:
    doctor, record = server.staff("team-doctor"), server.record()
    before = made(doctor.post("AllergyIntolerance", json=allergy(record)))
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    shut = {**before, "meta": {"security": [label]}}
    answer = doctor.put(f"AllergyIntolerance/{before['id']}", json=shut, headers={"if-match": 'W/"1"'})
    assert answer.status_code == 200


def test_a_proposal_about_what_has_changed_since_is_over(server: Served) -> None:
    doctor, record = server.staff("team-doctor"), server.installation.record()
    before = made(doctor.post("AllergyIntolerance", json=allergy(record)))
    reference = f"AllergyIntolerance/{before['id']}"
    for text in ("Amoxicilline", "Céfalexine"):
        changed = {**before, "code": {"text": text}}
        assert doctor.put(reference, json=changed, headers={"if-match": 'W/"1"'}).status_code == 202
    two = [one for one in waiting(server) if one.said.target == reference]
    asking = server.installation.as_staff("attending")
    assert len(two) == 2
    run(server.house.protecting.confirm(asking, record, two[0].id))
    with pytest.raises(ConflictError):
        run(server.house.protecting.confirm(asking, record, two[1].id))
    with pytest.raises(ConflictError):
        run(server.house.protecting.confirm(asking, record, two[0].id))


def test_a_retry_with_the_same_key_proposes_once_and_says_the_same(server: Served) -> None:
    doctor, record = server.staff("team-doctor"), server.record()
    before = made(doctor.post("AllergyIntolerance", json=allergy(record)))
    reference = f"AllergyIntolerance/{before['id']}"
    headers = {"if-match": 'W/"1"', "idempotency-key": '"of-a-proposal"'}
    changed = {**before, "criticality": "low"}
    answers = [doctor.put(reference, json=changed, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len([one for one in waiting(server) if one.said.target == reference]) == 1


def test_a_proposal_is_in_no_search_no_export_and_no_whole_record(server: Served) -> None:
    doctor, record = server.staff("team-doctor"), server.record()
    before = made(doctor.post("AllergyIntolerance", json=allergy(record)))
    mark = "CANARIPROPOSE"
    changed = {**before, "code": {"text": mark}}
    assert (
        doctor.put(
            f"AllergyIntolerance/{before['id']}", json=changed, headers={"if-match": 'W/"1"'}
        ).status_code
        == 202
    )
    attending = server.staff("attending")
    for path in (
        f"AllergyIntolerance?patient={record}&_count=200",
        f"Patient/{record}/$everything?_count=500",
        f"Patient/{record}/$summary",
        f"AllergyIntolerance/{before['id']}/_history",
        f"Proposal?patient={record}",
    ):
        assert mark not in attending.get(path).text


def test_who_sees_nothing_of_a_record_sees_no_proposal_and_learns_nothing(server: Served) -> None:
    asking = server.installation.as_staff("unrelated-doctor")
    protecting = server.house.protecting
    sentences = []
    for record in (server.installation.record(), "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFoundError) as refused:
            run(protecting.of(asking, record))  # type: ignore[arg-type]  # an id typed by hand
        sentences.append(str(refused.value))
    assert sentences[0] == sentences[1]


def test_what_was_masked_since_takes_its_proposals_and_their_provenance_with_it(server: Served) -> None:
    """The doctor from whom the allergy is hidden meets nothing that speaks of it; the attending one does."""
    record = server.installation.record()
    before = made(server.staff("attending").post("AllergyIntolerance", json=allergy(record)))
    reference = f"AllergyIntolerance/{before['id']}"
    changed = {**before, "code": {"text": "Amoxicilline"}}
    answer = server.staff("attending").put(reference, json=changed, headers={"if-match": 'W/"1"'})
    assert answer.status_code == 202
    colleague = server.installation.as_staff("team-doctor")
    (one,) = [p for p in waiting(server, "team-doctor") if p.said.target == reference]
    run(server.house.protecting.confirm(colleague, record, one.id))
    everything = f"Patient/{record}/$everything?_count=500&_type=Provenance,AllergyIntolerance"
    nurse = server.installation.as_staff("nurse")
    run(server.house.choosing.declare_act(nurse, record, "visit-today"))
    shown = server.staff("nurse").get(everything).text
    assert shown.count(reference) >= 2
    run(server.house.choosing.mask(server.installation.as_patient(), record, reference))
    assert reference in server.staff("attending").get(everything).text
    assert before["id"] not in server.staff("nurse").get(everything).text
    told = run(server.house.protecting.of(nurse, record))
    assert [p for p in told if p.said.target == reference] == []


def test_a_blood_group_that_is_hidden_from_the_writer_changes_no_answer(server: Served) -> None:
    """Whoever may not see the group that stands records another: 201, as where there is none."""
    record = server.installation.record("husband")
    attending = server.staff("attending")
    stands = attending.post("Observation", json=group(record, "A+", code="77397-8"))
    assert stands.status_code == 201
    again = attending.post("Observation", json=group(record, "O-", code="77397-8"))
    assert again.status_code == 202
    holder = server.installation.as_patient("husband")
    run(server.house.choosing.mask(holder, record, f"Observation/{stands.json()['id']}"))
    nurse = server.installation.as_staff("team-doctor")
    run(server.house.choosing.declare_act(nurse, record, "visit-today"))
    other = server.staff("team-doctor").post("Observation", json=group(record, "O-", code="77397-8"))
    assert other.status_code == 201


def test_two_groups_that_contradict_each_other_do_not_come_in_one_transaction(server: Served) -> None:
    record = server.record("father")
    run(
        server.house.choosing.declare_act(
            server.installation.as_staff("team-doctor"), server.installation.record("father"), "visit-today"
        )
    )
    entries = [
        {"resource": group(record, text), "request": {"method": "POST", "url": "Observation"}}
        for text in ("A+", "O-")
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = server.staff("team-doctor").post("", json=bundle)
    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert sorted(statuses) == ["201", "202"]


def test_what_is_imported_is_the_structures_own_past_and_waits_for_nobody(server: Served) -> None:
    """The import writes through the same place, as a service that deposits (ADR 60)."""

    asking = server.installation.as_staff("attending")
    record = server.installation.record()
    before = made(server.staff("attending").post("AllergyIntolerance", json=allergy(record)))
    reference = f"AllergyIntolerance/{before['id']}"
    changed = incoming.read(json.dumps({**before, "criticality": "low"}).encode())

    def job(pen: Pen) -> str:
        pen.imported = True
        owner = incoming.owning_reference(changed, before["id"])
        return writing.change(pen, changed, before["id"], owner, 1, imported=True).waiting

    assert run(server.house.writing.run(asking, [f"Patient/{record}"], job)) == ""
    assert standing(server, reference)["criticality"] == "low"

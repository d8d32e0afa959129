"""Ways to make one's own access, or to hear more than was said, that a reviewer looked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from serment.errors import RefusedError
from serment.ledger.entry import Interaction
from serment.model import Act, Actor, ActorId, Function, Instant
from serment.record import gate, incoming, trace
from serment.record.care.explaining import Explaining
from serment.record.passage import SEARCHES
from tests.doors.samples import Json, bundle, by_rpps, consent, entry, person, weight
from tests.doors.served import Served, sentence, served
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("grounds")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def facts(server: Served, record: str) -> Any:
    """Read the sealed facts of a record, as the gate does."""
    made = server.installation
    asking, passage = made.as_patient(), server.house.passage
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{record}")
        return passage.view(snapshot, asking, located.record).facts


def visit(record: str, *actors: Actor) -> Json:
    return {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{record}"},
        "participant": [{"individual": by_rpps(actor.id)} for actor in actors],
    }


def emergency(server: Served, actor: Actor) -> httpx.Client:
    return server.client(actor, Serment_Purpose="ETREAT", Serment_Reason="immediate-risk")


# One's own ground.


def test_a_trainee_in_an_emergency_does_not_name_the_supervisor(server: Served) -> None:
    """Who stands with a supervisor would stand on what they wrote for them."""
    doctor = server.installation.staff("second-associate")
    trainee = replace(
        doctor, id=ActorId("rpps:10000000009"), function=Function.TRAINEE, supervisor=ActorId(doctor.id)
    )
    record = server.record()
    assert server.client(trainee).get(f"Patient/{record}").status_code == 404
    made = emergency(server, trainee).post("Encounter", json=visit(record, doctor))
    assert made.status_code == 201, made.text
    assert server.client(trainee).get(f"Patient/{record}").status_code == 404


def test_an_act_of_care_that_has_ended_is_no_ground_for_a_new_one(server: Served) -> None:
    """In by an emergency, a doctor of a year ago would write themselves in for the year to come."""
    doctor = server.installation.staff("second-associate")
    attending, record = server.staff("attending"), server.record()
    past = visit(record, doctor) | {
        "status": "finished",
        "period": {"start": "2020-01-01", "end": "2020-01-01"},
    }
    assert attending.post("Encounter", json=past).status_code == 201
    made = emergency(server, doctor).post("Encounter", json=visit(record, doctor))
    assert made.status_code == 201, made.text
    assert server.client(doctor).get(f"Patient/{record}").status_code == 404


def test_a_consent_is_not_recorded_by_who_came_in_by_an_emergency(server: Served) -> None:
    """The person could not speak: a colleague would be let in by words that nobody said."""
    made, record = server.installation, server.record()
    colleague = {"role": {"text": "x"}, "reference": by_rpps(made.staff("unrelated-doctor").id)}
    said = consent(record, type="permit", actor=[colleague])
    refused = emergency(server, made.staff("second-associate")).post("Consent", json=said)
    assert (refused.status_code, sentence(refused)) == (403, "record.choice-not-yours")
    assert server.staff("unrelated-doctor").get(f"Patient/{record}").status_code == 404


@pytest.mark.parametrize("role", ["unrelated-doctor", "team-doctor"])
def test_a_directory_entry_does_not_come_to_name_its_writer(server: Served, role: str) -> None:
    """Every later act of care, block or confirmation that refers to the entry would name the writer."""
    thief = server.installation.staff(role)
    client = server.staff(role)
    found = client.get("Practitioner", params={"family": "Vasselin"}).json()["entry"][0]["resource"]
    moved = found | {"identifier": [by_rpps(thief.id)["identifier"]]}
    version = {"if-match": f'W/"{found["meta"]["versionId"]}"'}
    answer = client.put(f"Practitioner/{found['id']}", json=moved, headers=version)
    assert (answer.status_code, sentence(answer)) == (400, "record.professional-moved")
    nobody = client.post(
        "Practitioner", json={"resourceType": "Practitioner", "name": [{"family": "Personne"}]}
    )
    mine = nobody.json() | {"identifier": [by_rpps(thief.id)["identifier"]]}
    answer = client.put(f"Practitioner/{mine['id']}", json=mine, headers={"if-match": 'W/"1"'})
    assert (answer.status_code, sentence(answer)) == (400, "record.professional-moved")
    renamed = found | {"name": [{"family": "Vasselin", "given": ["Autre"]}]}
    assert client.put(f"Practitioner/{found['id']}", json=renamed, headers=version).status_code in {200, 412}


def test_a_birth_date_that_is_mended_ends_the_mandate_of_a_parent(server: Served) -> None:
    doctor = server.staff("attending")
    made = doctor.post("Patient", json=person("Carlier", "2019-09-09")).json()
    assert facts(server, made["id"]).birth_date == "2019-09-09"
    answer = doctor.put(
        f"Patient/{made['id']}", json=made | {"birthDate": "1999-09-09"}, headers={"if-match": 'W/"1"'}
    )
    assert answer.status_code == 200, answer.text
    assert facts(server, made["id"]).birth_date == "1999-09-09"


# The patient's word.


def test_a_consent_masks_what_is_created_after_it_in_the_same_transaction(server: Served) -> None:
    record = server.record()
    data = [
        {"meaning": "instance", "reference": {"reference": "urn:uuid:8a0d9f0e-5a52-4a39-8f0e-3a4b5c6d7e8f"}}
    ]
    mask = entry(consent(record, data=data))
    item = entry(weight(record)) | {"fullUrl": "urn:uuid:8a0d9f0e-5a52-4a39-8f0e-3a4b5c6d7e8f"}
    answer = server.patient().post(f"{server.address}/fhir", json=bundle(mask, item))
    assert answer.status_code == 200, answer.text
    id_ = answer.json()["entry"][1]["response"]["location"].split("/Observation/")[1].split("/")[0]
    assert server.patient().get(f"Observation/{id_}").status_code == 200
    assert server.staff("team-doctor").get(f"Observation/{id_}").status_code == 404


@pytest.mark.parametrize("written", ["{base}/{item}", "{item}/_history/1"])
def test_a_mask_hides_the_item_however_it_is_named(server: Served, written: str) -> None:
    record, item = server.record(), server.installation.item("maskable")
    data = [
        {"meaning": "instance", "reference": {"reference": written.format(base=server.house.base, item=item)}}
    ]
    made = server.patient().post("Consent", json=consent(record, data=data))
    assert made.status_code == 201, made.text
    assert server.staff("team-doctor").get(item).status_code == 404
    assert server.patient().delete(f"Consent/{made.json()['id']}").status_code == 200
    assert server.staff("team-doctor").get(item).status_code == 200


def test_a_mask_that_cannot_be_set_is_refused_alike_on_hidden_and_unknown(server: Served) -> None:
    """201 on a mask that hides nothing would be the patient's word lost."""
    made, record = server.installation, server.record()
    item = made.item("maskable")
    run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    answers = []
    for one in (item, f"Observation/{UNKNOWN}"):
        data = [{"meaning": "instance", "reference": {"reference": one}}]
        answers.append(server.staff("team-doctor").post("Consent", json=consent(record, data=data)))
    run(made.house.choosing.unmask(made.as_patient(), made.record(), item))
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


def test_one_mask_lifted_leaves_what_the_same_consent_said_beside_it(server: Served) -> None:
    made, record = server.installation, server.record()
    observation = made.item("maskable")
    other = server.staff("attending").post("Observation", json=weight(record)).json()["id"]
    data = [
        {"meaning": "instance", "reference": {"reference": one}}
        for one in (observation, f"Observation/{other}")
    ]
    assert server.patient().post("Consent", json=consent(record, data=data)).status_code == 201
    run(made.house.choosing.unmask(made.as_patient(), made.record(), observation))
    doctor = server.staff("team-doctor")
    assert doctor.get(observation).status_code == 200
    assert doctor.get(f"Observation/{other}").status_code == 404
    run(made.house.choosing.unmask(made.as_patient(), made.record(), f"Observation/{other}"))
    assert doctor.get(f"Observation/{other}").status_code == 200


# What is hidden.


def test_explain_tells_the_holder_of_an_item_not_announced_what_it_tells_of_none(server: Served) -> None:
    made = server.installation
    item = made.item("announcement", "waiting")
    explaining, me = Explaining(made.house.passage), made.as_patient("waiting")
    type_ = item.partition("/")[0]
    told = [run(explaining.explain(me, one, Act.READ)) for one in (item, f"{type_}/{UNKNOWN}")]
    shown = [(one.permitted, one.rule, one.missing, one.lifted_by, one.asker, one.offered) for one in told]
    assert shown[0] == shown[1]


def test_two_people_of_one_name_and_birth_date_are_both_found(server: Served) -> None:
    secretary = server.staff("secretary")
    twins = {secretary.post("Patient", json=person("Jumeau", "2001-01-01")).json()["id"] for _ in range(2)}
    found = server.staff("nurse").get("Patient", params={"birthdate": "2001-01-01", "family": "Jumeau"})
    assert found.status_code == 200, found.text
    assert {one["resource"]["id"] for one in found.json()["entry"]} == twins


def test_a_condition_on_people_spends_the_budget_of_searches(server: Served) -> None:
    """A transaction that is undone leaves no trace: as many as one likes would be a search of people."""
    nobody = entry(person("Introuvable", "1900-01-01"), ifNoneExist="birthdate=1900-01-01&family=Introuvable")
    fails = entry(None, "DELETE", f"Observation/{UNKNOWN}")
    midwife = server.client(
        replace(server.installation.staff("second-associate"), id=ActorId("rpps:10000000017"))
    )
    said = [midwife.post(f"{server.address}/fhir", json=bundle(fails, nobody)) for _ in range(SEARCHES + 1)]
    assert {answer.status_code for answer in said[:SEARCHES]} == {404}
    assert said[-1].status_code == 429


# Doors.


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_trace_is_not_written_through_a_bundle(server: Served, kind: str) -> None:
    forged = {
        "resourceType": "AuditEvent",
        "type": {"code": "rest"},
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"requestor": True}],
        "source": {"observer": {"display": "x"}},
        "entity": [{"what": {"reference": f"Patient/{server.record()}"}}],
    }
    answer = server.staff("attending").post(f"{server.address}/fhir", json=bundle(entry(forged), kind=kind))
    told = answer.json() if kind == "transaction" else answer.json()["entry"][0]["response"]
    assert (told.get("status") or str(answer.status_code)).startswith("404")


def test_whoever_may_begin_no_record_makes_no_key(server: Served) -> None:
    """Every key is a row of custody's file for ever: a patient may send many a Patient."""
    answer = server.patient().post("Patient", json=person("Intrus"))
    assert (answer.status_code, sentence(answer)) == (403, "record.not-writable")
    asking = server.installation.as_patient()
    sent = incoming.read(json.dumps(person("Intrus")).encode())
    assert run(server.house.writing.births(asking, [(sent, UNKNOWN)])) == {}


def test_a_form_without_a_length_is_cut_at_its_limit(server: Served) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 1024

    answer = httpx.post(f"{server.address}/sign-out", content=endless(), cookies={"serment": "x"})
    assert answer.status_code == 413


def test_a_permit_ends_while_its_trace_waits(server: Served) -> None:
    """The disk is full for two minutes, the patient speaks meanwhile: the old permit opens nothing."""
    made = server.installation
    asking, later = made.as_staff("team-doctor"), [0]
    passage = replace(made.house.passage, clock=lambda: Instant(asking.now + later[0]))
    type_, _, id_ = made.item("maskable").partition("/")
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"{type_}/{id_}")
        view = passage.view(snapshot, asking, located.record)
        item = gate.current(snapshot, view, located.pack, (type_, id_, ""), Act.READ)
        assert isinstance(item, gate.Item)
        sealed = gate.fetch(snapshot, view, [item])[0]
    entries = trace.of_access(passage, view, Interaction.READ, [trace.touched(item, asking)])
    receipt = trace.durable(passage, entries).result()[0]
    assert gate.reveal(view, receipt, sealed)
    later[0] = 120_000
    with pytest.raises(RefusedError) as refused:
        gate.reveal(view, receipt, sealed)
    assert refused.value.sentence == "keys.permit-expired"


def test_a_change_by_who_may_not_see_the_telephone_leaves_it_where_it_was(server: Served) -> None:
    """Opposed for contact, a secretary mends the name: the telephone is neither shown to them nor lost."""
    secretary = server.staff("secretary")
    phone = {"telecom": [{"system": "phone", "value": "0612345678"}]}
    made = secretary.post("Patient", json=person("Tellier", "1988-08-08", **phone)).json()
    holder = server.client(replace(server.patient_actor(), id=ActorId(f"patient:{made['id']}")))
    opposed = {"class": [{"system": "urn:serment:category", "code": "contact"}]}
    assert holder.post("Consent", json=consent(made["id"], **opposed)).status_code == 201
    address = f"Patient/{made['id']}"
    declared = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueCode": "visit-today"}]}
    doctor = server.staff("team-doctor")
    assert doctor.post(f"{address}/$declare-act", json=declared).status_code == 200
    seen = doctor.get(address).json()
    assert "telecom" not in seen
    renamed = seen | {"name": [{"family": "Tellier-Vial", "given": ["Anaïs"]}]}
    answer = doctor.put(address, json=renamed, headers={"if-match": 'W/"1"'})
    assert answer.status_code == 200, answer.text
    read = holder.get(address).json()
    assert (read["telecom"], read["name"][0]["family"]) == (phone["telecom"], "Tellier-Vial")
    versions = holder.get(f"{address}/_history").json()["entry"]
    assert [one["resource"]["telecom"] for one in versions] == [phone["telecom"], phone["telecom"]]
    searched = holder.get("Patient", params={"birthdate": "1988-08-08", "family": "Tellier-Vial"})
    assert searched.status_code == 200, searched.text
    assert searched.json()["entry"][0]["resource"]["telecom"] == phone["telecom"]

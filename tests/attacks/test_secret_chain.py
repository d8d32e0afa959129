"""A parent looks for the adolescent's secret in what surrounds it: orders, results, medicines, claims.

Data, counts, gaps and notices (CSP R1111-33, R1111-50). Each test writes the chain in another order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from serment.model import Actor, Purpose
from serment.record.founding import FOUNDER
from serment.record.writing import new_id
from tests.attacks.test_family import found, near, related
from tests.doors.samples import Json, bundle, entry, weight
from tests.doors.served import FHIR, Served, sentence, served

SECRET = {
    "security": [
        {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_REPRESENTANTS_LEGAUX"},
    ]
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("chain")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


@pytest.fixture
def parent(server: Served) -> Actor:
    """A parent whom the practice recorded: another for each test, since refusals are counted."""
    return near(server, server.staff("secretary"), related(server.record("adolescent"), "MTH"))


def service(server: Served) -> httpx.Client:
    """The structure's service, which deposits what laboratory, pharmacy and insurer send."""
    actor = replace(FOUNDER, structure=server.installation.staff("attending").structure)
    token = server.token(actor, Purpose.RECORD_MANAGEMENT)
    headers = {"authorization": f"Bearer {token}", "content-type": FHIR}
    return server.calling(f"{server.address}/fhir/", headers)


def coded(text: str) -> Json:
    return {"text": text}


LAB = "http://terminology.hl7.org/CodeSystem/observation-category"
PATIENT = {"reference": "Patient/<child>"}
CHAIN: dict[str, Json] = {
    "visit": {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": PATIENT,
    },
    "order": {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": PATIENT,
        "code": {"text": "Bilan"},
        "encounter": {"reference": "<visit>"},
    },
    "result": {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": LAB, "code": "laboratory"}]}],
        "code": {"text": "Dosage"},
        "subject": PATIENT,
        "basedOn": [{"reference": "<order>"}],
    },
    "report": {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Compte rendu"},
        "subject": PATIENT,
        "result": [{"reference": "<result>"}],
    },
    "medicine": {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "subject": PATIENT,
        "medicationCodeableConcept": {"text": "Comprimé"},
        "encounter": {"reference": "<visit>"},
    },
    "dispensed": {
        "resourceType": "MedicationDispense",
        "status": "completed",
        "subject": PATIENT,
        "medicationCodeableConcept": {"text": "Comprimé"},
        "authorizingPrescription": [{"reference": "<medicine>"}],
    },
    "claim": {
        "resourceType": "Claim",
        "status": "active",
        "type": {"text": "Pharmacie"},
        "use": "claim",
        "patient": PATIENT,
        "created": "2026-11-01",
        "provider": {"display": "Pharmacie"},
        "priority": {"text": "normal"},
        "prescription": {"reference": "<medicine>"},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "AMO"}}],
    },
    "benefit": {
        "resourceType": "ExplanationOfBenefit",
        "status": "active",
        "type": {"text": "Pharmacie"},
        "use": "claim",
        "patient": PATIENT,
        "created": "2026-11-02",
        "insurer": {"display": "AMO"},
        "provider": {"display": "Pharmacie"},
        "outcome": "complete",
        "claim": {"reference": "<claim>"},
        "insurance": [{"focal": True, "coverage": {"display": "AMO"}}],
    },
    "paper": {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": PATIENT,
        "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
        "content": [{"attachment": {"contentType": "text/plain", "data": "YQ=="}}],
        "context": {"related": [{"reference": "<visit>"}]},
    },
    "booking": {
        "resourceType": "Appointment",
        "status": "booked",
        "participant": [{"actor": PATIENT, "status": "accepted"}],
        "start": "2026-12-01T10:00:00Z",
        "end": "2026-12-01T10:15:00Z",
        "basedOn": [{"reference": "<order>"}],
    },
}
"""Every act around one visit, in the order in which they are written; `<name>` refers to another."""

ORDER = tuple(CHAIN)


def chain(child: str, names: dict[str, str]) -> dict[str, Json]:
    """Make every act around one visit; `names` says how each is referred to."""
    text = json.dumps(CHAIN).replace("<child>", child)
    for name, reference in names.items():
        text = text.replace(f"<{name}>", reference)
    made: dict[str, Json] = json.loads(text)
    return made


def written(client: httpx.Client, child: str, secret: str = "") -> dict[str, str]:
    """Write the chain one by one, from the visit on; the one called `secret` states the label."""
    names = dict.fromkeys(ORDER, "Encounter/later")
    for name in ORDER:
        resource = chain(child, names)[name]
        if name == secret:
            resource["meta"] = SECRET
        made = client.post(resource["resourceType"], json=resource)
        assert made.status_code == 201, (name, made.text)
        location = made.headers["location"].split("/fhir/")[1].split("/_history")[0]
        names[name] = location
    return names


def hidden(server: Served, parent: Actor, names: dict[str, str]) -> dict[str, bool]:
    """Say of each item whether it is hidden from the parent, and shown to the adolescent."""
    mother, child = server.client(parent), server.patient("adolescent")
    assert {child.get(name).status_code for name in names.values()} == {200}
    return {key: mother.get(name).status_code == 404 for key, name in names.items()}


ALL = dict.fromkeys(ORDER, True)


def seen(server: Served, parent: Actor) -> dict[str, Any]:
    """Give what a parent may count: totals by type, the whole, the summary, the trace."""
    record, mother = server.record("adolescent"), server.client(parent)
    types = sorted({name["resourceType"] for name in chain(record, dict.fromkeys(ORDER, "x")).values()})
    counted = {
        one: mother.get(f"{one}?patient={record}&_summary=count").json()["total"]
        for one in types
        if one != "Binary"
    }
    listed = {one: sorted(found(mother, f"{one}?patient={record}&_count=200")) for one in types}
    whole = mother.get(f"Patient/{record}/$everything?_count=500").json()
    everything = sorted(one["fullUrl"] for one in whole.get("entry", []) if "fullUrl" in one)
    summary = mother.get(f"Patient/{record}/$summary").text.count("fullUrl")
    return {"counted": counted, "listed": listed, "everything": everything, "summary": summary}


def lines(server: Served, parent: Actor) -> int:
    """Count the lines of the record's list of accesses that the parent reads of others."""
    record = server.record("adolescent")
    body = server.client(parent).get(f"AuditEvent?patient={record}&_count=500").json()
    events = [one["resource"] for one in body["entry"] if one["search"]["mode"] == "match"]
    return sum(parent.id not in str(one["agent"]) for one in events)


def test_what_follows_a_secret_visit_is_hidden(server: Served, parent: Actor) -> None:
    doctor, child = server.staff("attending"), server.record("adolescent")
    before, told = seen(server, parent), lines(server, parent)
    visit = doctor.post(
        "Encounter", json={**chain(child, dict.fromkeys(ORDER, "x/y"))["visit"], "meta": SECRET}
    )
    name = visit.headers["location"].split("/fhir/")[1].split("/_history")[0]
    order = doctor.post("ServiceRequest", json=chain(child, dict.fromkeys(ORDER, name))["order"])
    assert order.status_code == 201
    assert server.client(parent).get(order.headers["location"]).status_code == 404
    assert seen(server, parent) == before
    assert lines(server, parent) == told


def test_what_laboratory_pharmacy_and_insurer_send_is_hidden(server: Served, parent: Actor) -> None:
    """The service that deposits reads no secret; what it deposits joins the chain all the same."""
    before, told = seen(server, parent), lines(server, parent)
    names = written(service(server), server.record("adolescent"), "visit")
    assert hidden(server, parent, names) == ALL
    assert seen(server, parent) == before
    assert lines(server, parent) == told


@pytest.mark.parametrize("asked_for", ["visit", "medicine", "order"])
def test_secrecy_that_is_asked_for_afterwards_reaches_the_whole_chain(
    server: Served, parent: Actor, asked_for: str
) -> None:
    before = seen(server, parent)
    names = written(service(server), server.record("adolescent"))
    assert not any(hidden(server, parent, names).values())
    relabel(server.staff("attending"), names[asked_for], SECRET)
    assert hidden(server, parent, names) == ALL
    assert seen(server, parent) == before
    for name in names.values():
        assert server.client(parent).get(f"{name}/_history").status_code == 404
        assert server.client(parent).get(f"{name}/_history/1").status_code == 404


def test_a_secret_result_hides_the_order_and_the_visit_behind_it(server: Served, parent: Actor) -> None:
    child, deposit = server.record("adolescent"), service(server)
    names = written(deposit, child)
    secret = chain(child, names)["result"] | {"meta": SECRET}
    assert server.staff("attending").post("Observation", json=secret).status_code == 201
    assert hidden(server, parent, names) == ALL


def test_a_transaction_that_says_the_secret_last(server: Served, parent: Actor) -> None:
    child, told = server.record("adolescent"), lines(server, parent)
    before = seen(server, parent)
    urls = {name: f"urn:uuid:{new_id()}" for name in ORDER}
    sent = chain(child, urls)
    sent["medicine"]["meta"] = SECRET
    entries = [{**entry(sent[name]), "fullUrl": urls[name]} for name in ORDER]
    made = service(server).post("", json=bundle(*entries))
    assert made.status_code == 200, made.text
    places = [one["response"]["location"].split("/fhir/")[-1] for one in made.json()["entry"]]
    names = {name: place.partition("/_history")[0] for name, place in zip(ORDER, places, strict=True)}
    assert hidden(server, parent, names) == ALL
    assert seen(server, parent) == before
    assert lines(server, parent) == told


def test_an_update_does_not_let_the_secret_out(server: Served, parent: Actor) -> None:
    names = written(service(server), server.record("adolescent"), "visit")
    doctor = server.staff("attending")
    held = doctor.get(names["medicine"])
    changed = {**held.json(), "note": [{"text": "Avec un repas"}]}
    put = doctor.put(names["medicine"], json=changed, headers={"if-match": held.headers["etag"]})
    assert put.status_code == 200, put.text
    assert hidden(server, parent, names) == ALL


def test_what_was_made_visible_is_never_hidden_again(server: Served, parent: Actor) -> None:
    names = written(service(server), server.record("adolescent"), "visit")
    doctor, mother = server.staff("attending"), server.client(parent)
    assert relabel(doctor, names["visit"], None).status_code == 400
    assert relabel(doctor, names["visit"], None, "asked by the person").status_code == 200
    assert mother.get(names["visit"]).status_code == 200
    assert mother.get(names["medicine"]).status_code == 404
    again = relabel(doctor, names["visit"], SECRET)
    assert (again.status_code, sentence(again)) == (400, "record.secret-shown")
    secret = chain(server.record("adolescent"), names)["order"] | {"meta": SECRET}
    assert doctor.post("ServiceRequest", json=secret).status_code == 201
    assert mother.get(names["visit"]).status_code == 200


def test_a_parent_guesses_an_id_and_writes_about_it(server: Served, parent: Actor) -> None:
    """What a proxy writes joins no chain: it would vanish from their eyes, and tell."""
    child = server.record("adolescent")
    names = written(service(server), child, "visit")
    mother = server.client(parent)
    for target in (names["visit"], "Encounter/00000000-0000-4000-8000-000000000000"):
        made = mother.post("Observation", json=weight(child, encounter={"reference": target}))
        assert made.status_code == 201
        assert mother.get(made.headers["location"]).status_code == 200


def test_a_lasting_problem_does_not_hide_the_visits_of_years(server: Served, parent: Actor) -> None:
    """An asthma that a secret visit speaks of stays the asthma that the parents know."""
    child, doctor = server.record("adolescent"), server.staff("attending")
    problem = {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{child}"},
        "code": coded("Asthme"),
    }
    asthma = (
        doctor.post("Condition", json=problem).headers["location"].split("/fhir/")[1].split("/_history")[0]
    )
    reason = {"reasonReference": [{"reference": asthma}]}
    plain = chain(child, dict.fromkeys(ORDER, "x"))["visit"] | reason
    known = doctor.post("Encounter", json=plain).headers["location"]
    assert doctor.post("Encounter", json=plain | {"meta": SECRET}).status_code == 201
    mother = server.client(parent)
    assert (mother.get(asthma).status_code, mother.get(known).status_code) == (200, 200)


NUMBER = {"system": "urn:oid:1.2.3.4.5", "value": "Dem-2026-0042"}


def numbered(child: str, number: Json, **named: Json) -> dict[str, Json]:
    """An order that bears a number, and a result that names the order by it alone."""
    sent = chain(child, dict.fromkeys(ORDER, "x"))
    order = sent["order"] | {"identifier": [number]}
    del order["encounter"]
    return {"order": order | named, "result": sent["result"] | {"basedOn": [{"identifier": number}]} | named}


def placed(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].split("/fhir/")[1].split("/_history")[0]


@pytest.mark.parametrize("named", [NUMBER, {"value": "DEM-2026-0043"}], ids=["with its system", "alone"])
def test_a_result_that_names_a_secret_order_by_its_number_is_hidden(
    server: Served, parent: Actor, named: Json
) -> None:
    child, mother = server.record("adolescent"), server.client(parent)
    before = seen(server, parent)
    sent = numbered(child, NUMBER | named)
    order = placed(server.staff("attending").post("ServiceRequest", json=sent["order"] | {"meta": SECRET}))
    result = sent["result"] | {"basedOn": [{"identifier": named}]}
    made = placed(service(server).post("Observation", json=result))
    assert [mother.get(one).status_code for one in (order, made)] == [404, 404]
    assert seen(server, parent) == before


def test_secrecy_asked_for_afterwards_reaches_what_names_the_order_by_its_number(
    server: Served, parent: Actor
) -> None:
    child, mother = server.record("adolescent"), server.client(parent)
    number = NUMBER | {"value": "Dem-2026-0044"}
    sent = numbered(child, number)
    made = service(server)
    order = placed(made.post("ServiceRequest", json=sent["order"]))
    result = placed(made.post("Observation", json=sent["result"]))
    assert [mother.get(one).status_code for one in (order, result)] == [200, 200]
    relabel(server.staff("attending"), order, SECRET)
    assert [mother.get(one).status_code for one in (order, result)] == [404, 404]


def test_a_secret_result_hides_the_order_that_it_names_by_number(server: Served, parent: Actor) -> None:
    child, mother = server.record("adolescent"), server.client(parent)
    sent = numbered(child, NUMBER | {"value": "Dem-2026-0045"})
    order = placed(service(server).post("ServiceRequest", json=sent["order"]))
    assert mother.get(order).status_code == 200
    secret = sent["result"] | {"meta": SECRET}
    placed(server.staff("attending").post("Observation", json=secret))
    assert mother.get(order).status_code == 404


def test_a_number_of_another_system_draws_nothing_along(server: Served, parent: Actor) -> None:
    child, mother = server.record("adolescent"), server.client(parent)
    sent = numbered(child, NUMBER | {"value": "Dem-2026-0046"})
    placed(server.staff("attending").post("ServiceRequest", json=sent["order"] | {"meta": SECRET}))
    other = {"system": "urn:oid:9.9.9", "value": "Dem-2026-0046"}
    made = placed(
        service(server).post("Observation", json=sent["result"] | {"basedOn": [{"identifier": other}]})
    )
    assert mother.get(made).status_code == 200


def relabel(doctor: httpx.Client, name: str, meta: Json | None, reason: str = "") -> httpx.Response:
    """Write an item again with other labels."""
    held = doctor.get(name)
    changed = {key: value for key, value in held.json().items() if key != "meta"}
    sent = {"if-match": held.headers["etag"], **({"serment-relabel-reason": reason} if reason else {})}
    return doctor.put(name, json=changed | ({"meta": meta} if meta else {}), headers=sent)

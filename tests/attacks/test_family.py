"""What those near the patient try: carers who widen, parents who pry, heirs too early, abusers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from serment.model import Actor, ActorId, ActorKind
from tests.doors.samples import Json, consent, weight
from tests.doors.served import Served, sentence, served

BASIS = "urn:serment:mandate-basis"
CATEGORY = "urn:serment:category"
LATER = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
TODAY = datetime.now(UTC).date()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("family")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def related(record: str, code: str = "", basis: str = "", **more: Any) -> Json:
    """Make somebody near the patient."""
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code or "FRND"}
    codings = [role, *([{"system": BASIS, "code": basis}] if basis else [])]
    return {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{record}"},
        "relationship": [{"coding": codings}],
        "name": [{"family": "Lemonnier", "given": ["Solène"]}],
        **more,
    }


def near(server: Served, by: httpx.Client, resource: Json) -> Actor:
    """Write somebody near the patient, and sign them in."""
    made = by.post("RelatedPerson", json=resource)
    assert made.status_code == 201, made.text
    return Actor(ActorId(f"proxy:{made.json()['id']}"), ActorKind.PROXY, "Solène Lemonnier")


def naming(record: str, carer: Actor, *categories: str, end: str = LATER, **more: Any) -> Json:
    """Say which categories a carer may read, and until when."""
    who = {"role": {"text": "carer"}, "reference": {"reference": f"RelatedPerson/{carer.id[6:]}"}}
    period = {"period": {"end": end}} if end else {}
    scope = (
        {"class": [{"system": CATEGORY, "code": category} for category in categories]} if categories else {}
    )
    return consent(record, type="permit", actor=[who], **period, **scope, **more)


def found(client: httpx.Client, path: str) -> list[str]:
    """Give the references that a search finds; its total says the same."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    items = [
        f"{one['resource']['resourceType']}/{one['resource']['id']}"
        for one in body.get("entry", [])
        if one["search"]["mode"] == "match"
    ]
    assert body.get("total", len(items)) >= len(items)
    return items


# Carers.


@pytest.mark.capability("4-17", "lets")
def test_the_patient_gives_a_carer_a_login_a_scope_and_an_end(server: Served) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    assert server.client(carer).get(f"Patient/{record}").status_code == 404
    assert patient.post("Consent", json=naming(record, carer, "identity", "vitals")).status_code == 201
    client = server.client(carer)
    assert client.get(f"Patient/{record}").status_code == 200
    mine = patient.post("Observation", json=weight(record)).json()["id"]
    assert client.get(f"Observation/{mine}").status_code == 200
    assert "telecom" not in client.get(f"Patient/{record}").json()
    assert found(client, f"MedicationRequest?patient={record}") == []


@pytest.mark.capability("4-17", "refuses")
def test_a_carer_widens_their_own_scope(server: Served) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    patient.post("Consent", json=naming(record, carer, "identity", "vitals"))
    client = server.client(carer)
    wider = client.post("Consent", json=naming(record, carer, "treatments", "labs"))
    assert wider.status_code == 403, wider.text
    friend = client.post("RelatedPerson", json=related(record))
    assert friend.status_code == 403
    assert found(client, f"MedicationRequest?patient={record}") == []


def test_a_carer_asks_for_the_choices_and_for_the_trace(server: Served) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    said = patient.post("Consent", json=naming(record, carer, "identity", "vitals", "choices")).json()["id"]
    client = server.client(carer)
    assert client.get(f"Consent/{said}").status_code == 404
    assert found(client, f"Consent?patient={record}") == []
    assert found(client, f"AuditEvent?patient={record}") == []


def test_a_carer_asks_for_what_is_masked(server: Served) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    patient.post("Consent", json=naming(record, carer, "vitals"))
    item = patient.post("Observation", json=weight(record, 91.5)).json()["id"]
    client = server.client(carer)
    before = found(client, f"Observation?patient={record}&_count=100")
    hidden = {"meaning": "instance", "reference": {"reference": f"Observation/{item}"}}
    assert patient.post("Consent", json=consent(record, data=[hidden])).status_code == 201
    assert client.get(f"Observation/{item}").status_code == 404
    after = found(client, f"Observation?patient={record}&_count=100")
    assert set(before) - set(after) == {f"Observation/{item}"}


@pytest.mark.parametrize("who", ["attending", "secretary"])
def test_somebody_else_names_a_carer(server: Served, who: str) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    said = server.staff(who).post("Consent", json=naming(record, carer, "identity"))
    assert said.status_code == 403, said.text
    assert server.client(carer).get(f"Patient/{record}").status_code == 404


def test_a_representative_names_a_carer(server: Served) -> None:
    record = server.record("adolescent")
    mother = near(server, server.staff("secretary"), related(record, "MTH"))
    friend = near(server, server.patient("adolescent"), related(record))
    said = server.client(mother).post("Consent", json=naming(record, friend, "identity"))
    assert (said.status_code, sentence(said)) == (403, "record.carer-not-yours")


@pytest.mark.parametrize(
    ("categories", "end"), [((), LATER), (("identity",), ""), (("identity",), "2020-01-01")]
)
def test_a_carer_without_scope_or_end(server: Served, categories: tuple[str, ...], end: str) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    said = patient.post("Consent", json=naming(record, carer, *categories, end=end))
    assert (said.status_code, sentence(said)) == (400, "record.carer-scope")


def test_a_carer_of_another_record(server: Served) -> None:
    husband, record = server.patient("husband"), server.record()
    carer = near(server, husband, related(server.record("husband")))
    said = server.patient().post("Consent", json=naming(record, carer, "identity"))
    assert said.status_code == 404
    assert server.client(carer).get(f"Patient/{record}").status_code == 404


def test_a_carer_looks_for_the_day_on_which_they_were_removed(server: Served) -> None:
    """Removing is silent: who was removed meets what somebody who was never named meets."""
    patient, record = server.patient(), server.record()
    carer, stranger = (near(server, patient, related(record)) for _ in range(2))
    said = patient.post("Consent", json=naming(record, carer, "identity", "vitals")).json()["id"]
    assert server.client(carer).get(f"Patient/{record}").status_code == 200
    assert patient.delete(f"Consent/{said}").status_code in {200, 204}
    for path in (
        f"Patient/{record}",
        f"Patient/{record}/_history",
        f"Consent/{said}",
        f"RelatedPerson/{carer.id[6:]}",
        f"Observation?patient={record}",
        f"AuditEvent?patient={record}",
        f"Patient/{record}/$everything",
    ):
        removed, never = (server.client(one).get(path) for one in (carer, stranger))
        assert removed.status_code == never.status_code, path
        assert told(removed) == told(never), path


def told(answer: httpx.Response) -> Any:
    """Give what an answer says, without what no two answers share."""
    body = answer.json()
    return {name: value for name, value in body.items() if name not in {"id", "meta", "link"}}

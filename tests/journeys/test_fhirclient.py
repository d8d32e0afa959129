"""A clinic's day with `fhirclient`, the Python client of SMART Health IT, against both stores.

Its models are strict: an answer with an element that R4 does not know, or of another type, is an error
there. It knows no `If-Match`, `If-None-Exist` nor PATCH: those go by its session's headers.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import requests
from fhirclient._utils import iter_pages
from fhirclient.client import FHIRClient
from fhirclient.models.binary import Binary
from fhirclient.models.bundle import Bundle
from fhirclient.models.condition import Condition
from fhirclient.models.consent import Consent
from fhirclient.models.encounter import Encounter
from fhirclient.models.medicationrequest import MedicationRequest
from fhirclient.models.observation import Observation
from fhirclient.models.operationoutcome import OperationOutcome
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRUnauthorizedException

from tests.doors.samples import Json, consent, weight
from tests.doors.served import Served, served
from tests.journeys import clinic

REFUSED = (requests.HTTPError, FHIRNotFoundException, FHIRUnauthorizedException)


@pytest.fixture(scope="module", params=clinic.STORES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("fhirclient"), store=request.param) as running:
        yield running


@pytest.fixture
def sign_in(place: Served) -> Iterator[Callable[[str], Any]]:
    """Give what signs a role of the cast in, and answers with its `FHIRServer`."""
    sessions = []

    def signed_in(role: str = "attending") -> Any:
        actor = place.patient_actor(role) if role == "patient" else place.installation.staff(role)
        made = FHIRClient({"app_id": "clinic", "api_base": f"{place.address}/fhir"})
        sessions.append(made.server.session)
        made.server.session.headers["authorization"] = f"Bearer {place.token(actor)}"
        made.prepare()
        return made.server

    yield signed_in
    for one in sessions:
        one.close()


@contextmanager
def saying(server: Any, **headers: str) -> Iterator[None]:
    """Send headers that the client has no word for."""
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    server.session.headers.update(spelled)
    try:
        yield
    finally:
        for name in spelled:
            del server.session.headers[name]


def refusal(act: Callable[[], object]) -> tuple[int, str]:
    """Give the status and the sentence of a refusal, read by the client's own model."""
    with pytest.raises(REFUSED) as refused:
        act()
    answer = refused.value.response
    (issue,) = OperationOutcome(answer.json()).issue
    assert issue.details.text
    return answer.status_code, issue.details.coding[0].code


def registered(server: Any, family: str, born: str) -> str:
    """Send the transaction of a new person; give the id of the record."""
    sent = Bundle(clinic.first_visit(family, born))
    made = Bundle(server.post_json("", sent.as_json()).json())
    assert {one.response.status for one in made.entry} == {"201"}
    return str(made.entry[0].response.location.split("/")[-3])


def found(search: Any, server: Any) -> list[Any]:
    return list(search.perform_resources_iter(server))


def test_it_learns_what_the_server_does_and_finds_a_person(place: Served, sign_in: Any) -> None:
    server = sign_in()
    statement = server.capabilityStatement
    assert statement.fhirVersion == "4.0.1"
    (observation,) = [one for one in statement.rest[0].resource if one.type == "Observation"]
    assert {"read", "vread", "update", "history-instance"} <= {one.code for one in observation.interaction}
    known = Patient.read(place.record(), server)
    ins = next(one for one in known.identifier if "1.2.250.1.213.1.4" in one.system)
    (person,) = found(Patient.where({"identifier": f"{ins.system}|{ins.value}"}), server)
    assert (person.id, person.birthDate.isostring) == (place.record(), known.birthDate.isostring)


def test_every_item_of_a_record_and_its_summary_are_what_its_models_say(place: Served, sign_in: Any) -> None:
    server = sign_in()
    at = f"Patient/{place.record()}"
    pages = list(iter_pages(Bundle.read_from(f"{at}/$everything?_count=20", server), server))
    assert len(pages) > 3
    items = [f"{one.resource.resource_type}/{one.resource.id}" for page in pages for one in page.entry]
    assert len(items) == len(set(items)) == pages[0].total
    summary = Bundle.read_from(f"{at}/$summary", server)
    assert summary.entry[0].resource.resource_type == "Composition"


@pytest.mark.capability("1-30", "lets")
def test_it_writes_what_a_visit_makes_and_reads_it_back(place: Served, sign_in: Any) -> None:
    server = sign_in()
    patient = f"Patient/{place.record()}"
    visit = f"Encounter/{Encounter(clinic.encounter(patient)).create(server)['id']}"
    made: list[tuple[Any, Json]] = [
        (Observation, clinic.measure(patient, visit, 64.5)),
        (Condition, clinic.condition(patient, visit)),
        (MedicationRequest, clinic.prescription(patient, visit)),
    ]
    for model, sent in made:
        id_ = model(sent).create(server)["id"]
        read, first = (
            model.read_from(at, server).as_json()
            for at in (f"{model.resource_type}/{id_}", f"{model.resource_type}/{id_}/_history/1")
        )
        assert read == first
        assert {name: read[name] for name in sent} == sent


def test_it_corrects_and_is_told_of_a_conflict(place: Served, sign_in: Any) -> None:
    server = sign_in()
    made = Observation(Observation(weight(place.record(), 70)).create(server))
    made.valueQuantity.value = 71
    assert refusal(lambda: made.update(server)) == (400, "record.if-match-needed")
    with saying(server, If_Match=f'W/"{made.meta.versionId}"'):
        assert Observation(made.update(server)).meta.versionId == "2"
        assert refusal(lambda: made.update(server))[0] == 412
    patched = server.session.patch(
        f"{server.base_uri}{made.relativePath()}",
        data='[{"op": "replace", "path": "/valueQuantity/value", "value": 72}]',
        headers={"content-type": "application/json-patch+json"},
    )
    assert Observation(patched.json()).valueQuantity.value == 72
    told = Bundle.read_from(f"{made.relativePath()}/_history", server)
    assert [one.resource.valueQuantity.value for one in told.entry] == [72, 71, 70]


def test_it_creates_once_what_it_sends_twice(place: Served, sign_in: Any) -> None:
    server = sign_in()
    sent = weight(place.record(), identifier=[{"system": "urn:clinic", "value": "once"}])
    with saying(server, If_None_Exist=f"patient={place.record()}&identifier=urn:clinic|once"):
        first, again = (Observation(sent).create(server) for _ in range(2))
    assert first["id"] == again["id"]


def test_it_pages_and_follows_what_refers_to_what(place: Served, sign_in: Any) -> None:
    server = sign_in()
    patient = registered(server, "Fontanelle", "1979-09-09")
    weights = Observation.where(clinic.weights_of(patient))
    assert [page.total for page in weights.perform_iter(server)] == [5, 5, 5]
    assert [one.valueQuantity.value for one in found(weights, server)] == [70, 71, 72, 73, 74]
    asked = {"patient": patient, "value-quantity": "74"}
    one, visit = found(Observation.where(asked).include("encounter"), server)
    assert one.encounter.reference == visit.relativePath()
    both = found(
        Encounter.where({"patient": patient}).include("encounter", Observation, reverse=True), server
    )
    assert [one.resource_type for one in both].count("Observation") == 5
    had = {"patient": patient, "_has:Observation:encounter:value-quantity": "74"}
    assert [one.id for one in found(Encounter.where(had), server)] == [visit.id]


def test_content_goes_in_and_comes_out_whole(place: Served, sign_in: Any) -> None:
    server = sign_in()
    sent = {
        "resourceType": "Binary",
        "contentType": "application/pdf",
        "securityContext": {"reference": f"Patient/{place.record()}"},
        "data": base64.b64encode(clinic.PDF).decode(),
    }
    made = Binary(sent).create(server)
    at = f"Binary/{made['id']}"
    assert server.request_data(at, {"accept": "application/pdf"}) == clinic.PDF
    assert base64.b64decode(Binary.read(made["id"], server).data) == clinic.PDF


def test_what_it_deletes_is_gone_and_its_history_is_not(place: Served, sign_in: Any) -> None:
    server = sign_in()
    made = Observation(Observation(weight(place.record())).create(server))
    OperationOutcome(made.delete(server))
    assert refusal(lambda: Observation.read(made.id, server)) == (410, "record.gone")
    assert Observation.read_from(f"{made.relativePath()}/_history/1", server).id == made.id


def test_a_masked_item_stays_unseen(place: Served, sign_in: Any) -> None:
    doctor, holder = sign_in("team-doctor"), sign_in("patient")
    item = place.installation.item("maskable")
    everything = f"Patient/{place.record()}/$everything"

    def seen() -> set[str]:
        pages = iter_pages(Bundle.read_from(everything, doctor), doctor)
        return {one.resource.relativePath() for page in pages for one in page.entry}

    before = seen()
    data = [{"meaning": "instance", "reference": {"reference": item}}]
    word = Consent(Consent(consent(place.record(), data=data)).create(holder))
    hidden, absent = (refusal(partial(doctor.request_json, at)) for at in (item, f"{item[:-4]}0000"))
    assert hidden == absent == (404, "record.not-found")
    assert before - seen() == {item}
    word.delete(holder)
    assert seen() == before


def test_a_stranger_and_somebody_who_signed_out_read_nothing(place: Served, sign_in: Any) -> None:
    stranger, doctor = sign_in("unrelated-doctor"), sign_in()
    at = place.record()
    assert refusal(lambda: Patient.read(at, stranger)) == (404, "record.not-found")
    (told,) = found(Observation.where({"patient": at}), stranger)  # an entry of mode `outcome`, no match
    assert told.resource_type == "OperationOutcome"
    assert refusal(lambda: found(Observation.where({"patient": at, "colour": "red"}), doctor)) == (
        400,
        "search.unknown-parameter",
    )
    place.house.sessions.end(doctor.session.headers["authorization"].removeprefix("Bearer "))
    assert refusal(lambda: Patient.read(at, doctor))[0] == 401

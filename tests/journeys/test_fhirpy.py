"""A clinic's day with `fhirpy`, the Python client of Beda Software, against both stores.

Where it speaks Aidbox rather than R4 (PATCH with plain JSON, a condition of creation in the address, a
parameter of its own to count) the server refuses, and says what R4 has instead.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import (
    AuthorizationError,
    BaseFHIRError,
    MultipleResourcesFound,
    OperationOutcome,
    ResourceNotFound,
)

from tests.doors.samples import consent, weight
from tests.doors.served import Served, served
from tests.journeys import clinic

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module", params=clinic.STORES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("fhirpy"), store=request.param) as running:
        yield running


def signed_in(place: Served, role: str = "attending", **headers: str) -> Any:
    """Sign a role of the cast in; what the library types by protocols is taken as it comes."""
    actor = place.patient_actor() if role == "patient" else place.installation.staff(role)
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return SyncFHIRClient(f"{place.address}/fhir", f"Bearer {place.token(actor)}", spelled)


def with_headers(client: Any, **headers: str) -> Any:
    """Give the same client with headers that it has no word for."""
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return SyncFHIRClient(client.url, client.authorization, spelled)


def refusal(act: Callable[[], object], kind: type[BaseFHIRError] = OperationOutcome) -> str:
    """Give the sentence of a refusal, from the OperationOutcome that the client keeps."""
    with pytest.raises(kind) as refused:
        act()
    (issue,) = json.loads(str(refused.value))["issue"]
    assert issue["details"]["text"]
    return str(issue["details"]["coding"][0]["code"])


def registered(client: Any, family: str, born: str) -> str:
    """Send the transaction of a new person; give the id of the record."""
    made = client.execute("", data=clinic.first_visit(family, born))
    return str(made["entry"][0]["response"]["location"].split("/")[-3])


def ids(items: Any) -> list[str]:
    return [one.id for one in items]


def test_it_finds_a_person_and_opens_the_whole_record(place: Served) -> None:
    client = signed_in(place)
    known = client.reference("Patient", place.record()).to_resource()
    ins = next(one for one in known["identifier"] if "1.2.250.1.213.1.4" in one["system"])
    people = client.resources("Patient")
    assert people.search(identifier=f"{ins['system']}|{ins['value']}").get().id == place.record()
    asked = {"birthdate": known["birthDate"], "family": known["name"][0]["family"]}
    assert people.search(**asked).first().id == place.record()
    everything = known.execute("$everything", method="get")
    assert everything["total"] == len(everything["entry"])


def test_it_writes_what_a_visit_makes_and_reads_it_back(place: Served) -> None:
    client = signed_in(place)
    patient = f"Patient/{place.record()}"
    visit = client.resource("Encounter", **clinic.encounter(patient)).save()
    at = visit.to_reference().reference
    for sent in (clinic.condition(patient, at), clinic.prescription(patient, at)):
        made = client.resource(**_named(sent))
        assert made.is_valid()
        again = made.save().to_reference().to_resource()
        first = client.execute(f"{again.reference}/_history/1", method="get")
        assert again.serialize() == first == {**first, **sent}


def _named(resource: dict[str, Any]) -> dict[str, Any]:
    return {"resource_type": resource["resourceType"], **resource}


def test_it_corrects_and_is_told_of_a_conflict(place: Served) -> None:
    client = signed_in(place)
    made = client.resource("Observation", **weight(place.record(), 70)).save()
    made["valueQuantity"]["value"] = 71
    assert refusal(made.save) == "record.if-match-needed"
    knowing = with_headers(client, If_Match='W/"1"')
    kept = made.serialize()
    assert knowing.resource("Observation", **kept).save()["meta"]["versionId"] == "2"
    again = knowing.resource("Observation", **kept).save
    assert refusal(again, MultipleResourcesFound) == "record.version-conflict"
    assert made.refresh()["valueQuantity"]["value"] == 71
    assert refusal(lambda: made.patch(status="amended")) == "patch.media-type"
    patching = with_headers(client, Content_Type="application/json-patch+json")
    change = [{"op": "replace", "path": "/status", "value": "amended"}]
    assert patching.execute(made.reference, "patch", data=change)["status"] == "amended"
    told = client.execute(f"{made.reference}/_history", method="get")
    assert [one["resource"]["valueQuantity"]["value"] for one in told["entry"]] == [71, 71, 70]


def test_what_meets_a_criterion_is_created_once_changed_and_taken_back(place: Served) -> None:
    client = signed_in(place)
    one = client.resources("Observation").search(patient=place.record(), identifier="urn:clinic|met")
    sent = weight(place.record(), 70, identifier=[{"system": "urn:clinic", "value": "met"}])
    assert refusal(lambda: one.get_or_create(client.resource("Observation", **sent))) == "api.no-parameter"
    condition = f"patient={place.record()}&identifier=urn:clinic|met"
    once = with_headers(client, If_None_Exist=condition)
    first, again = (once.resource("Observation", **sent).save() for _ in range(2))
    assert first.id == again.id
    changed, new = one.update(client.resource("Observation", **{**sent, "status": "amended"}))
    assert (changed.id, changed["status"], new) == (first.id, "amended", False)
    one.delete()
    assert one.fetch() == []


@pytest.mark.capability("1-30", "lets")
def test_it_pages_and_follows_what_refers_to_what(place: Served) -> None:
    client = signed_in(place)
    patient = registered(client, "Fontanelle", "1979-09-09")
    asked = client.resources("Observation").search(**clinic.weights_of(patient))
    assert [one["valueQuantity"]["value"] for one in asked.fetch_all()] == [70, 71, 72, 73, 74]
    assert len(asked.fetch()) == 2
    heaviest = client.resources("Observation").search(patient=patient, value_quantity="74")
    page = heaviest.include("Observation", "encounter").fetch_raw()
    assert [one["search"]["mode"] for one in page["entry"]] == ["match", "include"]
    visits = client.resources("Encounter").search(patient=patient)
    assert len(visits.revinclude("Observation", "encounter").fetch_raw()["entry"]) == 6
    assert len(visits.has("Observation", "encounter", value_quantity="74").fetch()) == 1
    assert visits.has("Observation", "encounter", value_quantity="75").fetch() == []


def test_it_counts_with_the_words_of_r4(place: Served) -> None:
    client = signed_in(place)
    patient = registered(client, "Margelle", "1981-01-10")
    weights = client.resources("Observation").search(patient=patient)
    assert refusal(weights.count) == "search.unknown-parameter"
    for words in ({"_count": 0}, {"_summary": "count"}):
        assert client.execute("Observation", "get", params={"patient": patient, **words})["total"] == 5


def test_a_batch_answers_each_entry_alone(place: Served) -> None:
    client = signed_in(place)
    asked = [f"Patient/{place.record()}", f"Patient/{NOBODY}"]
    entries = [{"request": {"method": "GET", "url": one}} for one in asked]
    answer = client.execute("", data={"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert [one["response"]["status"] for one in answer["entry"]] == ["200", "404"]


def test_content_goes_in_and_comes_out_whole(place: Served) -> None:
    client = signed_in(place)
    data = base64.b64encode(clinic.PDF).decode()
    under = {"reference": f"Patient/{place.record()}"}
    made = client.resource("Binary", contentType="application/pdf", securityContext=under, data=data).save()
    raw = requests.get(
        f"{client.url}/{made.reference}",
        headers={"authorization": client.authorization, "accept": "application/pdf"},
        timeout=60,
    )
    assert raw.content == clinic.PDF
    assert base64.b64decode(client.get("Binary", made.id)["data"]) == clinic.PDF


def test_what_it_deletes_is_gone(place: Served) -> None:
    client = signed_in(place)
    made = client.resource("Observation", **weight(place.record())).save()
    made.delete()
    assert refusal(made.to_reference().to_resource, ResourceNotFound) == "record.gone"
    assert client.resources("Observation").search(patient=place.record(), _id=made.id).fetch() == []


def test_a_masked_item_stays_unseen(place: Served) -> None:
    doctor, holder = signed_in(place, "team-doctor"), signed_in(place, "patient")
    type_, _, item = place.installation.item("maskable").partition("/")
    every = doctor.resources(type_).search(patient=place.record())
    before = set(ids(every.fetch_all()))
    data = [{"meaning": "instance", "reference": {"reference": f"{type_}/{item}"}}]
    word = holder.resource("Consent", **consent(place.record(), data=data)).save()
    assert before - set(ids(every.fetch_all())) == {item}
    reads = [doctor.reference(type_, one).to_resource for one in (item, NOBODY)]
    assert {refusal(one, ResourceNotFound) for one in reads} == {"record.not-found"}
    word.delete()
    assert set(ids(every.fetch_all())) == before


def test_a_stranger_and_somebody_who_signed_out_read_nothing(place: Served) -> None:
    stranger, doctor = signed_in(place, "unrelated-doctor"), signed_in(place)
    assert stranger.resources("Observation").search(patient=place.record()).fetch_all() == []
    read = stranger.reference("Patient", place.record()).to_resource
    assert refusal(read, ResourceNotFound) == "record.not-found"
    place.house.sessions.end(doctor.authorization.removeprefix("Bearer "))
    with pytest.raises(AuthorizationError):
        doctor.get("Patient", place.record())


def test_many_at_once_get_each_their_own(place: Served) -> None:
    token = signed_in(place).authorization

    async def write_all() -> list[float]:
        client: Any = AsyncFHIRClient(f"{place.address}/fhir", token)
        sent = [client.resource("Observation", **weight(place.record(), 80 + n)) for n in range(20)]
        made = await asyncio.gather(*(one.save() for one in sent))
        read = await asyncio.gather(*(one.to_reference().to_resource() for one in made))
        return [one["valueQuantity"]["value"] for one in read]

    assert asyncio.run(write_all()) == [80 + n for n in range(20)]

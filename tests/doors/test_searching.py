"""Search over HTTP: one patient, exact parameters, pages that belong to one caller and one state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.doors.samples import Json, by_rpps, consent, person, weight
from tests.doors.served import Served, sentence

DAYS = ("2020", "2020-03", "2020-03-05", "2020-03-05T10:30:00Z", "2021-01-01")


@pytest.fixture(scope="module")
def patient(running: Served) -> str:
    """Make a record of its own, with measures on known days."""
    doctor = running.staff("attending")
    id_: str = doctor.post("Patient", json=person("Mesurine", "1970-06-06")).json()["id"]
    for place, day in enumerate(DAYS):
        sent = weight(
            id_, 60 + place, effectiveDateTime=day, identifier=[{"system": "urn:m", "value": f"m{place}"}]
        )
        assert doctor.post("Observation", json=sent).status_code == 201
    running.hang_up()
    return id_


def found(answer: httpx.Response) -> list[Any]:
    """Give the measures of an answer, in its order."""
    assert answer.status_code == 200, answer.text
    matches = [one for one in answer.json().get("entry", []) if one["search"]["mode"] == "match"]
    return [one["resource"]["valueQuantity"]["value"] - 60 for one in matches]


def ask(server: Served, patient: str, query: str) -> list[Any]:
    return sorted(found(server.staff("attending").get(f"Observation?patient={patient}&{query}")))


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("code=29463-7", [0, 1, 2, 3, 4]),
        ("code=http://loinc.org|29463-7", [0, 1, 2, 3, 4]),
        ("code=http://loinc.org|", [0, 1, 2, 3, 4]),
        ("code=|29463-7", []),
        ("code=urn:other|29463-7", []),
        ("identifier=urn:m|m1,urn:m|m3", [1, 3]),
        ("identifier=m1&identifier=m3", []),
        ("date=2020", [0, 1, 2, 3]),
        ("date=2020-03", [1, 2, 3]),
        ("date=2020-03-05", [2, 3]),
        ("date=eq2020-03-05T10:30:00Z", [3]),
        ("date=ne2020", [4]),
        ("date=ge2020-03-05&date=lt2021", [0, 1, 2, 3]),
        ("date=gt2020-12-31", [4]),
        ("date=lt2020-03-02", [0, 1]),
        ("date=le2020-03-05", [0, 1, 2, 3]),
        ("date=sa2020-06", [4]),
        ("date=eb2020-03-05", []),
        ("date=ap2021-01-01", [0, 4]),
        ("status=final", [0, 1, 2, 3, 4]),
        ("subject:Patient={patient}", [0, 1, 2, 3, 4]),
        ("subject={base}/Patient/{patient}", [0, 1, 2, 3, 4]),
        ("_lastUpdated=gt2000", [0, 1, 2, 3, 4]),
        ("_lastUpdated=lt2000", []),
        ("value-quantity=61", [1]),
        ("value-quantity=gt61", [2, 3, 4]),
        ("value-quantity=le61||kg", [0, 1]),
        ("value-quantity=61||g", []),
        ("code-value-quantity=29463-7$ge63", [3, 4]),
        ("identifier:not=m1,m2", [0, 3, 4]),
        ("identifier:missing=true", []),
        ("code:text=poi", [0, 1, 2, 3, 4]),
        ("code:text=oids", []),
        ("specimen:missing=true&date=ge2021", [4]),
        ("subject:Patient.birthdate=1970-06-06", [0, 1, 2, 3, 4]),
        ("patient.family=mesurine&date=2020-03", [1, 2, 3]),
        ("patient.family=nobody", []),
    ],
)
def test_a_parameter_finds_exactly(server: Served, patient: str, query: str, places: list[int]) -> None:
    asked = query.format(patient=patient, base=f"{server.address}/fhir")
    assert ask(server, patient, asked) == places


def test_post_search_answers_as_get(server: Served, patient: str) -> None:
    doctor = server.staff("attending")
    asked = {"patient": f"Patient/{patient}", "date": "2020-03", "_sort": "-date"}
    got = doctor.get("Observation", params=asked)
    posted = doctor.post(
        "Observation/_search", data=asked, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert posted.content == got.content


def test_the_order_is_the_one_asked(server: Served, patient: str) -> None:
    doctor = server.staff("attending")
    down = found(doctor.get(f"Observation?patient={patient}&_sort=-date,_id"))
    assert down[0] == 4
    assert found(doctor.get(f"Observation?patient={patient}&_sort=date"))[-1] == 4


def test_total_and_count(server: Served, patient: str) -> None:
    doctor = server.staff("attending")
    none = doctor.get(f"Observation?patient={patient}&_total=none&_count=2").json()
    assert "total" not in none
    assert len(none["entry"]) == 2
    only = doctor.get(f"Observation?patient={patient}&_count=0").json()
    assert only["total"] == 5
    assert "next" not in {link["relation"] for link in only["link"]}


def pages(client: httpx.Client, first: str) -> Iterator[Json]:
    answer = client.get(first).json()
    yield answer
    while following := next((one["url"] for one in answer["link"] if one["relation"] == "next"), None):
        answer = client.get(following).json()
        yield answer


def test_pages_give_every_item_once(server: Served, patient: str) -> None:
    doctor = server.staff("attending")
    told = list(pages(doctor, f"Observation?patient={patient}&_count=2&_sort=date"))
    ids = [one["resource"]["id"] for page in told for one in page["entry"]]
    assert [len(page["entry"]) for page in told] == [2, 2, 1]
    assert len(set(ids)) == 5
    assert {page["total"] for page in told} == {5}


def next_of(server: Served, patient: str) -> str:
    first = server.staff("attending").get(f"Observation?patient={patient}&_count=2").json()
    url: str = next(one["url"] for one in first["link"] if one["relation"] == "next")
    return url


def test_a_page_link_of_somebody_else_is_refused(server: Served, patient: str) -> None:
    url = next_of(server, patient)
    for role in ("team-doctor", "secretary", "officer"):
        refused = server.staff(role).get(url)
        assert (refused.status_code, sentence(refused)) == (400, "record.page-token")


def test_an_altered_page_link_is_refused(server: Served, patient: str) -> None:
    url = next_of(server, patient)
    doctor = server.staff("attending")
    flipped = "A" if url[-9] != "A" else "B"
    for wrong in (url[:-9] + flipped + url[-8:], url[:-4], url + "AAAA", url.split("=")[0] + "="):
        refused = doctor.get(wrong)
        assert (refused.status_code, sentence(refused)) == (400, "record.page-token")
    assert doctor.get(url).status_code == 200


def test_a_page_link_is_followed_alone_and_for_its_own_type(server: Served, patient: str) -> None:
    url = next_of(server, patient)
    doctor = server.staff("attending")
    assert sentence(doctor.get(f"{url}&_count=500")) == "api.page-alone"
    assert sentence(doctor.get(url.replace("Observation", "Condition"))) == "record.page-token"


def test_a_page_link_shows_nothing_of_what_was_asked(server: Served, patient: str) -> None:
    assert patient not in next_of(server, patient)


@pytest.mark.capability("4-04", "lets")
def test_a_page_of_an_earlier_state_of_the_facts_is_gone(server: Served) -> None:
    holder = server.patient()
    doctor = server.staff("team-doctor")
    first = doctor.get(f"Observation?patient={server.record()}&_count=2").json()
    url = next(one["url"] for one in first["link"] if one["relation"] == "next")
    actor = server.installation.staff("unrelated-doctor").id
    made = holder.post("Consent", json=consent(server.record(), actor=[_blocked(actor)]))
    assert made.status_code == 201
    gone = doctor.get(url)
    assert (gone.status_code, sentence(gone)) == (410, "record.page-gone")
    assert holder.delete(f"Consent/{made.json()['id']}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "code:in=x",
        "code:above=x",
        "code:exact=x",
        "status:missing=maybe",
        "_id:not=x",
        "subject.colour=x",
        "code.text=x",
        "focus.status=final",
        "_has:Observation:patient:code=1",
        "_has:Observation:focus=1",
        "_has:AuditEvent:entity:agent=x",
        "subject.general-practitioner.organization.partof.name=x",
        "_include=Observation:code",
        "_include=Observation:*",
        "_include=*",
        "_include:iterate=Observation:has-member",
        "_include=Condition:subject",
        "_revinclude=Observation:subject",
        "_revinclude:recurse=Observation:focus",
        "_summary=little",
        "_summary=true&_elements=code",
        "_summary=text&_include=Observation:subject",
        "_elements=colour",
        "value-quantity=heavy",
        "value-quantity=5|kg",
        "value-quantity=1e999",
        "code-value-quantity=29463-7",
        "_text=x",
        "code=",
        "date=hier",
        "date=2020-13",
        "_sort=colour",
        "_count=-1",
        "_count=2&_count=3",
        "_total=maybe",
        "code=a%ff",
        "code=a\\",
        "_id=%2e%2e/1",
    ],
)
def test_what_is_not_understood_is_refused(server: Served, patient: str, query: str) -> None:
    refused = server.staff("attending").get(f"Observation?patient={patient}&{query}")
    assert refused.status_code == 400, refused.text
    assert "red" not in refused.json()["issue"][0]["details"]["text"]


@pytest.mark.parametrize("query", ["", "code=29463-7", "patient=1,2", "patient=1&subject=2", "date=2020"])
@pytest.mark.capability("0-21", "refuses")
def test_a_clinical_search_names_one_patient(server: Served, query: str) -> None:
    refused = server.staff("attending").get(f"Observation?{query}")
    assert (refused.status_code, sentence(refused)) == (400, "record.one-patient")


def test_hidden_and_unknown_records_search_alike(server: Served, patient: str) -> None:
    stranger = server.staff("unrelated-doctor")
    hidden, unknown = (
        stranger.get(f"Observation?patient={id_}").json() for id_ in (patient, "0" * len(patient))
    )
    assert hidden["total"] == unknown["total"] == 0
    assert hidden["entry"] == unknown["entry"]
    assert hidden["entry"][0]["search"]["mode"] == "outcome"


def test_the_directory_is_searched_without_a_patient(server: Served) -> None:
    answer = server.staff("secretary").get("Practitioner?family=Vasselin")
    assert answer.json()["total"] == 1


def test_a_search_that_is_too_long_is_refused(server: Served, patient: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    doctor = server.staff("attending", **form)
    many = "&".join(["code=1"] * 3000)
    assert doctor.post("Observation/_search", content=f"patient={patient}&{many}").status_code == 413
    huge = "code=" + "1" * 300_000
    assert doctor.post("Observation/_search", content=f"patient={patient}&{huge}").status_code == 413


def _blocked(actor: str) -> Json:
    return {"role": {"text": "bloqué"}, "reference": by_rpps(actor)}

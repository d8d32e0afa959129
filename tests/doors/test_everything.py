"""A whole record in pages, and the history of one type in it, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.doors.samples import Json, weight
from tests.doors.served import Served, sentence
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def pages(client: httpx.Client, url: str, **asked: Any) -> list[Json]:
    """Follow the links to the end."""
    answer = client.get(url, params=asked)
    found: list[Json] = []
    while True:
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        following = [one["url"] for one in found[-1]["link"] if one["relation"] == "next"]
        if not following:
            return found
        answer = client.get(following[0])


def names(bundle: Json) -> list[str]:
    return [one["fullUrl"].rpartition("/fhir/")[2] for one in bundle.get("entry", []) if "fullUrl" in one]


def whole(server: Served, client: httpx.Client, **asked: Any) -> list[str]:
    found = pages(client, f"Patient/{server.record()}/$everything", **asked)
    return [name for page in found for name in names(page)]


def test_a_record_is_given_whole_with_its_person_first(server: Served) -> None:
    holder = server.patient()
    found = whole(server, holder)
    assert found[0] == f"Patient/{server.record()}"
    assert len(found) == len(set(found)) > 20
    for type_ in ("Observation", "Consent", "DocumentReference"):
        listed = holder.get(type_, params={"patient": server.record(), "_count": "500"}).json()
        assert {name for name in found if name.startswith(f"{type_}/")} == set(names(listed))


def test_pages_join_to_the_whole(server: Served) -> None:
    doctor = server.staff("team-doctor")
    found = pages(doctor, f"Patient/{server.record()}/$everything", _count=7)
    assert len(found) > 2
    assert all(len(page["entry"]) == 7 for page in found[:-1])
    assert [name for page in found for name in names(page)] == whole(server, doctor)
    assert {page["total"] for page in found} == {len(whole(server, doctor))}


def test_a_person_comes_with_both_halves_to_who_may_see_them(server: Served) -> None:
    holder, doctor = server.patient(), server.staff("team-doctor")
    for client in (holder, doctor):
        body = client.get(f"Patient/{server.record()}/$everything", params={"_type": "Patient"}).json()
        assert body["entry"][0]["resource"] == client.get(f"Patient/{server.record()}").json()


def test_only_the_types_and_the_changes_that_are_asked_come(server: Served) -> None:
    doctor = server.staff("team-doctor")
    found = whole(server, doctor, _type="Observation,Condition")
    assert {name.partition("/")[0] for name in found} == {"Observation", "Condition"}
    made = doctor.post("Observation", json=weight(server.record())).json()
    newest = whole(server, doctor, _since=made["meta"]["lastUpdated"])
    assert f"Observation/{made['id']}" in newest
    assert len(newest) < len(found)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("_type=Nonsense", "operations.type"),
        ("_type=AuditEvent", "operations.type"),
        ("start=2020-01-01", "operations.parameter"),
        ("_count=0", "search.malformed-count"),
        ("_since=yesterday", "search.malformed-date"),
        ("_count=1&_count=2", "operations.repeated"),
        ("_page=x", "record.page-token"),
        ("_page=x&_count=2", "api.page-alone"),
    ],
)
def test_what_is_not_understood_is_refused(server: Served, query: str, said: str) -> None:
    answer = server.staff("team-doctor").get(f"Patient/{server.record()}/$everything?{query}")
    assert (answer.status_code, sentence(answer)) == (400, said)


def test_a_record_that_may_not_be_opened_is_one_that_is_not_there(server: Served) -> None:
    stranger = server.staff("unrelated-doctor")
    answers = [stranger.get(f"Patient/{id_}/$everything") for id_ in (server.record(), UNKNOWN)]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].content == answers[1].content


def test_a_page_serves_its_caller_and_its_record_only(server: Served) -> None:
    doctor, nurse = server.staff("team-doctor"), server.staff("nurse")
    first = doctor.get(f"Patient/{server.record()}/$everything", params={"_count": 2}).json()
    link = next(one["url"] for one in first["link"] if one["relation"] == "next")
    assert sentence(nurse.get(link)) == "record.page-token"
    other = link.replace(server.record(), UNKNOWN)
    assert sentence(doctor.get(other)) == "record.page-token"
    assert sentence(doctor.get(link.replace("$everything", "$everything") + "x")) == "record.page-token"


def test_what_left_is_in_the_trace_by_number(server: Served) -> None:
    doctor, house = server.staff("team-doctor"), server.installation.house
    total = doctor.get(f"Patient/{server.record()}/$everything").json()["total"]
    trail = run(house.proving.trail(server.installation.as_patient(), server.installation.record()))
    act = trail[1].event.request
    event = [body.event for body in trail if body.event.request == act]
    assert {one.interaction.value for one in event} == {"read"}
    assert sum(one.count for one in event) == total


def test_the_history_of_a_type_gives_every_version_newest_first(server: Served) -> None:
    doctor = server.staff("team-doctor")
    made = doctor.post("Observation", json=weight(server.record(), 60)).json()
    at, patient = f"Observation/{made['id']}", server.record()
    changed = weight(patient, 61, id=made["id"])
    assert doctor.put(at, json=changed, headers={"if-match": 'W/"1"'}).status_code == 200
    assert doctor.delete(at).status_code == 200
    since = made["meta"]["lastUpdated"]
    found = pages(doctor, "Observation/_history", patient=patient, _since=since, _count=2)
    entries = [one for page in found for one in page.get("entry", [])]
    mine = [one for one in entries if one["fullUrl"].endswith(at)]
    assert [one["request"]["method"] for one in mine] == ["DELETE", "PUT", "POST"]
    assert [one["resource"]["valueQuantity"]["value"] for one in mine[1:]] == [61, 60]
    assert "resource" not in mine[0]
    moments = [one["response"]["lastModified"] for one in entries]
    assert moments == sorted(moments, reverse=True)
    assert len(found) > 1
    assert "total" not in found[0]


def test_the_history_of_a_type_holds_what_the_histories_of_its_items_hold(server: Served) -> None:
    doctor = server.staff("team-doctor")
    found = pages(doctor, "Condition/_history", patient=f"Patient/{server.record()}", _count=3)
    entries = [(one["fullUrl"], one["response"]["etag"]) for page in found for one in page.get("entry", [])]
    listed = doctor.get("Condition", params={"patient": server.record(), "_count": "500"}).json()
    single = [
        (one["fullUrl"], one["response"]["etag"])
        for name in names(listed)
        for one in doctor.get(f"{name}/_history").json()["entry"]
    ]
    assert sorted(entries) == sorted(single)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("Observation/_history", 400, "record.one-patient"),
        ("Observation/_history?patient=a,b", 400, "record.one-patient"),
        ("Observation/_history?subject=x", 400, "operations.parameter"),
        ("Patient/_history?patient=x", 400, "operations.no-type-history"),
        ("Practitioner/_history?patient=x", 400, "operations.no-type-history"),
        ("Binary/_history?patient=x", 400, "operations.no-type-history"),
        ("Nonsense/_history?patient=x", 404, "api.unknown-type"),
    ],
)
def test_a_history_of_a_type_names_one_record(server: Served, path: str, status: int, said: str) -> None:
    answer = server.staff("team-doctor").get(path)
    assert (answer.status_code, sentence(answer)) == (status, said)


def test_a_stranger_reads_the_same_empty_history_of_every_record(server: Served) -> None:
    stranger = server.staff("unrelated-doctor")
    answers = [
        stranger.get("Observation/_history", params={"patient": id_}) for id_ in (server.record(), UNKNOWN)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].content == answers[1].content

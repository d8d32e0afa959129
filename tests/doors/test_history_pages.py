"""A history comes in pages: bound to their caller, to the state of the facts, and no larger than a page."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from serment.fhir.query import parse
from serment.record import incoming, reading, searching
from tests.doors.samples import consent, person, weight
from tests.doors.served import Served, sentence
from tests.installation import run

VERSIONS = 7


def rewritten(server: Served, versions: int = VERSIONS, author: str = "team-doctor") -> str:
    """Write an item so many times; the last writing deletes it."""
    doctor = server.staff(author)
    made = doctor.post("Observation", json=weight(server.record(), 70))
    id_ = made.json()["id"]
    for version in range(2, versions):
        body = weight(server.record(), 69 + version, id=id_)
        doctor.put(f"Observation/{id_}", json=body, headers={"if-match": f'W/"{version - 1}"'})
    assert doctor.delete(f"Observation/{id_}").status_code == 200
    return f"Observation/{id_}/_history"


def link(answer: httpx.Response) -> str:
    return next((one["url"] for one in answer.json()["link"] if one["relation"] == "next"), "")


def token(answer: httpx.Response) -> str:
    return parse_qs(urlsplit(link(answer)).query)["_page"][0]


def followed(doctor: httpx.Client, address: str, **params: Any) -> list[httpx.Response]:
    answers = [doctor.get(address, params=params)]
    while link(answers[-1]):
        answers.append(doctor.get(link(answers[-1])))
    return answers


def versions(answer: httpx.Response) -> list[str]:
    return [one["response"]["etag"] for one in answer.json().get("entry", [])]


@pytest.mark.parametrize(
    ("count", "pages"), [(1, 7), (2, 4), (3, 3), (6, 2), (7, 1), (500, 1), (10**9 - 1, 1)]
)
@pytest.mark.capability("0-17", "lets")
def test_pages_give_every_version_once_newest_first(server: Served, count: int, pages: int) -> None:
    answers = followed(server.staff("team-doctor"), rewritten(server), _count=count)
    assert [one.status_code for one in answers] == [200] * pages
    told = [etag for one in answers for etag in versions(one)]
    assert told == [f'W/"{version}"' for version in range(VERSIONS, 0, -1)]
    assert answers[0].json().get("total") == (VERSIONS if pages == 1 else None)


def test_a_cut_item_has_its_contact_half_on_every_page(server: Served) -> None:
    doctor = server.staff("attending")
    born = person("Pagel", telecom=[{"system": "phone", "value": "01 99 00 00 01"}])
    made = doctor.post("Patient", json=born).json()
    for version in range(1, 4):
        telecom = [{"system": "phone", "value": f"01 99 00 00 0{version + 1}"}]
        body = {**born, "id": made["id"], "telecom": telecom}
        doctor.put(f"Patient/{made['id']}", json=body, headers={"if-match": f'W/"{version}"'})
    answers = followed(doctor, f"Patient/{made['id']}/_history", _count=1)
    told = [one.json()["entry"][0]["resource"]["telecom"][0]["value"][-1] for one in answers]
    assert told == ["4", "3", "2", "1"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"_count": "0"}, "search.malformed-count"),
        ({"_count": "x"}, "search.malformed-count"),
        ({"_count": "-1"}, "search.malformed-count"),
        ({"_since": "2026-01-01"}, "api.history-parameter"),
        ({"_count": ["1", "2"]}, "api.history-parameter"),
        ({"_page": ["x", "y"]}, "api.page-alone"),
        ({"_page": "AAAA"}, "record.page-token"),
        ({"_page": "é"}, "record.page-token"),
    ],
)
def test_what_a_history_does_not_take_is_refused(server: Served, asked: dict[str, Any], said: str) -> None:
    answer = server.staff("team-doctor").get(f"Patient/{server.record()}/_history", params=asked)
    assert (answer.status_code, sentence(answer)) == (400, said)


@pytest.mark.capability("0-17", "refuses")
def test_a_page_of_somebody_else_of_another_item_or_of_a_search_is_refused(server: Served) -> None:
    doctor, other = server.staff("team-doctor"), server.staff("attending")
    address = rewritten(server)
    page = token(doctor.get(address, params={"_count": 2}))
    search = doctor.get("Observation", params={"patient": f"Patient/{server.record()}", "_count": "1"})
    for asker, where, told in (
        (other, address, page),
        (doctor, rewritten(server, 2), page),
        (doctor, address, ("A" if page[0] != "A" else "B") + page[1:]),
        (doctor, address, token(search)),
        (doctor, "Observation", page),
    ):
        answer = asker.get(where, params={"_page": told})
        assert (answer.status_code, sentence(answer)) == (400, "record.page-token")


def test_a_page_of_an_earlier_state_of_the_facts_is_gone(server: Served) -> None:
    doctor, address = server.staff("team-doctor"), rewritten(server)
    page = link(doctor.get(address, params={"_count": 2}))
    mine = server.patient().post(
        "Consent",
        json=consent(server.record(), **{"class": [{"system": "urn:serment:category", "code": "labs"}]}),
    )
    assert mine.status_code == 201
    gone = doctor.get(page)
    assert (gone.status_code, sentence(gone)) == (410, "record.page-gone")


def test_a_page_link_of_what_was_hidden_meanwhile_says_what_an_unknown_one_says(server: Served) -> None:
    """A mask moves the facts, but 410 would say that the item is still there."""
    doctor, address = server.staff("team-doctor"), rewritten(server, 6, author="attending")
    page = link(doctor.get(address, params={"_count": 2}))
    made = server.installation
    item = address.removesuffix("/_history")
    run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    assert doctor.get(page).status_code == 404


def test_a_history_is_cut_where_the_bytes_of_a_page_are_spent(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = rewritten(server)
    monkeypatch.setattr(reading, "MOST_BYTES", 1500)
    answers = followed(server.staff("team-doctor"), address)
    assert [etag for one in answers for etag in versions(one)] == [
        f'W/"{one}"' for one in range(VERSIONS, 0, -1)
    ]
    assert 1 < len(answers) < VERSIONS


def test_a_search_is_cut_where_the_bytes_of_a_page_are_spent(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = server.installation
    asking = made.as_staff("team-doctor")
    for kilograms in range(20):
        sent = incoming.read(json.dumps(weight(server.record(), 50 + kilograms)).encode())
        run(made.house.writing.create(asking, sent))
    query = parse("Observation", [("patient", f"Patient/{server.record()}"), ("_count", "500")])
    whole = run(made.house.finding.search(asking, query))
    monkeypatch.setattr(searching, "MOST_BYTES", 3000)
    page = run(made.house.finding.search(asking, query))
    seen = list(page.served)
    assert 0 < len(seen) < len(whole.served)
    while page.next:
        page = run(made.house.searching.go_on(asking, "Observation", page.next))
        assert page.total == whole.total
        seen += page.served
    assert [one.id for one in seen] == [one.id for one in whole.served]

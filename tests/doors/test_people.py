"""Finding a person: by one exact token, only who they are, traced and counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serment.record.passage import SEARCHES
from tests.doors.samples import Json
from tests.doors.served import Served, sentence, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve an installation of its own: budgets are spent here."""
    folder: Path = tmp_path_factory.mktemp("people")
    with served(folder) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def whole(server: Served) -> Json:
    person: Json = server.staff("team-doctor").get(f"Patient/{server.record()}").json()
    return person


def by_ins(server: Served) -> dict[str, str]:
    ins = next(one for one in whole(server)["identifier"] if "1.2.250.1.213.1.4" in one["system"])
    return {"identifier": f"{ins['system']}|{ins['value']}"}


def by_birth(server: Served) -> dict[str, str]:
    person = whole(server)
    return {"birthdate": person["birthDate"], "family": person["name"][0]["family"]}


def people(answer: Any) -> list[Json]:
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return [one["resource"] for one in entries if one["search"]["mode"] == "match"]


@pytest.mark.parametrize("role", ["locum", "second-associate"])
@pytest.mark.parametrize("how", [by_ins, by_birth])
@pytest.mark.capability("0-21", "lets")
def test_a_carer_of_the_structure_sees_only_who_it_is(server: Served, role: str, how: Any) -> None:
    found = people(server.staff(role).get("Patient", params=how(server)))
    assert [one["id"] for one in found] == [server.record()]
    person = found[0]
    assert set(person) <= {"resourceType", "id", "meta", "name", "birthDate", "gender", "extension"}
    assert {"name", "birthDate", "gender"} <= set(person)
    assert person["meta"]["tag"] == [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    ]
    assert [one["url"].rpartition("/")[2] for one in person["extension"]] == ["fr-core-identity-reliability"]


@pytest.mark.parametrize("how", [by_ins, by_birth])
def test_whoever_may_read_the_person_finds_them_whole(server: Served, how: Any) -> None:
    found = people(server.staff("team-doctor").get("Patient", params=how(server)))
    assert found == [whole(server)]


@pytest.mark.parametrize("role", ["unrelated-doctor", "officer", "hospital-doctor"])
@pytest.mark.parametrize("how", [by_ins, by_birth])
@pytest.mark.capability("1-07", "refuses")
def test_nobody_else_finds_anybody(server: Served, role: str, how: Any) -> None:
    hidden = server.staff(role).get("Patient", params=how(server))
    unknown = server.staff(role).get("Patient", params={"birthdate": "1903-01-01", "family": "Nemo"})
    assert people(hidden) == people(unknown) == []
    assert hidden.json() == unknown.json()


def test_hidden_and_absent_people_leave_one_trace_each(server: Served) -> None:
    stranger = server.staff("unrelated-doctor")
    asked = by_birth(server)
    grown = []
    for params in (asked, {"birthdate": "1903-01-01", "family": "Nemo"}):
        before = _ledger_size(server)
        stranger.get("Patient", params=params)
        grown.append(_ledger_size(server) - before)
    assert grown == [1, 1]


def test_a_patient_finds_nobody_else(server: Served) -> None:
    assert people(server.patient("husband").get("Patient", params=by_birth(server))) == []


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"family": "Martin"},
        {"birthdate": "1970-01-01"},
        {"birthdate": "1970", "family": "Martin"},
        {"birthdate": "ge1970-01-01", "family": "Martin"},
        {"birthdate": "1970-01-01,1970-01-02", "family": "Martin"},
        {"birthdate": "1970-01-01", "family": "Martin,Durand"},
        {"identifier": "1234"},
        {"identifier": "urn:oid:1.2.250.1.213.1.4.10|1,urn:oid:1.2.250.1.213.1.4.10|2"},
        {"identifier": "urn:other|1"},
        {"address-city": "Paris"},
        {"phone": "0612345678"},
        {"_lastUpdated": "gt2000"},
        {"_sort": "family"},
    ],
)
@pytest.mark.capability("0-21", "refuses")
def test_nobody_lists_people(server: Served, params: dict[str, str]) -> None:
    assert server.staff("secretary").get("Patient", params=params).status_code == 400


@pytest.mark.parametrize(
    "criterion", ["general-practitioner=Practitioner/1", "deceased=false", "language=fr", "phone=1"]
)
def test_a_finder_learns_nothing_by_a_criterion_on_what_is_hidden(server: Served, criterion: str) -> None:
    name, _, value = criterion.partition("=")
    assert people(server.staff("locum").get("Patient", params={**by_birth(server), name: value})) == []


def test_the_answer_never_names_the_person_in_an_address(server: Served) -> None:
    answer = server.staff("locum").get("Patient", params=by_birth(server)).json()
    assert [link["url"] for link in answer["link"]] == [f"{server.address}/fhir/Patient"]


def test_the_person_sees_who_searched_for_them(server: Served) -> None:
    server.staff("locum").get("Patient", params=by_birth(server))
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    told = page.get("/me/who").text
    assert server.installation.staff("locum").name in told


@pytest.mark.capability("0-21", "refuses")
def test_searches_for_people_are_budgeted(server: Served) -> None:
    nurse = server.staff("nurse")
    nobody = {"birthdate": "1903-01-01", "family": "Nemo"}
    answers = [nurse.get("Patient", params=nobody) for _ in range(SEARCHES + 1)]
    assert {one.status_code for one in answers[:-1]} == {200}
    assert (answers[-1].status_code, sentence(answers[-1])) == (429, "record.too-many-searches")
    assert 0 < int(answers[-1].headers["retry-after"]) <= 600


def _ledger_size(server: Served) -> int:
    with server.house.passage.store.snapshot() as snapshot:
        return snapshot.ledger_size()

"""`Patient/$find-as-typed`: who finds people as they type, and what they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doors.samples import Json
from tests.doors.served import Served, sentence, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve an installation of its own: budgets are spent here."""
    folder: Path = tmp_path_factory.mktemp("as-typed")
    with served(folder) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def typing(text: str) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": "typed", "valueString": text}]}


def find(server: Served, role: str, text: str) -> Any:
    return server.staff(role).post("Patient/$find-as-typed", json=typing(text))


def people(answer: Any) -> list[Json]:
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json().get("entry", [])]


def traits(server: Served) -> Any:
    return server.installation.patient().traits


@pytest.mark.parametrize("role", ["secretary", "team-doctor", "locum", "second-associate", "nurse"])
@pytest.mark.capability("0-21", "lets")
def test_a_finder_of_the_structure_sees_only_who_it_is(server: Served, role: str) -> None:
    found = people(find(server, role, f"{traits(server).birth_name[:4]} {traits(server).given[0][:2]}"))
    person = next(one for one in found if one["id"] == server.record())
    assert set(person) == {"resourceType", "id", "meta", "name", "birthDate", "gender", "extension"}
    assert person["birthDate"] == traits(server).birth_date.isoformat()
    assert [one["url"].rpartition("/")[2] for one in person["extension"]] == ["fr-core-identity-reliability"]


def ways(one: Any) -> list[str]:
    year, month, day = one.birth_date.isoformat().split("-")
    family, used, given = one.birth_name, one.used_name, one.given[0]
    return [
        family.lower(),
        f"{given[:1]} {family}",
        f"{family} {year}",
        f"{day}/{month}/{year} {family[:3]}",
        f"{used} {given}",
        f"{year}-{month} {given} {family}",
    ]


@pytest.mark.parametrize("way", range(6))
def test_words_and_date_come_in_any_order(server: Served, way: int) -> None:
    found = people(find(server, "secretary", ways(traits(server))[way]))
    assert server.record() in [one["id"] for one in found]


def test_the_answer_has_no_total_and_no_next_page(server: Served) -> None:
    answer = find(server, "secretary", traits(server).birth_name).json()
    assert (answer["type"], "total" in answer, "link" in answer) == ("searchset", False, False)


@pytest.mark.parametrize("role", ["unrelated-doctor", "hospital-doctor"])
@pytest.mark.capability("1-07", "refuses")
def test_people_of_another_structure_are_as_absent_as_nobody(server: Served, role: str) -> None:
    hidden = find(server, role, traits(server).birth_name)
    absent = find(server, role, "Nemozyx")
    assert people(hidden) == people(absent) == []
    assert hidden.content == absent.content


@pytest.mark.parametrize("role", ["officer"])
@pytest.mark.capability("0-21", "refuses")
def test_who_is_no_finder_is_refused(server: Served, role: str) -> None:
    answer = find(server, role, traits(server).birth_name)
    assert (answer.status_code, sentence(answer)) == (403, "record.not-as-typed")


def test_a_patient_types_in_vain(server: Served) -> None:
    answer = server.patient().post("Patient/$find-as-typed", json=typing("Martin"))
    assert (answer.status_code, sentence(answer)) == (403, "record.not-as-typed")


@pytest.mark.parametrize("text", ["", "ma", "*", "mar*", "%", "1975", "m a r t", "мар", "a" * 101])
@pytest.mark.capability("0-21", "refuses")
def test_nobody_lists_people_by_typing_less(server: Served, text: str) -> None:
    assert find(server, "secretary", text).status_code in {400, 422}


def test_a_name_never_stands_in_an_address(server: Served) -> None:
    secretary = server.staff("secretary")
    assert secretary.get("Patient/$find-as-typed", params={"typed": "martin"}).status_code == 405
    assert secretary.post("Patient/$find-as-typed?typed=martin", json=typing("martin")).status_code == 400


def test_a_person_is_found_under_the_new_name_at_once(server: Served) -> None:
    doctor = server.staff("team-doctor")
    person = doctor.get(f"Patient/{server.record()}")
    body = person.json()
    old = body["name"][1]["family"]
    body["name"][1]["family"] = "Zéphyrin-Quillot"
    answer = doctor.put(f"Patient/{server.record()}", json=body, headers={"if-match": person.headers["etag"]})
    assert answer.status_code == 200, answer.text
    assert [one["id"] for one in people(find(server, "secretary", "zephyrin q"))] == [server.record()]
    assert [one["id"] for one in people(find(server, "secretary", "quillot"))] == [server.record()]
    assert (
        server.record()
        not in [one["id"] for one in people(find(server, "secretary", f"{old} {traits(server).given[0]}"))]
        or old == body["name"][0]["family"]
    )

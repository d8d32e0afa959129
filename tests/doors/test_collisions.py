"""A record that holds two people: frozen, split act by act, closed; no item is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.samples import Json, weight
from tests.doors.served import Served, sentence, served
from tests.doors.test_duplicates import attributes, declared, read, register, someone


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve an installation of its own: records are frozen here."""
    folder: Path = tmp_path_factory.mktemp("collisions")
    with served(folder) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def code(value: str) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": "code", "valueCode": value}]}


def moving(to: Json, *items: str) -> Json:
    named = [("to", f"Patient/{to['id']}"), *(("item", one) for one in items)]
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "valueReference": {"reference": one}} for name, one in named],
    }


def report(server: Served, person: Json, role: str = "secretary", value: str = "COLV") -> tuple[int, str]:
    answer = server.staff(role).post(f"Patient/{person['id']}/$report-collision", json=code(value))
    return answer.status_code, "" if answer.status_code == 200 else sentence(answer)


def close(server: Served, person: Json, role: str = "secretary") -> int:
    return server.staff(role).post(f"Patient/{person['id']}/$close-collision").status_code


def found(server: Served, person: Json) -> set[str]:
    doctor = server.staff("team-doctor")
    bundle = doctor.get("Observation", params={"patient": person["id"], "_count": "50"}).json()
    resources = [one["resource"] for one in bundle.get("entry", [])]
    return {f"Observation/{one['id']}" for one in resources if one["resourceType"] == "Observation"}


def two(server: Served, family: str, measures: int = 4) -> tuple[Json, Json, list[str]]:
    """Give a record with measures of two people, the other person's own, and the measures."""
    mixed = register(server, someone(family), role="team-doctor")
    other = register(server, someone(family, "Ninon", "1990-10-11"), role="team-doctor")
    doctor = server.staff("team-doctor")
    made = [doctor.post("Observation", json=weight(mixed["id"], 60.0 + n)).json() for n in range(measures)]
    return mixed, other, [f"Observation/{one['id']}" for one in made]


@pytest.mark.capability("0-04", "lets")
def test_a_collision_is_split_act_by_act_and_loses_nothing(server: Served) -> None:
    mixed, other, items = two(server, "Auberac")
    assert report(server, mixed) == (200, "")
    assert "COLV" in attributes(read(server, mixed))
    answer = server.staff("team-doctor").post(f"Patient/{mixed['id']}/$split", json=moving(other, *items[:3]))
    assert answer.status_code == 200, answer.text
    assert found(server, mixed) == {items[3]}
    moved = {part["part"][1]["valueReference"]["reference"] for part in answer.json()["parameter"]}
    assert (found(server, other), len(moved)) == (moved, 3)
    assert close(server, mixed) == 200
    assert attributes(read(server, mixed)) == []
    assert server.staff("team-doctor").post("Observation", json=weight(mixed["id"])).status_code == 201


@pytest.mark.capability("0-04", "lets")
def test_an_item_moved_by_mistake_goes_back_until_the_collision_is_closed(server: Served) -> None:
    mixed, other, items = two(server, "Bragelin", 2)
    report(server, mixed, value="COLP")
    doctor = server.staff("team-doctor")
    doctor.post(f"Patient/{mixed['id']}/$split", json=moving(other, items[0]))
    back = doctor.post(f"Patient/{other['id']}/$split", json=moving(mixed, *found(server, other)))
    assert back.status_code == 200, back.text
    assert (len(found(server, mixed)), found(server, other)) == (2, set())
    assert close(server, mixed) == 200
    late = doctor.post(f"Patient/{mixed['id']}/$split", json=moving(other, *found(server, mixed)))
    assert (late.status_code, sentence(late)) == (409, "record.split-not-frozen")


@pytest.mark.capability("0-04", "refuses")
def test_nothing_is_written_in_a_frozen_record_and_all_of_it_is_read(server: Served) -> None:
    mixed, _, items = two(server, "Chantevin", 1)
    report(server, mixed)
    doctor = server.staff("team-doctor")
    answer = doctor.post("Observation", json=weight(mixed["id"]))
    assert (answer.status_code, sentence(answer)) == (409, "record.collision")
    assert sentence(doctor.delete(items[0])) == "record.collision"
    assert found(server, mixed) == set(items)


@pytest.mark.capability("0-04", "refuses")
def test_attack_a_split_is_all_or_nothing(server: Served) -> None:
    mixed, other, items = two(server, "Delmarin", 2)
    report(server, mixed)
    doctor = server.staff("team-doctor")
    own = f"Observation/{doctor.post('Observation', json=weight(other['id'])).json()['id']}"
    before = found(server, other)
    for wrong in (own, "Observation/no-such-item", f"Patient/{mixed['id']}"):
        answer = doctor.post(f"Patient/{mixed['id']}/$split", json=moving(other, items[0], wrong))
        assert answer.status_code in {400, 404}, answer.text
    assert (found(server, mixed), found(server, other)) == (set(items), before)


@pytest.mark.capability("0-04", "refuses")
def test_attack_a_split_carries_nothing_to_a_record_that_one_may_not_write(server: Served) -> None:
    mixed, other, items = two(server, "Fauvieu", 1)
    report(server, mixed)
    nurse = server.staff("nurse")
    nurse.post(f"Patient/{mixed['id']}/$declare-act", json=declared())
    answer = nurse.post(f"Patient/{mixed['id']}/$split", json=moving(other, items[0]))
    assert answer.status_code in {403, 404}
    assert (found(server, mixed), found(server, other)) == (set(items), set())


@pytest.mark.capability("0-04", "refuses")
@pytest.mark.parametrize("role", ["team-doctor", "nurse", "unrelated-doctor", "officer"])
def test_only_who_sorts_identities_reports_and_closes(server: Served, role: str) -> None:
    person = {"id": server.record()}
    assert report(server, person, role) == (403, "record.not-sorting")
    assert close(server, person, role) == 403


def test_a_collision_says_which(server: Served) -> None:
    person = register(server, someone("Guillevoul"))
    assert report(server, person, value="DOUB") == (400, "record.collision-code")
    assert close(server, person) == 404

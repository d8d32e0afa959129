"""Composites over components find what was indexed before pairs were stored, and no more than that."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from serment.ledger.entry import Interaction
from serment.model import Act
from serment.record import trace
from serment.record.gate import Item
from serment.record.pen import Pen
from tests.doors.samples import LOINC, Json, weight
from tests.doors.served import Served, sentence
from tests.installation import run

SYSTOLIC, DIASTOLIC = "8480-6", "8462-4"
CODES = ("component-code-value-quantity", "combo-code-value-quantity")


def pressure(server: Served, name: str, systolic: float, diastolic: float) -> Json:
    components = [
        {
            "code": {"coding": [{"system": LOINC, "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg"},
        }
        for code, value in ((SYSTOLIC, systolic), (DIASTOLIC, diastolic))
    ]
    made = weight(server.record(), component=components, identifier=[{"system": "urn:ancien", "value": name}])
    del made["valueQuantity"]
    return made


def made(server: Served, name: str, *readings: tuple[float, float], old: bool = True) -> list[str]:
    doctor = server.staff("team-doctor")
    answers = [doctor.post("Observation", json=pressure(server, name, *reading)) for reading in readings]
    assert {answer.status_code for answer in answers} == {201}
    ids = [str(answer.json()["id"]) for answer in answers]
    for id_ in ids if old else ():
        age(server, id_)
    return ids


def age(server: Served, id_: str) -> None:
    """Write the entry of an item as a Serment did that stored no pairs."""
    asking = server.installation.as_staff("team-doctor")

    def job(pen: Pen) -> None:
        located, _ = pen.passage.resolve(pen.txn, f"Observation/{id_}")
        draft = pen.draft(located.record)
        item = draft.current(("Observation", id_, ""), Act.WRITE)
        assert isinstance(item, Item)
        values: dict[str, Any] = msgspec.msgpack.decode(item.entry.values)
        assert values.pop("component-code-value-quantity")
        draft.take(item)
        older = msgspec.Raw(msgspec.msgpack.encode(values))
        draft.place(item.unit, msgspec.structs.replace(item.entry, values=older))
        pen.did(draft, Interaction.UPDATE, trace.touched(item, asking))

    run(server.house.writing.run(asking, [f"Observation/{id_}"], job))


def asked(server: Served, name: str, code: str, value: str) -> str:
    return f"Observation?patient={server.record()}&identifier=urn:ancien|{name}&{code}={value}"


def found(
    server: Served, name: str, value: str, role: str = "team-doctor", code: str = CODES[0]
) -> list[str]:
    answer = server.staff(role).get(asked(server, name, code, value))
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return sorted(one["resource"]["id"] for one in entries if one["search"]["mode"] == "match")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("old", [True, False])
def test_an_item_is_found_by_what_stands_together_in_it(server: Served, code: str, old: bool) -> None:
    name = f"together-{code}-{old}"
    high, low = made(server, name, (150, 80), (120, 60), old=old)
    assert found(server, name, f"{LOINC}|{SYSTOLIC}$ge140", code=code) == [high]
    assert found(server, name, f"{LOINC}|{DIASTOLIC}$lt70", code=code) == [low]
    assert found(server, name, f"{LOINC}|{DIASTOLIC}$ge140", code=code) == []
    assert found(server, name, f"{LOINC}|{SYSTOLIC}$lt90", code=code) == []


def test_a_link_asks_of_older_items_too(server: Served) -> None:
    [id_] = made(server, "linked", (171, 81))
    doctor = server.staff("team-doctor")
    derived = weight(server.record(), derivedFrom=[{"reference": f"Observation/{id_}"}])
    child = doctor.post("Observation", json=derived).json()["id"]
    for value, ids in ((f"{LOINC}|{SYSTOLIC}$171", [child]), (f"{LOINC}|{DIASTOLIC}$171", [])):
        query = f"Observation?patient={server.record()}&derived-from:Observation.{CODES[0]}={value}"
        answer = doctor.get(query).json()
        assert [one["resource"]["id"] for one in answer.get("entry", []) if "id" in one["resource"]] == ids


def test_a_body_that_is_read_for_a_search_is_named_in_the_trace(server: Served) -> None:
    """The patient sees that the item was read, found or not."""
    [id_] = made(server, "traced-older", (133, 83))
    assert found(server, "traced-older", f"{LOINC}|{DIASTOLIC}$133") == []
    trail = run(server.house.proving.trail(server.installation.as_patient(), server.record()))
    assert f"Observation/{id_}/_history/1" in {one for body in trail[:3] for one in body.event.resources}


def test_an_item_that_was_changed_says_it_by_itself(server: Served) -> None:
    [id_] = made(server, "changed-older", (144, 84))
    doctor = server.staff("team-doctor")
    sent = {**pressure(server, "changed-older", 145, 84), "id": id_}
    assert doctor.put(f"Observation/{id_}", json=sent, headers={"if-match": 'W/"1"'}).status_code == 200
    before = size(server)
    assert found(server, "changed-older", f"{LOINC}|{SYSTOLIC}$145") == [id_]
    assert size(server) == before + 1  # the search itself, and no body beside


def size(server: Served) -> int:
    with server.house.passage.store.snapshot() as snapshot:
        return snapshot.ledger_size()


def test_no_body_is_read_that_the_rest_of_the_search_rules_out(server: Served) -> None:
    [wanted] = made(server, "narrow", (137, 87))
    [other] = made(server, "wide", (137, 87))
    assert found(server, "narrow", f"{LOINC}|{SYSTOLIC}$137") == [wanted]
    trail = run(server.house.proving.trail(server.installation.as_patient(), server.record()))
    named = {one for body in trail[:3] if body.event.interaction == "search" for one in body.event.resources}
    assert f"Observation/{wanted}/_history/1" in named
    assert f"Observation/{other}/_history/1" not in named


def test_more_than_a_page_of_bodies_is_not_read_for_one_search(server: Served) -> None:
    """What one search holds in memory has an end: of 500 bodies each may be as large as a request."""
    doctor = server.staff("team-doctor")
    heavy = pressure(server, "heavy", 138, 88) | {"note": [{"text": "x" * 800_000}] * 3}
    ids = [doctor.post("Observation", json=heavy).json()["id"] for _ in range(9)]
    for id_ in ids:
        age(server, id_)
    refused = doctor.get(asked(server, "heavy", CODES[0], f"{LOINC}|{SYSTOLIC}$138"))
    assert (refused.status_code, sentence(refused)) == (413, "search.too-many-older")
    for id_ in ids:
        doctor.delete(f"Observation/{id_}")


def test_hidden_older_items_are_looked_at_by_nobody(server: Served) -> None:
    made(server, "hidden-older", (155, 85))
    stranger = server.staff("unrelated-doctor")
    answers = [
        stranger.get(asked(server, name, CODES[0], f"{LOINC}|{SYSTOLIC}$155"))
        for name in ("hidden-older", "never-older")
    ]
    assert [answer.json()["total"] for answer in answers] == [0, 0]


def test_a_condition_of_a_write_asks_nothing_of_pairs(server: Served) -> None:
    doctor = server.staff("team-doctor")
    condition = f"patient={server.record()}&{CODES[0]}={LOINC}|{SYSTOLIC}$150"
    refused = doctor.post(
        "Observation", json=pressure(server, "condition", 150, 80), headers={"if-none-exist": condition}
    )
    assert (refused.status_code, sentence(refused)) == (400, "record.condition-parameter")

"""Searches that reach other items, over HTTP: chains, `_has`, includes, parts of resources."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.doors.samples import person, weight
from tests.doors.served import Served, sentence


@pytest.fixture(scope="module")
def record(running: Served) -> dict[str, str]:
    """Make a record: a visit, two measures of which the second refers to the first and to a doctor."""
    doctor = running.staff("attending")
    patient = doctor.post("Patient", json=person("Reliée", "1971-07-07")).json()["id"]
    found = doctor.get("Practitioner", params={"family": "Vasselin"}).json()["entry"][0]["resource"]
    first = doctor.post("Observation", json=weight(patient, 61)).json()["id"]
    more: dict[str, Any] = {
        "focus": [{"reference": f"Observation/{first}"}],
        "performer": [{"reference": f"Practitioner/{found['id']}"}],
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">soixante</div>'},
        "note": [{"text": "à jeun"}],
    }
    second = doctor.post("Observation", json=weight(patient, 62, **more)).json()["id"]
    running.hang_up()
    return {"patient": patient, "first": first, "second": second, "doctor": found["id"]}


def ask(server: Served, record: dict[str, str], query: str, type_: str = "Observation") -> Any:
    owner = "_id" if type_ == "Patient" else "patient"
    answer = server.staff("attending").get(f"{type_}?{owner}={record['patient']}&{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def shown(record: dict[str, str], bundle: Any, mode: str = "match") -> list[str]:
    """Name the items of an answer as the record does."""
    names = {id_: name for name, id_ in record.items()}
    found = [one["resource"] for one in bundle.get("entry", []) if one["search"]["mode"] == mode]
    return sorted(names[one["id"]] for one in found)


@pytest.mark.capability("1-30", "lets")
@pytest.mark.parametrize(
    ("type_", "query", "names"),
    [
        ("Observation", "focus:Observation.value-quantity=61", ["second"]),
        ("Observation", "focus:Observation.value-quantity=gt61", []),
        ("Observation", "performer:Practitioner.family=vasselin", ["second"]),
        ("Observation", "performer.name=nobody", []),
        ("Observation", "_has:Observation:focus:value-quantity=ge62", ["first"]),
        ("Observation", "patient.birthdate=1971-07-07", ["first", "second"]),
        ("Patient", "_has:Observation:patient:code-value-quantity=29463-7$62", ["patient"]),
        ("Patient", "_has:Observation:patient:performer:Practitioner.family=vasselin", ["patient"]),
        ("Patient", "_has:Observation:patient:value-quantity=gt62", []),
    ],
)
def test_a_link_finds(
    server: Served, record: dict[str, str], type_: str, query: str, names: list[str]
) -> None:
    assert shown(record, ask(server, record, query, type_)) == names


@pytest.mark.parametrize(
    ("type_", "query", "matches", "brought"),
    [
        ("Observation", "focus:missing=false&_include=Observation:focus", ["second"], ["first"]),
        ("Observation", "_include=Observation:focus", ["first", "second"], []),  # on the page already
        ("Observation", "value-quantity=62&_include=Observation:performer", ["second"], ["doctor"]),
        ("Observation", "value-quantity=62&_include=Observation:performer:Organization", ["second"], []),
        ("Observation", "value-quantity=61&_revinclude=Observation:focus", ["first"], ["second"]),
        ("Observation", "value-quantity=61&_include=Observation:patient", ["first"], ["patient"]),
        ("Patient", "_revinclude=Observation:subject", ["patient"], ["first", "second"]),
        ("Patient", "_revinclude=Observation:subject&_count=0", [], []),
    ],
)
def test_a_page_brings(
    server: Served, record: dict[str, str], type_: str, query: str, matches: list[str], brought: list[str]
) -> None:
    bundle = ask(server, record, query, type_)
    assert shown(record, bundle) == matches
    assert shown(record, bundle, "include") == brought
    assert bundle["total"] == max(len(matches), 1 if type_ == "Patient" else 0)


def test_pages_bring_each_their_own(server: Served, record: dict[str, str]) -> None:
    doctor = server.staff("attending")
    first = ask(server, record, "_sort=-value-quantity&_count=1&_include=Observation:focus")
    assert (shown(record, first), shown(record, first, "include")) == (["second"], ["first"])
    url = next(one["url"] for one in first["link"] if one["relation"] == "next")
    second = doctor.get(url).json()
    assert (shown(record, second), shown(record, second, "include")) == (["first"], [])


@pytest.mark.parametrize(
    ("query", "members"),
    [
        ("_summary=true", {"valueQuantity", "subject", "focus", "performer"}),
        ("_summary=text", {"text"}),
        ("_summary=data", {"valueQuantity", "subject", "focus", "performer", "category", "note"}),
        ("_elements=note,value", {"note", "valueQuantity"}),
        ("_summary=false", {"valueQuantity", "subject", "focus", "performer", "category", "note", "text"}),
    ],
)
def test_a_part_is_given(server: Served, record: dict[str, str], query: str, members: set[str]) -> None:
    bundle = ask(server, record, f"value-quantity=62&{query}")
    [resource] = [one["resource"] for one in bundle["entry"]]
    always = {"resourceType", "id", "meta", "status", "code"}
    assert set(resource) == members | always
    tags = [one["code"] for one in resource["meta"].get("tag", [])]
    assert tags == ([] if query == "_summary=false" else ["SUBSETTED"])


def test_a_count_is_a_count(server: Served, record: dict[str, str]) -> None:
    bundle = ask(server, record, "_summary=count&_total=none")
    assert (bundle["total"], bundle.get("entry", [])) == (2, [])


def test_what_is_brought_comes_whole_beside_elements(server: Served, record: dict[str, str]) -> None:
    bundle = ask(server, record, "value-quantity=62&_elements=status&_include=Observation:focus")
    whole = [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "include"]
    assert "valueQuantity" in whole[0]


def test_the_directory_is_chained_in_itself_and_into_no_record(server: Served) -> None:
    secretary = server.staff("secretary")
    found = secretary.get(
        "PractitionerRole?practitioner.family=Vasselin&_include=PractitionerRole:practitioner"
    )
    assert found.status_code == 200
    refused = secretary.get("Practitioner?_has:Observation:performer:code=29463-7")
    assert (refused.status_code, sentence(refused)) == (400, "search.across-records")


def test_a_part_found_by_a_batch_is_the_same(server: Served, record: dict[str, str]) -> None:
    url = f"Observation?patient={record['patient']}&value-quantity=62&_elements=value"
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": url}}],
    }
    answer = server.staff("attending").post(server.address + "/fhir", json=bundle).json()
    [one] = answer["entry"][0]["resource"]["entry"]
    assert set(one["resource"]) == {"resourceType", "id", "meta", "status", "code", "valueQuantity"}


def test_the_self_link_says_what_was_understood(server: Served, record: dict[str, str]) -> None:
    bundle = ask(server, record, "_summary=true&_include=Observation:focus&patient.family=reliee")
    [link] = [one["url"] for one in bundle["link"] if one["relation"] == "self"]
    assert re.search(r"_include=Observation%3Afocus.*_summary=true", link)
    assert "reliee" not in link

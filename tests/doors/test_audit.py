"""The trace as AuditEvents: read, searched, verified; never written, and for nobody else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from serment.app import STORE_FILE
from serment.errors import IntegrityError
from serment.fhir import document, validate
from tests.doors.samples import Json, bundle, entry, weight
from tests.doors.served import Served, sentence
from tests.installation import run, small_installation

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def events(server: Served, **asked: str) -> list[Json]:
    answer = server.patient().get("AuditEvent", params={"patient": server.record(), "_count": "500", **asked})
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json().get("entry", []) if one["search"]["mode"] == "match"]


def test_the_holder_finds_every_access_with_who_and_why(server: Served) -> None:
    doctor = server.staff("team-doctor")
    made = doctor.post("Observation", json=weight(server.record())).json()
    doctor.get(f"Observation/{made['id']}")
    asked, read, written = events(server)[:3]
    assert (read["action"], written["action"], read["outcome"]) == ("R", "C", "0")
    assert read["subtype"][0]["code"] == "read"
    assert read["agent"][0]["who"]["identifier"]["system"] == "https://rpps.esante.gouv.fr"
    assert read["agent"][0]["policy"][0].startswith("urn:serment:rule:G")
    assert {"reference": f"Observation/{made['id']}/_history/1"} in [
        one.get("what") for one in read["entity"]
    ]
    assert read["agent"][0]["name"] == read["agent"][0]["who"]["display"]
    assert read["agent"][0]["purposeOfUse"] == read["purposeOfEvent"]
    assert asked["agent"][0]["who"]["identifier"]["value"].startswith("patient:")


def test_every_event_is_valid_fhir_with_an_id_that_stays(server: Served) -> None:
    holder = server.patient()
    first = events(server)
    assert len(first) > 5
    again = {one["id"]: one for one in events(server)}
    # To ask is an event too: where the page is full, the oldest one makes room for it.
    assert all(again[one["id"]] == one for one in first[:-1])
    for one in first[:20]:
        read = holder.get(f"AuditEvent/{one['id']}")
        assert read.json() == one
        assert validate.issues(document.read(read.content)) == []


@pytest.mark.parametrize(
    "asked", [{"action": "C"}, {"outcome": "4"}, {"action": "E", "outcome": "0"}, {"date": "ge2200"}]
)
def test_a_search_of_the_trace_keeps_what_was_asked(server: Served, asked: dict[str, str]) -> None:
    server.staff("unrelated-doctor").get(f"Patient/{server.record()}")
    server.patient().get("Observation", params={"patient": server.record()})
    found = events(server, **asked)
    assert bool(found) != ("date" in asked)
    for name in {"action", "outcome"} & set(asked):
        assert {one[name] for one in found} == {asked[name]}


def test_pages_of_the_trace_do_not_move_though_reading_it_adds_lines(server: Served) -> None:
    holder = server.patient()
    answer = holder.get("AuditEvent", params={"patient": server.record(), "_count": "4"}).json()
    total, seen = answer["total"], []
    while True:
        seen += [one["resource"]["id"] for one in answer["entry"]]
        following = [one["url"] for one in answer["link"] if one["relation"] == "next"]
        if not following:
            break
        answer = holder.get(following[0]).json()
        assert answer["total"] == total
    assert len(seen) == len(set(seen)) == total


def test_to_anybody_else_there_is_no_trace(server: Served) -> None:
    id_ = events(server)[0]["id"]
    for role in ("team-doctor", "attending", "secretary", "unrelated-doctor"):
        staff = server.staff(role)
        reads = [staff.get(f"AuditEvent/{one}") for one in (id_, id_[:32] + "0" * 32, UNKNOWN, "x")]
        assert {read.status_code for read in reads} == {404}
        assert len({read.content for read in reads}) == 1
        found = [
            staff.get("AuditEvent", params={"patient": one}).json() for one in (server.record(), UNKNOWN)
        ]
        assert [one["total"] for one in found] == [0, 0]
        checks = [
            staff.get("AuditEvent/$verify-integrity", params={"patient": one})
            for one in (server.record(), UNKNOWN)
        ]
        assert {check.status_code for check in checks} == {404}
        assert checks[0].content == checks[1].content


def test_a_refusal_is_told_without_what_was_hidden(server: Served) -> None:
    server.staff("unrelated-doctor").get(f"Patient/{server.record()}/$everything")
    refused = events(server, outcome="4")[0]
    assert "policy" not in refused["agent"][0]
    assert [one["type"]["code"] for one in refused["entity"]] == ["1", "XrequestId"]


def test_a_trace_is_never_written_from_outside(server: Served) -> None:
    holder, id_ = server.patient(), events(server)[0]["id"]
    resource = {"resourceType": "AuditEvent", "id": id_}
    assert holder.post("AuditEvent", json=resource).status_code == 405
    for method in ("PUT", "PATCH", "DELETE"):
        assert holder.request(method, f"AuditEvent/{id_}", json=resource).status_code == 405
        assert holder.request(method, "AuditEvent", json=resource).status_code == 405


@pytest.mark.capability("1-16", "lets")
def test_the_holder_verifies_their_trace(server: Served) -> None:
    answer = server.patient().get("AuditEvent/$verify-integrity", params={"patient": server.record()})
    said = {one["name"]: one for one in answer.json()["parameter"]}
    assert said["result"]["valueBoolean"] is True
    assert said["size"]["valueDecimal"] >= said["entries"]["valueInteger"] > 5
    lines = said["checkpoint"]["valueString"].split("\n")
    assert lines[1:3] == [str(said["size"]["valueDecimal"]), said["root"]["valueBase64Binary"]]
    assert validate.issues(document.read(answer.content)) == []


@pytest.mark.parametrize("query", ["", "?patient=", "?patient=a&x=b", "?subject=a"])
def test_a_verification_names_its_record(server: Served, query: str) -> None:
    answer = server.patient().get(f"AuditEvent/$verify-integrity{query}")
    assert (answer.status_code, sentence(answer)) == (400, "operations.one-parameter")


def test_a_batch_does_not_read_the_trace_as_if_it_were_empty(server: Served) -> None:
    for url in (f"AuditEvent?patient={server.record()}", f"AuditEvent/{UNKNOWN}"):
        asked = bundle(entry(None, "GET", url), kind="batch")
        answer = server.patient().post(f"{server.address}/fhir", json=asked)
        [one] = answer.json()["entry"]
        assert one["response"]["status"].startswith("400")


def test_a_trace_that_was_edited_by_hand_is_never_verified(tmp_path: Path) -> None:
    """The thief with the disk turns one byte of a sealed line."""
    with small_installation(tmp_path) as made:
        assert run(made.house.auditing.verify(made.as_patient(), made.record())).walked
        with closing(sqlite3.connect(made.settings.directory / STORE_FILE)) as store, store:
            changed = "UPDATE entry SET commitment = randomblob(32) WHERE sequence = 3"
            assert store.execute(changed).rowcount == 1
        with pytest.raises(IntegrityError):
            run(made.house.auditing.verify(made.as_patient(), made.record()))

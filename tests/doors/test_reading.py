"""Read, vread and history over HTTP: the same bytes, the right headers, nothing told of what is hidden."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime

import pytest

from tests.doors.samples import weight
from tests.doors.served import Served, outcome, sentence


def test_a_written_item_is_read_back_byte_for_byte(server: Served) -> None:
    raw = json.dumps(weight(server.record())).replace("70.5", "70.500").encode()
    doctor = server.staff("team-doctor")
    made = doctor.post("Observation", content=raw)
    read = doctor.get(f"Observation/{made.json()['id']}")
    assert read.content == made.content
    assert b"70.500" in read.content


def test_a_read_says_version_and_date(server: Served) -> None:
    read = server.staff("team-doctor").get(f"Patient/{server.record()}")
    assert read.status_code == 200
    assert read.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert read.headers["etag"] == f'W/"{read.json()["meta"]["versionId"]}"'
    assert parsedate_to_datetime(read.headers["last-modified"]).tzinfo is not None
    assert read.headers["cache-control"] == "no-store"


def test_head_answers_as_get_without_the_body(server: Served) -> None:
    doctor = server.staff("team-doctor")
    got = doctor.get(f"Patient/{server.record()}")
    head = doctor.head(f"Patient/{server.record()}")
    assert (head.status_code, head.headers["etag"], head.content) == (200, got.headers["etag"], b"")
    assert head.headers["content-length"] == str(len(got.content))


@pytest.mark.capability("0-17", "lets")
def test_every_version_stays_readable_after_a_change_and_a_deletion(server: Served) -> None:
    doctor = server.staff("team-doctor")
    made = doctor.post("Observation", json=weight(server.record(), 70.0))
    id_ = made.json()["id"]
    doctor.put(
        f"Observation/{id_}",
        json=weight(server.record(), 71.0, id=id_),
        headers={"if-match": made.headers["etag"]},
    )
    doctor.delete(f"Observation/{id_}")
    assert doctor.get(f"Observation/{id_}").status_code == 410
    assert doctor.get(f"Observation/{id_}/_history/1").json()["valueQuantity"]["value"] == 70.0
    assert doctor.get(f"Observation/{id_}/_history/2").json()["valueQuantity"]["value"] == 71.0
    assert doctor.get(f"Observation/{id_}/_history/3").status_code == 410
    told = doctor.get(f"Observation/{id_}/_history").json()
    assert told["type"] == "history"
    assert told["total"] == 3
    assert [one["request"]["method"] for one in told["entry"]] == ["DELETE", "PUT", "POST"]
    assert "resource" not in told["entry"][0]


def test_a_version_that_never_was_is_not_found(server: Served) -> None:
    doctor = server.staff("team-doctor")
    for version in ("9", "0", "999999999999999999999999"):
        assert doctor.get(f"Patient/{server.record()}/_history/{version}").status_code == 404


@pytest.mark.parametrize("tail", ["", "/_history", "/_history/1"])
@pytest.mark.capability("0-11", "refuses")
def test_hidden_and_unknown_answer_alike(server: Served, tail: str) -> None:
    stranger = server.staff("unrelated-doctor")
    hidden = stranger.get(f"Patient/{server.record()}{tail}")
    unknown = stranger.get(f"Patient/00000000-0000-4000-8000-000000000000{tail}")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.content == unknown.content
    assert set(hidden.headers) == set(unknown.headers)
    assert sentence(hidden) == "record.not-found"


@pytest.mark.capability("4-01", "refuses")
def test_a_secretary_reads_no_clinical_body(server: Served) -> None:
    found = server.staff("team-doctor").get(
        "Observation", params={"patient": f"Patient/{server.record()}", "_count": "1"}
    )
    id_ = found.json()["entry"][0]["resource"]["id"]
    assert server.staff("secretary").get(f"Observation/{id_}").status_code == 404


@pytest.mark.capability("4-01", "lets")
def test_a_secretary_reads_who_the_person_is_and_how_to_reach_them(server: Served) -> None:
    read = server.staff("secretary").get(f"Patient/{server.record()}")
    assert read.status_code == 200
    assert "telecom" in read.json()


def test_an_unknown_parameter_on_a_read_is_refused(server: Served) -> None:
    doctor = server.staff("team-doctor")
    for asked in ("_summary=true", "_elements=name", "x=1", "_format=json&y"):
        refused = doctor.get(f"Patient/{server.record()}?{asked}")
        assert (refused.status_code, outcome(refused)["code"]) == (400, "not-supported")
    assert doctor.get(f"Patient/{server.record()}?_format=json&_pretty=true").status_code == 200


def test_a_type_that_is_not_kept_is_not_found(server: Served) -> None:
    doctor = server.staff("team-doctor")
    for type_ in ("Wizard", "patient", "Group", "AuditEvent", "_history", "Parameters"):
        assert doctor.get(f"{type_}/1").status_code == 404

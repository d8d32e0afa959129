"""A person's copy of their record over HTTP, in the steps of FHIR Bulk Data."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from serment.fhir import document, validate
from serment.record.outward import exporting
from tests.doors.served import Served, sentence
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ASYNC = {"prefer": "respond-async"}


def begun(server: Served, **asked: str) -> str:
    answer = server.patient().get(f"Patient/{server.record()}/$export", params=asked, headers=ASYNC)
    assert (answer.status_code, answer.content) == (202, b""), answer.text
    return answer.headers["content-location"]


def files(server: Served, **asked: str) -> dict[str, dict[str, Any]]:
    manifest = server.patient().get(begun(server, **asked)).json()
    assert manifest["requiresAccessToken"] is True
    return {one["type"]: one for one in manifest["output"]}


def lines(answer: httpx.Response) -> list[bytes]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+ndjson")
    return answer.content.splitlines()


@pytest.mark.capability("3-13", "lets")
def test_a_person_takes_a_copy_of_all_they_may_see(server: Served) -> None:
    me, found = server.patient(), files(server)
    assert {"Patient", "Observation", "Condition", "DocumentReference"} <= set(found)
    for type_, one in found.items():
        given = lines(me.get(one["url"], headers={"accept": "application/fhir+ndjson"}))
        assert len(given) == one["count"], type_
        for line in given:
            assert json.loads(line)["resourceType"] == type_
            # Content that was streamed in leaves inside its JSON, however large it is.
            assert validate.issues(document.read(line, limit=1 << 30)) == []
    whole = me.get(f"Patient/{server.record()}/$everything").json()
    assert whole["total"] == sum(one["count"] for type_, one in found.items() if type_ != "Binary")


def test_a_copy_has_the_content_of_documents(server: Served) -> None:
    pdf = b"%PDF-1.7\n" + bytes(400_000)
    headers = {"content-type": "application/pdf", "x-security-context": f"Patient/{server.record()}"}
    made = server.staff("team-doctor").post("Binary", content=pdf, headers=headers)
    assert made.status_code == 201
    me = server.patient()
    given = lines(me.get(files(server, _type="Binary")["Binary"]["url"]))
    assert max(len(json.loads(line).get("data", "")) for line in given) > 400_000


def test_what_was_sent_on_several_lines_leaves_on_one(server: Served) -> None:
    sent = {
        "resourceType": "Condition",
        "code": {"text": "a\nb"},
        "subject": {"reference": f"Patient/{server.record()}"},
    }
    made = server.staff("team-doctor").post("Condition", content=json.dumps(sent, indent=2))
    assert made.status_code == 201
    given = lines(server.patient().get(files(server, _type="Condition")["Condition"]["url"]))
    assert [json.loads(line)["code"]["text"] for line in given].count("a\nb") == 1


def test_only_what_was_asked_leaves(server: Served) -> None:
    assert set(files(server, _type="Observation,Condition")) == {"Observation", "Condition"}
    assert files(server, _since="2200-01-01T00:00:00Z") == {}


@pytest.mark.capability("3-13", "refuses")
def test_nobody_else_takes_a_copy(server: Served) -> None:
    ticket = begun(server)
    file = files(server)["Observation"]["url"]
    for role in ("team-doctor", "attending", "secretary", "unrelated-doctor"):
        staff = server.staff(role)
        answers = [staff.get(f"Patient/{id_}/$export", headers=ASYNC) for id_ in (server.record(), UNKNOWN)]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content
        assert sentence(staff.get(ticket)) == sentence(staff.get(file)) == "record.page-token"


def test_a_copy_is_its_own_line_in_the_trace_with_what_left(server: Served) -> None:
    one = files(server)["Observation"]
    server.patient().get(one["url"])
    proving, me = server.installation.house.proving, server.installation.as_patient()
    trail = run(proving.trail(me, server.installation.record()))
    act = trail[1].event.request
    left = [body.event for body in trail if body.event.request == act]
    assert {event.interaction.value for event in left} == {"export"}
    assert sum(event.count for event in left) == one["count"]


def test_a_ticket_is_of_one_record_and_ends(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = begun(server)
    me = server.patient()
    assert sentence(me.get(ticket.replace(server.record(), UNKNOWN))) == "record.page-token"
    assert sentence(me.get(f"{ticket}x")) == "record.page-token"
    monkeypatch.setattr(exporting, "LASTS", 0)
    ended = me.get(ticket)
    assert (ended.status_code, sentence(ended)) == (410, "operations.export-ended")


@pytest.mark.parametrize(
    ("query", "headers", "said"),
    [
        ("", {}, "operations.export-prefer"),
        ("?_outputFormat=text/csv", ASYNC, "operations.export-format"),
        ("?_type=Nonsense", ASYNC, "operations.type"),
        ("?_elements=id", ASYNC, "operations.parameter"),
    ],
)
def test_what_is_not_understood_is_refused(
    server: Served, query: str, headers: dict[str, str], said: str
) -> None:
    answer = server.patient().get(f"Patient/{server.record()}/$export{query}", headers=headers)
    assert (answer.status_code, sentence(answer)) == (400, said)

"""The patient summary over HTTP: a document whose sections say what the reader may see."""

from __future__ import annotations

import json

from serment.fhir import document, ips, validate
from serment.fhir.ips import SECTIONS, About, Filled
from serment.model import Instant
from serment.words import Language, say
from tests.doors.samples import Json
from tests.doors.served import Served
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def summary(server: Served, role: str = "team-doctor") -> Json:
    answer = server.staff(role).get(f"Patient/{server.record()}/$summary")
    assert answer.status_code == 200, answer.text
    assert validate.issues(document.read(answer.content)) == []
    made: Json = answer.json()
    return made


def test_a_summary_is_a_document_with_its_sections(server: Served) -> None:
    made = summary(server)
    composition, person = (one["resource"] for one in made["entry"][:2])
    assert (made["type"], composition["resourceType"], person["id"]) == (
        "document",
        "Composition",
        server.record(),
    )
    codes = [section["code"]["coding"][0]["code"] for section in composition["section"]]
    assert codes == [section.code for section in SECTIONS]
    references = [one["reference"] for section in composition["section"] for one in section.get("entry", [])]
    assert len(references) > 3
    assert references == [one["fullUrl"] for one in made["entry"][2:]]


def test_every_item_stands_as_it_is_stored(server: Served) -> None:
    doctor = server.staff("team-doctor")
    for one in summary(server)["entry"][1:]:
        assert doctor.get(one["fullUrl"]).json() == one["resource"]


def test_a_summary_is_of_what_its_reader_may_see(server: Served) -> None:
    made = server.installation
    me = server.patient()
    hidden = me.get("AllergyIntolerance", params={"patient": server.record()}).json()["entry"]
    for one in hidden:
        item = f"AllergyIntolerance/{one['resource']['id']}"
        run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    try:
        composition = summary(server)["entry"][0]["resource"]
        [allergies] = [one for one in composition["section"] if one["code"]["coding"][0]["code"] == "48765-2"]
        assert "entry" not in allergies
        assert allergies["emptyReason"]["coding"][0]["code"] == "unavailable"
        assert say("api.nothing-visible", Language.FR) in allergies["text"]["div"]
    finally:
        for one in hidden:
            item = f"AllergyIntolerance/{one['resource']['id']}"
            run(made.house.choosing.unmask(made.as_patient(), made.record(), item))


def test_a_summary_of_a_record_that_may_not_be_opened_is_none(server: Served) -> None:
    stranger = server.staff("unrelated-doctor")
    answers = [stranger.get(f"Patient/{id_}/$summary") for id_ in (server.record(), UNKNOWN)]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].content == answers[1].content


def test_a_summary_is_in_the_trace_with_what_it_showed(server: Served) -> None:
    shown = len(summary(server)["entry"]) - 1
    proving, me = server.installation.house.proving, server.installation.as_patient()
    trail = run(proving.trail(me, server.installation.record()))
    act = trail[1].event.request
    assert sum(body.event.count for body in trail if body.event.request == act) == shown


def test_a_text_of_a_resource_is_no_markup() -> None:
    """Stored script: what somebody wrote in a text stays a text in the narrative."""
    bad = json.dumps(
        {"resourceType": "Condition", "id": "1", "code": {"text": "<script>alert(1)</script>"}}
    ).encode()
    body = b'{"resourceType":"Patient","id":"p"}'
    uuid = "0b6e1a52-7c3f-4f43-9f5e-1d5a3c6f7a01"
    about = About("https://here.example/fhir", "p", body, uuid, Instant(0), Language.EN)
    made = json.loads(ips.document(about, [Filled(SECTIONS[0], [("Condition/1", bad)])]))
    div = made["entry"][0]["resource"]["section"][0]["text"]["div"]
    assert "<script" not in div
    assert "&lt;script&gt;" in div

"""`$validate`, `$explain-access` and `$emergency-access` over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serment.fhir import document, validate
from tests.doors.samples import Json, by_rpps, consent, person, weight
from tests.doors.served import Served, outcome, sentence
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def parts(parameter: Json) -> dict[str, Any]:
    return {one["name"]: one for one in parameter.get("part", [])}


def people(answer: Json) -> dict[str, Json]:
    found = [one for one in answer["parameter"] if one["name"] == "person"]
    return {parts(one)["who"]["valueReference"]["identifier"]["value"]: one for one in found}


def reads(person_: Json) -> set[str]:
    return {parts(one)["category"]["valueCode"] for one in person_["part"] if one["name"] == "reads"}


def refused(person_: Json) -> dict[str, str]:
    return {
        parts(one)["category"]["valueCode"]: parts(one)["why"]["valueString"]
        for one in person_["part"]
        if one["name"] == "does-not-read"
    }


def reason(*codes: str) -> Json:
    given = [{"name": "reason", "valueCode": code} for code in codes]
    return {"resourceType": "Parameters", "parameter": given}


# $validate


def test_what_could_be_written_is_said_to_be_good_and_nothing_is_kept(server: Served) -> None:
    doctor, house = server.staff("team-doctor"), server.installation.house
    asked = [
        ("Observation", weight(server.record())),
        ("Patient", person()),
        ("Observation", weight(UNKNOWN)),
    ]
    with house.passage.store.snapshot() as snapshot:
        before = snapshot.ledger_size()
    for type_, resource in asked:
        answer = doctor.post(f"{type_}/$validate", json=resource)
        assert (answer.status_code, sentence(answer)) == (200, "operations.valid")
    with house.passage.store.snapshot() as snapshot:
        assert snapshot.ledger_size() == before


def test_every_fault_is_listed_with_its_place(server: Served) -> None:
    bad = {**weight(server.record()), "status": "nonsense", "effectiveDateTime": "2026-02-31"}
    answer = server.staff("team-doctor").post("Observation/$validate", json=bad)
    places = {one["expression"][0] for one in answer.json()["issue"]}
    assert answer.status_code == 200
    assert {"Observation.status", "Observation.effectiveDateTime"} <= places
    assert {one["severity"] for one in answer.json()["issue"]} == {"error"}
    assert validate.issues(document.read(answer.content)) == []


def test_what_breaks_a_rule_of_this_server_is_a_fault_too(server: Served) -> None:
    nobody = {key: value for key, value in weight(server.record()).items() if key != "subject"}
    answer = server.staff("team-doctor").post("Observation/$validate", json=nobody)
    assert (answer.status_code, sentence(answer)) == (200, "fhir.no-patient")


def test_a_resource_comes_alone_or_in_parameters(server: Served) -> None:
    doctor, sent = server.staff("team-doctor"), weight(server.record(), id="x1")
    wrapped = {
        "resourceType": "Parameters",
        "parameter": [{"name": "mode", "valueCode": "update"}, {"name": "resource", "resource": sent}],
    }
    for path, body in (
        ("Observation/$validate", wrapped),
        ("Observation/x1/$validate", wrapped),
        ("Observation/$validate?mode=create", sent),
    ):
        assert sentence(doctor.post(path, json=body)) == "operations.valid", path
    assert sentence(doctor.post("Observation/x2/$validate", json=sent)) == "record.type-mismatch"
    assert sentence(doctor.post("Patient/$validate", json=sent)) == "record.type-mismatch"


@pytest.mark.parametrize(
    ("query", "more", "said"),
    [
        ("?profile=http://x", [], "operations.profile"),
        ("", [{"name": "profile", "valueUri": "http://x"}], "operations.profile"),
        ("?mode=delete", [], "operations.mode"),
        ("?foo=1", [], "operations.parameter"),
        ("", [{"name": "foo", "valueString": "x"}], "operations.validate"),
    ],
)
def test_what_is_not_judged_is_not_left_aside(
    server: Served, query: str, more: list[Json], said: str
) -> None:
    given = [{"name": "resource", "resource": weight(server.record())}, *more]
    sent = {"resourceType": "Parameters", "parameter": given}
    answer = server.staff("team-doctor").post(f"Observation/$validate{query}", json=sent)
    assert (answer.status_code, sentence(answer)) == (400, said)


# $explain-access


def test_the_holder_is_told_who_could_read_what_and_by_which_rule(server: Served) -> None:
    answer = server.patient().get(f"Patient/{server.record()}/$explain-access")
    found = people(answer.json())
    team, me = server.installation.staff("team-doctor").id, server.patient_actor().id
    assert {team, me} <= set(found)
    assert {"labs", "vitals"} & reads(found[team])
    assert not refused(found[me])
    assert all(why for one in found.values() for why in refused(one).values())
    assert validate.issues(document.read(answer.content)) == []


def test_a_block_closes_the_record_in_the_explanation_too(server: Served) -> None:
    role, me = "locum", server.patient()
    blocked = server.installation.staff(role).id
    word = consent(server.record(), actor=[{"role": {"text": "blocked"}, "reference": by_rpps(blocked)}])
    made = me.post("Consent", json=word)
    assert made.status_code == 201, made.text
    try:
        found = people(me.get(f"Patient/{server.record()}/$explain-access").json())
        assert reads(found[blocked]) <= {"directory"}
        assert len(set(refused(found[blocked]).values())) >= 1
    finally:
        assert me.delete(f"Consent/{made.json()['id']}").status_code == 200


def test_one_item_is_explained_alone(server: Served) -> None:
    made = server.staff("team-doctor").post("Observation", json=weight(server.record())).json()
    me = server.patient()
    answer = me.get(
        f"Patient/{server.record()}/$explain-access", params={"item": f"Observation/{made['id']}"}
    )
    found = people(answer.json())
    assert {category for one in found.values() for category in reads(one) | set(refused(one))} == {"vitals"}
    for missing in (f"Observation/{UNKNOWN}", "Patient/x"):
        answer = me.get(f"Patient/{server.record()}/$explain-access", params={"item": missing})
        assert answer.status_code == 404


def test_nobody_else_is_told_who_could_read(server: Served) -> None:
    for role in ("locum", "officer", "unrelated-doctor"):
        staff = server.staff(role)
        answers = [staff.get(f"Patient/{id_}/$explain-access") for id_ in (server.record(), UNKNOWN)]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content


def ties(person_: Json) -> dict[str, dict[str, Any]]:
    found = [parts(one) for one in person_["part"] if one["name"] == "tie"]
    return {one["kind"]["valueCode"]: one for one in found}


@pytest.mark.capability("3-02", "lets")
def test_the_holder_is_told_which_regime_rules_and_on_what_each_person_stands(server: Served) -> None:
    stranger, me = server.installation.staff("unrelated-doctor").id, server.patient()
    named = {"role": {"text": "x"}, "reference": by_rpps(stranger)}
    permit = consent(server.record(), type="permit", actor=[named])
    permit["provision"]["period"] = {"start": "2026-01-01", "end": "2099-01-01"}
    made = me.post("Consent", json=permit)
    assert made.status_code == 201, made.text
    answer = me.get(f"Patient/{server.record()}/$explain-access").json()
    said = {one["name"]: one for one in answer["parameter"]}
    assert said["regime"]["valueCode"] == "own"
    assert "L1110-4" in said["why"]["valueString"]
    found = people(answer)
    given = ties(found[stranger])["consent"]
    assert given["by"]["valueReference"]["identifier"]["value"] == server.patient_actor().id
    assert (given["since"]["valueInstant"][:4], given["until"]["valueInstant"][:4]) == ("2026", "2099")
    assert "attending" in ties(found[server.installation.staff("attending").id])
    assert all(one["why"]["valueString"] for person_ in found.values() for one in ties(person_).values())
    me.delete(f"Consent/{made.json()['id']}")


@pytest.mark.capability("3-02", "lets")
def test_a_professional_who_may_read_is_told_why_and_nothing_of_anybody_else(server: Served) -> None:
    doctor = server.installation.staff("team-doctor")
    answer = server.client(doctor).get(f"Patient/{server.record()}/$explain-access").json()
    assert [one["name"] for one in answer["parameter"]] == ["regime", "why", "person"]
    [(name, mine)] = people(answer).items()
    assert (name, refused(mine)) == (doctor.id, {})
    assert reads(mine)
    assert ties(mine)
    assert not any("by" in one for one in ties(mine).values())


@pytest.mark.capability("3-02", "refuses")
def test_nothing_is_exchanged_outside_the_team_without_a_recorded_consent(server: Served) -> None:
    doctor, me = server.staff("unrelated-doctor"), server.patient()
    assert doctor.get(f"Patient/{server.record()}").status_code == 404
    permit = consent(server.record(), type="permit")
    reference = by_rpps(server.installation.staff("unrelated-doctor").id)
    permit["provision"]["actor"] = [{"role": {"text": "x"}, "reference": reference}]
    made = me.post("Consent", json=permit).json()
    assert doctor.get(f"Patient/{server.record()}").status_code == 200
    permit["provision"]["period"] = {"start": "2020-01-01", "end": "2021-01-01"}
    ended = me.put(f"Consent/{made['id']}", json={**permit, "id": made["id"]}, headers={"if-match": 'W/"1"'})
    assert ended.status_code == 200, ended.text
    assert doctor.get(f"Patient/{server.record()}").status_code == 404
    me.delete(f"Consent/{made['id']}")


# $emergency-access


def test_an_emergency_says_what_it_opens_and_is_told_to_the_patient(server: Served) -> None:
    doctor = server.staff("locum")
    assert doctor.get(f"Patient/{server.record()}").status_code == 404
    answer = doctor.post(f"Patient/{server.record()}/$emergency-access", json=reason("immediate-risk"))
    assert answer.status_code == 200, answer.text
    said = answer.json()["parameter"]
    counted = {
        parts(one)["code"]["valueCode"]: parts(one)["items"]["valueInteger"] for one in said if "part" in one
    }
    assert counted["allergies"] > 0
    assert "choices" not in counted
    assert validate.issues(document.read(answer.content)) == []
    proving, me = server.installation.house.proving, server.installation.as_patient()
    event = run(proving.trail(me, server.installation.record()))[1].event
    assert (event.interaction.value, event.reason, event.emergency) == ("emergency", "immediate-risk", True)
    told = {one["name"]: one for one in said}
    headers = {
        "serment-purpose": told["purpose"]["valueCode"],
        "serment-reason": told["reason"]["valueCode"],
    }
    assert doctor.get(f"Patient/{server.record()}", headers=headers).status_code == 200


def test_an_emergency_of_who_may_not_is_one_on_nothing(server: Served) -> None:
    for role in ("secretary", "officer"):
        staff = server.staff(role)
        answers = [
            staff.post(f"Patient/{id_}/$emergency-access", json=reason("immediate-risk"))
            for id_ in (server.record(), UNKNOWN)
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (reason("curiosity"), 400, "record.reason-unknown"),
        (reason(), 422, "fhir.empty"),
        ({"resourceType": "Parameters"}, 422, "api.parameter"),
        (
            {"resourceType": "Parameters", "parameter": [{"name": "why", "valueCode": "x"}]},
            422,
            "api.parameter",
        ),
    ],
)
def test_an_emergency_has_a_coded_reason(server: Served, body: Json, status: int, said: str) -> None:
    doctor = server.staff("unrelated-doctor")
    answer = doctor.post(f"Patient/{server.record()}/$emergency-access", content=json.dumps(body))
    assert (answer.status_code, outcome(answer)["details"]["coding"][0]["code"]) == (status, said)

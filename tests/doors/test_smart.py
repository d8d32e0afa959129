"""Programs that are let in: what they are given, and what they are given less of than they ask."""

from __future__ import annotations

import re

import pytest
from joserfc.jwk import ECKey

from serment.people.arriving import local
from serment.people.clients import BACKEND, CONFIDENTIAL, PUBLIC
from tests.doors.programs import ASSERTION, BACK, Program, assertion, public, registered
from tests.doors.samples import weight
from tests.doors.served import Served
from tests.doors.test_binary import PDF, document, made, post

LABS = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
ALL = "launch/patient patient/*.cruds offline_access openid profile"


def test_a_server_says_where_and_how_programs_ask(server: Served) -> None:
    said = server.calling(server.address, {}).get("/fhir/.well-known/smart-configuration")
    assert said.headers["content-type"] == "application/json"
    known = said.json()
    assert known["token_endpoint"] == f"{server.address}/token"
    assert known["code_challenge_methods_supported"] == ["S256"]
    assert "implicit" not in known["grant_types_supported"]
    assert server.calling(server.address, {}).get("/.well-known/oauth-authorization-server").json() == known
    security = server.calling(server.address, {}).get("/fhir/metadata").json()["rest"][0]["security"]
    (uris,) = security["extension"]
    assert {one["url"]: one["valueUri"] for one in uris["extension"]}["token"] == known["token_endpoint"]


@pytest.mark.capability("3-12", "lets")
def test_the_page_says_who_asks_what_for_how_long_and_in_which_country(server: Served) -> None:
    client = registered(server, PUBLIC, "launch/patient", "patient/*.rs", "offline_access")
    shown = Program(server, client.id).page(server.patient_actor(), "patient/Observation.rs offline_access")
    assert shown.status_code == 200
    for text in ("Carnet de suivi", "Éditions Exemple SAS", "suivi du diabète", "France", "app.example"):
        assert text in shown.text
    assert "dans votre dossier" in shown.text
    assert "Résultats de biologie" in shown.text
    assert "30 jours" in shown.text
    assert "Refuser" in shown.text


@pytest.mark.capability("1-16", "lets")
def test_a_patients_program_reads_what_was_agreed(server: Served) -> None:
    client = registered(server, PUBLIC, "launch/patient", "patient/*.rs")
    program = Program(server, client.id)
    issued = program.launched(server.patient_actor(), "launch/patient patient/Observation.rs")
    assert issued["patient"] == server.record()
    assert (issued["token_type"], issued["expires_in"]) == ("Bearer", 300)
    assert issued["scope"] == "patient/Observation.rs launch/patient"
    found = program.fhir(issued["access_token"], "GET", f"Observation?patient={server.record()}")
    assert found.json()["total"] > 0
    trail = server.patient().get(f"AuditEvent?patient={server.record()}&_count=5").text
    assert client.id in trail
    browser = server.browser()
    browser.get(server.code(server.patient_actor(), "/me"))
    assert f"par l&#39;application {client.id}" in browser.get("/me/who").text


@pytest.mark.capability("1-16", "refuses")
def test_who_asks_for_more_than_was_registered_gets_less(server: Served) -> None:
    client = registered(server, PUBLIC, "launch/patient", LABS)
    program = Program(server, client.id)
    issued = program.launched(server.patient_actor(), ALL)
    assert issued["scope"] == f"{LABS} launch/patient"
    assert "refresh_token" not in issued
    token, at = issued["access_token"], server.record()
    mine = server.patient().get(f"Observation?patient={at}&_count=500").json()
    categories = {
        code["coding"][0]["code"] for one in mine["entry"] for code in one["resource"].get("category", [])
    }
    assert {"laboratory", "vital-signs"} <= categories
    got = program.fhir(token, "GET", f"Observation?patient={at}&_count=500").json()
    assert 0 < got["total"] < mine["total"]
    assert not any("vital-signs" in str(one["resource"].get("category")) for one in got["entry"])
    assert program.fhir(token, "GET", f"Condition?patient={at}").status_code == 403
    assert program.fhir(token, "GET", f"Patient/{at}").status_code == 403


@pytest.mark.capability("1-16", "refuses")
def test_what_a_person_unticks_is_not_given(server: Served) -> None:
    client = registered(server, PUBLIC, "launch/patient", "patient/*.rs")
    program = Program(server, client.id)
    code = program.code(
        server.patient_actor(), "patient/Observation.rs patient/AllergyIntolerance.rs", without="Allergies"
    )
    assert program.exchanged(code).json()["scope"] == "patient/Observation.rs"


def test_whoever_says_no_gives_nothing(server: Served) -> None:
    program = Program(server, registered(server, PUBLIC, "patient/*.rs").id)
    brought = program.answered(program.page(server.patient_actor(), "patient/*.rs"), let=False)
    assert brought == {"error": "access_denied", "state": program.state, "iss": server.address}


@pytest.mark.capability("1-16", "refuses")
def test_what_a_scope_leaves_out_of_a_record_is_absent_from_every_way_in(server: Served) -> None:
    client = registered(server, PUBLIC, "launch/patient", "patient/Patient.rs", LABS)
    program = Program(server, client.id)
    token = program.launched(server.patient_actor(), ALL)["access_token"]
    at = server.record()
    whole = program.fhir(token, "GET", f"Patient/{at}/$everything?_count=500").json()
    assert {one["resource"]["resourceType"] for one in whole["entry"]} == {"Patient", "Observation"}
    vitals = server.patient().get(f"Observation?patient={at}&category=vital-signs").json()
    hidden = vitals["entry"][0]["resource"]["id"]
    gone = program.fhir(token, "GET", f"Observation/{hidden}")
    never = program.fhir(token, "GET", "Observation/0123456789abcdef")
    assert (gone.status_code, gone.text) == (never.status_code, never.text)
    assert gone.status_code == 404
    history = program.fhir(token, "GET", f"Observation/_history?patient={at}&_count=500").json()
    assert not any("vital-signs" in str(one["resource"]) for one in history.get("entry", []))
    encounters = program.fhir(token, "GET", f"Observation?patient={at}&encounter.status=finished").json()
    assert encounters["total"] == 0
    brought = program.fhir(token, "GET", f"Observation?patient={at}&_include=*&_count=500")
    if brought.status_code == 200:
        assert {one["resource"]["resourceType"] for one in brought.json()["entry"]} <= {
            "Patient",
            "Observation",
            "OperationOutcome",
        }


@pytest.mark.capability("1-16", "refuses")
def test_a_document_is_not_its_content(server: Served) -> None:
    client = registered(server, PUBLIC, "launch/patient", "patient/DocumentReference.rs")
    program = Program(server, client.id)
    token = program.launched(server.patient_actor(), ALL)["access_token"]
    at = server.record()
    with server.staff("team-doctor") as doctor:
        binary = made(post(doctor, f"Patient/{at}", PDF))
        sheet = document(doctor, at, f"Binary/{binary}")
    assert program.fhir(token, "GET", f"DocumentReference/{sheet}").status_code == 200
    assert program.fhir(token, "GET", f"Binary/{binary}").status_code == 403
    only = registered(server, PUBLIC, "launch/patient", "patient/Binary.r")
    reader = Program(server, only.id)
    inside = reader.launched(server.patient_actor(), "patient/Binary.r")["access_token"]
    assert reader.fhir(inside, "GET", f"Binary/{binary}").status_code == 200
    assert reader.fhir(inside, "GET", f"DocumentReference/{sheet}").status_code == 403
    whole = program.fhir(token, "GET", f"Patient/{at}/$everything")
    assert whole.status_code == 403
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": f"Patient/{at}"}}],
    }
    batch = program.fhir(token, "POST", "", json=bundle)
    assert batch.json()["entry"][0]["response"]["status"].startswith("403")


@pytest.mark.capability("1-16", "refuses")
def test_a_patients_program_is_of_one_record_whoever_uses_it(server: Served) -> None:
    client = registered(server, PUBLIC, "launch/patient", "patient/*.rs")
    program = Program(server, client.id)
    doctor = server.installation.staff("attending")
    issued = program.launched(doctor, "launch/patient patient/*.rs", patient=server.record())
    assert issued["patient"] == server.record()
    token = issued["access_token"]
    assert program.fhir(token, "GET", f"Patient/{server.record()}").status_code == 200
    for role in ("other", "child", "adolescent"):
        if role not in server.installation.store.people.cast:
            continue
        other = server.record(role)
        if server.client(doctor).get(f"Patient/{other}").status_code == 200:
            there = program.fhir(token, "GET", f"Patient/{other}")
            never = program.fhir(token, "GET", "Patient/0123456789abcdef")
            assert (there.status_code, there.text) == (never.status_code, never.text)


@pytest.mark.capability("1-16", "refuses")
def test_no_program_is_launched_on_a_record_that_its_person_may_not_open(server: Served) -> None:
    program = Program(server, registered(server, PUBLIC, "launch/patient", "patient/*.rs").id)
    stranger = server.installation.staff("officer")
    for patient in (server.record(), "0123456789abcdef", ""):
        brought = program.answered(program.page(stranger, "patient/*.rs"), patient=patient)
        assert brought["error"] == "access_denied"


def test_a_refresh_token_goes_on_and_is_another_each_time(server: Served) -> None:
    client = registered(server, PUBLIC, "launch/patient", "patient/*.rs", "offline_access")
    program = Program(server, client.id)
    issued = program.launched(server.patient_actor(), "patient/Observation.rs offline_access")
    again = program.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert again.status_code == 200
    assert again.json()["refresh_token"] != issued["refresh_token"]
    assert again.json()["access_token"] != issued["access_token"]
    narrower = program.token(
        grant_type="refresh_token", refresh_token=again.json()["refresh_token"], scope="patient/Observation.r"
    )
    assert narrower.json()["scope"] == "patient/Observation.r"


def test_a_program_that_writes_proves_its_key_each_time(server: Served) -> None:
    client = registered(server, PUBLIC, "launch/patient", "patient/Observation.crus")
    program = Program(server, client.id, key=ECKey.generate_key("P-256"))
    doctor = server.installation.staff("attending")
    issued = program.launched(doctor, "patient/Observation.crus", patient=server.record())
    assert issued["token_type"] == "DPoP"
    kept = program.fhir(issued["access_token"], "POST", "Observation", json=weight(server.record()))
    assert kept.status_code == 201, kept.text
    read = program.fhir(issued["access_token"], "GET", f"Observation/{kept.json()['id']}")
    assert read.status_code == 200
    deleted = program.fhir(issued["access_token"], "DELETE", f"Observation/{kept.json()['id']}")
    assert deleted.status_code == 403


def test_a_confidential_program_proves_itself_by_its_key(server: Served) -> None:
    identity = ECKey.generate_key("P-384")
    client = registered(server, CONFIDENTIAL, "patient/*.rs", keys=(public(identity, kid="k1", alg="ES384"),))
    program = Program(server, client.id, identity=identity)
    issued = program.launched(server.patient_actor(), "patient/Observation.rs")
    assert program.fhir(issued["access_token"], "GET", f"Observation?patient={server.record()}").is_success


@pytest.mark.capability("1-16", "lets")
def test_a_backend_deposits_what_its_structure_receives_and_reads_nothing(server: Served) -> None:
    identity = ECKey.generate_key("P-384")
    structure = server.installation.staff("attending").structure
    client = registered(
        server,
        BACKEND,
        "system/*.cruds",
        keys=(public(identity, kid="k1"),),
        structure=structure,
    )
    program = Program(server, client.id, key=ECKey.generate_key("P-256"), identity=identity)
    answer = program.token(grant_type="client_credentials", scope="system/Observation.cruds")
    assert answer.status_code == 200, answer.text
    issued = answer.json()
    assert (issued["scope"], issued["token_type"]) == ("system/Observation.c", "DPoP")
    kept = program.fhir(issued["access_token"], "POST", "Observation", json=weight(server.record()))
    assert kept.status_code == 201, kept.text
    assert program.fhir(issued["access_token"], "GET", f"Observation/{kept.json()['id']}").status_code == 403


def test_a_resource_server_learns_what_a_token_is_worth_and_nobody_else_does(server: Served) -> None:
    identity = ECKey.generate_key("P-384")
    keys = (public(identity, kid="k1"),)
    warehouse = registered(server, BACKEND, keys=keys, introspects=True)
    asker = Program(server, warehouse.id, identity=identity)
    client = registered(server, PUBLIC, "patient/*.rs")
    program = Program(server, client.id)
    token = program.launched(server.patient_actor(), "patient/Observation.rs")["access_token"]

    def asked(what: str) -> dict[str, object]:
        answer = asker.call().post(
            "/introspect",
            data={
                "token": what,
                "client_assertion_type": ASSERTION,
                "client_assertion": assertion(asker.id, asker.token_address, identity),
            },
        )
        found: dict[str, object] = answer.json()
        return found

    said = asked(token)
    assert (said["active"], said["scope"], said["client_id"]) == (True, "patient/Observation.rs", client.id)
    assert server.record() not in str(said)
    assert asked("nothing") == {"active": False}
    assert asked(server.token(server.patient_actor())) == {"active": False}
    refused = program.call().post("/introspect", data={"token": token, "client_id": client.id})
    assert refused.status_code == 403
    assert program.call().post("/revoke", data={"token": token, "client_id": client.id}).json() == {}
    assert asked(token) == {"active": False}
    assert program.fhir(token, "GET", f"Observation?patient={server.record()}").status_code == 401


def test_who_is_not_signed_in_is_led_to_it_and_back(server: Served) -> None:
    program = Program(server, registered(server, PUBLIC, "patient/*.rs").id)
    browser = server.browser()
    shown = browser.get(program.asks("patient/*.rs"))
    assert shown.status_code == 200
    assert 'http-equiv="refresh"' in shown.text
    sent = browser.get(program.asks("patient/*.rs") + "&onward=1")
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/sign-in?to=%2Fauthorize%3F")
    assert BACK not in sent.headers["location"]
    asked = program.asks("patient/*.rs")
    assert local(asked) == asked


def test_a_person_sees_the_programs_they_let_in_and_takes_one_back(server: Served) -> None:
    program = Program(server, registered(server, PUBLIC, "patient/*.rs", "offline_access").id)
    issued = program.launched(server.patient_actor(), "patient/Observation.rs offline_access")
    assert program.browser is not None
    shown = program.browser.get("/programs").text
    assert "Carnet de suivi" in shown
    csrf = re.findall(r'name="csrf" value="([^"]+)"', shown)[0]
    which = issued["refresh_token"].partition(".")[0]
    assert which in shown
    other = server.browser()
    other.get(server.code(server.installation.staff("attending"), "/"))
    assert which not in other.get("/programs").text
    assert program.browser.post("/programs/end", data={"which": which}).status_code == 400
    assert program.browser.post("/programs/end", data={"which": which, "csrf": csrf}).status_code == 303
    assert which not in program.browser.get("/programs").text
    assert (
        program.fhir(issued["access_token"], "GET", f"Observation?patient={server.record()}").status_code
        == 401
    )

"""Attacks on what a person lets a program do: codes, addresses, state, the page, refresh tokens."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey

from serment.errors import OAuthError
from serment.model import Instant
from serment.people.clients import PUBLIC
from serment.people.grants import CODE_MS, OFFLINE_MS, ONLINE_MS, STOLEN, Asked, Grant
from serment.record.asking import Asking
from tests.doors.programs import (
    BACK,
    Program,
    as_operator,
    brought_back,
    error_of,
    form_of,
    programs_of,
    registered,
    s256,
)
from tests.doors.served import Served, served

SCOPE = "patient/Observation.rs"
LASTING = f"{SCOPE} offline_access"
REGISTERED = ("launch/patient", "patient/*.rs", "offline_access")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("smart")) as made:
        yield made


@pytest.fixture
def server(running: Served) -> Iterator[Served]:
    yield running
    running.hang_up()


@pytest.fixture
def program(server: Served) -> Program:
    return Program(server, registered(server, PUBLIC, *REGISTERED).id)


def reads(program: Program, token: str) -> int:
    at = program.server.record()
    return program.fhir(token, "GET", f"Observation?patient={at}&_count=1").status_code


def test_a_code_that_comes_twice_ends_all_that_came_of_it(program: Program, server: Served) -> None:
    code = program.code(server.patient_actor(), LASTING)
    issued = program.exchanged(code).json()
    assert reads(program, issued["access_token"]) == 200
    assert error_of(program.exchanged(code)) == (400, "invalid_grant")
    assert reads(program, issued["access_token"]) == 401
    again = program.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert error_of(again) == (400, "invalid_grant")
    assert STOLEN in server.house.passage.alarms.rung


def test_a_spent_code_in_the_hands_of_a_thief_ends_it_too(program: Program, server: Served) -> None:
    code = program.code(server.patient_actor(), SCOPE)
    token = program.exchanged(code).json()["access_token"]
    thief = Program(server, registered(server, PUBLIC, *REGISTERED).id)
    assert error_of(thief.exchanged(code)) == (400, "invalid_grant")
    assert reads(program, token) == 401


def test_a_code_is_of_no_use_to_another_program_or_without_its_verifier(
    program: Program, server: Served
) -> None:
    code = program.code(server.patient_actor(), SCOPE)
    thief = Program(server, registered(server, PUBLIC, *REGISTERED).id)
    tries = (
        thief.exchanged(code, code_verifier=program.verifier),
        program.exchanged(code, code_verifier=secrets.token_urlsafe(48)),
        program.exchanged(code, code_verifier=""),
        program.exchanged(code, redirect_uri=f"{BACK}/"),
        program.exchanged(code.partition(".")[0] + "." + "A" * 43),
        program.exchanged("." + code.partition(".")[2]),
    )
    assert {error_of(one) for one in tries} == {(400, "invalid_grant")}
    assert program.exchanged(code).status_code == 200


def test_pkce_is_not_left_out_nor_made_plain(program: Program, server: Served) -> None:
    browser = program.signed_in(server.patient_actor())
    for changed in (
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge": "short"},
    ):
        brought = brought_back(browser.get(program.asks(SCOPE, **changed)))
        assert brought["error"] == "invalid_request"
        assert "code" not in brought


@pytest.mark.parametrize("mode", ["fragment", "form_post", "query.jwt"])
def test_an_answer_comes_by_the_address_and_by_no_other_way(
    program: Program, server: Served, mode: str
) -> None:
    browser = program.signed_in(server.patient_actor())
    brought = brought_back(browser.get(program.asks(SCOPE, response_mode=mode)))
    assert brought["error"] == "invalid_request"
    assert "code" not in brought
    assert browser.get(program.asks(SCOPE, response_mode="query")).status_code == 200


@pytest.mark.parametrize(
    "redirect",
    [
        "https://evil.example/back",
        f"{BACK}/",
        f"{BACK}?x=1",
        f"{BACK}#x",
        "https://app.example:443/back",
        "https://app.example/../back",
        "https://APP.example/back",
        "https://app.example@evil.example/back",
        "http://app.example/back",
        "",
    ],
)
def test_nobody_is_sent_back_but_where_the_program_registered(
    program: Program, server: Served, redirect: str
) -> None:
    shown = program.page(server.patient_actor(), SCOPE, redirect_uri=redirect)
    assert shown.status_code == 400
    assert "location" not in shown.headers
    assert "evil.example" not in shown.text


def test_a_parameter_that_stands_twice_is_no_request(program: Program, server: Served) -> None:
    browser = program.signed_in(server.patient_actor())
    for twice in ("&redirect_uri=https%3A%2F%2Fevil.example", "&scope=patient%2F*.cruds", "&client_id=other"):
        answer = browser.get(program.asks(SCOPE) + twice)
        assert answer.status_code == 400
        assert "location" not in answer.headers


def test_the_way_back_says_which_state_and_which_server(program: Program, server: Served) -> None:
    brought = program.answered(program.page(server.patient_actor(), SCOPE))
    assert (brought["state"], brought["iss"]) == (program.state, server.address)
    missing = brought_back(program.signed_in(server.patient_actor()).get(program.asks(SCOPE, state="")))
    assert missing["error"] == "invalid_request"


def test_a_program_for_another_server_gets_no_token_of_ours(program: Program, server: Served) -> None:
    browser = program.signed_in(server.patient_actor())
    for aud in ("https://other.example/fhir", ""):
        assert brought_back(browser.get(program.asks(SCOPE, aud=aud)))["error"] == "invalid_request"
    for kind in ("token", "id_token", "code token", ""):
        brought = brought_back(browser.get(program.asks(SCOPE, response_type=kind)))
        assert brought["error"] == "unsupported_response_type"


def test_there_is_no_password_and_no_implicit_grant(program: Program) -> None:
    for kind in ("password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", ""):
        answer = program.token(grant_type=kind, username="a", password="b")
        assert error_of(answer) == (400, "unsupported_grant_type")
    assert error_of(program.token(grant_type="client_credentials")) == (400, "unauthorized_client")


def test_no_other_site_answers_the_page_and_none_frames_it(program: Program, server: Served) -> None:
    shown = program.page(server.patient_actor(), SCOPE)
    policy = shown.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://app.example;" in policy
    assert program.browser is not None
    form = form_of(shown)
    for changed in ({"csrf": ""}, {"csrf": "0" * 64}):
        answer = program.browser.post("/authorize/answer", data={**form, "answer": "let", **changed})
        assert answer.status_code == 400
        assert "location" not in answer.headers


def test_a_page_shown_to_one_person_is_not_answered_by_another(program: Program, server: Served) -> None:
    mine = form_of(program.page(server.patient_actor(), SCOPE))
    theirs = Program(server, program.id)
    theirs.signed_in(server.installation.staff("attending"))
    assert theirs.browser is not None
    own = form_of(theirs.browser.get(theirs.asks(SCOPE)))
    answer = theirs.browser.post(
        "/authorize/answer", data={**own, "request": mine["request"], "answer": "let"}
    )
    assert answer.status_code == 400


def test_a_page_is_answered_once(program: Program, server: Served) -> None:
    form = form_of(program.page(server.patient_actor(), SCOPE))
    assert program.browser is not None
    first = program.browser.post("/authorize/answer", data={**form, "answer": "let"})
    assert "code" in brought_back(first)
    second = program.browser.post("/authorize/answer", data={**form, "answer": "let"})
    assert second.status_code == 400


@pytest.mark.capability("1-16", "refuses")
def test_a_scope_is_widened_neither_on_the_page_nor_at_a_refresh(program: Program, server: Served) -> None:
    shown = program.page(server.patient_actor(), f"{SCOPE} patient/Observation.cud offline_access")
    assert program.browser is not None
    extra = {f"s{place}": "on" for place in range(20)}
    sent = program.browser.post("/authorize/answer", data={**form_of(shown), **extra, "answer": "let"})
    issued = program.exchanged(brought_back(sent)["code"]).json()
    assert issued["scope"] == LASTING
    refresh = issued["refresh_token"]
    for wider in ("patient/*.rs", "patient/Observation.cruds", "user/Observation.rs", "patient/Condition.r"):
        answer = program.token(grant_type="refresh_token", refresh_token=refresh, scope=wider)
        assert error_of(answer) == (400, "invalid_scope")
    assert program.token(grant_type="refresh_token", refresh_token=refresh).json()["scope"] == LASTING


def test_a_stolen_refresh_token_closes_what_both_hands_hold(program: Program, server: Served) -> None:
    issued = program.launched(server.patient_actor(), LASTING)
    stolen = issued["refresh_token"]
    mine = program.token(grant_type="refresh_token", refresh_token=stolen).json()
    assert error_of(program.token(grant_type="refresh_token", refresh_token=stolen)) == (400, "invalid_grant")
    assert reads(program, mine["access_token"]) == 401
    again = program.token(grant_type="refresh_token", refresh_token=mine["refresh_token"])
    assert error_of(again) == (400, "invalid_grant")
    assert STOLEN in server.house.passage.alarms.rung


def begun(program: Program, *, offline: bool = False) -> tuple[Asking, str]:
    """Begin a grant of the patient by hand: who asks, at which instant, and the code."""
    asking = replace(as_operator(program.server), actor=program.server.patient_actor())
    asked = Asked(program.id, LASTING, BACK, s256(program.verifier), offline=offline)
    return asking, programs_of(program.server).grants.begin(asking, asked)


def at(asking: Asking, later: int) -> Asking:
    return replace(asking, now=Instant(asking.now + later))


def anything(_grant: Grant) -> None:
    """Refuse nothing."""


def test_a_code_is_over_after_a_minute(program: Program) -> None:
    asking, late = begun(program)
    grants = programs_of(program.server).grants
    with pytest.raises(OAuthError):
        grants.spend(at(asking, CODE_MS), late, anything, "")
    asking, soon = begun(program)
    assert grants.spend(at(asking, CODE_MS - 1), soon, anything, "")
    assert CODE_MS <= 60_000


@pytest.mark.parametrize(("offline", "lasts"), [(False, ONLINE_MS), (True, OFFLINE_MS)])
def test_a_grant_ends_on_its_day_however_often_it_is_refreshed(
    program: Program, offline: bool, lasts: int
) -> None:
    asking, code = begun(program, offline=offline)
    grants = programs_of(program.server).grants
    _, token = grants.spend(asking, code, anything, "")
    for tenth in range(1, 10):
        _, token = grants.refreshed(at(asking, lasts * tenth // 10), token, anything, "")
    _, token = grants.refreshed(at(asking, lasts - 1), token, anything, "")
    with pytest.raises(OAuthError):
        grants.refreshed(at(asking, lasts), token, anything, "")


def test_a_refresh_token_is_its_own_programs(program: Program, server: Served) -> None:
    issued = program.launched(server.patient_actor(), LASTING)
    thief = Program(server, registered(server, PUBLIC, *REGISTERED).id)
    shown = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]}
    assert error_of(thief.token(**shown)) == (400, "invalid_grant")
    assert program.token(**shown).status_code == 200


def test_a_refresh_token_bound_to_a_key_is_of_no_use_without_it(server: Served) -> None:
    client = registered(server, PUBLIC, *REGISTERED)
    mine = Program(server, client.id, key=ECKey.generate_key("P-256"))
    issued = mine.launched(server.patient_actor(), LASTING)
    shown = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]}
    for thief in (Program(server, client.id), Program(server, client.id, key=ECKey.generate_key("P-256"))):
        assert error_of(thief.token(**shown)) == (400, "invalid_grant")
    assert mine.token(**shown).status_code == 200


def test_a_code_bound_to_a_key_beforehand_is_of_no_use_with_another(server: Served) -> None:
    client = registered(server, PUBLIC, *REGISTERED)
    key = ECKey.generate_key("P-256")
    mine = Program(server, client.id, key=key)
    shown = mine.page(server.patient_actor(), SCOPE, dpop_jkt=key.thumbprint())
    code = mine.answered(shown)["code"]
    thief = Program(server, client.id, key=ECKey.generate_key("P-256"), verifier=mine.verifier)
    assert error_of(thief.exchanged(code)) == (400, "invalid_grant")
    assert mine.exchanged(code).status_code == 200


def test_a_programs_token_opens_no_page_and_a_cookie_no_program(program: Program, server: Served) -> None:
    token = program.launched(server.patient_actor(), SCOPE)["access_token"]
    browser = server.browser()
    browser.cookies.set("serment", token)
    assert browser.get("/me").status_code == 401
    # Nor does it let another program in.
    shown = browser.get(program.asks(SCOPE) + "&onward=1")
    assert shown.headers["location"].startswith("/sign-in")


def test_nothing_of_the_request_stands_in_what_the_page_says(program: Program, server: Served) -> None:
    mark = f"x{secrets.token_hex(4)}"
    shown = program.page(server.patient_actor(), f"{SCOPE} {mark}", launch=f'"><b>{mark}')
    assert shown.status_code == 200
    assert mark not in html.unescape(re.sub(r'name="request" value="[^"]*"', "", shown.text))


def test_a_launch_on_one_patient_is_not_turned_into_one_on_another(server: Served) -> None:
    client = registered(server, PUBLIC, "launch", *REGISTERED)
    doctor = server.installation.staff("attending")
    programs = programs_of(server)
    asking = server.installation.store.asking(doctor)
    launch = programs.launch(asking, client.id, server.record())
    program = Program(server, client.id)
    shown = program.page(doctor, f"launch {SCOPE}", launch=launch)
    assert f'value="{server.record()}"' in shown.text
    other = Program(server, registered(server, PUBLIC, "launch", *REGISTERED).id)
    assert f'value="{server.record()}"' not in other.page(doctor, f"launch {SCOPE}", launch=launch).text
    colleague = server.installation.staff("team-doctor")
    assert f'value="{server.record()}"' not in program.page(colleague, f"launch {SCOPE}", launch=launch).text
    brought = program.answered(program.page(doctor, f"launch {SCOPE}", launch=launch))
    assert program.exchanged(brought["code"]).json()["patient"] == server.record()

"""Attacks on tokens: stolen, replayed, forged, kept after their end, used for what was not agreed."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey
from msgspec.structs import replace as changed_to

from serment.errors import OAuthError, RequestError, TooManyError
from serment.model import ActorId, Instant
from serment.people.clients import BACKEND, CONFIDENTIAL, PUBLIC, Client, checked
from serment.people.dpop import NONCE_MS, Proofs, verified
from serment.people.programs import Rates
from serment.record.entrance.sessions import Program as SessionProgram
from tests.attacks.test_clock import Clock
from tests.doors.programs import (
    ASSERTION,
    Program,
    as_operator,
    assertion,
    coded,
    error_of,
    processor,
    programs_of,
    proof,
    public,
    registered,
    s256,
    signed,
)
from tests.doors.samples import bundle, by_rpps, consent, entry, weight
from tests.doors.served import FHIR, Served, served

SCOPE = "patient/Observation.rs"
REGISTERED = ("launch/patient", "patient/*.cruds", "offline_access")
OPERATION = "urn:serment:operation:"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("tokens")) as made:
        yield made


@pytest.fixture
def server(running: Served) -> Iterator[Served]:
    yield running
    running.hang_up()


@pytest.fixture
def program(server: Served) -> Program:
    return Program(server, registered(server, PUBLIC, *REGISTERED).id)


@pytest.fixture
def bound(server: Served) -> Program:
    client = registered(server, PUBLIC, *REGISTERED)
    return Program(server, client.id, key=ECKey.generate_key("P-256"))


@pytest.fixture
def backend(server: Served) -> Program:
    identity = ECKey.generate_key("P-384")
    structure = server.installation.staff("attending").structure
    keys = (public(identity, kid="k1"),)
    client = registered(server, BACKEND, "system/Observation.c", keys=keys, structure=structure)
    return Program(server, client.id, key=ECKey.generate_key("P-256"), identity=identity)


def path_of(server: Served) -> str:
    return f"Observation?patient={server.record()}&_count=1"


def status(program: Program, token: str) -> int:
    return program.fhir(token, "GET", path_of(program.server)).status_code


# A token without the key that it is bound to.


def test_a_stolen_token_opens_nothing_without_its_key(bound: Program, server: Served) -> None:
    token = bound.launched(server.patient_actor(), SCOPE)["access_token"]
    assert status(bound, token) == 200
    thief = Program(server, bound.id, key=ECKey.generate_key("P-256"), nonce=bound.nonce)
    assert status(thief, token) == 401
    plain = server.calling(server.address, {"authorization": f"Bearer {token}"})
    answer = plain.get(f"/fhir/{path_of(server)}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("DPoP")
    unproved = server.calling(server.address, {"authorization": f"DPoP {token}"})
    assert unproved.get(f"/fhir/{path_of(server)}").status_code == 401


def _shown(bound: Program, token: str, made: str, path: str = "") -> httpx.Response:
    headers = {"authorization": f"DPoP {token}", "dpop": made}
    return bound.call().get(f"/fhir/{path or path_of(bound.server)}", headers=headers)


def test_a_proof_that_was_seen_counts_once(bound: Program, server: Served) -> None:
    token = bound.launched(server.patient_actor(), SCOPE)["access_token"]
    assert status(bound, token) == 200
    assert bound.key is not None
    made = proof(bound.key, "GET", f"{server.address}/fhir/Observation", bound.nonce, token)
    assert _shown(bound, token, made).status_code == 200
    assert _shown(bound, token, made).status_code == 401


@pytest.mark.parametrize(
    "bent",
    [
        {"htm": "POST"},
        {"htu": "https://other.example/fhir/Observation"},
        {"iat": 1},
        {"iat": 1 << 40},
        {"iat": "now"},
        {"ath": s256("another token")},
        {"ath": ""},
        {"jti": ""},
        {"jti": "x" * 300},
        {"nonce": ""},
        {"nonce": "guessed"},
        {"header": {"typ": "JWT"}},
        {"header": {"crit": ["b64"], "b64": True}},
        {"header": {"jku": "https://evil.example/keys"}},
    ],
    ids=str,
)
def test_a_proof_is_for_one_request_of_one_token_now(
    bound: Program, server: Served, bent: dict[str, Any]
) -> None:
    token = bound.launched(server.patient_actor(), SCOPE)["access_token"]
    assert status(bound, token) == 200
    assert bound.key is not None
    given = {"nonce": bound.nonce, **bent}
    made = proof(bound.key, "GET", f"{server.address}/fhir/Observation", token=token, **given)
    assert _shown(bound, token, made).status_code == 401


def test_a_proof_is_made_with_the_private_key_of_the_public_one_that_it_shows(
    bound: Program, server: Served
) -> None:
    token = bound.launched(server.patient_actor(), SCOPE)["access_token"]
    assert status(bound, token) == 200
    assert bound.key is not None
    address, mine = f"{server.address}/fhir/Observation", bound.key
    thief = ECKey.generate_key("P-256")
    forged = proof(thief, "GET", address, bound.nonce, token, header={"jwk": public(mine)})
    assert _shown(bound, token, forged).status_code == 401
    shared = OctKey.import_key(json.dumps(public(mine)))
    claims = {
        "jti": "a", "htm": "GET", "htu": address, "iat": int(time.time()),
        "nonce": bound.nonce, "ath": s256(token),
    }  # fmt: skip
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": public(mine)}
    confused = jws.serialize_compact(header, json.dumps(claims).encode(), shared, algorithms=["HS256"])
    unsigned = ".".join(
        [coded(json.dumps({**header, "alg": "none"}).encode()), coded(json.dumps(claims).encode()), ""]
    )
    whole = {**public(mine), "d": mine.as_dict(private=True)["d"]}
    leaking = proof(mine, "GET", address, bound.nonce, token, header={"jwk": whole})
    padded = proof(mine, "GET", address, bound.nonce, token) + "="
    for made in (confused, unsigned, leaking, padded, "", "a.b.c", "." * 20_000):
        assert _shown(bound, token, made).status_code == 401
    twice = proof(mine, "GET", address, bound.nonce, token)
    headers = [("authorization", f"DPoP {token}"), ("dpop", twice), ("dpop", twice)]
    assert bound.call().get(f"/fhir/{path_of(server)}", headers=headers).status_code == 401


def test_a_proof_that_another_process_took_is_of_no_use_here() -> None:
    now, key = Instant(int(time.time() * 1000)), ECKey.generate_key("P-256")
    here, there = Proofs(), Proofs()
    made = verified(
        proof(key, "GET", "https://a.example/x", there.nonce(now)), "GET", "https://a.example/x", now
    )
    there.take(made, now)
    with pytest.raises(Exception, match="DPoP-Nonce"):
        here.take(made, now)
    later = Instant(now + 5 * NONCE_MS)
    with pytest.raises(Exception, match="DPoP-Nonce"):
        there.take(made, later)


@pytest.mark.capability("1-16", "refuses")
def test_a_program_that_may_change_something_gets_no_token_without_a_key(
    program: Program, server: Served
) -> None:
    doctor = server.installation.staff("attending")
    code = program.code(doctor, "patient/Observation.cruds", patient=server.record())
    assert error_of(program.exchanged(code)) == (400, "invalid_dpop_proof")


# A program that is not who it says.


def _form(program: Program, made: str, **form: str) -> httpx.Response:
    headers = {}
    if program.key is not None:
        first = proof(program.key, "POST", program.token_address)
        told = program.call().post(
            "/token", data={"grant_type": "client_credentials"}, headers={"dpop": first}
        )
        nonce = told.headers["dpop-nonce"]
        headers = {"dpop": proof(program.key, "POST", program.token_address, nonce)}
    sent = {
        "grant_type": "client_credentials",
        "scope": "system/Observation.c",
        "client_assertion_type": ASSERTION,
        "client_assertion": made,
        **form,
    }
    return program.call().post("/token", data=sent, headers=headers)


def test_an_assertion_counts_once(backend: Program) -> None:
    assert backend.identity is not None
    made = assertion(backend.id, backend.token_address, backend.identity)
    assert _form(backend, made).status_code == 200
    assert error_of(_form(backend, made)) == (401, "invalid_client")


@pytest.mark.parametrize(
    "bent",
    [
        {"aud": "https://other.example/token"},
        {"aud": ["https://other.example/token", "http://localhost/token"]},
        {"iss": "somebody"},
        {"exp": 1},
        {"exp": 1 << 40},
        {"exp": None},
        {"exp": True},
        {"iat": 1 << 40},
        {"nbf": 1 << 40},
        {"jti": ""},
        {"jti": None},
        {"header": {"kid": "k2"}},
        {"header": {"jku": "https://evil.example/keys"}},
        {"header": {"crit": ["b64"], "b64": True}},
    ],
    ids=str,
)
def test_an_assertion_is_for_us_now_by_its_own_key(backend: Program, bent: dict[str, Any]) -> None:
    assert backend.identity is not None
    made = assertion(backend.id, backend.token_address, backend.identity, **bent)
    assert error_of(_form(backend, made)) == (401, "invalid_client")


def test_no_assertion_is_forged_by_another_algorithm_or_key(backend: Program) -> None:
    assert backend.identity is not None
    claims = {
        "iss": backend.id, "sub": backend.id, "aud": backend.token_address,
        "jti": secrets.token_hex(8), "exp": int(time.time()) + 60,
    }  # fmt: skip
    payload = json.dumps(claims).encode()
    shared = OctKey.import_key(json.dumps(public(backend.identity)))
    forged = [
        jws.serialize_compact({"alg": "HS384", "kid": "k1"}, payload, shared, algorithms=["HS384"]),
        ".".join([coded(b'{"alg":"none"}'), coded(payload), ""]),
        signed({"alg": "ES384", "kid": "k1"}, claims, ECKey.generate_key("P-384")),
        signed({"alg": "ES256", "kid": "k1"}, claims, ECKey.generate_key("P-256")),
        signed({"alg": "ES384", "kid": "k1"}, claims, backend.identity) + "=",
        "",
        "nonsense",
    ]
    assert {error_of(_form(backend, one)) for one in forged} == {(401, "invalid_client")}


def test_a_backend_gets_no_token_without_a_key_nor_more_than_deposits(
    backend: Program, server: Served
) -> None:
    bare = Program(server, backend.id, identity=backend.identity)
    answer = bare.token(grant_type="client_credentials", scope="system/Observation.c")
    assert error_of(answer) == (400, "invalid_dpop_proof")
    wider = backend.token(grant_type="client_credentials", scope="system/Condition.c system/Observation.rs")
    assert error_of(wider) == (400, "invalid_scope")
    form = {"grant_type": "authorization_code", "code": "x"}
    assert error_of(backend.token(**form)) == (400, "unauthorized_client")
    assert backend.signed_in(server.patient_actor()).get(backend.asks("system/*.c")).status_code == 400


def test_a_program_with_a_key_does_not_pass_for_one_without(server: Served) -> None:
    identity = ECKey.generate_key("P-384")
    client = registered(server, CONFIDENTIAL, "patient/*.rs", keys=(public(identity, kid="k1"),))
    mine = Program(server, client.id, identity=identity)
    code = mine.code(server.patient_actor(), SCOPE)
    thief = Program(server, client.id, verifier=mine.verifier)
    assert error_of(thief.exchanged(code)) == (401, "invalid_client")
    assert mine.exchanged(code).status_code == 200


# What has ended.


@pytest.mark.capability("3-12", "refuses")
def test_a_program_that_is_ended_opens_nothing_any_more(program: Program, server: Served) -> None:
    issued = program.launched(server.patient_actor(), f"{SCOPE} offline_access")
    assert status(program, issued["access_token"]) == 200
    programs_of(server).clients.end(as_operator(server), program.id)
    assert status(program, issued["access_token"]) == 401
    again = program.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert error_of(again) == (401, "invalid_client")
    assert program.page(server.patient_actor(), SCOPE).status_code == 400


def test_a_program_whose_keys_are_changed_begins_again(backend: Program, server: Served) -> None:
    issued = backend.token(grant_type="client_credentials", scope="system/Observation.c").json()
    sent = {"json": weight(server.record())}
    assert backend.fhir(issued["access_token"], "POST", "Observation", **sent).status_code == 201
    fresh = ECKey.generate_key("P-384")
    programs_of(server).clients.rotate(as_operator(server), backend.id, (public(fresh, kid="k1"),))
    assert backend.fhir(issued["access_token"], "POST", "Observation", **sent).status_code == 401
    old = backend.token(grant_type="client_credentials", scope="system/Observation.c")
    assert error_of(old) == (401, "invalid_client")
    backend.identity = fresh
    assert backend.token(grant_type="client_credentials", scope="system/Observation.c").status_code == 200


@pytest.mark.capability("3-12", "refuses")
def test_nobody_answers_for_a_program_any_more_in_the_middle_of_its_session(
    program: Program, server: Served
) -> None:
    programs = programs_of(server)
    asking = as_operator(server)
    ending = processor(asking.now, until=asking.now + 120_000)
    programs.clients.renew(asking, program.id, ending)
    issued = program.launched(server.patient_actor(), f"{SCOPE} offline_access")
    assert issued["expires_in"] <= 120
    later = replace(asking, now=Instant(asking.now + 120_001))
    with pytest.raises(OAuthError):
        programs.clients.standing(later, program.id)
    form = {"client_id": program.id, "token": issued["access_token"]}
    with pytest.raises(OAuthError):
        programs.tokens.client_of(later, form)


@pytest.mark.capability("3-12", "refuses")
@pytest.mark.parametrize(
    "missing",
    [
        {"name": " "},
        {"purpose": ""},
        {"contact": ""},
        {"clauses": ""},
        {"country": "France"},
        {"country": "US"},
        {"until": 1},
        {"reviewed": 1 << 60},
    ],
    ids=str,
)
def test_no_program_without_somebody_who_answers_for_it(server: Served, missing: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        registered(server, PUBLIC, "patient/*.rs", processor=processor(as_operator(server).now, **missing))


@pytest.mark.parametrize(
    "bent",
    [
        {"id": "App"},
        {"redirects": ()},
        {"redirects": ("http://app.example/back",)},
        {"redirects": ("https://app.example/back#x",)},
        {"redirects": ("https://a:b@app.example/back",)},
        {"redirects": ("javascript:alert(1)",)},
        {"redirects": ("https:///back",)},
        {"scopes": ("system/*.rs",)},
        {"scopes": ("patient/*.sr",)},
        {"scopes": ("everything",)},
        {"scopes": ()},
        {"rate": 0},
        {"keys": ({"kty": "EC"},)},
    ],
    ids=str,
)
def test_no_program_is_registered_beyond_what_its_kind_may(server: Served, bent: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        registered(server, PUBLIC, *bent.pop("scopes", ("patient/*.rs",)), **bent)


def test_no_private_weak_or_shared_key_is_registered(server: Served) -> None:
    key = ECKey.generate_key("P-384")
    private = {name: str(value) for name, value in key.as_dict(private=True).items()}
    now = as_operator(server).now
    base = Client("app-x", "x", CONFIDENTIAL, processor(now), ("patient/*.rs",), ("https://app.example/b",))
    for keys in (
        (private,),
        ({"kty": "oct", "k": "AAAA"},),
        (public(key, kid="a"), public(key, kid="a")),
        (),
        ({"kty": "RSA", "n": coded(b"\xff" * 128), "e": "AQAB"},),
    ):
        with pytest.raises(RequestError):
            checked(changed_to(base, keys=keys), now)
    assert checked(changed_to(base, keys=(public(key, kid="a"),)), now)


def test_the_tokens_of_somebody_who_left_open_nothing(bound: Program, server: Served) -> None:
    doctor = server.installation.staff("team-doctor")
    issued = bound.launched(doctor, f"{SCOPE} offline_access", patient=server.record())
    assert status(bound, issued["access_token"]) == 200
    now = server.house.passage.clock()
    server.house.sessions.end_all(doctor.id, server.installation.staff("officer"), now)
    assert status(bound, issued["access_token"]) == 401
    programs = programs_of(server)
    assert [one.client for one in programs.grants.of(as_operator(server), [doctor.id])] == [bound.id]
    assert programs.grants.end_of(as_operator(server), [doctor.id]) == 1
    again = bound.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert error_of(again) == (400, "invalid_grant")


def test_what_a_person_takes_back_is_closed_at_once_and_only_by_them(
    program: Program, server: Served
) -> None:
    issued = program.launched(server.patient_actor(), f"{SCOPE} offline_access")
    grants, asking = programs_of(server).grants, as_operator(server)
    me, other = server.patient_actor().id, ActorId("patient:somebody-else")
    (mine,) = [one for one in grants.of(asking, [me]) if one.client == program.id]
    with pytest.raises(RequestError):
        grants.revoke(asking, mine.id, [other])
    assert status(program, issued["access_token"]) == 200
    grants.revoke(asking, mine.id, [me])
    assert status(program, issued["access_token"]) == 401


@pytest.mark.capability("1-16", "refuses")
def test_a_patient_who_closes_the_door_closes_it_to_the_program_too(program: Program, server: Served) -> None:
    doctor = server.installation.staff("team-doctor")
    issued = program.launched(doctor, f"{SCOPE} offline_access", patient=server.record())
    blocked = server.patient().post("Consent", json=_blocking(server, doctor.id))
    assert blocked.status_code == 201, blocked.text
    try:
        shown = program.fhir(issued["access_token"], "GET", path_of(server))
        assert shown.json()["total"] == 0
        again = program.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
        assert error_of(again) == (400, "invalid_grant")
    finally:
        at = f"Consent/{blocked.json()['id']}"
        etag = server.patient().get(at).headers["etag"]
        assert server.patient().delete(at, headers={"if-match": etag}).status_code == 200


def _blocking(server: Served, actor: str) -> dict[str, Any]:
    role = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "PRCP"}]
    }
    return consent(server.record(), actor=[{"role": role, "reference": by_rpps(actor)}])


# What was not agreed.


@pytest.mark.capability("1-16", "refuses")
def test_a_partners_token_is_of_no_use_outside_its_scope(program: Program, server: Served) -> None:
    token = program.launched(server.patient_actor(), "launch/patient patient/Observation.rs")["access_token"]
    at = server.record()
    tries = [
        ("GET", f"Patient/{at}"),
        ("GET", f"Condition?patient={at}"),
        ("POST", "Observation"),
        ("PUT", "Observation/1"),
        ("DELETE", "Observation/1"),
        ("GET", f"AuditEvent?patient={at}"),
        ("GET", f"AuditEvent/$verify-integrity?patient={at}"),
        ("GET", f"Patient/{at}/$everything"),
        ("GET", f"Patient/{at}/$summary"),
        ("GET", f"Patient/{at}/$export"),
        ("GET", f"Patient/{at}/$explain-access"),
        ("POST", f"Patient/{at}/$confirm-attending"),
        ("POST", f"Patient/{at}/$declare-act"),
        ("POST", f"Patient/{at}/$emergency-access"),
        ("GET", "Subscription"),
        ("POST", "Subscription"),
        ("GET", "Practitioner"),
        ("GET", "Binary/1"),
    ]
    for method, path in tries:
        answer = program.fhir(token, method, path)
        assert answer.status_code == 403, (method, path, answer.text)
        assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'


def test_a_batch_is_judged_entry_by_entry_and_a_transaction_as_a_whole(
    bound: Program, server: Served
) -> None:
    doctor = server.installation.staff("attending")
    issued = bound.launched(doctor, "patient/Observation.crs", patient=server.record())
    good = entry(weight(server.record()))
    bad = entry(None, "GET", f"Condition?patient={server.record()}")
    worse = entry(None, "DELETE", "Observation/1")
    batch = bound.fhir(issued["access_token"], "POST", "", json=bundle(good, bad, worse, kind="batch"))
    told = [one["response"]["status"][:3] for one in batch.json()["entry"]]
    assert told == ["201", "403", "403"]
    together = bound.fhir(issued["access_token"], "POST", "", json=bundle(good, worse))
    assert together.status_code == 403


def test_a_condition_asks_for_a_search(bound: Program, server: Served) -> None:
    doctor = server.installation.staff("attending")
    issued = bound.launched(doctor, "patient/Observation.c", patient=server.record())
    headers = {"if-none-exist": f"patient={server.record()}&code=29463-7"}
    tried = bound.fhir(
        issued["access_token"], "POST", "Observation", json=weight(server.record()), headers=headers
    )
    assert tried.status_code == 403


@pytest.mark.capability("1-16", "refuses")
def test_a_program_names_no_emergency_unless_it_was_let(server: Served) -> None:
    scopes = ("user/*.rs", f"{OPERATION}emergency-access")
    client = registered(server, PUBLIC, *scopes)
    doctor = server.installation.staff("team-doctor")
    urgent = {"serment-purpose": "BTG", "serment-reason": "unable-to-consent,immediate-risk"}
    plain = Program(server, client.id, key=ECKey.generate_key("P-256"))
    token = plain.launched(doctor, "user/*.rs")["access_token"]
    for headers in (urgent, {"serment-reason": "immediate-risk"}, {"serment-purpose": "ETREAT"}):
        answer = plain.fhir(token, "GET", path_of(server), headers=headers)
        assert answer.status_code == 403
        assert "insufficient_scope" in answer.headers["www-authenticate"]
    let = Program(server, client.id, key=ECKey.generate_key("P-256"))
    token = let.launched(doctor, " ".join(scopes))["access_token"]
    assert let.fhir(token, "GET", path_of(server), headers=urgent).status_code == 200


@pytest.mark.capability("1-16", "refuses")
def test_a_program_that_asks_too_often_waits(server: Served) -> None:
    client = registered(server, PUBLIC, "patient/*.rs", rate=3)
    program = Program(server, client.id)
    token = program.launched(server.patient_actor(), SCOPE)["access_token"]
    assert {status(program, token) for _ in range(8)} == {200, 429}  # two minutes let six through at most
    other = Program(server, registered(server, PUBLIC, "patient/*.rs", rate=3).id)
    assert status(other, other.launched(server.patient_actor(), SCOPE)["access_token"]) == 200


def test_a_rate_is_of_one_minute_and_one_program() -> None:
    rates, minute = Rates(), 60_000
    mine, other = SessionProgram("a", "", "", 2), SessionProgram("b", "", "", 2)
    for _ in range(2):
        rates.spend(mine, Instant(minute))
        rates.spend(other, Instant(minute))
    with pytest.raises(TooManyError):
        rates.spend(mine, Instant(2 * minute - 1))
    rates.spend(mine, Instant(2 * minute))


def test_a_token_lasts_five_minutes(server: Served) -> None:
    hand = Clock(server.house.passage.clock())
    client = registered(server, PUBLIC, "patient/*.rs")
    program = Program(server, client.id)
    token = program.launched(server.patient_actor(), SCOPE)["access_token"]
    sessions = server.house.sessions
    assert sessions.of_token(sessions.token_of(token), Instant(hand.now + 299_000)) is not None
    hand.now += 302_000 + 5_000
    assert sessions.of_token(sessions.token_of(token), hand()) is None


def test_a_program_written_by_the_wire_says_nothing_of_anybody(program: Program, server: Served) -> None:
    answer = program.exchanged("0" * 32 + ".x")
    assert server.record() not in answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.json()["error_description"].isascii()
    wrong = program.call().post("/token", content=b"{}", headers={"content-type": FHIR})
    assert wrong.json()["error"] == "invalid_request"
    basic = program.call().post("/token", data={}, headers={"authorization": "Basic YTpi"})
    assert error_of(basic) == (400, "invalid_request")

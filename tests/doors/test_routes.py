"""Every address of the house, what it takes, and what every answer carries. An unlisted route fails here."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import httpx
import pytest
from starlette.routing import Route

from serment.server import HEADERS, ROUTES
from tests.doors.served import Served, sentence

WHO = {
    "/livez": ("anybody", "GET"),
    "/readyz": ("anybody", "GET"),
    "/fhir/metadata": ("anybody", "GET"),
    "/fhir": ("program", "POST"),
    "/fhir/": ("program", "POST"),
    "/fhir/{type:type}/_search": ("program", "POST"),
    "/fhir/Patient/{id:logical}/$confirm-attending": ("program", "POST"),
    "/fhir/Patient/{id:logical}/$declare-act": ("program", "POST"),
    "/fhir/Patient/{id:logical}/$legal-declaration": ("program", "POST"),
    "/fhir/Binary/{id:logical}/_history/{version:int}": ("program", "GET"),
    "/fhir/Binary/{id:logical}": ("program", "GET PUT DELETE"),
    "/fhir/Binary": ("program", "GET POST"),
    "/fhir/{type:type}/{id:logical}/_history/{version:int}": ("program", "GET"),
    "/fhir/{type:type}/{id:logical}/_history": ("program", "GET"),
    "/fhir/ValueSet/$expand": ("program", "GET POST"),
    "/fhir/ValueSet/$validate-code": ("program", "GET POST"),
    "/fhir/CodeSystem/$validate-code": ("program", "GET POST"),
    "/fhir/{type:other}/{id:logical}": ("program", "GET PUT PATCH DELETE"),
    "/fhir/{type:other}": ("program", "GET POST PUT PATCH DELETE"),
    "/fhir/{type:type}/_history": ("program", "GET"),
    "/fhir/AuditEvent": ("program", "GET"),
    "/fhir/Subscription": ("program", "GET POST"),
    "/fhir/Subscription/{id:logical}": ("program", "GET PUT DELETE"),
    "/fhir/AuditEvent/_search": ("program", "POST"),
    "/fhir/AuditEvent/$verify-integrity": ("program", "GET"),
    "/fhir/AuditEvent/{id:logical}": ("program", "GET"),
    "/fhir/Patient/{id:logical}/$everything": ("program", "GET"),
    "/fhir/Patient/{id:logical}/$summary": ("program", "GET"),
    "/fhir/Patient/{id:logical}/$export": ("program", "GET"),
    "/fhir/Patient/{id:logical}/$export/job": ("program", "GET"),
    "/fhir/Patient/{id:logical}/$export/file": ("program", "GET"),
    "/fhir/Patient/{id:logical}/$explain-access": ("program", "GET"),
    "/fhir/Patient/{id:logical}/$emergency-access": ("program", "POST"),
    "/fhir/Practitioner/$declared-acts": ("program", "GET"),
    "/fhir/Patient/{id:logical}/$insi-search": ("program", "POST"),
    "/fhir/Patient/{id:logical}/$insi-accept": ("program", "POST"),
    "/fhir/Patient/{id:logical}/$identity-proof": ("program", "POST"),
    "/fhir/Patient/$find-as-typed": ("program", "POST"),
    "/fhir/Patient/$duplicates": ("program", "GET"),
    "/fhir/Patient/$merge": ("program", "POST"),
    "/fhir/Patient/$undo-merge": ("program", "POST"),
    "/fhir/Patient/$keep-apart": ("program", "POST"),
    "/fhir/Patient/{id:logical}/$report-collision": ("program", "POST"),
    "/fhir/Patient/{id:logical}/$split": ("program", "POST"),
    "/fhir/Patient/{id:logical}/$close-collision": ("program", "POST"),
    "/fhir/{type:type}/$validate": ("program", "POST"),
    "/fhir/{type:type}/{id:logical}/$validate": ("program", "POST"),
    "/enter/{code}": ("anybody", "GET"),
    "/sign-out": ("page", "POST"),
    "/reception": ("page", "GET"),
    "/reception/find": ("page", "POST"),
    "/reception/new": ("page", "GET POST"),
    "/reception/agenda": ("page", "GET"),
    "/record/{id}/appointments": ("page", "GET"),
    "/reception/appointment/{id}": ("page", "GET POST"),
    "/reception/appointment/{id}/turn": ("page", "POST"),
    "/reception/duplicates": ("page", "GET"),
    "/reception/duplicates/{one}/{other}": ("page", "GET POST"),
    "/reception/person/{id}": ("page", "GET"),
    "/reception/person/{id}/insi": ("page", "POST"),
    "/reception/person/{id}/insi/accept": ("page", "POST"),
    "/reception/person/{id}/proof": ("page", "POST"),
    "/reception/person/{id}/reach": ("page", "POST"),
    "/reception/person/{id}/collision": ("page", "POST"),
    "/reception/person/{id}/appointments": ("page", "GET POST"),
    "/reception/person/{id}/papers": ("page", "GET"),
    "/reception/person/{id}/papers/{paper}/take-back": ("page", "POST"),
    "/reception/person/{id}/scan": ("page", "GET POST"),
    "/today": ("page", "GET"),
    "/today/find": ("page", "POST"),
    "/record/{id}": ("page", "GET"),
    "/record/{id}/timeline": ("page", "GET POST"),
    "/record/{id}/problems": ("page", "GET"),
    "/record/{id}/treatments": ("page", "GET"),
    "/record/{id}/allergies": ("page", "GET"),
    "/record/{id}/vaccinations": ("page", "GET"),
    "/record/{id}/vitals": ("page", "GET"),
    "/record/{id}/vitals/{series}": ("page", "GET"),
    "/record/{id}/labs": ("page", "GET"),
    "/record/{id}/labs/{series}": ("page", "GET"),
    "/record/{id}/item/{type}/{item}": ("page", "GET"),
    "/record/{id}/item/{type}/{item}/restore": ("page", "POST"),
    "/record/{id}/documents": ("page", "GET"),
    "/record/{id}/document/{type}/{item}": ("page", "GET"),
    "/record/{id}/document/{type}/{item}/picture": ("page", "GET"),
    "/record/{id}/document/{type}/{item}/download": ("page", "GET"),
    "/record/{id}/consultation": ("page", "GET POST"),
    "/record/{id}/consultation/draft": ("page", "POST"),
    "/record/{id}/consultation/{visit}": ("page", "GET"),
    "/record/{id}/deposit": ("page", "GET POST"),
    "/record/{id}/proposals": ("page", "GET"),
    "/record/{id}/proposals/{proposal}": ("page", "POST"),
    "/templates": ("page", "GET POST"),
    **{
        f"{base}{path}": ("page", methods)
        for base in ("/me", "/record/{id}")
        for path, methods in {
            "/errands": "GET",
            "/errands/seen": "POST",
            "/errands/access": "POST",
            "/errands/deposit/{errand}": "GET POST",
            "/correct/{type}/{item}": "GET POST",
            "/ask-access": "POST",
            "/contact": "GET POST",
        }.items()
    },
    "/inbox": ("page", "GET"),
    "/inbox/settle": ("page", "POST"),
    "/inbox/correction/{id}": ("page", "GET POST"),
    "/record/{id}/ask": ("page", "GET POST"),
    "/record/{id}/ask-document": ("page", "GET POST"),
    "/record/{id}/why": ("page", "GET"),
    "/record/{id}/declare": ("page", "POST"),
    "/record/{id}/ground": ("page", "POST"),
    "/record/{id}/prescription": ("page", "GET POST"),
    "/record/{id}/prescription/{document}": ("page", "GET"),
    "/record/{id}/prescription/{document}/paper": ("page", "POST"),
    "/record/{id}/prescription/{document}/send": ("page", "POST"),
    "/record/{id}/prescription/{document}/revoke": ("page", "POST"),
    "/record/{id}/letter/{document}": ("page", "POST"),
    "/record/{id}/print": ("page", "GET POST"),
    "/record/{id}/sign/{document}": ("page", "GET POST"),
    "/record/{id}/share": ("page", "GET POST"),
    "/record/{id}/share/colleague": ("page", "POST"),
    "/record/{id}/share/{link}/end": ("page", "POST"),
    "/verify": ("anybody", "GET POST"),
    "/shared/{secret}": ("anybody", "GET POST"),
    "/record/{id}/urgent": ("page", "GET POST"),
    "/record/{id}/urgent/end": ("page", "POST"),
    "/me": ("page", "GET"),
    "/me/record": ("page", "GET"),
    "/me/record/{kind}": ("page", "GET"),
    "/me/mask": ("page", "POST"),
    "/me/who": ("page", "GET"),
    "/me/who/check": ("page", "POST"),
    "/me/who/paper": ("page", "POST"),
    "/me/who/proof": ("page", "POST"),
    "/me/where": ("page", "GET"),
    "/me/choices": ("page", "GET POST"),
    "/me/people": ("page", "GET"),
    "/me/people/carer": ("page", "POST"),
    "/me/people/dismiss": ("page", "POST"),
    "/me/people/act-for": ("page", "POST"),
    "/me/download": ("page", "GET"),
    "/me/download/files": ("page", "POST"),
    "/me/download/paper": ("page", "POST"),
    "/me/unmask": ("page", "POST"),
    "/officer": ("page", "GET"),
    "/officer/probes": ("page", "POST"),
    "/officer/policy": ("page", "GET"),
    "/officer/policy/tables/{name}": ("page", "GET"),
    "/officer/policy/preview": ("page", "GET POST"),
    "/officer/processors": ("page", "GET"),
    "/officer/keys": ("page", "GET"),
    "/officer/sessions": ("page", "GET"),
    "/officer/sessions/end": ("page", "POST"),
    "/officer/activity": ("page", "GET"),
    "/officer/declared": ("page", "GET"),
    "/officer/training": ("page", "GET"),
    "/officer/requests": ("page", "GET POST"),
    "/officer/privacy": ("page", "GET"),
    "/counter": ("anybody", "GET POST"),
    "/counter/end": ("page", "POST"),
    "/counter/over": ("anybody", "GET"),
    "/record/{id}/counter": ("page", "GET POST"),
    "/accessibility": ("anybody", "GET"),
    "/words": ("anybody", "GET"),
    "/what-leaves": ("anybody", "GET"),
    "/preferences": ("anybody", "GET POST"),
    "/training": ("page", "GET POST"),
    "/research": ("page", "GET"),
    "/home": ("page", "GET POST"),
    "/acts": ("page", "GET"),
    "/openid/choose": ("page", "POST"),
    "/openid/go-on": ("page", "GET"),
    "/openid/{provider}": ("anybody", "GET"),
    "/openid/{provider}/return": ("page", "GET"),
    "/openid/{provider}/ended": ("anybody", "POST"),
    "/sign-in": ("anybody", "GET POST"),
    "/sign-in/passkey": ("anybody", "POST"),
    "/sign-in/next": ("page", "GET POST"),
    "/again": ("page", "POST"),
    "/join/{code}": ("anybody", "GET"),
    "/join": ("page", "GET POST"),
    "/account": ("page", "GET"),
    "/account/sessions": ("page", "POST"),
    "/account/hacked": ("page", "POST"),
    "/account/lost": ("page", "GET POST"),
    "/account/found": ("page", "POST"),
    "/account/seen": ("page", "POST"),
    "/account/credentials": ("page", "GET"),
    "/account/passkeys": ("page", "POST"),
    "/account/passkeys/remove": ("page", "POST"),
    "/account/password": ("page", "POST"),
    "/account/codes": ("page", "POST"),
    "/authorize": ("oauth", "GET"),
    "/authorize/answer": ("page", "POST"),
    "/programs": ("page", "GET"),
    "/programs/end": ("page", "POST"),
    "/token": ("oauth", "POST"),
    "/introspect": ("oauth", "POST"),
    "/revoke": ("oauth", "POST"),
    "/fhir/.well-known/smart-configuration": ("anybody", "GET"),
    "/.well-known/oauth-authorization-server": ("anybody", "GET"),
    "/unlock": ("anybody", "GET POST"),
    "/unlocked": ("anybody", "GET"),
    "/static/{name}": ("anybody", "GET"),
    "/": ("anybody", "GET"),
}
LEADS = {"/": "/sign-in", "/join/{code}": "/join"}
PARTS = {
    "type:type": "Patient",
    "type:other": "Patient",
    "id:logical": "1",
    "id": "1",
    "version:int": "1",
    "code": "nothing",
    "name": "serment.css",
    "provider": "nothing",
    "errand": "1",
    "kind": "labs",
    "item": "1",
    "type": "Observation",
    "one": "1",
    "other": "2",
    "paper": "1",
    "document": "1",
    "link": "1",
    "secret": "nothing",
    "series": "000000000000",
    "visit": "1",
    "proposal": "1",
}


def address(path: str) -> str:
    return re.sub(r"\{([^}]+)\}", lambda found: PARTS[found[1]], path)


def asked() -> list[tuple[str, str, str]]:
    return [(path, method, who) for path, (who, methods) in WHO.items() for method in methods.split()]


def test_every_route_is_listed_here() -> None:
    assert all(isinstance(route, Route) for route in ROUTES)
    built = {route.path: (route.methods or set()) - {"HEAD"} for route in ROUTES}
    assert built == {path: set(methods.split()) for path, (_, methods) in WHO.items()}
    assert len(ROUTES) == len(built)


@pytest.mark.parametrize(("path", "method", "who"), asked())
def test_every_answer_carries_the_same_guards(server: Served, path: str, method: str, who: str) -> None:
    answer = server.browser().request(method, address(path))
    for name, value in HEADERS.items():
        if not path.startswith("/static/") or name != b"cache-control":
            said = answer.headers[name.decode()]
            assert said == value.decode() or (name == b"content-security-policy" and "'none'" in said)
        if answer.headers.get("content-type", "").startswith("text/html"):
            policy = answer.headers["content-security-policy"]
            assert "unsafe" not in policy
            for part in ("style-src 'self'", "require-trusted-types-for 'script'", "trusted-types htmx"):
                assert part in policy
    assert "server" not in answer.headers


@pytest.mark.parametrize(("path", "method", "who"), asked())
@pytest.mark.capability("0-17", "refuses")
def test_nobody_enters_without_signing_in(server: Served, path: str, method: str, who: str) -> None:
    for secret in ("", "Bearer nonsense", "Basic ZG9jdG9yOng="):
        headers = {"authorization": secret} if secret else {}
        answer = server.browser().request(method, address(path), headers=headers)
        if who == "oauth":  # a program proves itself in the form: nothing is given, nobody is sent anywhere
            assert answer.status_code in {400, 401, 415}
            assert "location" not in answer.headers
        elif who != "anybody":
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        elif path == "/unlock":
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
        elif path.startswith("/openid/"):
            assert answer.status_code == 404
        elif path in LEADS:
            assert (answer.status_code, answer.headers["location"]) == (303, LEADS[path])
        elif path.startswith(("/sign-in", "/preferences", "/counter")) and method == "POST":
            assert answer.status_code == 403  # no browser says from which page the form comes
        elif path != "/enter/{code}":
            assert answer.status_code in {200, 406}


@pytest.mark.parametrize(("path", "method", "who"), [one for one in asked() if one[2] == "program"])
def test_a_cookie_opens_no_program_door(server: Served, path: str, method: str, who: str) -> None:
    page = server.browser()
    page.get(server.code(server.installation.staff("team-doctor"), "/me"))
    assert page.cookies
    assert page.request(method, address(path)).status_code == 401


@pytest.mark.parametrize("path", WHO)
def test_another_method_is_refused_with_what_the_address_takes(server: Served, path: str) -> None:
    takes = set(WHO[path][1].split())
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        if method not in takes:
            answer = server.browser().request(method, address(path))
            assert answer.status_code == 405
            told = set(answer.headers["allow"].split(", "))
            assert told == takes | ({"HEAD"} if "GET" in takes else set())


@pytest.mark.parametrize(
    "path", ["/fhir/Patient/", "/fhir/Patient/1/x", "/fhir/Patient/1/$nothing", "/fhirx"]
)
def test_an_address_that_is_not_there_is_not_found(server: Served, path: str) -> None:
    answer = server.browser().get(path)
    assert answer.status_code == 404
    kind = "application/fhir+json" if path.startswith("/fhir/") else "text/html"
    assert answer.headers["content-type"].startswith(kind)


def test_health_says_alive_and_ready(server: Served) -> None:
    page = server.browser()
    assert (page.get("/livez").text, page.get("/readyz").text) == ("ok\n", "ready\nalarms: 0\n")


class Broken:
    """A part of the house whose every call is a defect that quotes a person."""

    def __getattr__(self, name: str) -> object:
        raise ValueError("Jean DUPONTMARQUEUR 1 85 05 78 006 084")


@pytest.mark.capability("0-21", "refuses")
def test_a_defect_answers_with_a_number_and_leaves_no_person_in_the_log(
    server: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    good = server.app.state.open
    token = server.token(server.installation.staff("team-doctor"))
    try:
        broken = replace(server.house, reading=Broken())  # type: ignore[arg-type]  # a defect on purpose
        server.app.state.open = lambda: broken
        with caplog.at_level(logging.DEBUG):
            answer = httpx.get(
                f"{server.address}/fhir/Patient/DUPONTMARQUEUR", headers={"authorization": f"Bearer {token}"}
            )
    finally:
        server.app.state.open = good
    assert (answer.status_code, sentence(answer)) == (500, "api.internal")
    assert answer.headers["cache-control"] == "no-store"
    assert "DUPONTMARQUEUR" not in answer.text
    told = [record for record in caplog.records if record.name in {"serment", "uvicorn.error"}]
    assert len(told) == 1
    assert told[0].exc_info is None
    assert "fault ValueError at test_routes.py:" in told[0].getMessage()
    everything = "".join(capfd.readouterr()) + "".join(record.getMessage() for record in told)
    assert "DUPONTMARQUEUR" not in everything


def test_no_access_is_logged(server: Served, capfd: pytest.CaptureFixture[str]) -> None:
    server.staff("team-doctor").get("Patient?birthdate=1950-01-01&family=Secretissime")
    assert "".join(capfd.readouterr()) == ""

"""One's own account at the pages: what changes a way in is asked for again, told, and never the last one."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import segno

from serment.errors import OAuthError, SignInError
from serment.people.clients import PUBLIC
from serment.people.grants import Asked
from tests.doors.programs import BACK, Program, registered, s256
from tests.doors.served import Served, served
from tests.doors.test_signing import (
    Visitor,
    enrolled,
    field_of,
    invited,
    joined,
    options,
    people_of,
    taken,
)
from tests.unit.people.local_people import CHEAP, PASSWORD, Authenticator, asking, doctor

NEW = "trois loutres dans la neige"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("own-account")) as running:
        people_of(running).entering.drawer.cost = CHEAP
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def signed_in(server: Served, login: str) -> Visitor:
    visitor = joined(server, login, doctor())
    assert visitor.sign_in().status_code == 303
    return visitor


def with_passkey(visitor: Visitor) -> Authenticator:
    """Add a passkey on the page of one's account."""
    party = people_of(visitor.server).entering.local.party
    device = Authenticator(party.origin, party.id)
    page = visitor.browser.get("/account/credentials").text
    answer = device.make(options(page))
    said = visitor.post(
        "/account/passkeys", csrf=visitor.csrf(), answer=answer, ticket=field_of(page, "ticket")
    )
    assert said.status_code == 303
    return device


def by_passkey(visitor: Visitor, device: Authenticator) -> int:
    page = visitor.browser.get("/sign-in").text
    answer = device.sign(options(page))
    ticket = field_of(page, "ticket")
    return visitor.post("/sign-in/passkey", answer=answer, ticket=ticket, to="/account").status_code


def test_the_key_of_the_codes_is_a_square_that_a_telephone_reads(server: Served) -> None:
    visitor, invitee = signed_in(server, "carre"), enrolled(server, "carree", doctor())
    invitee.browser.get(f"/join/{invited(server, invitee)}")
    for text in (visitor.browser.get("/account/credentials").text, invitee.browser.get("/join").text):
        drawn = re.search(r'<svg class="qr" role="img" [^>]*viewBox="0 0 (\d+) \1"><path d="([^"]+)"', text)
        link = re.search(r'href="(otpauth:[^"]+)"', text)
        assert drawn is not None
        assert link is not None
        rows = list(segno.make(html.unescape(link[1]), error="m", micro=False).matrix_iter(border=2))
        dark = {(x, y) for y, row in enumerate(rows) for x, one in enumerate(row) if one}
        assert {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn[2])} == dark


PASSWORDS = {"password": "current-password", "new": "new-password", "again": "new-password"}
"""Ids of the fields for passwords, and what a manager is told of each."""


def test_every_field_for_a_password_hides_it_and_takes_what_a_manager_fills_in(server: Served) -> None:
    visitor, invitee = signed_in(server, "champs"), enrolled(server, "conviee", doctor())
    invitee.browser.get(f"/join/{invited(server, invitee)}")
    pages = (
        server.browser().get("/sign-in").text,
        visitor.browser.get("/account/credentials").text,
        invitee.browser.get("/join").text,
    )
    met = 0
    for field in (one for page in pages for one in re.findall(r"<input [^>]*>", page)):
        name = re.search(r'id="([a-z]+)"', field)
        if name is not None and name[1] in PASSWORDS:
            met += 1
            assert 'type="password"' in field
            assert f'autocomplete="{PASSWORDS[name[1]]}"' in field
            assert "onpaste" not in field
        else:
            assert 'type="password"' not in field
    assert met == 5


ACTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/account/sessions", {"which": "others"}),
    ("/account/passkeys", {"answer": "{}", "ticket": "x"}),
    ("/account/passkeys/remove", {"which": "00"}),
    ("/account/lost", {}),
    ("/account/found", {"which": "00"}),
    ("/account/password", {"password": NEW, "again": NEW}),
    ("/account/codes", {"ticket": "x", "code": "000000"}),
)


@pytest.mark.capability("4-16", "refuses")
def test_every_act_on_credentials_and_sessions_asks_for_a_fresh_proof(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serment.record.entrance import session_rows

    visitor, other = signed_in(server, "perimee"), None
    other = visitor.elsewhere()
    other.sign_in()
    csrf = visitor.csrf()
    before = people_of(server).entering.drawer.get(asking(server.house), visitor.account.id)
    monkeypatch.setattr(session_rows, "FRESH_MS", 0)
    for path, fields in ACTS:
        answer = visitor.post(path, csrf=csrf, **fields)
        assert answer.status_code == 401, path
        assert "preuve récente" in answer.text
    assert visitor.browser.get("/account/credentials").status_code == 401
    monkeypatch.undo()
    after = people_of(server).entering.drawer.get(asking(server.house), visitor.account.id)
    assert (after.password, after.codes, after.passkeys) == (before.password, before.codes, before.passkeys)
    assert other.browser.get("/account").status_code == 200


@pytest.mark.capability("4-16", "lets")
def test_what_changes_ones_credentials_is_told_on_the_page_of_ones_account(server: Served) -> None:
    visitor = signed_in(server, "prevenue")
    with_passkey(visitor)
    assert "Une clé d'accès a été ajoutée." in told(visitor)
    visitor.post("/account/password", csrf=visitor.csrf(), password=NEW, again=NEW)
    assert told(visitor).count("Votre mot de passe a été choisi ou changé.") == 2  # at the beginning, and now
    which = re.search(r'action="/account/passkeys/remove".*?name="which" value="([0-9a-f]+)"', told(visitor))
    assert which is not None
    visitor.post("/account/passkeys/remove", csrf=visitor.csrf(), which=which[1])
    assert "Une clé d'accès a été retirée." in told(visitor)


def told(visitor: Visitor) -> str:
    from html import unescape

    return unescape(visitor.browser.get("/account").text)


@pytest.mark.capability("4-16", "refuses")
def test_a_passkey_is_removed_but_never_the_last_way_in(server: Served) -> None:
    visitor = signed_in(server, "prudente")
    device = with_passkey(visitor)
    csrf = visitor.csrf()
    assert by_passkey(visitor.elsewhere(), device) == 303
    assert visitor.post("/account/passkeys/remove", csrf=csrf, which=device.id.hex()).status_code == 303
    assert by_passkey(visitor.elsewhere(), device) == 403

    other = enrolled(server, "sans-mot-de-passe", doctor())
    party = people_of(server).entering.local.party
    only = Authenticator(party.origin, party.id)
    other.browser.get(f"/join/{invited(server, other)}")
    page = other.browser.get("/join").text
    answer = other.post("/join", answer=only.make(options(page)), ticket=field_of(page, "ticket"))
    assert answer.status_code == 200
    assert by_passkey(other, only) == 303
    refused = other.post("/account/passkeys/remove", csrf=other.csrf(), which=only.id.hex())
    assert refused.status_code == 409
    assert by_passkey(other.elsewhere(), only) == 303


@pytest.mark.capability("4-16", "refuses")
def test_an_invitation_of_somebody_who_lost_everything_begins_again(server: Served) -> None:
    visitor = signed_in(server, "perdue")
    lost = with_passkey(visitor)
    old, old_codes = visitor.elsewhere(), list(visitor.recovery)
    spent = set(visitor.used)
    renewed = taken(visitor.elsewhere(), NEW)
    renewed.used |= spent  # a code is of its moment, whatever the secret
    assert visitor.browser.get("/account").status_code == 401
    stale = old.post("/sign-in", login="perdue", password=PASSWORD, code=old_codes[0], to="/account")
    assert stale.status_code == 403
    entered = renewed.sign_in(password=NEW)
    assert entered.headers["location"] == "/sign-in/next"
    page = renewed.browser.get("/sign-in/next").text
    assert f"keep-{lost.id.hex()}" in page
    assert renewed.post("/sign-in/next").headers["location"] == "/account"
    assert by_passkey(renewed.elsewhere(), lost) == 403


@pytest.mark.capability("0-18", "refuses")
def test_a_sign_in_ends_the_session_that_the_browser_held(server: Served) -> None:
    visitor = signed_in(server, "revenue")
    first, device = (visitor.browser.cookies[name] for name in ("serment", "serment-device"))
    assert visitor.sign_in().status_code == 303
    assert visitor.browser.cookies["serment"] != first
    held = server.browser()
    held.cookies.update({"serment": first, "serment-device": device})
    assert held.get("/account").status_code == 401
    assert visitor.browser.get("/account").status_code == 200
    assert visitor.browser.get("/account").text.count('name="which"') == 0


def test_a_further_proof_does_not_make_a_session_last_longer(server: Served) -> None:
    visitor = signed_in(server, "tenace")

    def ends() -> int:
        cookies = visitor.browser.cookies
        now = server.house.passage.clock()
        return server.house.sessions.open(cookies["serment"], now, cookies["serment-device"]).ends

    before, first = ends(), visitor.browser.cookies["serment"]
    assert visitor.post("/again", password=PASSWORD, code=visitor.code(), to="/account").status_code == 303
    assert visitor.browser.cookies["serment"] != first
    assert ends() == before


def test_every_page_of_somebody_signed_in_has_the_way_out(server: Served) -> None:
    visitor = signed_in(server, "pressee")
    doctor_, patient, officer = server.browser(), server.browser(), server.browser()
    doctor_.get(server.code(server.installation.staff("team-doctor"), "/"))
    patient.get(server.code(server.patient_actor(), "/me"))
    officer.get(server.code(server.installation.staff("officer"), "/officer"))
    pages = (
        (visitor.browser, "/account"),
        (visitor.browser, "/account/credentials"),
        (doctor_, f"/record/{server.record()}"),
        (patient, "/me"),
        (officer, "/officer"),
    )
    for browser, path in pages:
        shown = browser.get(path)
        assert shown.status_code == 200
        assert '<form method="post" action="/sign-out">' in shown.text


def test_what_was_proved_leads_to_one_session_and_one_change(server: Served) -> None:
    """The ticket of an unfinished sign-in, kept by somebody at the same browser, serves once."""
    visitor = joined(server, "inachevee", doctor())
    entering, now = people_of(server).entering, asking(server.house)
    entering.drawer.change(now, visitor.account.id, lambda one: one.doubted("hacked", now.now))
    assert visitor.sign_in().headers["location"] == "/sign-in/next"
    kept = dict(visitor.browser.cookies)
    wrong = visitor.post("/sign-in/next", password="short", again="short")
    assert wrong.status_code == 400
    after_a_mistake = dict(visitor.browser.cookies)
    assert visitor.post("/sign-in/next", password=NEW, again=NEW).headers["location"] == "/account"
    for cookies in (kept, after_a_mistake):
        replayed = visitor.elsewhere()
        replayed.browser.cookies.update(cookies)
        other = "quatre loutres dans la neige"
        assert replayed.post("/sign-in/next", password=other, again=other).status_code == 401
    assert visitor.elsewhere().sign_in(password=NEW).status_code == 303


def let_in(visitor: Visitor) -> str:
    """Let a program in for a month, on the patient's record; give its refresh token."""
    server = visitor.server
    program = Program(server, registered(server, PUBLIC, "user/*.rs", "offline_access").id)
    people, now = people_of(server), asking(server.house)
    asks = replace(now, actor=visitor.account.exercises[0].actor_named(visitor.account.name))
    asked = Asked(
        program.id, "user/Observation.rs offline_access", BACK, s256(program.verifier), offline=True
    )
    code = people.programs.grants.begin(asks, asked)
    grant, refresh = people.programs.grants.spend(now, code, lambda _: None, "")
    assert grant.in_force(now.now)
    return refresh


@pytest.mark.capability("4-16", "refuses")
@pytest.mark.parametrize("how", ["hacked", "cloned", "invited"])
def test_what_programs_were_let_do_ends_with_all_else(server: Served, how: str) -> None:
    visitor = signed_in(server, f"programmes-{how}")
    people, refresh = people_of(server), let_in(visitor)
    if how == "hacked":
        visitor.post("/account/hacked", csrf=visitor.csrf())
    elif how == "cloned":
        people.entering.own.cloned(asking(server.house), visitor.account)
    else:
        taken(visitor.elsewhere(), NEW)
    with pytest.raises(OAuthError):
        people.programs.grants.refreshed(asking(server.house), refresh, lambda _: None, "")
    assert people.programs.grants.of(asking(server.house), visitor.account.actors()) == []


@pytest.mark.capability("2-02", "refuses")
@pytest.mark.parametrize("how", ["hacked", "lost", "cloned"])
def test_a_link_that_a_thief_gave_ends_with_all_else(server: Served, how: str) -> None:
    """A month of openings by whoever holds the address would outlast the theft."""
    visitor, links = signed_in(server, f"liens-{how}"), server.house.links
    actor, now = visitor.account.exercises[0].actor_named("Camille"), asking(server.house)
    handed = links.make(replace(now, actor=actor), server.record(), ["Observation/any"], 31, 2)
    links.open(now, handed.secret, handed.passcode)
    if how == "cloned":
        people_of(server).entering.own.cloned(now, visitor.account)
    else:
        visitor.post(f"/account/{how}", csrf=visitor.csrf())
    with pytest.raises(SignInError):
        links.open(asking(server.house), handed.secret, handed.passcode)

"""Signing in at the pages, over HTTP: by invitation, password and code, passkey; locked, hacked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from serment.keys.factors import one_time_code
from serment.people.accounts import Account, Exercise
from serment.people.people import People
from tests.doors.served import Served, served
from tests.unit.people.local_people import CHEAP, PASSWORD, STEP, Authenticator, asking, doctor

NEW = "trois loutres dans la neige"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("signing")) as running:
        people_of(running).entering.drawer.cost = CHEAP
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def people_of(server: Served) -> People:
    people: People = server.app.state.reception.of(server.house)
    return people


@dataclass
class Visitor:
    """A person with a browser that keeps cookies and says where its forms come from."""

    server: Served
    browser: httpx.Client
    account: Account
    secret: bytes = b""
    recovery: list[str] = field(default_factory=list)
    used: set[int] = field(default_factory=set)

    def code(self) -> str:
        """Give a code that was not used yet."""
        now = self.server.house.passage.clock() // STEP
        step = next(one for one in (now - 1, now, now + 1) if one not in self.used)
        self.used.add(step)
        return one_time_code(self.secret, step)

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.browser.post(path, data=fields, headers={"sec-fetch-site": "same-origin"})

    def sign_in(self, to: str = "/account", password: str = PASSWORD) -> httpx.Response:
        self.browser.get("/sign-in")
        return self.post("/sign-in", login=self.account.login, password=password, code=self.code(), to=to)

    def csrf(self) -> str:
        return field_of(self.browser.get("/account").text, "csrf")

    def elsewhere(self, network: str = "") -> Visitor:
        """Give the same person at another browser."""
        other = self.server.browser()
        if network:
            other.headers["x-forwarded-for"] = network
        return Visitor(self.server, other, self.account, self.secret, self.recovery, self.used)


def field_of(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, name
    return found[1]


def enrolled(server: Served, login: str, *exercises: Exercise) -> Visitor:
    people = people_of(server)
    account = people.accounts.add(asking(server.house), Account("", f"Dr {login}", exercises, login))
    return Visitor(server, server.browser(), account)


def invited(server: Served, visitor: Visitor) -> str:
    return people_of(server).entering.inviting.invite(asking(server.house), visitor.account.id)


def joined(server: Served, login: str, *exercises: Exercise) -> Visitor:
    return taken(enrolled(server, login, *exercises), PASSWORD)


def taken(visitor: Visitor, password: str) -> Visitor:
    """Take an invitation with a password and one-time codes."""
    visitor.browser.get(f"/join/{invited(visitor.server, visitor)}")
    page = visitor.browser.get("/join").text
    groups = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert groups is not None
    from base64 import b32decode

    visitor.secret = b32decode(groups[1].replace(" ", ""))
    tickets = re.findall(r'name="ticket" value="([^"]*)"', page)
    answer = visitor.post("/join", password=password, again=password, ticket=tickets[-1], code=visitor.code())
    assert answer.status_code == 200, answer.text
    visitor.used.clear()
    visitor.recovery = re.findall(r"<li><code>([0-9a-f-]+)</code>", answer.text)
    return visitor


@pytest.mark.capability("4-07", "lets")
@pytest.mark.capability("0-18", "lets")
def test_an_invitation_a_password_and_a_code_lead_to_ones_account(server: Served) -> None:
    visitor = joined(server, "lune", doctor())
    assert len(visitor.recovery) == 10
    entered = visitor.sign_in()
    assert (entered.status_code, entered.headers["location"]) == (303, "/account")
    page = visitor.browser.get("/account").text
    assert "Mes sessions ouvertes" in page
    assert "cette session" in page
    assert "127.0." in page
    assert "127.0.0.1" not in page
    assert visitor.browser.get("/").headers["location"] == "/account"


def test_nobody_is_led_to_sign_in(server: Served) -> None:
    assert server.browser().get("/").headers["location"] == "/sign-in"


def test_signing_out_ends_it(server: Served) -> None:
    visitor = joined(server, "mars", doctor())
    visitor.sign_in()
    to = visitor.post("/sign-out", csrf=visitor.csrf()).headers["location"]
    assert to == "/sign-in?did=out"
    assert "Vous êtes déconnecté" in visitor.browser.get(to).text
    assert visitor.browser.get("/account").status_code == 401


def test_a_person_with_two_exercises_chooses_one(server: Served) -> None:
    two = (
        doctor(3),
        Exercise(
            "2", "rpps:10000000003", "professional", "hospital-doctor", "10", structure="b", label="CHU"
        ),
    )
    visitor = joined(server, "venus", *two)
    assert visitor.sign_in().headers["location"] == "/sign-in/next"
    page = visitor.browser.get("/sign-in/next").text
    assert "CHU" in page
    assert visitor.browser.get("/account").status_code == 401
    entered = visitor.post("/sign-in/next", exercise="2")
    assert entered.headers["location"] == "/account"
    assert "CHU" in visitor.browser.get("/account").text


def test_a_passkey_joins_and_signs_in(server: Served) -> None:
    visitor = enrolled(server, "pallas", doctor())
    party = people_of(server).entering.local.party
    device = Authenticator(party.origin, party.id, counter=1)
    visitor.browser.get(f"/join/{invited(server, visitor)}")
    page = visitor.browser.get("/join").text
    answer = device.make(options(page))
    assert visitor.post("/join", answer=answer, ticket=field_of(page, "ticket")).status_code == 200
    page = visitor.browser.get("/sign-in").text
    answer = device.sign(options(page))
    entered = visitor.post("/sign-in/passkey", answer=answer, ticket=field_of(page, "ticket"), to="/account")
    assert entered.headers["location"] == "/account"
    assert visitor.browser.get("/account").status_code == 200


def options(page: str) -> str:
    from html import unescape

    found = re.search(r'data-options="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])


@pytest.mark.capability("3-11", "lets")
def test_a_locked_session_goes_on_where_it_was_after_a_proof(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = joined(server, "terre", doctor())
    visitor.sign_in()
    before = visitor.browser.cookies["serment"]
    monkeypatch.setattr(server.house.sessions, "_idle", -1)
    locked = visitor.browser.get("/account")
    assert locked.status_code == 401
    assert "verrouillée" in locked.text
    monkeypatch.undo()
    assert visitor.post("/again", password="wrong", code="0", to="/account").status_code == 403
    again = visitor.post("/again", password=PASSWORD, code=visitor.code(), to="/account")
    assert (again.status_code, again.headers["location"]) == (303, "/account")
    assert visitor.browser.cookies["serment"] != before
    assert visitor.browser.get("/account").status_code == 200


@pytest.mark.capability("4-07", "refuses")
def test_an_idle_session_opens_nothing(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = joined(server, "cires", doctor())
    visitor.sign_in()
    monkeypatch.setattr(server.house.sessions, "_idle", -1)
    assert visitor.browser.get(f"/record/{server.record()}").status_code == 401


@pytest.mark.capability("0-18", "lets")
def test_sessions_are_listed_and_one_or_all_are_ended(server: Served) -> None:
    visitor = joined(server, "junon", doctor())
    visitor.sign_in()
    others = [visitor.elsewhere(), visitor.elsewhere()]
    for other in others:
        other.sign_in()
    page = visitor.browser.get("/account").text
    which = [one for one in re.findall(r'name="which" value="([^"]*)"', page) if one != "others"]
    assert len(which) == 2
    assert visitor.post("/account/sessions", csrf=field_of(page, "csrf"), which=which[0]).status_code == 303
    assert sorted(one.browser.get("/account").status_code for one in others) == [200, 401]
    visitor.post("/account/sessions", csrf=field_of(page, "csrf"), which="others")
    assert [one.browser.get("/account").status_code for one in others] == [401, 401]
    assert visitor.browser.get("/account").status_code == 200


@pytest.mark.capability("4-16", "lets")
@pytest.mark.capability("4-16", "refuses")
def test_i_was_hacked_ends_everything_and_the_password_must_change(server: Served) -> None:
    officer = joined(
        server,
        "vigie",
        Exercise("1", "staff:vigie", "officer", "security-officer", structure="a", label="Sécurité"),
    )
    visitor = joined(server, "ceres", doctor())
    visitor.sign_in()
    other = visitor.elsewhere()
    other.sign_in()
    to = visitor.post("/account/hacked", csrf=visitor.csrf()).headers["location"]
    assert to == "/sign-in?did=hacked"
    assert "tout est fermé" in visitor.browser.get(to).text
    assert [one.browser.get("/account").status_code for one in (visitor, other)] == [401, 401]
    assert "record.alarm-hacked-account" in server.house.passage.alarms.rung
    officer.sign_in()
    said = "Dr ceres\u00a0: Une personne a déclaré que son compte est piraté"
    assert said in officer.browser.get("/account").text
    entered = visitor.post(
        "/sign-in", login="ceres", password=PASSWORD, code=visitor.recovery[0], to="/account"
    )
    assert entered.headers["location"] == "/sign-in/next"
    assert "piraté" in visitor.browser.get("/sign-in/next").text
    assert visitor.post("/sign-in/next", password=PASSWORD, again=PASSWORD).status_code == 400
    assert visitor.post("/sign-in/next", password=NEW, again=NEW).headers["location"] == "/account"
    assert visitor.browser.get("/account").status_code == 200


def test_changing_ones_password_asks_for_a_fresh_proof(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = joined(server, "hygie", doctor())
    visitor.sign_in()
    assert visitor.browser.get("/account/credentials").status_code == 200
    csrf = visitor.csrf()
    from serment.record.entrance import session_rows

    monkeypatch.setattr(session_rows, "FRESH_MS", 0)
    stale = visitor.post("/account/password", csrf=csrf, password=NEW, again=NEW)
    assert stale.status_code == 401
    assert "preuve récente" in stale.text
    monkeypatch.undo()
    assert visitor.post("/account/password", csrf=csrf, password=NEW, again=NEW).status_code == 303

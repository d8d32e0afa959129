"""Somebody steals, fixes, forges or shares a session; replays an invitation; copies a passkey."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from serment.errors import ProofAgainError, RequestError, SignInError
from serment.keys.custody.contract import StoreKind
from serment.model import Instant
from serment.people.accounts import Account, Exercise
from serment.people.local import Typed
from serment.people.people import People
from serment.people.signing import NEAR_MS, Lasting, Proof, is_far
from serment.record.alarms import CLONED_PASSKEY, STOLEN_SESSION
from serment.record.entrance.sessions import Sessions
from tests.doors.served import Served, served
from tests.doors.test_signing import Visitor, enrolled, invited, joined, people_of
from tests.unit.people.local_people import CHEAP, PASSWORD, Authenticator, asking, doctor, where

CHU = Exercise("2", "rpps:10000000003", "professional", "hospital-doctor", "10", structure="b", label="CHU")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("attacked-sign-in")
    with served(folder) as running:
        people_of(running).entering.drawer.cost = CHEAP
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


@pytest.fixture(scope="module")
def people(server: Served) -> People:
    return people_of(server)


@pytest.mark.capability("0-06", "refuses")
def test_a_stolen_cookie_on_another_device_opens_nothing_ends_and_rings(server: Served) -> None:
    visitor = joined(server, "volee", doctor())
    visitor.sign_in()
    thief = server.browser()
    thief.cookies.set("serment", visitor.browser.cookies["serment"])
    assert thief.get("/account").status_code == 401
    assert STOLEN_SESSION in server.house.passage.alarms.rung
    assert visitor.browser.get("/account").status_code == 401


def test_a_stolen_cookie_is_no_bearer_token(server: Served) -> None:
    visitor = joined(server, "porteuse", doctor())
    visitor.sign_in()
    secret = visitor.browser.cookies["serment"]
    answer = server.calling(server.address, {"authorization": f"Bearer {secret}"}).get("/fhir/Patient?_id=1")
    assert answer.status_code == 401


def test_a_session_fixed_before_sign_in_is_nobodys_after_it(server: Served) -> None:
    visitor = joined(server, "fixee", doctor())
    visitor.browser.cookies.set("serment", "chosen-by-the-attacker", domain="localhost.local", path="/")
    visitor.browser.cookies.clear()
    visitor.sign_in()
    first = visitor.browser.cookies["serment"]
    assert first != "chosen-by-the-attacker"
    renewed = visitor.post("/again", password=PASSWORD, code=visitor.code(), to="/account")
    assert renewed.status_code == 303
    fixed = server.browser()
    fixed.cookies.update({"serment": first, "serment-device": visitor.browser.cookies["serment-device"]})
    assert fixed.get("/account").status_code == 401


ACTS = (
    "/account/hacked",
    "/account/sessions",
    "/account/password",
    "/account/codes",
    "/account/passkeys",
    "/account/passkeys/remove",
    "/account/seen",
    "/sign-out",
)


def test_no_other_site_posts_a_form_of_somebody_signed_in(server: Served) -> None:
    visitor = joined(server, "csrf", doctor())
    visitor.sign_in()
    for path in ACTS:
        said = {"sec-fetch-site": "cross-site"}
        assert visitor.browser.post(path, data={"csrf": "guessed"}, headers=said).status_code == 400
    assert visitor.browser.get("/account").status_code == 200


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/passkey"])
@pytest.mark.parametrize("said", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_no_other_site_signs_somebody_in(server: Served, path: str, said: dict[str, str]) -> None:
    assert server.browser().post(path, data={"login": "a"}, headers=said).status_code == 403


@pytest.mark.parametrize("path", ["/sign-in", "/account"])
def test_no_page_of_sign_in_is_shown_in_a_frame_or_runs_what_is_not_ours(server: Served, path: str) -> None:
    policy = server.browser().get(path).headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    scripts = [one.strip() for one in policy.split(";") if one.strip().startswith("script-src")]
    assert len(scripts) == 1
    assert re.fullmatch(r"script-src 'nonce-[\w-]{24}'", scripts[0])


def test_a_page_to_go_to_is_never_of_another_site(server: Served) -> None:
    visitor = joined(server, "redirigee", doctor())
    assert visitor.sign_in(to="//evil.example/").headers["location"] == "/"


@pytest.mark.capability("4-16", "refuses")
def test_an_invitation_serves_once_and_a_newer_one_replaces_it(server: Served, people: People) -> None:
    visitor = enrolled(server, "conviee", doctor())
    first = invited(server, visitor)
    second = invited(server, visitor)
    for looked in range(3):
        assert server.browser().get(f"/join/{second}").status_code == 303, looked
    visitor.browser.get(f"/join/{first}")
    assert visitor.browser.get("/join").status_code == 401
    entering, now = people.entering, asking(server.house)
    assert entering.inviting.spend(now, second) == visitor.account.id
    for code in (first, second, "never-was"):
        with pytest.raises(SignInError):
            entering.inviting.invited(now, code)


def test_an_invitation_is_over_after_a_day(server: Served, people: People) -> None:
    visitor = enrolled(server, "tardive", doctor())
    code = invited(server, visitor)
    with pytest.raises(SignInError):
        people.entering.inviting.invited(asking(server.house, 24 * 3600 * 1000 + 1), code)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short-one", "signin.password-length"),
        ("aaaaaaaaaaaaaaaa", "signin.password-guessed"),
        ("Docteur-Faible-1", "signin.password-guessed"),
        ("azertyuiopqsd", "signin.password-known"),
        ("M0tdepasse2026!", "signin.password-known"),
    ],
)
@pytest.mark.capability("4-07", "refuses")
def test_a_weak_or_known_password_begins_no_account(
    server: Served, people: People, password: str, sentence: str
) -> None:
    visitor = enrolled(server, f"faible-{sentence[-5:]}-{len(password)}-{password[:2]}", doctor())
    account = replace_name(visitor, people, "Docteur Faible")
    with pytest.raises(RequestError) as refused:
        people.entering.own.with_password(asking(server.house), account, password, password)
    assert refused.value.sentence == sentence


def replace_name(visitor: Visitor, people: People, name: str) -> Account:
    from msgspec.structs import replace as changed

    return people.accounts.change(
        asking(visitor.server.house), visitor.account.id, lambda one: changed(one, name=name)
    )


@pytest.mark.capability("4-07", "refuses")
def test_an_account_that_nobody_joined_has_no_default_password(server: Served, people: People) -> None:
    enrolled(server, "vierge", doctor())
    for password in ("", "vierge", "admin", "password", "changeme"):
        there = where(password, f"20.{len(password)}.1.1")
        with pytest.raises(SignInError):
            people.entering.local.by_password(asking(server.house), Typed("vierge", password, ""), there)


def test_a_passkey_whose_counter_goes_back_ends_everything_and_is_suspended(
    server: Served, people: People
) -> None:
    visitor = joined(server, "clonee", doctor())
    visitor.sign_in()
    entering, now = people.entering, asking(server.house)
    device = Authenticator(entering.local.party.origin, entering.local.party.id, counter=10)
    asked = entering.own.creation(now, visitor.account, where())
    entering.own.add_passkey(now, visitor.account, device.make(asked.options), asked.ticket, where())
    copied = replace(device, counter=5)
    copied.key, copied.user = device.key, device.user
    challenge = entering.local.challenge("sign-in", where(), now.now)
    with pytest.raises(SignInError) as refused:
        entering.local.by_passkey(now, "sign-in", copied.sign(challenge.options), challenge.ticket, where())
    assert refused.value.sentence == "signin.passkey-suspended"
    assert visitor.browser.get("/account").status_code == 401
    assert CLONED_PASSKEY in server.house.passage.alarms.rung
    challenge = entering.local.challenge("sign-in", where(), now.now)
    device.counter = 100
    with pytest.raises(SignInError):
        entering.local.by_passkey(now, "sign-in", device.sign(challenge.options), challenge.ticket, where())
    typed = Typed("clonee", PASSWORD, visitor.recovery[0])
    assert entering.local.by_password(asking(server.house), typed, where()).account.id == visitor.account.id


def begun(server: Served, people: People, visitor: Visitor, exercise: str, device: str, network: str) -> str:
    now = asking(server.house)
    proof = Proof(("hwk", "user", "mfa"), 2, now.now)
    account = people.accounts.get(now, visitor.account.id)
    # The browser's own secret is `device`: its token is what the door would have computed.
    there = replace(where(device, network), device=server.house.sessions.device_of(device))
    return people.signing_in.begin(now, account, exercise, proof, "/", there)


@pytest.mark.capability("4-17", "refuses")
@pytest.mark.capability("0-06", "refuses")
def test_a_shared_account_is_questioned_when_two_sessions_are_far_apart(
    server: Served, people: People
) -> None:
    visitor, sessions = enrolled(server, "partagee", doctor()), server.house.sessions
    first = begun(server, people, visitor, "1", "at-work", "82.65.1.1")
    second = begun(server, people, visitor, "1", "elsewhere", "91.12.1.1")
    clock = server.house.passage.clock
    with pytest.raises(ProofAgainError) as questioned:
        sessions.open(second, clock(), "elsewhere")
    assert questioned.value.sentence == "signin.questioned"
    assert sessions.open(first, clock(), "at-work").bound.told == "signin.told-far"
    file = people.entering.drawer.get(asking(server.house), visitor.account.id)
    assert (file.notices[0].sentence, file.notices[0].place) == ("signin.told-far", "91.12")
    renewed = people.signing_in.renew(asking(server.house), second, "elsewhere", ("hwk",))
    assert sessions.open(renewed, clock(), "elsewhere").bound.told == "signin.told-far"
    with pytest.raises(SignInError):
        sessions.open(second, clock(), "elsewhere")


@pytest.mark.parametrize(
    ("device", "network"), [("at-work", "91.12.1.1"), ("elsewhere", "82.65.200.9"), ("elsewhere", "")]
)
@pytest.mark.capability("4-17", "lets")
def test_one_device_that_moves_or_two_in_one_place_are_not_questioned(
    server: Served, people: People, device: str, network: str
) -> None:
    visitor = enrolled(server, f"mobile-{device}-{len(network)}", doctor())
    begun(server, people, visitor, "1", "at-work", "82.65.1.1")
    second = begun(server, people, visitor, "1", device, network)
    assert server.house.sessions.open(second, server.house.passage.clock(), device)


def test_what_was_used_long_ago_is_not_at_the_same_time(server: Served, people: People) -> None:
    visitor, clock = enrolled(server, "ancienne", doctor()), server.house.passage.clock
    secret = begun(server, people, visitor, "1", "at-work", "82.65.1.1")
    token = server.house.sessions.token_of(secret)
    session = server.house.sessions.open(secret, clock(), "at-work")
    there = where("elsewhere", "91.12.1.1")
    now = clock()
    assert is_far(Lasting(token, "1", session, now - NEAR_MS + 1), there, now)
    assert not is_far(Lasting(token, "1", session, now - NEAR_MS), there, now)


@pytest.mark.capability("0-06", "refuses")
def test_one_person_acts_in_one_role_at_a_time_and_keeps_devices_in_that_role(
    server: Served, people: People
) -> None:
    visitor, sessions = enrolled(server, "double", doctor(3), CHU), server.house.sessions
    clock = server.house.passage.clock
    one = begun(server, people, visitor, "1", "a", "")
    other = begun(server, people, visitor, "1", "b", "")
    assert sessions.open(one, clock(), "a").actor.structure == "a"
    assert sessions.open(other, clock(), "b")
    hospital = begun(server, people, visitor, "2", "a", "")
    assert sessions.open(hospital, clock(), "a").actor.structure == "b"
    for secret, device in ((one, "a"), (other, "b")):
        with pytest.raises(SignInError):
            sessions.open(secret, clock(), device)


def test_an_idle_session_is_locked_in_every_process_and_a_used_one_in_none(
    server: Served, people: People
) -> None:
    visitor = enrolled(server, "oisive", doctor())
    secret = begun(server, people, visitor, "1", "a", "")
    passage = server.house.passage
    now = passage.clock()
    ours, theirs = server.house.sessions, Sessions(passage, StoreKind.DEMO)
    minute = 60 * 1000
    for after in range(0, 60, 10):
        at = Instant(now + after * minute)
        ours.open(secret, at, "a")
        passage.store.submit(lambda _txn: None).result()
        assert theirs.open(secret, Instant(at + minute), "a")
        passage.store.submit(lambda _txn: None).result()
    late = Instant(now + 51 * minute + 16 * minute)
    for sessions in (ours, theirs):
        with pytest.raises(ProofAgainError):
            sessions.open(secret, late, "a")


def test_the_idle_clock_costs_a_write_a_minute_at_most(server: Served, people: People) -> None:
    visitor = enrolled(server, "bavarde", doctor())
    secret = begun(server, people, visitor, "1", "a", "")
    sessions, store = server.house.sessions, server.house.passage.store
    now, token = server.house.passage.clock(), server.house.sessions.token_of(secret)
    rows = set()
    for after in range(120):
        sessions.open(secret, Instant(now + after * 1000), "a")
        store.submit(lambda _txn: None).result()
        with store.snapshot() as snapshot:
            rows.add(snapshot.session(token))
    assert len(rows) <= 3

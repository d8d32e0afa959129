"""A passkey that a thief added survives nothing: after "I was hacked" it proves nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serment.record.entrance import session_rows
from tests.doors.served import Served, served
from tests.doors.test_own_account import NEW, by_passkey, signed_in, with_passkey
from tests.doors.test_signing import Visitor, enrolled, field_of, invited, options, people_of
from tests.unit.people.local_people import CHEAP, PASSWORD, Authenticator, doctor


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("planted")) as running:
        people_of(running).entering.drawer.cost = CHEAP
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


@pytest.mark.capability("4-16", "refuses")
def test_attack_a_planted_passkey_comes_in_after_i_was_hacked(server: Served) -> None:
    visitor = signed_in(server, "plantee")
    planted = with_passkey(visitor)
    assert visitor.post("/account/hacked", csrf=visitor.csrf()).status_code == 303
    assert by_passkey(visitor.elsewhere(), planted) == 403


@pytest.mark.capability("4-16", "lets")
def test_a_password_and_a_code_bring_back_the_passkeys_that_the_person_knows(server: Served) -> None:
    visitor = signed_in(server, "revue")
    mine, planted = with_passkey(visitor), with_passkey(visitor)
    visitor.post("/account/hacked", csrf=visitor.csrf())
    visitor.post("/sign-in", login="revue", password=PASSWORD, code=visitor.recovery[0], to="/account")
    visitor.post("/sign-in/next", password=NEW, again=NEW)
    kept = visitor.post("/sign-in/next", **{f"keep-{mine.id.hex()}": "1"})
    assert kept.headers["location"].partition("?")[0] == "/account"
    assert [by_passkey(visitor.elsewhere(), one) for one in (mine, planted)] == [303, 403]


def of_passkeys_only(server: Served, login: str) -> tuple[Visitor, Authenticator]:
    visitor = enrolled(server, login, doctor())
    return visitor, joined_by_passkey(server, visitor)


def joined_by_passkey(server: Served, visitor: Visitor) -> Authenticator:
    party = people_of(server).entering.local.party
    device = Authenticator(party.origin, party.id)
    visitor.browser.get(f"/join/{invited(server, visitor)}")
    page = visitor.browser.get("/join").text
    answer = visitor.post("/join", answer=device.make(options(page)), ticket=field_of(page, "ticket"))
    assert answer.status_code == 200
    return device


def test_who_has_passkeys_only_is_told_before_and_comes_back_by_an_invitation(server: Served) -> None:
    visitor, first = of_passkeys_only(server, "sans-mot")
    assert by_passkey(visitor, first) == 303
    assert "nouveau lien d&#39;invitation" in visitor.browser.get("/account").text
    visitor.post("/account/hacked", csrf=visitor.csrf())
    assert by_passkey(visitor.elsewhere(), first) == 403
    again = visitor.elsewhere()
    second = joined_by_passkey(server, again)
    assert by_passkey(again, second) == 303
    assert f"keep-{first.id.hex()}" in again.browser.get("/sign-in/next").text


@pytest.mark.capability("4-16", "lets")
def test_a_lost_phone_ends_what_is_open_elsewhere_and_its_passkeys_until_it_is_found(server: Served) -> None:
    visitor = signed_in(server, "etourdie")
    lost, kept = with_passkey(visitor), with_passkey(visitor)
    phone = visitor.elsewhere()
    assert by_passkey(phone, lost) == 303
    page = visitor.browser.get("/account/lost")
    assert page.status_code == 200
    said = visitor.post("/account/lost", csrf=visitor.csrf(), **{f"lost-{lost.id.hex()}": "1"})
    assert said.headers["location"].partition("?")[0] == "/account"
    assert phone.browser.get("/account").status_code == 401
    assert visitor.browser.get("/account").status_code == 200
    assert [by_passkey(visitor.elsewhere(), one) for one in (lost, kept)] == [403, 303]
    assert visitor.post("/account/found", csrf=visitor.csrf(), which=lost.id.hex()).status_code == 303
    assert by_passkey(visitor.elsewhere(), lost) == 303


@pytest.mark.capability("4-16", "refuses")
def test_found_says_nothing_of_a_passkey_that_is_not_lost(server: Served) -> None:
    visitor = signed_in(server, "retrouvee")
    device = with_passkey(visitor)
    csrf = visitor.csrf()
    for which in (device.id.hex(), "00", "no hexadecimal"):
        assert visitor.post("/account/found", csrf=csrf, which=which).status_code == 404


def test_a_lost_phone_asks_for_a_fresh_proof_so_that_no_thief_stops_the_others(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = signed_in(server, "volee")
    device = with_passkey(visitor)
    csrf = visitor.csrf()
    monkeypatch.setattr(session_rows, "FRESH_MS", 0)
    refused = visitor.post("/account/lost", csrf=csrf, **{f"lost-{device.id.hex()}": "1"})
    assert refused.status_code == 401
    monkeypatch.undo()
    assert by_passkey(visitor.elsewhere(), device) == 303

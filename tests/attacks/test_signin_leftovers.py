"""A proof that was kept waiting, while its person said that they were hacked or began again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serment.errors import ConflictError, SignInError
from serment.model import Instant
from serment.people.accounts import Account, Exercise, by_login
from serment.people.signing import Proof
from serment.web.entry.signing import ARRIVAL_MS
from tests.doors.served import Served, served
from tests.doors.test_signing import Visitor, joined, people_of, taken
from tests.unit.people.local_people import CHEAP, asking, doctor

NOBODY = "serment.web.entry.signing._nobody"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("kept-waiting")) as running:
        people_of(running).entering.drawer.cost = CHEAP
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def of_two(server: Served, login: str, number: int) -> Visitor:
    """Give somebody with two exercises, who chooses one at each sign-in."""
    hospital = Exercise(
        "2", f"rpps:1{number:010d}", "professional", "hospital-doctor", "10", structure="b", label="CHU"
    )
    return joined(server, login, doctor(number), hospital)


@pytest.mark.capability("4-16", "refuses")
def test_a_thief_who_waits_at_the_choice_of_an_exercise_does_not_come_in_after_i_was_hacked(
    server: Served,
) -> None:
    visitor = of_two(server, "hackee", 71)
    thief = visitor.elsewhere()
    assert thief.sign_in().headers["location"] == "/sign-in/next"
    visitor.sign_in()
    visitor.post("/sign-in/next", exercise="1")
    assert visitor.post("/account/hacked", csrf=visitor.csrf()).status_code == 303
    assert thief.post("/sign-in/next", exercise="1").status_code == 401
    assert thief.browser.get("/account").status_code == 401


def test_a_thief_who_waits_does_not_come_in_after_a_new_invitation_was_taken(server: Served) -> None:
    visitor = of_two(server, "recommencee", 72)
    thief = visitor.elsewhere()
    assert thief.sign_in().headers["location"] == "/sign-in/next"
    again = taken(Visitor(server, server.browser(), visitor.account), "trois loutres dans la neige")
    assert thief.post("/sign-in/next", exercise="1").status_code == 401
    again.used.update(visitor.used)
    assert again.sign_in(password="trois loutres dans la neige").headers["location"] == "/sign-in/next"


def test_what_was_proved_is_not_kept_alive_by_forms_that_are_wrong(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = joined(server, "prolongee", doctor())
    visitor.sign_in()
    visitor.post("/account/hacked", csrf=visitor.csrf())
    assert visitor.sign_in().headers["location"] == "/sign-in/next"
    assert visitor.post("/sign-in/next", password="a", again="b").status_code == 400
    clock = server.house.passage.clock
    late = Instant(clock() + ARRIVAL_MS - 1000)
    monkeypatch.setattr(
        "serment.web.entry.signing._nobody", lambda _request: asking(server.house, late - clock())
    )
    assert visitor.post("/sign-in/next", password="a", again="b").status_code == 400
    later = Instant(clock() + ARRIVAL_MS + 1000)
    monkeypatch.setattr(
        "serment.web.entry.signing._nobody", lambda _request: asking(server.house, later - clock())
    )
    assert visitor.post("/sign-in/next", password="a", again="b").status_code == 401


def test_a_session_that_is_renewed_ends_with_what_ended_meanwhile(server: Served) -> None:
    visitor = joined(server, "renouvelee", doctor())
    people, sessions = people_of(server), server.house.sessions
    now = asking(server.house)
    account = people.accounts.get(now, visitor.account.id)
    proof = Proof(("hwk",), 2, now.now)
    secret = people.signing_in.begin(now, account, "1", proof)
    old, made = sessions.renewed(secret, server.house.passage.clock(), "", ("hwk",))
    people.entering.own.end_all(now, account)
    server.house.passage.store.submit(lambda txn: sessions.keep(txn, made)).result()
    with pytest.raises(SignInError):
        sessions.open(made.secret, server.house.passage.clock())
    assert old != made.token


def test_an_old_proof_is_refused_whatever_way_it_was_made(server: Served) -> None:
    visitor = joined(server, "ancienne-preuve", doctor())
    people, before = people_of(server), asking(server.house)
    people.entering.own.hacked(asking(server.house), visitor.account)
    with pytest.raises(SignInError):
        people.signing_in.begin(asking(server.house), visitor.account, "1", Proof(("mfa",), 2, before.now))


@pytest.mark.parametrize("login", ["RENE\u0301E", " ren\u00e9e ", "\uff52\uff45\uff4e\u00e9e"])
def test_nobody_is_enrolled_under_a_login_that_only_looks_like_another(server: Served, login: str) -> None:
    people, now = people_of(server), asking(server.house)
    if people.accounts.find(now, by_login("ren\u00e9e")) is None:
        people.accounts.add(now, Account("", "Dr A", (doctor(),), "ren\u00e9e"))
    with pytest.raises(ConflictError):
        people.accounts.add(now, Account("", "Dr B", (doctor(),), login))

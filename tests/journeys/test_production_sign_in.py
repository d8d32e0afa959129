"""A production store is entered by its people: no code of a demonstration, an invitation and two factors."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from serment import app
from serment.errors import RefusedError
from serment.model import Purpose
from serment.people.people import People
from serment.server import application
from tests.doors.served import running
from tests.installation import CHEAP as CUSTODY
from tests.installation import PASSPHRASE, chosen_for
from tests.unit.people.local_people import CHEAP, PASSWORD, doctor, with_password


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[app.House]:
    chosen = chosen_for(tmp_path_factory.mktemp("production"))
    custody = app.start_custody(chosen, *CUSTODY)
    opened = app.create(chosen, PASSPHRASE, demo=False)
    try:
        yield opened
    finally:
        opened.close()
        custody.stop()


@pytest.mark.capability("0-06", "lets")
def test_people_of_a_production_store_sign_in_by_themselves(house: app.House) -> None:
    doors = application(lambda: house, list)
    people: People = doors.state.reception.of(house)
    people.entering.drawer.cost = CHEAP
    person = with_password(house, people, "dorval", doctor())
    actor = person.account.exercises[0].actor_named(person.account.name)
    with pytest.raises(RefusedError):
        house.sessions.issue(actor, Purpose.TREAT, house.passage.clock(), once=True)
    with socket.create_server(("127.0.0.1", 0)) as listening, running(doors, listening):
        address = f"http://localhost:{listening.getsockname()[1]}"
        with httpx.Client(base_url=address, headers={"sec-fetch-site": "same-origin"}) as browser:
            assert browser.get("/").headers["location"] == "/sign-in"
            assert "Démonstration" not in browser.get("/sign-in").text
            typed = {"login": "dorval", "password": PASSWORD, "code": person.code(1), "to": "/account"}
            assert browser.post("/sign-in", data=typed).headers["location"] == "/account"
            assert "cette session" in browser.get("/account").text

"""Each person of the demonstration comes in by the sign-in page, over HTTP, and asks what anybody may ask.

`Place` is what `serment demo` serves; `Visit` is somebody who has come in, in one exercise. What a
program asks for them is asked as the very actor that their session made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from joserfc.jwk import ECKey

from serment.demo.enrolled import enrol, let_in, provider_for
from serment.demo.provider import IdentityProvider
from serment.door.browser import DEVICE, SESSION
from serment.model import Actor
from serment.record.entrance.sessions import Session
from tests.doors.served import FHIR, Served, served
from tests.journeys.browser import Browser


@dataclass(slots=True)
class Visit:
    """Somebody who has come in: their browser, and the session that it holds."""

    place: Place
    browser: httpx.Client
    session: Session

    @property
    def actor(self) -> Actor:
        return self.session.actor

    @property
    def home(self) -> str:
        """What a person reads where they arrive."""
        shown = self.browser.get("/home")
        assert shown.status_code == 200, shown.text
        return shown.text

    def form(self, address: str, **fields: str) -> httpx.Response:
        """Send a form of ours."""
        key = re.search(r'name="csrf" value="([^"]+)"', self.home)
        assert key is not None
        return self.browser.post(address, data={"csrf": key[1], **fields})

    def fhir(self, method: str, path: str, **given: object) -> httpx.Response:
        """Ask FHIR as the actor of this session, with its purpose."""
        house = self.place.server.house
        token = house.sessions.issue(self.actor, self.session.purpose, house.passage.clock())
        headers = {"authorization": f"Bearer {token}", "content-type": FHIR}
        client = self.place.server.calling(f"{self.place.server.address}/fhir/", headers)
        return client.request(method, path, **given)  # type: ignore[arg-type]  # what httpx takes


@dataclass(slots=True)
class Place:
    """What `serment demo` serves: the doors, the provider beside them, the key of the laboratory's."""

    server: Served
    provider: IdentityProvider
    key: ECKey
    visits: dict[tuple[str, str], tuple[int, Visit]] = field(default_factory=dict)

    def come_in(self, realm: str, name: str, exercise: int = 0, to: str = "/") -> Visit:
        """Come in by the provider as somebody whose label begins so; the exercise by its place, from 1."""
        browser = self.server.browser()
        assert f"/openid/{realm}?" in browser.get("/sign-in").text
        away = browser.get(f"/openid/{realm}", params={"to": to}).headers["location"]
        visitors = self.provider.realms[realm].visitors
        who = next(one for one in visitors if one.label.startswith(name))
        back = httpx.get(away, params={**httpx.URL(away).params, "as": who.subject}).headers["location"]
        shown = browser.get(back)
        assert shown.status_code == 200, shown.text
        assert ("/openid/choose" in shown.text) == bool(exercise)
        entered = self._chosen(browser, shown.text, exercise) if exercise else browser.get("/openid/go-on")
        assert (entered.status_code, entered.headers["location"]) == (303, to)
        house = self.server.house
        held = browser.cookies[SESSION], browser.cookies[DEVICE]
        return Visit(self, browser, house.sessions.open(held[0], house.passage.clock(), held[1]))

    def known(self, realm: str, name: str, exercise: int = 0) -> Visit:
        """Give the visit of somebody who has come in already in this exercise, or let them come in."""
        chosen, visit = self.visits.get((realm, name), (None, None))
        if visit is None or chosen != exercise:  # one role at a time: the other has ended
            visit = self.come_in(realm, name, exercise)
            self.visits[realm, name] = exercise, visit
        return visit

    def at_sign_in(self, window: Browser, realm: str, name: str, to: str = "/") -> None:
        """Come to the sign-in page in a real browser, choose a provider, and be somebody there."""
        window.open(f"{self.server.address}/sign-in?to={to}")
        window.click(f'a[href^="/openid/{realm}?"]')
        places = [one.label for one in self.provider.realms[realm].visitors]
        place = next(number for number, label in enumerate(places, 1) if label.startswith(name))
        window.click(f"li:nth-child({place}) a")

    def _chosen(self, browser: httpx.Client, shown: str, exercise: int) -> httpx.Response:
        key = re.search(r'name="csrf" value="([^"]+)"', shown)
        offered = re.findall(r'name="exercise" value="([^"]+)"', shown)
        assert key is not None
        return browser.post("/openid/choose", data={"csrf": key[1], "exercise": offered[exercise - 1]})


@contextmanager
def open_place(folder: Path) -> Iterator[Place]:
    """Serve the demonstration, everybody enrolled."""
    with served(folder, 20) as server:
        store = server.installation.store
        with provider_for(server.house.kind, store) as provider:
            people = server.app.state.reception.of(server.app.state.open())
            enrol(store, people, provider, server.address)
            yield Place(server, provider, let_in(store, people))

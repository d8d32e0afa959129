"""The doors of a demo installation behind a real server: a socket bound to port 0, uvicorn in a thread.

Every test speaks HTTP to it as a program or a browser would. `Served.client` signs somebody in.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from serment.demo.store import CARE_PURPOSES
from serment.exits.identity_provider import IdentityProviders
from serment.model import Actor, Purpose
from serment.record.house import House
from serment.server import application
from tests.installation import STORE, Installation, installation

FHIR = "application/fhir+json"


@dataclass(slots=True)
class Served:
    """A running server, the installation behind it, and its address without a slash at the end."""

    installation: Installation
    house: House
    address: str
    app: Starlette
    calls: list[httpx.Client] = field(default_factory=list)

    def token(self, actor: Actor, purpose: Purpose | None = None) -> str:
        """Give a bearer token, with the purpose that stands when a request names none."""
        standing = purpose or CARE_PURPOSES[actor.kind]
        return self.house.sessions.issue(actor, standing, self.house.passage.clock())

    def code(self, actor: Actor, to: str) -> str:
        """Give the address of a link that holds a one-time code."""
        now = self.house.passage.clock()
        code = self.house.sessions.issue(actor, CARE_PURPOSES[actor.kind], now, once=True, to=to)
        return f"{self.address}/enter/{code}"

    def client(self, actor: Actor, **headers: str) -> httpx.Client:
        """Give a client that speaks FHIR as `actor`; its addresses begin at `/fhir/`."""
        sent = {"authorization": f"Bearer {self.token(actor)}", "content-type": FHIR}
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.calling(f"{self.address}/fhir/", {**sent, **spelled})

    def browser(self) -> httpx.Client:
        """Give a client that keeps cookies, as a browser does, and follows no redirection by itself."""
        return self.calling(self.address, {"accept": "text/html"})

    def calling(self, base: str, headers: dict[str, str]) -> httpx.Client:
        """Open a client that `hang_up` closes."""
        client = httpx.Client(base_url=base, headers=headers, timeout=60)
        self.calls.append(client)
        return client

    def hang_up(self) -> None:
        """Close every client."""
        while self.calls:
            self.calls.pop().close()

    def staff(self, role: str, **headers: str) -> httpx.Client:
        """Sign in as a professional, secretary or officer of the cast."""
        return self.client(self.installation.staff(role), **headers)

    def patient(self, role: str = "patient", **headers: str) -> httpx.Client:
        """Sign in as a patient of the cast."""
        return self.client(self.patient_actor(role), **headers)

    def patient_actor(self, role: str = "patient") -> Actor:
        """Give a patient of the cast as somebody who signs in."""
        return self.installation.store.patient_actor(self.installation.patient(role))

    def record(self, role: str = "patient") -> str:
        """Give the id of a patient's record."""
        return self.installation.record(role)


@contextmanager
def served(folder: Path, patients: int = 10, store: str = STORE) -> Iterator[Served]:
    """Make an installation below `folder`, on `store`, and serve it until the end of the block."""
    with (
        installation(folder, patients, store=store) as made,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        address = f"http://localhost:{listening.getsockname()[1]}"
        house = replace(made.house, base=f"{address}/fhir")
        disk = partial(made.store.search_disk, made.settings.directory)
        app = application(lambda: house, disk, line=IdentityProviders())
        with running(app, listening):
            serving = Served(made, house, address, app)
            try:
                yield serving
            finally:
                serving.hang_up()


@contextmanager
def running(app: Starlette, listening: socket.socket) -> Iterator[None]:
    """Run uvicorn as `serment serve` does, on a socket that listens already."""
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(30)


def outcome(answer: httpx.Response) -> dict[str, Any]:
    """Give the one issue of an OperationOutcome; fails when the answer is anything else."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome", body["resourceType"]
    assert len(body["issue"]) == 1
    issue: dict[str, Any] = body["issue"][0]
    return issue


def page_text(answer: httpx.Response) -> str:
    """Give a page without the nonce of its answer, so that two answers can be held against each other."""
    return re.sub(r'nonce="[\w-]+"', 'nonce=""', answer.text)


def sentence(answer: httpx.Response) -> str:
    """Give the id of the sentence that an OperationOutcome says."""
    code: str = outcome(answer)["details"]["coding"][0]["code"]
    return code

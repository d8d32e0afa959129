"""The doors as a program meets them, with a clock of its own and all that happens behind them written down.

`Doors` is the whole application over one house, asked without a socket: routes, tokens, headers, errors are
those of the server. An `Answer` holds what came back and the list of statements, key openings and ledger
appends that it took. Two answers are held against each other by `plain`, which takes away what differs by
nature only: ids made by the server, the number of the request, the head of the whole ledger.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

import httpx

from serment.demo.insi import LocalInsi
from serment.demo.store import CARE_PURPOSES
from serment.model import Actor, Instant
from serment.record.budget import Budget
from serment.record.house import House
from serment.server import application
from tests.attacks.watching import Log, watched

FHIR = "application/fhir+json"
BASE = "http://twins.example/fhir"
UNSPENT = Budget(10**9, 1, "record.too-many-refusals")
"""Being slowed down is not what is compared."""

TICK = 3
"""Milliseconds between two requests: what two of them write is in that order."""

_MADE = re.compile(
    r"[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=_page=)[\w-]+|(?<=_ticket=)[\w-]+"
)
_LEDGER = re.compile(r'"name":"(?:size|root|checkpoint|message)","value\w+":(?:"[^"]*"|\d+)')


@dataclass(frozen=True, slots=True)
class Question:
    """One request; a `body` of text goes as it is, any other as JSON.

    `whole`: what comes is in the order of the ids, which are random; it is compared as a set.
    """

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False

    @property
    def content(self) -> bytes | None:
        if self.body is None:
            return None
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and what it took: statements, openings, appends."""

    status: int
    headers: dict[str, str]
    text: str
    work: Log


class Doors:
    """The application over one house, from one instant, a tick for each request. Use with `async with`."""

    def __init__(self, house: House, now: int) -> None:
        self.now = now
        passage = replace(house.passage, clock=lambda: Instant(self.now), refusals=UNSPENT, searches=UNSPENT)
        self.house, self._log = watched(House.of(passage, house.custody, house.kind, BASE))
        self.house.identifying.service = LocalInsi([])
        app = application(lambda: self.house, lambda: None)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{BASE}/")
        self._stack = AsyncExitStack()
        self._tokens: dict[str, str] = {}

    async def __aenter__(self) -> Doors:
        await self._stack.enter_async_context(self._client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def token(self, actor: Actor) -> str:
        """Sign somebody in, once."""
        if actor.id not in self._tokens:
            now = self.house.passage.clock()
            self._tokens[actor.id] = self.house.sessions.issue(actor, CARE_PURPOSES[actor.kind], now)
        return self._tokens[actor.id]

    async def ask(self, actor: Actor, asked: Question) -> Answer:
        """Ask once, a tick later."""
        self.now += TICK
        sent = {"authorization": f"Bearer {self.token(actor)}", "content-type": FHIR, **asked.headers}
        self._log.clear()
        path = asked.path.removeprefix(f"{BASE}/") or BASE
        answer = await self._client.request(asked.method, path, content=asked.content, headers=sent)
        assert answer.status_code < 500, asked
        return Answer(answer.status_code, dict(answer.headers), answer.text, list(self._log))

    async def walk(self, actor: Actor, asked: Question, most: int = 40) -> list[Answer]:
        """Ask, and follow `next` links, the manifest of an export and its files."""
        answers: list[Answer] = []
        waiting = [asked]
        while waiting and len(answers) < most:
            one = waiting.pop(0)
            answer = await self.ask(actor, one)
            answers.append(answer)
            waiting += [replace(one, path=path) for path in _links(answer)]
        return answers


def _links(answer: Answer) -> list[str]:
    if "content-location" in answer.headers:
        return [answer.headers["content-location"]]
    if not answer.text.startswith("{") or "ndjson" in answer.headers.get("content-type", ""):
        return []
    said = json.loads(answer.text)
    links = [
        one["url"] for one in said.get("link", ()) if isinstance(one, dict) and one["relation"] == "next"
    ]
    return links + [one["url"] for one in said.get("output", ())]


def plain(text: str, names: Mapping[str, str]) -> str:
    """Put the names of the twin in the place of its ids, and a mark of its length for what is made anew."""
    text = _LEDGER.sub("<ledger>", text)
    return _MADE.sub(lambda match: names.get(match[0], f"<{len(match[0])}>"), text)

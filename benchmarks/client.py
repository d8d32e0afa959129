"""A plain HTTP/1.1 client that keeps so many requests in flight: `python -m benchmarks.client`.

The plan on its stdin is JSON: host, port, headers, clients, seconds, and what to ask. `paths` alone are read
in turn. With `own` (items that this client may change: `[reference, version, patient]`) and `template` (an
item as JSON, `@patient` and `@value` filled in), each connection draws from `mix` (else `MIX`): it creates,
reads `paths`, updates and deletes what is its own, so that no two of them change one item. `requests` ends
the run early.

One line of JSON comes out (`Load`). No library: what is measured is the server, and what this process itself
used of the processor is said beside.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any, Protocol, cast

import uvloop

MIX = {"create": 10, "read": 60, "update": 25, "delete": 5}
"""Of a hundred requests."""

GOOD = {"create": b"201", "read": b"200", "update": b"200", "delete": b"200"}


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of the client saw. `p50`, `p99` and the medians `of` each kind in milliseconds.

    `failed` counts the other answers by kind and status; `processor` is what the client itself used, in
    seconds.
    """

    answers: int
    seconds: float
    failed: dict[str, int]
    p50: float
    p99: float
    processor: float
    of: dict[str, float]

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return self.answers / self.seconds


def load(plan: dict[str, Any]) -> Load:
    """Run the client in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.client"],
        input=json.dumps(plan).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=plan["seconds"] + 60,
    )
    return Load(**json.loads(done.stdout))


class Questions(Protocol):
    """What one connection asks."""

    def ask(self) -> tuple[str, bytes]:
        """Give the kind of the next request and its bytes."""
        ...

    def hear(self, head: bytes) -> None:
        """Learn from the head of a good answer."""
        ...


class Reads:
    """Reads of the same paths in turn, shared by all connections."""

    def __init__(self, paths: Iterator[bytes]) -> None:
        self._paths = paths

    def ask(self) -> tuple[str, bytes]:
        return "read", next(self._paths)

    def hear(self, head: bytes) -> None:
        """Learn nothing."""


class Mix:
    """Creates, reads, updates and deletes as `MIX` says, in an order that a seed gives."""

    def __init__(self, plan: dict[str, Any], number: int, paths: Iterator[bytes]) -> None:
        self._reads, self._template, self._start = paths, plan["template"], _start(plan)
        self._mix = plan.get("mix", MIX)
        self._own = [list(one) for one in plan["own"][number :: plan["clients"]]]
        self._patients = cycle(sorted({one[2] for one in plan["own"]}))
        self._dice = random.Random(number)  # noqa: S311 - which request comes next
        self._deck: list[str] = []
        self._held: list[Any] = []
        for _ in range(number):
            next(self._patients)

    def ask(self) -> tuple[str, bytes]:
        if not self._deck:
            self._deck = [kind for kind, times in self._mix.items() for _ in range(times)]
            self._dice.shuffle(self._deck)
        kind, self._held = self._deck.pop(), []
        if kind == "read":
            return kind, next(self._reads)
        if kind == "create" or not self._own:
            self._held = ["", 0, next(self._patients)]
            return "create", self._send("POST", "Observation", self._body())
        self._held = self._own.pop(self._dice.randrange(len(self._own)))
        if kind == "delete":
            reference, self._held = self._held[0], []
            return kind, self._send("DELETE", reference, "")
        return kind, self._send("PUT", self._held[0], self._body(), f'If-Match: W/"{self._held[1]}"\r\n')

    def hear(self, head: bytes) -> None:
        if self._held:
            parts = value_of(head, b"location").decode().rsplit("/", 4)
            if len(parts) == 5:
                self._held[0] = f"{parts[1]}/{parts[2]}"
            self._held[1] += 1
            self._own.append(self._held)

    def _body(self) -> str:
        value, id_ = f"{self._dice.uniform(45, 110):.1f}", self._held[0].partition("/")[2]
        body: str = self._template.replace("@patient", self._held[2]).replace("@value", value)
        return body.replace("{", f'{{"id":"{id_}",', 1) if id_ else body

    def _send(self, method: str, path: str, body: str, more: str = "") -> bytes:
        sent = body.encode()
        said = "Content-Type: application/fhir+json\r\n" if sent else ""
        head = (
            f"{method} /fhir/{path} HTTP/1.1\r\n{self._start}{said}{more}Content-Length: {len(sent)}\r\n\r\n"
        )
        return head.encode() + sent


def value_of(head: bytes, name: bytes) -> bytes:
    """Give the value of one header of an answer, nothing where it does not stand."""
    before, _, _ = head.lower().partition(b"\r\n" + name + b":")
    return head[len(before) + len(name) + 3 :].partition(b"\r\n")[0].strip()


@dataclass(slots=True)
class Run:
    """One run: when it ends, how many requests are left to ask, and the times of the answers by kind."""

    ends: float
    left: float
    times: dict[str, list[float]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)


class Client(asyncio.Protocol):
    """One connection with one request in flight."""

    def __init__(self, run: Run, questions: Questions, closed: asyncio.Future[None]) -> None:
        self.run, self.questions, self.closed = run, questions, closed
        self.pieces: list[bytes] = []
        self.missing = 0
        self.started = 0.0
        self.kind = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is a WriteTransport by behaviour, not by class.
        self.transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self.missing:
            self.missing -= len(data)
        else:
            self.pieces.append(data)
            head, there, body = b"".join(self.pieces).partition(b"\r\n\r\n")
            if not there:
                return
            self.pieces = [head]
            self.missing = int(value_of(head, b"content-length") or 0) - len(body)
        if not self.missing:
            self._answered(self.pieces[0])

    def connection_lost(self, _: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def _answered(self, head: bytes) -> None:
        self.run.times.setdefault(self.kind, []).append(perf_counter() - self.started)
        if head[9:12] == GOOD[self.kind]:
            self.questions.hear(head)
        else:
            self.run.failed[f"{self.kind} {head[9:12].decode()}"] += 1
        self._ask()

    def _ask(self) -> None:
        self.pieces, self.missing, self.started = [], 0, perf_counter()
        if self.started >= self.run.ends or self.run.left < 1:
            self.transport.close()
            return
        self.run.left -= 1
        self.kind, sent = self.questions.ask()
        self.transport.write(sent)


def _start(plan: dict[str, Any]) -> str:
    given = {"Host": "localhost", **plan["headers"]}
    return "".join(f"{name}: {value}\r\n" for name, value in given.items())


async def drive(plan: dict[str, Any]) -> Load:
    """Keep `clients` requests in flight for so many `seconds`."""
    paths = cycle([f"GET {path} HTTP/1.1\r\n{_start(plan)}\r\n".encode() for path in plan["paths"]])
    loop = asyncio.get_running_loop()
    start, used = perf_counter(), process_time()
    run = Run(start + plan["seconds"], plan.get("requests", float("inf")))
    closed = [loop.create_future() for _ in range(plan["clients"])]
    for number, end in enumerate(closed):
        questions = Mix(plan, number, paths) if "own" in plan else Reads(paths)
        await loop.create_connection(partial(Client, run, questions, end), plan["host"], plan["port"])
    await asyncio.gather(*closed)
    return seen(run, perf_counter() - start, process_time() - used)


def seen(run: Run, seconds: float, processor: float) -> Load:
    """Count what came back. Raises `ValueError` when next to nothing did."""
    times = [one for kind in run.times.values() for one in kind]
    if len(times) < 2:
        raise ValueError("the server did not answer")
    p99 = quantiles(times, n=100)[98] * 1e3
    of = {kind: median(taken) * 1e3 for kind, taken in run.times.items()}
    return Load(len(times), seconds, run.failed, median(times) * 1e3, p99, processor, of)


def main() -> None:
    """Read the plan, drive, print what was seen."""
    found = uvloop.run(drive(json.load(sys.stdin)))
    print(json.dumps({name: getattr(found, name) for name in Load.__slots__}))


if __name__ == "__main__":
    main()

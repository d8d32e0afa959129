"""A plain HTTP/1.1 client that keeps so many requests in flight: `python -m benchmarks.client`.

The plan on its stdin is JSON: host, port, headers, paths, clients, seconds. One line of JSON comes out: how
many answers, in how many seconds, how many were not 200, median and 99th percentile in ms. No library: what
is measured is the server.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from statistics import median, quantiles
from time import perf_counter
from typing import Any, cast

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of the client saw. `p50` and `p99` in milliseconds."""

    answers: int
    seconds: float
    failed: int
    p50: float
    p99: float

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
        timeout=plan["seconds"] + 20,
    )
    return Load(**json.loads(done.stdout))


@dataclass(slots=True)
class Run:
    """One run: the requests in turn, the times of the answers."""

    requests: Any
    ends: float
    times: list[float] = field(default_factory=list)
    failed: int = 0


class Client(asyncio.Protocol):
    """One connection with one request in flight."""

    def __init__(self, run: Run, closed: asyncio.Future[None]) -> None:
        self.run, self.closed = run, closed
        self.buffer = b""
        self.wanted = 0
        self.started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is a WriteTransport by behaviour, not by class.
        self.transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.wanted:
            head, there, _ = self.buffer.partition(b"\r\n\r\n")
            if not there:
                return
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self.wanted = len(head) + 4 + int(length)
        if len(self.buffer) >= self.wanted:
            self.run.times.append(perf_counter() - self.started)
            self.run.failed += not self.buffer.startswith(b"HTTP/1.1 200")
            self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def _ask(self) -> None:
        self.buffer, self.wanted, self.started = b"", 0, perf_counter()
        if self.started >= self.run.ends:
            self.transport.close()
        else:
            self.transport.write(next(self.run.requests))


async def drive(plan: dict[str, Any]) -> Load:
    """Keep `clients` requests in flight for so many `seconds`."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in plan["headers"].items())
    requests = [f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode() for path in plan["paths"]]
    loop = asyncio.get_running_loop()
    start = perf_counter()
    run = Run(cycle(requests), start + plan["seconds"])
    closed = [loop.create_future() for _ in range(plan["clients"])]
    for end in closed:
        await loop.create_connection(partial(Client, run, end), plan["host"], plan["port"])
    await asyncio.gather(*closed)
    seconds = perf_counter() - start
    p99 = quantiles(run.times, n=100)[98] * 1e3
    return Load(len(run.times), seconds, run.failed, median(run.times) * 1e3, p99)


def main() -> None:
    """Read the plan, drive, print what was seen."""
    seen = uvloop.run(drive(json.load(sys.stdin)))
    print(json.dumps({name: getattr(seen, name) for name in Load.__slots__}))


if __name__ == "__main__":
    main()

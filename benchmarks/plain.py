"""The same server without its secrets: what the price of secrecy is measured against. For benches only.

`strip` takes out, in this process, the cipher (rows keep their frame and size, nothing is encrypted or
authenticated), the trace (no entry is written, nothing is held against the ledger, no answer waits for
one) and, for reads, the policy (every class is permitted, nothing is worked out). What stays: the routes,
the session's row, the record row with its facts, the packs, the search values, custody and its
unwrapping. A store so made is readable to everybody and cannot be opened by the product: no row of it
carries a valid tag.

`python -m benchmarks.plain plain|secret` makes a store, measures on it and prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

import uvloop

from benchmarks import bench_http, bench_writes, quickly
from benchmarks.installation import SQLITE, Installation, installation
from benchmarks.serving import PLAIN
from serment.access.decide import PERMIT_MS
from serment.keys import envelope
from serment.keys.envelope import Bound, SubKey
from serment.ledger.append import Ledger
from serment.ledger.entry import Decision
from serment.model import Act, Instant, ItemClass, Permit, Receipt
from serment.record import gate, passage, trace, tracing

PATIENTS = quickly(20, 10)


def _encrypt(_key: SubKey, _nonce: bytes, plain: bytes, _aad: bytes) -> bytes:
    return plain + os.urandom(envelope.TAG_SIZE)


def _decrypt(_key: SubKey, _nonce: bytes, sealed: bytes, _aad: bytes) -> bytes:
    return sealed[: -envelope.TAG_SIZE]


def _nowhere(_place: Bound) -> bytes:
    return b""


class Nameless:
    """What stands for an entry of the trace: only what `openings.open` compares."""

    decision = Decision.PERMIT

    def __init__(self, view: gate.View) -> None:
        self.event = self.trail = self
        self.request, self.record = view.asking.request, view.record


def _receipts(entries: Sequence[Any]) -> list[Receipt]:
    return [Receipt(one.event.request, one.trail.record, None, b"") for one in entries]


def _placed(_: object, entries: Sequence[Any], _alone: object) -> asyncio.Future[list[Receipt]]:
    future: asyncio.Future[list[Receipt]] = asyncio.get_running_loop().create_future()
    future.set_result(_receipts(entries))
    return future


def _unnamed(_: object, view: gate.View, *_args: Any) -> list[Any]:
    return [Nameless(view)]


def _permit(view: gate.View, unit: ItemClass, act: Act, **_: bool) -> Permit:
    asking = view.asking
    return Permit("plain", act, view.record, unit, asking.request, Instant(asking.now + PERMIT_MS))


def _nothing(*_: Any, **__: Any) -> None:
    return None


def strip(*, policy: bool = True) -> None:
    """Take cipher, trace and, unless told otherwise, policy out of this process. There is no way back."""
    replaced: list[tuple[Any, str, Any]] = [
        (SubKey, "encrypt", _encrypt),
        (SubKey, "decrypt", _decrypt),
        (envelope.Coordinates, "aad", _nowhere),
        (Ledger, "append", lambda _, __, entries: _receipts(entries)),
        (tracing.Traces, "place", _placed),
        (trace, "of_access", _unnamed),
        (passage, "standing", _nothing),
        (passage, "agree", _nothing),
    ]
    if policy:
        replaced.append((gate.View, "decide", _permit))
    for owner, name, made in replaced:
        if not hasattr(owner, name):
            raise AttributeError(f"{owner}: {name} is no more what this bench takes out")
        setattr(owner, name, made)


async def _readable(made: Installation) -> list[str]:
    return await bench_http.readable(made)


def measured(kind: str) -> dict[str, float]:
    """Measure reads over HTTP and writes of whole records: rates, and processor time of the server (µs)."""
    with installation(PATIENTS) as made:
        references = uvloop.run(_readable(made))
        rows = {
            row.name: row.value
            for row in bench_http.over_http(made, references, SQLITE, (1,), (16,), mixed=False)
        }
        writes = [bench_writes.written(made, 100 + run, 8) for run in range(bench_writes.RUNS)]
    name = bench_http.named("reads", SQLITE, 1, 16)
    return {
        "reads": rows[name],
        "processor": rows[f"{name}: processor"],
        "writes": median(one.rate for one in writes),
        "write processor": median(one.processor for one in writes),
        "plain": float(kind == "plain"),
    }


def main(kind: str) -> None:
    """Measure one way. `plain` strips this process, and tells the server to strip itself."""
    if kind == "plain":
        os.environ[PLAIN] = "1"
        strip(policy=False)  # what a population is made of rests on rules: who may record a choice, who acts
    print(json.dumps(measured(kind)))


if __name__ == "__main__":
    main(*sys.argv[1:])

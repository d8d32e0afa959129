"""A house whose store, keys and ledger write down what is asked of them: statements, openings, appends.

The proxies pass every call on; they keep the name of the call and the shape of what it was given, never
the identifiers, which differ by nature. Two requests that a thief must not tell apart leave equal lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from serment.keys.record_keys import RecordKeys
from serment.ledger.append import Ledger
from serment.model import Instant, RecordToken, RequestId
from serment.record.glances import Glanced
from serment.record.house import House
from serment.record.passage import Keyring
from serment.store.contract import EntryRow, Store, Transaction

Log = list[str]


class _Watched:
    """Pass every call on to `under`, and write its name and the shape of what it was given."""

    def __init__(self, under: Any, log: Log) -> None:
        self._under, self._log = under, log

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._under, name)
        if not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:
            self._log.append(f"{name}({', '.join(_shape(one) for one in (*given, *named.values()))})")
            return found(*given, **named)

        return call


class _WatchedStore(_Watched):
    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        self._log.append("snapshot")
        with self._under.snapshot() as snapshot:
            yield _Watched(snapshot, self._log)

    def scan(self, job: Callable[[Any], Any]) -> Future[Any]:
        self._log.append("scan")
        done: Future[Any] = self._under.scan(lambda seen: job(_Watched(seen, self._log)))
        return done

    def submit(self, job: Callable[[Transaction], Any]) -> Future[Any]:
        def watched(txn: Transaction) -> Any:
            return job(cast("Transaction", _Watched(txn, self._log)))

        self._log.append("submit")
        submitted: Future[Any] = self._under.submit(watched)
        return submitted


class _WatchedKeys(_Watched):
    """Every opening and every seal asks for a subkey."""


class _WatchedKeyring(Keyring):
    def __init__(self, under: Keyring, log: Log) -> None:
        super().__init__(under.custody)
        self._under, self._log = under, log
        self.glances = under.glances

    def held(self, record: RecordToken, epoch: int, now: Instant) -> RecordKeys | None:
        keys = self._under.held(record, epoch, now)
        return None if keys is None else cast("RecordKeys", _WatchedKeys(keys, self._log))

    def of(self, record: RecordToken, epoch: int, request: RequestId, now: Instant) -> RecordKeys:
        if self._under.held(record, epoch, now) is None:
            self._log.append("unwrap")
        keys = self._under.of(record, epoch, request, now)
        return cast("RecordKeys", _WatchedKeys(keys, self._log))

    def begin(self, request: RequestId) -> None:
        self._under.begin(request)

    def asked(self, request: RequestId) -> bool:
        return self._under.asked(request)

    def ask(self, record: RecordToken, request: RequestId, now: Instant, *, counted: bool = True) -> None:
        self._log.append("unwrap" if counted else "state")
        self._under.ask(record, request, now, counted=counted)

    def keep(self, glanced: Glanced) -> None:
        self._under.keep(glanced)

    def hold(self, record: RecordToken, epoch: int, now: Instant, keys: RecordKeys) -> None:
        self._under.hold(record, epoch, now, getattr(keys, "_under", keys))


def watched(house: House) -> tuple[House, Log]:
    """Give the same installation with everything behind its doors written down."""
    log: Log = []
    passage = replace(
        house.passage,
        store=cast("Store", _WatchedStore(house.passage.store, log)),
        keyring=_WatchedKeyring(house.passage.keyring, log),
        ledger=cast("Ledger[EntryRow]", _Watched(house.passage.ledger, log)),
    )
    return House.of(passage, house.custody, house.kind, house.base), log


def _shape(value: Any) -> str:
    """Say what kind of thing was given, never which."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{len(value)}]"
    return type(value).__name__

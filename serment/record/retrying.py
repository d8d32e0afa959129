"""Retries that do not write twice (draft-ietf-httpapi-idempotency-key-header-07).

What a request with a key wrote is kept beside it, in the same transaction, for a day: whoever did not hear
the answer asks again with the same key, and is told the same ids and versions. Nothing is written then, and
nothing is opened, so nothing is traced. What was refused wrote nothing and is asked anew.

The row is found by a keyed hash of the author and the key, so that nobody meets the key of another; it is
sealed, with a digest of the request. It says no more than its author was told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final, TypeVar, cast

import msgspec

from serment.errors import ConflictError, KeyReusedError
from serment.model import Instant
from serment.record.asking import Asking, Retry
from serment.record.passage import Passage
from serment.record.write import Written
from serment.store.contract import Snapshot, Transaction

T = TypeVar("T")

HOUR_MS: Final = 3600 * 1000
KEPT_HOURS: Final = 24
"""How long a retry is known as one."""
SWEPT: Final = 4
"""Rows that are over that one write with a key drops: more than it adds."""


class _Row(msgspec.Struct, array_like=True, frozen=True):
    """What is sealed: the request's digest and hour, what it wrote by place; `alone`: that is one item.

    `suspected` are the places of people who may have been registered twice, `waiting` the proposals made.
    """

    digest: bytes
    hour: int
    alone: bool
    made: dict[int, tuple[str, str, int, int, bool]]
    suspected: tuple[int, ...] = ()
    waiting: dict[int, str] = {}


class DoneError(Exception):
    """The request was done already; `outcome` is what it gave. Undoes what its retry has begun."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        super().__init__()


class Retrying:
    """Requests with a key, one at a time for each key."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._under_way: set[bytes] = set()
        self._lock = Lock()

    async def once(self, asking: Asking, act: Callable[[], Awaitable[T]]) -> T:
        """Do `act`, or give what it gave the first time.

        Raises `ConflictError` while the first time lasts, `KeyReusedError` for another request.
        """
        with self.alone(asking):
            done = done_before(self._passage, asking)
            return await act() if done is None else cast("T", done)

    @contextmanager
    def alone(self, asking: Asking) -> Iterator[None]:
        """Keep a second request with the same key out for as long as this lasts. Raises `ConflictError`.

        Those of other processes are told apart in the transaction, where the second finds the first.
        """
        if asking.retry is None:
            yield
            return
        token = asking.retry.token
        with self._lock:
            if token in self._under_way:
                raise ConflictError("record.retry-in-flight")
            self._under_way.add(token)
        try:
            yield
        finally:
            self._under_way.discard(token)


def done_before(passage: Passage, asking: Asking) -> Any:
    """Give what a request gave the first time, None when this is the first. Raises `KeyReusedError`."""
    if asking.retry is None:
        return None
    try:
        with passage.store.snapshot() as snapshot:
            check(passage, snapshot, asking)
    except DoneError as done:
        return done.outcome
    return None


def check(passage: Passage, snapshot: Snapshot, asking: Asking) -> None:
    """Raise `DoneError` when the request was done already, `KeyReusedError` when its key did another."""
    if asking.retry is None:
        return
    row = _kept(passage, snapshot, asking.retry, asking.now)
    if row is None:
        return
    if row.digest != asking.retry.digest:
        raise KeyReusedError("record.retry-reused")
    made = {
        place: Written(*one, suspected=place in row.suspected, waiting=row.waiting.get(place, ""))
        for place, one in row.made.items()
    }
    raise DoneError(made[0] if row.alone else made)


def is_known(passage: Passage, asking: Asking) -> bool:
    """Say whether the key of a request has written something, whatever it was."""
    if asking.retry is None:
        return False
    with passage.store.snapshot() as snapshot:
        return _kept(passage, snapshot, asking.retry, asking.now) is not None


def keep(passage: Passage, txn: Transaction, asking: Asking, outcome: object) -> None:
    """Keep what a request with a key has written: one item, or items by the place of their entry."""
    if asking.retry is None:
        return
    alone = isinstance(outcome, Written)
    made = cast("dict[int, Written]", {0: outcome} if alone else outcome)
    token, hour = asking.retry.token, _hour(asking.now)
    flat = {place: (one.type, one.id, one.version, one.updated, one.created) for place, one in made.items()}
    suspected = tuple(place for place, one in made.items() if one.suspected)
    waiting = {place: one.waiting for place, one in made.items() if one.waiting}
    row = _Row(asking.retry.digest, hour, alone, flat, suspected, waiting)
    for old in txn.old_retries(hour - KEPT_HOURS, SWEPT):
        txn.drop_retry(old)
    txn.put_retry(token, hour, passage.installation.seal_retry(token, msgspec.msgpack.encode(row)))


def _kept(passage: Passage, snapshot: Snapshot, retry: Retry, now: Instant) -> _Row | None:
    sealed = snapshot.retry(retry.token)
    if sealed is None:
        return None
    row = msgspec.msgpack.decode(passage.installation.open_retry(retry.token, sealed), type=_Row)
    return row if row.hour >= _hour(now) - KEPT_HOURS else None


def _hour(now: Instant) -> int:
    return now // HOUR_MS

"""How often something was tried, for every process and over a restart: small sealed counts that are swept.

A count stands beside the marks of retried requests, found by a keyed hash of its name and dropped a day after
its last change. What a count means is its owner's to say; nothing of a record is ever in one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from serment.model import Instant
from serment.record.passage import Passage
from serment.record.retrying import HOUR_MS, KEPT_HOURS, SWEPT
from serment.store.contract import Transaction

_AUTHOR: Final = "~tries"
"""Stands where a retry has its author: no actor is named so."""

Count = tuple[int, int]
"""How many times, and the instant (ms) until which the next time waits."""

NOTHING: Final[Count] = (0, 0)


class Tries:
    """The counts of one installation. Calls may come from any thread."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    def counted(self, names: Sequence[str], now: Instant, next_: Callable[[int, Count], Count]) -> None:
        """Count one try under several names in one transaction.

        `next_` takes the place of a name and what stands, and gives what shall stand; it may raise: nothing
        is counted then.
        """
        tokens = [self._passage.installation.retry_token(_AUTHOR, name) for name in names]

        def job(txn: Transaction) -> None:
            after = [next_(place, self._stands(txn, token)) for place, token in enumerate(tokens)]
            hour = now // HOUR_MS
            for old in txn.old_retries(hour - KEPT_HOURS, SWEPT):
                txn.drop_retry(old)
            for token, count in zip(tokens, after, strict=True):
                plain = msgspec.msgpack.encode(count)
                txn.put_retry(token, hour, self._passage.installation.seal_retry(token, plain))

        self._passage.store.submit(job).result()

    def _stands(self, txn: Transaction, token: bytes) -> Count:
        sealed = txn.retry(token)
        if sealed is None:
            return NOTHING
        plain = self._passage.installation.open_retry(token, sealed)
        tries, until = msgspec.msgpack.decode(plain, type=tuple[int, int])
        return tries, until

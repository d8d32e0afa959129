"""Heads and facts that are kept opened beside the keys of their record (ADR 25).

What is kept says something for exactly the sealed bytes that a request has read in its own snapshot: other
bytes are opened anew, and the ledger is asked as ever. It never outlives the keys. Nothing of a pack or a
body is kept, and no decision.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from serment.access.record_facts import RecordFacts
from serment.model import RecordToken
from serment.record.index import Head
from serment.store.contract import RecordRow

MOST_BYTES: Final = 8 * 1024 * 1024
"""Sealed bytes of what is kept, at most: opened it takes some six times as much."""


@dataclass(frozen=True, slots=True)
class Glanced:
    """Head and facts as one row of a record holds them."""

    row: RecordRow
    head: Head = field(repr=False)
    facts: RecordFacts = field(repr=False)

    @property
    def size(self) -> int:
        """Give the sealed bytes."""
        return len(self.row.head) + len(self.row.facts)


class Glances:
    """What was opened lately, the record looked at longest ago goes first. Calls may come from any thread."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[RecordToken, Glanced] = OrderedDict()
        self._lock = Lock()

    def of(self, row: RecordRow) -> Glanced | None:
        """Give what a row says when these very bytes, under this epoch, were opened before."""
        with self._lock:
            kept = self._kept.get(row.record)
            if kept is None or kept.row != row:
                return None
            self._kept.move_to_end(row.record)
            return kept

    def keep(self, glanced: Glanced) -> None:
        """Keep what was just opened, as far as there is room."""
        with self._lock:
            self._forget(glanced.row.record)
            self._kept[glanced.row.record] = glanced
            self._size += glanced.size
            while self._size > self._most:
                self._forget(next(iter(self._kept)))

    def drop(self, record: RecordToken) -> None:
        """Keep nothing of a record: its keys are going."""
        with self._lock:
            self._forget(record)

    def _forget(self, record: RecordToken) -> None:
        gone = self._kept.pop(record, None)
        self._size -= 0 if gone is None else gone.size

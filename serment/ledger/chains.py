"""The three chains of a record, and the one sealed row that says where they stand.

Every record has an ordinary, a protected and a deferred chain from its birth. All three carry the
same yearly token and the same kinds: which chain an entry belongs to is inside its sealed body, so
that nobody without the key sees whether a record keeps a secret. Each chain counts its own entries
(`count`) and each entry names the commitment of the one before it, so that a reader of one chain
sees no gap, and a gap is a missing entry.

Order: which chain, where it stands, the row's bytes. Nothing here reads a row or opens a key.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from hashlib import sha256

import msgspec

from serment.errors import LedgerError

_VERSION = 1
_ROW = struct.Struct(">B Q32sQ Q32sQ Q32sQ 32sQ 16s")
NOTHING = bytes(32)
TOKEN_SIZE = 16
CHAIN_ROW_SIZE = _ROW.size


class Chain(StrEnum):
    """Who may follow the entry: everybody who may read the trace, or fewer."""

    ORDINARY = "ordinary"
    PROTECTED = "protected"
    DEFERRED = "deferred"


def chain_of(
    *,
    timer_running: bool = False,
    minor_secret: bool = False,
    abuse_report: bool = False,
    study: bool = False,
) -> Chain:
    """Say which chain the trace of an item goes to (HOUSE section 5, Ledger).

    Under an announcement timer: deferred, whatever else holds. Under a minor's secret, an abuse
    report or a study: protected. All else: ordinary.
    """
    if timer_running:
        return Chain.DEFERRED
    if minor_secret or abuse_report or study:
        return Chain.PROTECTED
    return Chain.ORDINARY


class Link(msgspec.Struct, frozen=True):
    """The end of one chain: entries so far, commitment of the last, its sequence in the ledger."""

    count: int = 0
    commitment: bytes = NOTHING
    sequence: int = 0


class HeadMark(msgspec.Struct, frozen=True):
    """What the record's row must look like: hash of its sealed head, and the epoch in it."""

    hash: bytes
    epoch: int


NO_HEAD = HeadMark(NOTHING, 0)


def head_hash(sealed_head: bytes) -> bytes:
    """Hash the sealed head of a record, for the entry and the chain row of the write that made it."""
    return sha256(b"serment/head/1" + sealed_head).digest()


class ChainState(msgspec.Struct, frozen=True):
    """Where the three chains of one record stand, and the mark of its current head.

    `token` is the yearly token of the newest entry: with the current year's it finds a later entry
    when the row was put back over the turn of a year.
    """

    ordinary: Link = Link()
    protected: Link = Link()
    deferred: Link = Link()
    head: HeadMark = NO_HEAD
    token: bytes = bytes(TOKEN_SIZE)

    def __repr__(self) -> str:
        return f"ChainState({self.ordinary}, {self.protected}, {self.deferred})"

    def link(self, chain: Chain) -> Link:
        """Give the end of one chain."""
        if chain is Chain.ORDINARY:
            return self.ordinary
        return self.protected if chain is Chain.PROTECTED else self.deferred

    def newest(self) -> Link:
        """Give the end that stands furthest in the ledger."""
        return max((self.ordinary, self.protected, self.deferred), key=lambda link: link.sequence)

    def moved(self, chain: Chain, link: Link, token: bytes, head: HeadMark | None = None) -> ChainState:
        """Give the state after one entry of `chain` under `token`; a write moves the head too."""
        return ChainState(
            link if chain is Chain.ORDINARY else self.ordinary,
            link if chain is Chain.PROTECTED else self.protected,
            link if chain is Chain.DEFERRED else self.deferred,
            head or self.head,
            token,
        )

    def to_bytes(self) -> bytes:
        """Write the row: the same number of bytes for every record, whatever happened to it.

        Raises `LedgerError` for a token or a head hash of another length.
        """
        if len(self.token) != TOKEN_SIZE or len(self.head.hash) != len(NOTHING):
            raise LedgerError("ledger.chain-row-unreadable")
        one, two, three, head = self.ordinary, self.protected, self.deferred, self.head
        return _ROW.pack(
            _VERSION,
            *(one.count, one.commitment, one.sequence),
            *(two.count, two.commitment, two.sequence),
            *(three.count, three.commitment, three.sequence),
            *(head.hash, head.epoch),
            self.token,
        )


def state_from(row: bytes) -> ChainState:
    """Read a row that `to_bytes` wrote. Raises `LedgerError` on any other length or version."""
    if len(row) != CHAIN_ROW_SIZE or row[0] != _VERSION:
        raise LedgerError("ledger.chain-row-unreadable")
    _, *parts = _ROW.unpack(row)
    one, two, three = Link(*parts[0:3]), Link(*parts[3:6]), Link(*parts[6:9])
    return ChainState(one, two, three, HeadMark(*parts[9:11]), parts[11])


def chain_row_data(record: bytes) -> bytes:
    """Associated data of the sealed row: a row moved to another record does not open."""
    return b"serment/chain/1" + record

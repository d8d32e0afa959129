"""A person's own list with what proves it, to be checked elsewhere, later, without the server.

Each line comes with its canonical body and its audit path (RFC 9162 section 2.1.3) to the root that a signed
checkpoint names. Who holds the file and the key of the log sees whether a line was altered or never stood in
the signed tree, and whether a chain has a gap. What nobody wrote, and what is newer than the checkpoint, no
file can tell. Order: audit paths of a whole tree, the file, its check. Pure.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.errors import LedgerError
from serment.ledger import checkpoint
from serment.ledger.chains import NOTHING, Chain
from serment.ledger.checkpoint import LogKey
from serment.ledger.entry import Body, body_bytes, body_from, commitment_of, entry_leaf
from serment.ledger.tree import node_hash, verify_inclusion

FORMAT: Final = "serment-list/1"


class Paths:
    """The audit paths of a tree: its complete subtrees are hashed once, 2n hashes in all."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            self._levels.append([node_hash(left, right) for left, right in pairs])

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0])

    def of(self, index: int) -> list[bytes]:
        """Give the path of one leaf, its sibling first. Raises `IndexError` for a leaf that is not there."""
        if not 0 <= index < self.size:
            raise IndexError("no such leaf")
        path: list[bytes] = []
        start, stop = 0, self.size
        while stop - start > 1:
            middle = start + _split(stop - start)
            if index < middle:
                path.append(self.root(middle, stop))
                stop = middle
            else:
                path.append(self.root(start, middle))
                start = middle
        return path[::-1]

    def root(self, start: int, stop: int) -> bytes:
        """Hash the leaves from `start` to `stop`, a subtree of the tree (RFC 9162 section 2.1.1)."""
        width = stop - start
        level = width.bit_length() - 1
        if width == 1 << level:
            return self._levels[level][start >> level]
        middle = start + _split(width)
        return node_hash(self.root(start, middle), self.root(middle, stop))


def _split(width: int) -> int:
    """Give the greatest power of two below a width."""
    return 1 << ((width - 1).bit_length() - 1)


class Proved(msgspec.Struct, frozen=True):
    """One line of the file: its place in the ledger (from 1), its kind, its body, its path (base64)."""

    sequence: int
    kind: int
    body: str
    path: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Proved({self.sequence})"


class Evidence(msgspec.Struct, frozen=True):
    """The file: the signed note (C2SP tlog-checkpoint), the key of the log (base64), the lines."""

    format: str
    origin: str
    key: str
    checkpoint: str
    entries: tuple[Proved, ...]

    def __repr__(self) -> str:
        return f"Evidence({len(self.entries)})"


@dataclass(frozen=True, slots=True)
class Held:
    """What a check found whole: how many lines, the size of the signed tree, its root."""

    entries: int
    size: int
    root: bytes = field(repr=False)


def evidence(key: LogKey, note: bytes, entries: Iterable[tuple[int, Body, Sequence[bytes]]]) -> bytes:
    """Write the file of some entries: sequence, body and path of each, in the order of the ledger."""
    lines = tuple(
        Proved(sequence, body.event.kind, body_bytes(body).decode(), tuple(_text(one) for one in path))
        for sequence, body, path in entries
    )
    made = Evidence(FORMAT, key.name, _text(key.public_key), note.decode(), lines)
    return msgspec.json.format(msgspec.json.encode(made), indent=1)


def hold(raw: bytes, key: bytes = b"") -> Held:
    """Check a file. `key` is the public key that the reader trusts, b"" to take the one that the file names.

    Raises `LedgerError`: no such file, another key, a signature, a line or a chain that does not hold.
    """
    said = _read(raw)
    known = LogKey(said.origin, _bytes(said.key))
    if key and known.public_key != key:
        raise LedgerError("ledger.checkpoint-signature")
    signed = checkpoint.verify(said.checkpoint.encode(), known)
    ends: dict[Chain, tuple[int, bytes]] = {}
    for one in sorted(said.entries, key=lambda line: line.sequence):
        _follows(ends, _line(one, signed.size, signed.root))
    return Held(len(said.entries), signed.size, signed.root)


def _line(one: Proved, size: int, root: bytes) -> Body:
    """Check one line against the root. Raises `LedgerError`."""
    body = body_from(one.body.encode())
    leaf = entry_leaf(one.kind, commitment_of(one.body.encode()))
    path = [_bytes(part) for part in one.path]
    if one.kind != body.event.kind or not verify_inclusion(leaf, one.sequence - 1, size, path, root):
        raise LedgerError("ledger.trace-altered")
    return body


def _follows(ends: dict[Chain, tuple[int, bytes]], body: Body) -> None:
    """Hold one entry against the one before it in its chain. Raises `LedgerError` for a gap."""
    count, commitment = ends.get(body.chain, (0, NOTHING))
    if (body.p_seq, body.p_prev) != (count + 1, commitment):
        raise LedgerError("ledger.trace-incomplete")
    ends[body.chain] = (body.p_seq, commitment_of(body_bytes(body)))


def _read(raw: bytes) -> Evidence:
    try:
        said = msgspec.json.decode(raw, type=Evidence)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise LedgerError("ledger.evidence-unreadable") from None
    if said.format != FORMAT:
        raise LedgerError("ledger.evidence-unreadable")
    return said


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise LedgerError("ledger.evidence-unreadable") from None

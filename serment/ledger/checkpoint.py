"""The signed head of the tree, in the formats of C2SP: tlog-checkpoint inside signed-note, Ed25519.

    serment.example/ledger            origin: names this log; the key's name is the same
    20852163                          number of leaves
    CsUYapGGPo4dkMgIAUqom/Xajj7h…     root, base64
                                      (blank line)
    — serment.example/ledger Az3g…    em dash, name, base64(key id ‖ signature)

Order: the note, the checkpoint in it, when one is due, the tree that the process keeps. Custody
holds the private key and signs through `Signer`; nothing here does. What is wrong raises
`LedgerError`: a checkpoint that does not verify is never a smaller kind of checkpoint.

Places left: cosignatures of witnesses are further signature lines (`SignedNote.signatures` keeps
them all, and a line of an unknown key is ignored as the specification asks); tiles are read from the
same leaves that `Growing` takes; the map of the records' heads becomes the last leaf of a daily
checkpoint.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from serment.errors import LedgerError
from serment.ledger.entry import entry_leaf
from serment.ledger.port import CheckpointRows, Rows
from serment.ledger.tree import HASH_SIZE, Frontier
from serment.model import Instant

EVERY_MS = 1_000
EVERY_ENTRIES = 1_000
_ED25519 = b"\x01"
_MOST_SIGNATURES = 32
_MOST_BYTES = 262_144
_DASH = "— "


@dataclass(frozen=True, slots=True)
class LogKey:
    """The public half of a log's key: its name in notes, and 32 bytes of Ed25519 (RFC 8032)."""

    name: str
    public_key: bytes

    @property
    def id(self) -> bytes:
        """Key id of signed-note: the first 4 bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ key)."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:4]


class Signer(Protocol):
    """Whoever holds the log's private key (custody). `sign` gives 64 bytes over the note's text."""

    @property
    def name(self) -> str: ...
    @property
    def public_key(self) -> bytes: ...
    def sign(self, body: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note taken apart; nothing of it is to be believed before `verify`."""

    body: bytes
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Remembered:
    """A tree head kept outside the database: in custody's file, in the spool's header."""

    size: int
    root: bytes


def body(origin: str, size: int, root: bytes) -> bytes:
    """Write the text that is signed (tlog-checkpoint).

    Raises `LedgerError` on a name, size or root that the format forbids.
    """
    if not _is_name(origin) or size < 0 or len(root) != HASH_SIZE:
        raise LedgerError("ledger.checkpoint-unreadable")
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()


def note(text: bytes, key: LogKey, signature: bytes) -> bytes:
    """Join a text and one signature of it into a signed note."""
    line = base64.b64encode(key.id + signature).decode()
    return text + f"\n{_DASH}{key.name} {line}\n".encode()


def signed(origin: str, size: int, root: bytes, signer: Signer) -> bytes:
    """Make a signed checkpoint."""
    text = body(origin, size, root)
    return note(text, LogKey(signer.name, signer.public_key), signer.sign(text))


def parse_note(raw: bytes) -> SignedNote:
    """Take a signed note apart. Raises `LedgerError` for anything that signed-note does not allow."""
    try:
        text = raw.decode("utf-8") if len(raw) <= _MOST_BYTES else ""
    except UnicodeDecodeError:
        text = ""
    head, blank, tail = text.rpartition("\n\n")
    lines = tail.removesuffix("\n").split("\n")
    if not blank or not tail.endswith("\n") or len(lines) > _MOST_SIGNATURES or _has_control(text):
        raise LedgerError("ledger.checkpoint-unreadable")
    return SignedNote((head + "\n").encode(), tuple(_signature(line) for line in lines))


def parse(text: bytes) -> Checkpoint:
    """Read the three lines of a checkpoint; extension lines are opaque. Raises `LedgerError`."""
    lines = text.decode("utf-8").split("\n")
    if len(lines) < 4 or lines.pop() != "" or "" in lines:
        raise LedgerError("ledger.checkpoint-unreadable")
    origin, size, root = lines[:3]
    if not (size.isascii() and size.isdigit() and len(size) < 20 and str(int(size)) == size):
        raise LedgerError("ledger.checkpoint-unreadable")
    hash_ = _base64(root)
    if len(hash_) != HASH_SIZE:
        raise LedgerError("ledger.checkpoint-unreadable")
    return Checkpoint(origin, int(size), hash_)


def verify(raw: bytes, key: LogKey) -> Checkpoint:
    """Check a signed checkpoint against the key of its log and read it.

    Raises `LedgerError` when the note or checkpoint is malformed, when no line is of `key`, when one
    of them does not verify, or when the origin is not the key's name.
    """
    parsed = parse_note(raw)
    ours = [line for line in parsed.signatures if (line.name, line.key_id) == (key.name, key.id)]
    if not ours or not all(_verifies(key, line.signature, parsed.body) for line in ours):
        raise LedgerError("ledger.checkpoint-signature")
    checkpoint = parse(parsed.body)
    if checkpoint.origin != key.name:
        raise LedgerError("ledger.checkpoint-signature")
    return checkpoint


def due(size: int, last_size: int, now: Instant, last_time: Instant) -> bool:
    """Say whether a checkpoint is due: something new, and a second or 1 000 entries since the last.

    A clock that went backwards counts as a second.
    """
    if size <= last_size:
        return False
    return size - last_size >= EVERY_ENTRIES or not 0 <= now - last_time < EVERY_MS


class Growing:
    """The tree of one process, brought up to date from committed rows.

    Give it snapshots only, never a transaction that may still be undone. Rows that another process
    appended are met on the way. One thread at a time.
    """

    def __init__(self) -> None:
        """Begin with the empty tree: the first `catch_up` reads every row once."""
        self._frontier = Frontier()
        self._last = b""

    def catch_up(self, rows: Rows, remembered: Sequence[Remembered] = ()) -> tuple[int, bytes]:
        """Take in what was committed since, and give (size, root).

        Give what is `remembered` at start: a database that is behind it, or other, is not served.
        Raises `LedgerError` then, and when rows that were counted are no longer there: a ledger that
        was cut or put back while the process ran.
        """
        size = rows.ledger_size()
        if any(head.size > size for head in remembered):
            raise LedgerError("ledger.behind")
        self._still_there(rows)
        frontier, last = self._frontier.copy(), self._last
        sizes = {head.size for head in remembered}
        for place, entry in enumerate(rows.ledger_entries(frontier.size + 1, size + 1), frontier.size + 1):
            if entry.sequence != place:
                raise LedgerError("ledger.rows-changed")
            frontier.append([entry_leaf(entry.kind, entry.commitment)])
            last = entry.commitment
            if place in sizes and {head.root for head in remembered if head.size == place} != {
                frontier.root()
            }:
                raise LedgerError("ledger.behind")
        if frontier.size != size:
            raise LedgerError("ledger.rows-changed")
        self._frontier, self._last = frontier, last
        return size, frontier.root()

    def _still_there(self, rows: Rows) -> None:
        """Check that the last row that was counted is the one that stands in its place."""
        done = self._frontier.size
        row = next(rows.ledger_entries(done, done + 1), None) if done else None
        if done and (row is None or row.commitment != self._last):
            raise LedgerError("ledger.rows-changed")


def keep(rows: CheckpointRows, size: int, root: bytes, raw: bytes) -> bool:
    """Store a checkpoint unless a later one stands there already (another process made it)."""
    stored = rows.checkpoint()
    if stored is not None and stored[0] >= size:
        return False
    rows.put_checkpoint(size, root, raw)
    return True


def _verifies(key: LogKey, signature: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, text)
    except InvalidSignature:
        return False
    return True


def _signature(line: str) -> Signature:
    fields: Sequence[str] = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(fields) != 2 or not _is_name(fields[0]):
        raise LedgerError("ledger.checkpoint-unreadable")
    value = _base64(fields[1])
    if len(value) < 5:
        raise LedgerError("ledger.checkpoint-unreadable")
    return Signature(fields[0], value[:4], value[4:])


def _base64(text: str) -> bytes:
    """Decode RFC 4648 section 4, refusing the second spellings that a lax decoder takes."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if not value or base64.b64encode(value).decode() != text:
        raise LedgerError("ledger.checkpoint-unreadable")
    return value


def _is_name(name: str) -> bool:
    return name != "" and "+" not in name and not any(c.isspace() for c in name) and not _has_control(name)


def _has_control(text: str) -> bool:
    return any(character < " " and character != "\n" for character in text)

"""A ledger's rows in memory and keys that really seal: what the port asks for, to be looked at and harmed."""

import hashlib
import hmac
import random
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from serment.errors import IntegrityError
from serment.ledger.append import Ledger, Trail
from serment.ledger.chains import HeadMark
from serment.ledger.entry import Event, Interaction
from serment.model import RecordToken
from serment.store.contract import EntryRow

NOON = 1_790_000_000_000


class MemoryRows:
    """Ledger rows in lists and dictionaries that a test may change at will."""

    def __init__(self) -> None:
        self.entries: list[EntryRow] = []
        self.chains: dict[bytes, bytes] = {}
        self.checkpoints: list[tuple[int, bytes, bytes]] = []
        self.metas: dict[str, bytes] = {}
        self.places: dict[bytes, list[int]] = {}

    def ledger_size(self) -> int:
        return self.entries[-1].sequence if self.entries else 0

    def ledger_entries(self, start: int, stop: int) -> Iterator[EntryRow]:
        return iter(self.entries[max(start, 1) - 1 : stop - 1])

    def entries_of(self, token: bytes) -> Iterator[EntryRow]:
        return (self.entries[place] for place in self.places.get(token, []))

    def entries_before(self, token: bytes, before: int, limit: int) -> list[EntryRow]:
        below = [row for row in self.entries_of(token) if row.sequence < before]
        return below[::-1][:limit]

    def last_of(self, token: bytes) -> tuple[int, bytes] | None:
        places = self.places.get(token)
        last = self.entries[places[-1]] if places else None
        return (last.sequence, last.commitment) if last else None

    def chain(self, token: bytes) -> bytes | None:
        return self.chains.get(token)

    def chain_end(self, row: bytes, token: bytes) -> tuple[bytes | None, tuple[int, bytes] | None]:
        return self.chain(row), self.last_of(token)

    def checkpoint(self) -> tuple[int, bytes, bytes] | None:
        return self.checkpoints[-1] if self.checkpoints else None

    def meta(self, name: str) -> bytes | None:
        return self.metas.get(name)

    def put_meta(self, name: str, value: bytes) -> None:
        self.metas[name] = value

    def add_entries(self, rows: Sequence[EntryRow]) -> None:
        for row in rows:
            self.places.setdefault(row.token, []).append(len(self.entries))
            self.entries.append(row)

    def put_chain(self, token: bytes, sealed: bytes) -> None:
        self.chains[token] = sealed

    def put_checkpoint(self, size: int, root: bytes, note: bytes) -> None:
        self.checkpoints.append((size, root, note))

    def copy(self) -> "MemoryRows":
        """Give rows that can be harmed apart."""
        other = MemoryRows()
        other.entries, other.chains = list(self.entries), dict(self.chains)
        other.checkpoints, other.metas = list(self.checkpoints), dict(self.metas)
        other.index()
        return other

    def index(self) -> None:
        """Find rows by token again, after they were changed by hand."""
        self.places = {}
        for place, row in enumerate(self.entries):
            self.places.setdefault(row.token, []).append(place)


@dataclass
class Key:
    """One AES-256-GCM key with a name of 16 bytes."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    tokens: dict[str, bytes] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._cipher = AESGCM(self.secret)
        self.id = hashlib.sha256(b"id" + self.secret).digest()[:16]

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher.encrypt(nonce, plain, aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], aad)
        except (InvalidTag, ValueError):
            raise IntegrityError("ledger.body-unreadable") from None


class MemoryYearKey(Key):
    """The year key of one record."""

    def token(self, label: str) -> bytes:
        if label not in self.tokens:
            self.tokens[label] = hmac.digest(self.secret, label.encode(), "sha256")[:16]
        return self.tokens[label]


class MemoryTrailKey(Key):
    """The chain row key of one record."""

    def token(self) -> bytes:
        return hmac.digest(self.secret, b"trail", "sha256")[:16]


class MemorySigner:
    """A log key as custody would hold it."""

    def __init__(self, name: str = "serment.example/ledger") -> None:
        self.name = name
        self._key = Ed25519PrivateKey.generate()
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, body: bytes) -> bytes:
        return self._key.sign(body)


def new_trail() -> Trail:
    """Give the keys of a new record."""
    return Trail(RecordToken(secrets.token_bytes(16)), MemoryTrailKey(), MemoryYearKey())


def ledger() -> Ledger[EntryRow]:
    return Ledger(EntryRow)


def read_event(number: int = 1, t: int = NOON) -> Event:
    """A doctor of the team reads one observation."""
    return Event(
        t=t,
        request=f"act-{number}",
        interaction=Interaction.READ,
        actor="rpps:10001234567",
        actor_name="Dr Martin",
        function="associate",
        purpose="TREAT",
        rule="own.care-team",
        resources=(f"Observation/{number}/_history/1",),
        count=1,
    )


def birth_event(t: int = NOON) -> Event:
    return Event(t=t, request="act-0", interaction=Interaction.BIRTH, actor="staff:7", rule="own.create")


def mark(number: int, epoch: int = 1) -> HeadMark:
    return HeadMark(hashlib.sha256(str(number).encode()).digest(), epoch)


def die(seed: int) -> random.Random:
    """A die that falls alike each time, so that a failure can be seen again."""
    return random.Random(seed)  # noqa: S311 - it harms bytes in a test, it keeps no secret

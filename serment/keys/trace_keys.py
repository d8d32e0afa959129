"""The keys of a record's trace: beside its content keys, never under them.

A trace outlives the content that it speaks of: when the content keys are destroyed the ledger years
stay until their own retention ends (HOUSE promise 10). `YearKey` and `TrailKey` open traces and chain
states only; their keys and associated data are of other domains than those of rows, so neither opens
a row of the record. They are the `YearKey` and `TrailKey` protocols that `ledger` asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from serment.keys.derive import TokenKey, derive
from serment.keys.envelope import SubKey, length_prefixed, seal, unseal
from serment.keys.material import TraceMaterial, YearMaterial
from serment.model import RecordToken


@dataclass(frozen=True, slots=True)
class _Associated:
    """A domain, and the associated data that the ledger gave."""

    domain: bytes
    given: bytes

    def aad(self) -> bytes:
        return length_prefixed(self.domain, self.given)


class YearKey:
    """The ledger key of one record and year. `id` (16 bytes) stands in clear beside each entry."""

    __slots__ = ("_seal", "_seen", "_tokens", "id", "year")

    def __init__(self, record: RecordToken, material: YearMaterial) -> None:
        self.year = material.year
        self.id = material.id
        self._seal = SubKey(derive(material.key, "ledger/body", record))
        self._tokens = TokenKey(derive(material.key, "ledger/token", record))
        self._seen: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return "YearKey(…)"

    def __reduce__(self) -> NoReturn:
        """Refuse: a key is never pickled or copied."""
        raise TypeError("a key is not pickled")

    def token(self, label: str) -> bytes:
        """Give the token of one chain of this record for this year (16 bytes); it dies with the key."""
        # Asked for several times by every trace; the token stands in clear beside each entry.
        token = self._seen.get(label)
        if token is None:
            token = self._seen[label] = self._tokens.token(label)
        return token

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        """Seal one entry body."""
        return seal(self._seal, _Associated(b"serment/trace/1", aad), plain)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Open one entry body. Raises `IntegrityError`."""
        return unseal(self._seal, _Associated(b"serment/trace/1", aad), sealed)


class TrailKey:
    """The key of a record's chain state: the one sealed row that says where its three chains end."""

    __slots__ = ("_seal", "_token", "record", "store")

    def __init__(self, store: bytes, record: RecordToken, trail: bytes) -> None:
        self.store = store
        self.record = record
        self._seal = SubKey(derive(trail, "chain/state", record))
        self._token = TokenKey(derive(trail, "chain/token", record)).token("state")

    def __repr__(self) -> str:
        return "TrailKey(…)"

    def __reduce__(self) -> NoReturn:
        """Refuse: a key is never pickled or copied."""
        raise TypeError("a key is not pickled")

    def token(self) -> bytes:
        """Give the token that names the chain row (16 bytes)."""
        return self._token

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        """Seal the chain state."""
        return seal(self._seal, _Associated(b"serment/chain/1", aad), plain)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Open the chain state. Raises `IntegrityError`."""
        return unseal(self._seal, _Associated(b"serment/chain/1", aad), sealed)


class TraceKeys:
    """Everything that opens the trace of one record: its trail key and its years, by key id."""

    __slots__ = ("record", "trail", "years")

    def __init__(self, material: TraceMaterial) -> None:
        self.record = material.record
        self.trail = TrailKey(material.store, material.record, material.trail)
        self.years = {year.id: YearKey(material.record, year) for year in material.years}

    def __repr__(self) -> str:
        return "TraceKeys(…)"

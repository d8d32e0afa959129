"""Wrapped keys: what the key file holds, sealed under the root key.

    secret  one of the installation's secrets (32), the signing key (32), the checkpoint remembered
    roots   identity root (32) | care root (32) | kind of the record
    trail   trail key (32), whether the content was destroyed, the id of each ledger year
    year    ledger key (32), bound to its id

A wrap is an envelope under a key derived from the root key, bound to the store, the record, what is
wrapped and the generation of the root key: moved to another record, or taken from another
installation's key file, it does not open. The trail says which rows must stand beside it, so that a
row deleted by hand is neither taken for an erasure nor made again. Writing happens inside the
caller's transaction.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import msgspec

from serment.errors import IntegrityError
from serment.keys.custody.keyfile import KeyFile
from serment.keys.derive import derive
from serment.keys.envelope import KEY_SIZE, NO_RECORD, Coordinates, RowKind, SubKey, seal, unseal
from serment.keys.material import RecordKind, YearMaterial
from serment.model import RecordToken

GENERATION = 1
"""The generation of the root key that wraps; rotation (backup work) will make the next ones."""


@dataclass(frozen=True, slots=True)
class Roots:
    """The content roots of one record."""

    kind: RecordKind
    generation: int
    identity: bytes = field(repr=False)
    care: bytes = field(repr=False)


class Trail(msgspec.Struct, frozen=True, array_like=True):
    """What outlives the content of a record: the trail key, and what must stand beside it."""

    key: bytes
    destroyed: bool
    years: dict[int, bytes]

    def __repr__(self) -> str:
        return "Trail(…)"


class Wraps:
    """The key file seen through the root key."""

    __slots__ = ("_file", "_key", "store")

    def __init__(self, file: KeyFile, store: bytes, root: bytes) -> None:
        self.store = store
        self._file = file
        self._key = SubKey(derive(root, "wrap", store))

    def __repr__(self) -> str:
        return "Wraps(…)"

    def put_secret(self, name: str, plain: bytes) -> None:
        """Wrap one secret of the installation."""
        self._file.put_secret(name, GENERATION, self._seal(NO_RECORD, "secret", name, plain))

    def secret(self, name: str) -> bytes | None:
        """Give one secret of the installation, None when there is none. Raises `IntegrityError`."""
        wrap = self._file.secret(name)
        return None if wrap is None else self._unseal(NO_RECORD, "secret", name, wrap)

    def put_roots(self, record: RecordToken, kind: RecordKind, hour: int) -> Roots:
        """Make and wrap the content roots of a new record."""
        roots = Roots(kind, GENERATION, os.urandom(KEY_SIZE), os.urandom(KEY_SIZE))
        plain = roots.identity + roots.care + kind.encode()
        self._file.put_record(record, hour, GENERATION, self._seal(record, "roots", "", plain))
        return roots

    def roots(self, record: RecordToken) -> Roots | None:
        """Give the content roots of a record, None when they are destroyed or were never made."""
        wrap = self._file.record(record)
        if wrap is None:
            return None
        plain = self._unseal(record, "roots", "", wrap)
        identity, care, kind = plain[:KEY_SIZE], plain[KEY_SIZE : 2 * KEY_SIZE], plain[2 * KEY_SIZE :]
        return Roots(RecordKind(kind.decode()), wrap[0], identity, care)

    def put_trail(self, record: RecordToken, trail: Trail) -> None:
        """Wrap the trail of a record, in place of the one before."""
        plain = msgspec.msgpack.encode(trail)
        self._file.put_trail(record, GENERATION, self._seal(record, "trail", "", plain))

    def trail(self, record: RecordToken) -> Trail:
        """Give the trail of a record. Raises `IntegrityError` when it was never made."""
        wrap = self._file.trail(record)
        if wrap is None:
            raise IntegrityError("custody.unknown-record")
        return msgspec.msgpack.decode(self._unseal(record, "trail", "", wrap), type=Trail)

    def add_year(self, record: RecordToken, trail: Trail, year: int) -> YearMaterial:
        """Make the ledger key of a year that the trail does not list yet; wrap both."""
        made = YearMaterial(year, os.urandom(16), os.urandom(KEY_SIZE))
        self.put_trail(record, msgspec.structs.replace(trail, years={**trail.years, year: made.id}))
        sealed = self._seal(record, "year", f"{year}/{made.id.hex()}", made.key)
        self._file.put_year(record, year, GENERATION, sealed)
        return made

    def year(self, record: RecordToken, trail: Trail, year: int) -> YearMaterial:
        """Give the ledger key of a listed year. Raises `IntegrityError` when it is not there."""
        wrap, id_ = self._file.year(record, year), trail.years[year]
        if wrap is None:
            raise IntegrityError("custody.unknown-record")
        return YearMaterial(year, id_, self._unseal(record, "year", f"{year}/{id_.hex()}", wrap))

    def _seal(self, record: RecordToken, what: str, name: str, plain: bytes) -> bytes:
        return seal(self._key, self._at(record, what, name, GENERATION), plain, least=0)

    def _unseal(self, record: RecordToken, what: str, name: str, wrap: tuple[int, bytes]) -> bytes:
        generation, sealed = wrap
        return unseal(self._key, self._at(record, what, name, generation), sealed)

    def _at(self, record: RecordToken, what: str, name: str, generation: int) -> Coordinates:
        return Coordinates(self.store, record, RowKind.WRAP, what, name, generation)

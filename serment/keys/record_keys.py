"""The keys of one record, and sealing under them.

Two roots stand in custody for each record: `identity` (rows of the categories identity and contact)
and `care` (everything else, head and facts included). HKDF gives one subkey for each use; a use
never shares its key with another, so a body never opens as a pack.

    care      head · facts · index · body · blob · token
    identity  index · body · blob · token

Opening is not here: `openings` asks for the permit and the receipt.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import NoReturn

import msgspec

from serment.keys.derive import TokenKey, derive
from serment.keys.envelope import Coordinates, RowKind, SubKey, seal
from serment.keys.material import RecordKind, Unwrapped
from serment.keys.trace_keys import TrailKey, YearKey
from serment.model import Category, ItemClass, RecordToken

IDENTITY_CATEGORIES = frozenset({Category.IDENTITY, Category.CONTACT})

_USES = {
    RowKind.HEAD: "head",
    RowKind.FACTS: "facts",
    RowKind.PACK: "index",
    RowKind.BODY: "body",
    RowKind.CHUNK: "blob",
    RowKind.QUARANTINE: "body",
}


@lru_cache(maxsize=1024)
def class_digest(unit: ItemClass) -> str:
    """Name a class for a pack's coordinates: a pack opens as the class it was sealed for, or not at all."""
    fields = [
        unit.category,
        unit.document_type,
        list(unit.labels),
        unit.author,
        unit.masked,
        unit.timer_end,
    ]
    return sha256(msgspec.json.encode(fields)).hexdigest()[:32]


class RecordKeys:
    """Every key of one record. Subkeys are derived at first use and kept with the object."""

    __slots__ = (
        "_care",
        "_identity",
        "_subkeys",
        "_tokens",
        "generation",
        "kind",
        "record",
        "store",
        "trail",
        "year",
    )

    def __init__(self, unwrapped: Unwrapped) -> None:
        self.store = unwrapped.store
        self.record: RecordToken = unwrapped.record
        self.kind: RecordKind = unwrapped.kind
        self.generation = unwrapped.generation
        self.trail = TrailKey(unwrapped.store, unwrapped.record, unwrapped.trail)
        self.year = YearKey(unwrapped.record, unwrapped.year)
        self._identity = unwrapped.identity
        self._care = unwrapped.care
        self._subkeys: dict[tuple[bool, str], SubKey] = {}
        self._tokens: TokenKey | None = None

    def __repr__(self) -> str:
        return "RecordKeys(…)"

    def __reduce__(self) -> NoReturn:
        """Refuse: keys are never pickled or copied."""
        raise TypeError("keys are not pickled")

    # Coordinates: the same function names a row when it is sealed and when it is opened.

    def head_at(self, epoch: int) -> Coordinates:
        """Place the head. The clear epoch beside it is bound: changed by hand, the head does not open."""
        return Coordinates(self.store, self.record, RowKind.HEAD, version=epoch)

    def facts_at(self, epoch: int) -> Coordinates:
        """Place the facts row. Facts are resealed whenever the epoch moves."""
        return Coordinates(self.store, self.record, RowKind.FACTS, version=epoch)

    def pack_at(self, number: int, unit: ItemClass) -> Coordinates:
        """Place pack `number`, bound to its class."""
        return Coordinates(self.store, self.record, RowKind.PACK, id=class_digest(unit), version=number)

    def page_at(self, number: int, unit: ItemClass) -> Coordinates:
        """Place page `number`: a row that lists packs, bound to their class as they are."""
        return Coordinates(self.store, self.record, RowKind.PACK, "page", class_digest(unit), number)

    def body_at(self, type_: str, id_: str, version: int, part: str = "") -> Coordinates:
        """Place the body of one version. `part` is "" or "contact" (the cut half of a Patient)."""
        named = f"{type_}#{part}" if part else type_
        return Coordinates(self.store, self.record, RowKind.BODY, named, id_, version)

    def chunk_at(self, blob: bytes, index: int, *, last: bool) -> Coordinates:
        """Place chunk `index` (from 0) of a blob; the last one says so, so that none can be cut off."""
        return Coordinates(
            self.store, self.record, RowKind.CHUNK, "last" if last else "more", blob.hex(), index
        )

    def quarantine_at(self, source: str) -> Coordinates:
        """Place one quarantined item; `source` names it for ever (row numbers come after sealing)."""
        return Coordinates(self.store, self.record, RowKind.QUARANTINE, id=source)

    # Sealing: for the writer.

    def seal_head(self, epoch: int, plain: bytes) -> bytes:
        """Seal the head of the record."""
        return self._seal(self.head_at(epoch), None, plain)

    def seal_facts(self, epoch: int, plain: bytes) -> bytes:
        """Seal the facts of the record."""
        return self._seal(self.facts_at(epoch), None, plain)

    def seal_pack(self, number: int, unit: ItemClass, plain: bytes) -> bytes:
        """Seal one pack of index entries, all of class `unit`."""
        return self._seal(self.pack_at(number, unit), unit.category, plain)

    def seal_page(self, number: int, unit: ItemClass, plain: bytes) -> bytes:
        """Seal one page, that lists packs of class `unit`."""
        return self._seal(self.page_at(number, unit), unit.category, plain)

    def seal_body(
        self, category: Category, type_: str, id_: str, version: int, plain: bytes, part: str = ""
    ) -> bytes:
        """Seal the body of one version of one resource."""
        return self._seal(self.body_at(type_, id_, version, part), category, plain)

    def seal_chunk(self, category: Category, blob: bytes, index: int, plain: bytes, *, last: bool) -> bytes:
        """Seal one chunk of a blob (a PDF, an image)."""
        return self._seal(self.chunk_at(blob, index, last=last), category, plain)

    def seal_quarantine(self, source: str, plain: bytes) -> bytes:
        """Seal one quarantined item under the record that keeps the quarantine."""
        return self._seal(self.quarantine_at(source), None, plain)

    def token(self, label: str, value: str) -> bytes:
        """Give a search token that means something inside this record only (16 bytes)."""
        if self._tokens is None:
            self._tokens = TokenKey(derive(self._care, "token", self.record))
        return self._tokens.token(label, value)

    def subkey(self, kind: RowKind, category: Category | None) -> SubKey:
        """Choose the subkey of a row: by kind the use, by category the root. Called by `openings` too."""
        use = _USES[kind]
        under_identity = category in IDENTITY_CATEGORIES
        key = self._subkeys.get((under_identity, use))
        if key is None:
            root = self._identity if under_identity else self._care
            key = self._subkeys[under_identity, use] = SubKey(derive(root, use, self.record))
        return key

    def _seal(self, at: Coordinates, category: Category | None, plain: bytes) -> bytes:
        return seal(self.subkey(at.kind, category), at, plain)

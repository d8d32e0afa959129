"""The three openings: every place where stored data become readable (HOUSE promise 1).

    glance   head and facts; with a permit for its class, an index pack
    check    says whether a row is whole, and gives nothing back
    open     a body or a chunk, with a permit and a receipt

`glance` is called by `record/gate` only, `open` by the gate and the streams of blobs only, `check`
by scrubs and drills (and by `pack_check`, which walks down from a pack the same way: nothing comes
back); a test on the syntax tree holds the call sites. There is no fourth way and no switch. A row that
is not the one that its head, pack or manifest listed (another tag) is refused before it is opened.

A refusal here is a defect of the caller, never an answer for a person: the decision was taken before.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import NamedTuple

from serment.errors import IntegrityError, RefusedError
from serment.keys.envelope import Coordinates, RowKind, tag_of, unseal
from serment.keys.record_keys import RecordKeys, class_digest
from serment.model import Act, Category, Instant, ItemClass, Permit, Receipt

_OPENED = frozenset({RowKind.BODY, RowKind.CHUNK, RowKind.QUARANTINE})
_UNLISTED = frozenset({RowKind.HEAD, RowKind.QUARANTINE})
_READING = frozenset({Act.READ, Act.PRINT})


class SealedRow(NamedTuple):
    """One row as the store gave it, with what its parent says of it.

    `unit` is the class that the head or the entry gives (none for head and facts), `tag` the AEAD
    tag that the head, the pack or the manifest lists (none for the head itself, which is the root).
    """

    at: Coordinates
    sealed: bytes
    unit: ItemClass | None = None
    tag: bytes | None = None

    def __repr__(self) -> str:
        return f"SealedRow({self.at!r})"


@dataclass(frozen=True, slots=True)
class Glanced:
    """What a glance saw. Stays inside the gate; leaves only in an answer that has its receipts."""

    value: bytes = field(repr=False)


def glance(keys: RecordKeys, row: SealedRow, permit: Permit | None = None) -> Glanced:
    """Open a head or the facts, or a pack with a permit for its record and class.

    Raises `RefusedError` (a body, no permit, a permit for something else) and `IntegrityError`.
    """
    if row.at.kind is RowKind.PACK:
        if permit is None:
            raise RefusedError("keys.permit-missing")
        _same_record_and_class(permit, row)
    elif row.at.kind not in {RowKind.HEAD, RowKind.FACTS}:
        raise RefusedError("keys.wrong-opening")
    return Glanced(unsealed(keys, row))


def check(keys: RecordKeys, row: SealedRow) -> bool:
    """Say whether the row is whole, in its place and the one listed. Gives nothing of it back."""
    try:
        unsealed(keys, row)
    except IntegrityError:
        return False
    return True


def open(keys: RecordKeys, permit: Permit, receipt: Receipt, row: SealedRow, now: Instant) -> bytes:  # noqa: A001 - the field's word
    """Open one body or chunk, after the decision and after its durable trace.

    Raises `RefusedError` when the permit is not for this act, record, class, request or time, or
    the receipt not for this record and request; `IntegrityError` when the row is not what was written.
    """
    if row.at.kind not in _OPENED:
        raise RefusedError("keys.wrong-opening")
    if permit.act not in _READING:
        raise RefusedError("keys.permit-act")
    _same_record_and_class(permit, row)
    if receipt.record != permit.record:
        raise RefusedError("keys.receipt-record")
    if receipt.request != permit.request:
        raise RefusedError("keys.receipt-request")
    if now >= permit.until:
        raise RefusedError("keys.permit-expired")
    return unsealed(keys, row)


def _same_record_and_class(permit: Permit, row: SealedRow) -> None:
    if permit.record != row.at.record:
        raise RefusedError("keys.permit-record")
    if row.unit is None or (permit.unit is not row.unit and permit.unit != row.unit):
        raise RefusedError("keys.permit-class")


def unsealed(keys: RecordKeys, row: SealedRow) -> bytes:
    """Open a row for the openings of this room: never called from outside `keys`. Raises `IntegrityError`."""
    if row.at.record != keys.record or row.at.store != keys.store:
        raise IntegrityError("keys.wrong-key")
    if row.at.kind is RowKind.PACK and (row.unit is None or row.at.id != class_digest(row.unit)):
        raise IntegrityError("keys.other-class")
    _is_the_listed_one(row)
    return unseal(keys.subkey(row.at.kind, _category(row)), row.at, row.sealed)


def _is_the_listed_one(row: SealedRow) -> None:
    if row.tag is None:
        if row.at.kind not in _UNLISTED:
            raise IntegrityError("keys.unlisted")
    elif not hmac.compare_digest(row.tag, tag_of(row.sealed)):
        raise IntegrityError("keys.other-tag")


def _category(row: SealedRow) -> Category | None:
    # A quarantined item has a class for its permit, but nobody knows yet whose it is: always the care root.
    return None if row.unit is None or row.at.kind is RowKind.QUARANTINE else row.unit.category

"""Plain values for the tests of keys: two records with fixed keys, a class, a permit, a receipt."""

from __future__ import annotations

from dataclasses import replace

from serment.keys.material import RecordKind, Secrets, TraceMaterial, Unwrapped, YearMaterial
from serment.keys.record_keys import RecordKeys
from serment.model import Act, ActorId, Category, Instant, ItemClass, Permit, Receipt, RecordToken, RequestId

STORE = b"store-id-16bytes"
ALICE = RecordToken(b"A" * 16)
BRUNO = RecordToken(b"B" * 16)
LABS = ItemClass(Category.LABS, "Observation", ("N",), ActorId("rpps:10000000001"))
CONTACT = ItemClass(Category.CONTACT, "Patient")
NOW = Instant(1_800_000_000_000)
REQUEST = RequestId("act-1")


def material(record: RecordToken, seed: int) -> Unwrapped:
    def key(use: int) -> bytes:
        return bytes([seed, use]) * 16

    return Unwrapped(
        STORE, record, RecordKind.PATIENT, 1, key(1), key(2), key(3), YearMaterial(2026, key(4)[:16], key(5))
    )


def trace_material(record: RecordToken, seed: int) -> TraceMaterial:
    whole = material(record, seed)
    return TraceMaterial(
        STORE, record, whole.trail, (whole.year, replace(whole.year, year=2027, id=b"7" * 16))
    )


def secrets(seed: int = 9) -> Secrets:
    return Secrets(STORE, *[bytes([seed, use]) * 16 for use in range(6)])


def alice() -> RecordKeys:
    return RecordKeys(material(ALICE, 1))


def bruno() -> RecordKeys:
    return RecordKeys(material(BRUNO, 2))


def permit(act: Act = Act.READ, unit: ItemClass = LABS, record: RecordToken = ALICE) -> Permit:
    return Permit("test", act, record, unit, REQUEST, Instant(NOW + 1000))


def receipt(record: RecordToken = ALICE, request: RequestId = REQUEST) -> Receipt:
    return Receipt(request, record, 0, b"c" * 32)

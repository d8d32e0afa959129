"""One patient's keys open one patient's rows (capability 1-07): every row of every other record is tried."""

from __future__ import annotations

import pytest

from serment.errors import IntegrityError
from serment.keys.envelope import RowKind, unseal
from serment.keys.record_keys import RecordKeys
from serment.model import Category, RecordToken, RequestId
from serment.record.passage import year_of
from tests.attacks.sql import Thief
from tests.installation import Installation

STATEMENTS = {
    RowKind.HEAD: "SELECT record, head FROM record",
    RowKind.FACTS: "SELECT record, facts FROM record",
    RowKind.PACK: "SELECT record, sealed FROM pack",
    RowKind.BODY: "SELECT record, sealed FROM body",
    RowKind.CHUNK: "SELECT record, sealed FROM chunk",
}


@pytest.fixture(scope="module")
def house(practice: Installation) -> Installation:
    return practice


def keys_of(house: Installation, role: str) -> RecordKeys:
    """Take the keys of one record, as somebody who got hold of them would."""
    passage = house.house.passage
    with passage.store.snapshot() as snapshot:
        record = passage.resolve(snapshot, f"Patient/{house.record(role)}")[0].record
    now = passage.clock()
    return RecordKeys(passage.keyring.custody.unwrap(record, RequestId("a thief"), year_of(now)))


def rows(house: Installation, kind: RowKind) -> list[tuple[RecordToken, bytes]]:
    """Read every sealed row of one kind, of every record."""
    thief = Thief(house)
    found = [(RecordToken(bytes(record)), bytes(sealed)) for record, sealed in thief.rows(STATEMENTS[kind])]
    thief.close()
    return found


@pytest.mark.capability("1-07", "refuses")
@pytest.mark.parametrize("kind", list(STATEMENTS))
def test_the_keys_of_one_patient_open_no_row_of_another(house: Installation, kind: RowKind) -> None:
    keys = keys_of(house, "patient")
    tried = 0
    for record, sealed in rows(house, kind):
        if record == keys.record:
            continue
        for epoch in (1, 2, 3):
            for category in (Category.IDENTITY, Category.LABS):
                with pytest.raises(IntegrityError):
                    unseal(keys.subkey(kind, category), keys.head_at(epoch), sealed)
                tried += 1
    assert tried > 0 or kind is RowKind.CHUNK


@pytest.mark.capability("1-07", "lets")
def test_they_do_open_that_patient_s_own(house: Installation) -> None:
    """The trial can succeed: with the keys of a record, its head opens."""
    keys = keys_of(house, "patient")
    (sealed,) = [sealed for record, sealed in rows(house, RowKind.HEAD) if record == keys.record]
    passage = house.house.passage
    with passage.store.snapshot() as snapshot:
        epoch = snapshot.epoch(keys.record)
    assert epoch is not None
    assert unseal(keys.subkey(RowKind.HEAD, None), keys.head_at(epoch), sealed)


@pytest.mark.capability("1-07", "refuses")
def test_identity_and_care_do_not_open_each_other(house: Installation) -> None:
    """Addresses and care stand under two keys of one patient."""
    keys = keys_of(house, "patient")
    names = {keys.subkey(RowKind.BODY, category) for category in (Category.IDENTITY, Category.LABS)}
    assert len(names) == 2

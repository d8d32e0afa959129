"""An older state put back: a version, a record, a chain, the whole file. Nothing of it is served."""

# ruff: noqa: S608 - tables of the test's own table

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from serment import app
from serment.errors import IntegrityError, LedgerError
from serment.fhir import document
from serment.record import incoming
from tests.attacks.sql import Thief, found, items, kept, read_all, stopped
from tests.installation import Installation, run


@pytest.fixture
def made(untouched: Installation) -> Installation:
    return untouched


def change(made: Installation, turn: int = 1) -> str:
    """Write a new version of an observation of the patient as the doctor of the visit; give its reference."""
    item = next(item for item in items(made) if item.startswith("Observation/"))
    type_, _, id_ = item.partition("/")
    doctor = made.store.asking(made.patient().attending.actor())
    served = run(made.house.reading.read(doctor, type_, id_))
    body = json.loads(served.body)
    body["note"] = [{"text": f"revu {turn}"}]
    ready = incoming.of(document.read(json.dumps(body).encode()))
    run(made.house.writing.update(doctor, ready, id_, served.version))
    return item


STATE = {
    "record": ("record", "head", "facts", "epoch"),
    "pack": ("number", "record", "sealed"),
    "locator": ("token", "record", "pack"),
    "body": ("number", "record", "sealed"),
}


def test_a_record_put_back_whole_is_refused_at_its_first_reading(made: Installation, thief: Thief) -> None:
    """Head, facts, packs, bodies and locators of one record, all as they were before the last write."""
    record = thief.record()
    old = {table: thief.saved(table, "record = ?", record) for table in STATE}
    before = read_all(made)
    item = change(made)
    for table, rows in old.items():
        thief.rows(f"DELETE FROM {table} WHERE record = ?", record)
        thief.put(table, rows)
    served = read_all(made)
    assert "LedgerError" in served.values() or "IntegrityError" in served.values()
    assert served[item] != before[item]
    assert not any(isinstance(body, bytes) for body in served.values())
    assert found(made)


def test_a_record_put_back_with_its_chain_is_refused_by_the_ledger(made: Installation, thief: Thief) -> None:
    record = thief.record()
    chains = thief.saved("chain")
    old = {table: thief.saved(table, "record = ?", record) for table in STATE}
    change(made)
    for table, rows in old.items():
        thief.rows(f"DELETE FROM {table} WHERE record = ?", record)
        thief.put(table, rows)
    thief.put("chain", chains)
    assert not any(isinstance(body, bytes) for body in read_all(made).values())
    assert found(made)


def test_an_item_put_back_to_its_version_before_is_found(made: Installation, thief: Thief) -> None:
    """Only the pack and the body: the head lists another tag."""
    record = thief.record()
    packs = thief.saved("pack", "record = ?", record)
    change(made)
    before = read_all(made)
    now = {row[0]: row for row in thief.saved("pack", "record = ?", record)}
    for number, owner, sealed in packs:
        if number in now and now[number][2] != sealed:
            thief.put("pack", [(number, owner, sealed)])
    thief.put("pack", [row for row in packs if row[0] not in now])
    newest = max(now)
    thief.rows("UPDATE pack SET sealed = ? WHERE number = ?", packs[-1][2], newest)
    stopped(made, before)
    assert found(made)


def test_a_chain_row_put_back_closes_the_record(made: Installation, thief: Thief) -> None:
    old = thief.saved("chain")
    before = read_all(made)
    thief.put("chain", old)
    assert not any(isinstance(body, bytes) for body in read_all(made).values())
    assert found(made)
    assert before


def test_a_choice_put_back_does_not_unmask(made: Installation, thief: Thief) -> None:
    """The facts before a mask, with their epoch and head: the ledger knows a later head."""
    item = next(item for item in items(made) if item.startswith("Observation/"))
    old = thief.saved("record", "record = ?", thief.record())
    run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    thief.put("record", old)
    assert not any(isinstance(body, bytes) for body in read_all(made).values())
    assert found(made)


# The whole file.


def put_back(made: Installation, act: Callable[[], object]) -> None:
    """Keep the closed database, open, act with a checkpoint, close, and put what was kept in its place."""
    made.house.close()
    back = kept(made)
    made.reopen()
    act()
    made.house.proving.checkpoint()
    made.house.close()
    back()


def test_the_whole_file_put_back_stays_locked(made: Installation) -> None:
    put_back(made, lambda: read_all(made))
    with pytest.raises(LedgerError) as refused:
        app.open_house(made.settings)
    assert refused.value.exit_code == 4
    assert refused.value.sentence == "ledger.behind"


def test_the_whole_file_and_the_key_file_put_back_stay_locked_by_the_spool(made: Installation) -> None:
    made.house.close()
    keys = app.custody_directory(made.settings)
    made.custody.stop()
    shutil.copytree(keys, keys.with_name("keys-kept"))
    made.restart_custody()
    made.reopen()
    put_back(made, lambda: read_all(made))
    made.custody.stop()
    shutil.rmtree(keys)
    keys.with_name("keys-kept").rename(keys)
    made.restart_custody()
    with pytest.raises(LedgerError, match="put back"):
        app.open_house(made.settings)


def test_another_history_of_the_same_length_stays_locked(made: Installation) -> None:
    """The file is put back and then grows past what was signed: as long, and another one."""
    made.house.close()
    back = kept(made)
    spool = made.settings.spool.read_bytes()
    keys = app.custody_directory(made.settings)
    made.custody.stop()
    shutil.copytree(keys, keys.with_name("keys-kept"))
    made.restart_custody()
    other = made.reopen()
    read_all(made)
    other.proving.checkpoint()
    other.close()
    made.custody.stop()
    grown = made.settings.directory / "grown"
    shutil.copytree(keys, grown)
    now_spool = made.settings.spool.read_bytes()
    shutil.rmtree(keys)
    keys.with_name("keys-kept").rename(keys)
    made.settings.spool.write_bytes(spool)
    back()
    made.restart_custody()
    made.reopen()
    read_all(made)
    read_all(made)
    made.house.close()
    made.custody.stop()
    shutil.rmtree(keys)
    grown.rename(keys)
    made.settings.spool.write_bytes(now_spool)
    made.restart_custody()
    with pytest.raises(IntegrityError, match="put back"):
        app.open_house(made.settings)

"""The vault and its file: what a thief finds, what a hand in SQLite changes, what waiting costs."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from serment.errors import IntegrityError, SignInError, StorageFullError, TooManyError
from serment.keys.custody.budget import DELAY_MS, WINDOW_MS, Limits
from serment.keys.custody.contract import Phase, StoreKind
from serment.keys.custody.keyfile import KEY_FILE
from serment.keys.custody.vault import Vault
from serment.keys.material import RecordKind
from serment.model import RecordToken, RequestId
from tests.unit.keys.custody.rooms import (
    ALICE,
    BRUNO,
    PASSPHRASE,
    REQUEST,
    ROOT_1,
    SECOND,
    Clock,
    vault_in,
)


def installed(directory: Path, *records: RecordToken) -> None:
    with vault_in(directory) as vault:
        vault.init(PASSPHRASE, StoreKind.DEMO)
        for record in records:
            vault.make(record, RecordKind.PATIENT, 2026)


def at_rest(directory: Path) -> bytes:
    """Every byte of the key file and of what stands beside it."""
    return b"".join(file.read_bytes() for file in sorted(directory.iterdir()))


def edited(directory: Path, sql: str, *bindings: bytes | str | int) -> None:
    """Change the key file by hand, as somebody with the disk can."""
    db = apsw.Connection(str(directory / KEY_FILE))
    db.execute(sql, bindings).fetchall()
    assert db.changes()
    db.close()


def rows(directory: Path, sql: str) -> list[tuple[object, ...]]:
    db = apsw.Connection(str(directory / KEY_FILE))
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def unlocking_is_refused(directory: Path) -> None:
    with vault_in(directory) as vault:
        with pytest.raises(IntegrityError):
            vault.unlock(PASSPHRASE)
        assert vault.state().phase is Phase.LOCKED


# A thief with the key file


@pytest.mark.capability("1-03", "refuses")
def test_a_stolen_key_file_holds_no_key_and_no_passphrase(tmp_path: Path) -> None:
    with vault_in(tmp_path) as vault:
        vault.init(PASSPHRASE, StoreKind.PRODUCTION)
        made, secrets = vault.make(ALICE, RecordKind.PATIENT, 2026), vault.installation()
        found = at_rest(tmp_path)
    found += at_rest(tmp_path)
    keys = [made.identity, made.care, made.trail, made.year.key, made.year.id, PASSPHRASE.encode()]
    keys += [getattr(secrets, name) for name in ("locator", "person", "session", "imported", "page", "spool")]
    assert not [key for key in keys if key in found]


def test_the_key_file_is_closed_to_other_users(tmp_path: Path) -> None:
    installed(tmp_path)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_destroyed_record_leaves_no_byte_of_its_row(tmp_path: Path) -> None:
    installed(tmp_path, ALICE, BRUNO)
    [(wrapped,)] = rows(tmp_path, "SELECT sealed FROM records ORDER BY token LIMIT 1")
    assert isinstance(wrapped, bytes)
    assert wrapped in at_rest(tmp_path)
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        vault.destroy(ALICE)
        assert pieces_left(wrapped, at_rest(tmp_path)) == []
    assert pieces_left(wrapped, at_rest(tmp_path)) == []


def test_no_byte_is_left_whatever_the_order_of_births_and_destructions(tmp_path: Path) -> None:
    """Page splits and merges move rows about: what they leave behind is searched too."""
    chance = random.Random(5)  # noqa: S311 - an order, not a key
    alive: list[RecordToken] = []
    gone: list[bytes] = []
    with vault_in(tmp_path) as vault:
        vault.init(PASSPHRASE, StoreKind.DEMO)
        for _ in range(400):
            if alive and chance.random() < 0.45:
                record = alive.pop(chance.randrange(len(alive)))
                wrap = vault._file.record(record)
                assert wrap is not None
                gone.append(wrap[1])
                vault.destroy(record)
            else:
                alive.append(RecordToken(os.urandom(16)))
                vault.make(alive[-1], RecordKind.PATIENT, 2026)
        found = at_rest(tmp_path)
    assert len(gone) > 100
    assert [wrapped for wrapped in gone if pieces_left(wrapped, found)] == []


def test_a_swept_record_leaves_no_byte_at_all(tmp_path: Path) -> None:
    installed(tmp_path, ALICE)
    wraps = rows(
        tmp_path, "SELECT sealed FROM records UNION SELECT sealed FROM trails UNION SELECT sealed FROM years"
    )
    clock = Clock(hour=500_002)
    with vault_in(tmp_path, clock) as vault:
        vault.unlock(PASSPHRASE)
        assert vault.forget([ALICE, BRUNO], 500_002) == 1
        found = at_rest(tmp_path)
    assert bytes(ALICE) not in found
    assert not [wrap for (wrap,) in wraps if isinstance(wrap, bytes) and pieces_left(wrap, found)]


def test_a_process_killed_between_deletion_and_truncation_leaves_no_byte_after_the_next_start(
    tmp_path: Path,
) -> None:
    home, crashed = tmp_path / "home", tmp_path / "crashed"
    home.mkdir()
    crashed.mkdir()
    with vault_in(home) as vault:
        vault.init(PASSPHRASE, StoreKind.DEMO)
        vault.make(ALICE, RecordKind.PATIENT, 2026)
        wrap = vault._file.record(ALICE)
        assert wrap is not None
        with vault._file.transaction():
            vault._file.drop_record(ALICE)
        for file in home.iterdir():
            (crashed / file.name).write_bytes(file.read_bytes())
    assert pieces_left(wrap[1], at_rest(crashed)), "before recovery the WAL still holds the page"
    with vault_in(crashed):
        assert pieces_left(wrap[1], at_rest(crashed)) == []


def test_a_removed_passphrase_leaves_no_byte_of_its_slot(tmp_path: Path) -> None:
    installed(tmp_path)
    with vault_in(tmp_path) as vault:
        slot = vault.add_slot(PASSPHRASE, "remplaçant", SECOND)
        wrapped = vault._file.slots()[-1].sealed
        vault.remove_slot(PASSPHRASE, slot.id)
        assert pieces_left(wrapped, at_rest(tmp_path)) == []


def pieces_left(wrapped: bytes, found: bytes) -> list[bytes]:
    """Give the 8-byte pieces of a wrap's secret part (nonce, ciphertext, tag) that can still be found."""
    secret = wrapped[18:]
    return [piece for i in range(0, len(secret) - 7, 8) if (piece := secret[i : i + 8]) in found]


# A hand in SQLite


@pytest.mark.parametrize("table", ["records", "trails", "years"])
def test_keys_given_to_another_record_do_not_open(tmp_path: Path, table: str) -> None:
    installed(tmp_path, ALICE, BRUNO)
    edited(
        tmp_path,
        f"UPDATE {table} SET sealed=(SELECT sealed FROM {table} WHERE token=?) WHERE token=?",  # noqa: S608 - a test's own names
        BRUNO,
        ALICE,
    )
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        with pytest.raises(IntegrityError):
            vault.unwrap(ALICE, REQUEST, 2026)
        assert vault.unwrap(BRUNO, REQUEST, 2026)


@pytest.mark.parametrize("sql", ["DELETE FROM years", "UPDATE years SET year=2027", "DELETE FROM records"])
def test_a_key_deleted_by_hand_is_neither_made_again_nor_taken_for_an_erasure(
    tmp_path: Path, sql: str
) -> None:
    installed(tmp_path, ALICE)
    edited(tmp_path, sql)
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        with pytest.raises(IntegrityError):
            vault.unwrap(ALICE, REQUEST, 2026)


def test_a_ledger_key_does_not_pass_for_that_of_another_year(tmp_path: Path) -> None:
    installed(tmp_path, ALICE)
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        vault.unwrap(ALICE, REQUEST, 2027)
    edited(tmp_path, "UPDATE years SET sealed=(SELECT sealed FROM years WHERE year=2026)")
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        assert vault.unwrap(ALICE, REQUEST, 2026)
        with pytest.raises(IntegrityError):
            vault.unwrap(ALICE, REQUEST, 2027)


def test_keys_of_another_installation_do_not_open(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for home in (ours, theirs):
        home.mkdir()
        installed(home, ALICE)
    [(stolen,)] = rows(theirs, "SELECT sealed FROM records")
    assert isinstance(stolen, bytes)
    edited(ours, "UPDATE records SET sealed=?", stolen)
    with vault_in(ours) as vault:
        vault.unlock(PASSPHRASE)
        with pytest.raises(IntegrityError):
            vault.unwrap(ALICE, REQUEST, 2026)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE meta SET value=CAST('production' AS BLOB) WHERE name='kind'",
        "UPDATE meta SET value=zeroblob(32) WHERE name='public-key'",
        "UPDATE meta SET value=zeroblob(16) WHERE name='store'",
        "DELETE FROM secrets WHERE name='locator'",
        "UPDATE secrets SET sealed=(SELECT sealed FROM secrets WHERE name='page') WHERE name='person'",
        "UPDATE secrets SET generation=2 WHERE name='signing'",
        "UPDATE slots SET memory=4194305",
        "UPDATE slots SET passes=1000000",
    ],
)
def test_a_key_file_edited_by_hand_stays_locked(tmp_path: Path, sql: str) -> None:
    installed(tmp_path)
    edited(tmp_path, sql)
    with vault_in(tmp_path) as vault:
        with pytest.raises((IntegrityError, SignInError)):
            vault.unlock(PASSPHRASE)
        assert vault.state().phase is Phase.LOCKED


@pytest.mark.parametrize("kind", ["nothing", "\u00e9"])
def test_a_kind_of_store_that_does_not_exist_is_an_integrity_error(tmp_path: Path, kind: str) -> None:
    installed(tmp_path)
    edited(tmp_path, "UPDATE meta SET value=? WHERE name='kind'", kind.encode("latin-1"))
    with vault_in(tmp_path) as vault, pytest.raises(IntegrityError):
        vault.state()


def test_a_demo_store_never_becomes_a_production_store(tmp_path: Path) -> None:
    installed(tmp_path)
    edited(tmp_path, "UPDATE meta SET value=CAST('production' AS BLOB) WHERE name='kind'")
    unlocking_is_refused(tmp_path)


def test_a_checkpoint_forgotten_by_hand_is_found(tmp_path: Path) -> None:
    installed(tmp_path)
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        vault.sign(7, ROOT_1, "log")
    edited(tmp_path, "DELETE FROM secrets WHERE name='remembered'")
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        with pytest.raises(IntegrityError):
            vault.sign(3, ROOT_1, "log")


@pytest.mark.parametrize("garbage", [b"not a database at all" * 300, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_key_file_that_is_not_one_is_an_integrity_error(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(garbage)
    with pytest.raises(IntegrityError), vault_in(tmp_path):
        raise AssertionError("opened")


def test_a_database_of_somebody_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / KEY_FILE))
    db.execute("CREATE TABLE theirs(x)")
    db.close()
    with pytest.raises(IntegrityError), vault_in(tmp_path):
        raise AssertionError("opened")
    assert rows(tmp_path, "SELECT name FROM sqlite_schema") == [("theirs",)]


def test_a_flipped_byte_in_the_key_file_never_gives_another_key(tmp_path: Path) -> None:
    installed(tmp_path, ALICE)
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        right = vault.unwrap(ALICE, REQUEST, 2026)
    whole = (tmp_path / KEY_FILE).read_bytes()
    chance = random.Random(11)  # noqa: S311 - places to flip, not keys
    for _ in range(60):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        (tmp_path / KEY_FILE).write_bytes(flipped)
        assert what_opens(tmp_path) in (None, right)


def what_opens(directory: Path) -> object:
    try:
        with vault_in(directory) as vault:
            vault.unlock(PASSPHRASE)
            return vault.unwrap(ALICE, REQUEST, 2026)
    except (IntegrityError, SignInError):
        return None


def test_a_full_disk_makes_no_half_record(tmp_path: Path) -> None:
    installed(tmp_path, ALICE)
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        pages = vault._file._db.execute("PRAGMA page_count").get
        vault._file._db.execute(f"PRAGMA max_page_count={pages}").fetchall()
        made = list(made_until_full(vault))
        vault._file._db.execute(f"PRAGMA max_page_count={10**6}").fetchall()
        assert vault.state().records == 1 + len(made)
        assert all(vault.unwrap(record, REQUEST, 2026) for record in made)
        assert vault.make(BRUNO, RecordKind.PATIENT, 2026)


def test_a_full_disk_makes_none_of_several_records(tmp_path: Path) -> None:
    installed(tmp_path, ALICE)
    several = [RecordToken(os.urandom(16)) for _ in range(300)]
    with vault_in(tmp_path) as vault:
        vault.unlock(PASSPHRASE)
        pages = vault._file._db.execute("PRAGMA page_count").get
        vault._file._db.execute(f"PRAGMA max_page_count={pages + 4}").fetchall()
        with pytest.raises(StorageFullError):
            vault.make_all(several, RecordKind.PATIENT, 2026)
        vault._file._db.execute(f"PRAGMA max_page_count={10**6}").fetchall()
        assert vault.state().records == vault._file.count() == 1
        assert len(vault.make_all(several, RecordKind.PATIENT, 2026)) == 300


def made_until_full(vault: Vault) -> Iterator[RecordToken]:
    """Make records until the disk is full; the last one is refused whole."""
    while True:
        record = RecordToken(os.urandom(16))
        try:
            vault.make(record, RecordKind.PATIENT, 2026)
        except StorageFullError:
            with pytest.raises(IntegrityError):
                vault.unwrap(record, REQUEST, 2026)
            return
        yield record


# Guessing, and opening too much


def test_each_wrong_passphrase_waits_longer_and_none_longer_than_half_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    with vault_in(tmp_path, clock) as vault:
        vault.init(PASSPHRASE, StoreKind.DEMO)
        for guess in range(12):
            with pytest.raises(SignInError):
                vault.unlock(f"essai numéro {guess}")
        assert vault.state().wrong_passphrases == 12
        assert clock.waits == sorted(clock.waits)
        assert (clock.waits[0], clock.waits[-1]) == (0.25, 30.0)
        vault.unlock(PASSPHRASE)
        with pytest.raises(SignInError):
            vault.unlock("une faute de frappe")
    assert clock.waits[-1] == 0.25


def opened(vault: Vault, times: int, request: str = "act-1") -> int:
    for count in range(times):
        try:
            vault.unwrap(ALICE, RequestId(request), 2026)
        except TooManyError:
            return count
    return times


def test_a_server_that_asks_for_too_many_records_is_slowed_then_refused(tmp_path: Path) -> None:
    clock = Clock()
    with vault_in(tmp_path, clock, Limits(soft=5, hard=8)) as vault:
        vault.init(PASSPHRASE, StoreKind.DEMO)
        vault.make(ALICE, RecordKind.PATIENT, 2026)
        assert opened(vault, 20) == 8
        assert clock.waits == [DELAY_MS / 1000] * 3
        state = vault.state()
        assert (state.spent, state.slowed, state.refused, state.alarms) == (8, 3, 1, 1)
        assert vault.year_keys(ALICE).years, "a trace opens no content: counted apart"
        assert vault.state().traced == 1
        clock.now += WINDOW_MS
        assert opened(vault, 5) == 5
        assert vault.state().alarms == 1
        assert opened(vault, 1) == 1
        assert vault.state().alarms == 2


def test_the_refusal_says_how_long_to_wait(tmp_path: Path) -> None:
    with vault_in(tmp_path, Clock(), Limits(soft=1, hard=1)) as vault:
        vault.init(PASSPHRASE, StoreKind.DEMO)
        vault.make(ALICE, RecordKind.PATIENT, 2026)
        assert opened(vault, 1) == 1
        with pytest.raises(TooManyError) as caught:
            vault.unwrap(ALICE, REQUEST, 2026)
    assert caught.value.parameters == {"seconds": 61}


def test_a_locked_custody_spends_no_budget(tmp_path: Path) -> None:
    installed(tmp_path, ALICE)
    with vault_in(tmp_path) as vault:
        with pytest.raises(Exception, match="locked"):
            vault.unwrap(ALICE, REQUEST, 2026)
        assert vault.state().spent == 0


def test_how_many_records_one_request_opened_is_seen(tmp_path: Path) -> None:
    with vault_in(tmp_path) as vault:
        vault.init(PASSPHRASE, StoreKind.DEMO)
        for record in (ALICE, BRUNO):
            vault.make(record, RecordKind.PATIENT, 2026)
            vault.unwrap(record, RequestId("act-9"), 2026)
        assert opened(vault, 300) == 300
        assert vault.state().widest == 2

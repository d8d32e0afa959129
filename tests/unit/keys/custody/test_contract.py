"""What every custody keeps: one suite, run on the fake and on the real one over its socket."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from serment.errors import (
    ConflictError,
    CustodyError,
    GoneError,
    IntegrityError,
    LockedError,
    NotFoundError,
    RequestError,
    SignInError,
)
from serment.keys.custody.contract import MOST_MADE, Custody, Phase, StoreKind
from serment.keys.custody.note import key_hash
from serment.keys.material import RecordKind
from serment.model import RecordToken
from tests.fakes.custody import FakeCustody
from tests.unit.keys.custody.rooms import (
    ALICE,
    BRUNO,
    CHLOE,
    PASSPHRASE,
    REQUEST,
    ROOT_1,
    ROOT_2,
    SECOND,
    Clock,
    served,
    vault_in,
)

CLOCK = Clock()


@pytest.fixture(params=["fake", "socket"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Custody]:
    CLOCK.hour = 500_000
    if request.param == "fake":
        yield FakeCustody(hour=lambda: CLOCK.hour)
        return
    with vault_in(tmp_path, CLOCK) as vault, served(vault, tmp_path) as client:
        yield client


@pytest.fixture
def custody(new: Custody) -> Custody:
    new.init(PASSPHRASE, StoreKind.DEMO)
    return new


def test_a_new_custody_says_so_and_opens_nothing(new: Custody) -> None:
    assert new.state().phase is Phase.NEW
    with pytest.raises(CustodyError):
        new.unlock(PASSPHRASE)
    with pytest.raises(CustodyError):
        new.installation()
    assert new.list_slots() == ()


@pytest.mark.parametrize("kind", list(StoreKind))
def test_what_the_store_is_for_is_sealed_at_init_for_ever(new: Custody, kind: StoreKind) -> None:
    made = new.init(PASSPHRASE, kind)
    assert (made.phase, made.kind, len(made.store), len(made.public_key)) == (Phase.OPEN, kind, 16, 32)
    for other in StoreKind:
        with pytest.raises(ConflictError):
            new.init(SECOND, other)
    assert new.state() == made


@pytest.mark.parametrize("passphrase", ["", "short", "x" * 1025])
def test_a_passphrase_too_short_or_too_long_makes_nothing(new: Custody, passphrase: str) -> None:
    with pytest.raises(RequestError):
        new.init(passphrase, StoreKind.DEMO)
    assert new.state().phase is Phase.NEW


def test_a_locked_custody_gives_no_key(custody: Custody) -> None:
    custody.make(ALICE, RecordKind.PATIENT, 2026)
    custody.lock()
    assert custody.state().phase is Phase.LOCKED
    for ask in (
        custody.installation,
        custody.remembered,
        lambda: custody.make(BRUNO, RecordKind.PATIENT, 2026),
        lambda: custody.make_all([BRUNO], RecordKind.PATIENT, 2026),
        lambda: custody.unwrap(ALICE, REQUEST, 2026),
        lambda: custody.year_keys(ALICE),
        lambda: custody.destroy(ALICE),
        lambda: custody.sweep(lambda _: True, 1),
        lambda: custody.sign(1, ROOT_1, "log"),
    ):
        with pytest.raises(LockedError):
            ask()


def test_unlocking_gives_the_same_keys_again(custody: Custody) -> None:
    secrets, made = custody.installation(), custody.make(ALICE, RecordKind.PATIENT, 2026)
    custody.lock()
    assert custody.unlock(PASSPHRASE, secrets.store).phase is Phase.OPEN
    assert custody.installation() == secrets
    assert custody.unwrap(ALICE, REQUEST, 2026) == made


@pytest.mark.parametrize("passphrase", ["quatre mots de passé", "", PASSPHRASE + " ", SECOND])
def test_a_wrong_passphrase_opens_nothing(custody: Custody, passphrase: str) -> None:
    custody.lock()
    with pytest.raises(SignInError):
        custody.unlock(passphrase)
    assert custody.state().phase is Phase.LOCKED


def test_the_key_file_of_another_installation_is_refused(custody: Custody) -> None:
    custody.lock()
    with pytest.raises(IntegrityError) as caught:
        custody.unlock(PASSPHRASE, b"another database")
    assert caught.value.sentence == "custody.other-installation"


def test_each_of_several_passphrases_opens(custody: Custody) -> None:
    added = custody.add_slot(PASSPHRASE, "associé", SECOND)
    assert [slot.name for slot in custody.list_slots()] == ["init", "associé"]
    for passphrase in (SECOND, PASSPHRASE):
        custody.lock()
        assert custody.unlock(passphrase).phase is Phase.OPEN
    custody.remove_slot(PASSPHRASE, added.id)
    with pytest.raises(SignInError):
        custody.unlock(SECOND)


def test_a_slot_is_added_or_removed_only_by_somebody_who_knows_a_passphrase(custody: Custody) -> None:
    with pytest.raises(SignInError):
        custody.add_slot("une phrase inventée", "intrus", SECOND)
    with pytest.raises(SignInError):
        custody.remove_slot("une phrase inventée", 1)
    with pytest.raises(RequestError):
        custody.add_slot(PASSPHRASE, "court", "court")
    assert len(custody.list_slots()) == 1


def test_the_last_passphrase_is_never_removed(custody: Custody) -> None:
    with pytest.raises(ConflictError):
        custody.remove_slot(PASSPHRASE, 1)
    with pytest.raises(NotFoundError):
        custody.remove_slot(PASSPHRASE, 9)
    assert custody.unlock(PASSPHRASE).phase is Phase.OPEN


@pytest.mark.parametrize("kind", list(RecordKind))
def test_a_record_has_its_own_random_keys(custody: Custody, kind: RecordKind) -> None:
    one = custody.make(ALICE, kind, 2026)
    two = custody.make(BRUNO, kind, 2026)
    keys = [one.identity, one.care, one.trail, one.year.key, two.identity, two.care, two.trail, two.year.key]
    assert len(set(keys)) == 8
    assert {len(key) for key in keys} == {32}
    assert len({one.year.id, two.year.id}) == 2
    assert custody.unwrap(ALICE, REQUEST, 2026) == one
    assert one.kind is kind
    assert custody.state().records == 2


def test_no_record_is_made_twice(custody: Custody) -> None:
    custody.make(ALICE, RecordKind.PATIENT, 2026)
    with pytest.raises(ConflictError):
        custody.make(ALICE, RecordKind.PATIENT, 2026)


def test_several_records_are_made_in_one_step_each_with_its_own_keys(custody: Custody) -> None:
    made = custody.make_all([ALICE, BRUNO, CHLOE], RecordKind.PATIENT, 2026)
    assert [one.record for one in made] == [ALICE, BRUNO, CHLOE]
    assert len({key for one in made for key in (one.identity, one.care, one.trail, one.year.key)}) == 12
    assert [custody.unwrap(one.record, REQUEST, 2026) for one in made] == list(made)
    assert custody.make_all([], RecordKind.PATIENT, 2026) == ()
    assert custody.state().records == 3


@pytest.mark.parametrize(
    ("records", "error"),
    [
        ([BRUNO, ALICE], ConflictError),
        ([BRUNO, BRUNO], ConflictError),
        ([BRUNO, RecordToken(b"short")], RequestError),
        ([RecordToken(n.to_bytes(16, "big")) for n in range(MOST_MADE + 1)], RequestError),
    ],
    ids=["known", "twice", "no-token", "too-many"],
)
def test_several_records_are_made_all_of_them_or_none(
    custody: Custody, records: list[RecordToken], error: type[Exception]
) -> None:
    custody.make(ALICE, RecordKind.PATIENT, 2026)
    with pytest.raises(error):
        custody.make_all(records, RecordKind.PATIENT, 2026)
    assert custody.state().records == 1
    assert custody.make(BRUNO, RecordKind.PATIENT, 2026)


def test_the_largest_step_fits_its_frame(custody: Custody) -> None:
    records = [RecordToken(n.to_bytes(16, "big")) for n in range(MOST_MADE)]
    assert len(custody.make_all(records, RecordKind.QUARANTINE, 2026)) == MOST_MADE


def test_a_record_that_custody_never_made_is_an_integrity_error(custody: Custody) -> None:
    for ask in (
        lambda: custody.unwrap(ALICE, REQUEST, 2026),
        lambda: custody.year_keys(ALICE),
        lambda: custody.destroy(ALICE),
    ):
        with pytest.raises(IntegrityError):
            ask()


@pytest.mark.parametrize(
    ("record", "year"), [(b"short", 2026), (bytes(17), 2026), (ALICE, 1999), (ALICE, 10_000)]
)
def test_what_names_no_record_or_year_is_refused(custody: Custody, record: bytes, year: int) -> None:
    with pytest.raises(RequestError):
        custody.make(RecordToken(record), RecordKind.PATIENT, year)
    with pytest.raises(RequestError):
        custody.unwrap(RecordToken(record), REQUEST, year)


def test_a_new_year_gets_its_own_ledger_key_and_keeps_it(custody: Custody) -> None:
    made = custody.make(ALICE, RecordKind.PATIENT, 2026)
    later = custody.unwrap(ALICE, REQUEST, 2027)
    assert (later.care, later.trail) == (made.care, made.trail)
    assert later.year.key != made.year.key
    assert custody.unwrap(ALICE, REQUEST, 2027).year == later.year
    assert custody.year_keys(ALICE).years == (made.year, later.year)
    assert custody.year_keys(ALICE).trail == made.trail


def test_a_destroyed_record_never_opens_again_and_its_trace_still_does(custody: Custody) -> None:
    made = custody.make(ALICE, RecordKind.PATIENT, 2026)
    kept = custody.make(BRUNO, RecordKind.PATIENT, 2026)
    custody.destroy(ALICE)
    custody.destroy(ALICE)
    with pytest.raises(GoneError):
        custody.unwrap(ALICE, REQUEST, 2026)
    with pytest.raises(ConflictError):
        custody.make(ALICE, RecordKind.PATIENT, 2026)
    assert custody.year_keys(ALICE).years == (made.year,)
    assert custody.unwrap(BRUNO, REQUEST, 2026) == kept
    assert custody.state().records == 1


def test_the_sweep_forgets_old_keys_of_records_that_were_never_stored(custody: Custody) -> None:
    for record in (ALICE, BRUNO, CHLOE):
        custody.make(record, RecordKind.PATIENT, 2026)
    CLOCK.hour += 2
    assert custody.sweep(lambda record: record != BRUNO, CLOCK.hour) == 1
    with pytest.raises(IntegrityError):
        custody.unwrap(BRUNO, REQUEST, 2026)
    assert custody.unwrap(ALICE, REQUEST, 2026)
    assert custody.make(BRUNO, RecordKind.PATIENT, 2026)


def test_the_sweep_keeps_fresh_keys_whatever_it_is_told(custody: Custody) -> None:
    custody.make(ALICE, RecordKind.PATIENT, 2026)
    assert custody.sweep(lambda _: False, CLOCK.hour + 1000) == 0
    assert custody.unwrap(ALICE, REQUEST, 2026)


def test_a_sweep_with_another_database_forgets_nothing(custody: Custody) -> None:
    records = [RecordToken(os.urandom(16)) for _ in range(40)]
    for record in records:
        custody.make(record, RecordKind.PATIENT, 2026)
    CLOCK.hour += 2
    with pytest.raises(IntegrityError) as caught:
        custody.sweep(lambda _: False, CLOCK.hour)
    assert caught.value.sentence == "custody.too-many-orphans"
    assert custody.state().records == 40


def test_a_checkpoint_is_signed_as_c2sp_says(custody: Custody) -> None:
    note = custody.sign(7, ROOT_1, "cabinet.example/log").decode()
    text, signature = note.split("\n\n")
    assert text.split("\n") == ["cabinet.example/log", "7", b64encode(ROOT_1).decode()]
    dash, name, encoded = signature.rstrip("\n").split(" ")
    public = custody.state().public_key
    raw = b64decode(encoded, validate=True)
    assert (dash, name, raw[:4]) == ("—", "cabinet.example/log", key_hash(name, public))
    Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], f"{text}\n".encode())


def test_custody_remembers_the_last_checkpoint(custody: Custody) -> None:
    assert custody.remembered() is None
    custody.sign(7, ROOT_1, "log")
    custody.sign(7, ROOT_1, "log")
    custody.sign(9, ROOT_2, "log")
    custody.lock()
    custody.unlock(PASSPHRASE)
    last = custody.remembered()
    assert last is not None
    assert (last.size, last.root, last.origin) == (9, ROOT_2, "log")


@pytest.mark.parametrize(
    ("size", "root", "origin"),
    [(6, ROOT_1, "log"), (0, ROOT_1, "log"), (7, ROOT_2, "log"), (8, ROOT_2, "other")],
)
def test_a_ledger_rolled_back_or_forked_is_not_signed(
    custody: Custody, size: int, root: bytes, origin: str
) -> None:
    custody.sign(7, ROOT_1, "log")
    with pytest.raises(IntegrityError) as caught:
        custody.sign(size, root, origin)
    assert caught.value.sentence == "custody.rolled-back"
    last = custody.remembered()
    assert last is not None
    assert last.size == 7


@pytest.mark.parametrize(
    ("size", "root", "origin"),
    [(-1, ROOT_1, "log"), (1, b"short", "log"), (1, ROOT_1, ""), (1, ROOT_1, "a\nb"), (1, ROOT_1, "a+b")],
)
def test_custody_signs_nothing_but_a_checkpoint(
    custody: Custody, size: int, root: bytes, origin: str
) -> None:
    with pytest.raises(RequestError):
        custody.sign(size, root, origin)


def test_nothing_that_custody_gives_shows_a_key(custody: Custody) -> None:
    made = custody.make(ALICE, RecordKind.PATIENT, 2026)
    shown = repr((made, custody.installation(), custody.year_keys(ALICE), custody, made.year))
    for key in (made.identity, made.care, made.trail, made.year.key, custody.installation().locator, ALICE):
        assert repr(key)[2:-1] not in shown

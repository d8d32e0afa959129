"""Custody killed, locked, or of another installation: what is held stays open, nothing reads as empty."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from serment import app
from serment.errors import CustodyError, IntegrityError, LockedError, SermentError, SettingsError, SignInError
from serment.keys.custody.client import CustodyClient
from serment.model import Instant
from serment.record.passage import HELD, Keyring
from tests.attacks.sql import items, read_all
from tests.installation import PASSPHRASE, Installation, run, small_installation


@pytest.fixture
def made(untouched: Installation) -> Installation:
    return untouched


def forget(made: Installation) -> None:
    """Let the server forget every key that it holds, as one that has just started."""
    passage = made.house.passage
    fresh = replace(passage, keyring=Keyring(passage.keyring.custody))
    made.house = type(made.house).of(fresh, made.house.custody, made.house.kind, made.house.base)
    made.store.house = made.house


def test_a_record_opened_lately_stays_open_when_custody_is_killed(made: Installation) -> None:
    before = read_all(made)
    made.custody.kill()
    assert read_all(made) == before
    doctor = made.store.asking(made.patient().attending.actor())
    view = run(made.house.showing.first_view(doctor, made.record()))
    assert view.groups


def test_a_choice_of_the_patient_still_rules_at_once_without_custody(made: Installation) -> None:
    """The mask moves the epoch; the keys did not change, and the record stays open to its holder."""
    item = next(item for item in items(made) if item.startswith("Observation/"))
    before = read_all(made)
    made.custody.kill()
    run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    assert read_all(made) == before


def test_a_record_whose_keys_are_not_held_cannot_be_opened_now_and_is_never_empty(made: Installation) -> None:
    forget(made)
    made.custody.kill()
    type_, _, id_ = items(made)[0].partition("/")
    doctor = made.store.asking(made.patient().attending.actor())
    with pytest.raises(CustodyError) as refused:
        run(made.house.reading.read(doctor, type_, id_))
    assert refused.value.status == 503
    assert "cannot be opened now" in str(refused.value)
    with pytest.raises(CustodyError):
        run(made.house.showing.first_view(doctor, made.record()))
    with pytest.raises(CustodyError):
        run(made.house.proving.trail(made.as_patient(), made.record()))


def test_twelve_hours_later_the_record_is_closed_too(made: Installation) -> None:
    passage, now = made.house.passage, made.house.passage.clock()
    read_all(made)
    with passage.store.snapshot() as snapshot:
        record = passage.resolve(snapshot, f"Patient/{made.record()}")[0].record
        epoch = snapshot.epoch(record)
    assert epoch is not None
    assert passage.keyring.held(record, epoch, Instant(now + HELD // 2)) is not None
    assert passage.keyring.held(record, epoch, Instant(now + 2 * HELD)) is None
    assert passage.keyring.held(record, epoch + 1, now) is None


def test_custody_back_and_unlocked_opens_everything_again(made: Installation) -> None:
    before = read_all(made)
    forget(made)
    made.custody.kill()
    made.restart_custody(unlock=False)
    type_, _, id_ = items(made)[0].partition("/")
    with pytest.raises(LockedError) as refused:
        run(made.house.reading.read(made.as_patient(), type_, id_))
    assert refused.value.status == 503
    client = CustodyClient(app.custody_directory(made.settings))
    client.unlock(PASSPHRASE)
    client.close()
    assert read_all(made) == before


def test_a_locked_custody_opens_no_house(made: Installation) -> None:
    made.house.close()
    made.custody.stop()
    made.restart_custody(unlock=False)
    with pytest.raises(LockedError):
        made.reopen()


@pytest.mark.capability("0-09", "refuses")
def test_a_wrong_passphrase_opens_nothing(made: Installation) -> None:
    made.house.close()
    made.custody.stop()
    made.restart_custody(unlock=False)
    client = CustodyClient(app.custody_directory(made.settings))
    with pytest.raises(SignInError):
        client.unlock("cheval agrafe batterie incorrect")
    assert client.state().phase is app.Phase.LOCKED
    client.close()
    with pytest.raises(LockedError):
        made.reopen()


def test_the_key_file_of_another_installation_opens_nothing(made: Installation, tmp_path: Path) -> None:
    made.house.close()
    made.custody.stop()
    keys = app.custody_directory(made.settings)
    with small_installation(tmp_path / "other") as other:
        other.house.close()
        other.custody.stop()
        shutil.rmtree(keys)
        shutil.copytree(app.custody_directory(other.settings), keys, ignore=shutil.ignore_patterns("*.sock"))
        made.restart_custody()
        with pytest.raises(SermentError) as refused:
            made.reopen()
        assert isinstance(refused.value, SettingsError | IntegrityError)
        assert refused.value.sentence in {"store.other-installation", "custody.other-installation"}
        client = CustodyClient(keys)
        with pytest.raises(IntegrityError, match="another installation"):
            app.unlock(made.settings, client, PASSPHRASE)
        client.close()


def test_the_spool_of_another_installation_is_refused(made: Installation, tmp_path: Path) -> None:
    made.house.proving.checkpoint()
    made.house.close()
    with small_installation(tmp_path / "other") as other:
        other.house.proving.checkpoint()
        other.house.close()
        shutil.copy(other.settings.spool, made.settings.spool)
        with pytest.raises(IntegrityError, match="another installation"):
            made.reopen()

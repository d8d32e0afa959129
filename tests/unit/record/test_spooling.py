"""The second and the last place of a trace, on plain values: what waits, what is owed, what was lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from serment.errors import DependencyError, LedgerError, StorageFullError
from serment.keys.installation import Installation
from serment.keys.material import Secrets, YearMaterial
from serment.keys.trace_keys import TrailKey, YearKey
from serment.ledger.append import Pending, Trail
from serment.ledger.chains import Chain
from serment.ledger.entry import Decision, Event, Interaction
from serment.model import Instant, RecordToken
from serment.record.spooling import OwedNotes, Spooling, is_emergency
from serment.store.spool_file import SpoolFile

STORE = b"s" * 16
RECORD = RecordToken(b"r" * 16)


def installation(store: bytes = STORE) -> Installation:
    return Installation(Secrets(store, *[bytes([n]) * 32 for n in range(6)]))


def spooling(folder: Path, slots: int, store: bytes = STORE) -> Spooling:
    notes = OwedNotes([SpoolFile(folder / name, 0, 0) for name in ("one", "two")])
    return Spooling(SpoolFile(folder / "spool", slots, 4000), notes, installation(store))


def pending(number: str, **event: object) -> Pending:
    key = YearKey(RECORD, YearMaterial(2026, b"y" * 16, b"k" * 32))
    what = Event(t=1_790_000_000_000, request=number, interaction=Interaction.READ, rule="G6.team")
    changed = Event(**{**{name: getattr(what, name) for name in what.__struct_fields__}, **event})
    return Pending(Trail(RECORD, TrailKey(STORE, RECORD, b"t" * 32), key), Chain.ORDINARY, changed)


def urgent(number: str, **event: object) -> Pending:
    facts = {"rule": "G5.emergency", "purpose": "ETREAT", "reason": "immediate-risk", **event}
    return pending(number, **facts)


def test_traces_are_kept_sealed_and_in_order(tmp_path: Path) -> None:
    spool = spooling(tmp_path, 4)
    receipts = [spool.keep([pending(f"act-{n}")])[0] for n in range(3)]
    assert [receipt.sequence for receipt in receipts] == [None] * 3
    assert [entry.event.request for entry in spool.spooled()] == ["act-0", "act-1", "act-2"]
    assert [entry.commitment for entry in spool.spooled()] == [receipt.commitment for receipt in receipts]
    assert b"act-" not in (tmp_path / "spool").read_bytes()
    spool.close()


def test_a_process_that_starts_sees_what_waits(tmp_path: Path) -> None:
    first = spooling(tmp_path, 4)
    assert not first.waiting
    first.keep([pending("act")])
    first.close()
    second = spooling(tmp_path, 4)
    assert second.waiting
    second.spooled()
    second.settle(0)
    assert (second.waiting, second.spooled()) == (False, [])
    second.close()


def test_traces_that_come_during_recovery_go_on_waiting(tmp_path: Path) -> None:
    spool = spooling(tmp_path, 4)
    spool.keep([pending("before")])
    spool.spooled()
    spool.keep([pending("meanwhile")])
    spool.settle(0)
    assert spool.waiting
    assert [entry.event.request for entry in spool.spooled()] == ["before", "meanwhile"]
    spool.close()


def test_a_full_spool_takes_an_emergency_into_memory_and_refuses_all_else(tmp_path: Path) -> None:
    spool = spooling(tmp_path, 1)
    spool.keep([pending("first")])
    with pytest.raises(DependencyError) as refused:
        spool.keep([pending("second")])
    assert refused.value.sentence == "record.no-trace"
    assert not isinstance(refused.value, StorageFullError)
    assert spool.keep([urgent("third")])[0].sequence is None
    assert [entry.event.request for entry in spool.owing()] == ["third"]
    spool.close()


@pytest.mark.parametrize(
    "event",
    [
        {"rule": "G6.team"},
        {"purpose": "TREAT"},
        {"reason": ""},
        {"reason": "I was in a hurry"},
        {"decision": Decision.DENIAL},
    ],
)
def test_what_is_not_an_emergency_door_with_its_coded_reason_is_owed_by_nobody(
    event: dict[str, object],
) -> None:
    assert is_emergency([urgent("act")])
    assert not is_emergency([urgent("act", **event)])
    assert not is_emergency([urgent("act"), urgent("act", decision=Decision.DENIAL)])


def note(folder: Path, name: str) -> bytes:
    file = SpoolFile(folder / name, 0, 0)
    content = file.header()
    file.close()
    return content


def test_what_a_dead_process_owed_is_known_by_its_count(tmp_path: Path) -> None:
    spool = spooling(tmp_path, 0)
    for number in range(3):
        spool.keep([urgent(f"act-{number}")])
    assert spool.lost() is None
    spool.close()
    again = spooling(tmp_path, 0)
    lost = again.lost()
    assert lost is not None
    assert (lost.count, lost.since) == (3, Instant(1_790_000_000_000))
    again.settle(0)
    assert again.lost() is None
    again.close()


def test_the_count_of_a_process_that_lives_is_left_alone(tmp_path: Path) -> None:
    parent = os.getppid()
    for name in ("one", "two"):
        file = SpoolFile(tmp_path / name, 0, 0)
        file.put_header(b"".join(number.to_bytes(8, "big") for number in (2, 5, parent)))
        file.close()
    spool = spooling(tmp_path, 0)
    assert spool.lost() is None
    spool.close()


def test_one_note_that_is_damaged_leaves_the_other(tmp_path: Path) -> None:
    spool = spooling(tmp_path, 0)
    spool.keep([urgent("act")])
    again = OwedNotes([SpoolFile(tmp_path / "one", 0, 0), SpoolFile(tmp_path / "two", 0, 0)])
    spool.close()
    (tmp_path / "one").write_bytes(b"\xff" * 8192)
    left = again.left()
    assert left is not None
    assert left.count == 1
    again.close()
    assert note(tmp_path, "two")


def test_a_checkpoint_is_remembered_across_processes_and_belongs_to_one_installation(tmp_path: Path) -> None:
    spool = spooling(tmp_path, 2)
    assert spool.remembered() is None
    spool.remember(7, b"r" * 32, b"note")
    spool.close()
    again = spooling(tmp_path, 2)
    kept = again.remembered()
    assert kept is not None
    assert (kept.size, kept.root) == (7, b"r" * 32)
    again.close()
    with pytest.raises(LedgerError, match="another installation"):
        spooling(tmp_path, 2, store=b"o" * 16)

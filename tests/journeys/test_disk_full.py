"""The disk fills, then the spool: what is served, what is refused, and what comes back into the ledger."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import apsw
import pytest

from serment import app
from serment.errors import DependencyError, NotFoundError, StorageFullError
from serment.ledger.entry import Interaction
from serment.model import EmergencyReason, Purpose
from serment.record.asking import Asking
from serment.record.recovery import recover
from serment.record.spooling import OwedNotes, Spooling
from serment.store.spool_file import SpoolFile
from tests.attacks.sql import found, items, read_all
from tests.installation import Installation, installation, run
from tests.stores.disks import RefusingDisk, under

SLOTS = 6


@dataclass
class Trouble:
    """An installation whose database and spool can be made to refuse."""

    made: Installation
    disk: RefusingDisk
    spool: Path

    def database_full(self) -> None:
        self.disk.armed = True

    def database_well(self) -> None:
        self.disk.armed = False

    def with_slots(self, slots: int) -> None:
        """Put a spool of `slots` entries in the place of the installation's own."""
        house = self.made.house
        house.passage.spooling.close()
        notes = [SpoolFile(self.spool.with_suffix(end), 0, 0) for end in (".one", ".two")]
        file = SpoolFile(self.spool, slots, app.SPOOL_SLOT_BYTES)
        spooling = Spooling(file, OwedNotes(notes), house.passage.installation)
        passage = replace(house.passage, spooling=spooling)
        self.made.house = type(house).of(passage, house.custody, house.kind, house.base)
        self.made.store.house = self.made.house

    def emergency(self) -> Asking:
        """Ask as a doctor of the structure in an emergency, with a coded reason."""
        asking = self.made.as_staff("team-doctor")
        return replace(asking, purpose=Purpose.EMERGENCY, reasons=frozenset({EmergencyReason.LIFE_THREAT}))


@pytest.fixture
def trouble(tmp_path: Path) -> Iterator[Trouble]:
    disk = RefusingDisk(1, apsw.SQLITE_FULL, for_good=True)
    with under(disk), installation(tmp_path / "data") as made:
        read_all(made)
        yield Trouble(made, disk, tmp_path / "small-spool")
        disk.armed = False


def read(trouble: Trouble, asking: Asking, item: str) -> bytes:
    type_, _, id_ = item.partition("/")
    return run(trouble.made.house.reading.read(asking, type_, id_)).body


def waits(trouble: Trouble) -> bool:
    return trouble.made.house.passage.spooling.waiting


def an_item(trouble: Trouble) -> str:
    return next(item for item in items(trouble.made) if item.startswith("Observation/"))


def requests_traced(trouble: Trouble) -> list[str]:
    """Give the numbers of the acts that the patient's list shows, oldest first."""
    made = trouble.made
    return [body.event.request for body in run(made.house.proving.trail(made.as_patient(), made.record()))][
        ::-1
    ]


@pytest.mark.capability("0-05", "lets")
def test_a_reading_goes_on_from_the_spool_and_its_trace_is_merged_in_order(trouble: Trouble) -> None:
    trouble.database_full()
    acts = [trouble.made.as_staff("team-doctor") for _ in range(5)]
    for asking in acts:
        assert read(trouble, asking, an_item(trouble))
    assert waits(trouble)
    trouble.database_well()
    assert recover(trouble.made.house.passage).merged == 5
    assert not waits(trouble)
    told = [number for number in requests_traced(trouble) if number in {asking.request for asking in acts}]
    assert told == [asking.request for asking in acts]
    trouble.made.house.proving.checkpoint()
    report = trouble.made.house.proving.verify()
    assert report.ok
    assert report.late == 5


def test_content_is_refused_while_traces_wait_and_taken_again_after(trouble: Trouble) -> None:
    made = trouble.made
    trouble.database_full()
    read(trouble, made.as_staff("team-doctor"), an_item(trouble))
    with pytest.raises(StorageFullError) as refused:
        run(made.house.writing.delete(made.as_staff("attending"), "Observation", an_item(trouble)[12:]))
    assert refused.value.status == 507
    trouble.database_well()
    recover(made.house.passage)
    run(made.house.choosing.mask(made.as_patient(), made.record(), made.item("maskable")))


def test_a_refusal_is_spooled_too_and_answers_as_ever(trouble: Trouble) -> None:
    trouble.database_full()
    with pytest.raises(NotFoundError):
        read(trouble, trouble.made.as_staff("unrelated-doctor"), an_item(trouble))
    trouble.database_well()
    assert recover(trouble.made.house.passage).merged == 1


def test_with_both_disks_full_only_an_emergency_opens_and_its_trace_is_owed(trouble: Trouble) -> None:
    made = trouble.made
    trouble.with_slots(2)
    spooling = made.house.passage.spooling
    trouble.database_full()
    item = an_item(trouble)
    spooled = [made.as_staff("team-doctor") for _ in range(2)]
    for asking in spooled:
        read(trouble, asking, item)
    for asking in (made.as_staff("team-doctor"), made.as_patient(), made.as_staff("unrelated-doctor")):
        with pytest.raises(DependencyError) as refused:
            read(trouble, asking, item)
        assert refused.value.sentence == "record.no-trace"
        assert refused.value.status == 503
    urgent = trouble.emergency()
    assert read(trouble, urgent, item)
    assert spooling.owed == 1
    trouble.database_well()
    done = recover(made.house.passage)
    assert (done.owed, done.merged, done.lost) == (1, 2, 0)
    acts = [urgent.request, *(asking.request for asking in spooled)]
    assert [number for number in requests_traced(trouble) if number in acts] == acts
    made.house.proving.checkpoint()
    assert made.house.proving.verify().ok
    assert not found(made)


def test_an_emergency_without_a_coded_reason_does_not_open(trouble: Trouble) -> None:
    trouble.with_slots(0)
    trouble.database_full()
    asking = replace(trouble.emergency(), reasons=frozenset())
    with pytest.raises(DependencyError):
        read(trouble, asking, an_item(trouble))
    assert trouble.made.house.passage.spooling.owed == 0


def test_hidden_and_absent_answer_alike_when_no_trace_can_be_written(trouble: Trouble) -> None:
    trouble.with_slots(0)
    trouble.database_full()
    said: set[str] = set()
    for item in (an_item(trouble), "Observation/00000000-0000-4000-8000-000000000000"):
        with pytest.raises(DependencyError) as refused:
            read(trouble, trouble.made.as_staff("unrelated-doctor"), item)
        said.add(str(refused.value))
    assert len(said) == 1


def test_owed_traces_lost_with_the_process_are_said_in_the_ledger(trouble: Trouble) -> None:
    made = trouble.made
    trouble.with_slots(0)
    trouble.database_full()
    for _ in range(3):
        read(trouble, trouble.emergency(), an_item(trouble))
    # The process dies: what it owed is gone, the count in the two small files is not.
    trouble.with_slots(0)
    for end in (".one", ".two"):
        note = SpoolFile(trouble.spool.with_suffix(end), 0, 0)
        assert note.header()
        note.close()
    trouble.database_well()
    done = recover(made.house.passage)
    assert (done.owed, done.lost) == (0, 3)
    made.house.proving.checkpoint()
    report = made.house.proving.verify()
    assert report.ok
    gaps = [notice.parameters["count"] for notice in report.notices if notice.sentence == "ledger.notice-gap"]
    assert gaps == [3]
    assert recover(made.house.passage).lost == 0


def test_a_spool_left_by_a_dead_process_is_merged_when_the_house_opens(trouble: Trouble) -> None:
    made = trouble.made
    trouble.database_full()
    acts = [made.as_staff("team-doctor") for _ in range(3)]
    for asking in acts:
        read(trouble, asking, an_item(trouble))
    trouble.database_well()
    made.house.close()
    made.reopen()
    assert not made.house.passage.spooling.waiting
    told = [number for number in requests_traced(trouble) if number in {asking.request for asking in acts}]
    assert told == [asking.request for asking in acts]


def test_a_crash_between_the_merge_and_the_clearing_doubles_nothing(trouble: Trouble) -> None:
    made = trouble.made
    trouble.database_full()
    read(trouble, made.as_staff("team-doctor"), an_item(trouble))
    kept = made.settings.spool.read_bytes()
    trouble.database_well()
    assert recover(made.house.passage).merged == 1
    made.house.close()
    made.settings.spool.write_bytes(kept)
    made.reopen()
    assert not made.house.passage.spooling.waiting
    made.house.proving.checkpoint()
    report = made.house.proving.verify()
    assert report.ok
    assert report.late == 1


# On a real small disk.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A volume of 200 MB of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None:
        pytest.skip("no mount command here")
    options = [mount, "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(folder)]
    if subprocess.run(options, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run([unmount, "-l", folder], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("ab", buffering=0) as filler:
        for step in (1_000_000, 4_096):
            try:
                while filler.write(os.urandom(step)) == step:
                    pass
            except OSError:
                continue


def test_traced_readings_go_on_from_the_reserve_of_a_full_disk(small_disk: Path) -> None:
    with installation(small_disk / "data") as made:
        item = made.item("maskable").partition("/")
        fill(small_disk)
        for _ in range(400):
            run(made.house.reading.read(made.as_staff("team-doctor"), item[0], item[2]))
        store = made.house.passage.store
        assert store.low_on_space
        assert "store.full" in store.alarms
        assert not made.house.passage.spooling.waiting
        with pytest.raises(StorageFullError):
            run(made.house.writing.delete(made.as_staff("attending"), item[0], item[2]))
        # A choice of the patient is small, and rules at once.
        run(made.house.choosing.mask(made.as_patient(), made.record(), made.item("maskable")))
        with pytest.raises(NotFoundError):
            run(made.house.reading.read(made.as_staff("team-doctor"), item[0], item[2]))
        (small_disk / "filler").unlink()
        report = made.house.proving.verify()
        assert report.ok or {fault.kind.value for fault in report.faults} == {"no-checkpoint"}
        read_at = [
            body
            for body in run(made.house.proving.trail(made.as_patient(), made.record()))
            if body.event.interaction is Interaction.READ
        ]
        assert len(read_at) >= 400

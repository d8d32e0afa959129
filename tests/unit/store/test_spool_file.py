"""The spool keeps what it acknowledged through kills and torn writes, and says when it cannot."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serment.errors import (
    ConflictError,
    DependencyError,
    IntegrityError,
    SettingsError,
    StorageFullError,
    TooLargeError,
)
from serment.store.spool_file import BLOCK, HEADER_MAX, SpoolFile

ROOT = Path(__file__).parents[3]
SLOTS, SLOT = 8, 500


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def spool(path: Path) -> Iterator[SpoolFile]:
    made = SpoolFile(path, SLOTS, SLOT)
    yield made
    made.close()


def reopened(path: Path) -> list[bytes]:
    again = SpoolFile(path, SLOTS, SLOT)
    found = again.entries()
    again.close()
    return found


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def slot(index: int) -> int:
    return (2 + index) * BLOCK


def test_entries_come_back_in_order_after_reopening(spool: SpoolFile, path: Path) -> None:
    assert [spool.append(b"entry %d" % turn) for turn in range(5)] == [0, 1, 2, 3, 4]
    assert spool.entries() == [b"entry %d" % turn for turn in range(5)]
    assert reopened(path) == spool.entries()


def test_an_empty_entry_is_an_entry(spool: SpoolFile) -> None:
    spool.append(b"")
    assert (spool.entries(), spool.count) == ([b""], 1)


def test_the_file_takes_its_room_when_made_and_never_grows(spool: SpoolFile, path: Path) -> None:
    before = path.stat()
    assert before.st_blocks * 512 >= before.st_size == (2 + SLOTS) * BLOCK
    for _ in range(SLOTS):
        spool.append(os.urandom(SLOT))
    spool.put_header(os.urandom(HEADER_MAX))
    assert path.stat().st_size == before.st_size


def test_a_full_spool_says_so_and_keeps_what_it_has(spool: SpoolFile) -> None:
    for turn in range(SLOTS):
        assert not spool.full
        spool.append(bytes([turn]))
    assert spool.full
    with pytest.raises(StorageFullError):
        spool.append(b"one more")
    assert spool.entries() == [bytes([turn]) for turn in range(SLOTS)]


def test_what_does_not_fit_is_refused_whole(spool: SpoolFile) -> None:
    with pytest.raises(TooLargeError):
        spool.append(bytes(SLOT + 1))
    with pytest.raises(TooLargeError):
        spool.put_header(bytes(HEADER_MAX + 1))
    assert (spool.count, spool.header()) == (0, b"")


def test_cleared_entries_leave_no_byte_and_slots_are_used_again(spool: SpoolFile, path: Path) -> None:
    marks = [os.urandom(16) for _ in range(3)]
    for mark in marks:
        spool.append(mark)
    spool.put_header(b"size and root")
    spool.entries()
    spool.clear()
    assert not any(mark in path.read_bytes() for mark in marks)
    assert (spool.entries(), spool.header()) == ([], b"size and root")
    assert spool.append(b"next") == 0


def test_clear_refuses_while_entries_came_that_nobody_read(spool: SpoolFile, path: Path) -> None:
    other = SpoolFile(path, SLOTS, SLOT)
    spool.append(b"read")
    spool.entries()
    other.append(b"not read")
    with pytest.raises(ConflictError):
        spool.clear()
    assert spool.entries() == [b"read", b"not read"]
    spool.clear()
    assert other.entries() == []
    assert other.append(b"next") == 0
    other.close()


def test_a_torn_last_entry_was_never_acknowledged_and_its_slot_is_used_again(
    spool: SpoolFile, path: Path
) -> None:
    spool.append(b"whole")
    overwrite(path, slot(1), os.urandom(60))
    assert reopened(path) == [b"whole"]
    again = SpoolFile(path, SLOTS, SLOT)
    assert again.append(b"next") == 1
    assert again.entries() == [b"whole", b"next"]
    again.close()


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_in_an_entry_that_others_follow_is_found_and_never_written_over(
    spool: SpoolFile, path: Path, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - dice for a test
    for turn in range(4):
        spool.append(bytes([turn]) * SLOT)
    place = slot(dice.randrange(3)) + dice.randrange(32 + 20 + SLOT)
    content = path.read_bytes()[place]
    overwrite(path, place, bytes([content ^ 1 << dice.randrange(8)]))
    again = SpoolFile(path, SLOTS, SLOT)
    with pytest.raises(IntegrityError):
        again.entries()
    assert again.append(b"next") == 4
    again.close()


def test_a_torn_header_leaves_the_one_before(spool: SpoolFile, path: Path) -> None:
    spool.put_header(b"first")
    spool.put_header(b"second")
    blocks = path.read_bytes()[: 2 * BLOCK]
    newest = 0 if b"second" in blocks[:BLOCK] else BLOCK
    overwrite(path, newest, os.urandom(50))
    again = SpoolFile(path, SLOTS, SLOT)
    assert again.header() == b"first"
    again.close()


def test_both_headers_damaged_is_damage_and_not_an_empty_spool(spool: SpoolFile, path: Path) -> None:
    spool.append(b"entry")
    overwrite(path, 0, os.urandom(2 * BLOCK))
    with pytest.raises(IntegrityError):
        SpoolFile(path, SLOTS, SLOT)


def test_a_crash_while_the_file_was_made_leaves_nothing_to_mend(path: Path) -> None:
    path.write_bytes(bytes(3 * BLOCK))
    assert reopened(path) == []


def test_a_spool_of_another_shape_is_refused(spool: SpoolFile, path: Path) -> None:
    with pytest.raises(SettingsError):
        SpoolFile(path, SLOTS + 1, SLOT)


def test_a_spool_in_a_folder_that_is_not_there_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        SpoolFile(tmp_path / "nowhere" / "spool", SLOTS, SLOT)


def test_a_disk_that_refuses_is_said(spool: SpoolFile, path: Path) -> None:
    read_only = SpoolFile(path, SLOTS, SLOT)
    handle = os.open(path, os.O_RDONLY)
    os.dup2(handle, read_only._handle)
    os.close(handle)
    with pytest.raises(DependencyError):
        read_only.append(b"entry")
    assert spool.entries() == []
    read_only.close()


WRITER = """
import os, sys
from pathlib import Path
from serment.store.spool_file import SpoolFile
spool = SpoolFile(Path(sys.argv[1]), 4000, 500)
while True:
    index = spool.append(os.urandom(16) * 30)
    os.write(1, b"%d\\n" % index)
    if index % 7 == 0:
        spool.put_header(b"%d" % index)
"""


def test_kill_9_loses_no_acknowledged_entry(path: Path) -> None:
    dice = random.Random(7)  # noqa: S311 - dice for a test
    acknowledged = -1
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout
        for _ in range(dice.randrange(1, 60)):
            acknowledged = int(process.stdout.readline())
        process.kill()
        for line in process.stdout:
            acknowledged = int(line) if line.endswith(b"\n") else acknowledged
        process.stdout.close()
        process.wait()
        spool = SpoolFile(path, 4000, 500)
        entries = spool.entries()
        assert len(entries) in {acknowledged + 1, acknowledged + 2}
        assert all(entry == entry[:16] * 30 for entry in entries)
        assert int(spool.header() or b"0") <= len(entries)
        spool.close()


def test_two_who_append_at_once_take_different_slots(path: Path) -> None:
    spools = [SpoolFile(path, 200, SLOT) for _ in range(2)]

    def append(turn: int) -> int:
        return spools[turn % 2].append(b"%d" % turn)

    with ThreadPoolExecutor(8) as threads:
        indexes = list(threads.map(append, range(200)))
    assert sorted(indexes) == list(range(200))
    assert spools[0].entries() == [b"%d" % turn for _, turn in sorted(zip(indexes, range(200), strict=True))]
    for spool in spools:
        spool.close()

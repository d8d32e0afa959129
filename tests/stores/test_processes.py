"""Several processes on one store, and processes that are killed while they write."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stores.acts import acknowledged_and_whole
from tests.stores.engines import Engine

KILLS = 24
ROOT = Path(__file__).parents[2]


def writer(engine: Engine, folder: Path, prefix: str, threads: int, acts: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.stores.acts", engine.name, str(folder), prefix]
    process = subprocess.Popen(
        [*command, str(threads), str(acts)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    return process


def start(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        assert process.stdin
        process.stdin.write(b"go\n")
        process.stdin.flush()


def acknowledgements(process: subprocess.Popen[bytes], most: int | None = None) -> list[bytes]:
    """Read `most` lines, or all until the end; a line cut short by a kill was not acknowledged."""
    assert process.stdout
    if most is not None:
        return [process.stdout.readline().rstrip(b"\n") for _ in range(most)]
    return [line.rstrip(b"\n") for line in process.stdout if line.endswith(b"\n")]


def end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    process.stdout.close()
    process.wait()


def test_two_processes_write_at_once_and_nothing_is_lost_or_doubled(engine: Engine, tmp_path: Path) -> None:
    engine.create(tmp_path).close()
    both = [writer(engine, tmp_path, name, threads=4, acts=150) for name in "ab"]
    start(*both)
    written = [name for process in both for name in acknowledgements(process)]
    for process in both:
        end(process)
    store = engine.open(tmp_path)
    assert len(written) == 1_200
    assert acknowledged_and_whole(store, written) == 1_200
    store.close()


def test_a_store_that_this_process_reads_is_written_by_another(engine: Engine, tmp_path: Path) -> None:
    store = engine.create(tmp_path)
    process = writer(engine, tmp_path, "a", threads=2, acts=50)
    with store.snapshot() as before:
        assert before.ledger_size() == 0
        start(process)
        written = acknowledgements(process)
        assert before.ledger_size() == 0
    end(process)
    assert acknowledged_and_whole(store, written) == 100
    store.close()


def kill_again_and_again(engine: Engine, folder: Path, kills: int, writers: int) -> None:
    engine.create(folder).close()
    seeded = random.Random(2026)  # noqa: S311 - dice for a test
    written: list[bytes] = []
    for turn in range(kills):
        processes = [writer(engine, folder, f"{turn}.{each}", 8, 1_000_000) for each in range(writers)]
        start(*processes)
        for process in processes:
            written += acknowledgements(process, seeded.randrange(1, 150))
            process.kill()
        for process in processes:
            written += acknowledgements(process)
            end(process)
    store = engine.open(folder)
    assert acknowledged_and_whole(store, written) >= len(written)
    store.close()


def test_kill_9_in_the_middle_of_group_commits_loses_nothing_acknowledged(
    engine: Engine, tmp_path: Path
) -> None:
    kill_again_and_again(engine, tmp_path, KILLS, writers=1)


def test_kill_9_of_one_process_does_not_stop_the_other(engine: Engine, tmp_path: Path) -> None:
    engine.create(tmp_path).close()
    killed = writer(engine, tmp_path, "killed", 4, 1_000_000)
    other = writer(engine, tmp_path, "other", 4, 150)
    start(killed, other)
    written = acknowledgements(killed, 60)
    killed.kill()
    written += acknowledgements(killed) + acknowledgements(other)
    assert sum(name.startswith(b"other") for name in written) == 600
    end(killed)
    end(other)
    store = engine.open(tmp_path)
    acknowledged_and_whole(store, written)
    store.close()


@pytest.mark.campaign
def test_kill_9_of_two_processes_a_hundred_times(engine: Engine, tmp_path: Path) -> None:
    kill_again_and_again(engine, tmp_path, 100, writers=2)

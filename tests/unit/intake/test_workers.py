"""Pieces made ready here and by workers: the same bytes, in the same order, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from serment.errors import DependencyError
from serment.intake.import_.messages import Ready
from serment.intake.import_.naming import Directory
from serment.intake.import_.prepare import Made, _parted
from serment.intake.import_.workers import AHEAD, Taken, Workers, alone
from serment.record import incoming
from serment.record.imports.lot import SPEAKING, Arrival
from tests.unit.intake.pieces import NOW, name, steps, written
from tests.vectors import MISSING, VECTORS


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("pieces") / "source")


def told(arrival: Arrival) -> dict[str, Any]:
    """Give everything that is known of an arrival; of its document what its writing looks at."""
    known = {one.name: getattr(arrival, one.name) for one in fields(arrival)}
    prepared = known.pop("prepared")
    if prepared is not None:
        known |= {one.name: getattr(prepared, one.name) for one in fields(prepared)}
        document = known.pop("document")
        known["text"] = (document.type, document.text)
        known["value"] = document.value if document.type in SPEAKING else None
        known["later"] = prepared.parts(arrival.id, 7, NOW)
    return known


def all_of(taken: Iterable[Taken]) -> list[Any]:
    return [(one.step, one.people, told_of(one.made)) for one in taken]


def told_of(made: Made) -> Any:
    return made.count, made.unresolved, [told(one) for one in made.arrivals]


def compare(folder: Path, count: int) -> int:
    """Make a folder ready both ways; give how many resources came."""
    here = all_of(alone(steps(folder), Directory(name)))
    with Workers(count) as crew:
        there = all_of(crew.made(steps(folder), Directory(name)))
    assert len(here) == len(there)
    for one, other in zip(here, there, strict=True):
        assert one == other
    return sum(made[0] for _, _, made in here)


@pytest.mark.parametrize("count", [2, 3])
def test_hostile_files_become_the_same_here_and_in_workers(source: Path, count: int) -> None:
    assert compare(source, count) > 200


@pytest.mark.skipif(not VECTORS.exists(), reason=MISSING)
def test_what_others_wrote_becomes_the_same_here_and_in_workers() -> None:
    assert compare(VECTORS / "synthea", 2) == 2570
    assert compare(VECTORS / "fhir-r4-examples", 2) == 634


def test_jobs_do_not_run_ahead_without_end(source: Path) -> None:
    walked: list[object] = []

    def counted() -> Any:
        for step in steps(source):
            walked.append(step)
            yield step

    with Workers(2) as crew:
        for place, _ in enumerate(crew.made(counted(), Directory(name))):
            assert len(walked) <= place + 1 + 2 * AHEAD


def test_a_worker_that_is_killed_ends_the_import_with_a_sentence(source: Path) -> None:
    with Workers(2) as crew:
        made = crew.made(steps(source), Directory(name))
        begun(made)
        os.kill(crew.processes[1], signal.SIGKILL)
        with pytest.raises(DependencyError) as raised:
            list(made)
    assert raised.value.sentence == "importing.worker-ended"
    assert not any(running(process) for process in crew.processes)


def test_no_worker_outlives_the_block_that_started_it(source: Path) -> None:
    with Workers(2) as crew:
        list(crew.made(steps(source), Directory(name)))
        assert all(running(process) for process in crew.processes)
    assert not any(running(process) for process in crew.processes)
    crew = Workers(2)
    with pytest.raises(KeyError):
        broken_off(crew, source)
    assert not any(running(process) for process in crew.processes)


def broken_off(crew: Workers, source: Path) -> None:
    with crew:
        begun(crew.made(steps(source), Directory(name)))
        raise KeyError


def begun(made: Iterator[Taken]) -> Taken:
    """Take until something was really read by a worker."""
    return next(taken for taken in made if taken.made.count)


PARENT = """
import sys
from pathlib import Path
from serment.intake.import_.naming import Directory
from serment.intake.import_.workers import Workers
from tests.unit.intake.pieces import name, steps
crew = Workers(2)
made = crew.made(steps(Path(sys.argv[1])), Directory(name))
if len(sys.argv) > 2:
    next(taken for taken in made if taken.made.count)
next(made)
print(*crew.processes, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("when", [[], ["at-work"]], ids=["starting", "at-work"])
def test_no_worker_outlives_an_import_killed_with_9(source: Path, when: list[str]) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(source), *when],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    workers = [int(one) for one in parent.stdout.readline().split()]
    assert all(running(one) for one in workers)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    assert ended(workers)


def test_a_worker_leaves_no_core_and_nobody_looks_into_it(source: Path) -> None:
    with Workers(1) as crew:
        begun(crew.made(steps(source), Directory(name)))
        (worker,) = crew.processes
        limits = Path(f"/proc/{worker}/limits").read_text()
        assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")] == [
            ["0", "0"]
        ]
        assert Path(f"/proc/{worker}/mem").stat().st_uid == 0
        files = [one for one in Path(f"/proc/{worker}/fd").iterdir() if one.name != "2"]
        assert {os.readlink(one).partition(":")[0] for one in files} == {"pipe"}


def running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ended(processes: list[int]) -> bool:
    """Say whether all of them end; the kernel needs a moment to end what it was told to kill."""
    until = time.monotonic() + 20
    while any(running(one) for one in processes):
        if time.monotonic() > until:
            return False
        os.sched_yield()
    return True


def test_what_an_item_names_is_known_here_and_in_workers() -> None:
    claim = {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"text": "x"},
        "occurrenceDateTime": "2026-01-01",
        "patient": {"reference": "Patient/p"},
        "encounter": {"reference": "Encounter/e"},
    }
    whole = incoming.read(json.dumps(claim).encode())
    assert set(whole.named) == {"Patient/p", "Encounter/e"}
    arrival = Arrival("Immunization", "k", "i", b"", b"", _parted(whole, "i", NOW), "", linked=False)
    ready = Ready.of(1, Made(1, [arrival], 0))
    (back,) = ready.made().arrivals
    assert back.prepared is not None
    assert back.prepared.named == whole.named

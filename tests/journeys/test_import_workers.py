"""An import with workers stores what one without stores: the same bytes, the same report, and as safely."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from serment import app, settings
from serment.errors import DependencyError
from serment.intake import import_
from serment.intake.import_.report import ImportReport
from serment.intake.import_.workers import WORKER
from serment.keys.openings import SealedRow, unsealed
from serment.model import Instant
from serment.record.house import House
from serment.record.index import Entry, decode_pack
from serment.record.persons.register import TYPE
from serment.record.scrub import every_record
from tests.installation import CHEAP, PASSPHRASE, Installation, bare_installation
from tests.unit.intake.pieces import NOW, written
from tests.vectors import MISSING, VECTORS

STRUCTURE = "cabinet-des-tilleuls"
CLOCK = Instant(NOW + 1)


class Stored(dict[tuple[str, str, int, str], tuple[bytes, bytes, object]]):
    """Body, values and class by type, id, version and part."""


@contextmanager
def twin(folder: Path) -> Iterator[House]:
    """Open a copy of an installation whose clock stands still."""
    chosen = settings.read({}, folder, 0)
    with ExitStack() as ending:
        custody = app.start_custody(chosen, *CHEAP)
        ending.callback(custody.stop)
        with app.lent_custody(chosen) as client:
            app.unlock(chosen, client, PASSPHRASE)
        house = app.open_house(chosen)
        ending.callback(house.close)
        yield House.of(replace(house.passage, clock=lambda: CLOCK), house.custody, house.kind, house.base)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an installation that holds nobody, to be copied: its copies name an import alike."""
    folder = tmp_path_factory.mktemp("twins") / "empty"
    with bare_installation(folder):
        pass
    return folder


def taken_in(empty: Path, folder: Path, source: Path, workers: int) -> tuple[list[dict[str, Any]], Stored]:
    """Import twice into a copy; give what was reported and all that is stored."""
    shutil.copytree(empty, folder)
    with twin(folder) as house:
        reports = [imported(house, source, workers) for _ in range(2)]
        return [asdict(replace(one, seconds=0.0)) for one in reports], stored(house)


def imported(house: House, source: Path, workers: int) -> ImportReport:
    asking = import_.service(house, STRUCTURE)
    return import_.run(house, source, asking, name="source", workers=workers)


def stored(house: House) -> Stored:
    """Open everything: bodies and values by type, id, version and part, with the class."""
    passage, kept = house.passage, Stored()
    asking = import_.service(house, STRUCTURE)
    with passage.store.snapshot() as snapshot:
        for record in every_record(snapshot):
            view = passage.view(snapshot, asking, record)
            units = view.head.classes()
            for ref in view.head.packs:
                unit = units[ref.unit]
                (pack,) = snapshot.packs(record, [ref.number])
                at = view.keys.pack_at(ref.number, unit)
                for entry in decode_pack(unsealed(view.keys, SealedRow(at, pack.sealed, unit, ref.tag))):
                    name = (entry.type, entry.id, entry.version, entry.part)
                    assert name not in kept
                    if entry.type == TYPE:  # named by the random token of a record
                        continue
                    kept[name] = (body(snapshot, view, unit, entry), bytes(entry.values), unit)
    return kept


def body(snapshot: Any, view: Any, unit: Any, entry: Entry) -> bytes:
    if entry.body == 0:  # what stands in the entry itself has no body
        return b""
    if entry.type == "Quarantine":
        ((_, sealed),) = snapshot.quarantined(entry.body - 1, 1)
        at = view.keys.quarantine_at(entry.id)
    else:
        ((_, sealed),) = snapshot.bodies(view.record, [entry.body])
        at = view.keys.body_at(entry.type, entry.id, entry.version, entry.part)
    plain = unsealed(view.keys, SealedRow(at, sealed, unit, entry.tag))
    # A manifest names its blob by chance: what it holds is compared where pieces are made.
    return plain[:1] if plain.startswith(b"\x01") else plain


def compare(empty: Path, folder: Path, source: Path) -> dict[str, Any]:
    alone = taken_in(empty, folder / "alone", source, 1)
    helped = taken_in(empty, folder / "helped", source, 3)
    assert alone[0] == helped[0]
    assert alone[1].keys() == helped[1].keys()
    different = [name for name, whole in alone[1].items() if helped[1][name] != whole]
    assert different == []
    return alone[0][0]


def test_hostile_files_are_stored_the_same_with_workers(empty: Path, tmp_path: Path) -> None:
    report = compare(empty, tmp_path, written(tmp_path / "source"))
    assert report["received"] == report["created"] + report["already"] + report["quarantined"]
    assert report["created"] > 140
    assert len(report["reasons"]) > 8


@pytest.mark.skipif(not VECTORS.exists(), reason=MISSING)
@pytest.mark.capability("0-05", "lets")
def test_what_others_wrote_is_stored_the_same_with_workers(empty: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for file in [*sorted((VECTORS / "synthea").glob("[A-F]*.gz")), *(VECTORS / "synthea").glob("*Info*.gz")]:
        shutil.copyfile(file, source / file.name)
    report = compare(empty, tmp_path, source)
    assert report["quarantined"] == 0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with bare_installation(tmp_path / "data") as made:
        yield made


def test_a_worker_that_is_killed_loses_nothing(house: Installation, tmp_path: Path) -> None:
    """The import says so and stops; the next one goes on from there and ends as if nothing had been."""
    source = written(tmp_path / "source")

    def kill(progress: import_.ImportProgress) -> None:
        if progress.resources > 30:
            for worker in children(os.getpid())[:1]:
                os.kill(worker, signal.SIGKILL)

    asking = import_.service(house.house, STRUCTURE)
    with pytest.raises(DependencyError, match="goes on where it was"):
        import_.run(house.house, source, asking, name="source", workers=2, progress=kill)
    report = imported(house.house, source, 2)
    assert report.resumed
    assert report.received == report.stored + report.quarantined
    again = imported(house.house, source, 1)
    assert (again.created, again.updated, again.already) == (0, 0, report.stored)
    assert again.quarantined == report.quarantined
    house.house.proving.checkpoint()
    assert house.house.proving.examine().ok


def test_an_import_killed_with_9_leaves_no_worker(house: Installation, tmp_path: Path) -> None:
    source = written(tmp_path / "source")
    house.house.close()
    command = [sys.executable, "-m", "tests.journeys.importer", str(house.settings.directory), str(source)]
    process = subprocess.Popen(
        [*command, STRUCTURE, "2"], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("lot")
    workers = children(process.pid)
    assert len(workers) == 2
    process.kill()
    process.wait()
    process.stdout.close()
    for worker in workers:
        while Path(f"/proc/{worker}").exists() and WORKER in command_of(worker):
            os.sched_yield()
    house.reopen()
    report = imported(house.house, source, 2)
    assert report.received == report.stored + report.quarantined


def children(process: int) -> list[int]:
    """Give the workers of a process."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(one) for one in text.split() if WORKER in command_of(int(one))]


def command_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""

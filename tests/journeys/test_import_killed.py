"""An import killed with -9, at any lot, goes on where it stopped: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from serment.demo.people import directory
from serment.demo.population import bundles_for
from serment.intake import import_
from serment.record.founding import RECORDS
from serment.record.scrub import every_record
from tests.installation import Installation, bare_installation

STRUCTURE = "cabinet-des-tilleuls"
OWN_RECORDS = len(RECORDS)
PATIENTS = 40
EACH = 12


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with bare_installation(tmp_path / "data") as made:
        yield made


def written(folder: Path) -> int:
    """Write bundles, a directory and NDJSON with something for the quarantine; give how many resources."""
    folder.mkdir()
    people = directory()
    (folder / "people.json").write_text(json.dumps(people))
    today = datetime.now(UTC).date()
    for place, patient in enumerate(bundles_for(PATIENTS, EACH, today=today)):
        (folder / f"{place:03}.json").write_text(json.dumps(patient.bundle, ensure_ascii=False))
    lines: list[dict[str, Any]] = [{"resourceType": "Patient", "id": f"line-{n}"} for n in range(300)]
    lines += [flag(f"line-{n}") for n in range(300)] + [flag("nobody")]
    lines.sort(key=lambda line: hash_of(str(line["id"])))
    (folder / "lines.ndjson").write_text("\n".join(json.dumps(line) for line in lines))
    return len(people["entry"]) + PATIENTS * EACH + len(lines)


def hash_of(name: str) -> int:
    """Give an order that is no order, the same at every run."""
    return zlib.crc32(name.encode())


def flag(of: str) -> dict[str, Any]:
    subject = {"reference": f"Patient/{of}"}
    return {
        "resourceType": "Flag",
        "id": f"of-{of}",
        "status": "active",
        "code": {"text": "x"},
        "subject": subject,
    }


def started(data: Path, source: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.journeys.importer", str(data), str(source), STRUCTURE]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def killed_after(lots: int, data: Path, source: Path) -> bool:
    """Start the import and kill it once so many lots were told of; say whether it was still running."""
    process = started(data, source)
    assert process.stdout is not None
    for _ in range(lots):
        if not process.stdout.readline().startswith("lot"):
            break
    process.kill()
    left = process.stdout.read()
    process.wait()
    process.stdout.close()
    return not left.rstrip().endswith("}")


def ended(data: Path, source: Path) -> dict[str, Any]:
    process = started(data, source)
    out, _ = process.communicate()
    assert process.returncode == 0
    report: dict[str, Any] = json.loads(out.rstrip().splitlines()[-1])
    return report


def killed_and_resumed(house: Installation, source: Path, kills: list[int]) -> None:
    expected = written(source)
    data = house.settings.directory
    house.house.close()
    cut = list(takewhile(bool, (killed_after(lots, data, source) for lots in kills)))
    assert cut
    if len(cut) == len(kills):
        report = ended(data, source)
        # A run that had ended but not said so when it was killed began again, and met itself.
        stored = report["created"] + report["already"]
        assert (report["received"], stored, report["quarantined"]) == (expected, expected - 1, 1)
        assert report["updated"] == 0
    house.reopen()
    with house.house.passage.store.snapshot() as snapshot:
        assert len(list(every_record(snapshot))) == OWN_RECORDS + PATIENTS + 300
    again = import_.run(house.house, source, import_.service(house.house, STRUCTURE), name="former-software")
    assert (again.created, again.updated, again.already, again.quarantined) == (0, 0, expected - 1, 1)
    assert len(import_.listed(house.house, import_.service(house.house, STRUCTURE))) == 1
    house.house.proving.checkpoint()
    assert house.house.proving.verify().ok


@pytest.mark.capability("2-01", "refuses")
def test_killed_five_times_it_ends_as_if_it_had_not_been(house: Installation, tmp_path: Path) -> None:
    killed_and_resumed(house, tmp_path / "source", [1, 3, 6, 9, 12])


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_lot_it_ends_as_if_it_had_not_been(
    house: Installation, tmp_path: Path, seed: int
) -> None:
    lots = [1 + hash_of(f"{seed}/{kill}") % 8 for kill in range(15)]
    killed_and_resumed(house, tmp_path / "source", lots)

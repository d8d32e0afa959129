"""The thief who has the disk, and nothing else: what of all these people can be read from its bytes.

The search is tried on a planted page first: a search that finds nothing anywhere proves nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serment.demo.population import DemoPatient
from serment.demo.thieves.traits import findings_of, names_of, traits_of
from serment.record.probes.disk import DiskSearch, search


@dataclass(frozen=True, slots=True)
class Loot:
    """How many people were looked for, what the search gave, and whether it finds what is planted."""

    people: int
    search: DiskSearch
    planted_found: bool


def loot(folder: Path, patients: Sequence[DemoPatient]) -> Loot:
    """Look below `folder` for names, numbers, dates, addresses, telephones, codes and words of care."""
    wanted: set[str] = set()
    for patient in patients:
        wanted |= traits_of(patient) | findings_of(patient)
    return Loot(len(patients), search(folder, wanted), _finds(names_of(patients[0])[0]))


def _finds(name: str) -> bool:
    """Say whether the search finds a name on a page of bytes where it does stand."""
    with tempfile.TemporaryDirectory(prefix="serment-planted-") as folder:
        (Path(folder) / "page").write_bytes(bytes(4096) + name.encode() + bytes(4096))
        return search(Path(folder), [name]).found == 1

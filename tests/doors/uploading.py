"""An upload in a process of its own, that never ends: the test kills it. Prints once chunks are stored.

Run as `python -m tests.doors.uploading DIRECTORY PATIENT`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from serment import app, settings
from serment.demo.people import Person
from serment.demo.population import population
from serment.demo.store import DemoStore
from serment.record.blobs import CHUNK
from serment.record.streaming import Upload

STORED = 5


async def endless() -> AsyncIterator[bytes]:
    """Give a PDF that goes on for ever; say when some chunks of it are on the disk."""
    yield b"%PDF-1.7\n"
    for _ in range(STORED + 8):
        yield bytes(CHUNK)
        await asyncio.sleep(0)
    sys.stdout.write("stored\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main(directory: Path, patient: str) -> None:
    """Open the installation and upload."""
    house = app.open_house(settings.read({}, directory, 0))
    people = population(10, 2026, today=datetime.now(UTC).date(), pdf=False)
    doctor = people.cast["team-doctor"]
    if not isinstance(doctor, Person):
        raise TypeError("a doctor is a person of the practice")
    asking = DemoStore(house, people).asking(doctor.actor())
    upload = Upload("application/pdf", f"Patient/{patient}")
    asyncio.run(house.depositing.create(asking, upload, endless()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

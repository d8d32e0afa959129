"""An installation to measure: a demo store in a temporary folder, custody its own process, a grown record.

Order: making and ending it, growing one record to a size through the product's own transactions, asking.
The grown record is made of the demo population's charts, all turned to one patient: many classes (type ×
author), bodies of 0.3 to 3 KB, a few documents, written visit by visit by the doctors of the practice.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, partial
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

from serment import app, settings
from serment.demo import people
from serment.demo.people import Person
from serment.demo.population import DemoPatient, Population, population
from serment.demo.store import DemoStore, load
from serment.model import Actor, PatientId
from serment.record.asking import Asking
from serment.record.house import House
from serment.settings import Settings
from tests.stores.server import Server, new_server

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
STORES = (SQLITE, POSTGRESQL)

VISIT = 12
"""Resources that one transaction of a grown record writes: a visit and what it brings."""

ELSEWHERE = "Encounter/elsewhere"
_URN = re.compile(r"urn:uuid:[0-9a-f-]{36}")
_NOT_TWICE = frozenset({"Patient", "RelatedPerson", "Consent", "CareTeam"})


@dataclass(slots=True)
class Installation:
    """A running installation and the doctor whose reads are measured; `custody` is a process number."""

    settings: Settings
    house: House
    store: DemoStore
    people: Population
    doctor: Actor
    custody: int = 0
    written: dict[str, list[str]] = field(default_factory=dict)

    def asking(self, actor: Actor | None = None) -> Asking:
        """Ask as the doctor of the team, or as somebody else."""
        return self.store.asking(actor or self.doctor)

    def patient(self, place: int) -> PatientId:
        """Name the record of the patient at this place."""
        return self.store.ids[self.people.patients[place].key]

    def record(self, place: int) -> list[str]:
        """List the references that the demo and `grow` wrote in the record of the patient at this place."""
        made = [self.store.items[entry["fullUrl"]] for entry in self.people.patients[place].bundle["entry"]]
        return [*made, *self.written.get(self.people.patients[place].key, [])]


@contextmanager
def installation(patients: int = 12, store: str = SQLITE) -> Iterator[Installation]:
    """Make a demo store of so many patients in a temporary folder, and end it."""
    with opened(store) as (chosen, house, custody):
        made = population(patients, 2026, today=today(), pdf=False)
        loaded = DemoStore(house, made)
        asyncio.run(load(loaded, lambda _done, _all: None))
        doctor = made.cast["team-doctor"]
        assert isinstance(doctor, Person)
        yield Installation(chosen, house, loaded, made, doctor.actor(), custody)


@contextmanager
def opened(store: str = SQLITE, *options: str) -> Iterator[tuple[Settings, House, int]]:
    """Make a store that holds nobody, with its custody (`options` are its own): the number of its process."""
    with tempfile.TemporaryDirectory(prefix="serment-bench-") as folder:
        chosen = settings.read(on(store), Path(folder), free_port())
        custody = app.start_custody(chosen, *options)
        try:
            house = app.create(chosen, secrets.token_urlsafe(24), demo=True)
            try:
                yield chosen, house, custody.process.pid
            finally:
                house.close()
        finally:
            custody.stop()


def on(store: str) -> dict[str, str]:
    """Choose the store. PostgreSQL is a server that is started for this process."""
    return {} if store == SQLITE else {"SERMENT_STORE": database_server().database()}


@cache
def database_server() -> Server:
    """Start PostgreSQL once, with memory and housekeeping as a small machine would give it."""
    made = new_server()
    made.start(shared_buffers="256MB", max_wal_size="2GB", autovacuum="on")
    atexit.register(made.end)
    return made


def today() -> date:
    """Give the day: acts of care have windows."""
    return datetime.now(UTC).date()


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def grow(made: Installation, place: int, entries: int) -> int:
    """Write charts into the record of the patient at `place` until it holds `entries`; give how many."""
    patient = made.people.patients[place]
    written = made.written.setdefault(patient.key, [])
    held = len(patient.bundle["entry"]) + len(written)
    for author, visit in visits(made.people, patient, made.patient(place)):
        if held >= entries:
            break
        references = asyncio.run(_write(made, author, visit[: entries - held]))
        written += references
        held += len(references)
    return held


def visits(
    made: Population, patient: DemoPatient, id_: PatientId
) -> Iterator[tuple[Actor, list[tuple[str, str, dict[str, str]]]]]:
    """Give without end the charts of other patients, cut into visits and turned to one patient.

    Each entry comes as its own urn, its JSON and the map from urn to reference that its chart shares.
    """
    doctors = cycle([patient.attending, people.ATTENDING, *people.DOCTORS_OF_PRACTICE])
    charts = cycle([other for other in made.patients if other.key != patient.key])
    for chart, doctor in zip(charts, doctors, strict=False):
        links = {chart.patient: f"Patient/{id_}"}
        kept = [
            (entry["fullUrl"], json.dumps(entry["resource"], ensure_ascii=False), links)
            for entry in chart.bundle["entry"]
            if entry["resource"]["resourceType"] not in _NOT_TWICE
        ]
        for start in range(0, len(kept), VISIT):
            yield doctor.actor(), kept[start : start + VISIT]


def _named(known: dict[str, str], found: re.Match[str]) -> str:
    return known[found[0]]


async def _write(
    made: Installation, author: Actor, visit: list[tuple[str, str, dict[str, str]]]
) -> list[str]:
    inside = {urn for urn, _, _ in visit}
    entries = []
    for urn, text, links in visit:
        known = {name: name if name in inside else links.get(name, ELSEWHERE) for name in _URN.findall(text)}
        turned = _URN.sub(partial(_named, known), text)
        kind = json.loads(turned)["resourceType"]
        entries.append(
            f'{{"fullUrl":"{urn}","resource":{turned},"request":{{"method":"POST","url":"{kind}"}}}}'
        )
    raw = '{"resourceType":"Bundle","type":"transaction","entry":[' + ",".join(entries) + "]}"
    _, answers = await made.house.bundling.run(made.asking(author), raw.encode(), made.house.base)
    references = []
    for (urn, _, links), answer in zip(visit, answers, strict=True):
        parts = urlsplit(answer.location).path.split("/")
        at = parts.index("_history")
        links[urn] = f"{parts[at - 2]}/{parts[at - 1]}"
        references.append(links[urn])
    return references

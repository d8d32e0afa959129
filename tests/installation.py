"""A demo installation for tests: custody as its own process, a store, a small invented population.

Everything is real: the same composition root as the product. `installation` is a context manager, so
that a file makes one for itself (module-scoped) or one for a single test that breaks it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from serment import app, settings
from serment.demo.people import Person
from serment.demo.population import DemoPatient, population
from serment.demo.store import DemoStore, load
from serment.keys.custody.client import CustodyProcess
from serment.model import Actor, PatientId
from serment.record.asking import Asking
from serment.record.house import House
from serment.settings import Settings

PASSPHRASE = "cheval agrafe batterie correct"
CHEAP = ("--memory", "1024", "--soft", "1000000", "--hard", "1000000")
"""Custody for tests: a passphrase that costs little, and no budget of openings (its own tests spend it)."""

T = TypeVar("T")


@dataclass(slots=True)
class Installation:
    """An open installation, and who plays whom in it."""

    settings: Settings
    house: House
    store: DemoStore
    custody: CustodyProcess

    def staff(self, role: str) -> Actor:
        """Give a professional, secretary or officer of the cast."""
        person = self.store.people.cast[role]
        assert isinstance(person, Person)
        return person.actor()

    def patient(self, role: str = "patient") -> DemoPatient:
        """Give a patient of the cast."""
        patient = self.store.people.cast[role]
        assert isinstance(patient, DemoPatient)
        return patient

    def record(self, role: str = "patient") -> PatientId:
        """Give the id of a patient's record."""
        return self.store.ids[self.patient(role).key]

    def as_staff(self, role: str) -> Asking:
        """Ask as a professional of the cast."""
        return self.store.asking(self.staff(role))

    def as_patient(self, role: str = "patient") -> Asking:
        """Ask as a patient of the cast."""
        return self.store.asking(self.store.patient_actor(self.patient(role)))

    def item(self, name: str, role: str = "patient") -> str:
        """Give the reference (`Type/id`) of an item that a scene is about."""
        return self.store.items[self.patient(role).items[name]]


@contextmanager
def installation(folder: Path, patients: int = 10, *, demo: bool = True) -> Iterator[Installation]:
    """Make an installation below `folder`, load the population, and stop custody at the end."""
    chosen = settings.read({}, folder, 0)
    custody = app.start_custody(chosen, *CHEAP)
    try:
        house = app.create(chosen, PASSPHRASE, demo=demo)
        store = DemoStore(house, population(patients, 2026, today=datetime.now(UTC).date(), pdf=False))
        asyncio.run(load(store, lambda _done, _all: None))
        try:
            yield Installation(chosen, house, store, custody)
        finally:
            house.close()
    finally:
        custody.stop()


def run(awaitable: Coroutine[Any, Any, T]) -> T:
    """Run one call of the passage."""
    return asyncio.run(awaitable)

"""A demo installation for tests: custody as its own process, a store, a small invented population.

Everything is real: the same composition root as the product. `installation` is a context manager, so
that a file makes one for itself (module-scoped) or one for a single test that breaks it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from serment import app, settings
from serment.demo.people import Person
from serment.demo.population import DemoPatient, Population, bundles_for, population
from serment.demo.store import DemoStore, load
from serment.keys.custody.client import CustodyClient, CustodyProcess
from serment.model import Actor, PatientId
from serment.record.asking import Asking
from serment.record.house import House
from serment.settings import Settings
from tests.stores.server import server

STORE = os.environ.get("SERMENT_TEST_STORE", "sqlite")
"""Which store installations are made on: `sqlite`, or `postgresql` (a database of its own for each)."""

on_a_file = pytest.mark.skipif(STORE != "sqlite", reason="about the file of SQLite")

PASSPHRASE = "cheval agrafe batterie correct"
CHEAP = ("--memory", "1024", "--soft", "1000000", "--hard", "1000000")
"""Custody for tests: a passphrase that costs little, and no budget of openings (its own tests spend it)."""

T = TypeVar("T")


@dataclass(slots=True, repr=False)
class Installation:
    """An open installation, and who plays whom in it."""

    settings: Settings
    house: House
    store: DemoStore
    custody: CustodyProcess

    def reopen(self) -> House:
        """Open the house again, after a test has closed it. Raises what `app.open_house` does."""
        self.house = self.store.house = app.open_house(self.settings)
        return self.house

    def restart_custody(self, *, unlock: bool = True) -> None:
        """Start custody again, after a test has stopped or killed it."""
        self.custody = app.start_custody(self.settings, *CHEAP)
        if unlock:
            client = CustodyClient(app.custody_directory(self.settings))
            client.unlock(PASSPHRASE)
            client.close()

    def end(self) -> None:
        """Close what a test has left open."""
        self.house.close()
        self.custody.stop()

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


def chosen_for(folder: Path, store: str = STORE) -> Settings:
    """Choose the settings of an installation below `folder`, on `store`: that which this run is about."""
    return settings.read({"SERMENT_STORE": server().database()} if store == "postgresql" else {}, folder, 0)


@contextmanager
def installation(
    folder: Path, patients: int = 10, *, demo: bool = True, store: str = STORE
) -> Iterator[Installation]:
    """Make an installation below `folder`, load the population, and stop custody at the end."""
    today = datetime.now(UTC).date()
    people = population(patients, 2026, today=today, pdf=False)
    with _installed(chosen_for(folder, store), people, demo=demo) as made:
        yield made


@contextmanager
def bare_installation(folder: Path) -> Iterator[Installation]:
    """Make one that holds nobody yet; the cast is known, no record is made."""
    chosen = chosen_for(folder)
    people = population(10, 2026, today=datetime.now(UTC).date(), pdf=False)
    with ExitStack() as ending:
        custody = app.start_custody(chosen, *CHEAP)
        ending.callback(custody.stop)
        house = app.create(chosen, PASSPHRASE, demo=True)
        ending.callback(house.close)
        made = Installation(chosen, house, DemoStore(house, people), custody)
        ending.callback(made.end)
        yield made


@contextmanager
def _installed(chosen: Settings, people: Population, *, demo: bool) -> Iterator[Installation]:
    with ExitStack() as ending:
        custody = app.start_custody(chosen, *CHEAP)
        ending.callback(custody.stop)
        house = app.create(chosen, PASSPHRASE, demo=demo)
        ending.callback(house.close)
        store = DemoStore(house, people)
        asyncio.run(load(store, lambda _done, _all: None))
        made = Installation(chosen, house, store, custody)
        ending.callback(made.end)
        yield made


@contextmanager
def small_installation(folder: Path, patients: int = 2, resources: int = 5) -> Iterator[Installation]:
    """Make one whose records are few and light, for attacks that are tried a thousand times."""
    today = datetime.now(UTC).date()
    light = tuple(bundles_for(patients, resources, today=today))
    whole = population(10, 2026, today=today, pdf=False)
    cast = {**whole.cast, "patient": light[0], "light": light[0], "other": light[-1]}
    people = replace(whole, patients=light, choices=(), cast=cast)
    with _installed(chosen_for(folder), people, demo=True) as made:
        yield made


def run(awaitable: Coroutine[Any, Any, T]) -> T:
    """Run one call of the passage."""
    return asyncio.run(awaitable)

"""`make demo`: make a store in a folder of its own, print four links, serve until interrupted."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from serment import app, settings
from serment.demo.people import Person
from serment.demo.population import DemoPatient, population
from serment.demo.store import CARE_PURPOSES, DemoStore, load
from serment.model import Actor
from serment.settings import Settings, terminal_language
from serment.words import say


def show(patients: int, seed: int, port: int | None) -> None:
    """Make the store, print the links and serve. The store is thrown away at the end."""
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="serment-demo-"))
    chosen = settings.read(None, folder, port)
    custody = app.start_custody(chosen)
    try:
        house = app.create(chosen, secrets.token_urlsafe(24), demo=True)
        store = asyncio.run(_loaded(DemoStore(house, population(patients, seed, today=_today())), console))
        _say_links(console, chosen, store)
        app.serve(chosen, house, lambda: store.search_disk(folder))
    finally:
        custody.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _loaded(store: DemoStore, console: Console) -> DemoStore:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(say("demo.loading", terminal_language()), total=len(store.people.patients))
        await load(store, lambda done, _all: bar.update(task, completed=done))
    return store


def _today() -> date:
    return datetime.now(UTC).date()


def _say_links(console: Console, chosen: Settings, store: DemoStore) -> None:
    """Print one link for each person of the demonstration, each with a one-time code."""
    patient = store.people.cast["patient"]
    if not isinstance(patient, DemoPatient):
        raise TypeError("the patient of the links is a demo patient")
    record = f"/record/{store.ids[patient.key]}"
    links = [
        ("demo.link-doctor", _person(store, "team-doctor"), record),
        ("demo.link-patient", store.patient_actor(patient), "/me"),
        ("demo.link-stranger", _person(store, "unrelated-doctor"), record),
        ("demo.link-officer", _person(store, "officer"), "/officer"),
    ]
    console.print()
    console.print(say("demo.ready", terminal_language()), markup=False)
    for sentence, actor, to in links:
        code = store.house.sessions.issue(
            actor, CARE_PURPOSES[actor.kind], store.house.passage.clock(), once=True, to=to
        )
        console.print(f"\n  {say(sentence, terminal_language(), name=actor.name)}", markup=False)
        console.print(f"  {chosen.base}/enter/{code}", markup=False, soft_wrap=True)
    console.print(f"\n{say('demo.stop', terminal_language())}", markup=False)


def _person(store: DemoStore, role: str) -> Actor:
    person = store.people.cast[role]
    if not isinstance(person, Person):
        raise TypeError(f"{role} is not a professional")
    return person.actor()

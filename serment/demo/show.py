"""`make demo`: make a store in a folder of its own, print four links, serve until interrupted."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic

from joserfc.jwk import ECKey
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from serment import app, serving, settings
from serment.demo.enrolled import PROGRAM, enrol, let_in, provider_for
from serment.demo.life import live
from serment.demo.national import SimulatedNational
from serment.demo.people import Person
from serment.demo.population import DemoPatient, population
from serment.demo.store import CARE_PURPOSES, DemoStore, load
from serment.intake.import_ import ImportReport, run, service
from serment.model import Actor, ActorId, ActorKind
from serment.people.people import People
from serment.settings import Settings, terminal_language
from serment.words import say


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the demonstration: the sentence before it, who follows it, its address."""

    sentence: str
    actor: Actor
    address: str


def show(
    patients: int, seed: int, port: int | None, *, also: Path | None = None, as_json: bool = False
) -> None:
    """Make the store, print the links and serve. The store is thrown away at the end.

    The port is taken first (`ConflictError`): nobody waits for a store that cannot be served.
    """
    folder = Path(tempfile.mkdtemp(prefix="serment-demo-"))
    start = monotonic()
    try:
        listener = app.listen(settings.read(None, folder, port))
        chosen = replace(settings.read(None, folder, port), port=listener.getsockname()[1])
        people = population(patients, seed, today=_today())
        custody = app.start_custody(chosen)
        try:
            house = app.create(chosen, secrets.token_urlsafe(24), demo=True)
            store = asyncio.run(_loaded(DemoStore(house, people), quiet=as_json))
            if also is not None:
                bring(store, also)
            asyncio.run(live(store))
            with provider_for(house.kind, store) as provider:
                enrol(store, People.of(house), provider, chosen.base)
                _keep_key(chosen, let_in(store, People.of(house)))
                links = _links(chosen, store)
                (_as_object if as_json else _as_text)(chosen, store, links, monotonic() - start)
                serving.serve(chosen, listener, lambda: store.search_disk(folder), house, SimulatedNational())
        finally:
            custody.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bring(store: DemoStore, folder: Path) -> ImportReport:
    """Import other people's bundles into the practice, as it would on its first day, and say the count."""
    asking = service(store.house, store.people.people[0].structure)
    report = run(store.house, folder, asking)
    counts = {"received": report.received, "stored": report.stored, "quarantined": report.quarantined}
    Console(stderr=True).print(say("demo.imported", terminal_language(), folder=folder.name, **counts))
    return report


async def _loaded(store: DemoStore, *, quiet: bool) -> DemoStore:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, quiet=quiet), transient=True) as bar:
        task = bar.add_task(say("demo.loading", terminal_language()), total=len(store.people.patients))
        await load(store, lambda done, _all: bar.update(task, completed=done))
    return store


def _today() -> date:
    return datetime.now(UTC).date()


def _links(chosen: Settings, store: DemoStore) -> list[Link]:
    """Make one link for each person of the demonstration, each with a one-time code."""
    patient = store.people.cast["patient"]
    if not isinstance(patient, DemoPatient):
        raise TypeError("the patient of the links is a demo patient")
    record = f"/record/{store.ids[patient.key]}"
    daughter, mother = represented(store)
    visitors = [
        ("demo.link-doctor", _person(store, "team-doctor"), record),
        ("demo.link-patient", store.patient_actor(patient), "/me"),
        ("demo.link-stranger", _person(store, "unrelated-doctor"), record),
        ("demo.link-officer", _person(store, "officer"), "/officer"),
        ("demo.link-attending", _person(store, "attending"), "/today"),
        ("demo.link-nurse", _person(store, "nurse"), "/today"),
        ("demo.link-secretary", _person(store, "secretary"), "/reception"),
        ("demo.link-hospital", _person(store, "hospital-doctor"), "/today"),
        ("demo.link-mother", mother, f"/record/{mother.patient}"),
        ("demo.link-adolescent", daughter, "/me"),
        ("demo.link-dpo", _person(store, "dpo"), "/officer"),
        ("demo.link-researcher", _person(store, "researcher"), "/research"),
    ]
    return [Link(sentence, actor, _address(chosen, store, actor, to)) for sentence, actor, to in visitors]


def represented(store: DemoStore) -> tuple[Actor, Actor]:
    """Give the adolescent of the cast, and her mother as who represents her."""
    choice = next(one for one in store.people.choices if one.kind == "representative")
    child = next(one for one in store.people.patients if one.key == choice.patient)
    mother = next(one for one in store.people.patients if one.key == choice.kin)
    related = store.items[choice.item].partition("/")[2]
    name = store.patient_actor(mother).name
    proxy = Actor(ActorId(f"proxy:{related}"), ActorKind.PROXY, name, patient=store.ids[child.key])
    return store.patient_actor(child), proxy


def _address(chosen: Settings, store: DemoStore, actor: Actor, to: str) -> str:
    purpose, now = CARE_PURPOSES[actor.kind], store.house.passage.clock()
    return f"{chosen.base}/enter/{store.house.sessions.issue(actor, purpose, now, once=True, to=to)}"


def _keep_key(chosen: Settings, key: ECKey) -> None:
    """Keep the key of the program where whoever made the demonstration, and nobody else, reads it."""
    file = _key_file(chosen)
    file.touch(0o600, exist_ok=False)
    file.write_text(json.dumps(key.as_dict(private=True)))


def _key_file(chosen: Settings) -> Path:
    return chosen.directory / f"{PROGRAM}.jwk"


def _person(store: DemoStore, role: str) -> Actor:
    person = store.people.cast[role]
    if not isinstance(person, Person):
        raise TypeError(f"{role} is not a professional")
    return person.actor()


def _as_text(chosen: Settings, store: DemoStore, links: list[Link], seconds: float) -> None:
    """Print one idea a line; an address stands alone on its line and is never folded."""
    language = terminal_language()
    with store.house.passage.store.snapshot() as snapshot:
        traces = snapshot.ledger_size()
    counts = {"patients": len(store.ids), "items": len(store.items), "traces": traces}
    lines = [say("demo.made", language, seconds=f"{seconds:.1f}", **counts), "", say("demo.ready", language)]
    for link in links:
        lines += ["", f"  {say(link.sentence, language, name=link.actor.name)}", f"  {link.address}"]
    patient = store.people.cast["patient"]
    lines += ["", say("demo.sign-in", language), f"  {chosen.base}/sign-in"]
    lines += ["", say("demo.program", language, name=PROGRAM), f"  {_key_file(chosen)}"]
    lines += ["", say("demo.also", language)]
    lines += [f"  {_program()} ledger verify -d {chosen.directory}"]
    if isinstance(patient, DemoPatient):
        record = store.ids[patient.key]
        lines += [f"  {_program()} record show {record} --as team-doctor -d {chosen.directory}"]
    lines += ["", say("demo.stop", language)]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _program() -> str:
    """Name the command as it was called: `make demo` calls it by its path."""
    called = sys.argv[0]
    return called if Path(called).name == "serment" else "serment"


def _as_object(chosen: Settings, store: DemoStore, links: list[Link], seconds: float) -> None:
    """Print what a program needs to go on."""
    cast = {
        role: store.ids[one.key] for role, one in store.people.cast.items() if isinstance(one, DemoPatient)
    }
    answer = {
        "base": chosen.base,
        "directory": str(chosen.directory),
        "patients": cast,
        "sign_in": f"{chosen.base}/sign-in",
        "program": {"client": PROGRAM, "key": str(_key_file(chosen))},
        "links": {link.sentence.removeprefix("demo.link-"): link.address for link in links},
        "seconds": round(seconds, 1),
    }
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()

"""`serment demo attack`: thieves are let into a real installation, and what each got is said aloud.

Order: the installation, the thieves one after the other, what is printed. The thieves are those of
`tests/attacks`: what is shown here is what is tested. The installation is thrown away at the end.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from rich.console import Console

from serment import app, settings
from serment.demo.people import Person
from serment.demo.population import DemoPatient, population
from serment.demo.store import DemoStore, load
from serment.demo.thieves import rows
from serment.demo.thieves.disk import Loot, loot
from serment.demo.thieves.doors import OUTSIDERS, Take, asking, every_door
from serment.errors import GoneError, IntegrityError, NotFoundError
from serment.fhir.query import parse
from serment.model import Purpose, RecordToken
from serment.record.asking import Asking
from serment.record.house import House
from serment.settings import Settings, terminal_language
from serment.words import say

PATIENTS = 200


@dataclass(frozen=True, slots=True)
class Result:
    """What one thief did and got: two sentences and their blanks; `stopped` when nothing was lost unseen."""

    thief: str
    outcome: str
    stopped: bool
    blanks: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Stage:
    """An open installation and its invented people."""

    settings: Settings
    house: House = field(repr=False)
    store: DemoStore = field(repr=False)

    @property
    def file(self) -> Path:
        """Say where the database stands."""
        return self.settings.directory / app.STORE_FILE

    def patient(self, role: str = "patient") -> DemoPatient:
        """Give a patient of the cast."""
        found = self.store.people.cast[role]
        if not isinstance(found, DemoPatient):
            raise TypeError(f"{role} is not a patient")
        return found

    def asking(self, role: str) -> Asking:
        """Ask as a professional of the cast."""
        found = self.store.people.cast[role]
        if not isinstance(found, Person):
            raise TypeError(f"{role} is not a professional")
        return self.store.asking(found.actor())

    def record(self, role: str = "patient") -> RecordToken:
        """Give the token under which a record stands on the disk."""
        with self.house.passage.store.snapshot() as snapshot:
            reference = f"Patient/{self.store.ids[self.patient(role).key]}"
            return self.house.passage.resolve(snapshot, reference)[0].record


def run(console: Console, patients: int = PATIENTS) -> int:
    """Let every thief in. Gives 0 when each got nothing or was found, 4 otherwise."""
    started = monotonic()
    _say(console, "attack.opening", patients=patients)
    with stage(patients) as where:
        stopped = [told(console, where, thief) for thief in THIEVES]
    _say(console, "attack.stopped" if all(stopped) else "attack.lost", seconds=round(monotonic() - started))
    return 0 if all(stopped) else IntegrityError.exit_code


@contextmanager
def stage(patients: int) -> Iterator[Stage]:
    """Make an installation with invented people in a folder of its own, and throw it away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="serment-attack-"))
    chosen = settings.read({}, folder)
    custody = app.start_custody(chosen)
    try:
        house = app.create(chosen, secrets.token_urlsafe(24), demo=True)
        people = population(patients, today=datetime.now(UTC).date(), pdf=False)
        store = DemoStore(house, people)
        try:
            asyncio.run(load(store, lambda _done, _all: None))
            house.proving.checkpoint()
            yield Stage(chosen, house, store)
        finally:
            house.close()
    finally:
        custody.stop()
        shutil.rmtree(folder, ignore_errors=True)


# The thieves.


def disk(where: Stage) -> Result:
    """Search every byte of the folder for who the people are and what they have."""
    found: Loot = loot(where.settings.directory, where.store.people.patients)
    blanks: dict[str, object] = {
        "people": found.people,
        "traits": found.search.names,
        "megabytes": round(found.search.bytes / 1e6),
        "found": found.search.found,
    }
    return Result("attack.disk", "attack.disk-got", found.search.found == 0 and found.planted_found, blanks)


def ledger_row(where: Stage) -> Result:
    """Rewrite one row of the ledger, then ask for the verification."""
    with rows.recommitted_entry(where.file, rows.entries(where.file) // 2):
        report = where.house.proving.verify()
    clean = where.house.proving.verify()
    return Result(
        "attack.ledger", "attack.ledger-got", not report.ok and clean.ok, {"faults": len(report.faults)}
    )


def moved_row(where: Stage) -> Result:
    """Put a row of one patient in the place of another's."""
    mine = rows.bodies_of(where.file, where.record("patient"))[-1]
    theirs = rows.bodies_of(where.file, where.record("celebrity"))[-1]
    return _found_at_reading(where, "moved", lambda: rows.moved_body(where.file, mine, theirs))


def deleted_row(where: Stage) -> Result:
    """Delete a row of a record."""
    number = rows.bodies_of(where.file, where.record("patient"))[-1]
    return _found_at_reading(where, "deleted", lambda: rows.deleted_body(where.file, number))


def edited_fact(where: Stage) -> Result:
    """Give a record, by SQL, the care team and choices of another one."""
    here, there = where.record("patient"), where.record("celebrity")
    return _found_at_reading(where, "fact", lambda: rows.replaced_facts(where.file, here, there))


def operator(where: Stage) -> Result:
    """Ask for a record as those who keep the machine, the rules or the money, with every purpose."""
    patient = where.patient()
    id_ = where.store.ids[patient.key]
    items = [where.store.items[item] for item in patient.items.values()]
    total = Take()
    for actor in OUTSIDERS:
        for purpose in Purpose:
            take = asyncio.run(every_door(where.house, asking(where.house, actor, purpose), id_, items[:1]))
            total.tried += take.tried
            total.items += take.items
    return Result(
        "attack.operator",
        "attack.operator-got",
        total.items == 0,
        {"tried": total.tried, "items": total.items},
    )


def open_page(where: Stage) -> Result:
    """Open a list, let the patient mask an item of it, and go on to the next page."""
    patient = where.patient()
    id_ = where.store.ids[patient.key]
    me = where.store.patient_actor(patient)
    query = parse("Observation", [("patient", f"Patient/{id_}"), ("_count", "5")])
    first = asyncio.run(where.house.finding.search(where.asking("team-doctor"), query))
    item = first.served[0]
    asyncio.run(where.house.choosing.mask(where.store.asking(me), id_, f"{item.type}/{item.id}"))
    lost = _refused(where, item.id, first.next)
    again = asyncio.run(where.house.finding.search(where.asking("team-doctor"), query))
    asyncio.run(where.house.choosing.unmask(where.store.asking(me), id_, f"{item.type}/{item.id}"))
    gone = item.id not in {one.id for one in again.served} and again.total == first.total - 1
    return Result("attack.page", "attack.page-got", lost and gone)


def _refused(where: Stage, id_: str, token: str) -> bool:
    try:
        asyncio.run(where.house.searching.go_on(where.asking("team-doctor"), "Observation", token))
    except GoneError:
        pass
    else:
        return False
    try:
        asyncio.run(where.house.reading.read(where.asking("team-doctor"), "Observation", id_))
    except NotFoundError:
        return True
    return False


def _found_at_reading(where: Stage, name: str, act: Callable[[], AbstractContextManager[None]]) -> Result:
    """Read the whole record while the row is wrong: found and nothing served; and again once it is back."""
    with act():
        found = caught(where)
    return Result(f"attack.{name}", f"attack.{name}-got", found and not caught(where))


def caught(where: Stage) -> bool:
    """Read a whole record as its attending doctor: say whether something was found altered."""
    id_ = where.store.ids[where.patient().key]
    try:
        asyncio.run(where.house.showing.first_view(where.asking("attending"), id_, most=10**6))
    except IntegrityError:
        return True
    return False


THIEVES = (disk, ledger_row, moved_row, deleted_row, edited_fact, operator, open_page)


# What is printed.


def told(console: Console, where: Stage, thief: Callable[[Stage], Result]) -> bool:
    """Let one thief in and say what they did and got."""
    result = thief(where)
    _say(console, result.thief)
    _say(
        console, result.outcome if result.stopped else "attack.got-something", indent="    ", **result.blanks
    )
    return result.stopped


def _say(console: Console, sentence: str, indent: str = "", **blanks: object) -> None:
    console.print(f"{indent}{say(sentence, terminal_language(), **blanks)}", markup=False, highlight=False)

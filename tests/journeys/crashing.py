"""A server under mixed load, killed again and again: `python -m tests.journeys.crashing FOLDER KILLS SEED`.

The driver makes an installation, then for each kill forks a process that opens the house as a server
does and works (creates, updates, reads, masks, transactions, checkpoints, all at once), telling each
act that was acknowledged on a pipe. At a random line it is killed with SIGKILL; now and then custody is
killed first. At the end everything that was told is looked for, and the answer is printed as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from serment.errors import DependencyError, SermentError
from serment.fhir.query import parse
from serment.record import incoming
from serment.record.asking import Asking
from tests.installation import Installation, small_installation

PATIENTS = 4
TASKS = 8
LINES = 45
IN_TRANSACTION = 5
CUSTODY_EVERY = 6

Told = list[Any]


@dataclass
class Seen:
    """What was acknowledged, and what was begun, over every life of the server."""

    created: dict[str, str] = field(default_factory=dict)
    updated: dict[tuple[str, int], str] = field(default_factory=dict)
    read: list[tuple[int, str]] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)
    masked: dict[int, bool] = field(default_factory=dict)
    masking: dict[int, bool] = field(default_factory=dict)
    failed: int = 0

    def take(self, told: Told) -> None:
        """Take in one line of a server."""
        match told:
            case ["create", reference, marker]:
                self.created[reference] = marker
            case ["update", reference, version, marker]:
                self.updated[reference, version] = marker
            case ["read", patient, request]:
                self.read.append((patient, request))
            case ["transaction", tag]:
                self.whole.add(tag)
            case ["mask-begins", patient, on]:
                self.masking[patient] = on
            case ["mask", patient, on]:
                self.masked[patient] = on
            case _:
                self.failed += 1


class Load:
    """The work of one life of the server."""

    def __init__(self, made: Installation, pipe: int, seed: str) -> None:
        self.made = made
        self.pipe = pipe
        self.dice = random.Random(seed)  # noqa: S311 - dice for a test
        self.name = seed
        self.count = 0

    def tell(self, *told: object) -> None:
        """Tell one line, in one write: a kill cuts between lines, never inside one."""
        os.write(self.pipe, json.dumps(told).encode() + b"\n")

    async def run(self) -> None:
        """Work until killed."""
        acts = [self.create, self.update, self.read, self.transaction, self.checkpoint]
        await asyncio.gather(self.masks(), *(self.one_after_another(acts) for _ in range(TASKS)))

    async def one_after_another(self, acts: list[Callable[[int], Coroutine[Any, Any, None]]]) -> None:
        while True:
            with suppress(SermentError):
                await self.act(self.dice.choice(acts))

    async def act(self, one: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        try:
            await one(self.dice.randrange(PATIENTS))
        except DependencyError:
            self.tell("failed")
            raise

    def marker(self) -> str:
        self.count += 1
        return f"{self.name}.{self.count}"

    async def create(self, patient: int) -> None:
        marker = self.marker()
        ready = incoming.read(json.dumps(observation(self.made, patient, marker)).encode())
        written = await self.made.house.writing.create(doctor(self.made, patient), ready)
        self.tell("create", f"Observation/{written.id}", marker)
        self.created = (patient, written.id)

    created: tuple[int, str] = (-1, "")

    async def update(self, _patient: int) -> None:
        patient, id_ = self.created
        if patient < 0:
            return
        asking = doctor(self.made, patient)
        served = await self.made.house.reading.read(asking, "Observation", id_)
        marker = self.marker()
        changed = {**observation(self.made, patient, marker), "id": id_}
        ready = incoming.read(json.dumps(changed).encode())
        written = await self.made.house.writing.update(asking, ready, id_, served.version)
        self.tell("update", f"Observation/{id_}", written.version, marker)

    async def read(self, patient: int) -> None:
        asking = doctor(self.made, patient)
        await self.made.house.reading.read(asking, "Patient", self.made.store.ids[key(self.made, patient)])
        self.tell("read", patient, asking.request)

    async def transaction(self, patient: int) -> None:
        tag = f"T{self.marker()}"
        entry = [
            {
                "resource": observation(self.made, patient, f"{tag}/{place}"),
                "request": {"method": "POST", "url": "Observation"},
            }
            for place in range(IN_TRANSACTION)
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entry}
        house = self.made.house
        await house.bundling.run(doctor(self.made, patient), json.dumps(bundle).encode(), house.base)
        self.tell("transaction", tag)

    async def checkpoint(self, _patient: int) -> None:
        if self.dice.random() < 0.2:
            await asyncio.to_thread(self.made.house.proving.checkpoint)

    async def masks(self) -> None:
        on = True
        while True:
            for patient in range(PATIENTS):
                with suppress(SermentError):
                    await self.mask(patient, on=on)
            on = not on

    async def mask(self, patient: int, *, on: bool) -> None:
        choosing, asking = self.made.house.choosing, holder(self.made, patient)
        record, item = self.made.store.ids[key(self.made, patient)], masked_item(self.made, patient)
        self.tell("mask-begins", patient, on)
        if on:
            await choosing.mask(asking, record, item)
        else:
            await choosing.unmask(asking, record, item)
        self.tell("mask", patient, on)


def key(made: Installation, patient: int) -> str:
    return made.store.people.patients[patient].key


def doctor(made: Installation, patient: int) -> Asking:
    return made.store.asking(made.store.people.patients[patient].attending.actor())


def holder(made: Installation, patient: int) -> Asking:
    return made.store.asking(made.store.patient_actor(made.store.people.patients[patient]))


def masked_item(made: Installation, patient: int) -> str:
    entries = made.store.people.patients[patient].bundle["entry"]
    references = [made.store.items[entry["fullUrl"]] for entry in entries]
    return next(reference for reference in references if reference.startswith("Observation/"))


def observation(made: Installation, patient: int, marker: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{made.store.ids[key(made, patient)]}"},
        "effectiveDateTime": "2026-01-01",
        "valueQuantity": {"value": 72, "unit": "/min"},
        "note": [{"text": marker}],
    }


def one_life(made: Installation, seed: str, lines: int, custody_after: int) -> list[Told]:
    """Let a server live for `lines` lines, kill it, and give all that it told."""
    reads, writes = os.pipe()
    server = os.fork()
    if server == 0:
        os.close(reads)
        try:
            made.reopen()
            asyncio.run(Load(made, writes, seed).run())
        finally:
            os._exit(1)
    os.close(writes)
    told = b""
    with os.fdopen(reads, "rb", buffering=0) as pipe:
        while (count := told.count(b"\n")) < lines:
            if custody_after and count >= custody_after and made.custody.process.poll() is None:
                made.custody.kill()
            piece = pipe.read(4096)
            if not piece:
                raise RuntimeError("the server ended by itself")
            told += piece
        os.kill(server, signal.SIGKILL)
        while piece := pipe.read(4096):
            told += piece
    os.waitpid(server, 0)
    return [json.loads(line) for line in told[: told.rfind(b"\n") + 1].splitlines()]


async def lost(made: Installation, seen: Seen) -> list[str]:
    """Look for every acknowledged version; give what is not there or is another."""
    reading = made.house.reading
    gate = asyncio.Semaphore(64)

    async def whole(reference: str, version: int, marker: str) -> str:
        async with gate:
            type_, _, id_ = reference.partition("/")
            patient = owners[reference]
            with suppress(SermentError):
                served = await reading.vread(doctor(made, patient), type_, id_, version)
                if json.loads(served.body)["note"][0]["text"] == marker:
                    return ""
            return f"{reference}/{version}"

    owners = {
        reference: patient for patient in range(PATIENTS) for reference in await observations(made, patient)
    }
    missing = [reference for reference in seen.created if reference not in owners]
    wanted = [(reference, 1, marker) for reference, marker in seen.created.items() if reference in owners]
    wanted += [
        (reference, version, marker)
        for (reference, version), marker in seen.updated.items()
        if reference in owners
    ]
    found = await asyncio.gather(*(whole(*one) for one in wanted))
    return missing + [one for one in found if one]


async def observations(made: Installation, patient: int) -> dict[str, str]:
    """List every observation of a patient: reference → marker."""
    asking = doctor(made, patient)
    pairs = [("patient", made.store.ids[key(made, patient)]), ("_count", "500")]
    page = await made.house.searching.search(asking, parse("Observation", pairs))
    listed = {f"Observation/{one.id}": one.body for one in page.served}
    while page.next:
        page = await made.house.searching.go_on(asking, "Observation", page.next)
        listed |= {f"Observation/{one.id}": one.body for one in page.served}
    return {ref: json.loads(body).get("note", [{"text": ""}])[0]["text"] for ref, body in listed.items()}


async def half(made: Installation, seen: Seen) -> list[str]:
    """Give the transactions of which a part only stands, or that were acknowledged and are not there."""
    parts: dict[str, int] = dict.fromkeys(seen.whole, 0)
    for patient in range(PATIENTS):
        for marker in (await observations(made, patient)).values():
            if marker.startswith("T"):
                tag = marker.partition("/")[0]
                parts[tag] = parts.get(tag, 0) + 1
    return [tag for tag, count in parts.items() if count != IN_TRANSACTION]


async def untraced(made: Installation, seen: Seen) -> list[str]:
    """Give the acknowledged reads that the patient's own list does not show."""
    missing: list[str] = []
    for patient in range(PATIENTS):
        record = made.store.ids[key(made, patient)]
        told = {body.event.request for body in await made.house.proving.trail(holder(made, patient), record)}
        missing += [request for owner, request in seen.read if owner == patient and request not in told]
    return missing


def unruled(made: Installation, seen: Seen) -> list[int]:
    """Give the patients whose last acknowledged mask, or its lifting, does not stand."""
    wrong: list[int] = []
    passage = made.house.passage
    for patient, on in seen.masked.items():
        asking = holder(made, patient)
        with passage.store.snapshot() as snapshot:
            located, _ = passage.resolve(snapshot, f"Patient/{made.store.ids[key(made, patient)]}")
            choices = passage.view(snapshot, asking, located.record).facts.choices
        stands = any(choice.item == masked_item(made, patient) for choice in choices)
        if stands not in {on, seen.masking[patient]}:
            wrong.append(patient)
    return wrong


def campaign(folder: Path, kills: int, seed: int) -> dict[str, object]:
    """Kill `kills` times and say what was found."""
    dice = random.Random(seed)  # noqa: S311 - dice for a test
    seen = Seen()
    custody_kills = 0
    began = monotonic()
    with small_installation(folder, PATIENTS) as made:
        made.house.close()
        for turn in range(kills):
            lines = dice.randrange(1, LINES)
            custody_after = dice.randrange(lines) + 1 if turn % CUSTODY_EVERY == 2 else 0
            for told in one_life(made, f"{seed}-{turn}", lines, custody_after):
                seen.take(told)
            if made.custody.process.poll() is not None:
                custody_kills += 1
                made.restart_custody()
        killed_in = monotonic() - began
        made.reopen()
        made.house.proving.checkpoint()
        report = made.house.proving.verify()
        return {
            "kills": kills,
            "custody_kills": custody_kills,
            "created": len(seen.created),
            "updated": len(seen.updated),
            "read": len(seen.read),
            "transactions": len(seen.whole),
            "masks": len(seen.masked),
            "failed": seen.failed,
            "lost": asyncio.run(lost(made, seen)),
            "half": asyncio.run(half(made, seen)),
            "untraced": asyncio.run(untraced(made, seen)),
            "unruled": unruled(made, seen),
            "ledger": report.size,
            "rows": report.rows,
            "faults": [f"{fault.kind.value} {fault.sequence}" for fault in report.faults],
            "seconds_killing": round(killed_in, 1),
            "seconds": round(monotonic() - began, 1),
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(campaign(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))

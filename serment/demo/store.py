"""A demonstration store: the invented population written through the product's own doors.

Every record is created by its attending doctor in one transaction; the choices (a mask, a block, an
attending physician) are made by the patients themselves. Nothing is written around the passage.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from serment.demo.insi import LocalInsi, certified
from serment.demo.people import Person
from serment.demo.population import Choice, DemoPatient, Population
from serment.fhir import document
from serment.fhir.summary import person_name
from serment.identity.status import facts_of
from serment.model import Actor, ActorId, ActorKind, Category, PatientId, Purpose, RequestId
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.founding import FOUNDER
from serment.record.house import House
from serment.record.persons.identifying import Checked
from serment.record.probes.disk import DiskSearch, search
from serment.record.writing import new_id

CARE_PURPOSES = {
    ActorKind.PROFESSIONAL: Purpose.TREAT,
    ActorKind.STAFF: Purpose.PATIENT_ADMINISTRATION,
    ActorKind.OFFICER: Purpose.COMPLIANCE,
    ActorKind.RESEARCHER: Purpose.RESEARCH,
    ActorKind.PATIENT: Purpose.PATIENT_REQUEST,
    ActorKind.PROXY: Purpose.FAMILY_REQUEST,
}

CARER_READS = (Category.IDENTITY, Category.TREATMENTS, Category.ALLERGIES)
"""What the carer of the demonstration may read."""

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class DemoStore:
    """What the loader learnt: the ids that the server gave, and the names to look for on the disk."""

    house: House = field(repr=False)
    people: Population = field(repr=False)
    ids: dict[str, PatientId] = field(default_factory=dict, repr=False)
    items: dict[str, str] = field(default_factory=dict, repr=False)
    names: list[str] = field(default_factory=list, repr=False)

    def patient_actor(self, patient: DemoPatient) -> Actor:
        """Give the person as somebody who signs in to their own record."""
        id_ = self.ids[patient.key]
        name = person_name(patient.bundle["entry"][0]["resource"])
        return Actor(ActorId(f"patient:{id_}"), ActorKind.PATIENT, name, patient=id_)

    def search_disk(self, folder: Path) -> DiskSearch:
        """Look for every name in every byte below `folder`, as a thief with the disk would."""
        return search(folder, self.names)

    def asking(self, actor: Actor) -> Asking:
        """Ask as somebody of the demonstration."""
        purpose = CARE_PURPOSES[actor.kind]
        return Asking(actor, purpose, RequestId(new_id()), self.house.passage.clock())


async def load(store: DemoStore, progress: Progress) -> None:
    """Write the population. `progress` is told (patients done, patients in all)."""
    house, people = store.house, store.people
    house.identifying.service = LocalInsi(certified(one.traits) for one in people.patients)
    service = replace(FOUNDER, structure=people.people[0].structure)
    deposit = Asking(service, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), house.passage.clock())
    await house.bundling.run(deposit, json.dumps(people.directory).encode(), house.base)
    for place, patient in enumerate(people.patients):
        await _write(store, patient)
        progress(place + 1, len(people.patients))
    for choice in people.choices:
        await _choose(store, choice)


async def _write(store: DemoStore, patient: DemoPatient) -> None:
    """Create one record as its attending doctor."""
    asking = store.asking(patient.attending.actor())
    raw = json.dumps(patient.bundle, ensure_ascii=False).encode()
    _, made = await store.house.bundling.run(asking, raw, store.house.base)
    for entry, item in zip(patient.bundle["entry"], made, strict=True):
        type_, id_ = _made(item.location)
        store.items[entry["fullUrl"]] = f"{type_}/{id_}"
        if type_ == "Patient":
            store.ids[patient.key] = PatientId(id_)
    await _identify(store, patient)
    store.names += list(_names(patient))


async def _identify(store: DemoStore, patient: DemoPatient) -> None:
    """Make the identity as sure as it is to be, by the gestures of the doctor who knows the person."""
    asking, id_ = store.asking(patient.attending.actor()), store.ids[patient.key]
    identifying, base = store.house.identifying, store.house.base
    retrieved, proof = facts_of(patient.traits.status)
    card = Checked("CN") if proof else None
    if retrieved:
        shown = await identifying.search(asking, id_)
        await identifying.accept(asking, id_, shown.token, compared=True, proof=card, base=base)
    elif card is not None:
        await identifying.prove(asking, id_, card, base)


async def _choose(store: DemoStore, choice: Choice) -> None:
    """Make one choice as the patient would."""
    patient = next(one for one in store.people.patients if one.key == choice.patient)
    id_ = store.ids[choice.patient]
    asking = store.asking(store.patient_actor(patient))
    choosing = store.house.choosing
    if choice.kind == "mask":
        await choosing.mask(asking, id_, store.items[choice.item])
    elif choice.kind == "block":
        await choosing.block(asking, id_, choice.actor.removeprefix("rpps:"))
    elif choice.kind == "attending":
        await choosing.confirm_attending(asking, id_, choice.actor.removeprefix("rpps:"))
    elif choice.kind == "carer":
        related = store.items[choice.item].removeprefix("RelatedPerson/")
        await choosing.name_carer(asking, id_, related, CARER_READS, str(choice.until))
    elif choice.kind == "representative":
        await _represent(store, choice)


async def _represent(store: DemoStore, choice: Choice) -> None:
    """Record a mandate as the practice's secretary: the RelatedPerson is read and confirmed."""
    secretary = store.people.cast["secretary"]
    if not isinstance(secretary, Person):
        raise TypeError("the secretary is a person of the practice")
    asking = store.asking(secretary.actor())
    type_, _, id_ = store.items[choice.item].partition("/")
    served = await store.house.reading.read(asking, type_, id_)
    resource = document.read(served.body)
    await store.house.writing.update(asking, incoming.of(resource), id_, served.version)


def _made(location: str) -> tuple[str, str]:
    """Read type and id out of the address of a version."""
    parts = urlsplit(location).path.split("/")
    place = parts.index("_history")
    return parts[place - 2], parts[place - 1]


def _names(patient: DemoPatient) -> Iterator[str]:
    """Give what a thief would look for: the family names and the INS of a person."""
    resource = patient.bundle["entry"][0]["resource"]
    for name in resource.get("name", []):
        family = str(name.get("family", ""))
        if len(family) > 4:
            yield family
    yield patient.traits.matricule

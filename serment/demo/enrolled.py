"""The accounts of a demonstration, and the identity provider by which each of its people comes in.

Professionals come by a realm that speaks Pro Santé Connect's claims; patients, and whoever acts for one, by
the patients' own; office, security, data protection and research by the site's. The second associate has two
exercises; the locum stands in for the attending doctor from last week to next month. The program of a
laboratory is let in beside them: it has no page, and proves itself by its key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from joserfc.jwk import ECKey

from serment.app import StoreKind
from serment.demo.people import (
    ATTENDING,
    HOSPITAL,
    INTERN,
    LABORATORY,
    LOCUM,
    PRACTICE,
    SECOND_ASSOCIATE,
    STAFF,
    Person,
    of,
)
from serment.demo.population import Choice, DemoPatient
from serment.demo.provider import IdentityProvider, Realm, Visitor, psc_visitor
from serment.demo.store import DemoStore
from serment.fhir.summary import person_name
from serment.model import ActorKind, Function, Purpose, RequestId
from serment.people.accounts import Account, Exercise
from serment.people.clients import BACKEND, Client, Contract
from serment.people.people import People
from serment.people.providers import PSC_LABEL, Kind
from serment.record.asking import Asking
from serment.record.today import KEEPER
from serment.record.writing import new_id
from serment.words import Language, say

DAY: Final = 24 * 3600 * 1000
YEAR: Final = 365 * DAY
PROGRAM: Final = "laboratoire-du-val"
"""The one program of the demonstration."""
PSC: Final = "psc"
PATIENTS: Final = "patients"
SITE: Final = "site"
_FOR_OTHERS: Final = frozenset({"representative", "carer"})
"""Choices by which somebody acts for another."""
_KINDS: Final = {PSC: Kind.PSC, PATIENTS: Kind.PATIENT, SITE: Kind.SITE}


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One person of the demonstration: by which realm they come, as whom, in which exercises."""

    realm: str
    visitor: Visitor
    exercises: tuple[Exercise, ...]
    name: str


def provider_for(kind: StoreKind, store: DemoStore) -> IdentityProvider:
    """Make the provider that lists everybody. Raises `RefusedError` for a store of production."""
    people = list(everybody(store, store.house.passage.clock()))
    realms = [
        Realm(
            name,
            [one.visitor for one in people if one.realm == name],
            acr="eidas1" if name == PSC else "eidas2",
            algorithm="ES256" if name == SITE else "RS256",
        )
        for name in _KINDS
    ]
    return IdentityProvider(kind, realms)


def enrol(store: DemoStore, people: People, provider: IdentityProvider, base: str) -> None:
    """Register the provider for the doors at `base`, and make an account for everybody."""
    asking = _keeping(store)
    labels = {PSC: PSC_LABEL, **{name: say(f"demo.realm-{name}", Language.FR) for name in (PATIENTS, SITE)}}
    for realm, kind in _KINDS.items():
        people.providers.register(asking, provider.described(realm, kind, f"{labels[realm]} (démo)", base))
    for one in everybody(store, asking.now):
        subjects = () if one.realm == PSC else ((provider.issuer(one.realm), one.visitor.subject),)
        people.accounts.add(asking, Account("", one.name, one.exercises, "", subjects))


def everybody(store: DemoStore, now: int) -> Iterator[Enrolled]:
    """Say who comes in: the professionals, office and security, patients and representatives."""
    for person in STAFF:
        yield _professional(person, now) if person.kind is ActorKind.PROFESSIONAL else _of_site(person)
    yield from _patients(store)


def _professional(person: Person, now: int) -> Enrolled:
    where = (PRACTICE.id, HOSPITAL.id) if person is SECOND_ASSOCIATE else (person.structure,)
    exercises = [_exercise(person, str(number), place, now) for number, place in enumerate(where, 1)]
    return Enrolled(PSC, psc_visitor(person, where), tuple(exercises), person.name)


def _exercise(person: Person, id_: str, structure: str, now: int) -> Exercise:
    function = person.function if structure == person.structure else Function.HOSPITAL_DOCTOR
    locum = person is LOCUM
    return Exercise(
        id_,
        person.id,
        person.kind.value,
        function.value,
        person.profession,
        structure=structure,
        label=of(structure).name,
        supervisor=person.supervisor if person is INTERN else None,
        replaces=ATTENDING.id if locum else None,
        start=now - 7 * DAY if locum else 0,
        end=now + 30 * DAY if locum else None,
    )


def _of_site(person: Person) -> Enrolled:
    exercise = Exercise(
        "1",
        person.id,
        person.kind.value,
        person.function.value,
        person.profession,
        structure=person.structure,
        label=of(person.structure).name,
    )
    label = f"{person.name} · {say(f'ledger.function-{person.function.value}', Language.FR)}"
    return Enrolled(SITE, Visitor(person.id, label), (exercise,), person.name)


def _patients(store: DemoStore) -> Iterator[Enrolled]:
    """Say which patients come in: those of the cast, and whoever acts for one of them, as both."""
    acting = {choice.kin: choice for choice in store.people.choices if choice.kind in _FOR_OTHERS}
    cast = {one.key for one in store.people.cast.values() if isinstance(one, DemoPatient)}
    for patient in [one for one in store.people.patients if one.key in {*cast, *acting}]:
        actor = store.patient_actor(patient)
        exercises = [
            Exercise("1", actor.id, ActorKind.PATIENT.value, patient=actor.patient, label=actor.name)
        ]
        label = actor.name
        if patient.key in acting:
            choice = acting[patient.key]
            exercises.append(_for_another(store, choice))
            label += f" · {say(f'demo.acts-{choice.kind}', Language.FR, name=exercises[-1].label)}"
        yield Enrolled(PATIENTS, Visitor(patient.key, label), tuple(exercises), actor.name)


def _for_another(store: DemoStore, choice: Choice) -> Exercise:
    """Give the exercise of a representative or a carer, named as the record names them."""
    related = store.items[choice.item].partition("/")[2]
    other = next(one for one in store.people.patients if one.key == choice.patient)
    name = person_name(other.bundle["entry"][0]["resource"])
    record = store.ids[choice.patient]
    return Exercise("2", f"proxy:{related}", ActorKind.PROXY.value, label=name, patient=record)


def let_in(store: DemoStore, people: People) -> ECKey:
    """Let the laboratory's program in, and give the key by which it proves itself.

    It may ask for every Observation; a program that nobody stands before only deposits, whatever it asks.
    """
    asking = _keeping(store)
    key = ECKey.generate_key("P-384", parameters={"kid": "k1"})
    public = {name: str(value) for name, value in key.as_dict(private=False).items()}
    contract = Contract(
        LABORATORY.name,
        say("demo.program-purpose", Language.FR),
        "FR",
        "dpo@laboratoire.example",
        "convention 2026-03",
        asking.now + YEAR,
        asking.now - DAY,
    )
    people.programs.clients.add(
        asking,
        Client(
            PROGRAM,
            LABORATORY.name,
            BACKEND,
            contract,
            ("system/Observation.cruds", "system/DiagnosticReport.cruds"),
            keys=(public,),
            structure=PRACTICE.id,
        ),
    )
    return key


def _keeping(store: DemoStore) -> Asking:
    """Ask as whoever holds the machine."""
    now = store.house.passage.clock()
    return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)

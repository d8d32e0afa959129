"""The demo population: invented people, their records, the professionals, the cast of the links.

`population` makes all of it from a seed and a day, and nothing else: same seed and day, same bytes.
`bundles_for` makes many light records for load tests. Nothing here touches a store; no data here
concern a real person, and every number is of a test range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

from serment.demo import clinic, elsewhere, history, patients, people, resources, special
from serment.demo.history import Visit
from serment.demo.patients import Choice, DemoPatient, Filing, Kin
from serment.demo.people import Person
from serment.demo.resources import Chart, Json
from serment.demo.traits import Household, Register, Traits, draws
from serment.errors import RequestError

__all__ = ["Choice", "DemoPatient", "Kin", "Person", "Population", "bundles_for", "population"]

_ON_DUTY = (
    people.ATTENDING,
    people.ASSOCIATE,
    people.SECOND_ASSOCIATE,
    people.LOCUM,
    people.PRACTICE_NURSE,
)


@dataclass(frozen=True, slots=True)
class Population:
    """Everything that the demonstration is made of.

    `cast` names who plays whom: professionals (`attending`, `team-doctor`, `unrelated-doctor`, …)
    are `Person`, patients (`patient`, `mother`, `adolescent`, `celebrity`, …) are `DemoPatient`.
    """

    people: tuple[Person, ...]
    patients: tuple[DemoPatient, ...] = field(repr=False)
    directory: Json = field(repr=False)
    choices: tuple[Choice, ...] = field(repr=False)
    cast: Mapping[str, Person | DemoPatient] = field(repr=False)


def population(n: int = 200, seed: int = 2026, *, today: date, pdf: bool = True) -> Population:
    """Make `n` patients with five years of care up to `today`.

    `pdf=False` files one line of text in place of each PDF document. From `elsewhere.FROM` patients on, three
    have their scene in a care home or an emergency service. Raises `RequestError` under ten patients.
    """
    if n < special.LEAST:
        raise RequestError("demo.too-few", least=special.LEAST)
    register = Register(draws(seed), today)
    scene = special.Scene(seed, today, Filing(pdf))
    ten = tuple(special.people_of_scenes(register, scene))
    three = tuple(elsewhere.people_of_scenes(register, scene)) if n >= elsewhere.FROM else ()
    others = (
        _ordinary(traits, household, seed, today)
        for household in register.households(n - len(ten) - len(three))
        for traits in household.members
    )
    return Population(
        people=people.STAFF,
        patients=(*ten, *three, *others),
        directory=people.directory(),
        choices=special.choices(ten, today),
        cast=MappingProxyType({**_cast(ten), **elsewhere.cast(three)}),
    )


def bundles_for(
    n: int, resources_per_patient: int = 12, seed: int = 2026, *, today: date
) -> Iterator[DemoPatient]:
    """Make `n` light records of exactly `resources_per_patient` resources (four at least), one at a time.

    Each has its Patient, a visit of the last year by the attending doctor, one by another
    professional of the practice, an appointment of today with that one; measurements fill the rest.
    """
    register = Register(draws(seed), today)
    people_of_town = (traits for household in register.households(n) for traits in household.members)
    for place, traits in enumerate(people_of_town):
        yield _light(traits, place, resources_per_patient, seed, today)


def _cast(ten: tuple[DemoPatient, ...]) -> Mapping[str, Person | DemoPatient]:
    named = dict(zip(("patient", "husband", "mother", "father", "adolescent"), ten, strict=False))
    return MappingProxyType(
        {
            "attending": people.ATTENDING,
            "team-doctor": people.ASSOCIATE,
            "second-associate": people.SECOND_ASSOCIATE,
            "locum": people.LOCUM,
            "nurse": people.PRACTICE_NURSE,
            "secretary": people.SECRETARY_OF_PRACTICE,
            "officer": people.OFFICER,
            "dpo": people.DATA_PROTECTION,
            "researcher": people.RESEARCHER,
            "hospital-doctor": people.HOSPITAL_DOCTOR,
            "emergency-doctor": people.EMERGENCY_DOCTOR,
            "intern": people.INTERN,
            "unrelated-doctor": people.UNRELATED_DOCTOR,
            "pharmacist": people.PHARMACIST_OF_TOWN,
            "biologist": people.BIOLOGIST,
            "care-home-doctor": people.COORDINATOR,
            "care-home-nurse": people.CARE_HOME_NURSE,
            "emergency-nurse": people.EMERGENCY_NURSE,
            **named,
            "celebrity": ten[6],
            "masking": ten[7],
            "waiting": ten[8],
        }
    )


def _attending(household: Household) -> Person:
    """Give a household its doctor: one for all its members, the first doctor for one in two."""
    order = int(household.adults[0].key[1:])
    return people.ATTENDING if order % 2 else people.DOCTORS_OF_PRACTICE[1 + order % 4 // 2]


def _ordinary(traits: Traits, household: Household, seed: int, today: date) -> DemoPatient:
    """Write one record without a scene; every sixth patient comes today."""
    attending = _attending(household)
    chart = patients.start(traits, seed, attending, patients.parent_of(traits, household))
    kin = patients.link(chart, household)
    visits = history.write(chart, today, attending)
    history.appointments(chart, visits)
    place = int(traits.key[1:])
    if place % 6 == 0:
        on_duty = _ON_DUTY[place // 6 % len(_ON_DUTY)]
        visits.append(history.today_with(chart, today, on_duty, place // 6 // len(_ON_DUTY)))
    return patients.close(chart, attending, visits, today, kin)


def _light(traits: Traits, place: int, count: int, seed: int, today: date) -> DemoPatient:
    """Write one light record; who sees the patient today turns with `place`."""
    attending = people.DOCTORS_OF_PRACTICE[place % len(people.DOCTORS_OF_PRACTICE)]
    on_duty = _ON_DUTY[place // 3 % len(_ON_DUTY)]
    chart = patients.start(traits, seed, attending)
    first = max(today - timedelta(days=chart.rng.randint(30, 300)), traits.birth_date + timedelta(days=3))
    visits = [
        history.visit(chart, first, (attending,), "Consultation de suivi"),
        history.visit(
            chart, history.working(today - timedelta(days=20)), (on_duty,), patients.reason_of(on_duty)
        ),
        history.today_with(chart, today, on_duty, place // len(_ON_DUTY)),
    ]
    _fill(chart, count - len(chart.entries), visits[0], today)
    return patients.close(chart, attending, visits, today)


def _fill(chart: Chart, count: int, visit: Visit, today: date) -> None:
    """Add `count` measurements spread from the first visit to today."""
    tests = tuple(clinic.TESTS.values())
    span = max(1, (today - visit.day).days)
    for order in range(count):
        test = tests[order % len(tests)]
        value = round(max(test.mean / 4, chart.rng.gauss(test.mean, test.spread)), max(1, test.decimals))
        day = visit.day + timedelta(days=order * span // max(1, count))
        chart.add(resources.laboratory(chart, test, value, day))

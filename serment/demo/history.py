"""Five years of care of one invented person, written into a `Chart`.

Order: the visits (who sees whom, when), what each brings (vitals, a passing illness, renewals), the
long curves (tests twice a year), vaccines, a stay, today's appointment. Every draw comes from the
record's own generator: one person's history does not move when another is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from serment.demo import clinic, people, resources
from serment.demo.clinic import Assay, Problem
from serment.demo.people import HOSPITAL, PRACTICE, Person
from serment.demo.resources import Chart, Json

YEARS = 5


@dataclass(frozen=True, slots=True)
class Visit:
    """One dated act of care and the people who took part in it."""

    day: date
    who: tuple[Person, ...]
    reference: Json = field(repr=False)
    hour: int = 9

    @property
    def lead(self) -> Person:
        """Give the person in charge of the act."""
        return self.who[0]


def write(
    chart: Chart, today: date, attending: Person, problems: tuple[Problem, ...] | None = None
) -> list[Visit]:
    """Write five years of care and give the dated acts, oldest first.

    `problems` are the lasting ones; None draws them by age.
    """
    born = chart.traits.birth_date
    start = max(today - timedelta(days=365 * YEARS), born + timedelta(days=10))
    visits = _visits(chart, start, today, attending)
    for problem in _drawn(chart, today) if problems is None else problems:
        chronic(chart, problem, visits, today)
    _vaccines(chart, start, today, attending)
    if chart.rng.random() < 0.18 and visits:
        day = visits[0].day
        chart.add(resources.allergy(chart, chart.rng.choice(clinic.ALLERGIES), day, visits[0].lead))
    if chart.rng.random() < 0.08 and chart.traits.age(today) > 17:
        visits.append(
            stay(chart, today - timedelta(days=chart.rng.randint(10, 700)), "Altération de l'état général")
        )
    return sorted(visits, key=lambda visit: visit.day)


def _visits(chart: Chart, start: date, today: date, attending: Person) -> list[Visit]:
    """Draw the consultations; the last one falls within the last ten months."""
    age = chart.traits.age(today)
    pace = 75 if age < 6 else 110 if age > 70 else 190
    days = []
    day = start + timedelta(days=chart.rng.randint(0, pace))
    while day < today - timedelta(days=2):
        days.append(day)
        day += timedelta(days=chart.rng.randint(pace // 2, pace * 3 // 2))
    if not days or (today - days[-1]).days > 300:
        days.append(today - timedelta(days=min(chart.rng.randint(20, 280), (today - start).days)))
    return [_consultation(chart, working(day), _seen_by(chart.rng, attending), today) for day in days]


def working(day: date) -> date:
    """Move a day that falls on a week-end back to its Friday."""
    return day - timedelta(days=max(0, day.isoweekday() - 5))


def _seen_by(rng: Random, attending: Person) -> Person:
    """Draw who sees the patient: mostly their doctor, else an associate or the locum."""
    draw = rng.random()
    if draw < 0.78:
        return attending
    others = [doctor for doctor in people.DOCTORS_OF_PRACTICE if doctor is not attending]
    return people.LOCUM if draw > 0.92 else rng.choice(others)


def visit(chart: Chart, day: date, who: tuple[Person, ...], reason: str) -> Visit:
    """Write one consultation at the practice."""
    hour = chart.rng.randint(8, 18)
    made = resources.encounter(chart, day, who, PRACTICE, reason, hour=hour)
    return Visit(day, who, chart.add(made), hour)


def stay(chart: Chart, day: date, reason: str) -> Visit:
    """Write a stay in the hospital unit: a doctor, the intern under them, a nurse."""
    who = (people.HOSPITAL_DOCTOR, people.INTERN, people.HOSPITAL_NURSE)
    made = resources.encounter(chart, day, who, HOSPITAL, reason, hour=15, nights=chart.rng.randint(2, 8))
    return Visit(day, who, chart.add(made))


def _consultation(chart: Chart, day: date, doctor: Person, today: date) -> Visit:
    """Write one consultation with its vitals and, often, a passing illness."""
    age = (day - chart.traits.birth_date).days // 365
    fitting = [p for p in clinic.ACUTE if p.youngest <= age <= p.oldest]
    ill = chart.rng.random() < 0.45 and fitting
    problem = chart.rng.choice(fitting) if ill else None
    made = visit(chart, day, (doctor,), problem.text if problem else "Consultation de suivi")
    vitals(chart, made, age, fever=problem is not None)
    if problem is not None:
        over = (today - day).days > 30
        chart.add(
            resources.condition(chart, problem.code, problem.text, day, doctor, made.reference, over=over)
        )
        for key in _for_age(problem.medicines, age)[:1]:
            prescribe(chart, key, made, today)
        for key in problem.tests:
            _result(chart, clinic.TESTS[key], made, 0.0)
    return made


def _for_age(medicines: tuple[str, ...], age: int) -> tuple[str, ...]:
    return tuple("paracetamol-enfant" if age < 12 and key == "paracetamol" else key for key in medicines)


def prescribe(chart: Chart, key: str, made: Visit, today: date) -> None:
    """Write the prescription of one medicine at a visit, active while it lasts."""
    medicine = clinic.MEDICINES[key]
    active = made.day + timedelta(days=medicine.days) >= today
    chart.add(resources.prescription(chart, medicine, made.day, made.lead, made.reference, active=active))


def vitals(chart: Chart, made: Visit, age: int, *, fever: bool = False) -> None:
    """Write weight always, height of children, pressure of adults, temperature of the ill."""
    rng, when = chart.rng, resources.instant(made.day, made.hour, 10)

    def add(loinc: str, text: str, value: float, unit: str, ucum: str) -> None:
        amount = resources.quantity(value, unit, ucum)
        chart.add(resources.vital(chart, loinc, text, amount, when, made.lead, made.reference))

    add("29463-7", "Poids", round(_weight(age) * rng.uniform(0.93, 1.08), 1), "kg", "kg")
    if age < 18:
        add("8302-2", "Taille", round(_height(age) * rng.uniform(0.97, 1.03)), "cm", "cm")
    else:
        high = round(rng.gauss(118 + age / 4, 10))
        low = round(high * rng.uniform(0.55, 0.64))
        chart.add(resources.blood_pressure(chart, high, low, when, made.lead, made.reference))
        add("8867-4", "Fréquence cardiaque", round(rng.gauss(72, 8)), "/min", "/min")
    if fever:
        add("8310-5", "Température", round(rng.uniform(36.6, 39.2), 1), "°C", "Cel")
        if rng.random() < 0.4:
            add("2708-6", "Saturation en oxygène", round(rng.uniform(94, 99)), "%", "%")


def _weight(age: int) -> float:
    """Give a middling weight in kilograms."""
    return 4 + 2.9 * age if age < 17 else 71.0


def _height(age: int) -> float:
    """Give a middling height of a child in centimetres."""
    return min(168, 52 + 12 * age if age < 3 else 78 + 6 * age)


def _drawn(chart: Chart, today: date) -> list[Problem]:
    """Draw the lasting problems of somebody of this age."""
    age = chart.traits.age(today)
    fitting = [problem for problem in clinic.CHRONIC if problem.youngest <= age <= problem.oldest]
    return [problem for problem in fitting if chart.rng.random() < problem.share]


def chronic(chart: Chart, problem: Problem, visits: list[Visit], today: date) -> None:
    """Write one lasting problem over `visits`: a curve that settles as treatment takes."""
    first = visits[0]
    since = max(chart.traits.birth_date, first.day - timedelta(days=chart.rng.randint(30, 2500)))
    chart.add(
        resources.condition(chart, problem.code, problem.text, since, first.lead, first.reference, over=False)
    )
    tests = [clinic.TESTS[key] for key in problem.tests]
    for made in visits:
        for key in problem.medicines:
            prescribe(chart, key, made, today)
    for made, drift in _half_yearly(visits):
        if tests:
            chart.add(resources.order(chart, "Bilan biologique", made.day, made.lead, None, made.reference))
        for test in tests:
            _result(chart, test, made, drift)


def _half_yearly(visits: list[Visit]) -> Iterator[tuple[Visit, float]]:
    """Pick visits at least five months apart, with what is left of the first excess (1 to 0)."""
    last = date.min
    span = max(1, (visits[-1].day - visits[0].day).days)
    for made in visits:
        if (made.day - last).days > 150:
            last = made.day
            yield made, 1 - (made.day - visits[0].day).days / span


def _result(chart: Chart, test: Assay, made: Visit, drift: float) -> None:
    """Write one result a few days before or after a visit, `drift` spreads above the mean."""
    usual = test.mean + test.spread * drift
    value = round(max(test.mean / 4, chart.rng.gauss(usual, test.spread / 3)), test.decimals)
    chart.add(resources.laboratory(chart, test, value if test.decimals else int(value), made.day))


def curve(rng: Random, test: Assay, start: float, end: float, points: int) -> Iterator[float]:
    """Draw a curve from one value to another: each point leans on the one before it and on where it goes."""
    value = start
    for place in range(points):
        aim = start + (end - start) * place / max(1, points - 1)
        value += 0.5 * (aim - value) + rng.gauss(0, test.spread / 5)
        yield max(test.mean / 5, value)


def measured(chart: Chart, test: Assay, start: float, end: float, days: list[date]) -> list[Json]:
    """Write a curve over given days, and give the references to its points."""
    values = curve(chart.rng, test, start, end, len(days))
    return [
        chart.add(resources.laboratory(chart, test, _shown_as(value, test), day))
        for day, value in zip(days, values, strict=True)
    ]


def _shown_as(value: float, test: Assay) -> float:
    return round(value, test.decimals) if test.decimals else round(value)


def days_of(today: date, every: int, since: int, gap: tuple[int, int] = (0, 0)) -> list[date]:
    """Give the days of a series, oldest first, none inside the gap (days ago)."""
    agos = range(since, 2, -every)
    return [working(today - timedelta(days=ago)) for ago in agos if not gap[1] <= ago <= gap[0] or not gap[0]]


def _vaccines(chart: Chart, start: date, today: date, attending: Person) -> None:
    """Write childhood vaccines on their calendar, the flu each autumn from 65, one adult booster."""
    born, age = chart.traits.birth_date, chart.traits.age(today)
    if age < 18:
        for atc, text, months in clinic.CHILD_VACCINES:
            for month in months:
                day = born + timedelta(days=30 * month + chart.rng.randint(0, 20))
                if day < today:
                    chart.add(resources.immunization(chart, atc, text, day, attending))
    elif chart.rng.random() < 0.6:
        day = start + timedelta(days=chart.rng.randint(0, (today - start).days))
        chart.add(resources.immunization(chart, *clinic.ADULT_BOOSTER, day, attending))
    for year in range(start.year, today.year) if age >= 65 else ():
        if chart.rng.random() < 0.7:
            day = date(year, 10, chart.rng.randint(15, 31))
            chart.add(resources.immunization(chart, *clinic.FLU_VACCINE, day, people.PRACTICE_NURSE))


def today_with(chart: Chart, today: date, who: Person, place: int) -> Visit:
    """Write an appointment of today with `who`; `place` is its rank in the day (four an hour from 8)."""
    hour, quarter = divmod(place, 4)
    made = resources.appointment(chart, today, 8 + hour % 11, 15 * quarter, who, past=False)
    return Visit(today, (who,), chart.add(made))


def appointments(chart: Chart, visits: list[Visit]) -> None:
    """Write the appointment behind each consultation of the last year."""
    latest = visits[-1].day
    for made in visits:
        if (latest - made.day).days < 365 and made.lead.structure == PRACTICE.id:
            chart.add(resources.appointment(chart, made.day, made.hour, 0, made.lead, past=True))

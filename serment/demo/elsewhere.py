"""Three people whose care is not at the practice alone: two live in a care home, one came to the emergencies.

p0011 a resident under an anticoagulant: INR each month over five years, with the gap of a stay in hospital,
and a weight that falls; p0012 a resident who is well; p0013 somebody seen at the emergency service two days
ago, with a cycle of troponin, a tracing as a picture and the report of the laboratory. Curves are drawn from
the record's own generator: values follow the one before, as a body does.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from math import exp
from random import Random
from typing import Final

from serment.demo import clinic, history, people, resources
from serment.demo.history import Visit
from serment.demo.patients import DemoPatient
from serment.demo.people import CARE_HOME, EMERGENCIES
from serment.demo.resources import Chart
from serment.demo.special import Scene
from serment.demo.traits import Household, Register

FROM: Final = 20
"""The least population that has them."""
GAP: Final = (400, 330)
"""Days ago between which nothing was measured: a stay elsewhere."""

WAVES: Final = (
    (0.18, 0.025, 0.12),
    (0.28, 0.008, -0.12),
    (0.30, 0.010, 1.0),
    (0.33, 0.010, -0.22),
    (0.52, 0.045, 0.25),
)
"""The waves P, Q, R, S, T of a heart beat: phase from 0 to 1, width, height."""


def people_of_scenes(register: Register, scene: Scene) -> Iterator[DemoPatient]:
    """Make the three, in the order of their keys."""
    yield _resident(scene, register.household((89,), ()))
    yield _well(scene, register.household((84,), ()))
    yield _came(scene, register.household((52,), ()))


def cast(three: tuple[DemoPatient, ...]) -> dict[str, DemoPatient]:
    """Name them."""
    return dict(zip(("resident", "second-resident", "emergency-patient"), three, strict=False))


def _resident(scene: Scene, household: Household) -> DemoPatient:
    """Write the resident under an anticoagulant: each month an INR, each fortnight a weight."""
    chart, visits = scene.open(household.adults[0], household, "I48.9 N18.3 M81.9")
    own = _round(chart, scene, 9)
    _measures(chart, scene.today, own)
    history.measured(chart, clinic.TESTS["inr"], 2.4, 2.6, history.days_of(scene.today, 28, 1800, GAP))
    history.measured(chart, clinic.TESTS["albumin"], 39, 33, history.days_of(scene.today, 90, 1800, GAP))
    for key in ("warfarine", "furosemide"):
        made = resources.prescription(
            chart, clinic.MEDICINES[key], own.day, people.COORDINATOR, own.reference, active=True
        )
        chart.add(made)
    items = {"liaison": scene.filing.file(chart, "liaison", people.COORDINATOR, own)}
    return scene.close(chart, [*visits, own], household, items)


def _well(scene: Scene, household: Household) -> DemoPatient:
    """Write the resident who is well: fewer measures, an allergy that everybody must see."""
    chart, visits = scene.open(household.adults[0], household, "I10")
    own = _round(chart, scene, 16)
    chart.add(resources.allergy(chart, clinic.ALLERGIES[0], own.day, people.COORDINATOR))
    items = {"liaison": scene.filing.file(chart, "liaison", people.COORDINATOR, own)}
    return scene.close(chart, [*visits, own], household, items)


def _round(chart: Chart, scene: Scene, ago: int) -> Visit:
    """Write a visit of the coordinating doctor and the nurse at the care home."""
    day, who = scene.day(ago), (people.COORDINATOR, people.CARE_HOME_NURSE)
    made = resources.encounter(chart, day, who, CARE_HOME, "Suivi en EHPAD", hour=10)
    return Visit(day, who, chart.add(made), 10)


def _measures(chart: Chart, today: date, own: Visit) -> None:
    """Write the weight each fortnight over two years, falling slowly; nothing while they were away."""
    days = history.days_of(today, 14, 730, GAP)
    for place, day in enumerate(days):
        weight = round(63.5 - 7.5 * place / len(days) + chart.rng.gauss(0, 0.4), 1)
        when, nurse = resources.instant(day, 7, 30), people.CARE_HOME_NURSE
        amount = resources.quantity(weight, "kg", "kg")
        chart.add(resources.vital(chart, "29463-7", "Poids", amount, when, nurse, own.reference))


def _came(scene: Scene, household: Household) -> DemoPatient:
    """Write who came to the emergency service: a cycle of troponin, a tracing, two reports."""
    chart, visits = scene.open(household.adults[0], household, "I10 E78.0")
    day, who = scene.today - timedelta(days=2), (people.EMERGENCY_DOCTOR, people.EMERGENCY_NURSE)
    made = resources.encounter(chart, day, who, EMERGENCIES, "Douleur thoracique", hour=21)
    own = Visit(day, who, chart.add(made), 21)
    results = []
    for minute, value in ((21 * 60 + 20, 9), (22 * 60 + 25, 11), (23 * 60 + 50, 10)):
        when = resources.instant(day, minute // 60, minute % 60)
        made = resources.laboratory(chart, clinic.TESTS["troponin"], value, day, when)
        results.append(chart.add(made))
    when = resources.instant(day, 23, 58)
    said = resources.report(chart, "Examens de biologie", when, people.BIOLOGIST, results, own.reference)
    items = {
        "report": chart.add(said)["reference"],
        "emergency": scene.filing.file(chart, "emergency", people.EMERGENCY_DOCTOR, own),
        "tracing": _tracing(chart, own),
    }
    return scene.close(chart, [*visits, own], household, items)


def _tracing(chart: Chart, visit: Visit) -> str:
    """File the electrocardiogram as a picture."""
    made = resources.binary(chart, b64encode(tracing(chart.rng)).decode("ascii"))
    made["contentType"] = "image/png"
    attachment = {"contentType": "image/png", "url": chart.add(made)["reference"]}
    kind = resources.concept(resources.LOINC, "18748-4", "CR d'imagerie médicale")
    sheet = resources.document(
        chart, kind, "Électrocardiogramme", visit.day, visit.lead, visit.reference, attachment
    )
    reference: str = chart.add(sheet)["reference"]
    return reference


def tracing(rng: Random) -> bytes:
    """Draw six seconds of an invented electrocardiogram on its paper, as PNG bytes."""
    from PIL import Image, ImageDraw

    width, height, beat = 900, 260, 125
    sheet = Image.new("RGB", (width, height), "#fffaf7")
    draw = ImageDraw.Draw(sheet)
    for place in range(0, width, 10):
        draw.line([(place, 0), (place, height)], fill="#f3cfc6" if place % 50 else "#e5a899")
    for place in range(0, height, 10):
        draw.line([(0, place), (width, place)], fill="#f3cfc6" if place % 50 else "#e5a899")
    line = [(x, 150 - 80 * _beat(x % beat / beat) + rng.gauss(0, 0.8)) for x in range(width)]
    draw.line(line, fill="#1b2733", width=2)
    file = BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _beat(phase: float) -> float:
    """Give the height of a heart beat at a phase from 0 to 1: its five waves, as bells."""
    waves = (
        (0.18, 0.025, 0.12),
        (0.28, 0.008, -0.12),
        (0.30, 0.010, 1.0),
        (0.33, 0.010, -0.22),
        (0.52, 0.045, 0.25),
    )
    return sum(height * exp(-(((phase - at) / width) ** 2) / 2) for at, width, height in waves)

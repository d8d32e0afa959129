"""The ten people around whom the scenes turn; their keys are p0001 to p0010 in every population.

p0001 the patient of the links (diabetic; seen once by the team doctor, attended by another), p0002
her husband; p0003 the mother, p0004 the father, p0005 the adolescent with a secret (CSP L1111-5), p0006 her
brother; p0007 the celebrity; p0008 the patient with a masked item and a blocked professional; p0009 the
patient whose result waits to be announced (CSP R1111-53), p0010 her husband, whom she named as her carer.

Masks, blocks and confirmations are *choices* beside the records: they go through the product's doors.
The two labels that a professional puts when writing (INVISIBLE_REPRESENTANTS_LEGAUX,
INVISIBLE_PATIENT) stand in the resources.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from serment.demo import clinic, history, patients, people, resources
from serment.demo.history import Visit
from serment.demo.patients import Choice, DemoPatient, Filing
from serment.demo.people import PRACTICE
from serment.demo.resources import Chart
from serment.demo.traits import Household, Register, Traits
from serment.model import Label

LEAST = 10
ANNOUNCEMENT = timedelta(days=10)
CARED_FOR = timedelta(days=365)
AWAY = (900, 640)
"""Days ago between which the patient of the links had no blood taken: a gap that is true."""

_LASTING = {problem.code: problem for problem in clinic.CHRONIC}
_NAMES = {"female": ("Ambre", "Stellamare"), "male": ("Axel", "Stellamare")}


@dataclass(frozen=True, slots=True)
class Scene:
    """What every special person is written with."""

    seed: int
    today: date
    filing: Filing

    def open(
        self, traits: Traits, household: Household, codes: str = "", *, but: str = ""
    ) -> tuple[Chart, list[Visit]]:
        """Start a record attended by Dr Vasselin, with five years and the lasting problems `codes`.

        The scene writes the curve of the test `but` itself.
        """
        chart = patients.start(traits, self.seed, people.ATTENDING, patients.parent_of(traits, household))
        problems = [_LASTING[code] for code in codes.split()]
        lasting = tuple(
            replace(one, tests=tuple(test for test in one.tests if test != but)) for one in problems
        )
        return chart, history.write(chart, self.today, people.ATTENDING, lasting)

    def close(
        self, chart: Chart, visits: list[Visit], household: Household, items: dict[str, str] | None = None
    ) -> DemoPatient:
        """Link the family and close the record."""
        kin = patients.link(chart, household)
        return patients.close(chart, people.ATTENDING, visits, self.today, kin, items)

    def day(self, ago: int) -> date:
        """Give a working day about `ago` days before today."""
        return history.working(self.today - timedelta(days=ago))


def people_of_scenes(register: Register, scene: Scene) -> Iterator[DemoPatient]:
    """Make the ten, in the order of their keys."""
    couple = _sure(register.household((54, 56), ()))
    yield _patient(scene, couple)
    yield _husband(scene, couple)
    family = _sure(register.household((44, 46), (16, 12)))
    for parent in family.adults:
        yield scene.close(*scene.open(parent, family), family)
    yield _adolescent(scene, family)
    yield _brother(scene, family)
    yield _celebrity(scene, _sure(register.household((38,), ())))
    yield _masking(scene, _sure(register.household((61,), ())))
    waiting = _sure(register.household((49, 50), ()))
    yield _waiting(scene, waiting)
    yield scene.close(*scene.open(waiting.adults[1], waiting, "I10"), waiting)


def choices(ten: tuple[DemoPatient, ...], today: date) -> tuple[Choice, ...]:
    """List what is then done through the product's doors."""
    by_key = {patient.key: patient for patient in ten}
    patient, adolescent, masking, waiting = (by_key[key] for key in ("p0001", "p0005", "p0008", "p0009"))
    return (
        Choice("attending", patient.key, actor=people.ATTENDING.id),
        Choice("representative", adolescent.key, item=adolescent.kin[0].related, kin=adolescent.kin[0].key),
        *(Choice("mask", masking.key, item=item) for item in _sheet_and_file(masking, "masked")),
        Choice("block", masking.key, actor=people.SECOND_ASSOCIATE.id),
        Choice(
            "carer", waiting.key, item=waiting.kin[0].related, kin=waiting.kin[0].key, until=today + CARED_FOR
        ),
        *(
            Choice("announcement", waiting.key, item=item, until=today + ANNOUNCEMENT)
            for item in _sheet_and_file(waiting, "announcement")
        ),
    )


def _sheet_and_file(patient: DemoPatient, item: str) -> tuple[str, ...]:
    """Give the fullUrl of a DocumentReference and of the Binary behind it: one without the other leaks."""
    sheet = patient.items[item]
    resource = next(e["resource"] for e in patient.bundle["entry"] if e["fullUrl"] == sheet)
    file = resource["content"][0]["attachment"].get("url")
    return (sheet, file) if file else (sheet,)


def _sure(household: Household) -> Household:
    """Give everybody of a scene a qualified identity."""
    adults = tuple(replace(person, status="QUAL") for person in household.adults)
    return Household(adults, tuple(replace(person, status="QUAL") for person in household.children))


def _patient(scene: Scene, household: Household) -> DemoPatient:
    """Write the patient of the links: the associate saw her once, and wrote nothing that she may mask."""
    chart, visits = scene.open(household.adults[0], household, "E11.9 I10", but="hba1c")
    filing, own = scene.filing, history.visit(chart, scene.day(21), (people.ATTENDING,), "Suivi du diabète")
    for key in ("metformine", "gliclazide", "ramipril"):
        history.prescribe(chart, key, own, scene.today)
    history.vitals(chart, own, chart.traits.age(scene.today))
    chart.add(resources.allergy(chart, clinic.ALLERGIES[0], scene.day(1200), people.ATTENDING))
    sugar = clinic.TESTS["hba1c"]
    history.measured(chart, sugar, 8.9, 7.1, history.days_of(scene.today, 91, 1790, AWAY))
    seen = history.visit(
        chart, scene.day(45), (people.ASSOCIATE,), "Renouvellement en l'absence du Dr Vasselin"
    )
    items = {
        "consultation": filing.file(chart, "consultation", people.ATTENDING, own),
        "laboratory": filing.file(chart, "laboratory", people.BIOLOGIST, own, days=1),
        "prescription": filing.file(chart, "prescription", people.ATTENDING, own),
    }
    items["maskable"] = items["consultation"]
    return scene.close(chart, [*visits, seen, own], household, items)


def _husband(scene: Scene, household: Household) -> DemoPatient:
    chart, visits = scene.open(household.adults[1], household, "I10 E78.0")
    own = history.visit(chart, scene.day(60), (people.ATTENDING,), "Contrôle après pneumopathie")
    items = {"imaging": scene.filing.file(chart, "imaging", people.SECOND_HOSPITAL_DOCTOR, own, days=2)}
    return scene.close(chart, [*visits, own], household, items)


def _adolescent(scene: Scene, household: Household) -> DemoPatient:
    """Write the secret: one visit, its reason and its prescription, all under the label."""
    chart, visits = scene.open(household.children[0], household)
    day, doctor, label = scene.day(30), people.ATTENDING, Label.MINOR_SECRET.value
    made = resources.encounter(chart, day, (doctor,), PRACTICE, "Demande de contraception", hour=17)
    reference = chart.add(resources.labelled(made, label))
    asked = resources.prescription(
        chart, clinic.MEDICINES["contraception"], day, doctor, reference, active=True
    )
    items = {
        "secret-encounter": reference["reference"],
        "secret-prescription": chart.add(resources.labelled(asked, label))["reference"],
    }
    return scene.close(chart, [*visits, Visit(day, (doctor,), reference)], household, items)


def _brother(scene: Scene, household: Household) -> DemoPatient:
    chart, visits = scene.open(household.children[1], household)
    own = history.visit(chart, scene.day(75), (people.ATTENDING,), "Certificat et vaccin")
    items = {
        "certificate": scene.filing.file(chart, "certificate", people.ATTENDING, own),
        "vaccination": scene.filing.file(chart, "vaccination", people.ATTENDING, own),
    }
    return scene.close(chart, [*visits, own], household, items)


def _celebrity(scene: Scene, household: Household) -> DemoPatient:
    """Write somebody known to all, with a stay: whoever looks without a reason stands in the trace."""
    given, family = _NAMES[household.adults[0].sex]
    known = replace(household.adults[0], given=(given,), used_name=family, birth_name=family)
    chart, visits = scene.open(known, household)
    stay = history.stay(chart, scene.day(12), "Pneumopathie")
    items = {
        "stay": scene.filing.file(chart, "stay", people.HOSPITAL_DOCTOR, stay, days=6),
        "discharge": scene.filing.file(chart, "discharge", people.HOSPITAL_DOCTOR, stay, days=6),
    }
    return patients.close(chart, people.ATTENDING, [*visits, stay], scene.today, (), items)


def _masking(scene: Scene, household: Household) -> DemoPatient:
    """Write somebody whom the blocked associate did see: the block stops a member of the team."""
    chart, visits = scene.open(household.adults[0], household, "F32.1")
    seen = history.visit(chart, scene.day(50), (people.SECOND_ASSOCIATE,), "Consultation")
    own = history.visit(chart, scene.day(55), (people.ATTENDING,), "Consultation")
    items = {"masked": scene.filing.file(chart, "referral", people.ATTENDING, own)}
    return scene.close(chart, [*visits, own, seen], household, items)


def _waiting(scene: Scene, household: Household) -> DemoPatient:
    """Write a result that a doctor must announce before the patient reads it."""
    chart, visits = scene.open(household.adults[0], household)
    own = history.visit(chart, scene.day(9), (people.ATTENDING,), "Nodule du sein, biopsie demandée")
    label = Label.INVISIBLE_PATIENT.value
    items = {
        "announcement": scene.filing.file(chart, "pathology", people.BIOLOGIST, own, label=label, days=5)
    }
    return scene.close(chart, [*visits, own], household, items)

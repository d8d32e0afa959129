"""On live records: nobody reads all, a mask holds in an emergency, and forbidding never opens anything."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from serment.errors import NotFoundError
from serment.model import Category, EmergencyReason, Purpose
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.founding import FOUNDER
from tests.installation import Installation, run

STAFF = (
    "team-doctor",
    "locum",
    "nurse",
    "secretary",
    "hospital-doctor",
    "emergency-doctor",
    "intern",
    "officer",
)
EMERGENCIES = (Purpose.EMERGENCY, Purpose.BREAK_GLASS, Purpose.EMERGENCY_ROOM)


@pytest.fixture(scope="module")
def house(practice: Installation) -> Installation:
    return practice


def in_emergency(house: Installation, role: str, purpose: Purpose) -> Asking:
    """Ask with every coded reason of an emergency."""
    return replace(house.as_staff(role), purpose=purpose, reasons=frozenset(EmergencyReason))


def seen(house: Installation, asking: Asking, role: str = "masking") -> dict[Category, int]:
    """Count what somebody sees of a record, by category; nothing when it is not found."""
    try:
        return dict(run(house.house.showing.first_view(asking, house.record(role))).totals)
    except NotFoundError:
        return {}


@pytest.mark.capability("4-04", "refuses")
@pytest.mark.parametrize("purpose", EMERGENCIES)
@pytest.mark.parametrize("role", ["emergency-doctor", "hospital-doctor", "team-doctor", "locum"])
def test_no_emergency_lifts_a_mask(house: Installation, role: str, purpose: Purpose) -> None:
    type_, _, id_ = house.item("masked", "masking").partition("/")
    asking = in_emergency(house, role, purpose)
    with pytest.raises(NotFoundError):
        run(house.house.reading.read(asking, type_, id_))
    with pytest.raises(NotFoundError):
        run(house.house.reading.vread(asking, type_, id_, 1))


@pytest.mark.capability("4-10", "refuses")
@pytest.mark.parametrize("role", STAFF)
def test_no_role_sees_what_the_holder_sees(house: Installation, role: str) -> None:
    """In `own` too: choices and trace are the patient's, and a secret is not everybody's."""
    everything = seen(house, house.as_patient("masking"))
    theirs = seen(house, house.as_staff(role))
    assert Category.CHOICES in everything
    assert Category.CHOICES not in theirs
    assert all(theirs[category] <= everything[category] for category in theirs)
    assert theirs != everything


@pytest.mark.capability("4-10", "lets")
def test_different_people_see_different_things(house: Installation) -> None:
    views = [
        tuple(sorted(seen(house, house.as_staff(role), "patient").items())) for role in ("attending", *STAFF)
    ]
    assert len(set(views)) >= 3


@pytest.mark.parametrize("role", ["attending", "team-doctor", "nurse", "secretary", "emergency-doctor"])
@pytest.mark.parametrize("choice", ["mask", "block", "oppose", "oppose labs"])
def test_forbidding_never_opens_anything(house: Installation, role: str, choice: str) -> None:
    """Deny-monotone on a live record: after any choice that forbids, nobody but the holder sees more."""
    made, me, record = house, house.as_patient("celebrity"), house.record("celebrity")
    asking = house.as_staff(role)
    before = seen(made, asking, "celebrity")
    if choice == "mask":
        written = run(made.house.choosing.mask(me, record, made.item("stay", "celebrity")))
    elif choice == "block":
        number = made.staff("team-doctor").id.removeprefix("rpps:")
        written = run(made.house.choosing.block(me, record, number))
    else:
        written = run(made.house.choosing.oppose(me, record, "labs" if choice == "oppose labs" else ""))
    after = seen(made, house.as_staff(role), "celebrity")
    run(made.house.writing.delete(house.as_patient("celebrity"), "Consent", written.id))
    assert all(after[category] <= before.get(category, 0) for category in after)
    assert seen(made, house.as_staff(role), "celebrity") == before


@pytest.mark.capability("2-06", "refuses")
@pytest.mark.parametrize("role", ["team-doctor", "nurse", "locum"])
def test_genetics_is_not_served_under_the_ordinary_label(house: Installation, role: str) -> None:
    """A genetic result carries its own label, whoever wrote it and whether they labelled it or not."""
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "81247-9"}]},
        "meta": {
            "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "GDIS"}]
        },
        "subject": {"reference": f"Patient/{house.record()}"},
    }
    service = replace(FOUNDER, structure=house.staff("attending").structure)
    deposit = replace(house.as_staff("attending"), actor=service, purpose=Purpose.RECORD_MANAGEMENT)
    made = run(house.house.writing.create(deposit, incoming.read(json.dumps(resource).encode())))
    assert run(house.house.reading.read(house.as_staff("attending"), "Observation", made.id)).version == 1
    with pytest.raises(NotFoundError):
        run(house.house.reading.read(house.as_staff(role), "Observation", made.id))

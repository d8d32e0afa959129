"""Those who keep the machine, the rules or the money read nothing of anybody, through any door.

HOUSE promise 6, capabilities 2-12 and 4-10: every purpose, every coded emergency reason, on every item.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from serment.demo.thieves.doors import OUTSIDERS, Take, asking, every_door
from serment.fhir.query import parse
from serment.model import Actor, ActorId, ActorKind, EmergencyReason, Purpose
from tests.installation import Installation, run


@pytest.fixture(scope="module")
def house(practice: Installation) -> Installation:
    return practice


def taken(house: Installation, actor: Actor, reasons: frozenset[EmergencyReason] = frozenset()) -> Take:
    """Try every door with every purpose, on the record of the links."""
    patient = house.patient()
    traits = house.store.people.patients[0].bundle["entry"][0]["resource"]
    who = (("birthdate", traits["birthDate"]), ("family", traits["name"][0]["family"]))
    total = Take()
    for purpose in Purpose:
        asked = replace(asking(house.house, actor, purpose), reasons=reasons)
        items = [house.store.items[item] for item in patient.items.values()][:2]
        take = run(every_door(house.house, asked, house.record(), items, who))
        total.tried, total.items = total.tried + take.tried, total.items + take.items
    return total


@pytest.mark.capability("2-12", "refuses")
@pytest.mark.capability("1-03", "refuses")
@pytest.mark.parametrize("actor", OUTSIDERS, ids=lambda actor: actor.id.partition(":")[2])
def test_nothing_is_read_with_any_purpose(house: Installation, actor: Actor) -> None:
    take = taken(house, actor)
    assert take.tried > 100
    assert take.items == 0


@pytest.mark.parametrize("actor", OUTSIDERS, ids=lambda actor: actor.id.partition(":")[2])
def test_no_emergency_opens_a_record_to_them(house: Installation, actor: Actor) -> None:
    assert taken(house, actor, frozenset(EmergencyReason)).items == 0


@pytest.mark.capability("2-12", "refuses")
@pytest.mark.parametrize("purpose", [p for p in Purpose if p.value.startswith("SERMENT_")])
def test_a_doctor_of_the_team_reads_nothing_for_an_insurer_a_lender_or_an_employer(
    house: Installation, purpose: Purpose
) -> None:
    doctor = replace(house.as_staff("attending"), purpose=purpose)
    items = [house.store.items[item] for item in house.patient().items.values()]
    assert run(every_door(house.house, doctor, house.record(), items)).items == 0


@pytest.mark.capability("2-12", "refuses")
def test_even_with_the_patient_s_consent(house: Installation) -> None:
    """CSP L1111-18: consent does not open a record to an insurer."""
    insurer = Actor(ActorId("rpps:99900001019"), ActorKind.THIRD_PARTY, function=OUTSIDERS[5].function)
    run(house.house.choosing.permit(house.as_patient(), house.record(), "99900001019"))
    assert taken(house, insurer).items == 0


@pytest.mark.capability("2-12", "lets")
def test_the_same_doors_do_open_to_who_cares(house: Installation) -> None:
    """A door that opens to nobody proves nothing."""
    items = [house.store.items[item] for item in house.patient().items.values()]
    assert run(every_door(house.house, house.as_staff("attending"), house.record(), items)).items > 50


def test_the_directory_names_no_patient(house: Installation) -> None:
    """What everybody with a care purpose may read holds no word of a record."""
    doctor = house.as_staff("unrelated-doctor")
    names = {name.casefold() for name in house.store.names if name.isalpha()}
    for type_ in ("Practitioner", "PractitionerRole", "Organization", "Location"):
        page = run(house.house.finding.search(doctor, parse(type_, [("_count", "500")])))
        words = set(b" ".join(one.body for one in page.served).decode().casefold().replace('"', " ").split())
        assert not names & words

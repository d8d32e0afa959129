"""The list of acts in pieces is the list as a whole, for whoever may read it and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from serment.access.record_facts import BLOCKED, EMERGENCY_OPPOSED, MASKED, RESEARCH_OPPOSED
from serment.errors import IntegrityError, MalformedError, NotFoundError
from serment.ledger.entry import Body, Interaction
from serment.record.pages.retracing import Sought
from tests.installation import Installation, installation, run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("retracing")) as one:
        yield one


def opened(made: Installation, role: str = "attending") -> None:
    run(made.house.showing.first_view(made.as_staff(role), made.record()))


def in_pieces(made: Installation, sought: Sought, most: int, walk: int = 2_000) -> list[Body]:
    asking, found = made.as_patient(), []
    while True:
        told = run(made.house.retracing.stretch(asking, made.record(), sought, most=most, walk=walk))
        found += told.bodies
        if not told.next:
            return found
        sought = made.house.retracing.opened(asking, made.record(), told.next)


@pytest.mark.parametrize(("most", "walk"), [(3, 2_000), (400, 2_000), (400, 5)])
def test_the_pieces_are_what_the_ledger_holds(made: Installation, most: int, walk: int) -> None:
    opened(made)
    found = in_pieces(made, Sought(), most, walk)
    whole = run(made.house.proving.trail(made.as_patient(), made.record()))
    # Each reading of the list is an act itself: those of the first one are the newest of the second.
    own = [one for one in whole[: len(whole) - len(found) + 1] if one not in found]
    assert {one.event.interaction for one in own} <= {Interaction.TRACE_READ}
    assert [one for one in whole if one not in own] == found


def test_one_person_is_told_alone(made: Installation) -> None:
    opened(made)
    doctor = made.staff("attending").id
    found = in_pieces(made, Sought(person=doctor), 400)
    assert found
    assert {one.event.actor for one in found} == {doctor}


def test_a_period_ends_the_reading(made: Installation) -> None:
    opened(made)
    now = made.house.passage.clock()
    told = run(made.house.retracing.stretch(made.as_patient(), made.record(), Sought(since=now + 60_000)))
    assert (told.bodies, told.next) == ([], "")


def test_only_what_left_is_told(made: Installation) -> None:
    run(made.house.exporting.begin(made.as_patient(), made.record(), (), 0))
    found = in_pieces(made, Sought(exits=True), 400)
    assert Interaction.EXPORT in {one.event.interaction for one in found}
    assert not {Interaction.READ, Interaction.LIST, Interaction.CREATE} & {
        one.event.interaction for one in found if not one.event.recipient
    }


@pytest.mark.parametrize("role", ["attending", "secretary", "unrelated-doctor", "officer"])
def test_nobody_but_the_patients_side_reads_the_list_or_the_choices(made: Installation, role: str) -> None:
    asking = made.as_staff(role)
    with pytest.raises(NotFoundError):
        run(made.house.retracing.stretch(asking, made.record(), Sought()))
    with pytest.raises(NotFoundError):
        run(made.house.chosen.standing(asking, made.record()))


def test_another_patient_reads_neither(made: Installation) -> None:
    asking = made.as_patient("celebrity")
    with pytest.raises(NotFoundError):
        run(made.house.retracing.stretch(asking, made.record(), Sought()))
    with pytest.raises(NotFoundError):
        run(made.house.chosen.standing(asking, made.record()))


def test_attack_a_place_of_somebody_else_is_shown(made: Installation) -> None:
    token = made.house.retracing.sealed(made.as_patient("celebrity"), made.record(), Sought())
    for stolen in (token, token[:-4] + "AAAA", ""):
        with pytest.raises(MalformedError):
            made.house.retracing.opened(made.as_patient(), made.record(), stolen)


def test_a_token_says_nothing_of_who_is_sought(made: Installation) -> None:
    token = made.house.retracing.sealed(made.as_patient(), made.record(), Sought(person="rpps:10001234567"))
    assert "1234567" not in token


def test_a_choice_stands_is_read_and_is_taken_back(made: Installation) -> None:
    asking, patient, choosing = made.as_patient("celebrity"), made.record("celebrity"), made.house.choosing
    number = made.staff("nurse").id.removeprefix("rpps:")

    def kinds() -> list[str]:
        return sorted(one.kind for one in run(made.house.chosen.standing(asking, patient)).choices)

    before = kinds()
    run(choosing.block(asking, patient, number))
    run(choosing.oppose_research(asking, patient))
    run(choosing.oppose_emergency(asking, patient))
    assert kinds() == sorted([*before, BLOCKED, RESEARCH_OPPOSED, EMERGENCY_OPPOSED])
    for kind in (BLOCKED, RESEARCH_OPPOSED, EMERGENCY_OPPOSED):
        standing = run(made.house.chosen.standing(asking, patient))
        for one in standing.of(kind):
            run(choosing.take_back(asking, patient, one.id))
    assert kinds() == before


def test_taking_back_one_of_two_words_of_one_consent_leaves_the_other(made: Installation) -> None:
    asking, patient = made.as_patient(), made.record()
    item = made.item("maskable")
    run(made.house.choosing.mask(asking, patient, item))
    standing = run(made.house.chosen.standing(asking, patient))
    (mask,) = [one for one in standing.of(MASKED) if one.item == item]
    run(made.house.choosing.take_back(asking, patient, f"{mask.source}#99"))
    assert mask in run(made.house.chosen.standing(asking, patient)).choices
    run(made.house.choosing.take_back(asking, patient, mask.id))
    assert mask not in run(made.house.chosen.standing(asking, patient)).choices


def test_a_list_that_was_shortened_is_not_shown(made: Installation) -> None:
    """What a sealed place awaits is passed over: nothing is told rather than too little."""
    asking, house = made.as_patient(), made.house
    told = run(house.retracing.stretch(asking, made.record(), Sought(), most=2))
    sought = house.retracing.opened(asking, made.record(), told.next)
    assert sought.place is not None
    ahead = msgspec.structs.replace(sought.place, before=sought.place.before - 1)
    with pytest.raises(IntegrityError):
        run(house.retracing.stretch(asking, made.record(), Sought(place=ahead), most=400))

"""The contract of the national service of prescriptions, kept by its simulator."""

from __future__ import annotations

import pytest

from serment.demo.national import SimulatedNational
from serment.errors import ConflictError, RequestError
from serment.exits.prescribing import National


@pytest.fixture(params=[SimulatedNational])
def national(request: pytest.FixtureRequest) -> National:
    """Every adapter of the port passes these."""
    made: National = request.param()
    return made


def test_a_prescription_has_one_number_however_often_it_is_asked_for(national: National) -> None:
    given = {national.register("7KQ2M9XADV3H8TRE", "10001234567", "160012A123456") for _ in range(3)}
    assert len(given) == 1


def test_two_prescriptions_have_two_numbers(national: National) -> None:
    one, two = (national.register(number, "10001234567", "1600") for number in ("A", "B"))
    assert one != two


@pytest.mark.parametrize("said", [("", "1", "1"), ("1", "", "1"), ("1", "1", "")])
def test_what_names_no_prescription_prescriber_or_patient_is_refused(
    national: National, said: tuple[str, str, str]
) -> None:
    with pytest.raises(RequestError):
        national.register(*said)


def test_a_number_is_taken_back(national: National) -> None:
    national.cancel(national.register("A", "1", "1"))


def test_a_number_of_nobody_is_not_taken_back(national: National) -> None:
    with pytest.raises(RequestError):
        national.cancel("nothing")


def test_what_was_dispensed_is_not_taken_back() -> None:
    simulated = SimulatedNational()
    given = simulated.register("A", "1", "1")
    simulated.dispensed.add(given)
    with pytest.raises(ConflictError):
        simulated.cancel(given)
    assert not simulated.cancelled


def test_its_numbers_cannot_be_taken_for_real_ones() -> None:
    assert SimulatedNational().register("A", "1", "1").startswith("DEMO")

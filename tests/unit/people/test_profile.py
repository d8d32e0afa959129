"""Practice or hospital: who has which duty, and no hospital without a data protection officer."""

from __future__ import annotations

import pytest

from serment.errors import RequestError
from serment.model import Function
from serment.people.profile import Deed, Kind, Profile, checked, duties, may

HOSPITAL = Profile("hospital", "Anne Roy", "dpo@hopital.example")


@pytest.mark.capability("3-08", "refuses")
@pytest.mark.parametrize(
    "profile", [Profile("hospital"), Profile("hospital", "Anne Roy"), Profile("hospital", " ", "x")], ids=str
)
def test_a_hospital_without_a_named_officer_is_refused(profile: Profile) -> None:
    with pytest.raises(RequestError) as refused:
        checked(profile)
    assert refused.value.sentence == "people.profile-officer"


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(RequestError):
        checked(Profile("clinic"))


@pytest.mark.capability("3-08", "lets")
def test_a_practice_needs_none_and_its_doctors_manage_access() -> None:
    practice = checked(Profile())
    assert may(practice, Function.TREATING_DOCTOR, Deed.ENROL)
    assert not may(practice, Function.SECRETARY, Deed.ENROL)


@pytest.mark.capability("3-08", "lets")
def test_in_a_hospital_the_officers_have_the_duties_that_doctors_have_in_a_practice() -> None:
    assert may(checked(HOSPITAL), Function.SECURITY_OFFICER, Deed.ENROL)
    assert may(HOSPITAL, Function.DPO, Deed.PROCESSOR)
    assert not may(HOSPITAL, Function.HOSPITAL_DOCTOR, Deed.ENROL)
    assert not may(HOSPITAL, Function.SECURITY_OFFICER, Deed.PROCESSOR)


def test_the_table_names_every_deed_of_every_profile_and_functions_that_exist() -> None:
    assert set(duties()) == {(kind.value, deed.value) for kind in Kind for deed in Deed}
    functions = {function.value for function in Function}
    assert all(named and named <= functions for named in duties().values())


def test_what_the_table_does_not_name_nobody_may() -> None:
    assert not any(may(Profile("clinic"), function, deed) for function in Function for deed in Deed)

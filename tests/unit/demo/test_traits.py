from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serment.demo.traits import Household, Register, Traits, draws
from serment.identity import ins

TODAY = date(2026, 11, 23)


def town(people: int, seed: int = 7) -> list[Household]:
    return list(Register(draws(seed), TODAY).households(people))


def everybody(people: int, seed: int = 7) -> list[Traits]:
    return [person for household in town(people, seed) for person in household.members]


def test_as_many_people_as_asked() -> None:
    for people in (1, 2, 3, 17, 100):
        assert len(everybody(people)) == people


def test_a_test_ins_says_the_sex_and_birth_of_its_person() -> None:
    for person in everybody(400):
        ins.check(person.matricule, ins.NIR_TEST)
        assert person.matricule[0] == ("1" if person.sex == "male" else "2")
        assert person.matricule[1:5] == f"{person.birth_date:%y%m}"
        assert person.matricule[5:10] == person.place_code


def test_corsica_overseas_and_abroad_are_there() -> None:
    places = {person.place_code[:2] for person in everybody(400)}
    assert {"2A", "2B", "97", "99"} <= places


def test_no_number_is_given_twice_in_two_thousand() -> None:
    people = everybody(2000)
    assert len({person.matricule for person in people}) == 2000
    assert len({person.key for person in people}) == 2000


def test_two_households_never_bear_one_name() -> None:
    names = [household.adults[0].used_name for household in town(2000)]
    assert len(set(names)) == len(names)


def test_ages_are_those_of_families() -> None:
    for household in town(600):
        ages = [person.age(TODAY) for person in household.adults]
        assert all(19 <= age <= 95 for age in ages)
        for child in household.children:
            assert 0 <= child.age(TODAY) < 18
            assert max(ages) - child.age(TODAY) >= 18


@given(st.integers(0, 95), st.dates(date(2024, 1, 1), date(2030, 12, 31)), st.integers(0, 99))
@settings(max_examples=60)
def test_somebody_asked_for_at_an_age_has_that_age(age: int, today: date, seed: int) -> None:
    household = Register(draws(seed), today).household((age,), ())
    assert household.adults[0].age(today) == age
    assert household.adults[0].birth_date < today


def test_telephones_and_mails_are_in_the_ranges_kept_for_fiction() -> None:
    for person in everybody(200):
        assert person.mobile == "" or person.mobile.startswith("06 39 98 ")
        assert person.mail == "" or person.mail.endswith("@courriel.example")


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_makes_other_people(seed: int) -> None:
    assert everybody(20, seed) == everybody(20, seed)
    assert everybody(20, seed) != everybody(20, seed + 10)

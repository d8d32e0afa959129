"""Whether two records are one person: what is suspected, what is certain, what never is."""

from __future__ import annotations

import pytest

from benchmarks.bench_duplicates import judged
from benchmarks.identities import HELD_OUT, population
from serment.identity.duplicates import APART, CERTAIN, FIELDS, SUSPECTED, compare, weights
from serment.identity.keys import duplicate_keys, person_keys
from serment.identity.likeness import Person

OID = "1.2.250.1.213.1.4.10"
NUMBER, OTHER = (OID, "279035121518989"), (OID, "179035121518921")


def person(
    family: str = "Malvésin",
    given: str = "Capucine",
    born: str = "1979-03-08",
    sex: str = "female",
    place: str = "",
    **more: frozenset[tuple[str, str]],
) -> Person:
    return Person.of([family], [given], born, sex, place, **more)


@pytest.mark.parametrize(
    "other",
    [
        person(),
        person("MALVESAIN"),
        person("Malvesni"),
        person(given="Capucinne"),
        person("Capucine", "Malvésin"),
        person(born="1979-08-03"),
        person(born="1979-03-09"),
        person(born="1980-03-08"),
        person(sex=""),
    ],
    ids=["same", "heard", "mistyped", "given", "swapped", "day and month", "day", "year", "no sex"],
)
def test_slips_of_the_front_desk_are_suspected(other: Person) -> None:
    assert compare(person(), other).verdict == SUSPECTED


@pytest.mark.parametrize(
    "other",
    [
        person("Drouvelin"),
        person(given="Solène"),
        person(born="1951-11-20"),
        person(given="Solène", sex="male"),
        person(born=""),
    ],
    ids=["another family", "a twin sister", "another day", "a twin brother", "no date"],
)
def test_other_people_are_not(other: Person) -> None:
    assert compare(person(), other).verdict == APART


def test_a_married_name_is_met_beside_the_birth_name() -> None:
    married = Person.of(["Drouvelin", "Malvésin"], ["Capucine"], "1979-03-08", "female")
    assert compare(person(), married).verdict == SUSPECTED


@pytest.mark.capability("0-04", "refuses")
def test_attack_homonyms_of_one_day_are_for_a_person_to_judge_and_never_certain() -> None:
    one, other = person("Martin", place="59350"), person("Martin", place="33063")
    assert compare(one, other).verdict == SUSPECTED
    assert compare(one, other).weight < compare(person("Martin"), person("Martin")).weight


@pytest.mark.capability("0-04", "refuses")
def test_attack_two_different_ins_are_two_people_whatever_else_agrees() -> None:
    one, other = person(matricules=frozenset({NUMBER})), person(matricules=frozenset({OTHER}))
    assert compare(one, other).verdict == APART


def test_one_ins_is_certain_and_a_past_one_only_suspected() -> None:
    one = person(matricules=frozenset({NUMBER}))
    assert compare(one, person("Autre", matricules=frozenset({NUMBER}))).verdict == CERTAIN
    assert (
        compare(one, person("Autre", matricules=frozenset(), past=frozenset({NUMBER}))).verdict == SUSPECTED
    )


def test_a_number_that_followed_another_is_the_same_person() -> None:
    before = person(matricules=frozenset({OTHER}))
    now = person(matricules=frozenset({NUMBER}), past=frozenset({OTHER}))
    assert compare(before, now).verdict == SUSPECTED


def test_a_common_name_says_less() -> None:
    rare, common = compare(person(), person()), compare(person("Martin"), person("Martin"))
    assert common.weight < rare.weight - 3


def test_a_first_of_january_says_less() -> None:
    known, unknown = (compare(person(born=day), person(born=day)) for day in ("1979-01-02", "1979-01-01"))
    assert unknown.weight == known.weight - 5


def test_the_table_has_every_level_and_what_agrees_weighs_more_than_what_does_not() -> None:
    fields = {field for field, _ in weights()}
    assert fields == set(FIELDS)
    assert all(weights()[field, "same"] > 0 > weights()[field, "other"] for field in fields)


def test_keys_for_duplicates_are_compounds_of_a_date_or_a_number() -> None:
    patient = {"name": [{"family": "Malvésin", "given": ["Capucine", "Ève"]}], "birthDate": "1979-03-08"}
    kinds = {key.partition("|")[0] for key in person_keys(patient)}
    assert kinds == {"dob", "call", "born", "near"}
    assert all(key.count("|") >= 2 for key in duplicate_keys(patient))
    assert duplicate_keys({"name": patient["name"]}) == []


def test_a_slip_in_name_or_date_still_shares_a_key() -> None:
    stored = person_keys({"name": [{"family": "Malvésin", "given": ["Capucine"]}], "birthDate": "1979-03-08"})
    for family, given, born in [
        ("Malvésni", "Capucine", "1979-03-08"),
        ("Malvésin", "Capucine", "1979-08-03"),
        ("Malvésin", "Capucine", "1989-03-08"),
        ("Capucine", "Malvésin", "1979-03-08"),
        ("Drouvelin", "Capucine", "1979-03-08"),
    ]:
        other = {"name": [{"family": family, "given": [given]}], "birthDate": born}
        assert set(duplicate_keys(other)) & set(stored), (family, born)


@pytest.mark.capability("0-04", "lets")
def test_the_table_finds_second_records_among_people_it_was_not_fitted_on() -> None:
    found = judged(population("always run", 4_000, HELD_OUT))
    assert found.recall >= 0.97
    assert found.precision >= 0.98
    assert found.sure == 1

"""People held in memory: found by what somebody types, in the order of their names, by those who may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import RequestError
from serment.identity import as_typed, names, typeahead
from serment.identity.typeahead import MOST_FOUND, Row, Shard
from serment.identity.who import Who, date_of, number_of, who_of

MINE, OTHERS = 0, 1


def who(patient: str, birth: str, given: str = "", born: str = "", used: str = "") -> Who:
    sounds = tuple(names.sound(one) for one in (birth, used) if one)
    return Who(patient, birth, used, given, born, "female", "VALI", "own", "p", sounds)


PEOPLE = (
    who("1", "DUPONT", "Jeanne Marie", "1975-05-12"),
    who("2", "DUPOND", "Jean", "1976"),
    who("3", "MARTIN", "Hélène", "1950-01-01", used="Dupont-Aignan"),
    who("4", "LE GOFF", "Dupuis", "1990-12-31"),
    who("5", "DUPONT", "Jean-Pierre", "1975-11-02"),
    who("6", "NGUYEN", "Éloïse", ""),
)


def shard(*people: Who, group: int = MINE, source: int = 7) -> Shard:
    return Shard(Row(one, group, source) for one in people or PEOPLE)


def found(text: str, *shards: Shard, groups: frozenset[int] = frozenset({MINE})) -> list[str]:
    answer = typeahead.search(shards or [shard()], as_typed.read(text), groups)
    return [one.who.patient for one in answer]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dupont", ["5", "1", "3", "2"]),  # whole names, then what sounds so
        ("dup", ["2", "5", "1", "3", "4"]),  # family names, then given names
        ("dup jea 1975", ["5", "1"]),
        ("jean dup", ["2", "5", "1"]),
        ("12/05/1975 dup", ["1"]),
        ("12051975 dup", ["1"]),
        ("1975-05 dupont", ["1"]),
        ("19 dup", ["2", "5", "1", "3", "4"]),
        ("12/05 dup", ["1"]),
        ("HELENE mar", ["3"]),
        ("hél aignan", ["3"]),
        ("legoff", ["4"]),
        ("goff le", ["4"]),
        ("d'upont", []),
        ("pierre dupont", ["5"]),
        ("nguyen 1975", []),
        ("martain", ["3"]),  # by sound
        ("zzz", []),
    ],
)
@pytest.mark.capability("0-04", "lets")
def test_what_is_typed_finds(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "du",
        "d u p",
        "1975",
        "dup*",
        "%dup",
        "dup_",
        "dup2",
        "мар",
        "dup 1975 1976",
        "dup 99999",
        "x" * 101,
        "a b c d e f ghi",
        "dup 1/2/3/4",
    ],
)
def test_less_than_a_name_and_any_other_sign_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        as_typed.read(text)
    assert refused.value.sentence == "identity.typed"


def test_nothing_of_who_somebody_is_shows_in_a_repr() -> None:
    one, asked = shard(), as_typed.read("dupont 1975")
    [first, *_] = typeahead.search([one], asked, {MINE})
    said = "".join(map(repr, (PEOPLE[0], one, next(one.rows()), asked, first)))
    assert not any(word in said for word in ("DUPONT", "Jean", "1975"))


def test_ten_are_found_the_same_ten_in_however_many_shards() -> None:
    people = [who(str(n), "DURAND", f"{chr(65 + n % 26)}nne", f"19{n % 90:02}") for n in range(60)]
    whole = found("durand", shard(*people))
    parts = found("durand", *(shard(*people[start : start + 7]) for start in range(0, 60, 7)))
    assert (whole, len(whole)) == (parts, MOST_FOUND)


@given(
    st.lists(st.sampled_from(PEOPLE), max_size=30), st.sampled_from(["dup", "dupont", "jean dup", "martain"])
)
def test_those_of_other_groups_change_nothing(others: list[Who], text: str) -> None:
    hidden = Shard(Row(one, OTHERS, 9) for one in others)
    mixed = Shard([*(Row(one, MINE, 7) for one in PEOPLE), *(Row(one, OTHERS, 9) for one in others)])
    assert found(text) == found(text, shard(), hidden) == found(text, mixed)


@given(
    st.lists(
        st.sampled_from(["MARTIN", "MARTINEZ", "MARIE", "DUPONT", "DUPUIS", "LE GOFF", "LEGROS", "DA SILVA"]),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(["mar", "mart", "martin", "dup", "leg", "le goff", "sil da", "gof"]),
)
def test_the_index_finds_whom_a_walk_through_all_finds(families: list[str], text: str) -> None:
    people = [who(f"{n:03}", name, "Anne") for n, name in enumerate(families)]
    walked = {
        one.patient
        for one in people
        if all(
            any(
                word.startswith(part.upper())
                for word in [*one.birth.split(), one.birth.replace(" ", ""), "ANNE"]
            )
            for part in text.split()
        )
    }
    answer = typeahead.search([shard(*people)], as_typed.read(text), {MINE})
    spelt = {one.who.patient for one in answer if one.fit != typeahead.HEARD}
    assert spelt <= walked
    assert len(spelt) == min(MOST_FOUND, len(walked))


def test_who_leaves_is_not_found_any_more() -> None:
    one = Shard([Row(PEOPLE[0], MINE, 1), Row(PEOPLE[4], MINE, 2)])
    one.leave({2})
    assert (found("dupont", one), len(one)) == (["1"], 1)
    assert [row.who for row in one.rows()] == [PEOPLE[0]]


def test_rows_come_back_as_they_were() -> None:
    uuid = who("0b5a7c52-7d1c-4f0e-9d3a-0a1b2c3d4e5f", "ÉLUARD", "Zoé", "1990-02-03")
    assert {row.who for row in shard(*PEOPLE, uuid).rows()} == {*PEOPLE, uuid}


@pytest.mark.parametrize("born", ["", "1950", "1950-02", "1950-02-03"])
def test_a_birth_date_is_kept_as_precise_as_it_came(born: str) -> None:
    assert date_of(number_of(born)) == born


def test_who_a_patient_is_is_read_from_what_was_received() -> None:
    patient = {
        "name": [
            {"use": "usual", "family": "Dupont", "given": ["Zoé"]},
            {"use": "official", "family": "MARTIN", "given": ["ZOE", "ANNE"]},
        ],
        "birthDate": "1990-02-03",
        "gender": "female",
    }
    one = who_of(patient, "1", "own", "p")
    assert (one.birth, one.used, one.given) == ("MARTIN", "Dupont", "ZOE ANNE")
    assert len(one.sounds) == 2


@pytest.mark.parametrize(
    "patient",
    [{}, {"name": "x"}, {"name": [1, {"family": 2, "given": 3}], "birthDate": 4}, {"birthDate": "x"}],
)
def test_what_cannot_be_read_is_left_out(patient: dict[str, object]) -> None:
    one = who_of(patient, "1", "own", "p")
    assert (one.birth, one.given, one.birth_date) == ("", "", "")


def test_a_name_with_the_signs_of_the_memory_is_held_without_them() -> None:
    one = who_of({"name": [{"family": "DU\x1fPO\x1eNT", "given": ["A\x00B"]}]}, "1", "own", "p")
    assert next(shard(one).rows()).who == one
    assert found("dupont", shard(one)) == ["1"]

import json

import pytest

from serment.errors import RequestError
from serment.identity import birth_dates, names, places, traits
from serment.identity.traits import BIRTH_LIST, BIRTH_PLACE, INSEE_CODE, Traits
from tests.vectors import MISSING, REFERENCE

FILE = REFERENCE / "test_vectors_identity.json"
CASES = json.loads(FILE.read_text("utf-8"))["name_normalisation"] if FILE.exists() else {}
needs_vectors = pytest.mark.skipif(not FILE.exists(), reason=MISSING)

PERSON = Traits("ADRTROIS", "DOMINIQUE MARIE-LOUISE", "1997-02-26", "F", "2A020")


def place(code: str) -> dict[str, object]:
    coded = {"url": INSEE_CODE, "valueCoding": {"code": code}}
    return {"url": BIRTH_PLACE, "valueAddress": {"extension": [coded], "postalCode": "20000"}}


def patient(**changed: object) -> dict[str, object]:
    listed = {"url": BIRTH_LIST, "valueString": "Dominique Marie-Louise"}
    official = {"use": "official", "extension": [listed], "family": "Adrtrois", "given": ["Dominique"]}
    usual = {"use": "usual", "family": "Martin", "given": ["Domi"]}
    whole = {"name": [usual, official], "gender": "female", "birthDate": "1997-02-26"}
    return {**whole, "extension": [place("2A020")], **changed}


def test_the_five_traits_are_read_from_the_official_name_and_the_insee_code() -> None:
    assert traits.of(patient()) == PERSON
    assert PERSON.first_given == "DOMINIQUE"
    assert PERSON.complete


@pytest.mark.parametrize(
    ("changed", "trait"),
    [
        ({"birthDate": "1997-02-27"}, "birth-date"),
        ({"gender": "male"}, "sex"),
        ({"gender": "other"}, "sex"),
        ({"extension": [place("51215")]}, "birth-place"),
        ({"extension": [place("2A020"), place("51215")]}, "birth-place"),
        ({"extension": []}, "birth-place"),
        ({"name": [{"use": "official", "family": "Martin", "given": ["Dominique"]}]}, "birth-name"),
        ({"name": [{"use": "usual", "family": "Adrtrois"}]}, "birth-name"),
        ({"name": "Adrtrois"}, "birth-name"),
    ],
)
def test_each_changed_trait_is_named(changed: dict[str, object], trait: str) -> None:
    assert trait in traits.differences(PERSON, traits.of(patient(**changed)))


def test_accents_and_capitals_are_no_difference() -> None:
    typed = Traits("Adrtrois", "Dominique  Marie–Louise", "1997-02-26", "F", "2A020")
    assert traits.differences(PERSON, typed) == ()


def test_a_given_name_that_is_not_the_first_of_the_list_is_what_is_read() -> None:
    listed = {"url": BIRTH_LIST, "valueString": "DOMINIQUE MARIE-LOUISE"}
    hidden = {"use": "official", "extension": [listed], "family": "ADRTROIS", "given": ["CLAUDE"]}
    assert traits.differences(PERSON, traits.of(patient(name=[hidden]))) == ("given-names",)


def test_a_second_official_name_makes_the_identity_another() -> None:
    official = {"use": "official", "family": "ADRTROIS", "given": ["DOMINIQUE", "MARIE-LOUISE"]}
    other = {"use": "official", "family": "MARTIN", "given": ["CLAUDE"]}
    assert traits.differences(PERSON, traits.of(patient(name=[official]))) == ()
    assert "birth-name" in traits.differences(PERSON, traits.of(patient(name=[official, other])))


def test_typed_traits_are_written_as_the_register_does() -> None:
    typed = Traits(" d’Aboville", "Éloïse  Anne-Marie", "1936-06-21", "F", "2a020")
    assert traits.typed(typed) == Traits("D'ABOVILLE", "ELOISE ANNE-MARIE", "1936-06-21", "F", "2A020")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"birth_name": "李明"}, "identity.name-script"),
        ({"given": "---"}, "identity.name-empty"),
        ({"given": "A" * 101}, "identity.name-long"),
        ({"sex": "I"}, "identity.sex"),
        ({"birth_date": "1979-02-31"}, "identity.birth-date"),
        ({"birth_date": "2027-01-01"}, "identity.birth-date-later"),
        ({"birth_place": "75011"}, "identity.place-postcode"),
        ({"birth_place": "2C001"}, "identity.place"),
    ],
)
def test_a_trait_that_cannot_be_is_refused_when_typed(changed: dict[str, str], sentence: str) -> None:
    said = dict(zip(Traits.__struct_fields__, PERSON.__reduce__()[1], strict=True))
    with pytest.raises(RequestError) as raised:
        traits.typed(Traits(**{**said, **changed}), "2026-11-22")
    assert raised.value.sentence == sentence


@pytest.mark.parametrize("code", ["2A020", "51215", "99255", "99999", "97105", "98829", "01006", "20004"])
def test_places_of_birth_have_the_shape_of_insee(code: str) -> None:
    assert places.check(f" {code.lower()} ") == code


@pytest.mark.parametrize("code", ["75001", "75020", "75116", "35000", "2A000"])
def test_a_postcode_is_never_a_place_of_birth(code: str) -> None:
    with pytest.raises(RequestError) as raised:
        places.check(code)
    assert raised.value.sentence == "identity.place-postcode"


@pytest.mark.parametrize("code", ["", "00001", "7501", "750011", "97900", "99012", "２A020", "A2020"])
def test_anything_else_is_no_place(code: str) -> None:
    assert not places.holds(code)


@pytest.mark.parametrize(
    "day", ["1979-02-31", "1900-02-29", "1979-13-01", "19790228", "1979-2-1", "", "1979"]
)
def test_an_impossible_date_is_refused_when_typed(day: str) -> None:
    with pytest.raises(RequestError):
        birth_dates.check(day)


@pytest.mark.parametrize(
    ("answered", "stored", "exact"),
    [
        ("1979-03-28", "1979-03-28", True),
        ("1950-00-00", "1950-12-31", False),
        ("1950-00-14", "1950-01-14", False),
        ("1950-07-00", "1950-07-01", False),
        ("1950-35-12", "1950-01-12", False),
        ("1951-02-30", "1951-02-01", False),
    ],
)
def test_lunar_dates_of_insi_are_adjusted_to_the_calendar(answered: str, stored: str, exact: bool) -> None:
    found = birth_dates.adjusted(answered)
    assert (found.day, found.exact) == (stored, exact)


@pytest.mark.parametrize("answered", ["0000-01-01", "1950", "", "1950-1-1"])
def test_an_unknown_year_is_guessed_by_nobody(answered: str) -> None:
    with pytest.raises(RequestError):
        birth_dates.adjusted(answered)


@needs_vectors
def test_published_first_given_names_are_found() -> None:
    for case in CASES["first_given_name"]:
        assert names.first_given_name(case["list"]) == case["first"] == Traits(given=case["list"]).first_given


def test_traits_show_nobody_when_they_are_printed() -> None:
    assert "ADRTROIS" not in repr(PERSON)

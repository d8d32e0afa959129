import pytest

from serment.errors import RequestError
from serment.identity.keys import person_keys, search_key_ins, search_keys

OID = "1.2.250.1.213.1.4.10"
PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": f"urn:oid:{OID}", "value": "279035121518989"}],
    "birthDate": "1979-03-28",
    "name": [
        {"use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE"]},
        {"use": "usual", "family": "Lefèvre"},
    ],
}


def test_a_person_is_found_by_ins_birth_name_and_used_name() -> None:
    keys = person_keys(PATIENT)
    assert keys[0] == f"ins|{OID}|279035121518989"
    assert search_key_ins(f"urn:oid:{OID}", "2 79 03 51 215 189 89") in keys
    assert set(search_keys("1979-03-28", "Pat Trois")) <= set(keys)
    assert set(search_keys("1979-03-28", "LEFEBVRE")) <= set(keys)


def test_the_wrong_day_or_the_wrong_name_finds_nobody() -> None:
    keys = person_keys(PATIENT)
    assert not set(search_keys("1979-03-29", "Lefèvre")) & set(keys)
    assert not set(search_keys("1979-03-28", "Dupont")) & set(keys)


def test_no_key_stands_on_a_name_or_a_date_alone() -> None:
    assert person_keys({"name": PATIENT["name"]}) == []
    assert person_keys({"birthDate": "1979-03-28"}) == []


def test_the_same_name_twice_makes_one_key() -> None:
    twice = {"birthDate": "1979-03-28", "name": [{"family": "Dupont"}, {"family": "DUPONT"}]}
    assert len(person_keys(twice)) == 1


@pytest.mark.parametrize(
    "patient",
    [
        {"birthDate": "1979", "name": [{"family": "李明"}]},
        {"birthDate": 1979, "name": [{"family": "Dupont"}]},
        {"birthDate": "1979", "name": "Dupont", "identifier": "x"},
        {"birthDate": "1979", "name": [None, {}, {"family": 3}]},
    ],
)
def test_a_received_patient_that_cannot_be_read_is_not_refused(patient: dict[str, object]) -> None:
    assert person_keys(patient) == []


def test_a_person_received_with_a_wrong_key_can_still_be_found() -> None:
    received = {"identifier": [{"system": f"urn:oid:{OID}", "value": "276037510669380"}]}
    assert person_keys(received) == [search_key_ins(OID, "276037510669380")]


@pytest.mark.parametrize("typed", ["28/03/1979", "1979-02-30", "1979", "", "demain"])
def test_a_search_asks_for_a_whole_day_of_the_calendar(typed: str) -> None:
    with pytest.raises(RequestError) as raised:
        search_keys(typed, "Dupont")
    assert raised.value.sentence == "identity.birth-date"


def test_the_number_of_another_authority_is_no_ins() -> None:
    with pytest.raises(RequestError):
        search_key_ins("urn:oid:1.2.3", "279035121518989")

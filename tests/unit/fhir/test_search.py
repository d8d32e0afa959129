"""What is indexed of a resource: the values of its official search parameters, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.fhir import search
from serment.fhir.dates import EARLIEST, LATEST, parse

SNOMED = "http://snomed.info/sct"


def values(resource: dict[str, Any], part: str = "") -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.msgpack.decode(search.index(resource, part=part))
    return decoded


def of(kind: str, code: str, /, **members: Any) -> Any:
    return values({"resourceType": kind, **members}).get(code)


def span(text: str) -> list[int]:
    return list(parse(text))


def test_values_carry_the_number_of_their_format() -> None:
    assert values({"resourceType": "Basic"}) == {"": search.FORMAT}


def test_a_type_that_is_none_of_r4_has_no_values() -> None:
    assert values({"resourceType": "Spell", "name": "x"}) == {"": search.FORMAT}
    assert values({}) == {"": search.FORMAT}


def test_a_code_takes_the_system_of_its_binding() -> None:
    assert of("Patient", "gender", gender="Female") == [[0, "female"]]
    assert search.parameters("Patient")["gender"].implied == {"http://hl7.org/fhir/administrative-gender"}


def test_a_concept_gives_each_coding_and_its_text() -> None:
    concept = {
        "coding": [{"system": SNOMED, "code": "22298006", "display": "Infarctus"}, {"code": "I21"}, {}],
        "text": "Infarctus du myocarde",
    }
    assert of("Condition", "code", code=concept) == [
        [SNOMED, "22298006", "Infarctus"],
        [None, "i21"],
        [None, None, "Infarctus du myocarde"],
    ]


def test_a_text_that_a_coding_shows_already_stands_once() -> None:
    concept = {"coding": [{"code": "x", "display": "Grippe"}], "text": "Grippe"}
    assert of("Condition", "code", code=concept) == [[None, "x", "Grippe"]]


def test_codes_lose_their_case_except_in_a_system_where_case_speaks() -> None:
    ucum = "http://unitsofmeasure.org"
    assert of("Condition", "code", code={"coding": [{"system": ucum, "code": "Mg"}]}) == [[ucum, "Mg"]]


def test_a_text_searched_as_a_token_is_one_without_a_system() -> None:
    assert of("Questionnaire", "version", version="2.0-RC") == [[None, "2.0-rc"]]


def test_an_identifier_keeps_system_value_and_the_text_of_its_type() -> None:
    identifier = {"system": "urn:oid:1.2.3", "value": "A12", "type": {"text": "Dossier"}}
    assert of("Patient", "identifier", identifier=[identifier, {"value": "7"}]) == [
        ["urn:oid:1.2.3", "a12", "Dossier"],
        [None, "7"],
    ]


@pytest.mark.parametrize(
    ("member", "code", "expected"),
    [
        ({"valueCodeableConcept": {"coding": [{"code": "pos"}]}}, "value-concept", [[None, "pos"]]),
        ({"valueCodeableConcept": {"text": "Positif"}}, "value-string", [["positif", "Positif"]]),
        ({"valueString": "négatif"}, "value-string", [["negatif", "négatif"]]),
        ({"valueDateTime": "2024-05"}, "value-date", [span("2024-05")]),
        (
            {"valueQuantity": {"value": Decimal("5.40"), "code": "mg"}},
            "value-quantity",
            [["5.40", "5.40", None, "mg"]],
        ),
        ({"effectiveInstant": "2024-05-01T10:00:00Z"}, "date", [span("2024-05-01T10:00:00Z")]),
        (
            {"effectivePeriod": {"start": "2024", "end": "2025-01-01"}},
            "date",
            [[span("2024")[0], span("2025-01-01")[1]]],
        ),
        ({"effectivePeriod": {"start": "2024"}}, "date", [[span("2024")[0], LATEST]]),
        ({"effectivePeriod": {"end": "2024"}}, "date", [[EARLIEST, span("2024")[1]]]),
        (
            {"effectiveTiming": {"event": ["2024-03-02", "2024-01-01"]}},
            "date",
            [[span("2024-01-01")[0], span("2024-03-02")[1]]],
        ),
        (
            {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2024"}}}},
            "date",
            [[span("2024")[0], LATEST]],
        ),
    ],
)
def test_a_choice_is_taken_by_the_type_that_was_written(
    member: dict[str, Any], code: str, expected: Any
) -> None:
    assert of("Observation", code, **member) == expected


def test_a_component_is_found_by_the_combined_parameter_only() -> None:
    component = [{"code": {"coding": [{"code": "8480-6"}]}}]
    observation = {
        "resourceType": "Observation",
        "code": {"coding": [{"code": "85354-9"}]},
        "component": component,
    }
    assert values(observation)["code"] == [[None, "85354-9"]]
    assert values(observation)["component-code"] == [[None, "8480-6"]]
    assert values(observation)["combo-code"] == [[None, "85354-9"], [None, "8480-6"]]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, [[0, "false"]]),
        ({"deceasedBoolean": False}, [[0, "false"]]),
        ({"deceasedBoolean": True}, [[0, "true"]]),
        ({"deceasedDateTime": "2020"}, [[0, "true"]]),
        ({"_deceasedDateTime": {"extension": []}}, None),
    ],
)
def test_every_patient_is_dead_or_not(members: dict[str, Any], expected: Any) -> None:
    """`Patient.deceased.exists() and Patient.deceased != false` is false when nothing is written."""
    assert of("Patient", "deceased", **members) == expected


def test_a_date_of_death_is_a_date_too() -> None:
    assert of("Patient", "death-date", deceasedDateTime="2020-02-03") == [span("2020-02-03")]
    assert of("Patient", "death-date", deceasedBoolean=True) is None


def test_a_reference_keeps_the_type_asked_by_the_expression() -> None:
    appointment = {
        "resourceType": "Appointment",
        "participant": [
            {"actor": {"reference": "Patient/p1"}},
            {"actor": {"reference": "https://other.example/fhir/Practitioner/d1"}},
            {"actor": {"reference": "urn:uuid:0b5", "type": "Location"}},
            {"actor": {"reference": "urn:uuid:0b6"}},
        ],
    }
    found = values(appointment)
    assert found["patient"] == [["Patient/p1"]]
    assert found["practitioner"] == [["https://other.example/fhir/Practitioner/d1"]]
    assert found["location"] == [["urn:uuid:0b5", "Location"]]
    assert len(found["actor"]) == 4


def test_a_reference_loses_its_version_and_keeps_its_identifier() -> None:
    subject = {"reference": "Patient/p1/_history/3", "identifier": {"system": "urn:oid:1", "value": "N1"}}
    assert of("Observation", "subject", subject=subject) == [["Patient/p1", None, "urn:oid:1", "n1"]]


def test_an_absolute_reference_to_this_server_is_found_as_a_local_one() -> None:
    here, there = "https://here.example/fhir", "https://there.example/fhir"
    performers = [{"reference": f"{here}/Patient/p1"}, {"reference": f"{there}/Patient/p1"}]
    raw = search.index({"resourceType": "Observation", "performer": performers}, base=here)
    assert msgspec.msgpack.decode(raw)["performer"] == [["Patient/p1"], [f"{there}/Patient/p1"]]


def test_a_contained_resource_is_not_found_by_reference() -> None:
    assert of("Observation", "subject", subject={"reference": "#p"}) is None
    named = {"reference": "#p", "identifier": {"value": "N1"}}
    assert of("Observation", "subject", subject=named) == [[None, None, None, "n1"]]


def test_only_the_telecom_of_the_asked_system_counts() -> None:
    telecom = [{"system": "phone", "value": "0102030405"}, {"system": "email", "value": "A@example.org"}]
    practitioner = values({"resourceType": "Practitioner", "telecom": telecom})
    assert practitioner["phone"] == [[None, "0102030405"]]
    assert practitioner["email"] == [[None, "a@example.org"]]
    assert len(practitioner["telecom"]) == 2


def test_a_name_gives_all_its_parts_folded() -> None:
    name = [{"family": "d’Aubigné", "given": ["Jean-Noël", None, "Œdipe"], "text": "  Noël   d’Aubigné "}]
    assert of("Patient", "name", name=name) == [
        ["daubigne", "d’Aubigné"],
        ["jean noel", "Jean-Noël"],
        ["oedipe", "Œdipe"],
        ["noel daubigne", "  Noël   d’Aubigné "],
    ]


def test_a_phonetic_name_is_not_indexed() -> None:
    assert of("Patient", "phonetic", name=[{"family": "Martin"}]) is None
    assert "phonetic" not in search.searched("Patient")


@pytest.mark.capability("0-21", "refuses")
def test_an_address_is_not_among_the_values_of_who_a_patient_is() -> None:
    patient = {
        "resourceType": "Patient",
        "name": [{"family": "Martin"}],
        "address": [{"city": "Lyon"}],
        "telecom": [{"system": "phone", "value": "01"}],
    }
    assert set(values(patient)) == {"", "name", "family", "deceased"}
    assert set(values(patient, part="contact")) == {"", "address", "address-city", "telecom", "phone"}


def test_the_halves_of_a_patient_join_to_one_set_of_values() -> None:
    patient = {"resourceType": "Patient", "name": [{"family": "Martin"}], "address": [{"city": "Lyon"}]}
    whole = search.joined(search.index(patient), search.index(patient, part="contact"))
    assert msgspec.msgpack.decode(whole)["address-city"] == [["lyon", "Lyon"]]
    assert msgspec.msgpack.decode(whole)["family"] == [["martin", "Martin"]]


def test_the_first_entry_of_a_document_is_its_composition() -> None:
    entries = [
        {"resource": {"resourceType": "Composition", "id": "c1"}},
        {"resource": {"resourceType": "Patient", "id": "p1"}},
    ]
    assert of("Bundle", "composition", entry=entries) == [["Composition/c1"]]
    assert (
        of("Bundle", "composition", entry=[{"resource": {"resourceType": "Composition"}}, *entries]) is None
    )
    assert of("Bundle", "composition", entry=[{"resource": {"id": "c1"}}]) is None
    assert of("Bundle", "composition", entry=[{"resource": "c1"}]) is None


def test_a_date_that_is_none_gives_no_value() -> None:
    assert of("Condition", "onset-date", onsetDateTime="2023-02-30") is None
    assert of("Condition", "onset-date", onsetPeriod={}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["coding", "code", "system", "value", "reference", "identifier", "start", "text"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(["Patient", "Observation", "Appointment", "Bundle", "Encounter"]),
    st.dictionaries(
        st.sampled_from(
            ["name", "code", "subject", "participant", "entry", "valueQuantity", "effectiveTiming", "telecom"]
        ),
        JSON,
    ),
)
def test_no_shape_however_wrong_stops_the_indexing(kind: str, members: dict[str, Any]) -> None:
    assert values({"resourceType": kind, **members})[""] == search.FORMAT


def test_every_parameter_that_is_searched_has_a_way_to_a_value() -> None:
    without = [
        (kind, code)
        for kind in search.resource_types()
        for code, parameter in search.searched(kind).items()
        if parameter.type != "composite"
        and not any(search.compiled(path, parameter.type) for path in parameter.paths)
    ]
    assert without == []

"""The generated schema: closed, complete, and no two types share a definition."""

from typing import Any

import pytest

from serment.fhir import schema

DEFINITIONS: dict[str, dict[str, Any]] = schema._file()["schema"]["definitions"]
OBJECTS = {name: one for name, one in DEFINITIONS.items() if "properties" in one and name != "Resource"}


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    here = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return here.union(*map(references, value.values()))


def test_every_reference_leads_to_a_definition_and_every_definition_is_used() -> None:
    used = {one.removeprefix("#/definitions/") for one in references(schema._file()["schema"])}
    assert used <= DEFINITIONS.keys()
    unused = DEFINITIONS.keys() - used - {f"{name}?" for name in DEFINITIONS}
    assert unused & OBJECTS.keys() == {"BackboneElement"}


def test_every_object_is_closed_and_never_empty() -> None:
    for name, one in OBJECTS.items():
        assert one["additionalProperties"] is False, name
        assert one["minProperties"] == 1, name
        assert "fhir_comments" not in one["properties"], name


def test_every_array_has_an_item() -> None:
    for name, one in OBJECTS.items():
        for member, rule in one["properties"].items():
            assert rule.get("minItems") == (1 if rule.get("type") == "array" else None), f"{name}.{member}"


def test_nested_elements_are_named_by_their_whole_path() -> None:
    nested = {name for name in OBJECTS if "." in name}
    assert {"ClaimResponse.item.detail", "ClaimResponse.addItem.detail", "Timing.repeat"} <= nested
    assert {name.partition(".")[0] for name in nested} <= OBJECTS.keys()


@pytest.mark.parametrize(
    ("owner", "member", "definition"),
    [
        ("Patient", "name", "HumanName"),
        ("Patient", "contact", "Patient.contact"),
        ("Patient", "_birthDate", "Element"),
        ("HumanName", "given", "string"),
        ("HumanName", "_given", "Element"),
        ("Bundle.entry", "link", "Bundle.link"),
        ("Bundle.entry", "resource", "Resource"),
        ("Questionnaire.item", "item", "Questionnaire.item"),
        ("Extension", "extension", "Extension"),
        ("Extension", "valueDosage", "Dosage"),
        ("Patient", "colour", ""),
        ("Nothing", "name", ""),
    ],
)
def test_a_member_leads_to_its_definition(owner: str, member: str, definition: str) -> None:
    assert schema.definition_of(owner, member) == definition


def test_choices_are_those_of_the_object() -> None:
    assert schema.choices_of("Patient") == {
        "deceasedBoolean": "deceased[x]",
        "deceasedDateTime": "deceased[x]",
        "multipleBirthBoolean": "multipleBirth[x]",
        "multipleBirthInteger": "multipleBirth[x]",
    }
    assert len(schema.choices_of("Extension")) == 50
    assert schema.choices_of("Device.property") == {}

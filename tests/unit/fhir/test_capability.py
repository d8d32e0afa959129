"""The CapabilityStatement lists exactly what works."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serment.errors import NotSupportedError
from serment.fhir import capability, document, search, validate
from serment.fhir.query import parse
from serment.model import Instant

GOOD = {
    "token": "a",
    "date": "2024",
    "string": "a",
    "reference": "x1",
    "number": "5",
    "quantity": "5",
    "uri": "urn:a",
}
COMPOSITES = {
    "code-value-date": "a$2024",
    "code-value-string": "a$b",
    "code-value-concept": "a$b",
    "relationship": "x1$replaces",
    "characteristic-value": "a$b",
    "context-type-value": "a$b",
}


def good(code: str, type_: str) -> str:
    """Give a value that a parameter takes."""
    if type_ != "composite":
        return GOOD[type_]
    return COMPOSITES.get(code.removeprefix("component-").removeprefix("combo-"), "a$5")


ALL = sorted(search.resource_types())


def statement(types: list[str], **more: Any) -> Any:
    return json.loads(
        capability.statement("0.1.0", Instant(1_709_287_200_000), "https://here.example/fhir", types, **more)
    )


def resources(types: list[str], **more: Any) -> dict[str, Any]:
    return {row["type"]: row for row in statement(types, **more)["rest"][0]["resource"]}


def test_every_parameter_listed_is_answered_and_every_other_official_one_refused() -> None:
    for kind, row in resources(ALL).items():
        listed = {parameter["name"]: parameter["type"] for parameter in row["searchParam"]}
        for code, type_ in listed.items():
            assert parse(kind, [(code, good(code, type_))]).clauses[0].type == type_
        for code in set(search.parameters(kind)) - set(listed):
            with pytest.raises(NotSupportedError):
                parse(kind, [(code, "a")])


def test_a_parameter_of_another_type_is_neither_listed_nor_answered() -> None:
    codes = {code for kind in ALL for code in search.searched(kind)}
    listed = {parameter["name"] for parameter in resources(["Patient"])["Patient"]["searchParam"]}
    for code in codes - listed:
        with pytest.raises(NotSupportedError):
            parse("Patient", [(code, "a")])


def test_only_the_types_that_are_kept_are_listed() -> None:
    assert list(resources(["Patient", "Observation"])) == ["Observation", "Patient"]


def test_interactions_are_those_of_the_door() -> None:
    row = resources(["Observation"])["Observation"]
    codes = [interaction["code"] for interaction in row["interaction"]]
    reads = ["read", "vread", "history-instance", "history-type"]
    assert codes == [*reads, "create", "update", "patch", "delete", "search-type"]
    assert (row["conditionalCreate"], row["conditionalUpdate"], row["updateCreate"]) == (True, True, False)
    assert (row["conditionalDelete"], row["versioning"]) == ("single", "versioned-update")


def test_what_a_type_does_not_do_is_not_listed() -> None:
    rows = resources(["Binary", "Patient", "Practitioner"], unsearched=frozenset({"Binary"}))
    codes = {name: {one["code"] for one in row["interaction"]} for name, row in rows.items()}
    assert {"patch", "history-type", "search-type"} & codes["Binary"] == set()
    assert rows["Binary"]["conditionalDelete"] == "not-supported"
    assert "history-type" not in codes["Patient"] | codes["Practitioner"]


def test_operations_are_listed_with_their_definitions() -> None:
    row = resources(["Patient"], operations={"Patient": {"everything": "http://there/everything"}})["Patient"]
    assert row["operation"] == [{"name": "everything", "definition": "http://there/everything"}]


def test_the_statement_says_version_date_and_address() -> None:
    said = statement(["Patient"])
    assert said["fhirVersion"] == "4.0.1"
    assert said["date"] == "2024-03-01T10:00:00.000Z"
    assert said["software"] == {"name": "Serment", "version": "0.1.0"}
    assert said["implementation"]["url"] == "https://here.example/fhir"
    assert [row["code"] for row in said["rest"][0]["interaction"]] == ["transaction", "batch"]


def test_a_door_that_answers_less_lists_less() -> None:
    row = resources(["Patient", "Observation"], only={"Patient": frozenset({"_id", "identifier"})})
    assert [p["name"] for p in row["Patient"]["searchParam"]] == ["_id", "identifier"]
    assert len(row["Observation"]["searchParam"]) > 20


def test_each_parameter_names_its_official_definition() -> None:
    [code] = [p for p in resources(["Observation"])["Observation"]["searchParam"] if p["name"] == "code"]
    assert code["definition"] == "http://hl7.org/fhir/SearchParameter/clinical-code"


def test_the_statement_is_valid_fhir() -> None:
    raw = capability.statement("0.1.0", Instant(0), "https://here.example/fhir", ALL)
    assert validate.issues(document.read(raw)) == []


@pytest.mark.parametrize("kind", ["Observation", "Patient", "Practitioner", "Encounter", "Provenance"])
def test_every_include_listed_is_answered(kind: str) -> None:
    row = resources([kind])[kind]
    for name, member in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude")):
        for value in row.get(member, []):
            assert parse(kind, [(name, value)]).includes[0].text == value


def test_from_the_directory_no_include_leads_into_a_record() -> None:
    listed = resources(["Practitioner"])["Practitioner"]["searchRevInclude"]
    assert "PractitionerRole:practitioner" in listed
    assert not any(value.startswith(("Observation", "Encounter", "Patient")) for value in listed)

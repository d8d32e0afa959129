"""A patient summary against the rules of the International Patient Summary, STU 2 (2.0.0).

The table holds every rule of Bundle-uv-ips, Composition-uv-ips and Patient-uv-ips that an instance can break
(cardinality, fixed values, slices, invariants), written by hand from the published definitions of
hl7.fhir.uv.ips (https://hl7.org/fhir/uv/ips/). `verified` says that the rule was read in the sources of the
guide, and not only in its prose. Elements marked must-support are populated when they are known: those that
never are, are listed in `NOT_POPULATED`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from serment.fhir import document, ips, validate
from serment.fhir.ips import SECTIONS, About, Filled
from serment.model import Instant
from serment.words import Language

Json = dict[str, Any]

BASE = "https://here.example/fhir"
UUID = "0b6e1a52-7c3f-4f43-9f5e-1d5a3c6f7a01"
PERSON = {"resourceType": "Patient", "id": "p", "name": [{"family": "Sauvageot"}], "birthDate": "1961-02-03"}
ITEMS = {
    "problems": {"resourceType": "Condition", "id": "c"},
    "allergies": {"resourceType": "AllergyIntolerance", "id": "a"},
    "medications": {"resourceType": "MedicationRequest", "id": "m"},
    "immunizations": {"resourceType": "Immunization", "id": "i"},
    "procedures": {"resourceType": "Procedure", "id": "x"},
    "results": {"resourceType": "Observation", "id": "o"},
    "vitals": {"resourceType": "Observation", "id": "v"},
}
REQUIRED = {"10160-0", "48765-2", "11450-4"}
TAKEN = {
    "10160-0": {"MedicationStatement", "MedicationRequest", "MedicationAdministration", "MedicationDispense"},
    "48765-2": {"AllergyIntolerance"},
    "11450-4": {"Condition"},
    "11369-6": {"Immunization"},
    "47519-4": {"Procedure"},
    "30954-2": {"Observation", "DiagnosticReport", "Media"},
    "8716-3": {"Observation"},
}
"""Section code → types that its entries may have, documents apart."""

NOT_POPULATED = {"attester", "custodian", "event"}
"""Must-support members of Composition-uv-ips not known here: nobody attests what a server gathers."""


@dataclass(frozen=True)
class Rule:
    """One rule: its place and words in the profile, and what tells whether a document keeps it."""

    profile: str
    path: str
    says: str
    kept: Callable[[Json], bool]
    verified: bool = True


def composition(made: Json) -> Json:
    one: Json = made["entry"][0]["resource"]
    return one


def person(made: Json) -> Json:
    [one] = [each["resource"] for each in made["entry"] if each["resource"]["resourceType"] == "Patient"]
    return dict(one)


def sections(made: Json) -> list[Json]:
    found: list[Json] = composition(made)["section"]
    return found


def codes(made: Json) -> list[str]:
    return [one["code"]["coding"][0]["code"] for one in sections(made)]


def led(made: Json) -> Iterator[tuple[str, str]]:
    """Follow the entries of the sections inside the bundle: code of the section, type of what is there."""
    there = {each["fullUrl"]: each["resource"]["resourceType"] for each in made["entry"]}
    for section in sections(made):
        for one in section.get("entry", []):
            yield section["code"]["coding"][0]["code"], there[one["reference"]]


RULES = [
    Rule("Bundle", "identifier", "1..1", lambda d: {"system", "value"} <= d["identifier"].keys()),
    Rule("Bundle", "type", "= document", lambda d: d["type"] == "document"),
    Rule("Bundle", "timestamp", "1..1", lambda d: bool(d["timestamp"])),
    Rule("Bundle", "entry.fullUrl", "1..1", lambda d: all(one["fullUrl"] for one in d["entry"])),
    Rule(
        "Bundle",
        "entry",
        "search, request and response 0..0",
        lambda d: all(one.keys() == {"fullUrl", "resource"} for one in d["entry"]),
    ),
    Rule(
        "Bundle",
        "entry:composition",
        "1..1, first; bdl-ips-1: no other",
        lambda d: (
            [one["resource"]["resourceType"] == "Composition" for one in d["entry"]]
            == [True] + [False] * (len(d["entry"]) - 1)
        ),
    ),
    Rule("Bundle", "entry:patient", "1..1", lambda d: bool(person(d))),
    Rule("Composition", "status", "1..1", lambda d: composition(d)["status"] == "final"),
    Rule(
        "Composition",
        "type",
        "pattern LOINC 60591-5",
        lambda d: (
            {"system": "http://loinc.org", "code": "60591-5"}.items()
            <= composition(d)["type"]["coding"][0].items()
        ),
    ),
    Rule(
        "Composition",
        "subject.reference",
        "1..1, Patient-uv-ips, found in the bundle",
        lambda d: (
            composition(d)["subject"]["reference"] == d["entry"][1]["fullUrl"]
            and d["entry"][1]["resource"] == person(d)
        ),
    ),
    Rule("Composition", "date", "1..1", lambda d: bool(composition(d)["date"])),
    Rule("Composition", "author", "1..*", lambda d: bool(composition(d)["author"])),
    Rule("Composition", "title", "1..1", lambda d: bool(composition(d)["title"])),
    Rule("Composition", "text", "must support", lambda d: "div" in composition(d)["text"]),
    Rule("Composition", "identifier", "must support", lambda d: "value" in composition(d)["identifier"]),
    Rule(
        "Composition", "section", "medications, allergies, problems 1..1", lambda d: set(codes(d)) >= REQUIRED
    ),
    Rule("Composition", "section", "each slice 0..1", lambda d: len(codes(d)) == len(set(codes(d)))),
    Rule(
        "Composition",
        "section",
        "title, code and text 1..1",
        lambda d: all({"title", "code", "text"} <= one.keys() for one in sections(d)),
    ),
    Rule(
        "Composition", "section.section", "0..0", lambda d: not any("section" in one for one in sections(d))
    ),
    Rule(
        "Composition",
        "section",
        "ips-comp-1: entry or emptyReason; cmp-2: not both",
        lambda d: all(("entry" in one) != ("emptyReason" in one) for one in sections(d)),
    ),
    Rule(
        "Composition",
        "section.entry",
        "of the types of its slice, found in the bundle",
        lambda d: all(type_ in TAKEN[code] for code, type_ in led(d)),
    ),
    Rule("Patient", "birthDate", "1..1", lambda d: "birthDate" in person(d)),
    Rule(
        "Patient",
        "name",
        "1..*; ips-pat-1: family, given or text",
        lambda d: (
            bool(person(d).get("name"))
            and all(one.keys() & {"family", "given", "text"} for one in person(d)["name"])
        ),
    ),
]


def made(patient: Json = PERSON, keys: set[str] | None = None) -> Json:
    filled = [
        Filled(
            one,
            [
                (
                    f"{ITEMS[one.key]['resourceType']}/{ITEMS[one.key]['id']}",
                    json.dumps(ITEMS[one.key]).encode(),
                )
            ]
            if keys is None or one.key in keys
            else [],
        )
        for one in SECTIONS
    ]
    about = About(BASE, "p", json.dumps(patient).encode(), UUID, Instant(0), Language.FR)
    raw = ips.document(about, filled)
    whole: Json = json.loads(raw)
    return whole


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.profile}.{rule.path} {rule.says}")
@pytest.mark.parametrize("keys", [None, set(), {"allergies", "vitals"}], ids=["full", "empty", "some"])
def test_a_summary_keeps_the_rule(rule: Rule, keys: set[str] | None) -> None:
    assert rule.verified
    assert rule.kept(made(keys=keys))


def test_a_summary_that_keeps_the_rules_says_so_and_of_which_version() -> None:
    one = made()
    base = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
    assert one["meta"]["profile"] == [f"{base}Bundle-uv-ips|2.0.0"]
    assert composition(one)["meta"]["profile"] == [f"{base}Composition-uv-ips|2.0.0"]


@pytest.mark.parametrize(
    "lacking",
    [
        {"name": [{"family": "Sauvageot"}]},
        {"birthDate": "1961-02-03"},
        {"birthDate": "1961-02-03", "name": [{"use": "official"}]},
    ],
)
def test_a_summary_of_a_person_without_name_or_date_of_birth_claims_nothing(lacking: Json) -> None:
    one = made({"resourceType": "Patient", "id": "p", **lacking})
    assert not all(rule.kept(one) for rule in RULES)
    assert "meta" not in one
    assert "meta" not in composition(one)


def test_what_is_not_populated_is_what_is_listed() -> None:
    supported = {"text", "identifier", "status", "type", "subject", "date", "author", "title", "section"}
    assert supported <= composition(made()).keys()
    assert not composition(made()).keys() & NOT_POPULATED


def test_an_empty_summary_is_valid_r4() -> None:
    about = About(BASE, "p", json.dumps(PERSON).encode(), UUID, Instant(0), Language.EN)
    raw = ips.document(about, [Filled(one, []) for one in SECTIONS])
    assert validate.issues(document.read(raw)) == []

"""The table of search parameters against a list of the official ones that others extracted."""

from __future__ import annotations

import csv

import pytest

from serment.fhir import compartment, search
from tests.vectors import MISSING, REFERENCE

LIST = REFERENCE / "fhir/r4-search-parameters.tsv"
pytestmark = pytest.mark.skipif(not LIST.exists(), reason=MISSING)

NOT_OFFICIAL = {("ServiceRequest", "order-detail")}
"""In the list, which comes from another server, and not in the definitions of R4 4.0.1."""
COMPARTMENT_NOT_OFFICIAL = {("Encounter", "subject"), ("Task", "patient"), ("Task", "focus")}
"""Put into the compartment by that server; the official definition does not."""


def official() -> list[dict[str, str]]:
    with LIST.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_every_official_parameter_is_in_the_table_with_its_type() -> None:
    wrong = [
        (row["base"], row["code"], row["type"])
        for row in official()
        if row["base"] in search.resource_types()
        and "xtension(" not in row["expression"]
        and row["expression"]
        and (row["base"], row["code"]) not in NOT_OFFICIAL
        and (
            row["code"] not in search.parameters(row["base"])
            or search.parameters(row["base"])[row["code"]].type != row["type"]
        )
    ]
    assert wrong == []


def test_a_patients_compartment_is_the_official_one() -> None:
    listed = {
        (row["base"], row["code"])
        for row in official()
        if "patient-compartment" in row["compartment"].split(",")
    }
    ours = {(kind, code) for kind, codes in compartment.definition().items() for code in codes}
    assert listed - ours == COMPARTMENT_NOT_OFFICIAL

"""A part of a resource keeps what must stand, drops the rest, and rewrites nothing."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import Any

import pytest

from serment.fhir import search, subset
from tests.vectors import VECTORS

BODY = (
    b'{ "resourceType":"Observation",\n "id":"o1","meta":{"versionId":"1"},'
    b'"text":{"status":"generated","div":"<div/>"},'
    b'"status":"entered-in-error","_status":{"id":"s"},"modifierExtension":[{"url":"urn:x","valueString":"y"}],'
    b'"code":{"text":"\\u00e9t\xc3\xa9"},"note":[{"text":"n"}],'
    b'"valueQuantity":{"value": 1.500e0, "unit":"mg"},'
    b'"component":[{"code":{"text":"c"},"interpretation":[{"text":"high"}],"valueInteger":3}]}'
)
TAG = '"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]'


def members(body: bytes) -> set[str]:
    return set(json.loads(body))


ALWAYS = {"resourceType", "id", "meta", "status", "_status", "code", "modifierExtension"}


def test_elements_are_those_asked_and_those_that_must_stand() -> None:
    """Attack: `_elements=value` hides that the value was entered in error."""
    assert members(subset.elements("Observation", BODY, ["value"])) == {*ALWAYS, "valueQuantity"}
    assert members(subset.elements("Observation", BODY, [])) == ALWAYS


def test_a_summary_leaves_out_what_is_none_at_every_depth() -> None:
    part = subset.summarised("Observation", BODY, "true")
    assert members(part) == {*ALWAYS, "valueQuantity", "component"}
    assert set(json.loads(part)["component"][0]) == {"code", "valueInteger"}


def test_text_and_data_are_the_two_halves() -> None:
    assert members(subset.summarised("Observation", BODY, "text")) == {*ALWAYS, "text"}
    assert members(subset.summarised("Observation", BODY, "data")) == set(json.loads(BODY)) - {"text"}


@pytest.mark.parametrize("summary", ["true", "data"])
def test_what_stays_is_not_rewritten(summary: str) -> None:
    part = subset.summarised("Observation", BODY, summary).decode()
    assert '"valueQuantity":{"value": 1.500e0, "unit":"mg"}' in part
    assert '"code":{"text":"\\u00e9té"}' in part


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ('{"versionId":"1"}', '"meta":{' + TAG + ',"versionId":"1"}'),
        ("{}", '"meta":{' + TAG + "}"),
        ('{"tag":[]}', '"meta":{' + TAG + "}"),
        ('{"tag":[ {"code":"x"}]}', '"meta":{' + TAG[:-1].replace("[", "[ ") + ',{"code":"x"}]}'),
    ],
)
def test_a_part_says_that_it_is_one(meta: str, expected: str) -> None:
    body = f'{{"resourceType":"Observation","meta":{meta},"status":"final"}}'.encode()
    assert expected in subset.elements("Observation", body, []).decode()


def test_names_of_elements_are_those_of_the_type() -> None:
    assert {"value", "component", "status", "id"} <= subset.element_names("Observation")
    assert not {"valueQuantity", "_status", "birthDate", "colour"} & subset.element_names("Observation")
    assert all(subset.element_names(kind) for kind in search.resource_types())


@pytest.mark.skipif(not VECTORS.exists(), reason="the examples of others are not beside this checkout")
def test_every_official_example_has_its_parts() -> None:
    with gzip.open(VECTORS / "fhir-r4-examples/examples.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            whole: dict[str, Any] = json.loads(line, parse_float=Decimal)
            kind = whole["resourceType"]
            for summary in ("true", "text", "data"):
                part = json.loads(subset.summarised(kind, line.encode(), summary), parse_float=Decimal)
                kept = {name: value for name, value in part.items() if name != "meta"}
                assert set(kept) <= set(whole)
                if summary != "true":
                    assert kept == {name: whole[name] for name in kept}

"""The conformance pages say what the served statement says: nothing more, nothing less."""

from __future__ import annotations

import re
from collections import defaultdict

import httpx
import pytest

from tests.architecture.source import ROOT
from tests.doors.samples import Json
from tests.doors.served import Served

PAGES = ROOT / "docs" / "reference"
REQUESTS = {
    "read": "`GET [type]/[id]`",
    "vread": "`GET [type]/[id]/_history/[n]`",
    "history-instance": "`GET [type]/[id]/_history`",
    "history-type": "`GET [type]/_history?patient=…`",
    "create": "`POST [type]`",
    "update": "`PUT [type]/[id]` with `If-Match",
    "patch": "`PATCH [type]/[id]`",
    "delete": "`DELETE [type]/[id]`",
    "search-type": "`GET [type]?…`, `POST [type]/_search`",
    "transaction": "`POST /fhir`",
    "batch": "`POST /fhir`",
}
"""Interaction → how the FHIR page writes its request."""

NOT_HERE = {"lookup"}
"""Operations that the FHIR page names to say that they are not there."""


@pytest.fixture(scope="module")
def rest(running: Served) -> Json:
    [one] = httpx.get(f"{running.address}/fhir/metadata").json()["rest"]
    return dict(one)


def rows(heading: str) -> list[list[str]]:
    """Read the lines of the tables below a heading of the conformance page, cell by cell."""
    page = (PAGES / "conformance.md").read_text(encoding="utf-8")
    part = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if "|" in line
    ]
    return [row for row in cells if row[0].startswith("`")]


def types(said: str, known: set[str]) -> set[str]:
    """Read `all 85 types but …`, or a list."""
    named = set(re.findall(r"`([A-Za-z]+)`", said))
    return known - named if said.startswith("all") else named


def test_every_interaction_is_on_the_page_and_no_other(rest: Json) -> None:
    known = {one["type"] for one in rest["resource"]}
    listed: dict[str, set[str]] = defaultdict(set)
    for one in rest["resource"]:
        for interaction in one["interaction"]:
            listed[interaction["code"]].add(one["type"])
        for member in one:
            if member.startswith("conditional") and one[member] not in {False, "not-supported"}:
                listed[member].add(one["type"])
    said = {row[0].strip("`"): types(row[1], known) for row in rows("Interactions")}
    whole = {one["code"] for one in rest["interaction"]}
    assert {code for code, of in said.items() if not of} == whole
    assert {code: of for code, of in said.items() if of} == listed


def test_every_operation_is_on_the_page_and_no_other(rest: Json) -> None:
    known = {one["type"] for one in rest["resource"]}
    said = {
        (row[0].strip("`$"), row[2], type_) for row in rows("Operations") for type_ in types(row[1], known)
    }
    assert said == {
        (each["name"], each["definition"], one["type"])
        for one in rest["resource"]
        for each in one.get("operation", [])
    }


def test_every_search_parameter_is_on_the_page_and_no_other(rest: Json) -> None:
    page = (PAGES / "conformance.md").read_text(encoding="utf-8")
    pair = re.compile(r"`([A-Za-z0-9_-]+)` ([a-z]+)")
    common = set(pair.findall(page.partition("Of every type that is searched: ")[2].partition("\n")[0]))
    said = {row[0].strip("`"): common | set(pair.findall(row[1])) for row in rows("Search parameters")}
    assert common
    assert said == {
        one["type"]: {(each["name"], each["type"]) for each in one["searchParam"]}
        for one in rest["resource"]
        if one.get("searchParam")
    }


def test_the_page_of_the_door_explains_every_interaction_and_operation(rest: Json) -> None:
    page = (PAGES / "fhir.md").read_text(encoding="utf-8")
    codes = {each["code"] for one in [rest, *rest["resource"]] for each in one["interaction"]}
    assert codes == REQUESTS.keys()
    assert [code for code in codes if REQUESTS[code] not in page] == []
    listed = {each["name"] for one in rest["resource"] for each in one.get("operation", [])}
    assert set(re.findall(r"[/`]\$([a-z]+(?:-[a-z]+)*)", page)) == listed | NOT_HERE


@pytest.mark.parametrize(
    "left_out", ["GraphQL", "XML", "across patients", "FHIRPath Patch", "profiles in `$validate`", "`_text`"]
)
def test_the_page_of_the_door_says_what_is_left_out(left_out: str) -> None:
    assert left_out in (PAGES / "fhir.md").read_text(encoding="utf-8")

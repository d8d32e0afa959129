"""The 29 validation cases measured on other validators: shape and values are judged as they should be."""

import json
from typing import Any

import pytest

from serment.fhir.document import read
from serment.fhir.validate import issues
from tests.vectors import MISSING, REFERENCE

CASES_FILE = REFERENCE / "fhir" / "validation-cases.json"
pytestmark = pytest.mark.skipif(not CASES_FILE.exists(), reason=MISSING)


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(CASES_FILE.read_text("utf-8")) if CASES_FILE.exists() else []
    return found


def is_taken(case: dict[str, Any]) -> bool:
    return issues(read(json.dumps(case["resource"]).encode())) == []


@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case["name"]))
@pytest.mark.capability("1-30", "refuses")
def test_verdict(case: dict[str, Any]) -> None:
    assert is_taken(case) == (case["expected"] == "accept")


def test_all_twenty_nine_are_judged() -> None:
    assert len({case["name"] for case in cases()}) == 29

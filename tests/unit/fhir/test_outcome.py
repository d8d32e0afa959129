"""An OperationOutcome says one sentence, its id, and where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serment.errors import (
    GoneError,
    InvalidResourceError,
    MalformedError,
    NotSupportedError,
    SermentError,
)
from serment.fhir import document, outcome, validate
from serment.words import Language


def said(error: SermentError, language: Language = Language.EN) -> Any:
    return json.loads(outcome.outcome(error, language))


def test_an_error_is_said_in_the_language_of_the_reader() -> None:
    error = NotSupportedError("search.parameter-not-supported", parameter="_text")
    assert said(error, Language.FR) == {
        "resourceType": "OperationOutcome",
        "language": "fr",
        "issue": [
            {
                "severity": "error",
                "code": "not-supported",
                "details": {
                    "coding": [{"system": "urn:serment:sentence", "code": "search.parameter-not-supported"}],
                    "text": "Le paramètre «\u00a0_text\u00a0» existe en FHIR R4 "
                    "mais ce serveur n'y répond pas.",
                },
            }
        ],
    }
    assert "does not answer it." in said(error)["issue"][0]["details"]["text"]


def test_an_error_that_knows_the_place_says_it() -> None:
    error = InvalidResourceError("search.malformed-count", "Patient.name[0]")
    assert said(error)["issue"][0]["expression"] == ["Patient.name[0]"]


def test_an_error_without_a_place_says_none() -> None:
    assert "expression" not in said(InvalidResourceError("search.malformed-count"))["issue"][0]


@pytest.mark.parametrize(
    ("error", "code"), [(MalformedError, "structure"), (GoneError, "deleted"), (SermentError, "exception")]
)
def test_the_issue_code_is_that_of_the_error(error: type[SermentError], code: str) -> None:
    assert said(error("search.malformed-count"))["issue"][0]["code"] == code


def test_a_success_is_information() -> None:
    answer = json.loads(outcome.ok("search.repeated", Language.EN, parameter="_sort"))
    [issue] = answer["issue"]
    assert (issue["severity"], issue["code"]) == ("information", "informational")
    assert "_sort" in issue["details"]["text"]


def test_an_outcome_is_valid_fhir() -> None:
    error = InvalidResourceError("search.malformed-count", "Patient.name[0]")
    for raw in (outcome.outcome(error, Language.FR), outcome.ok("search.malformed-count", Language.FR)):
        assert validate.issues(document.read(raw)) == []

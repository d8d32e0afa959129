"""OperationOutcome: how a refusal or a success is said to a program (R4 operationoutcome.html).

The sentence of the catalogue stands in `details.text`, in one language; its id stands in
`details.coding`, so that a program need not read the sentence. Nothing but the error's own sentence,
code and expression gets in: an outcome never repeats what was sent. Order: errors, success.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from serment.errors import InvalidResourceError, SermentError
from serment.words import Language, say

SENTENCES: Final = "urn:serment:sentence"
"""Code system of the ids of sentences."""


def outcome(error: SermentError, language: Language) -> bytes:
    """Say an error: severity, issue code of its class, its sentence, and where when it knows."""
    issue = _issue("error", error.issue, error.sentence, error.said(language))
    if isinstance(error, InvalidResourceError) and error.expression:
        issue["expression"] = [error.expression]
    return _encoded(issue, language)


def ok(sentence: str, language: Language, /, **parameters: object) -> bytes:
    """Say a success in one sentence of the catalogue."""
    return _encoded(
        _issue("information", "informational", sentence, say(sentence, language, **parameters)), language
    )


def listed(faults: Sequence[tuple[str, str, str]], language: Language) -> bytes:
    """List faults of a resource: sentence, place and rule (or "") of each."""
    issues = []
    for sentence, expression, rule in faults:
        text = say(sentence, language, expression=expression, rule=rule)
        issue = _issue("error", "invariant", sentence, text)
        issues.append(issue | {"expression": [expression]} if expression else issue)
    return _written(issues, language)


def _issue(severity: str, code: str, sentence: str, text: str) -> dict[str, Any]:
    details = {"coding": [{"system": SENTENCES, "code": sentence}], "text": text}
    return {"severity": severity, "code": code, "details": details}


def _encoded(issue: dict[str, Any], language: Language) -> bytes:
    return _written([issue], language)


def _written(issues: list[dict[str, Any]], language: Language) -> bytes:
    return msgspec.json.encode(
        {"resourceType": "OperationOutcome", "language": str(language), "issue": issues}
    )

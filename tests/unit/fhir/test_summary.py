"""One resource in a line, in the language of whoever reads it."""

from __future__ import annotations

from typing import Any

import pytest

from serment.fhir.summary import Summary, summary
from serment.words import Language

HBA1C = {
    "resourceType": "Observation",
    "code": {"text": "HbA1c"},
    "valueQuantity": {"value": 7.8, "unit": "%"},
    "effectiveDateTime": "2024-03-29T08:00:00Z",
}
PRESSURE = {
    "resourceType": "Observation",
    "component": [{"valueQuantity": {"value": 13.2, "unit": "cmHg"}}, {"valueQuantity": {"value": 8}}],
}


@pytest.mark.parametrize(
    ("resource", "language", "expected"),
    [
        (HBA1C, Language.FR, Summary("HbA1c", "7,8 %", "2024-03-29")),
        (HBA1C, Language.EN, Summary("HbA1c", "7.8 %", "2024-03-29")),
        (PRESSURE, Language.FR, Summary("Mesure ou observation", "13,2 cmHg / 8", "")),
        ({"resourceType": "Binary"}, Language.FR, Summary("Fichier", "", "")),
        ({"resourceType": "Binary"}, Language.EN, Summary("File", "", "")),
        ({"resourceType": "Encounter"}, Language.FR, Summary("Passage", "", "")),
        ({"resourceType": "Basic"}, Language.FR, Summary("Basic", "", "")),
    ],
)
def test_a_resource_is_said_in_the_words_of_the_reader(
    resource: dict[str, Any], language: Language, expected: Summary
) -> None:
    assert summary(resource, language) == expected

"""The official R4 examples: all taken but a listed few, every number and every byte kept."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from serment.errors import InvalidResourceError
from serment.fhir.document import Document, read
from serment.fhir.halves import cut, join
from serment.fhir.owner import owner
from serment.fhir.transaction import references, relink
from serment.fhir.validate import issues
from tests.vectors import MISSING, VECTORS

EXAMPLES = VECTORS / "fhir-r4-examples" / "examples.jsonl.gz"
pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason=MISSING)

REFUSED = {
    "DeviceMetric/example": "parent leads to a DeviceDefinition: R4 lets it lead to a Device",
    "DeviceUseStatement/example": "reasonReference leads to a Procedure, which R4 does not list",
    "MedicationRequest/medrx0301": "dispenseRequest.performer leads to a Practitioner: an Organization in R4",
    "Observation/clinical-gender": "performer leads to an Encounter: nobody who performs",
    "Media/1.2.840.11361907579238403408700.3.1.04.19970327150033": (
        "its text has an image that stands elsewhere: whoever reads it would tell that address so"
    ),
}
"""Examples that are refused, each with its reason: four break R4's own targets, one asks an outsider."""


def examples() -> Iterator[Document]:
    with gzip.open(EXAMPLES) as lines:
        for line in lines:
            yield read(line.strip())


def written_numbers(text: str) -> list[str]:
    """Give every number of a JSON text as it is written, in order."""
    numbers: list[str] = []

    def kept(written: str) -> str:
        numbers.append(written)
        return written

    json.loads(text, parse_int=kept, parse_float=kept)
    return numbers


def test_none_is_refused() -> None:
    refused = {f"{one.type}/{one.value.get('id')}" for one in examples() if issues(one)}
    assert refused == set(REFUSED)


def test_numbers_are_unchanged_by_the_servers_three_values() -> None:
    for one in examples():
        after = read(one.spliced("new", 1, "2026-03-01T08:00:00Z"))
        assert written_numbers(after.text) == written_numbers(one.text)
        assert rest(after.value) == rest(one.value)


def rest(value: dict[str, Any]) -> dict[str, Any]:
    meta = {k: v for k, v in value.get("meta", {}).items() if k not in {"versionId", "lastUpdated"}}
    return {k: v for k, v in value.items() if k not in {"id", "meta"}} | {"meta": meta}


def test_halves_of_people_join_to_the_same_bytes() -> None:
    seen = 0
    for one in examples():
        identity, contact = cut(one)
        seen += contact is not None
        assert (identity if contact is None else join(identity, contact)) == one.text.encode()
    assert seen >= 15


def test_relinking_touches_references_only() -> None:
    for one in examples():
        links = {link: f"{link}-moved" for link in references(one.value)}
        moved, _ = relink(one.text.encode(), links)
        assert list(references(read(moved).value)) == [links[link] for link in references(one.value)]
        back, _ = relink(moved, {new: old for old, new in links.items()})
        assert json.loads(back) == json.loads(one.text)


def refusal_of(resource: dict[str, Any]) -> tuple[str, str] | None:
    try:
        owner(resource)
    except InvalidResourceError as refusal:
        return refusal.sentence, refusal.expression
    return None


def test_each_has_an_owner_or_a_refusal_that_says_why() -> None:
    refusals = [(one.type, *found) for one in examples() if (found := refusal_of(one.value))]
    assert {sentence for _, sentence, _ in refusals} == {
        "fhir.no-patient",
        "fhir.several-patients",
        "fhir.belongs-to-nobody",
    }
    assert all(expression.startswith(kind) for kind, _, expression in refusals)

import json

import pytest

from serment.identity.status import RELIABILITY, of, status
from tests.vectors import MISSING, REFERENCE

FILE = REFERENCE / "test_vectors_identity.json"
STATES = json.loads(FILE.read_text("utf-8"))["identity_status"]["cases"] if FILE.exists() else []
CASES = [case for case in STATES if "insi" in case]


@pytest.mark.skipif(not FILE.exists(), reason=MISSING)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_status_crosses_retrieval_and_proof(case: dict[str, object]) -> None:
    given = of(
        retrieved=bool(case["insi"]),
        proof=bool(case["proof"]),
        doubtful=bool(case["doubtful"]),
        fictitious=bool(case["fictitious"]),
    )
    assert given == case["expect"]


@pytest.mark.skipif(not FILE.exists(), reason=MISSING)
def test_a_withdrawn_retrieval_takes_the_status_down() -> None:
    assert of(retrieved=False, proof=True) == "VALI"
    assert of(retrieved=False, proof=False) == "PROV"


def claimed(*parts: dict[str, object]) -> dict[str, object]:
    return {"extension": [{"url": RELIABILITY, "extension": list(parts)}]}


def said(code: str) -> dict[str, object]:
    return {"url": "identityStatus", "valueCoding": {"code": code}}


def comment(code: str) -> dict[str, object]:
    return {"url": "comment", "valueCodeableConcept": {"coding": [{"code": code}]}}


@pytest.mark.parametrize("code", ["PROV", "VALI", "RECUP", "QUAL"])
def test_the_claimed_status_is_read(code: str) -> None:
    assert status(claimed(said(code))) == code


@pytest.mark.parametrize(
    "patient",
    [
        {},
        {"extension": "QUAL"},
        {"extension": [None, {"url": "https://else.example", "extension": [said("QUAL")]}]},
        claimed(),
        claimed(said("CERTAIN")),
        claimed(said("QUAL"), comment("DOUT")),
        claimed(said("QUAL"), comment("FICT")),
        claimed(said("QUAL"), said("VALI")),
    ],
)
def test_silence_doubt_and_contradiction_are_provisional(patient: dict[str, object]) -> None:
    assert status(patient) == "PROV"


def test_another_attribute_takes_nothing_away() -> None:
    assert status(claimed(said("QUAL"), comment("HOMA"))) == "QUAL"

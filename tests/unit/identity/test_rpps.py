import json

import pytest

from serment.errors import RequestError
from serment.identity import luhn, rpps
from serment.words import Language
from tests.vectors import MISSING, REFERENCE

FILE = REFERENCE / "test_vectors_identity.json"
ALL = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
RPPS = ALL.get("rpps", {"valid": [], "invalid": []})
needs_vectors = pytest.mark.skipif(not FILE.exists(), reason=MISSING)


@needs_vectors
@pytest.mark.parametrize("vector", RPPS["valid"], ids=lambda v: v["value"])
def test_published_numbers_are_taken_and_prefixed(vector: dict[str, str]) -> None:
    rpps.check(vector["value"])
    assert rpps.idnps(vector["value"]) == vector["idnps"]
    assert rpps.of_idnps(vector["idnps"]) == vector["value"]


@needs_vectors
@pytest.mark.parametrize("vector", RPPS["invalid"], ids=lambda v: v["value"])
def test_published_wrong_numbers_are_refused(vector: dict[str, str]) -> None:
    assert not rpps.is_rpps(vector["value"])
    with pytest.raises(RequestError):
        rpps.check(vector["value"])


@needs_vectors
def test_every_published_number_and_error_is_a_case_here() -> None:
    assert (len(RPPS["valid"]), len(RPPS["invalid"])) == (7, 4)


@pytest.mark.parametrize("digit", [d for d in range(10) if d != 1])
def test_a_number_with_a_wrong_check_digit_is_refused(digit: int) -> None:
    with pytest.raises(RequestError) as raised:
        rpps.check(f"9990000001{digit}")
    assert raised.value.sentence == "identity.rpps-key"
    assert "999" not in raised.value.said(Language.FR)


@pytest.mark.parametrize("typed", ["", "9990000001", "999000000111", "9990000001A", "٩9900000011"])
def test_what_is_not_eleven_digits_is_refused(typed: str) -> None:
    with pytest.raises(RequestError) as raised:
        rpps.check(typed)
    assert raised.value.sentence == "identity.rpps-length"


@pytest.mark.parametrize("identifier", ["099900000011", "99900000011", "", "1750100125"])
def test_the_identifier_of_another_register_gives_no_rpps(identifier: str) -> None:
    with pytest.raises(RequestError):
        rpps.of_idnps(identifier)


@needs_vectors
def test_prefixes_are_those_of_the_national_models() -> None:
    national = ALL["national_ids"]
    assert set(rpps.PROFESSIONAL_PREFIX) == set(national["professional_prefix"])
    assert set(rpps.STRUCTURE_PREFIX) == set(national["structure_prefix"])
    assert rpps.PROFESSIONAL_PREFIX["8"] == "RPPS"


def test_the_luhn_digit_closes_a_finess_number_too() -> None:
    assert luhn.holds("750100125")
    assert not luhn.holds("750100126")
    assert luhn.digit("75010012") == "5"

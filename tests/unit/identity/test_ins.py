import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import RequestError
from serment.identity import ins
from serment.words import Language
from tests.vectors import MISSING, REFERENCE

FILE = REFERENCE / "test_vectors_identity.json"
NIR = json.loads(FILE.read_text("utf-8"))["nir"] if FILE.exists() else {"valid": [], "invalid": []}
needs_vectors = pytest.mark.skipif(not FILE.exists(), reason=MISSING)


@needs_vectors
@pytest.mark.parametrize("vector", NIR["valid"], ids=lambda v: v["value"])
def test_published_matricules_are_taken(vector: dict[str, str]) -> None:
    ins.check(vector["value"], ins.NIR_TEST)
    assert ins.is_matricule(vector["value"])


@needs_vectors
@pytest.mark.parametrize("vector", NIR["invalid"], ids=lambda v: v["value"])
def test_published_wrong_matricules_are_refused(vector: dict[str, str]) -> None:
    assert not ins.is_matricule(vector["value"])
    with pytest.raises(RequestError):
        ins.check(vector["value"], ins.NIR)


@needs_vectors
def test_every_published_matricule_and_error_is_a_case_here() -> None:
    assert (len(NIR["valid"]), len(NIR["invalid"])) == (16, 6)


def test_a_matricule_may_be_typed_with_the_blanks_of_the_card() -> None:
    ins.check(" 2 79 03 51 215 189 89", f"urn:oid:{ins.NIR_TEST}")
    ins.check("2 97 02 2a 020 778 78", ins.NIR)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("27903512151898", "identity.ins-length"),
        ("27903512151898X", "identity.ins-characters"),
        ("253072C07300443", "identity.ins-characters"),
        ("2530A2A07300443", "identity.ins-characters"),
        ("٢79035121518989", "identity.ins-characters"),
        ("279035121518988", "identity.ins-key"),
        ("279035121519889", "identity.ins-key"),
    ],
)
def test_each_slip_has_its_own_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(RequestError) as raised:
        ins.check(typed, ins.NIR)
    assert raised.value.sentence == sentence


@given(st.text(max_size=20))
def test_no_refusal_repeats_what_was_typed(typed: str) -> None:
    marked = "X" + typed + "987654321"
    with pytest.raises(RequestError) as raised:
        ins.check(marked, ins.NIR)
    error = raised.value
    assert "987654321" not in error.said(Language.FR) + error.said(Language.EN) + str(error)


@pytest.mark.parametrize("oid", ["1.2.250.1.213.1.4.2", "1.2.250.1.213.1.4.99", "", "1.2.250.1.71.4.2.1"])
def test_the_retired_ins_and_unknown_authorities_are_refused(oid: str) -> None:
    with pytest.raises(RequestError) as raised:
        ins.check("279035121518989", oid)
    assert raised.value.sentence == "identity.ins-authority"


@given(st.integers(0, 9_999_999_999_999), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_never_passes(number: int, place: int, shift: int) -> None:
    stem = f"{number:013d}"
    whole = stem + ins.key(stem)
    wrong = str((int(whole[place]) + shift) % 10)
    assert ins.is_matricule(whole)
    assert not ins.is_matricule(whole[:place] + wrong + whole[place + 1 :])


def test_the_corsican_departments_count_as_19_and_18() -> None:
    assert ins.key("253072A073004") == ins.key("2530719073004") == "43"
    assert ins.key("253072B073004") == ins.key("2530718073004") == "70"


def test_authorities_keep_their_flags() -> None:
    rows = ins.authorities()
    assert {ins.NIR, ins.NIA, ins.NIR_TEST, ins.NIR_DEMO} <= set(rows)
    assert rows[ins.NIR].verified == "yes"
    assert rows[ins.NIA].verified != "yes"
    assert rows[ins.NIR_TEST].type_code == "INS-NIR-TEST"


@pytest.mark.skipif(not REFERENCE.exists(), reason=MISSING)
def test_the_packaged_authorities_are_those_of_the_reference() -> None:
    shipped = ins.authorities()
    lines = (REFERENCE / "ins_oids.csv").read_text("utf-8").splitlines()
    assert len(shipped) == sum(not line.startswith("#") for line in lines) - 1


def test_only_test_and_demonstration_authorities_are_fictitious() -> None:
    assert ins.is_fictitious("urn:oid:1.2.250.1.213.1.4.10")
    assert ins.is_fictitious(ins.NIR_DEMO)
    assert not ins.is_fictitious(ins.NIR)
    assert not ins.is_fictitious(ins.NIA)


def identifier(value: str, system: str = "urn:oid:1.2.250.1.213.1.4.8", code: str = "") -> dict[str, object]:
    typed = {"type": {"coding": [{"code": code}]}} if code else {}
    return {"system": system, "value": value, **typed}


def test_the_number_of_the_insured_parent_is_not_the_childs_ins() -> None:
    child = {
        "identifier": [identifier("279035121518989", code="NH"), identifier("1", code="INS-NIR")],
    }
    assert list(ins.matricules(child)) == [(ins.NIR, "1")]


def test_a_received_patient_gives_past_and_untyped_numbers_too() -> None:
    patient = {
        "identifier": [
            identifier("1 09 07", code="INS-NIR") | {"use": "official"},
            identifier("20907", code="INS-NIR") | {"use": "old"},
            identifier("30907"),
            identifier("IPP", system="urn:oid:1.2.3"),
        ]
    }
    assert [matricule for _, matricule in ins.matricules(patient)] == ["10907", "20907", "30907"]


@pytest.mark.parametrize(
    "patient",
    [{}, {"identifier": None}, {"identifier": {}}, {"identifier": ["x", {}, {"system": 1, "value": 2}]}],
)
def test_a_malformed_patient_gives_nothing_and_does_not_fail(patient: dict[str, object]) -> None:
    assert list(ins.matricules(patient)) == []

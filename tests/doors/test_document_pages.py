"""The document viewer over HTTP: drawn, read, made safe or downloaded; nothing uploaded ever runs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import re
import struct
import zlib
from collections.abc import Iterator

import httpx
import pytest

from serment.paper.raster import png
from tests.doors.served import Served, served
from tests.doors.test_chart_pages import at, doctor, words, write
from tests.unit.paper.test_cda import document as cda
from tests.unit.paper.test_raster import pdf

PICTURE = png(bytes(range(48)), 4, 4, 12)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("documents")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def kept(server: Served, content: bytes, media_type: str, patient: str = "patient") -> str:
    """Keep content as a Binary; give its reference."""
    who = f"Patient/{server.record(patient)}"
    sender = server.staff("attending", content_type=media_type, x_security_context=who)
    answer = sender.post("Binary", content=content)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].partition("/fhir/")[2].partition("/_history")[0]


def filed(server: Served, *attachments: dict[str, str], title: str = "Courrier") -> str:
    """File a document with these attachments; give the address of its page."""
    sheet = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
        "description": title,
        "date": "2026-10-10T10:00:00+02:00",
        "content": [{"attachment": one} for one in attachments],
    }
    return at(server, f"/document/{write(server, sheet)}")


def inline(content: bytes, media_type: str) -> dict[str, str]:
    return {"contentType": media_type, "data": base64.b64encode(content).decode()}


def fetched(page: httpx.Client, shown: httpx.Response, what: str = "picture") -> httpx.Response:
    """Fetch what the page of a document points to, as a browser would."""
    found = re.search(rf'(?:src|href)="([^"]+/{what}\?[^"]+)"', shown.text)
    assert found is not None, words(shown)
    return page.get(html.unescape(found[1]))


def lines(server: Served) -> list[tuple[str, str, tuple[str, ...]]]:
    """The trace: number of the act, what was done, what was touched."""
    trail = asyncio.run(server.house.proving.trail(server.installation.as_patient(), server.record()))
    return [(one.event.request, one.event.interaction.value, tuple(one.event.resources)) for one in trail]


@pytest.mark.capability("0-03", "lets")
def test_a_pdf_is_a_picture_of_each_page_with_its_words_beside(server: Served) -> None:
    file = kept(server, pdf("Première page", "Suite du courrier"), "application/pdf")
    to, page = filed(server, {"contentType": "application/pdf", "url": file}), doctor(server)
    shown = page.get(to)
    assert "Page 1 sur 2" in words(shown)
    assert "Première page" in words(shown)
    picture = fetched(page, shown)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert struct.unpack(">II", picture.content[16:24]) == (1240, 1754)
    second = page.get(f"{to}?page=2")
    assert "Suite du courrier" in words(second)
    assert fetched(page, second).content != picture.content


def test_a_document_that_is_looked_at_is_one_act(server: Served) -> None:
    file = kept(server, pdf("Bonjour"), "application/pdf")
    to, page = filed(server, {"contentType": "application/pdf", "url": file}), doctor(server)
    before = len(lines(server))
    fetched(page, page.get(to))
    new = [
        one for one in lines(server) if any(file in name or to.rpartition("/")[2] in name for name in one[2])
    ]
    assert len(lines(server)) > before
    looked = [one for one in new if one[1] == "read" and "Binary" in one[2][0]]
    assert len(looked) == 2
    assert len({one[0] for one in looked}) == 1


def test_a_number_of_an_act_that_was_made_up_is_an_act_of_its_own(server: Served) -> None:
    file = kept(server, pdf("Bonjour"), "application/pdf")
    to, page = filed(server, {"contentType": "application/pdf", "url": file}), doctor(server)
    assert page.get(f"{to}/picture?piece=1&page=1&act=AAAA").status_code == 200


@pytest.mark.parametrize("content", [b"%PDF-1.7\nnothing", pdf("Bonjour")[:300]])
def test_a_broken_pdf_says_what_to_do_and_the_server_lives(server: Served, content: bytes) -> None:
    to, page = filed(server, inline(content, "application/pdf")), doctor(server)
    shown = page.get(to)
    assert shown.status_code == 200
    assert "n'a pas pu être affiché" in words(shown)
    assert "<img" not in shown.text
    assert fetched(page, shown, "download").content == content
    assert page.get(f"{to}/picture").status_code == 404


def test_a_page_that_a_document_has_not_is_said(server: Served) -> None:
    to, page = filed(server, inline(pdf("Bonjour"), "application/pdf")), doctor(server)
    assert "Ce document n'a pas cette page." in words(page.get(f"{to}?page=7"))
    assert page.get(f"{to}/picture?page=7").status_code == 404


def test_a_picture_is_served_as_a_picture_in_a_sandbox(server: Served) -> None:
    to, page = filed(server, inline(PICTURE, "image/png")), doctor(server)
    picture = fetched(page, page.get(to))
    assert (picture.content, picture.headers["content-type"]) == (PICTURE, "image/png")
    assert picture.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert picture.headers["cache-control"] == "no-store"


def test_a_text_is_text(server: Served) -> None:
    shown = doctor(server).get(filed(server, inline("Chère consœur,\n<b>merci</b>".encode(), "text/plain")))
    assert "&lt;b&gt;merci&lt;/b&gt;" in shown.text


def test_a_cda_document_is_shown_by_elements_of_ours(server: Served) -> None:
    raw = cda('<paragraph onclick="x">Pas de <content styleCode="Bold">fracture</content>.</paragraph>')
    shown = doctor(server).get(filed(server, inline(raw, "application/xml")))
    assert "<p><bdi>Pas de </bdi><strong><bdi>fracture</bdi></strong><bdi>.</bdi></p>" in shown.text
    assert "onclick" not in shown.text
    assert "Rose BOIS" in words(shown)


def test_a_pdf_inside_a_cda_envelope_is_shown_as_a_pdf(server: Served) -> None:
    body = base64.b64encode(pdf("Dans l'enveloppe")).decode()
    text = f'<text mediaType="application/pdf" representation="B64">{body}</text>'
    raw = cda("x").partition(b"<component>")[0] + f"<component><nonXMLBody>{text}</nonXMLBody>".encode()
    shown = doctor(server).get(filed(server, inline(raw + b"</component></ClinicalDocument>", "text/xml")))
    assert "Dans l'enveloppe" in words(shown)


ACTIVE = {
    "page": (b"<!doctype html><script>alert(1)</script>", "text/html"),
    "drawing": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image/svg+xml"),
    "page that says it is a picture": (b"<html><script>alert(1)</script></html>", "image/png"),
    "page that says it is text": (b"<script>alert(1)</script>", "text/plain"),
    "styled xml": (b'<?xml-stylesheet href="x"?><a/>', "application/xml"),
    "program": (b"MZ" + bytes(64), "application/pdf"),
    "archive": (b"PK\x03\x04" + bytes(64), "application/zip"),
    "xhtml in cda": (b'<html xmlns="http://www.w3.org/1999/xhtml"/>', "application/xml"),
}


@pytest.mark.capability("3-11", "refuses")
@pytest.mark.parametrize("kind", ACTIVE)
def test_what_could_run_is_never_served_inline(server: Served, kind: str) -> None:
    """Inline in a DocumentReference, where no door looks at it."""
    content, media_type = ACTIVE[kind]
    to, page = filed(server, inline(content, media_type)), doctor(server)
    shown = page.get(to)
    assert "alert(1)" not in shown.text
    assert "<svg" not in shown.text
    assert "<img" not in shown.text
    assert page.get(f"{to}/picture").status_code == 404
    file = fetched(page, shown, "download")
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith('attachment; filename="document.')
    assert file.headers["content-security-policy"].startswith("sandbox")
    assert file.headers["x-content-type-options"] == "nosniff"


def test_the_name_of_a_download_says_nothing(server: Served) -> None:
    to, page = filed(server, inline(b"x", "text/plain"), title="VIH positif Dupont"), doctor(server)
    disposition = fetched(page, page.get(to), "download").headers["content-disposition"]
    assert disposition == 'attachment; filename="document.txt"'


def test_a_large_file_comes_whole(server: Served) -> None:
    content = b"%PDF-1.7\n" + zlib.compress(bytes(range(256)) * 40_000, 0)
    file = kept(server, content, "application/pdf")
    to, page = filed(server, {"contentType": "application/pdf", "url": file}), doctor(server)
    got = fetched(page, page.get(to), "download").content
    assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()


def test_each_file_of_a_document_has_its_place(server: Served) -> None:
    to = filed(server, inline(b"un", "text/plain"), inline(b"deux", "text/plain"))
    page = doctor(server)
    assert "deux" in words(page.get(f"{to}?piece=2"))
    assert "n'est pas ici" in words(page.get(f"{to}?piece=3"))


@pytest.mark.capability("0-03", "refuses")
def test_content_that_is_masked_is_as_content_that_is_not_there(server: Served) -> None:
    file = kept(server, pdf("Caché"), "application/pdf")
    asyncio.run(
        server.house.choosing.mask(server.installation.as_patient(), server.installation.record(), file)
    )
    hidden = filed(server, {"contentType": "application/pdf", "url": file})
    absent = filed(
        server, {"contentType": "application/pdf", "url": "Binary/00000000-0000-4000-8000-000000000000"}
    )
    page = doctor(server)
    assert words(page.get(hidden)) == words(page.get(absent))
    assert page.get(f"{hidden}/picture").status_code == page.get(f"{absent}/picture").status_code == 404
    assert page.get(f"{hidden}/download").text[-200:] == page.get(f"{absent}/download").text[-200:]


def test_content_of_another_record_is_not_shown_under_this_name(server: Served) -> None:
    file = kept(server, pdf("Du mari"), "application/pdf", "husband")
    to, page = filed(server, {"contentType": "application/pdf", "url": file}), doctor(server, "attending")
    assert "Du mari" not in page.get(to).text
    assert page.get(f"{to}/download").status_code == 404

"""Reading a record in depth in a real browser, by the keyboard alone, and with JavaScript off."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import httpx
import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.attacks.inert import STRINGS
from tests.doors.served import Served
from tests.pages.chrome import WIDTHS, Window
from tests.pages.conftest import Opening


def doctor(opening: Opening, server: Served, to: str = "", **options: object) -> Window:
    return opening(**options).enter(server.installation.staff("attending"), f"/record/{server.record()}{to}")


def sent(server: Served, type_: str, content: bytes, media_type: str = "") -> str:
    """Write something as a program does; give its `Type/id`."""
    who = f"Patient/{server.record()}"
    headers = {"content_type": media_type, "x_security_context": who} if media_type else {}
    answer: httpx.Response = server.staff("attending", **headers).post(type_, content=content)
    assert answer.status_code == 201, answer.text[:300]
    server.hang_up()
    return answer.headers["location"].partition("/fhir/")[2].partition("/_history")[0]


@pytest.fixture(scope="module")
def letter(server: Served) -> str:
    """File a letter of two pages; give its `Type/id`."""
    file = BytesIO()
    canvas = Canvas(file)
    for text in ("Cher confrère", "Bien confraternellement"):
        canvas.drawString(100, 700, text)
        canvas.showPage()
    canvas.save()
    binary = sent(server, "Binary", file.getvalue(), "application/pdf")
    sheet = f"""{{"resourceType":"DocumentReference","status":"current","description":"Lettre au confrère",
      "date":"2026-11-20T10:00:00Z","subject":{{"reference":"Patient/{server.record()}"}},
      "content":[{{"attachment":{{"contentType":"application/pdf","url":"{binary}"}}}}]}}"""
    return sent(server, "DocumentReference", sheet.encode())


@pytest.mark.capability("2-04", "lets")
def test_keys_lead_to_a_curve_and_to_the_value_behind_it(opening: Opening, server: Served) -> None:
    window = doctor(opening, server)
    window.press("l")
    window.page.wait_for_url("**/labs")
    assert window.page.locator("svg.chart").count() > 0
    window.page.locator("main h2 a").first.focus()
    window.press("Enter")
    window.page.wait_for_url("**/labs/*")
    name = window.page.inner_text("h1")
    assert window.page.get_by_role("img", name=name).count() == 1
    window.page.locator("main table a").first.focus()
    window.press("Enter")
    window.page.wait_for_url("**/item/**")
    assert name in window.page.inner_text("h1")
    assert "Intègre" in window.text
    assert window.complaints == []


def test_the_timeline_follows_what_is_typed_and_no_page_is_loaded(opening: Opening, server: Served) -> None:
    window = doctor(opening, server)
    window.press("t")
    window.page.wait_for_url("**/timeline")
    before = window.loads
    window.press("/")
    assert window.page.evaluate("document.activeElement.id") == "words"
    window.write("hemoglobine gly")
    window.page.locator("#leaves li", has_text="Poids").first.wait_for(state="detached")
    assert "Hémoglobine glyquée" in window.page.inner_text("#leaves")
    assert (window.loads, window.at.endswith("/timeline")) == (before, True)
    assert window.faults() == []
    assert window.complaints == []


@pytest.mark.capability("0-03", "lets")
@pytest.mark.parametrize("script", [True, False])
def test_a_letter_is_read_page_by_page(opening: Opening, server: Served, letter: str, script: bool) -> None:
    window = doctor(opening, server, f"/document/{letter}", script=script)
    seen = []
    for number in (1, 2):
        picture = window.page.locator("img.sheet")
        picture.scroll_into_view_if_needed()
        assert f"Page {number} sur 2" in window.text
        assert picture.get_attribute("alt") == f"Page {number} sur 2"
        if script:
            assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 1240
        seen.append(picture.get_attribute("src"))
        if number == 1:
            window.page.get_by_role("link", name="Page suivante").click()
            window.page.wait_for_url("**page=2")
    assert len(set(seen)) == 2
    assert window.complaints == []


def test_a_search_without_javascript_is_a_form(opening: Opening, server: Served) -> None:
    window = doctor(opening, server, "/timeline", script=False)
    window.page.fill("#words", "hemoglobine")
    window.page.keyboard.press("Enter")
    window.page.wait_for_selector("#leaves li")
    assert "Hémoglobine glyquée" in window.page.inner_text("#leaves")
    assert window.page.input_value("#words") == "hemoglobine"


def test_the_longest_and_strangest_texts_stay_within_the_window(opening: Opening, server: Served) -> None:
    person = {"reference": f"Patient/{server.record()}"}
    texts = [STRINGS[name] for name in ("long", "marks", "wide", "bidi override", "svg", "handler")]

    def write() -> None:
        for text in texts:
            told = {
                "resourceType": "Condition",
                "code": {"text": text},
                "subject": person,
                "note": [{"text": text}],
            }
            sent(server, "Condition", json.dumps(told).encode())

    with ThreadPoolExecutor() as beside:
        beside.submit(write).result()
    window = doctor(opening, server, "/problems")
    addresses = [one.get_attribute("href") for one in window.page.locator("main li > a").all()]
    for to in ("/timeline", "/problems", *(one.partition(server.record())[2] for one in addresses if one)):
        window.go(f"/record/{server.record()}{to}")
        for width in WIDTHS:
            window.width(width)
            assert window.too_wide() == [], (to, width)
    assert window.complaints == []
    assert window.hosts == {server.address.partition("//")[2]}


def test_what_the_patient_masks_leaves_the_open_page_at_the_next_look(
    opening: Opening, server: Served, letter: str
) -> None:
    colleague = opening().enter(
        server.installation.staff("team-doctor"), f"/record/{server.record()}/documents"
    )
    assert "Lettre au confrère" in colleague.text
    mask = server.house.choosing.mask(server.installation.as_patient(), server.installation.record(), letter)
    with ThreadPoolExecutor() as beside:
        beside.submit(asyncio.run, mask).result()
    colleague.page.reload()
    assert "Lettre au confrère" not in colleague.text
    answer = colleague.go(f"/record/{server.record()}/document/{letter}")
    assert answer.status == 404

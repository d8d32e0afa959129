"""A patient in a real browser: who saw my data, a mask that an open page loses, a colleague blocked."""

from __future__ import annotations

import pytest

from tests.doors.served import Served
from tests.pages.chrome import Window
from tests.pages.conftest import Opening


def patient(opening: Opening, server: Served, to: str = "/me", **options: object) -> Window:
    return opening(**options).enter(server.patient_actor(), to)


def doctor(opening: Opening, server: Served, to: str) -> Window:
    return opening().enter(server.installation.staff("team-doctor"), to)


@pytest.mark.capability("1-24", "lets")
@pytest.mark.parametrize("script", [True, False])
def test_a_mask_is_one_gesture_and_the_doctors_open_page_loses_the_item(
    opening: Opening, server: Served, script: bool
) -> None:
    item = server.installation.item("maskable")
    document = f"/record/{server.record()}/document/{item}"
    reading = doctor(opening, server, document)
    assert reading.go(document).status == 200
    window = patient(opening, server, "/me/record/documents", script=script)
    row = window.page.locator(f'li:has(input[value="{item}"])')
    assert "Visible" in row.inner_text()
    with window.page.expect_navigation():
        row.locator("button").click()
    assert window.at == "/me/record/documents"
    assert "Masqué" in window.page.locator(f'li:has(input[value="{item}"])').inner_text()
    assert reading.go(document).status == 404
    with window.page.expect_navigation():
        window.page.locator(f'li:has(input[value="{item}"]) button').click()
    assert reading.go(document).status == 200
    assert window.complaints == []


def test_two_clicks_lead_a_newcomer_to_who_saw_and_to_the_check(opening: Opening, server: Served) -> None:
    doctor(opening, server, f"/record/{server.record()}")
    window = patient(opening, server)
    window.page.click("text=Voir qui a vu mes données")
    window.page.wait_for_url("**/me/who")
    assert server.installation.staff("team-doctor").name in window.text
    window.page.click("text=Vérifier la liste")
    window.page.wait_for_url("**/me/who/check")
    assert "Tout est en ordre" in window.text
    assert window.faults() == []


def test_the_keyboard_alone_leads_from_the_first_page_to_a_choice_made(
    opening: Opening, server: Served
) -> None:
    window = patient(opening, server)
    window.press("c")
    window.page.wait_for_url("**/me/choices")
    window.page.focus('section[aria-labelledby="c-research"] button')
    window.press("Enter")
    window.page.wait_for_selector("text=Ce que cela change")
    assert window.faults() == []
    window.page.focus("main form button")
    window.press("Enter")
    window.page.wait_for_selector("text=Vous vous êtes opposé")
    window.page.focus('section[aria-labelledby="c-research"] button')
    window.press("Enter")
    window.page.wait_for_selector("text=Vous ne vous êtes pas opposé")
    assert window.complaints == []


@pytest.mark.capability("4-04", "refuses")
def test_a_colleague_is_blocked_from_the_list_of_who_came(opening: Opening, server: Served) -> None:
    record = f"/record/{server.record()}"
    reading = doctor(opening, server, record)
    assert reading.go(record).status == 200
    name = server.installation.staff("team-doctor").name
    window = patient(opening, server, "/me/who", script=False)
    window.page.locator(f'article:has(h3:has-text("{name}"))').first.get_by_text(
        "Bloquer cette personne"
    ).click()
    assert name in window.text
    assert "Elle n'est pas prévenue" in window.text
    window.page.click("text=Je confirme")
    assert name in window.page.inner_text('section[aria-labelledby="c-blocked"]')
    assert reading.go(record).status == 404
    window.page.click("text=Débloquer")
    assert reading.go(record).status == 200


def test_on_a_telephone_the_first_screen_is_the_page_and_the_menu_one_press_away(
    opening: Opening, server: Served
) -> None:
    window = patient(opening, server)
    window.width(390)
    window.go("/me")
    assert window.page.locator("h1").bounding_box()["y"] < 300  # type: ignore[index]  # it is in sight
    assert not window.page.locator("nav.main").is_visible()
    window.page.click("a.menu")
    window.page.click("nav.main >> text=Qui a vu mes données")
    assert window.at == "/me/who"
    assert (window.faults(), window.too_wide(), window.complaints) == ([], [], [])


def test_on_a_telephone_a_record_shows_itself_before_its_pages(opening: Opening, server: Served) -> None:
    window = doctor(opening, server, f"/record/{server.record()}")
    window.width(390)
    assert window.page.locator("h1").bounding_box()["y"] < 450  # type: ignore[index]  # it is in sight
    window.page.click("text=Dans ce dossier")
    assert (window.faults(), window.too_wide(), window.complaints) == ([], [], [])
    window.page.click("nav.record >> text=Traitements")
    assert window.at.endswith("/treatments")


def test_what_is_wrong_in_a_form_has_the_cursor_when_its_page_comes_back(
    opening: Opening, server: Served
) -> None:
    window = patient(opening, server, "/me/choices")
    window.page.fill("#block-number", "personne de ce nom")
    window.page.press("#block-number", "Enter")
    window.page.wait_for_selector("#block-error")
    assert window.page.evaluate("document.activeElement.id") == "block-number"
    assert window.page.input_value("#block-number") == "personne de ce nom"

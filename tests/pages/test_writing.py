"""A consultation as a clinician writes it: by the keyboard, counted; a closed tab; without a script."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.doors.served import Served
from tests.installation import run
from tests.pages.chrome import Window
from tests.pages.conftest import Opening

MOST_KEYS = 25
MOST_LOADS = 4
MOST_KEYS_OF_A_LETTER = 8


@pytest.fixture(autouse=True)
def _begin_anew(server: Served) -> None:
    asking, record = server.installation.as_staff("team-doctor"), server.installation.record()
    with ThreadPoolExecutor(1) as apart:  # Playwright's own loop runs in this thread
        apart.submit(lambda: run(server.house.drafting.discard(asking, record))).result()


def today(opening: Opening, server: Served, **options: object) -> Window:
    return opening(**options).enter(server.installation.staff("team-doctor"), "/today")


def consulting(opening: Opening, server: Served, **options: object) -> Window:
    to = f"/record/{server.record()}/consultation"
    return opening(**options).enter(server.installation.staff("team-doctor"), to)


def ticked(window: Window) -> int:
    return int(window.page.locator("input[name=renew]:checked").count())


def test_search_note_three_renewals_and_print_by_the_keyboard_alone(opening: Opening, server: Served) -> None:
    window = today(opening, server)
    assert window.page.evaluate("document.activeElement.id") == "typed"
    window.loads = window.pressed = 0
    traits = server.installation.patient().traits
    window.write(f"{traits.used_name[:4]} {traits.given[0][:3]}")
    window.press("Enter")
    window.page.wait_for_url(f"**/record/{server.record()}")
    window.press("c")
    window.page.wait_for_url("**/consultation")
    window.write("Équilibre correct, on poursuit le traitement.")
    window.press("Alt+1", "Alt+2", "Alt+3")
    assert ticked(window) == 3
    window.keep("consultation")
    window.press("Alt+g")
    window.page.wait_for_url("**/consultation/*")
    assert "Consultation enregistrée" in window.text
    window.keep("consultation-saved")
    window.press("g")
    window.page.wait_for_url("**/prescription/*")
    assert "Ordonnance" in window.page.title()
    loads = window.loads
    with window.page.expect_request("**/paper"):
        window.press("g")
    assert (window.pressed <= MOST_KEYS, loads <= MOST_LOADS) == (True, True), (window.pressed, loads)


def test_a_letter_takes_few_keys_beyond_its_text(opening: Opening, server: Served) -> None:
    window = opening().enter(server.installation.staff("team-doctor"), f"/record/{server.record()}")
    window.loads = window.pressed = 0
    window.press("c")
    window.page.wait_for_url("**/consultation")
    with window.page.expect_navigation():
        window.press("Alt+x")
    assert window.page.evaluate("document.activeElement.id") == "letter"
    window.write(" Merci de votre avis.")
    window.press("Alt+g")
    window.page.wait_for_url("**/consultation/*")
    assert "Lettre" in window.text
    assert window.pressed <= MOST_KEYS_OF_A_LETTER


def test_a_tab_that_closes_loses_nothing_of_what_was_typed(opening: Opening, server: Served) -> None:
    window = consulting(opening, server)
    window.write("Douleur depuis hier, ")
    window.page.wait_for_selector("#kept p:has-text('Brouillon gardé')")
    with window.page.expect_response("**/consultation/draft") as kept:
        window.write("sans fièvre.")
    assert kept.value.status == 200
    window.page.close()
    back = consulting(opening, server)
    assert back.page.input_value("#note") == "Douleur depuis hier, sans fièvre."
    assert "rien n'est perdu" in back.text
    back.page.click("text=Effacer le brouillon")
    back.page.wait_for_load_state()
    assert back.page.input_value("#note") == ""


def test_all_renewals_are_ticked_by_one_key(opening: Opening, server: Served) -> None:
    window = consulting(opening, server)
    every = int(window.page.locator("input[name=renew]").count())
    window.press("Alt+y")
    assert ticked(window) == every > 1
    window.press("Alt+y")
    assert ticked(window) == 0


@pytest.mark.parametrize("tail", ["consultation", "deposit", "proposals"])
def test_no_two_things_of_a_page_have_one_key(opening: Opening, server: Served, tail: str) -> None:
    window = opening().enter(server.installation.staff("team-doctor"), f"/record/{server.record()}/{tail}")
    keys = window.page.eval_on_selector_all("[data-key]", "all => all.map(one => one.dataset.key)")
    assert len(keys) == len(set(keys))


def test_without_a_script_the_page_keeps_a_draft_and_saves(opening: Opening, server: Served) -> None:
    window = consulting(opening, server, script=False)
    window.page.fill("#note", "Sans script.")
    window.page.click("text=Garder le brouillon")
    window.page.wait_for_load_state()
    assert window.page.input_value("#note") == "Sans script."
    window.page.check("input[name=renew] >> nth=0")
    window.page.fill("#weight", "lourd")
    window.page.click("text=Enregistrer la consultation")
    window.page.wait_for_load_state()
    assert "Écrivez un nombre, par exemple 36,8." in window.text
    assert ticked(window) == 1
    window.page.fill("#weight", "71,5")
    window.page.click("text=Enregistrer la consultation")
    window.page.wait_for_load_state()
    assert "Consultation enregistrée" in window.text

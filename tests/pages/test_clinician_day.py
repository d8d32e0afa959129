"""A clinician's day in a real browser, by the keyboard alone: find, read, ask why, open in an emergency."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.doors.served import Served
from tests.pages.chrome import Window
from tests.pages.conftest import Opening


def doctor(opening: Opening, server: Served, role: str, to: str = "/today", **options: object) -> Window:
    return opening(**options).enter(server.installation.staff(role), to)


def typed(server: Served, role: str = "celebrity") -> str:
    traits = server.installation.patient(role).traits
    return f"{traits.used_name[:4]} {traits.given[0][:3]}"


def test_three_letters_and_one_key_open_a_record_and_keys_lead_on(opening: Opening, server: Served) -> None:
    window = doctor(opening, server, "attending")
    assert window.page.evaluate("document.activeElement.id") == "typed"
    before = window.loads
    window.write(typed(server))
    window.press("Enter")
    window.page.wait_for_url(f"**/record/{server.record('celebrity')}")
    assert (window.pressed, window.loads - before) == (1, 1)
    for key, ends in (("w", "/why"), ("r", ""), ("h", "/today")):
        window.press(key)
        window.page.wait_for_url(f"**{ends}" if ends != "" else f"**/record/{server.record('celebrity')}")
    assert window.complaints == []


def test_the_list_follows_what_is_typed_and_no_page_is_loaded(opening: Opening, server: Served) -> None:
    window = doctor(opening, server, "attending")
    before = window.loads
    window.write(server.installation.patient("celebrity").traits.used_name[:4])
    window.page.wait_for_selector(f'#found a[href="/record/{server.record("celebrity")}"]')
    assert window.loads == before
    assert window.faults() == []
    assert typed(server)[:4].lower() not in window.at.lower()


def test_a_question_mark_lists_the_keys_of_the_page(opening: Opening, server: Served) -> None:
    window = doctor(opening, server, "attending", f"/record/{server.record()}")
    window.press("?")
    window.page.wait_for_selector("dialog[open]")
    said = window.page.inner_text("dialog")
    for word in ("Résumé", "Chronologie", "Traitements", "Aujourd'hui", "Pourquoi\u00a0?"):
        assert word in said
    window.press("Escape")
    assert window.page.query_selector("dialog[open]") is None


@pytest.mark.capability("1-23", "lets")
def test_an_emergency_is_two_gestures_and_stays_in_sight_until_it_ends(
    opening: Opening, server: Served
) -> None:
    record = server.record("father")
    window = doctor(opening, server, "locum", f"/record/{record}")
    assert "ne vous est pas ouvert" in window.text
    window.press("u")
    window.page.wait_for_url("**/urgent")
    window.page.focus("#reason-1")
    window.press("Space", "Tab", "Tab", "Tab", "Enter")
    window.page.wait_for_url(f"**/record/{record}")
    assert "Accès en urgence jusqu'à" in window.text
    for path in ("/timeline", "/why", "/problems"):
        window.go(f"/record/{record}{path}")
        assert "Accès en urgence jusqu'à" in window.text
    patient = opening().enter(server.patient_actor("father"), "/me")
    assert server.installation.staff("locum").name in patient.text
    assert "urgence" in patient.text
    window.go(f"/record/{record}")
    window.page.click("text=Terminer")
    window.page.wait_for_url("**/today")
    assert window.go(f"/record/{record}").status == 404


def test_what_the_patient_masks_leaves_the_page_that_a_clinician_has_open(
    opening: Opening, server: Served
) -> None:
    said = "Problème que le patient cache"
    sent = {
        "resourceType": "Condition",
        "code": {"text": said},
        "subject": {"reference": f"Patient/{server.record()}"},
    }
    made = server.staff("attending").post("Condition", json=sent).json()
    window = doctor(opening, server, "team-doctor", f"/record/{server.record()}")
    assert said in window.text
    asking, record = server.installation.as_patient(), server.installation.record()
    masking = server.house.choosing.mask(asking, record, f"Condition/{made['id']}")
    with ThreadPoolExecutor(1) as apart:  # the browser has a loop of its own here
        apart.submit(asyncio.run, masking).result()
    window.page.reload()
    assert said not in window.text


def test_without_javascript_a_person_is_found_and_the_record_opened(opening: Opening, server: Served) -> None:
    window = doctor(opening, server, "attending", script=False)
    window.page.fill("#typed", typed(server))
    window.page.click("text=Chercher")
    assert window.at == f"/record/{server.record('celebrity')}"
    window.page.click("text=Pourquoi ?")
    assert window.at.endswith("/why")

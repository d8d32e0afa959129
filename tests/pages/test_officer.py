"""The officer's morning and a newcomer's five minutes, by keys alone; who wants no single keys has none."""

from __future__ import annotations

from playwright.sync_api import expect

from serment.record.probes.training import ANSWERS
from tests.doors.served import Served
from tests.pages.conftest import Opening

LETTERS = ("a", "b", "c")


def test_the_officer_checks_everything_with_two_keys(opening: Opening, server: Served) -> None:
    window = opening().enter(server.installation.staff("officer"), "/home")
    window.press("s")
    expect(window.page.locator("h1")).to_contain_text("ce qui est vérifié")
    window.press("v")
    expect(window.page.get_by_role("status")).to_contain_text("Vérification faite", timeout=60_000)
    assert window.page.locator(".chip", has_text="tout va bien").count() == 1
    assert window.page.get_by_text("Dernière vérification").count() == 3
    assert window.pressed == 2


def test_the_officer_reads_a_preview_without_javascript(opening: Opening, server: Served) -> None:
    window = opening(script=False).enter(server.installation.staff("officer"), "/officer/policy/preview")
    window.page.fill("#table", "not,a,table")
    window.page.get_by_role("button", name="Montrer les changements").press("Enter")
    expect(window.page.locator("#file-error")).to_contain_text("Reprenez l'une d'elles")
    assert window.page.input_value("#table") == "not,a,table"


def test_a_newcomer_is_trained_without_a_mouse(opening: Opening, server: Served) -> None:
    window = opening().enter(server.installation.staff("secretary"), "/training")
    window.page.locator("#screen-1").focus()
    for right in ANSWERS.values():
        window.press("Space", *["ArrowDown"] * LETTERS.index(right), "Tab")
    window.press("Enter")
    expect(window.page.get_by_role("status")).to_contain_text("Attestation")
    assert window.faults() == []


def test_single_keys_do_nothing_for_who_switched_them_off(opening: Opening, server: Served) -> None:
    window = opening().enter(server.installation.staff("officer"), "/preferences")
    window.page.uncheck("#single-keys")
    window.page.get_by_role("button", name="Garder ces choix").click()
    expect(window.page.get_by_role("status")).to_contain_text("gardés")
    window.press("s")
    assert window.at == "/preferences?saved"
    window.press("Alt+s")
    expect(window.page.locator("h1")).to_contain_text("ce qui est vérifié")

"""The desk as a secretary lives it: stopped at a duplicate, appointments, an agenda without reasons."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from serment.fhir.halves import SHOWN
from tests.attacks.test_reception import WHY, booked
from tests.doors.served import Served
from tests.pages.chrome import Window
from tests.pages.conftest import Opening


def at_desk(opening: Opening, server: Served, *, script: bool = True) -> Window:
    window = opening(script=script)
    window.enter(server.installation.staff("secretary"), "/reception")
    return window


def typed(window: Window, said: dict[str, str]) -> None:
    for name, value in said.items():
        window.page.fill(f"#{name}", value)


@pytest.mark.capability("0-04", "lets")
@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_a_secretary_is_stopped_at_a_duplicate(opening: Opening, server: Served, script: bool) -> None:
    window = at_desk(opening, server, script=script)
    family = "Kermoal" if script else "Kerdraon"
    window.page.click("a[href='/reception/new']")
    person = {"birth-name": family, "given": "Solange Marie", "birth-date": "1948-06-17"}
    typed(window, person)
    window.page.check("input[name=sex][value=F]")
    window.page.click("main form button")
    window.page.wait_for_url("**/reception/person/*")
    known = window.page.url
    window.go("/reception/new")
    typed(window, {**person, "given": "Solange"})
    window.page.check("input[name=sex][value=F]")
    window.page.click("main form button")
    stopped = window.page.locator("section.card.warn")
    assert "peut-être déjà un dossier" in stopped.inner_text()
    assert window.page.input_value("#birth-name") == family
    if script:  # axe is one
        assert window.faults() == []
    stopped.locator("li a").click()
    assert window.page.url == known, "the record that stands is opened in place of a second one"


@pytest.mark.capability("4-11", "lets")
def test_an_appointment_is_booked_and_whoever_comes_is_welcomed(opening: Opening, server: Served) -> None:
    window = at_desk(opening, server)
    keyboard = window.page.keyboard
    keyboard.type(server.installation.patient().traits.birth_name[:5])
    keyboard.press("Enter")
    window.page.wait_for_url("**/reception/person/*")
    window.go(f"/reception/person/{server.record()}/appointments")
    window.page.focus("#with")
    keyboard.press("ArrowDown")
    window.page.fill("#hour", "23:30")
    window.page.focus("#minutes")
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("Enter")
    window.page.wait_for_selector("text=23:30")
    window.go("/reception")
    welcome = window.page.locator("button", has_text="Arrivé").first
    welcome.focus()
    keyboard.press("Enter")
    window.page.wait_for_selector("text=Pas encore là")


@pytest.mark.capability("4-11", "refuses")
def test_two_people_look_at_one_agenda_and_one_of_them_reads_why(opening: Opening, server: Served) -> None:
    day = (datetime.now().astimezone() + timedelta(days=1)).date().isoformat()
    shown = {"comment": "vient en fauteuil", "extension": [{"url": SHOWN, "valueBoolean": True}]}
    doctor = server.staff("team-doctor")
    for hour, said in ((9, {"comment": WHY}), (10, shown)):
        made = booked(server, server.record(), hour, **said)
        made |= {name: day + made[name][10:] for name in ("start", "end")}
        assert doctor.post("Appointment", json=made).status_code == 201
    seen = {}
    for role in ("secretary", "team-doctor"):
        window = opening()
        window.enter(server.installation.staff(role), f"/reception/agenda?day={day}")
        seen[role] = window.page.locator("main").inner_text()
    assert all("vient en fauteuil" in one for one in seen.values())
    assert [role for role, one in seen.items() if WHY in one] == ["team-doctor"]

"""A provider that knows somebody still, in a browser that somebody else uses or that another site leads."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from serment.people.accounts import Account, Exercise
from tests.attacks.openid_house import SUBJECT, TWO, House, hidden, open_house

SESSION, DEVICE = "serment", "serment-device"
JAR = {"domain": "localhost.local", "path": "/"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("borrowed")) as made:
        yield made


@pytest.fixture
def house(running: House) -> Iterator[House]:
    yield running
    running.provider.honest()
    running.server.hang_up()


def led_by_another_site(house: House, browser: httpx.Client, subject: str) -> httpx.Response:
    """Come back from a provider that asked nothing: on the way out the session (`Strict`) was not shown."""
    held = browser.cookies[SESSION]
    browser.cookies.delete(SESSION, **JAR)
    url = house.away(browser)
    assert "prompt" not in url
    answer = browser.get(house.click(url, subject))
    browser.cookies.set(SESSION, held, **JAR)
    return answer


@pytest.mark.capability("0-06", "refuses")
def test_a_locked_screen_is_not_opened_by_a_provider_that_asks_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = house.new_browser()
    house.sign_in(browser, SUBJECT)
    monkeypatch.setattr(house.server.house.sessions, "_idle", -1)
    assert browser.get("/account").status_code == 401
    led_by_another_site(house, browser, SUBJECT)
    again = browser.get("/openid/go-on")
    assert again.headers["location"] == "/openid/psc?to=%2F"
    monkeypatch.undo()
    monkeypatch.setattr(house.server.house.sessions, "_idle", -1)
    assert browser.get("/account").status_code == 401
    asked = browser.get(again.headers["location"]).headers["location"]
    assert httpx.URL(asked).params["prompt"] == "login"
    monkeypatch.undo()
    browser.get(house.click(asked, SUBJECT))
    assert browser.get("/openid/go-on").headers["location"] == "/"
    assert browser.get("/account").status_code == 200


def test_a_locked_screen_is_not_opened_by_choosing_another_exercise(house: House) -> None:
    browser = house.new_browser()
    shown = house.back(browser, TWO)
    browser.post("/openid/choose", data={"csrf": hidden(shown.text, "csrf"), "exercise": "1"})
    held = browser.cookies[SESSION]
    shown = led_by_another_site(house, browser, TWO)
    answer = browser.post("/openid/choose", data={"csrf": hidden(shown.text, "csrf"), "exercise": "2"})
    assert answer.headers["location"].startswith("/openid/psc?")
    assert browser.cookies[SESSION] == held


def test_login_csrf_no_other_site_binds_somebody_to_the_account_of_its_own_invitation(house: House) -> None:
    patient = house.server.patient_actor("adolescent")
    own = Exercise("1", patient.id, "patient", patient=patient.patient)
    theirs = house.enrol("attacker", Account("", patient.name, (own,)))
    code = house.people.entering.inviting.invite(house.asking(), theirs.id)
    victim = house.new_browser()
    victim.get(f"/join/{code}", headers={"sec-fetch-site": "cross-site"})
    for site in ("cross-site", "same-site", "none"):
        led = victim.get("/openid/patients", params={"join": "1"}, headers={"sec-fetch-site": site})
        assert (led.status_code, "location" in led.headers) == (401, False)
    led = victim.get("/openid/patients", params={"join": "1"}, headers={"sec-fetch-site": "same-origin"})
    assert led.status_code == 303
    assert not house.people.accounts.get(house.asking(), theirs.id).subjects

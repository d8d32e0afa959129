"""The demonstration's people in a real browser: each comes in by the provider and sees what is theirs.

The browser keeps to the letter what `Strict` cookies and the content security policy say: what works here
works for people.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serment.demo.people import (
    ASSOCIATE,
    HOSPITAL,
    LOCUM,
    OFFICER,
    PRACTICE,
    SECOND_ASSOCIATE,
    SECRETARY_OF_PRACTICE,
    UNRELATED_DOCTOR,
)
from serment.demo.population import DemoPatient
from serment.door.browser import DEVICE, SESSION
from serment.fhir.summary import person_name
from tests.journeys.browser import CHROMIUM, Browser, browser
from tests.journeys.house_of_people import Place, open_place

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Debian's package chromium is not installed")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("provider")) as place:
        yield place


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "profile") as opened:
        yield opened


def opened(demo: Place, window: Browser, patient: DemoPatient) -> bool:
    """Say whether the page is at a patient's record, and tells who it is."""
    at = f"{demo.server.address}/record/{demo.server.installation.store.ids[patient.key]}"
    return window.address == at and patient.traits.used_name in window.text


@pytest.mark.capability("0-06", "lets")
def test_a_doctor_comes_in_by_the_provider_and_opens_a_record(demo: Place, window: Browser) -> None:
    record = f"/record/{demo.server.record()}"
    demo.at_sign_in(window, "psc", ASSOCIATE.name, record)
    window.follow()
    assert window.address == f"{demo.server.address}{record}"
    assert ASSOCIATE.name in window.text
    assert window.complaints == []


@pytest.mark.capability("0-06", "lets")
def test_one_of_two_exercises_is_chosen_and_rules_the_session(
    demo: Place, window: Browser, tmp_path: Path
) -> None:
    store = demo.server.installation.store
    hers = next(one for one in store.people.patients if one.attending is SECOND_ASSOCIATE)
    record = f"/record/{store.ids[hers.key]}"
    demo.at_sign_in(window, "psc", SECOND_ASSOCIATE.name, record)
    assert "À quel titre\u00a0?" in window.text
    for width in (390, 1000):
        window.window(width)
        assert window.value("document.documentElement.scrollWidth") <= width
        window.picture(tmp_path / f"choice-{width}.png")
    window.click("main form p:nth-of-type(1) button")
    assert opened(demo, window, hers)
    assert acting(demo, window) == ("associate", PRACTICE.id)
    demo.at_sign_in(window, "psc", SECOND_ASSOCIATE.name, record)
    window.click("main form p:nth-of-type(2) button")
    assert acting(demo, window) == ("hospital-doctor", HOSPITAL.id)


def acting(demo: Place, window: Browser) -> tuple[str, str]:
    """Say in which function and structure the session of this browser acts."""
    kept = {one["name"]: one["value"] for one in window.call("Network.getCookies")["cookies"]}
    house = demo.server.house
    actor = house.sessions.open(kept[SESSION], house.passage.clock(), kept[DEVICE]).actor
    return actor.function.value, actor.structure


@pytest.mark.parametrize(
    ("realm", "who", "page", "knows", "reads"),
    [
        ("psc", LOCUM.name, "record", True, True),
        ("site", SECRETARY_OF_PRACTICE.name, "record", True, False),
        ("site", OFFICER.name, "officer", False, False),
        ("psc", UNRELATED_DOCTOR.name, "record", False, False),
    ],
)
def test_each_sees_what_the_rules_say(
    demo: Place, window: Browser, realm: str, who: str, page: str, knows: bool, reads: bool
) -> None:
    address = f"/record/{demo.server.record()}" if page == "record" else f"/{page}"
    demo.at_sign_in(window, realm, who, address)
    window.follow()
    assert window.address == f"{demo.server.address}{address}"
    assert opened(demo, window, demo.server.installation.patient()) is knows
    assert ("Diabète de type 2" in window.text) is reads


def test_the_patient_reads_who_came(demo: Place, window: Browser) -> None:
    patient = demo.server.patient_actor()
    demo.at_sign_in(window, "patients", patient.name, "/me")
    window.follow()
    assert window.address == f"{demo.server.address}/me"
    assert patient.name in window.text


def test_somebody_who_gives_up_at_the_provider_is_told_so(demo: Place, window: Browser) -> None:
    window.open(f"{demo.server.address}/openid/psc")
    window.open(window.address + "&as=nobody")
    assert "abandonnée" in window.text


def names(place: Place, *roles: str) -> list[str]:
    """Give the names of patients of the cast."""
    played = [place.server.installation.patient(role) for role in roles]
    return [person_name(one.bundle["entry"][0]["resource"]) for one in played]


@pytest.mark.capability("0-06", "lets")
def test_a_mother_chooses_whom_she_comes_for_and_is_led_to_her_daughters_record(
    demo: Place, window: Browser, tmp_path: Path
) -> None:
    mother, daughter = names(demo, "mother", "adolescent")
    demo.at_sign_in(window, "patients", mother)
    assert f"Pour {daughter}, que vous représentez ou aidez" in window.text
    window.click("main form p:nth-of-type(2) button")
    assert window.address == f"{demo.server.address}/home"
    looked_at(window, tmp_path / "mother")
    window.click("main a.button")
    assert window.address == f"{demo.server.address}/record/{demo.server.record('adolescent')}"
    assert daughter in window.text
    assert "contraception" not in window.text.lower()
    looked_at(window, tmp_path / "daughter")


def test_a_patient_arrives_and_is_led_to_her_record(demo: Place, window: Browser, tmp_path: Path) -> None:
    (name,) = names(demo, "patient")
    demo.at_sign_in(window, "patients", name)
    window.follow()
    assert window.address == f"{demo.server.address}/home"
    looked_at(window, tmp_path / "patient")
    window.click("main a.button")
    assert window.address == f"{demo.server.address}/me"


def test_a_doctor_finds_a_person_by_name_and_their_name_is_in_no_address(
    demo: Place, window: Browser, tmp_path: Path
) -> None:
    patient = demo.server.installation.patient()
    demo.at_sign_in(window, "psc", LOCUM.name)
    window.follow()
    looked_at(window, tmp_path / "locum")
    window.type("#typed", patient.traits.birth_name[:4])
    window.click("main form button")
    assert window.address == f"{demo.server.address}/today/find"
    looked_at(window, tmp_path / "found")
    window.click(f'a[href="/record/{demo.server.record()}"]')
    assert opened(demo, window, patient)
    window.open(f"{demo.server.address}/acts")
    assert "Ouverture d'un dossier" in window.text
    looked_at(window, tmp_path / "acts")
    assert window.complaints == []


def looked_at(window: Browser, picture: Path) -> None:
    """Look at the page as on a telephone and on a desk: nothing is cut off."""
    for width in (390, 1000):
        window.window(width)
        assert window.value("document.documentElement.scrollWidth") <= width
        window.picture(picture.with_name(f"{picture.name}-{width}.png"))

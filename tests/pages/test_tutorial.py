"""The tutorial, walked: each step as its person, in French and in English; its pictures are taken here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from serment.demo.life import live
from tests.doors.served import Served, served
from tests.pages.chrome import Window
from tests.pages.conftest import Opening

LANGUAGES = pytest.mark.parametrize("language", ["fr", "en"])
LOCALES = {"fr": "fr-FR", "en": "en-GB"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A demonstration in which a day has just happened."""
    with served(tmp_path_factory.mktemp("tutorial"), 20) as running:
        asyncio.run(live(running.installation.store))
        yield running


def come(opening: Opening, server: Served, role: str, language: str, to: str) -> Window:
    window = opening(language=LOCALES[language])
    window.width(1100)
    actor = server.patient_actor() if role == "patient" else server.installation.staff(role)
    return window.enter(actor, to)


@LANGUAGES
def test_the_doctor_begins_the_day_and_opens_a_record(
    opening: Opening, server: Served, language: str
) -> None:
    window = come(opening, server, "attending", language, "/today")
    assert window.page.locator("section:has(h2) time").count() >= 1
    window.keep(f"today-{language}")
    window.go(f"/record/{server.record()}")
    assert window.page.locator(".identity .name").count() == 1
    window.keep(f"record-{language}")
    window.go(f"/record/{server.record()}/labs")
    assert window.page.locator("svg.chart").count() >= 2
    window.keep(f"labs-{language}")
    window.go(f"/record/{server.record()}/proposals")
    assert window.page.locator("main form").count() >= 1
    window.keep(f"proposals-{language}")


@LANGUAGES
def test_the_doctor_writes_a_visit_on_one_page(opening: Opening, server: Served, language: str) -> None:
    window = come(opening, server, "attending", language, f"/record/{server.record()}/consultation")
    assert window.page.locator("main input[type=checkbox]").count() >= 3
    window.keep(f"consultation-{language}")


@LANGUAGES
def test_the_patient_reads_who_came_and_chooses(opening: Opening, server: Served, language: str) -> None:
    window = come(opening, server, "patient", language, "/me")
    names = [server.installation.staff(role).name for role in ("attending", "team-doctor")]
    assert all(name in window.text for name in names)
    window.keep(f"me-{language}")
    window.page.click('main a[href="/me/who"]')
    window.page.wait_for_url("**/me/who")
    urgent = server.installation.staff("nurse").name
    assert window.text.index(urgent) < window.text.index(names[1])  # an emergency stands first
    window.keep(f"who-{language}")
    window.go("/me/choices")
    window.keep(f"choices-{language}")


@LANGUAGES
def test_somebody_without_a_link_reads_what_to_do(opening: Opening, server: Served, language: str) -> None:
    window = come(opening, server, "unrelated-doctor", language, f"/record/{server.record()}")
    window.go(f"/record/{server.record()}/why")
    assert window.page.locator("main form, main a.button").count() >= 1
    window.keep(f"why-{language}")


@LANGUAGES
def test_the_desk_keeps_the_day_and_reads_no_record(opening: Opening, server: Served, language: str) -> None:
    window = come(opening, server, "secretary", language, "/reception")
    assert window.page.locator("main form[role=search]").count() == 1
    window.keep(f"reception-{language}")
    window.go(f"/record/{server.record()}/labs")
    assert window.page.locator("svg.chart").count() == 0


@LANGUAGES
def test_the_officer_checks_everything_and_reads_no_care(
    opening: Opening, server: Served, language: str
) -> None:
    window = come(opening, server, "officer", language, "/officer")
    window.page.click('form[action="/officer/probes"] button')
    window.page.wait_for_load_state()
    assert server.installation.patient().traits.used_name not in window.text
    window.keep(f"officer-{language}")

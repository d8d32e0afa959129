"""Where somebody arrives, and their own acts: what the pages say, and what they never tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.doors.served import Served, page_text, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve an installation of its own: people's lists of acts are counted here."""
    with served(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def arrived(server: Served, role: str) -> httpx.Client:
    """Come in by a link of the demonstration: nobody has an account here."""
    page = server.browser()
    assert page.get(server.code(server.installation.staff(role), "/")).status_code == 303
    return page


def typing(page: httpx.Client, typed: str, **headers: str) -> httpx.Response:
    key = re.search(r'name="csrf" value="([^"]+)"', page.get("/home").text)
    assert key is not None
    return page.post("/home", data={"csrf": key[1], "typed": typed}, headers=headers)


def test_who_wanted_no_page_is_led_to_where_they_arrive(server: Served) -> None:
    page = arrived(server, "team-doctor")
    assert page.get("/").headers["location"] == "/today"
    assert server.installation.staff("team-doctor").name in page.get("/home").text


@pytest.mark.parametrize("typed", ["", "ab", "  ", "12"])
def test_too_little_is_said_on_the_page_and_finds_nobody(server: Served, typed: str) -> None:
    shown = typing(arrived(server, "secretary"), typed)
    assert shown.status_code in {400, 422}
    assert 'role="alert"' in shown.text
    assert 'href="/record/' not in shown.text


@pytest.mark.capability("0-21", "refuses")
def test_a_form_of_another_site_finds_nobody(server: Served) -> None:
    page = arrived(server, "secretary")
    typed = server.installation.patient().traits.birth_name[:4]
    for data in ({"typed": typed}, {"typed": typed, "csrf": "0" * 64}):
        shown = page.post("/home", data=data)
        assert shown.status_code == 400
        assert server.record() not in shown.text
    assert page.get("/home", params={"typed": typed}).text.count('href="/record/') == 0


def test_nobody_of_that_name_and_somebody_of_another_structure_read_alike(server: Served) -> None:
    page = arrived(server, "unrelated-doctor")
    known = server.installation.patient().traits.birth_name[:4]
    shown, none = typing(page, known), typing(page, "Zyxw")
    blank = [re.sub(r'value="[^"]*"', "", page_text(one)) for one in (shown, none)]
    assert shown.status_code == none.status_code == 200
    assert blank[0] == blank[1]


def test_what_was_typed_comes_back_as_text(server: Served) -> None:
    shown = typing(arrived(server, "secretary"), '"><script>alert(1)</script>')
    assert "<script>" not in shown.text


def test_the_page_speaks_english_to_whom_prefers_it(server: Served) -> None:
    page = arrived(server, "locum")
    english = {"accept-language": "en"}
    assert "Find a person" in page.get("/home", headers=english).text
    assert "Nobody whom you may find" in typing(page, "Zyxw", **english).text


@pytest.mark.parametrize("role", ["officer", "dpo", "researcher"])
def test_who_may_find_nobody_is_offered_no_search_and_refused_one(server: Served, role: str) -> None:
    page = arrived(server, role)
    assert 'name="typed"' not in page.get("/home").text
    assert typing(page, server.installation.patient().traits.birth_name[:4]).status_code == 403


@pytest.mark.capability("0-06", "refuses")
def test_a_list_of_acts_tells_no_hidden_record_from_one_that_does_not_exist(server: Served) -> None:
    page = arrived(server, "unrelated-doctor")
    for record in (server.record(), str(uuid4()), server.record("celebrity")):
        assert page.get(f"/record/{record}").status_code == 404
    rows = re.findall(r"<tr.*?</tr>", page.get("/acts").text, re.S)[1:4]
    assert len({re.sub(r"<time>.*?</time>", "", row) for row in rows}) == 1
    assert "refusé" in rows[0]


def test_a_patient_has_the_ledger_and_no_list_of_acts(server: Served) -> None:
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    assert page.get("/acts").status_code == 403
    assert 'href="/acts"' not in page.get("/me").text

"""The pages behind the first page of a record, over HTTP: what is asked, what is shown, what stays hidden."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.doors.served import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("chart")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def doctor(server: Served, role: str = "team-doctor") -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), "/home"))
    return page


def at(server: Served, tail: str = "") -> str:
    return f"/record/{server.record()}{tail}"


def words(answer: httpx.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.mark.parametrize(
    "tail",
    ["/timeline", "/problems", "/treatments", "/allergies", "/vaccinations", "/vitals", "/labs", "/documents"],
)
def test_each_page_opens_and_names_the_person(server: Served, tail: str) -> None:
    answer = doctor(server).get(at(server, tail))
    assert answer.status_code == 200, words(answer)
    assert 'class="identity"' in answer.text

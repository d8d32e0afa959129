"""What the patient's own pages must not tell: what waits to be announced, what is of somebody else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.doors.served import Served, served
from tests.doors.test_patient_pages import PAGES, come, post, words


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("patient-pages")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def read_by_its_author(server: Served) -> str:
    """Have the doctor read the result that waits; give its reference."""
    item = server.installation.item("announcement", "waiting")
    assert server.staff("attending").get(item).status_code == 200
    return item


def test_attack_a_patient_learns_of_a_result_that_waits_to_be_announced(server: Served) -> None:
    item = read_by_its_author(server)
    page = come(server, "waiting")
    for path in (*PAGES, "/me/who?period=all", "/me/record/documents", "/me/record/problems"):
        assert item not in page.get(path).text
        assert item.partition("/")[2] not in page.get(path).text
    for path in ("/me/who/proof", "/me/download/files"):
        assert item.partition("/")[2].encode() not in post(page, path).content
    assert post(page, "/me/mask", item=item).status_code == 404


def test_attack_the_list_tells_that_a_result_waits_by_what_it_counts(server: Served) -> None:
    """The acts on what waits stand in a chain that is not told: after more readings others did as much."""

    def others(page: httpx.Client) -> list[str]:
        told = page.get("/me/who?period=all").text.partition('id="others"')[2].partition("</section>")[0]
        return re.findall(r"En détail \((\d+)\)", html.unescape(told))

    page = come(server, "waiting")
    before = others(page)
    for _ in range(3):
        read_by_its_author(server)
    assert others(page) == before


@pytest.mark.capability("4-17", "refuses")
@pytest.mark.parametrize("path", PAGES)
def test_attack_a_parent_opens_the_pages_of_their_child(server: Served, path: str) -> None:
    """A mother signed in for herself sees her own record, whatever she asks for in the address."""
    mother = come(server, "mother")
    child = server.record("adolescent")
    answer = mother.get(path, params={"id": child, "patient": child})
    assert answer.status_code == 200
    assert child not in answer.text


def test_attack_an_item_of_somebody_else_is_masked_or_corrected(server: Served) -> None:
    item = server.installation.item("maskable")
    page = come(server, "celebrity")
    assert post(page, "/me/mask", item=item).status_code == 404
    assert server.staff("attending").get(item).status_code == 200


def test_attack_a_choice_of_somebody_else_is_taken_back(server: Served) -> None:
    patient, other = come(server), come(server, "celebrity")
    post(patient, "/me/choices", what="research", read="yes")
    section = patient.get("/me/choices").text.partition('id="c-research"')[2]
    choice = re.search(r'name="choice" value="([^"]+)"', section)
    assert choice is not None
    assert post(other, "/me/choices", what="back", choice=choice[1]).status_code == 303
    assert "Vous vous êtes opposé" in words(patient.get("/me/choices"))
    post(patient, "/me/choices", what="back", choice=choice[1])


def test_attack_a_carer_of_somebody_else_is_dismissed_or_widened(server: Served) -> None:
    other = come(server, "celebrity")
    related = re.search(r'name="related" value="([^"]+)"', come(server, "waiting").get("/me/people").text)
    assert related is not None
    assert post(other, "/me/people/dismiss", related=related[1]).status_code == 303
    form = {"related": related[1], "category": ["labs"], "until": "2099-01-01", "read": "yes"}
    assert post(other, "/me/people/carer", **form).status_code == 400
    assert related[1] in come(server, "waiting").get("/me/people").text

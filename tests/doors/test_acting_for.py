"""A mother goes on from her own record to her child's: another role, another session, the same proof."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from serment.people.accounts import Exercise
from serment.record.entrance import session_rows
from tests.doors.served import Served, served
from tests.doors.test_signing import Visitor, joined, people_of
from tests.unit.people.local_people import CHEAP, PASSWORD


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("acting-for")) as running:
        people_of(running).entering.drawer.cost = CHEAP
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def exercises(server: Served) -> tuple[Exercise, Exercise]:
    """Give those of the mother of the cast: her own record, and her child's."""
    installation = server.installation
    mother, child = installation.patient("mother"), installation.patient("adolescent")
    related = next(one.related for one in child.kin if one.key == mother.key)
    proxy = installation.store.items[related].removeprefix("RelatedPerson/")
    own, other = server.record("mother"), server.record("adolescent")
    return (
        Exercise("1", f"patient:{own}", "patient", label="Moi", patient=own),
        Exercise("2", f"proxy:{proxy}", "proxy", label="Mon enfant", patient=other),
    )


@pytest.fixture(scope="module")
def mother(server: Served) -> Visitor:
    return joined(server, "mere", *exercises(server))


def come(mother: Visitor) -> Visitor:
    visitor = mother.elsewhere()
    visitor.browser.get("/sign-in")
    fields = {"login": "mere", "password": PASSWORD, "code": mother.recovery.pop(), "to": "/me"}
    assert visitor.post("/sign-in", **fields).headers["location"] == "/sign-in/next"
    assert visitor.post("/sign-in/next", exercise="1").headers["location"] == "/me"
    return visitor


def key(visitor: Visitor, path: str = "/me/people") -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', visitor.browser.get(path).text)
    assert found is not None
    return found[1]


@pytest.mark.capability("4-17", "lets")
def test_a_mother_opens_her_childs_record_in_one_gesture(server: Served, mother: Visitor) -> None:
    visitor = come(mother)
    shown = html.unescape(visitor.browser.get("/me/people").text)
    assert "Pour Mon enfant, que vous représentez ou aidez" in shown
    answer = visitor.post("/me/people/act-for", csrf=key(visitor), exercise="2")
    assert answer.headers["location"] == f"/record/{server.record('adolescent')}"
    assert visitor.browser.get(answer.headers["location"]).status_code == 200
    assert visitor.browser.get("/me").status_code == 404  # one role at a time


@pytest.mark.capability("4-17", "refuses")
@pytest.mark.parametrize("exercise", ["", "1", "3", "x" * 500])
def test_no_other_role_is_taken_by_that_door(mother: Visitor, exercise: str) -> None:
    visitor = come(mother)
    assert visitor.post("/me/people/act-for", csrf=key(visitor), exercise=exercise).status_code == 404
    assert visitor.browser.get("/me").status_code == 200


@pytest.mark.capability("4-17", "refuses")
def test_an_old_proof_opens_no_other_role(mother: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = come(mother)
    csrf = key(visitor)
    monkeypatch.setattr(session_rows, "FRESH_MS", 0)
    assert visitor.post("/me/people/act-for", csrf=csrf, exercise="2").status_code == 401


@pytest.mark.capability("4-17", "refuses")
def test_the_minors_secret_stays_absent_for_the_mother(server: Served, mother: Visitor) -> None:
    visitor = come(mother)
    to = visitor.post("/me/people/act-for", csrf=key(visitor), exercise="2").headers["location"]
    secret = server.installation.item("secret-prescription", "adolescent")
    for path in (to, f"{to}/timeline", f"{to}/treatments", f"{to}/documents"):
        shown = visitor.browser.get(path)
        assert secret.partition("/")[2] not in shown.text

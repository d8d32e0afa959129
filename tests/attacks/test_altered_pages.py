"""A row altered on the disk is never shown on a page as if it were fine: the page says so in its place."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator

import httpx
import pytest

from serment.demo.store import CARE_PURPOSES
from serment.server import application
from tests.attacks.sql import Thief
from tests.installation import Installation, installation

SHEET = "consultation"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("altered")) as one:
        yield one


@pytest.fixture
def thief(made: Installation) -> Iterator[Thief]:
    one = Thief(made)
    yield one
    one.close()


def shown(made: Installation, tails: list[str]) -> list[tuple[int, str]]:
    """Give status and words of pages of the record, as the attending doctor meets them."""

    async def asked() -> list[tuple[int, str]]:
        app = application(lambda: made.house, lambda: None)
        doctor, now = made.staff("attending"), made.house.passage.clock()
        code = made.house.sessions.issue(doctor, CARE_PURPOSES[doctor.kind], now, once=True, to="/home")
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
            await browser.get(f"/enter/{code}")
            answers = [await browser.get(f"/record/{made.record()}{tail}") for tail in tails]
        return [(one.status_code, html.unescape(re.sub(r"<[^>]+>", " ", one.text))) for one in answers]

    return asyncio.run(asked())


@pytest.mark.capability("4-13", "refuses")
@pytest.mark.parametrize("table", ["body", "pack"])
def test_an_altered_item_is_never_displayed_as_normal(made: Installation, thief: Thief, table: str) -> None:
    item = made.item(SHEET)
    tails = [f"/item/{item}", f"/document/{item}", "/timeline", "/documents"]
    before = shown(made, tails)
    assert [status for status, _ in before] == [200] * len(tails)
    assert "Intègre" in before[0][1]
    last = f"UPDATE {table} SET sealed = zeroblob(length(sealed)) WHERE record = ?"  # noqa: S608 - a word of ours
    with thief.changed(table, last, thief.record()):
        for status, words in shown(made, tails):
            assert status == 500
            assert "Intègre" not in words
            assert "Compte rendu" not in words
    assert [status for status, _ in shown(made, tails)] == [200] * len(tails)

"""The pages of a record tell nothing of what is hidden in it: answer and work are those of what is absent.

The whole application over one house, a browser that keeps its cookies, and all that happens behind the doors
written down: statements, openings, appends.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from serment.demo.store import CARE_PURPOSES
from serment.record import incoming
from serment.record.house import House
from serment.server import application
from tests.attacks.knocking import UNSPENT
from tests.attacks.watching import Log, watched
from tests.installation import Installation, installation

READER = "team-doctor"
_MADE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|nonce-[\w-]+|[\"=][\w-]{24}\"|act=[\w-]+")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("hidden")) as one:
        yield one


def write(made: Installation, resource: dict[str, Any]) -> str:
    who = {"reference": f"Patient/{made.record()}"}
    sent = incoming.read(json.dumps({**resource, "subject": who}).encode())
    written = asyncio.run(made.house.writing.create(made.as_staff("attending"), sent))
    return f"{resource['resourceType']}/{written.id}"


def masked(made: Installation, resource: dict[str, Any]) -> str:
    item = write(made, resource)
    asyncio.run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    return item


SHEET = {
    "resourceType": "DocumentReference",
    "status": "current",
    "content": [{"attachment": {"contentType": "text/plain", "data": "c2VjcmV0"}}],
}


def watched_house(made: Installation) -> tuple[House, Log]:
    passage = replace(made.house.passage, refusals=UNSPENT)
    house = House.of(passage, made.house.custody, made.house.kind, made.house.base)
    return watched(house)


async def asked(
    house: House, log: Log, made: Installation, paths: list[str], role: str = READER
) -> list[tuple[int, str, Log]]:
    """Ask for pages as one browser of the reader; give status, text without what is made anew, and work."""
    app = application(lambda: house, lambda: None)
    reader = made.staff(role)
    code = house.sessions.issue(
        reader, CARE_PURPOSES[reader.kind], house.passage.clock(), once=True, to="/home"
    )
    answers = []
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
        await browser.get(f"/enter/{code}")
        for path in paths:
            log.clear()
            answer = await browser.get(path)
            answers.append((answer.status_code, _MADE.sub("<made>", answer.text), list(log)))
    return answers


@pytest.mark.capability("1-24", "refuses")
@pytest.mark.parametrize(
    "page",
    [
        "item/{item}",
        "document/{item}",
        "document/{item}/picture",
        "document/{item}/download",
        "item/{item}?page=x",
    ],
)
def test_the_page_of_a_hidden_item_and_of_none_are_one(made: Installation, page: str) -> None:
    hidden, absent = masked(made, SHEET), f"DocumentReference/{uuid.uuid4()}"
    house, log = watched_house(made)
    base = f"/record/{made.record()}"
    # Once before: the keys of the record and of the decoy are at hand, their heads open, for both.
    paths = [f"{base}/timeline", *[f"{base}/{page.format(item=item)}" for item in (absent, hidden, absent)]]
    _, _, one, other = asyncio.run(asked(house, log, made, paths))
    assert one == other
    assert one[0] in {404, 400}


@pytest.mark.parametrize("page", ["labs/{token}", "timeline?author={token}"])
def test_the_series_of_hidden_results_and_of_none_are_one(made: Installation, page: str) -> None:
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}], "text": "Glycémie cachée"},
        "valueQuantity": {"value": 1, "unit": "g/L"},
    }
    hidden = masked(made, resource)
    house, log = watched_house(made)
    tokens = ["000000000000", house.leafing.series_of(resource), "000000000000"]
    paths = [f"/record/{made.record()}/{page.format(token=token)}" for token in tokens]
    _, one, other = asyncio.run(asked(house, log, made, paths))
    for token in tokens:
        one, other = ((s, text.replace(token, "<token>"), work) for s, text, work in (one, other))
    assert one == other
    assert "cachée" not in one[1]
    assert hidden


@pytest.mark.parametrize(
    "tail", ["", "/timeline", "/labs", "/treatments", "/item/Condition/x", "/document/Media/x"]
)
def test_the_pages_of_a_hidden_record_and_of_none_are_one(made: Installation, tail: str) -> None:
    house, log = watched_house(made)
    # Once before, as above.
    records = [str(uuid.uuid4()), made.record(), made.record(), str(uuid.uuid4())]
    paths = [f"/record/{record}{tail}" for record in records]
    _, _, one, other = asyncio.run(asked(house, log, made, paths, "unrelated-doctor"))
    assert one == other
    assert one[0] == 404

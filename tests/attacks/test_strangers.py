"""A stranger knocks ten thousand times: counted, told once an hour, and never worth a ledger entry each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from serment.errors import CustodyError
from serment.keys.trace_keys import TraceKeys
from serment.ledger.chains import Chain
from serment.ledger.entry import Body, Interaction, Kind
from serment.ledger.follow import follow
from serment.model import Instant
from serment.record.house import House
from serment.record.passage import SYSTEM
from tests.attacks.watching import watched
from tests.doors.served import Served, served

HOUR = 3600 * 1000

KNOCKS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "/fhir/Patient/1", {}),
    ("GET", "/fhir/Patient/1", {"authorization": "Bearer nobody"}),
    ("POST", "/fhir/Patient", {"authorization": "Basic ZG9jdG9yOng="}),
    ("POST", "/fhir", {"authorization": "Bearer nobody"}),
    ("GET", "/me", {"cookie": "serment=nobody"}),
    ("GET", "/officer", {}),
    ("GET", "/enter/nothing", {}),
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as one:
        yield one


def knock(server: Served) -> None:
    for method, path, headers in KNOCKS:
        answer = httpx.request(
            method, server.address + path, headers=headers, content=b"{}" * (method == "POST")
        )
        assert answer.status_code == 401


def size(house: House) -> int:
    with house.passage.store.snapshot() as snapshot:
        return snapshot.ledger_size()


def later(house: House, milliseconds: int) -> None:
    """Let an hour pass for the count alone."""
    passage, clock = house.passage, house.passage.clock
    house.strangers._passage = replace(passage, clock=lambda: Instant(clock() + milliseconds))


def system_trace(house: House) -> list[Body]:
    with house.passage.store.snapshot() as snapshot:
        record = house.passage.resolve(snapshot, SYSTEM)[0].record
        keys = TraceKeys(house.custody.year_keys(record))
        found = follow(snapshot, record, keys.trail, list(keys.years.values()), list(Chain))
    return [one.body for one in found if one.body.event.interaction is Interaction.STRANGERS]


@pytest.mark.capability("0-17", "refuses")
def test_a_knock_leaves_no_entry_and_its_count_leaves_one(server: Served) -> None:
    house = server.house
    before = size(house)
    for _ in range(3):
        knock(server)
    assert house.strangers.all == 3 * len(KNOCKS)
    assert house.strangers.tell() == 0
    assert size(house) == before
    later(house, HOUR)
    assert house.strangers.tell() == 3 * len(KNOCKS)
    assert house.strangers.tell() == 0
    assert size(house) == before + 1
    event = system_trace(house)[-1].event
    assert (event.count, event.kind, event.until - event.t >= HOUR) == (3 * len(KNOCKS), Kind.SYSTEM, True)


def test_the_entry_says_a_number_and_nothing_about_anybody(server: Served) -> None:
    knock(server)
    assert server.house.strangers.tell(ending=True) == len(KNOCKS)
    event = system_trace(server.house)[-1].event
    said = {name for name in event.__struct_fields__ if getattr(event, name)}
    assert said == {"t", "until", "request", "interaction", "decision", "rule", "count"}


def test_an_hour_without_strangers_says_nothing(server: Served) -> None:
    before = size(server.house)
    later(server.house, 5 * HOUR)
    assert server.house.strangers.tell() == 0
    assert server.house.strangers.tell(ending=True) == 0
    assert size(server.house) == before


def test_a_count_that_cannot_be_told_is_told_later(server: Served) -> None:
    knock(server)
    later(server.house, HOUR)
    server.installation.custody.kill()
    with pytest.raises(CustodyError):
        server.house.strangers.tell()
    server.installation.restart_custody()
    knock(server)
    assert server.house.strangers.tell() == 2 * len(KNOCKS)


def test_a_wrong_code_never_reaches_the_writer(server: Served) -> None:
    """A write for each guess would let a stranger keep the one writer busy."""
    house, log = watched(server.house)
    good = server.app.state.open
    server.app.state.open = lambda: house
    try:
        knock(server)
    finally:
        server.app.state.open = good
    assert [call for call in log if call.startswith(("submit", "append"))] == []


def test_the_officer_sees_how_many_and_the_signed_in_are_no_strangers(server: Served) -> None:
    page = server.browser()
    page.get(server.code(server.installation.staff("officer"), "/officer"))
    server.staff("unrelated-doctor").get(f"Patient/{server.record()}")
    assert "aucune demande sans session valide" in page.get("/officer").text
    knock(server)
    assert f"{len(KNOCKS)} demande" in page.get("/officer").text

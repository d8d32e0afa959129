"""Custody away: what is hidden, what is not opened lately and what does not exist all read the same.

While custody is there they cost it the same too: a thief who watches its counters, or the clock, learns
from a refusal neither that an id exists nor that somebody has opened the record today.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from serment.errors import CustodyError, LockedError, NotFoundError, SermentError, TooManyError
from serment.fhir.query import parse
from serment.model import Act, EmergencyReason, PatientId
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.care.explaining import Explaining
from serment.record.house import House
from serment.record.pages.overview import overview
from serment.record.passage import DECOY, DIRECTORY, REFUSALS, Keyring
from tests.attacks.watching import watched
from tests.installation import Installation, installation, run

WALKS = (
    *("read", "vread", "history", "explain", "view", "trail", "search", "binary", "old binary"),
    *("update", "delete", "create", "declare", "confirm", "oppose", "batch"),
    *("chart", "urgent"),
)


@dataclass(frozen=True, slots=True)
class Town:
    """Three ids for a doctor without any relation: opened lately by others, opened by nobody, of nobody."""

    made: Installation
    opened: tuple[str, str, str]
    closed: tuple[str, str, str]
    unknown: tuple[str, str, str]

    def forget(self, keep: str) -> None:
        """Let the server hold the keys of one record and of the installation's own, as on a quiet morning."""
        passage = self.made.house.passage
        fresh = replace(passage, keyring=Keyring(passage.keyring.custody))
        self.made.house = House.of(fresh, self.made.house.custody, self.made.house.kind, self.made.house.base)
        self.made.store.house = self.made.house
        asking = self.made.as_patient()
        with fresh.store.snapshot() as snapshot:
            for reference in (f"Patient/{keep}", DECOY, DIRECTORY):
                fresh.view(snapshot, asking, fresh.resolve(snapshot, reference)[0].record)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with installation(tmp_path) as made:
        yield town_of(made)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with installation(tmp_path_factory.mktemp("quiet")) as made:
        yield town_of(made)


def town_of(made: Installation) -> Town:
    unknown = str(uuid.UUID(int=0x4000_8000_0000_0000_0000))
    return Town(
        made,
        (made.record(), made.item("maskable"), binary(made, "patient")),
        (
            made.record("adolescent"),
            made.item(next(iter(made.patient("adolescent").items)), "adolescent"),
            binary(made, "adolescent"),
        ),
        (unknown, f"DocumentReference/{unknown}", unknown),
    )


def binary(made: Installation, role: str) -> str:
    """Deposit a scan as the attending physician, and give its id."""
    sent = {
        "resourceType": "Binary",
        "contentType": "application/pdf",
        "securityContext": {"reference": f"Patient/{made.record(role)}"},
        "data": base64.b64encode(b"%PDF-1.4 scan").decode(),
    }
    asking = made.store.asking(made.patient(role).attending.actor())
    return run(made.house.writing.create(asking, incoming.read(json.dumps(sent).encode()))).id


def outsider(town: Town) -> Asking:
    return town.made.as_staff("unrelated-doctor")


async def walked(house: House, walk: str, asking: Asking, patient: str, item: str, scan: str) -> object:
    type_, _, id_ = item.partition("/")
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
    }
    ways: dict[str, Callable[[], Any]] = {
        "read": lambda: house.reading.read(asking, type_, id_),
        "vread": lambda: house.reading.vread(asking, type_, id_, 1),
        "history": lambda: house.reading.history(asking, type_, id_),
        "explain": lambda: Explaining(house.passage).explain(asking, item, Act.READ),
        "view": lambda: house.showing.first_view(asking, patient),
        "chart": lambda: house.charting.page(asking, patient, overview(asking.actor.id, 1)),
        "urgent": lambda: house.urgent.begin(asking, PatientId(patient), [EmergencyReason.LIFE_THREAT]),
        "trail": lambda: house.proving.trail(asking, patient),
        "search": lambda: house.finding.search(
            asking, parse("Observation", [("patient", f"Patient/{patient}")])
        ),
        "update": lambda: house.writing.update(
            asking, incoming.read(json.dumps({**resource, "id": id_}).encode()), id_, 1
        ),
        "delete": lambda: house.writing.delete(asking, type_, id_),
        "create": lambda: house.writing.create(asking, incoming.read(json.dumps(resource).encode())),
        "binary": lambda: house.serving.open(asking, scan),
        "old binary": lambda: house.serving.open(asking, scan, 1),
        "declare": lambda: house.choosing.declare_act(asking, PatientId(patient), "visit-today"),
        "confirm": lambda: house.choosing.confirm_attending(asking, PatientId(patient), "99900001019"),
        "oppose": lambda: house.choosing.oppose(asking, PatientId(patient)),
        "batch": lambda: house.bundling.run(asking, _batch(item), house.base),
    }
    return await ways[walk]()


def _batch(item: str) -> bytes:
    entries = [{"request": {"method": "GET", "url": item}}] * 2
    return json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}).encode()


def said(town: Town, walk: str, asking: Asking, name: tuple[str, str, str]) -> str:
    try:
        answer = run(walked(town.made.house, walk, asking, *name))
    except SermentError as error:
        return f"{type(error).__name__} {error.status} {error}"
    return repr(answer).replace(name[0], "…").replace(name[1], "…") if walk == "batch" else "answered"


@pytest.mark.parametrize("locked", [False, True])
def test_while_custody_is_away_every_refusal_reads_as_a_record_that_cannot_be_opened_now(
    town: Town, locked: bool
) -> None:
    """An unopened record said 503 and an unknown id 404: that told which of two ids exists."""
    town.forget(keep=town.opened[0])
    town.made.custody.kill()
    if locked:
        town.made.restart_custody(unlock=False)
    expected = LockedError("custody.locked") if locked else CustodyError("custody.unreachable")
    for walk in WALKS:
        answers = [said(town, walk, outsider(town), one) for one in (town.opened, town.closed, town.unknown)]
        assert len(set(answers)) == 1, walk
        assert (expected.sentence in answers[0]) if walk == "batch" else (" 503 " in answers[0]), walk


def test_a_refusal_while_custody_is_away_never_turns_into_another_answer(town: Town) -> None:
    """However often one asks: too many refusals would be counted for some of the three only."""
    town.forget(keep=town.opened[0])
    town.made.custody.kill()
    for name in (town.opened, town.unknown):
        told = {said(town, "read", outsider(town), name) for _ in range(REFUSALS + 5)}
        assert told == {said(town, "read", outsider(town), town.closed)}


def test_who_may_see_it_still_does_while_custody_is_away(town: Town) -> None:
    town.forget(keep=town.opened[0])
    town.made.custody.kill()
    mine = town.made.as_patient()
    assert run(town.made.house.reading.read(mine, *town.opened[1].split("/"))).body
    found = run(
        town.made.house.finding.search(mine, parse("Goal", [("patient", f"Patient/{town.opened[0]}")]))
    )
    assert found.total == 0


@pytest.mark.parametrize("walk", WALKS)
def test_custody_is_asked_alike_for_what_is_hidden_unopened_and_unknown(quiet: Town, walk: str) -> None:
    spent: list[int] = []
    for name in (quiet.opened, quiet.closed, quiet.unknown):
        quiet.forget(keep=quiet.opened[0])
        before = quiet.made.house.custody.state().unwrapped
        said(quiet, walk, outsider(quiet), name)
        spent.append(quiet.made.house.custody.state().unwrapped - before)
    assert len(set(spent)) == 1
    assert spent[0] == (2 if walk == "batch" else 1)


@pytest.mark.parametrize("walk", [walk for walk in WALKS if walk != "batch"])
def test_unopened_and_unknown_leave_the_same_statements_openings_and_appends(quiet: Town, walk: str) -> None:
    told: list[Counter[str]] = []
    for name in (quiet.opened, quiet.closed, quiet.unknown):
        quiet.forget(keep=quiet.opened[0])
        house, log = watched(quiet.made.house)
        with suppress(SermentError):
            run(walked(house, walk, outsider(quiet), *name))
        told.append(Counter(log))
    assert told[0] == told[2]
    assert told[1] == told[2]


def test_a_guesser_does_not_spend_the_budget_of_custody(quiet: Town) -> None:
    """Once too often refused, a guess asks custody for no key."""
    run_out = quiet.made.as_staff("pharmacist")
    for _ in range(REFUSALS):
        with pytest.raises(NotFoundError):
            run(quiet.made.house.reading.read(run_out, "Observation", "guess"))
    before = quiet.made.house.custody.state().unwrapped
    for name in (quiet.opened, quiet.unknown):
        with pytest.raises(TooManyError):
            run(walked(quiet.made.house, "read", quiet.made.as_staff("pharmacist"), *name))
    assert quiet.made.house.custody.state().unwrapped == before

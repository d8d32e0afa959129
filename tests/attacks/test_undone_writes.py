"""A write that is undone on purpose: what its error tells of what it met is traced all the same.

One entry that cannot succeed turns a transaction into a question: did the condition meet somebody, does this
item stand, may I write here? Nothing is written, and the answer is in which entry is blamed.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from serment.ledger.entry import Event, Interaction
from tests.doors.samples import Json, bundle, consent, entry, weight
from tests.doors.served import Served, served
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("undone")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def told(server: Served) -> list[Event]:
    """Give the patient's own list, newest first, without the lines of looking at it."""
    asking = server.installation.as_patient()
    events = [body.event for body in run(server.house.proving.trail(asking, server.record()))]
    return [event for event in events if event.interaction is not Interaction.TRACE_READ]


def lines(events: list[Event], before: list[Event]) -> list[tuple[str, str, str]]:
    new = events[: len(events) - len(before)]
    return [(event.interaction.value, event.decision.value, event.rule) for event in new]


def transaction(client: httpx.Client, server: Served, *entries: Json) -> httpx.Response:
    return client.post(f"{server.address}/fhir", json=bundle(*entries))


def stale(server: Served) -> Json:
    """Make an entry that cannot succeed: the item stands and its version has moved on."""
    made = server.staff("attending").post("Observation", json=weight(server.record())).json()
    return entry(made, "PUT", f"Observation/{made['id']}", ifMatch='W/"7"')


def gone(server: Served) -> Json:
    made = server.staff("attending").post("Observation", json=weight(server.record())).json()
    server.staff("attending").delete(f"Observation/{made['id']}")
    return entry(made, "PUT", f"Observation/{made['id']}", ifMatch='W/"2"')


def conditional(server: Served, kilograms: float) -> Json:
    system = "urn:test"
    identified = weight(server.record(), kilograms, identifier=[{"system": system, "value": f"{kilograms}"}])
    condition = f"patient={server.record()}&identifier={system}|{kilograms}"
    return entry(identified, ifNoneExist=condition)


def test_a_condition_that_was_met_in_an_undone_transaction_is_told(server: Served) -> None:
    doctor = server.staff("team-doctor")
    assert transaction(server.staff("attending"), server, conditional(server, 61.5)).status_code == 200
    failing, before = stale(server), told(server)
    answer = transaction(doctor, server, conditional(server, 61.5), failing)
    assert answer.status_code == 412
    assert lines(told(server), before) == [
        ("update", "denial", "T1.undone"),
        ("search", "permit", "G6.team"),
    ]


@pytest.mark.parametrize(("failing", "status"), [(stale, 412), (gone, 410)])
def test_a_version_that_has_moved_on_or_gone_is_told(server: Served, failing: object, status: int) -> None:
    assert callable(failing)
    sent, before = failing(server), told(server)
    answer = transaction(server.staff("team-doctor"), server, sent)
    assert answer.status_code == status
    assert lines(told(server), before) == [("update", "denial", "T1.undone")]


@pytest.mark.parametrize("method", ["put", "delete"])
def test_one_write_over_an_old_version_is_told(server: Served, method: str) -> None:
    doctor = server.staff("team-doctor")
    made = server.staff("attending").post("Observation", json=weight(server.record())).json()
    before, old = told(server), {"if-match": 'W/"9"'}
    address = f"Observation/{made['id']}"
    sent = {"json": made} if method == "put" else {}
    answer = doctor.request(method, address, headers=old, **sent)
    assert answer.status_code == 412
    said = "update" if method == "put" else "delete"
    assert lines(told(server), before) == [(said, "denial", "T1.undone")]


def test_having_been_able_to_write_is_told_though_nothing_was_written(server: Served) -> None:
    doctor, before = server.staff("team-doctor"), told(server)
    fails = entry(None, "DELETE", f"Observation/{UNKNOWN}")
    answer = transaction(doctor, server, entry(weight(server.record())), fails)
    assert answer.status_code == 404
    assert lines(told(server), before) == []  # a deletion comes first: nothing was tried here
    masks = [{"meaning": "instance", "reference": {"reference": f"Observation/{UNKNOWN}"}}]
    answer = transaction(
        doctor, server, entry(weight(server.record())), entry(consent(server.record(), data=masks))
    )
    assert answer.status_code == 404
    assert lines(told(server), before)[-1] == ("create", "denial", "T1.undone")


def test_the_undoing_of_what_an_adolescent_keeps_is_not_told_to_the_parents(server: Served) -> None:
    """The line goes to the chain of the item that was met, as every line about it does."""
    made = server.installation
    type_, _, id_ = made.item("secret-encounter", "adolescent").partition("/")
    doctor = server.staff("attending")
    seen = doctor.get(f"{type_}/{id_}")
    assert seen.status_code == 200, seen.text
    patient = made.record("adolescent")
    before = run(made.house.proving.trail(made.as_patient("adolescent"), patient))
    answer = doctor.put(f"{type_}/{id_}", json=seen.json(), headers={"if-match": 'W/"99"'})
    assert answer.status_code == 412
    after = run(made.house.proving.trail(made.as_patient("adolescent"), patient))
    new = [body for body in after[: len(after) - len(before)] if body.event.rule == "T1.undone"]
    assert [body.chain.value for body in new] == ["protected"]


def test_what_cannot_be_seen_is_refused_alike_with_and_without_it(server: Served) -> None:
    """The number of lines of the ledger behind an undone transaction does not tell hidden from unknown."""
    stranger, grown = server.staff("unrelated-doctor"), []
    hidden = server.staff("attending").post("Observation", json=weight(server.record())).json()["id"]
    for id_ in (hidden, UNKNOWN):
        before, sent = size(server), weight(server.record()) | {"id": id_}
        answer = transaction(stranger, server, entry(sent, "PUT", f"Observation/{id_}", ifMatch='W/"1"'))
        assert answer.status_code == 404
        grown.append(size(server) - before)
    assert grown[0] == grown[1]


def size(server: Served) -> int:
    with server.house.passage.store.snapshot() as snapshot:
        return snapshot.ledger_size()

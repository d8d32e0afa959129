"""Requests that come twice with one `Idempotency-Key`: one write, one outcome, on both stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from serment.errors import ConflictError, IntegrityError
from serment.model import Instant
from serment.record import retrying
from serment.record.asking import Asking, Retry
from serment.record.passage import Passage
from serment.record.write import Written
from serment.store.contract import Transaction
from tests.doors.samples import Json, bundle, entry, person, weight
from tests.doors.served import Served, sentence, served
from tests.doors.test_binary import document

PATCH = "application/json-patch+json"
FIRST = {"op": "test", "path": "/valueQuantity/value", "value": 70.5}
HEAVIER = {"op": "replace", "path": "/valueQuantity/value", "value": 80}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("retries"), store=request.param) as made:
        yield made


@pytest.fixture
def server(running: Served) -> Iterator[Served]:
    yield running
    running.hang_up()


def key(**more: str) -> dict[str, str]:
    return {"idempotency-key": f'"{uuid4()}"', **more}


def size(server: Served) -> int:
    with server.house.passage.store.snapshot() as view:
        return view.ledger_size()


def twice(server: Served, client: httpx.Client, method: str, url: str, **sent: Any) -> httpx.Response:
    """Ask the same twice: the second writes nothing, traces nothing and answers the same."""
    once = client.request(method, url, **sent)
    before = size(server)
    again = client.request(method, url, **sent)
    assert (again.status_code, again.content) == (once.status_code, once.content)
    for name in ("location", "etag", "last-modified"):
        assert again.headers.get(name) == once.headers.get(name)
    assert size(server) - before == 0
    return once


def made(server: Served) -> str:
    answer = server.staff("team-doctor").post("Observation", json=weight(server.record()))
    return str(answer.json()["id"])


def versions(server: Served, id_: str) -> int:
    total: int = server.staff("team-doctor").get(f"Observation/{id_}/_history").json()["total"]
    return total


def test_a_creation_that_comes_twice_makes_one_item(server: Served) -> None:
    name = f"urn:test|{uuid4()}"
    doctor = server.staff("team-doctor")
    sent = weight(server.record(), identifier=[{"system": "urn:test", "value": name[9:]}])
    assert twice(server, doctor, "POST", "Observation", json=sent, headers=key()).status_code == 201
    found = doctor.get("Observation", params={"patient": server.record(), "identifier": name})
    assert found.json()["total"] == 1


def test_an_update_and_a_deletion_that_come_twice_make_one_version_each(server: Served) -> None:
    id_, doctor = made(server), server.staff("team-doctor")
    sent = weight(server.record(), 71.0, id=id_)
    named = key(**{"if-match": 'W/"1"'})
    assert twice(server, doctor, "PUT", f"Observation/{id_}", json=sent, headers=named).status_code == 200
    gone = twice(server, doctor, "DELETE", f"Observation/{id_}", headers=key())
    assert gone.status_code == 200
    assert versions(server, id_) == 3


@pytest.mark.parametrize("since", ["changed", "deleted"])
def test_a_creation_that_met_an_item_says_the_same_once_that_is_another(server: Served, since: str) -> None:
    """The body is of the version that its ETag says, whatever became of the item."""
    doctor, name = server.staff("team-doctor"), str(uuid4())
    sent = weight(server.record(), identifier=[{"system": "urn:test", "value": name}])
    there = doctor.post("Observation", json=sent).json()
    named = key(**{"if-none-exist": f"patient={server.record()}&identifier=urn:test|{name}"})
    once = doctor.post("Observation", json=sent, headers=named)
    assert (once.status_code, once.json()) == (200, there)
    address = f"Observation/{there['id']}"
    if since == "deleted":
        doctor.delete(address)
    else:
        doctor.put(address, json=there | {"status": "amended"}, headers={"if-match": 'W/"1"'})
    again = doctor.post("Observation", json=sent, headers=named)
    assert (again.status_code, again.json()) == (200, there)
    assert again.headers["etag"] == once.headers["etag"]


def test_a_patch_that_comes_twice_is_done_once(server: Served) -> None:
    """Its test would fail on what it made: the retry is not a patch of the patched item."""
    id_, doctor = made(server), server.staff("team-doctor")
    named = key(**{"content-type": PATCH})
    body = json.dumps([FIRST, HEAVIER])
    once = doctor.patch(f"Observation/{id_}", content=body, headers=named)
    again = doctor.patch(f"Observation/{id_}", content=body, headers=named)
    assert (again.status_code, again.content) == (once.status_code, once.content) == (200, once.content)
    assert versions(server, id_) == 2


def test_criteria_that_come_twice_are_asked_once(server: Served) -> None:
    doctor, name = server.staff("team-doctor"), str(uuid4())
    mark = {"identifier": [{"system": "urn:test", "value": name}]}
    url = f"Observation?patient={server.record()}&identifier=urn:test|{name}"
    sent = weight(server.record(), 60.0, **mark)
    assert twice(server, doctor, "PUT", url, json=sent, headers=key()).status_code == 201
    assert twice(server, doctor, "PUT", url, json={**sent, "status": "amended"}, headers=key()).is_success
    patched = key(**{"content-type": PATCH})
    body = json.dumps([HEAVIER])
    first, second = (doctor.patch(url, content=body, headers=patched) for _ in range(2))
    assert first.headers["etag"] == second.headers["etag"] == 'W/"3"'
    assert twice(server, doctor, "DELETE", url, headers=key()).headers["etag"] == 'W/"4"'


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_bundle_that_comes_twice_is_done_once(server: Served, kind: str) -> None:
    id_, doctor = made(server), server.staff("attending")
    change = entry(weight(server.record(), 66.0, id=id_), "PUT", f"Observation/{id_}", ifMatch='W/"1"')
    sent = {**bundle(entry(person(f"Quart{kind}")), change, entry(weight(server.record()))), "type": kind}
    answer = twice(server, doctor, "POST", "", json=sent, headers=key())
    assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == ["201", "200", "201"]
    assert versions(server, id_) == 2


def test_an_entry_of_a_batch_that_failed_is_tried_again_and_the_others_are_not(server: Served) -> None:
    id_, doctor, named = made(server), server.staff("team-doctor"), key()
    late = entry(weight(server.record(), 66.0, id=id_), "PUT", f"Observation/{id_}", ifMatch='W/"2"')
    sent = {**bundle(entry(weight(server.record())), late), "type": "batch"}
    once = doctor.post("", json=sent, headers=named).json()["entry"]
    assert once[1]["response"]["status"][:3] == "412"
    doctor.put(f"Observation/{id_}", json=weight(server.record(), id=id_), headers={"if-match": 'W/"1"'})
    again = doctor.post("", json=sent, headers=named).json()["entry"]
    assert again[0]["response"]["location"] == once[0]["response"]["location"]
    assert again[1]["response"]["status"][:3] == "200"


def test_a_document_that_is_sent_twice_stands_once(server: Served) -> None:
    doctor = server.staff("team-doctor")
    context = f"DocumentReference/{document(doctor, server.record())}"
    sent = {"content-type": "text/plain", "x-security-context": context}
    named = key(**sent)
    answer = twice(server, doctor, "POST", "Binary", content=b"note " * 20_000, headers=named)
    assert answer.status_code == 201, answer.text
    other = doctor.post("Binary", content=b"other " * 20_000, headers=named)
    assert (other.status_code, sentence(other)) == (422, "record.retry-reused")
    id_ = answer.headers["location"].split("/")[-3]
    change = key(**sent, **{"if-match": 'W/"1"'})
    new = twice(server, doctor, "PUT", f"Binary/{id_}", content=b"again " * 20_000, headers=change)
    assert new.headers["etag"] == 'W/"2"'


@pytest.mark.parametrize("what", ["body", "method", "address", "condition", "purpose"])
def test_a_key_that_did_something_else_is_refused(server: Served, what: str) -> None:
    doctor, named = server.staff("team-doctor"), key()
    sent: Json = weight(server.record())
    id_ = str(doctor.post("Observation", json=sent, headers=named).json()["id"])
    before = size(server)
    second = {
        "body": lambda: doctor.post("Observation", json={**sent, "status": "amended"}, headers=named),
        "method": lambda: doctor.delete(f"Observation/{id_}", headers=named),
        "address": lambda: doctor.post("Observation?_pretty=true", json=sent, headers=named),
        "condition": lambda: doctor.post(
            "Observation", json=sent, headers={**named, "if-none-exist": "identifier=urn:test|none"}
        ),
        "purpose": lambda: doctor.post("Observation", json=sent, headers={**named, "serment-purpose": "COC"}),
    }[what]()
    assert (second.status_code, sentence(second)) == (422, "record.retry-reused")
    assert size(server) == before


def test_two_people_may_choose_the_same_key(server: Served) -> None:
    named, sent = key(), weight(server.record())
    mine = server.staff("team-doctor").post("Observation", json=sent, headers=named)
    theirs = server.staff("attending").post("Observation", json=sent, headers=named)
    assert mine.status_code == theirs.status_code == 201
    assert mine.headers["location"] != theirs.headers["location"]


def test_what_was_refused_is_asked_anew(server: Served) -> None:
    doctor, named = server.staff("team-doctor"), key(**{"if-match": 'W/"1"'})
    sent = weight(server.record(), id=UNKNOWN)
    first, second = (
        doctor.put(f"Observation/{UNKNOWN}", json=sent, headers=named).status_code for _ in range(2)
    )
    assert first == second == 404


@pytest.mark.parametrize("said", ['""', '"', "a b", '"é"', "x" * 129, '"a', 'a"', '"a\\"'])
def test_a_key_that_cannot_be_read_is_refused(server: Served, said: str) -> None:
    headers = [(b"idempotency-key", said.encode())]
    answer = server.staff("team-doctor").post("Observation", json=weight(server.record()), headers=headers)
    assert (answer.status_code, sentence(answer)) == (400, "api.malformed-key")


def test_two_keys_are_refused(server: Served) -> None:
    headers = [("idempotency-key", "one"), ("idempotency-key", "two")]
    answer = server.staff("team-doctor").post("Observation", json=weight(server.record()), headers=headers)
    assert (answer.status_code, sentence(answer)) == (400, "api.malformed-key")


def test_twenty_at_once_make_one_item_and_each_hears_of_it_or_of_the_one_under_way(server: Served) -> None:
    sent, named = weight(server.record()), key()
    calls = [server.staff("team-doctor") for _ in range(20)]
    with ThreadPoolExecutor(20) as together:
        answers = list(together.map(lambda call: call.post("Observation", json=sent, headers=named), calls))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.headers["location"] for answer in answers if answer.status_code == 201}) == 1
    busy = [sentence(answer) for answer in answers if answer.status_code == 409]
    assert set(busy) <= {"record.retry-in-flight"}


def test_a_second_request_with_the_same_key_waits_outside(server: Served) -> None:
    asking = replace(server.installation.as_staff("team-doctor"), retry=Retry(b"token", b"digest"))
    door = server.house.retrying
    with door.alone(asking), pytest.raises(ConflictError), door.alone(asking):
        pass
    with door.alone(asking):
        pass


def test_after_a_day_a_key_is_new_and_what_it_did_is_forgotten(server: Served) -> None:
    passage = server.house.passage
    doctor, named, sent = server.staff("team-doctor"), key(), weight(server.record())
    one = doctor.post("Observation", json=sent, headers=named)
    later = Instant(passage.clock() + (retrying.KEPT_HOURS + 2) * retrying.HOUR_MS)
    asking = replace(server.installation.as_staff("team-doctor"), now=later)
    token = passage.installation.retry_token(asking.actor.id, named["idempotency-key"].strip('"'))
    assert row(passage, token) is not None
    late = replace(asking, retry=Retry(token, b"of something else"))
    with passage.store.snapshot() as view:
        retrying.check(passage, view, late)
    outcome = {0: Written("Observation", "a", 1, 1, created=True)}
    for place in range(40):
        keeper = replace(asking, retry=Retry(b"%d" % place, b"digest"))
        passage.store.submit(partial(_kept, passage, keeper, outcome)).result()
    assert row(passage, token) is None
    assert one.status_code == 201


def test_a_row_of_another_key_answers_no_retry(server: Served) -> None:
    """A sealed row that was put under another token, or flipped, does not open."""
    passage, doctor, sent = server.house.passage, server.staff("team-doctor"), weight(server.record())
    named, other = key(), key()
    for each in (named, other):
        doctor.post("Observation", json=sent, headers=each)
    actor = server.installation.staff("team-doctor").id
    mine, theirs = (
        passage.installation.retry_token(actor, each["idempotency-key"].strip('"')) for each in (named, other)
    )
    sealed = row(passage, theirs)
    assert sealed is not None

    def swap(txn: Transaction) -> None:
        txn.put_retry(mine, 1 << 20, sealed)
        txn.put_retry(theirs, 1 << 20, sealed[:-1] + bytes([sealed[-1] ^ 1]))

    passage.store.submit(swap).result()
    for each in (named, other):
        answer = doctor.post("Observation", json=sent, headers=each)
        assert answer.status_code == IntegrityError.status
        assert "location" not in answer.headers


def test_nothing_of_a_request_can_be_read_in_its_row(server: Served) -> None:
    doctor, named = server.staff("team-doctor"), key()
    id_ = str(doctor.post("Observation", json=weight(server.record()), headers=named).json()["id"])
    passage = server.house.passage
    said = named["idempotency-key"].strip('"')
    token = passage.installation.retry_token(server.installation.staff("team-doctor").id, said)
    sealed = row(passage, token)
    assert sealed is not None
    assert not any(part.encode() in token + sealed for part in (said, id_, "Observation", "rpps"))


def _kept(passage: Passage, asking: Asking, outcome: dict[int, Written], txn: Transaction) -> None:
    retrying.keep(passage, txn, asking, outcome)


def row(passage: Passage, token: bytes) -> bytes | None:
    with passage.store.snapshot() as view:
        return view.retry(token)

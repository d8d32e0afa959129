"""Subscriptions over HTTP: who is told what, and that nobody else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from serment.app import carrier
from serment.fhir.dates import instant_text
from serment.ledger.entry import Interaction
from serment.ledger.sentences import lines as told
from serment.model import Instant
from serment.people.accounts import Exercise
from serment.people.people import People
from serment.record import trace
from serment.record.alarms import INTEGRITY
from serment.record.pen import Pen
from serment.record.subscriptions import addresses, outbox
from serment.record.subscriptions.notifying import Notifying
from serment.record.subscriptions.subscribers import lines, with_lines
from serment.words import Language
from tests.doors.samples import WEIGHT, Json, weight
from tests.doors.served import Served, sentence
from tests.fakes.receiver import DOWN, Receiver, receiver
from tests.installation import run

HOUR = 3_600_000
NOBODY = "00000000-0000-4000-8000-000000000000"


def subscription(patient: str, endpoint: str, asked: str = f"code={WEIGHT}", **more: Any) -> Json:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "suivi",
        "criteria": f"Observation?patient={patient}&{asked}",
        "channel": {"type": "rest-hook", "endpoint": endpoint},
        **more,
    }


@pytest.fixture
def hook(server: Served) -> Iterator[Receiver]:
    """A receiver whose address is registered as long as the test lasts."""
    passage = server.house.passage
    with receiver() as made:
        addresses.register(passage, "hook", made.url, "FR", private=True)
        yield made
        addresses.remove(passage, "hook")


def turn(server: Served, later: int = 0) -> int:
    """Tell what waits, `later` ms from now."""
    passage = server.house.passage
    at = Instant(passage.clock() + later)
    return Notifying(replace(passage, clock=lambda: at)).turn(carrier())


def asked(server: Served, hook: Receiver, role: str = "team-doctor", **more: Any) -> Json:
    answer = server.staff(role).post("Subscription", json=subscription(server.record(), hook.url, **more))
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def writes(server: Served, **more: Any) -> Json:
    answer = server.staff("attending").post("Observation", json=weight(server.record(), **more))
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def test_who_asked_is_told_an_id_and_reads_by_the_front_door(server: Served, hook: Receiver) -> None:
    made = asked(server, hook)
    assert (made["status"], made["channel"]["endpoint"]) == ("active", hook.url)
    assert turn(server) == 0
    item = writes(server)
    assert turn(server) == 1
    (sent,) = hook.received
    assert sent.startswith(b"POST /hook HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n"), "no body"
    assert hook.headers()["serment-subscription"] == made["id"]
    assert server.record().encode() not in sent
    assert item["id"].encode() not in sent
    assert turn(server, HOUR) == 0, "told once"
    server.staff("team-doctor").delete(f"Subscription/{made['id']}")


def test_the_secret_of_the_registration_goes_along(server: Served) -> None:
    passage = server.house.passage
    with receiver() as made:
        secret = addresses.register(passage, "told-once", made.url, "FR", private=True)
        own = asked(server, made)
        writes(server)
        assert turn(server) == 1
        assert made.headers()["authorization"] == f"Bearer {secret}"
        assert secret not in repr(addresses.listed(passage))
        server.staff("team-doctor").delete(f"Subscription/{own['id']}")
        addresses.remove(passage, "told-once")


def test_one_reads_lists_rests_wakes_and_ends_ones_own(server: Served, hook: Receiver) -> None:
    doctor = server.staff("team-doctor")
    made = asked(server, hook)
    address, tag = f"Subscription/{made['id']}", {"if-match": 'W/"1"'}
    assert doctor.get(address).json() == made
    assert doctor.get(address).headers["etag"] == 'W/"1"'
    assert made["id"] in {one["resource"]["id"] for one in doctor.get("Subscription").json()["entry"]}
    resting = doctor.put(address, json={**made, "status": "off"}, headers=tag)
    assert (resting.status_code, resting.json()["status"]) == (200, "off")
    writes(server)
    assert turn(server) == 0
    assert doctor.put(address, json={**made, "status": "active"}, headers=tag).status_code == 412
    awake = doctor.put(address, json={**made, "status": "active"}, headers={"if-match": 'W/"2"'})
    assert awake.json()["status"] == "active"
    writes(server)
    assert turn(server) == 1
    assert doctor.delete(address).status_code == 200
    assert doctor.get(address).status_code == 404
    writes(server)
    assert turn(server, HOUR) == 0


def test_news_that_wait_outlast_a_change_of_the_subscription(server: Served, hook: Receiver) -> None:
    doctor, made = server.staff("team-doctor"), asked(server, hook)
    writes(server)
    longer = {**made, "end": instant_text(server.house.passage.clock() + 48 * HOUR)}
    tag = {"if-match": 'W/"1"'}
    assert doctor.put(f"Subscription/{made['id']}", json=longer, headers=tag).status_code == 200
    assert turn(server) == 1
    doctor.delete(f"Subscription/{made['id']}")


def test_criteria_that_this_serment_knows_no_more_stop_no_write_and_no_turn(
    server: Served, hook: Receiver
) -> None:
    made, asking = asked(server, hook), server.installation.as_staff("attending")
    writes(server)
    owner = f"Patient/{server.record()}"

    def older(pen: Pen) -> None:
        """Write the line as a Serment did that had a search parameter more."""
        draft = pen.draft(pen.passage.resolve(pen.txn, owner)[0].record)
        facts = draft.view.facts
        kept = [msgspec.structs.replace(one, pairs=(*one.pairs, ("once-known", "x"))) for one in lines(facts)]
        draft.facts = with_lines(facts, kept)
        pen.did(draft, Interaction.UPDATE, trace.of_facts("test"))

    run(server.house.writing.run(asking, [owner], older))
    assert turn(server) == 0
    writes(server)
    assert turn(server, HOUR) == 0
    server.staff("team-doctor").delete(f"Subscription/{made['id']}")


@pytest.mark.capability("1-15", "refuses")
def test_whoever_has_left_is_told_nothing_more(server: Served, hook: Receiver) -> None:
    made, staff = asked(server, hook), People.of(server.house).staff
    doctor, asking = server.installation.staff("team-doctor"), server.installation.as_staff("officer")
    role = Exercise(
        "", doctor.id, "professional", doctor.function, doctor.profession, structure=doctor.structure
    )
    account = staff.enrol(asking, doctor.name, "leaver", [role])
    staff.leave(asking, account.id, asking.now)
    writes(server)
    passage = server.house.passage
    later = Instant(passage.clock() + HOUR)
    messenger = Notifying(replace(passage, clock=lambda: later))
    assert messenger.turn(carrier(), acts=staff.acts) == 0
    assert hook.received == []
    staff.come_back(asking, account.id)
    writes(server)
    back = Notifying(replace(passage, clock=lambda: Instant(later + HOUR)))
    assert back.turn(carrier(), acts=staff.acts) == 1
    server.staff("team-doctor").delete(f"Subscription/{made['id']}")


def test_it_ends_by_itself_within_a_month(server: Served, hook: Receiver) -> None:
    far = asked(server, hook, end="2999-01-01T00:00:00Z")
    assert far["end"] < "2999"
    past = subscription(server.record(), hook.url, end="2020-01-01T00:00:00Z")
    answer = server.staff("team-doctor").post("Subscription", json=past)
    assert (answer.status_code, sentence(answer)) == (422, "subscribing.over")
    writes(server)
    assert turn(server, 32 * 24 * HOUR) == 0
    assert hook.received == []
    server.staff("team-doctor").delete(f"Subscription/{far['id']}")


def test_what_does_not_meet_the_criteria_is_not_told(server: Served, hook: Receiver) -> None:
    made = asked(server, hook)
    writes(server, code={"coding": [{"system": "http://loinc.org", "code": "8867-4"}]})
    assert turn(server) == 0
    server.staff("team-doctor").delete(f"Subscription/{made['id']}")


def test_an_update_and_a_bundle_are_told_too(server: Served, hook: Receiver) -> None:
    made, item = asked(server, hook), writes(server)
    assert turn(server) == 1
    item["valueQuantity"]["value"] = 71
    doctor = server.staff("attending")
    assert doctor.put(f"Observation/{item['id']}", json=item, headers={"if-match": 'W/"1"'}).is_success
    assert turn(server, HOUR) == 1
    entry = {"resource": weight(server.record()), "request": {"method": "POST", "url": "Observation"}}
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}
    assert doctor.post("", json=sent).is_success
    assert turn(server, 2 * HOUR) == 1
    server.staff("team-doctor").delete(f"Subscription/{made['id']}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"criteria": "Observation?code=1"}, "subscribing.criteria"),
        ({"criteria": "Observation?patient=1&patient=2"}, "subscribing.criteria"),
        ({"criteria": "Observation?patient=1&_include=Observation:performer"}, "subscribing.criteria"),
        ({"criteria": "Observation?patient=1&performer:Practitioner.name=x"}, "subscribing.criteria"),
        ({"criteria": "Observation?patient=1&_has:Provenance:target:agent=1"}, "subscribing.criteria"),
        ({"criteria": "Observation?patient=1&nonsense=1"}, "search.unknown-parameter"),
        ({"criteria": "Patient?_id=1"}, "subscribing.criteria"),
        ({"criteria": "Practitioner?name=x"}, "subscribing.criteria"),
        ({"criteria": "AuditEvent?patient=1"}, "subscribing.criteria"),
        ({"criteria": "Subscription?status=active"}, "subscribing.criteria"),
        ({"status": "error"}, "subscribing.status"),
        ({"meta": {"security": [{"code": "R"}]}}, "subscribing.element"),
        ({"contact": [{"system": "phone", "value": "1"}]}, "subscribing.element"),
        ({"reason": "x" * 300}, "subscribing.long"),
    ],
)
def test_what_would_not_be_honoured_is_refused(
    server: Served, hook: Receiver, change: Json, said: str
) -> None:
    sent = {**subscription(server.record(), hook.url), **change}
    answer = server.staff("team-doctor").post("Subscription", json=sent)
    assert (answer.status_code, sentence(answer)) == (422, said)


@pytest.mark.parametrize(
    "channel",
    [
        {"type": "websocket"},
        {"type": "rest-hook", "extension": [{"url": "urn:x", "valueBoolean": True}]},
        {"type": "email"},
        {"type": "rest-hook", "payload": "application/fhir+json"},
        {"type": "rest-hook", "header": ["Cookie: x"]},
    ],
)
def test_no_content_and_no_header_of_the_subscribers_ever_leaves(
    server: Served, hook: Receiver, channel: Json
) -> None:
    sent = {**subscription(server.record(), hook.url), "channel": {"endpoint": hook.url, **channel}}
    answer = server.staff("team-doctor").post("Subscription", json=sent)
    assert (answer.status_code, sentence(answer)) == (422, "subscribing.channel")


def test_a_receiver_that_is_down_is_tried_again_and_then_given_up(server: Served, hook: Receiver) -> None:
    doctor, made = server.staff("team-doctor"), asked(server, hook)
    hook.says(DOWN)
    writes(server)
    later = 0
    for _ in range(outbox.MOST_TRIES):
        assert turn(server, later) == 0
        later += 2 * HOUR
    assert len(hook.received) == outbox.MOST_TRIES
    assert turn(server, later) == 0
    assert len(hook.received) == outbox.MOST_TRIES, "given up"
    shown = doctor.get(f"Subscription/{made['id']}").json()
    assert shown["status"] == "error"
    assert shown["error"]
    (listed,) = addresses.listed(server.house.passage)
    assert (listed.subscriptions, listed.waiting, listed.failed) == (1, 0, 1)
    again = {key: value for key, value in shown.items() if key != "error"} | {"status": "active"}
    hook.says(b"HTTP/1.1 200 OK\r\n\r\n")
    assert doctor.put(f"Subscription/{made['id']}", json=again, headers={"if-match": 'W/"1"'}).is_success
    writes(server)
    assert turn(server) == 1
    doctor.delete(f"Subscription/{made['id']}")


def test_the_patient_sees_where_it_went_and_for_whom(server: Served, hook: Receiver) -> None:
    made = asked(server, hook)
    writes(server)
    assert turn(server) == 1
    found = server.patient().get("AuditEvent", params={"patient": server.record(), "_count": "5"}).json()
    event = next(
        one["resource"] for one in found["entry"] if one["resource"]["subtype"][0]["code"] == "notify"
    )
    assert [one["who"]["identifier"]["value"] for one in event["agent"][2:]] == ["hook"]
    assert event["agent"][0]["who"]["display"] == server.installation.staff("team-doctor").name
    assert event["entity"][1]["what"]["reference"].startswith(f"Subscription/{made['id']}")
    assert "new in your record" in _trace(server)
    server.staff("team-doctor").delete(f"Subscription/{made['id']}")


def _trace(server: Served) -> str:
    house, asking = server.house, server.installation.as_patient()
    bodies = run(house.proving.trail(asking, asking.actor.patient or server.record()))
    return "\n".join(one.said for one in told(bodies, Language.EN))


def test_a_bundle_takes_no_subscription(server: Served, hook: Receiver) -> None:
    sent = subscription(server.record(), hook.url)
    entry = {"resource": sent, "request": {"method": "POST", "url": "Subscription"}}
    answer = server.staff("team-doctor").post(
        "", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    )
    assert answer.status_code in {400, 404, 422}


OTHER_WAYS = [
    ("GET", "Subscription/{}"),
    ("GET", "Subscription/{}/_history/1"),
    ("DELETE", "Subscription/{}"),
    ("GET", "Outbox/{}"),
    ("DELETE", "Outbox/{}"),
]


@pytest.mark.parametrize("role", ["team-doctor", "attending", "nurse"])
@pytest.mark.parametrize(("method", "url"), OTHER_WAYS)
def test_a_bundle_does_not_tell_which_subscriptions_there_are(
    server: Served, hook: Receiver, role: str, method: str, url: str
) -> None:
    made, said = asked(server, hook), set[str]()
    for id_ in (made["id"], NOBODY):
        entry = {"request": {"method": method, "url": url.format(id_)}}
        sent = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
        answer = server.staff(role).post("", json=sent)
        assert answer.json()["entry"][0]["response"]["status"] in {"400", "404"}
        said.add(answer.text)
    assert len(said) == 1
    assert INTEGRITY not in server.house.passage.alarms.rung
    server.staff("team-doctor").delete(f"Subscription/{made['id']}")


def test_nothing_that_names_a_subscription_tells_whether_it_is_there(server: Served, hook: Receiver) -> None:
    made, said = asked(server, hook), set[str]()
    for id_ in (made["id"], NOBODY):
        doctor, named = server.staff("attending"), f"Subscription/{id_}"
        agent = [{"who": {"display": "x"}}]
        about = {"target": [{"reference": named}], "recorded": "2020-01-01T00:00:00Z", "agent": agent}
        answers = [
            doctor.post("Provenance", json={"resourceType": "Provenance", **about}),
            server.patient().get(f"Patient/{server.record()}/$explain-access", params={"item": named}),
        ]
        said.add("".join(f"{one.status_code} {sentence(one)}" for one in answers))
    assert len(said) == 1
    server.staff("team-doctor").delete(f"Subscription/{made['id']}")


@pytest.mark.parametrize("header", ["if-none-exist", "idempotency-key"])
def test_a_wish_that_is_not_honoured_is_refused(server: Served, hook: Receiver, header: str) -> None:
    sent, headers = subscription(server.record(), hook.url), {header: "x=1"}
    answer = server.staff("team-doctor").post("Subscription", json=sent, headers=headers)
    assert (answer.status_code, sentence(answer)) == (400, "subscribing.no-condition")


@pytest.mark.parametrize(
    "changed",
    [
        {"channel": {"_type": {"id": "x"}, "endpoint": "https://hook.example"}},
        {"channel": {}},
        {"channel": []},
        {"_criteria": {"id": "x"}},
        {"criteria": ""},
        {"criteria": 1},
        {"end": "never"},
        {"end": "9999-12-31T23:59:59Z", "criteria": "Observation?patient=\u0000"},
        {"resourceType": "Observation"},
        {"reason": None},
    ],
)
def test_what_is_no_subscription_is_refused_and_never_a_fault(
    server: Served, hook: Receiver, changed: Json
) -> None:
    sent = {**subscription(server.record(), hook.url), **changed}
    answer = server.staff("team-doctor").post("Subscription", json=sent)
    assert answer.status_code in {400, 422}

"""Subscriptions as a way to learn, to reach inside, or to be told what nobody may say any more.

What is tried: a hook on another address or inside the network (OWASP API7, SSRF), a redirect, a name that
changes its mind, criteria that guess at what is masked, a subscriber whose access ended between the write and
the sending, another's subscription, a flood, a death in the middle, two senders at once, a spoofed receiver.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from serment.app import carrier
from serment.errors import RequestError
from serment.exits.rest_hook import RestHook, outside
from serment.fhir.subscription import asked
from serment.ledger.sentences import lines as told
from serment.model import Instant
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.subscriptions import addresses, outbox
from serment.record.subscriptions.notifying import Departure, Notifying
from serment.record.subscriptions.outbox import LEASE, Notice
from serment.words import Language
from tests.attacks.knocking import Doors, Question, plain
from tests.attacks.laboratory import ONE_OF_EACH, ROLES, Laboratory
from tests.attacks.questions import subscription
from tests.attacks.test_leak_oracles import Scene, scene
from tests.attacks.watching import watched
from tests.doors.samples import WEIGHT, weight
from tests.doors.served import Served, sentence
from tests.fakes.receiver import TAKEN, Receiver, receiver
from tests.installation import run

__all__ = ["scene"]

HOUR = 3_600_000
URL = "https://hook.example/told"
ABSENT = "00000000-0000-4000-8000-000000000000"


@dataclass(slots=True)
class Post:
    """A carrier that keeps what it was given, and says so each time."""

    carried: list[Departure] = field(default_factory=list)
    taken: bool = True

    def carry(self, departure: Departure) -> bool:
        self.carried.append(departure)
        return self.taken


class Death(BaseException):
    """The end of a process, in the middle of a sending."""


@dataclass(slots=True)
class Meanwhile:
    """A carrier during whose sending something happens."""

    happens: Callable[[], object]
    carried: list[Departure] = field(default_factory=list)

    def carry(self, departure: Departure) -> bool:
        self.carried.append(departure)
        self.happens()
        return True


def dies() -> None:
    raise Death


def later(house: House, by: int = 0) -> Notifying:
    """Look at what waits, `by` ms from now."""
    at = Instant(house.passage.clock() + by)
    return Notifying(replace(house.passage, clock=lambda: at))


def waiting(house: House, asking: Asking) -> dict[str, Notice]:
    with house.passage.store.snapshot() as snapshot:
        view = outbox.look(house.passage, snapshot, asking)
        return {one.subscription: one for one in outbox.notices(snapshot, view)}


@pytest.fixture
def registered(scene: Scene) -> Iterator[str]:
    passage = scene.server.house.passage
    addresses.register(passage, "hook", URL, "FR")
    yield URL
    addresses.remove(passage, "hook")


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Somebody of the cast who asked to be told, and the id of their subscription."""

    server: Served
    id: str
    patient: str

    def write(self) -> None:
        with self.server.staff("attending") as doctor:
            assert doctor.post("Observation", json=weight(self.patient)).is_success

    def notice(self) -> Notice:
        made = self.server.installation
        return waiting(self.server.house, made.as_staff("team-doctor"))[self.id]


@pytest.fixture
def subscribed(scene: Scene, registered: str) -> Iterator[Subscribed]:
    with scene.server.staff("team-doctor") as doctor:
        answer = doctor.post("Subscription", json=subscription(scene.patient, WEIGHT))
        assert answer.status_code == 201, answer.text
        made = Subscribed(scene.server, answer.json()["id"], scene.patient)
        yield made
        doctor.delete(f"Subscription/{made.id}")


# Where it may go.


@pytest.mark.capability("2-09", "refuses")
@pytest.mark.parametrize(
    "endpoint",
    [
        "https://hook.example/",
        "https://hook.example/told/",
        "https://hook.example/told?to=me",
        "https://hook.example:444/told",
        "http://hook.example/told",
        "https://hook.example@evil.example/told",
        "https://evil.example/told",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:8080/fhir/Patient",
        "file:///etc/passwd",
        "HTTPS://hook.example/told",
    ],
)
def test_an_address_that_is_not_the_registered_one_to_the_letter_is_refused(
    scene: Scene, registered: str, endpoint: str
) -> None:
    sent = subscription(scene.patient, WEIGHT) | {"channel": {"type": "rest-hook", "endpoint": endpoint}}
    with scene.server.staff("team-doctor") as doctor:
        answer = doctor.post("Subscription", json=sent)
    assert (answer.status_code, sentence(answer)) == (422, "subscribing.unregistered")


@pytest.mark.capability("2-09", "lets")
def test_each_destination_stands_with_its_country_and_the_basis_of_a_transfer(scene: Scene) -> None:
    passage = scene.server.house.passage
    addresses.register(passage, "lab", "https://lab.example/hook", "DE")
    addresses.register(
        passage, "study", "https://study.example/hook", "US", basis="art. 46.2.c, clauses of 2021"
    )
    found = {one.name: (one.country, one.basis) for one in addresses.listed(passage)}
    assert found == {"lab": ("DE", ""), "study": ("US", "art. 46.2.c, clauses of 2021")}
    for name in found:
        addresses.remove(passage, name)


@pytest.mark.capability("2-09", "refuses")
@pytest.mark.parametrize(
    ("url", "country", "private", "said"),
    [
        ("https://hook.example/a", "US", False, "subscribing.address-basis"),
        ("https://hook.example/a", "france", False, "subscribing.address-country"),
        ("http://hook.example/a", "FR", True, "subscribing.address-https"),
        ("http://127.0.0.1/a", "FR", False, "subscribing.address-https"),
        ("https://user@hook.example/a", "FR", False, "subscribing.address-url"),
        ("https://hook.example/a?patient=1", "FR", False, "subscribing.address-url"),
        ("https://hook.example/a#x", "FR", False, "subscribing.address-url"),
        ("https://hook.example/a\r\nX: y", "FR", False, "subscribing.address-url"),
        ("ftp://hook.example/a", "FR", False, "subscribing.address-url"),
        ("https://hook.example:99999/a", "FR", False, "subscribing.address-url"),
    ],
)
def test_what_is_no_place_to_send_to_is_not_registered(
    url: str, country: str, private: bool, said: str
) -> None:
    with pytest.raises(RequestError) as refused:
        addresses.checked("hook", url, country, "", private=private)
    assert refused.value.sentence == said


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.1", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001::1",
        "fec0::1", "192.0.0.192", "192.88.99.1", "3fff::1",
    ],
)  # fmt: skip
def test_an_address_inside_is_never_outside(address: str) -> None:
    assert not outside(address)
    assert outside("93.184.216.34")
    assert outside("2606:4700::1111")


def test_a_name_that_leads_inside_is_not_followed() -> None:
    with receiver() as inside:
        url = inside.url.replace("127.0.0.1", "localhost")
        assert not RestHook().carry(Departure(url, "s", private=False, subscription="1"))
        assert inside.received == []
        assert RestHook().carry(Departure(url, "s", private=True, subscription="1"))


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Again", b"308 Moved"])
def test_a_redirect_is_not_followed(status: bytes) -> None:
    with receiver() as inside:
        answer = b"HTTP/1.1 " + status + b"\r\nLocation: " + inside.url.encode() + b"\r\n\r\n"
        with receiver(answer) as hook:
            assert not RestHook().carry(Departure(hook.url, "s", private=True, subscription="1"))
        assert inside.received == []


@pytest.mark.parametrize(
    "answer", [b"", b"x" * 9000, b"HTTP/1.1 abc\r\n\r\n", b"\xff\xfe\r\n", b"200 OK\r\n", b"HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_answer_is_no_delivery(answer: bytes) -> None:
    with receiver(answer) as hook:
        assert not RestHook().carry(Departure(hook.url, "s", private=True, subscription="1"))


def test_a_receiver_without_the_certificate_of_its_name_gets_nothing() -> None:
    with receiver() as hook:
        url = hook.url.replace("http://", "https://")
        assert not RestHook().carry(Departure(url, "secret", private=True, subscription="1"))
        assert all(b"secret" not in sent for sent in hook.received)


# What it may tell.


def test_an_item_that_the_subscriber_may_not_read_is_neither_sent_nor_queued(
    scene: Scene, registered: str
) -> None:
    """Guessing at a masked code: a subscription for each guess would be an oracle."""
    masked = scene.resource(scene.observation)
    code = masked["code"]["coding"][0]["code"]
    made = scene.server.installation
    with scene.server.staff("team-doctor") as doctor:
        sent = [subscription(scene.patient, code), subscription(scene.patient, "not-it")]
        ids = [doctor.post("Subscription", json=one).json()["id"] for one in sent]
        before = waiting(scene.server.house, made.as_staff("team-doctor"))
        with scene.server.staff("attending") as attending:
            tag = f'W/"{masked["meta"]["versionId"]}"'
            answer = attending.put(scene.observation, json=masked, headers={"if-match": tag})
            assert answer.is_success, answer.text
        post = Post()
        assert waiting(scene.server.house, made.as_staff("team-doctor")) == before
        assert later(scene.server.house, HOUR).turn(post) == 0
        assert post.carried == []
        assert [doctor.get(f"Subscription/{one}").json()["status"] for one in ids] == ["active", "active"]
        for one in ids:
            doctor.delete(f"Subscription/{one}")


@pytest.mark.capability("1-24", "refuses")
@pytest.mark.parametrize("role", ROLES)
def test_told_is_what_is_written_and_may_be_read_and_nothing_else(laboratory: Laboratory, role: str) -> None:
    """Each item of a record with secrets is written again: those that the subscriber reads are told."""
    pair = laboratory.run(laboratory.pair(ONE_OF_EACH, role))
    house, twin, made = laboratory.house(), pair.whole, laboratory.made
    actor, attending = twin.actor(made, role), twin.actor(made, "attending")
    seen = set(twin.ids)

    async def tell() -> tuple[bool, set[int], set[int]]:
        heard: set[int] = set()
        rewritten: set[int] = set()
        names = {**{place: twin.ids[place] for place in seen}, **pair.hidden}
        async with Doors(house, pair.now) as doors:
            answer = await doors.ask(actor, Question("POST", "Subscription", _all_of(twin.patient)))
            for place, id_ in sorted(names.items()):
                found = await doors.ask(attending, Question("GET", f"Observation/{id_}"))
                if found.status != 200:
                    continue  # an announcement that waits is not the attending physician's alone to write
                tag = {"if-match": found.headers["etag"]}
                again = await doors.ask(attending, Question("PUT", f"Observation/{id_}", found.text, tag))
                post = Post()
                doors.now += HOUR // 60
                Notifying(doors.house.passage).turn(post)
                if post.carried:
                    heard.add(place)
                rewritten |= {place} if again.status == 200 else set()
            await doors.ask(actor, Question("DELETE", f"Subscription/{_id_of(answer.text)}"))
        return answer.status == 201, heard, rewritten

    passage = house.passage
    addresses.register(passage, "hook", URL, "FR")
    try:
        subscribes, heard, rewritten = laboratory.run(tell())
    finally:
        addresses.remove(passage, "hook")
    assert heard == (seen & rewritten if subscribes else set())
    assert bool(heard) == (role in {"team-doctor", "nurse", "locum", "attending", "holder", "parent"})


def _all_of(patient: str) -> dict[str, Any]:
    return subscription(patient, "x") | {"criteria": f"Observation?patient={patient}"}


def _id_of(text: str) -> str:
    return text.partition('"id":"')[2].partition('"')[0] if '"Subscription"' in text else ABSENT


@pytest.mark.parametrize(("label", "lines"), [("", 1), ("secret", 0), ("third", 0)])
def test_a_notice_is_no_line_for_a_representative_of_what_is_kept_from_them(
    laboratory: Laboratory, label: str, lines: int
) -> None:
    """Each notice stands in the chain of the news: a line in another would say that there is something."""
    pair = laboratory.run(laboratory.pair(ONE_OF_EACH, "attending"))
    twin, made = pair.whole, laboratory.made
    place = next(place for place, item in enumerate(ONE_OF_EACH.items) if item.label == label)
    attending, parent = twin.actor(made, "attending"), twin.actor(made, "parent")

    async def tell() -> str:
        async with Doors(laboratory.house(), pair.now) as doors:
            answer = await doors.ask(attending, Question("POST", "Subscription", _all_of(twin.patient)))
            found = await doors.ask(attending, Question("GET", f"Observation/{twin.ids[place]}"))
            tag = {"if-match": found.headers["etag"]}
            await doors.ask(attending, Question("PUT", f"Observation/{twin.ids[place]}", found.text, tag))
            doors.now += HOUR // 60
            assert Notifying(doors.house.passage).turn(Post()) == 1
            trail = await doors.ask(parent, Question("GET", f"AuditEvent?patient={twin.patient}&_count=100"))
            await doors.ask(attending, Question("DELETE", f"Subscription/{_id_of(answer.text)}"))
            return trail.text

    addresses.register(laboratory.made.house.passage, "hook", URL, "FR")
    try:
        trail = laboratory.run(tell())
    finally:
        addresses.remove(laboratory.made.house.passage, "hook")
    assert trail.count('"code":"notify"') == lines
    assert '"code":"update"' in trail or lines == 0


def test_a_subscriber_whom_the_patient_blocks_before_the_sending_is_not_told(subscribed: Subscribed) -> None:
    server, made = subscribed.server, subscribed.server.installation
    subscribed.write()
    assert subscribed.notice().state == outbox.DUE
    number = made.staff("team-doctor").id.removeprefix("rpps:")
    blocked = run(server.house.choosing.block(made.as_patient(), made.record(), number))
    post = Post()
    assert later(server.house).turn(post) == 0
    assert post.carried == []
    assert subscribed.notice().state == outbox.IDLE
    subscribed.write()
    assert subscribed.notice().state == outbox.IDLE, "nothing is queued for somebody who may not read"
    run(server.house.writing.delete(made.as_patient(), "Consent", blocked.id))


def test_who_has_no_relation_subscribes_to_nobody_and_cannot_tell_who_exists(
    scene: Scene, registered: str
) -> None:
    house, log = watched(scene.server.house)
    asking = scene.server.installation.as_staff("unrelated-doctor")
    left: list[list[str]] = []
    said: list[str] = []
    for patient in (scene.patient, ABSENT) * 2:
        wanted = asked(subscription(patient, WEIGHT), house.base, asking.now)
        log.clear()
        with pytest.raises(Exception) as refused:  # noqa: PT011 - which one it is, is compared below
            run(house.subscribing.create(asking, wanted))
        said.append(repr(refused.value))
        left.append(list(log))
    assert said[2] == said[3]
    assert left[2] == left[3]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("role", ["attending", "nurse", "unrelated-doctor", "holder"])
def test_a_subscription_of_another_is_as_one_that_is_not_there(
    subscribed: Subscribed, role: str, method: str
) -> None:
    server = subscribed.server
    house, now = server.house, server.house.passage.clock()
    actor = server.patient_actor() if role == "holder" else server.installation.staff(role)

    async def both() -> list[tuple[int, str, list[str]]]:
        told: list[tuple[int, str, list[str]]] = []
        async with Doors(house, now) as doors:
            for id_ in (subscribed.id, ABSENT) * 2:
                sent = subscription(subscribed.patient, WEIGHT, id=id_) if method == "PUT" else None
                one = Question(method, f"Subscription/{id_}", sent, {"if-match": 'W/"1"'} if sent else {})
                answer = await doors.ask(actor, one)
                told.append((answer.status, plain(answer.text, {}), answer.work))
        return told[2:]

    hidden, absent = run(both())
    assert hidden == absent
    assert hidden[0] == 404


def test_who_writes_what_is_not_told_does_the_same_work_as_where_nobody_asked(
    scene: Scene, registered: str
) -> None:
    """A writer who could tell would learn who follows whom; what is not told leaves no mark at all."""
    house, log = watched(scene.server.house)
    sent = incoming.read(json.dumps(weight(scene.patient)).encode())
    work: list[list[str]] = []
    with scene.server.staff("team-doctor") as doctor:
        for one in (None, subscription(scene.patient, "8867-4")):
            made = doctor.post("Subscription", json=one).json()["id"] if one else ABSENT
            for _ in range(2):
                log.clear()
                run(house.writing.create(scene.server.installation.as_staff("attending"), sent))
            # Small packs are merged at every fifth write or so: when that falls due is not what is compared.
            work.append([line for line in log if "pack" not in line])
            doctor.delete(f"Subscription/{made}")
    assert work[0] == work[1]


# How it is sent.


def test_a_flood_of_writes_is_one_notice(subscribed: Subscribed) -> None:
    post = Post()
    for _ in range(8):
        subscribed.write()
    assert later(subscribed.server.house).turn(post) == 1
    assert len(post.carried) == 1


def test_a_flood_of_subscriptions_ends_at_a_number(scene: Scene, registered: str) -> None:
    with scene.server.staff("team-doctor") as doctor:
        answers = [doctor.post("Subscription", json=subscription(scene.patient, str(n))) for n in range(10)]
        assert [one.status_code for one in answers] == [201] * 8 + [429] * 2
        for one in answers[:8]:
            doctor.delete(f"Subscription/{one.json()['id']}")


def test_a_sender_that_dies_is_followed_by_another_and_nothing_is_lost(subscribed: Subscribed) -> None:
    house, post = subscribed.server.house, Post()
    subscribed.write()
    with pytest.raises(Death):
        later(house).turn(Meanwhile(dies))
    assert subscribed.notice().state == outbox.SENDING
    assert later(house).turn(post) == 0, "the lease runs"
    assert later(house, LEASE + 1).turn(post) == 1
    assert later(house, HOUR).turn(post) == 0


def test_two_senders_at_once_send_one_notice(subscribed: Subscribed) -> None:
    """The second looks while the first has it on the way."""
    house, second = subscribed.server.house, Post()
    subscribed.write()

    assert later(house).turn(Meanwhile(lambda: later(house).turn(second))) == 1
    assert second.carried == []


def test_a_sender_that_comes_late_to_a_notice_looks_at_it_again(subscribed: Subscribed) -> None:
    """Another tried it meanwhile and missed: what becomes of it is written down all the same."""
    house, other, post = subscribed.server.house, Post(taken=False), Post()
    with subscribed.server.staff("team-doctor") as doctor:
        second = doctor.post("Subscription", json=subscription(subscribed.patient, WEIGHT)).json()["id"]
        subscribed.write()
        slow = later(house, 20_000)
        slow.turn(Meanwhile(lambda: later(house).turn(other)))
        slow.turn(post)
        assert len(other.carried) == 1
        assert [one.subscription for one in post.carried] == [other.carried[0].subscription]
        notices = waiting(house, subscribed.server.installation.as_staff("team-doctor"))
        assert [notices[one].state for one in (subscribed.id, second)] == [outbox.IDLE] * 2
        doctor.delete(f"Subscription/{second}")


def test_what_is_written_while_a_notice_is_on_its_way_is_told_by_the_next(subscribed: Subscribed) -> None:
    house, post = subscribed.server.house, Post()
    subscribed.write()

    assert later(house).turn(Meanwhile(subscribed.write)) == 1
    assert later(house, HOUR).turn(post) == 1
    assert later(house, 2 * HOUR).turn(post) == 0


def test_a_write_that_is_undone_is_told_to_nobody(subscribed: Subscribed) -> None:
    entry = {"resource": weight(subscribed.patient), "request": {"method": "POST", "url": "Observation"}}
    wrong = {"request": {"method": "DELETE", "url": f"Observation/{ABSENT}"}}
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": [entry, wrong]}
    with subscribed.server.staff("attending") as doctor:
        assert doctor.post("", json=sent).status_code == 404
    assert subscribed.notice().state == outbox.IDLE


def test_an_address_taken_away_gets_nothing_that_waits(scene: Scene) -> None:
    passage, post = scene.server.house.passage, Post()
    addresses.register(passage, "short", "https://short.example/told", "FR")
    sent = subscription(scene.patient, WEIGHT)
    sent["channel"]["endpoint"] = "https://short.example/told"
    with scene.server.staff("team-doctor") as doctor:
        made = Subscribed(scene.server, doctor.post("Subscription", json=sent).json()["id"], scene.patient)
        made.write()
        addresses.remove(passage, "short")
        assert later(scene.server.house).turn(post) == 0
        assert post.carried == []
        assert doctor.get(f"Subscription/{made.id}").json()["status"] == "error"
        doctor.delete(f"Subscription/{made.id}")


def test_nothing_leaves_before_its_line_in_the_patients_trace(subscribed: Subscribed) -> None:
    server, made = subscribed.server, subscribed.server.installation
    seen: list[int] = []

    def lines_told() -> int:
        bodies = run(server.house.proving.trail(made.as_patient(), made.record()))
        return sum("registered address" in one.said for one in told(bodies, Language.EN))

    before = lines_told()
    subscribed.write()
    assert later(server.house).turn(Meanwhile(lambda: seen.append(lines_told()))) == 1
    assert seen == [before + 1]


def test_what_a_receiver_holds_opens_no_door(scene: Scene, subscribed: Subscribed) -> None:
    """A notice that is caught or played again: its secret is no session, its id is nobody else's."""
    with receiver(TAKEN) as hook:
        secret = addresses.register(scene.server.house.passage, "caught", hook.url, "FR", private=True)
        assert carrier().carry(Departure(hook.url, secret, private=True, subscription=subscribed.id))
        caught: Receiver = hook
        headers = {"authorization": caught.headers()["authorization"]}
        answer = scene.server.browser().get(f"/fhir/Subscription/{subscribed.id}", headers=headers)
        assert answer.status_code == 401
        addresses.remove(scene.server.house.passage, "caught")


def test_an_emergency_gives_no_standing_ear(scene: Scene, registered: str) -> None:
    headers = {"serment-purpose": "ETREAT", "serment-reason": "immediate-risk"}
    with scene.server.staff("unrelated-doctor") as doctor:
        answer = doctor.post("Subscription", json=subscription(scene.patient, WEIGHT), headers=headers)
        assert answer.status_code == 403

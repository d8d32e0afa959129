"""The clock put back or forward: order holds by sequence, and what has ended stays ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serment.errors import RefusedError, SermentError, SignInError
from serment.keys import openings
from serment.ledger.entry import Interaction
from serment.model import Act, Instant
from serment.record import gate, trace
from tests.attacks.sql import found, items, read_all
from tests.installation import Installation, run

HOUR = 3_600_000


class Clock:
    """A clock in the hand of the test."""

    def __init__(self, now: Instant) -> None:
        self.now = int(now)

    def __call__(self) -> Instant:
        return Instant(self.now)


@pytest.fixture
def made(untouched: Installation) -> Installation:
    return untouched


@pytest.fixture
def clock(made: Installation) -> Clock:
    """Put a clock of ours into the passage."""
    hand = Clock(made.house.passage.clock())
    passage = replace(made.house.passage, clock=hand)
    made.house = type(made.house).of(passage, made.house.custody, made.house.kind, made.house.base)
    made.store.house = made.house
    return hand


def test_traces_keep_their_order_when_the_clock_goes_back(made: Installation, clock: Clock) -> None:
    acts: list[str] = []
    for step in (0, -5 * HOUR, -48 * HOUR, 2 * HOUR, -1):
        clock.now += step
        asking = made.as_patient()
        acts.append(asking.request)
        type_, _, id_ = items(made)[0].partition("/")
        run(made.house.reading.read(asking, type_, id_))
    bodies = run(made.house.proving.trail(made.as_patient(), made.record()))
    told = [body.event.request for body in bodies if body.event.request in acts]
    assert told == acts[::-1]
    made.house.proving.checkpoint()
    report = made.house.proving.verify()
    assert report.ok
    assert "ledger.notice-clock" in {notice.sentence for notice in report.notices}


def test_a_checkpoint_is_made_though_the_clock_went_back(made: Installation, clock: Clock) -> None:
    made.house.proving.checkpoint()
    clock.now -= 100 * HOUR
    read_all(made)
    made.house.proving.checkpoint_if_due()
    with made.house.passage.store.snapshot() as snapshot:
        kept = snapshot.checkpoint()
        assert kept is not None
        assert kept[0] == snapshot.ledger_size()


def test_a_session_that_has_ended_opens_nothing(made: Installation, clock: Clock) -> None:
    doctor = made.as_staff("attending")
    secret = made.house.sessions.issue(doctor.actor, doctor.purpose, clock())
    clock.now += 13 * HOUR
    with pytest.raises(SignInError):
        made.house.sessions.open(secret, clock())


def test_a_session_that_has_not_begun_opens_nothing(made: Installation, clock: Clock) -> None:
    """The clock is put back before the sign-in: the session could last for ever."""
    doctor = made.as_staff("attending")
    secret = made.house.sessions.issue(doctor.actor, doctor.purpose, clock())
    code = made.house.sessions.issue(doctor.actor, doctor.purpose, clock(), once=True)
    clock.now -= HOUR
    with pytest.raises(SignInError):
        made.house.sessions.open(secret, clock())
    with pytest.raises(SignInError):
        made.house.sessions.exchange(code, clock())
    clock.now += HOUR
    assert made.house.sessions.open(secret, clock()).actor.id == doctor.actor.id


def test_a_permit_of_before_does_not_open_after(made: Installation, clock: Clock) -> None:
    """A request that began long ago (its clock reading too) meets a gate whose time has gone on."""
    passage = made.house.passage
    asking = made.as_patient()
    type_, _, id_ = next(i for i in items(made) if i.startswith("Observation/")).partition("/")
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"{type_}/{id_}")
        view = passage.view(snapshot, asking, located.record)
        item = gate.current(snapshot, view, located.pack, (type_, id_, ""), Act.READ)
        assert isinstance(item, gate.Item)
        sealed = gate.fetch(snapshot, view, [item])[0]
    touched = [trace.touched(item, asking)]
    receipt = trace.durable(passage, trace.of_access(passage, view, Interaction.READ, touched)).result()[0]
    assert gate.reveal(view, receipt, sealed)
    with pytest.raises(RefusedError):
        openings.open(view.keys, item.permit, receipt, sealed.row, item.permit.until)


def test_a_clock_years_away_serves_nothing_wrong(made: Installation, clock: Clock) -> None:
    before = read_all(made)
    for years in (-3, 4):
        clock.now += years * 366 * 24 * HOUR
        try:
            served = read_all(made)
        except SermentError:
            continue
        assert all(served[item] in {body, "NotFoundError"} for item, body in before.items())
    assert not found(made)

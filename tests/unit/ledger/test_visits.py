"""Acts are told together by person, day and reason; none is lost, and emergencies come first."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from serment.ledger.chains import Chain
from serment.ledger.entry import Body, Decision, Event, Interaction
from serment.ledger.visits import departures, visits

HOUR = 3_600_000
NOON = 1_790_000_000_000 - 1_790_000_000_000 % (24 * HOUR) + 12 * HOUR


def day(t: int) -> str:
    return str(t // (24 * HOUR))


def body(t: int = NOON, **said: object) -> Body:
    plain = Event(t=t, request=str(t), interaction=Interaction.READ, actor="rpps:1", purpose="TREAT", count=2)
    event = msgspec.structs.replace(plain, **said)
    return Body(
        v=1, record=b"r", chain=Chain.ORDINARY, p_seq=1, p_prev=bytes(32), salt=bytes(32), event=event
    )


def test_what_one_person_did_on_one_day_is_one_visit() -> None:
    (visit,) = visits([body(NOON + HOUR), body(NOON)], day)
    assert (visit.first, visit.last, visit.items) == (NOON, NOON + HOUR, 4)


def test_another_day_person_purpose_or_outcome_is_another_visit() -> None:
    told = [
        body(),
        body(NOON - 24 * HOUR),
        body(actor="rpps:2"),
        body(purpose="COC"),
        body(decision=Decision.DENIAL),
    ]
    assert len(visits(told, day)) == len(told)


def test_an_emergency_comes_first_however_old() -> None:
    first, *_ = visits([body(), body(NOON - 90 * 24 * HOUR, interaction=Interaction.EMERGENCY)], day)
    assert first.event.emergency


@given(
    st.lists(
        st.builds(
            body,
            t=st.integers(NOON, NOON + 72 * HOUR),
            actor=st.sampled_from(["rpps:1", "rpps:2", "patient:3", ""]),
            purpose=st.sampled_from(["TREAT", "BTG"]),
            recipient=st.sampled_from(["", "app"]),
        )
    )
)
def test_no_act_is_lost_or_told_twice(told: list[Body]) -> None:
    for grouped in (visits(told, day), departures(told, day)):
        assert sorted(map(id, told)) == sorted(id(one) for visit in grouped for one in visit.bodies)


def test_what_left_to_two_recipients_is_told_apart() -> None:
    told = [body(recipient="one"), body(recipient="two"), body(recipient="one")]
    assert [len(one.bodies) for one in departures(told, day)] == [2, 1]

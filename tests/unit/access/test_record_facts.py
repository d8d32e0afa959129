"""The sealed facts: they come back as written, edits are pure, and time is read in doubt."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.access.record_facts import (
    BLOCKED,
    MASKED,
    VERSION,
    Choice,
    grant_in_force,
    pack,
    unpack,
    veto_in_force,
)
from serment.errors import IntegrityError
from serment.model import Instant
from tests.rules.cast import CARER, DAY, DOCTOR, MOTHER, NOW, TEAM, attended_by, chosen, mandate, seen


def test_facts_come_back_as_they_were_written() -> None:
    facts = TEAM.with_choice(chosen(BLOCKED, DOCTOR)).with_mandate(mandate(MOTHER))
    facts = facts.with_attending(attended_by(DOCTOR))
    assert unpack(pack(facts)) == facts


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xc1", b"{}", b"\x91\x01"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        unpack(data)


def test_facts_of_a_later_version_are_refused() -> None:
    later = msgspec.structs.replace(TEAM, version=VERSION + 1)
    with pytest.raises(IntegrityError):
        unpack(pack(later))


def test_a_choice_replaces_the_one_of_the_same_id() -> None:
    facts = TEAM.with_choice(Choice("a", BLOCKED, DOCTOR.id)).with_choice(Choice("a", MASKED, item="X/1"))
    assert [choice.kind for choice in facts.choices] == [MASKED]
    assert facts.without_choice("a") == TEAM
    assert facts.without_choice("unknown") == facts


def test_a_resource_that_goes_takes_its_acts_of_care_with_it() -> None:
    fact = seen(MOTHER)
    assert TEAM.with_team(fact).without_team_source(fact.source) == TEAM
    assert TEAM.with_team(seen(DOCTOR)).team != ()


def test_a_mandate_and_an_attending_physician_are_replaced() -> None:
    facts = TEAM.with_mandate(mandate(MOTHER)).with_mandate(mandate(MOTHER)).with_mandate(mandate(CARER))
    assert len(facts.mandates) == 2
    assert facts.without_mandate(CARER.id, "representative").mandates == (mandate(MOTHER),)
    assert TEAM.with_attending(attended_by(DOCTOR)).with_attending(attended_by(MOTHER)).attending == (
        attended_by(MOTHER),
    )
    assert TEAM.with_attending(attended_by(DOCTOR)).without_attending() == TEAM


def test_a_mask_on_an_item_is_found_by_its_name() -> None:
    facts = TEAM.with_choice(chosen(MASKED, item="Observation/1"))
    assert facts.item_masked("Observation/1", NOW)
    assert not facts.item_masked("Observation/2", NOW)


def test_a_mask_for_one_person_masks_for_everybody() -> None:
    assert TEAM.with_choice(chosen(MASKED, DOCTOR, item="Observation/1")).item_masked("Observation/1", NOW)


def test_a_mask_that_has_ended_masks_nothing() -> None:
    ended = Choice("m", MASKED, item="Observation/1", start=NOW - 2 * DAY, end=NOW - DAY)
    assert not TEAM.with_choice(ended).item_masked("Observation/1", NOW)


@pytest.mark.parametrize(
    ("start", "end", "rules"),
    [
        (NOW - DAY, None, True),
        (NOW - DAY, NOW + DAY, True),
        (NOW - 2 * DAY, NOW - DAY, False),
        (NOW + DAY, None, True),
        (NOW, NOW - DAY, True),
    ],
)
def test_what_forbids_lasts_when_in_doubt(start: int, end: int | None, rules: bool) -> None:
    assert veto_in_force(Choice("c", BLOCKED, start=start, end=end), NOW) is rules


@pytest.mark.parametrize(
    ("start", "end", "rules"),
    [
        (NOW - DAY, None, True),
        (NOW, NOW + 1, True),
        (NOW - DAY, NOW, False),
        (NOW + 1, None, False),
        (NOW + DAY, NOW - DAY, False),
    ],
)
def test_what_grants_does_not(start: int, end: int | None, rules: bool) -> None:
    assert grant_in_force(start, end, NOW) is rules


@given(st.integers(0, 2**42), st.none() | st.integers(0, 2**42), st.integers(0, 2**42))
def test_a_grant_never_outlives_its_dates(start: int, end: int | None, now: int) -> None:
    if grant_in_force(start, end, Instant(now)):
        assert start <= now
        assert end is None or now < end

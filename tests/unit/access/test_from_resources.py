"""What a resource says of an act of care, and how far it is believed."""

from __future__ import annotations

from typing import Any

import pytest

from serment.access.from_resources import team_facts
from serment.access.policy import shipped_policy
from serment.access.record_facts import TeamFact
from serment.model import Instant, Regime
from tests.rules.cast import DAY, NOW, PRACTICE

RPPS = "10000000017"


def said_of(resource: dict[str, Any]) -> TeamFact:
    """Give the one act of care that a resource speaks of, written now."""
    found = team_facts(resource, "x/1", PRACTICE, NOW, lambda _: f"rpps:{RPPS}", imported=False)
    assert len(found) == 1
    return found[0]


def stay(**said: Any) -> dict[str, Any]:
    individual = {"reference": "Practitioner/x"}
    return {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"code": "IMP"},
        "participant": [{"individual": individual}],
        **said,
    }


def opened_for(fact: TeamFact) -> int:
    """Count the days, from now, during which a fact opens the record."""
    opens = shipped_policy().opens
    return next(day for day in range(40_000) if not opens(fact, Regime.OWN, Instant(NOW + day * DAY)))


@pytest.mark.parametrize(
    ("resource", "days"),
    [
        (stay(), 365),
        (stay(period={"start": "2021-01-01"}), 365),
        (stay(period={"start": "2021-01-01", "end": "2099-01-01"}), 365),
        (stay(period={"start": "2021-01-01"}, status="finished"), 0),
        (stay(period={"start": "2021-01-01"}, status="planned"), 0),
        (stay(period={"start": "2021-01-01", "end": "2026-11-17"}, status="finished"), 30),
        (stay(period={"start": "2021-01-01"}, **{"class": {"code": "AMB"}}), 0),
        (stay(period={"start": "2021-01-01", "end": "2099-01-01"}, **{"class": {"code": "AMB"}}), 365),
        (stay(period={"start": "2028-11-18", "end": "2099-01-01"}), 0),
    ],
)
def test_an_act_is_believed_up_to_the_day_on_which_it_was_written(
    resource: dict[str, Any], days: int
) -> None:
    assert abs(opened_for(said_of(resource)) - days) <= 1


def test_an_appointment_in_two_years_opens_from_the_eve_of_that_day() -> None:
    fact = said_of(
        {
            "resourceType": "Appointment",
            "status": "booked",
            "start": "2028-11-18T09:00:00Z",
            "end": "2028-11-18T09:20:00Z",
            "participant": [{"actor": {"reference": "Practitioner/x"}}],
        }
    )
    opens = shipped_policy().opens
    assert not opens(fact, Regime.OWN, Instant(fact.start - DAY))
    assert opens(fact, Regime.OWN, Instant(fact.start))
    assert not opens(fact, Regime.OWN, Instant(fact.start + 366 * DAY))


def referring(**said: Any) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "performer": [{"reference": "Practitioner/x"}],
        **said,
    }


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({}, "order"),
        ({"category": [{"coding": [{"code": "108252007"}]}]}, "order"),
        ({"category": [{"coding": [{"code": "3457005"}]}]}, "referral"),
        ({"code": {"coding": [{"system": "http://loinc.org", "code": "57133-1"}]}}, "referral"),
    ],
)
def test_an_order_that_sends_a_person_to_somebody_is_a_referral(said: dict[str, Any], kind: str) -> None:
    assert said_of(referring(**said)).kind == kind


SHIFT = {
    "resourceType": "Schedule",
    "serviceType": [{"coding": [{"system": "urn:serment:schedule", "code": "on-call"}]}],
    "actor": [{"reference": "Practitioner/x"}],
    "planningHorizon": {"start": "2026-11-17T20:00:00Z", "end": "2026-11-18T08:00:00Z"},
}


def test_an_on_call_list_gives_each_of_its_people_a_shift_between_its_two_ends() -> None:
    fact = said_of(SHIFT)
    assert (fact.kind, fact.end - fact.start if fact.end else 0) == ("on-call", 12 * 3600 * 1000 + 1000)


@pytest.mark.parametrize(
    "other",
    [
        {"active": False},
        {"planningHorizon": {"start": "2026-11-17T20:00:00Z"}},
        {"planningHorizon": {}},
        {"serviceType": []},
        {"serviceType": [{"coding": [{"code": "on-call"}]}]},
        {"serviceType": [{"text": "on-call"}]},
    ],
)
def test_a_schedule_that_does_not_say_it_is_one_or_has_no_end_is_no_on_call_list(
    other: dict[str, Any],
) -> None:
    said = {**SHIFT, **other}
    assert team_facts(said, "x/1", PRACTICE, NOW, lambda _: f"rpps:{RPPS}", imported=False) == []

"""The consents of IHE's Privacy Consent on FHIR (ITI PCF 1.1), case by case, by the names of its examples.

Each case is a Consent of ours in the shape that the profile asks for, and what somebody may then read in a
record of `shared`, where sharing needs a consent. What this server does not read of a consent is refused
(ADR 41): a permit by encounter, by named item or by time grants nothing; an exception by encounter or by
time denies everything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec
import pytest

from serment.access.from_consent import choices
from serment.access.record_facts import BLOCKED, MASKED, OPPOSED, RecordFacts
from serment.model import ActorId, ItemClass, Purpose
from tests.rules.cast import (
    DOCTOR,
    LETTER,
    NOW,
    OWN,
    PATIENT,
    SHARED,
    STRANGER,
    asked,
    in_emergency,
    opens,
    seen,
)

Json = dict[str, Any]

WRITER: Final = ActorId("rpps:10000000017")
NEEDS_CONSENT: Final = msgspec.structs.replace(SHARED.with_team(seen(DOCTOR)), choices=())
SHARING: Final = SHARED.with_team(seen(DOCTOR))

PLAIN: Final = LETTER
WRITTEN: Final = replace(LETTER, author=WRITER)
IMPORTED: Final = replace(LETTER, author=ActorId(""))
BY_ANOTHER: Final = replace(LETTER, author=ActorId("rpps:10000000025"))
RESTRICTED: Final = replace(LETTER, labels=("R",))
VERY_RESTRICTED: Final = replace(LETTER, labels=("V",))
PSYCHIATRIC: Final = replace(LETTER, labels=("N", "PSY"))
VIOLENCE: Final = replace(LETTER, labels=("N", "SDV"))

CARE: Final = ("TREAT", "HPAYMT", "HOPERAT")
ENCOUNTER: Final = {"meaning": "related", "reference": {"reference": "Encounter/visit"}}
ITEM: Final = {"meaning": "instance", "reference": {"reference": "Observation/alcohol"}}
BY_WRITER: Final = {
    "meaning": "authoredby",
    "reference": {"identifier": {"value": WRITER.removeprefix("rpps:")}},
}
YEAR: Final = {"start": "2022-01", "end": "2022-12"}


def for_care(type_: str = "permit", **more: Any) -> Json:
    """Give the rule of a Consent about treatment, payment and operations."""
    return {"type": type_, "purpose": [{"code": code} for code in CARE], **more}


def but_not(**what: Any) -> list[Json]:
    """Give the one exception that denies."""
    return [{"type": "deny", **what}]


def labels(*codes: str) -> list[Json]:
    return [{"code": code} for code in codes]


def to_doctor() -> list[Json]:
    role = {"coding": [{"code": "IRCP"}]}
    return [{"role": role, "reference": {"reference": "Practitioner/doctor"}}]


def given(provision: Json, before: RecordFacts = NEEDS_CONSENT) -> RecordFacts:
    """Give the facts of a record whose holder signs a Consent of the profile's shape."""
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/one"},
        "dateTime": "2026-06-13",
        "performer": [{"reference": "Patient/one"}],
        "organization": [{"reference": "Organization/hospital"}],
        "sourceReference": {"reference": "DocumentReference/paper"},
        "policy": [{"uri": "https://hospital.test/policies/sharing"}],
        "provision": provision,
    }
    known = {"Practitioner/doctor": DOCTOR.id}
    for choice in choices(consent, "1", NOW, PATIENT.id, lambda reference: known.get(reference, "")):
        before = before.with_choice(choice)
    return before


def reads(facts: RecordFacts, unit: ItemClass = PLAIN, **how: Any) -> bool:
    """Say whether the doctor of the team reads an item."""
    return opens(asked(DOCTOR, facts, unit, **how))


def test_the_doctor_of_these_cases_reads_every_item_once_sharing_is_agreed() -> None:
    units = [PLAIN, WRITTEN, IMPORTED, RESTRICTED, PSYCHIATRIC, VIOLENCE]
    assert [reads(SHARING, unit) for unit in units] == [True] * 6
    assert [reads(NEEDS_CONSENT, unit) for unit in units] == [False] * 6


# Basic.


@pytest.mark.parametrize("case", ["ex-consent-basic-treat", "ex-consent-basic-ink"])
def test_a_consent_to_the_policy_shares_for_care_and_with_the_team(case: str) -> None:
    facts = given(for_care())
    assert reads(facts), case
    assert reads(facts, purpose=Purpose.COORDINATION)
    assert not opens(asked(STRANGER, facts, PLAIN))


def test_a_consent_for_payment_alone_shares_nothing_for_care() -> None:
    assert not reads(given({"type": "permit", "purpose": labels("HPAYMT")}))


def test_ex_consent_basic_reject() -> None:
    assert not reads(given(for_care("deny"), SHARING))


def test_ex_consent_expired_treat() -> None:
    ended = {"start": "2022-01-01", "end": "2022-12-31"}
    assert not reads(given(for_care(period=ended)))
    assert reads(given(for_care(period={"start": "2022-01-01"})))


# Intermediate.


def test_ex_consent_intermediate_timeframe_grants_nothing() -> None:
    assert not reads(given(for_care(dataPeriod=YEAR)))


def test_ex_consent_intermediate_not_timeframe_denies_everything() -> None:
    assert not reads(given(for_care(provision=but_not(dataPeriod=YEAR))))


def test_ex_consent_intermediate_authoredby() -> None:
    facts = given(for_care(data=[BY_WRITER]))
    assert [reads(facts, unit) for unit in (WRITTEN, BY_ANOTHER, IMPORTED)] == [True, False, False]


def test_ex_consent_intermediate_not_authoredby() -> None:
    facts = given(for_care(provision=but_not(data=[BY_WRITER])))
    assert [reads(facts, unit) for unit in (WRITTEN, BY_ANOTHER)] == [False, True]


def test_what_nobody_is_known_to_have_written_may_be_the_author_s_who_is_excepted() -> None:
    assert not reads(given(for_care(provision=but_not(data=[BY_WRITER]))), IMPORTED)


def test_an_exception_by_an_author_whom_nobody_knows_denies_everything() -> None:
    nobody = {"meaning": "authoredby", "reference": {"reference": "Device/9"}}
    assert not reads(given(for_care(provision=but_not(data=[nobody]))), BY_ANOTHER)


def test_ex_consent_intermediate_encounter_grants_nothing() -> None:
    assert not reads(given(for_care(data=[ENCOUNTER])))


def test_ex_consent_intermediate_not_encounter_denies_everything() -> None:
    facts = given(for_care(provision=but_not(data=[ENCOUNTER])))
    assert OPPOSED in {choice.kind for choice in facts.choices}
    assert not reads(facts)


@pytest.mark.parametrize("meaning", ["related", "dependents", "odd", None])
def test_data_that_is_named_in_a_way_that_is_not_read_is_denied_with_everything(meaning: str | None) -> None:
    facts = given({"type": "deny", "data": [{**ITEM, "meaning": meaning}]}, SHARING)
    assert not reads(facts)
    assert MASKED not in {choice.kind for choice in facts.choices}


def test_ex_consent_intermediate_data_grants_nothing() -> None:
    assert not reads(given(for_care(data=[ITEM])))


def test_ex_consent_intermediate_not_data() -> None:
    facts = given(for_care(provision=but_not(data=[ITEM])))
    assert reads(facts)
    assert facts.item_masked("Observation/alcohol", NOW)
    assert not reads(facts, replace(PLAIN, masked=True))


def test_ex_consent_intermediate_purpose_gives_a_research_project_no_care() -> None:
    project = {"role": {"coding": []}, "reference": {"reference": "Organization/project"}}
    facts = given({"type": "permit", "purpose": labels("FooBar"), "actor": [project]})
    assert facts.choices == ()


def test_ex_dissent_intermediate_break_glass() -> None:
    said = for_care("deny", provision=[{"type": "permit", "purpose": labels("BTG")}])
    assert not reads(given(said, SHARING))
    here = given(said, OWN.with_team(seen(DOCTOR)))
    assert not reads(here)
    assert opens(in_emergency(DOCTOR, here, PLAIN))


def test_a_dissent_for_break_glass_closes_that_door_alone() -> None:
    facts = given({"type": "deny", "purpose": labels("BTG")}, SHARING)
    assert reads(facts)
    assert not opens(in_emergency(STRANGER, facts, PLAIN))
    assert opens(in_emergency(STRANGER, SHARING, PLAIN))


# Advanced.


def test_ex_consent_advanced_normal() -> None:
    facts = given(for_care(securityLabel=labels("N")))
    assert [reads(facts, unit) for unit in (PLAIN, RESTRICTED, PSYCHIATRIC)] == [True, False, False]


def test_ex_consent_advanced_normal_restricted() -> None:
    facts = given(for_care(securityLabel=labels("N", "R")))
    assert [reads(facts, unit) for unit in (PLAIN, RESTRICTED, PSYCHIATRIC)] == [True, True, False]


def test_ex_consent_advanced_normal_not_restricted() -> None:
    exception = but_not(securityLabel=labels("R"))
    facts = given(for_care(securityLabel=labels("N", "R"), provision=exception))
    assert [reads(facts, unit) for unit in (PLAIN, RESTRICTED)] == [True, False]
    assert not reads(given(for_care(provision=exception)), VERY_RESTRICTED)


@pytest.mark.parametrize("focus", [("R",), ("PSY",), ("PSY", "SEX")])
def test_ex_consent_advanced_normal_focused_gives_the_one_professional_what_is_normal(
    focus: tuple[str, ...],
) -> None:
    """An exception that permits again is not read: less is given than was said."""
    wider = [{"type": "permit", "securityLabel": labels(*focus)}]
    facts = given(for_care(securityLabel=labels("N"), provision=wider, actor=to_doctor()), SHARED)
    facts = msgspec.structs.replace(facts, choices=facts.choices[1:], team=())
    assert [reads(facts, unit) for unit in (PLAIN, RESTRICTED, PSYCHIATRIC)] == [True, False, False]
    assert not opens(asked(STRANGER, facts, PLAIN))


def test_ex_consent_advanced_normal_break_glass_restricted_keeps_restricted_closed() -> None:
    again = [{"type": "permit", "purpose": labels("BTG"), "securityLabel": labels("R")}]
    facts = given(for_care(securityLabel=labels("N"), provision=again))
    assert [reads(facts, unit) for unit in (PLAIN, RESTRICTED)] == [True, False]


@pytest.mark.parametrize(("code", "unit"), [("PSY", PSYCHIATRIC), ("SDV", VIOLENCE)])
def test_an_exception_by_sensitivity_hides_what_bears_it_and_what_bears_no_label(
    code: str, unit: ItemClass
) -> None:
    facts = given(for_care(provision=but_not(securityLabel=labels(code))))
    assert [reads(facts, one) for one in (PLAIN, unit, replace(unit, labels=()))] == [True, False, False]


@pytest.mark.parametrize("code", ["ETHUD", "OPIOIDUD"])
def test_a_finer_sensitivity_is_denied_with_the_whole_of_it(code: str) -> None:
    facts = given(for_care(provision=but_not(securityLabel=labels(code))))
    assert reads(facts)
    assert not reads(facts, replace(PLAIN, labels=("N", "ETH")))


@pytest.mark.parametrize("code", ["N", "U", "MST", "nothing"])
def test_an_exception_by_a_label_that_is_not_read_denies_everything(code: str) -> None:
    assert not reads(given(for_care(provision=but_not(securityLabel=labels(code)))))


# Research, and a colleague.


@pytest.mark.parametrize("code", ["HRESCH", "CLINTRCH", "DSRCH"])
def test_an_opposition_to_research_leaves_care_as_it_was(code: str) -> None:
    facts = given({"type": "deny", "purpose": labels(code)}, SHARING)
    assert facts.opposes_research(NOW)
    assert reads(facts)
    assert not SHARING.opposes_research(NOW)


def test_an_opposition_to_research_and_to_care_is_both() -> None:
    facts = given({"type": "deny", "purpose": labels("HRESCH", "TREAT")}, SHARING)
    assert facts.opposes_research(NOW)
    assert not reads(facts)


def test_one_colleague_is_kept_from_what_another_wrote_and_nobody_else_is() -> None:
    facts = given({"type": "deny", "actor": to_doctor(), "data": [BY_WRITER]}, SHARING)
    facts = facts.with_team(seen(STRANGER))
    assert BLOCKED not in {choice.kind for choice in facts.choices}
    assert [reads(facts, WRITTEN), reads(facts, BY_ANOTHER)] == [False, True]
    assert opens(asked(STRANGER, facts, WRITTEN))

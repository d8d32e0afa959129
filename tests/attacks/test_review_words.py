"""Words of the patient that a Consent can say and that were lost, or heard as more than was said."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from serment.access.from_consent import CATEGORY_SYSTEM, choices, provision_of
from serment.access.record_facts import (
    BLOCKED,
    CONSENT,
    EMERGENCY_OPPOSED,
    MASKED,
    OPPOSED,
    OPPOSED_CATEGORY,
    OPPOSED_PART,
    RESEARCH_OPPOSED,
    Choice,
)
from serment.model import Instant

NOW = Instant(1_700_000_000_000)
DOCTOR = "rpps:10000000009"
COLLEAGUE = "rpps:10000000017"
CARE = ("BTG", "COC", "ERTREAT", "ETREAT", "TREAT")
ACTOR = {"role": {"text": "x"}, "reference": {"identifier": {"value": DOCTOR.removeprefix("rpps:")}}}
LABS = {"system": CATEGORY_SYSTEM, "code": "labs"}
BASE = "https://dossier.test/fhir"


def words(scope: Any = "patient-privacy", **provision: Any) -> list[Choice]:
    said = {"status": "active", "scope": {"coding": [{"code": scope}]}, "provision": provision}
    return choices(said, "1", NOW, "patient:1", lambda _: "", BASE)


def heard(scope: Any = "patient-privacy", **provision: Any) -> list[tuple[str, str, str, str]]:
    return [(one.kind, one.actor, one.category, one.item) for one in words(scope, **provision)]


def by_purpose(*codes: str) -> list[dict[str, str]]:
    return [{"code": code} for code in codes]


@pytest.mark.parametrize(
    "foreign",
    [
        {"system": "http://hl7.org/fhir/resource-types", "code": "Observation"},
        {"system": "http://hl7.org/fhir/resource-types", "code": "labs"},
        {"system": CATEGORY_SYSTEM, "code": "dreams"},
        {"display": "tout"},
    ],
)
def test_a_denial_of_a_class_that_is_not_ours_denies_everything(foreign: dict[str, str]) -> None:
    """A client of FHIR names resource types there: 201 and no effect would be the patient's word lost."""
    assert heard(type="deny", **{"class": [foreign]}) == [(OPPOSED, "", "", "")]
    assert heard(type="deny", **{"class": [LABS, foreign]}) == [(OPPOSED, "", "", "")]
    assert heard(type="permit", actor=[ACTOR], **{"class": [foreign]}) == []


def test_a_denial_for_care_and_for_emergencies_is_not_one_for_emergencies_alone() -> None:
    assert heard(type="deny", purpose=by_purpose("ETREAT")) == [(EMERGENCY_OPPOSED, "", "", "")]
    assert heard(type="deny", purpose=by_purpose("ETREAT", "TREAT")) == [
        (EMERGENCY_OPPOSED, "", "", ""),
        (OPPOSED, "", "", ""),
    ]


def test_an_exception_that_denies_counts_below_a_permit() -> None:
    item = {"meaning": "instance", "reference": {"reference": "Observation/9"}}
    exception = {"type": "deny", "data": [item], "provision": [{"type": "permit"}]}
    assert heard(type="permit", actor=[ACTOR], provision=[exception]) == [
        (CONSENT, DOCTOR, "", ""),
        (MASKED, "", "", "Observation/9"),
    ]


@pytest.mark.parametrize(
    "narrower",
    [
        {"purpose": [{"code": "HRESCH"}]},
        {"code": [{"text": "x"}]},
        {"securityLabel": [{"code": "N"}, {"code": "L"}]},
        {"dataPeriod": {"end": "2001"}},
        {"action": [{"text": "disclose"}]},
        {"data": [{"meaning": "instance", "reference": {"reference": "Observation/9"}}]},
    ],
)
def test_a_permit_that_is_narrower_than_what_is_read_grants_nothing(narrower: dict[str, Any]) -> None:
    assert heard(type="permit", actor=[ACTOR], **narrower) == []


@pytest.mark.parametrize("scope", ["research", "treatment", "adr"])
def test_a_consent_to_something_else_shares_no_record(scope: str) -> None:
    assert heard(scope, type="permit") == []
    assert heard(scope, type="deny", actor=[ACTOR]) == [(BLOCKED, DOCTOR, "", "")]


def test_a_permit_for_one_category_is_for_that_one() -> None:
    assert heard(type="permit", actor=[ACTOR], **{"class": [LABS]}) == [(CONSENT, DOCTOR, "labs", "")]


@pytest.mark.parametrize(
    "written",
    [
        "Observation/9",
        f"{BASE}/Observation/9",
        "Observation/9/_history/2",
        f"{BASE}/Observation/9/_history/2",
    ],
)
def test_an_item_is_masked_however_it_is_written(written: str) -> None:
    data = [{"meaning": "instance", "reference": {"reference": written}}]
    assert heard(type="deny", data=data) == [(MASKED, "", "", "Observation/9")]


def test_a_word_said_a_hundred_thousand_times_is_one_word() -> None:
    assert len(heard(type="deny", actor=[ACTOR] * 100_000)) == 1


@pytest.mark.parametrize(
    "choice",
    [
        Choice("", MASKED, item="Observation/9"),
        Choice("", BLOCKED, DOCTOR),
        Choice("", BLOCKED),
        Choice("", OPPOSED),
        Choice("", OPPOSED_CATEGORY, category="labs"),
        Choice("", OPPOSED_CATEGORY, DOCTOR, "labs"),
        Choice("", EMERGENCY_OPPOSED),
        Choice("", CONSENT, DOCTOR),
        Choice("", CONSENT, DOCTOR, "labs"),
        Choice("", CONSENT, DOCTOR, author=COLLEAGUE, labels=("N", "R"), purposes=CARE),
        Choice("", RESEARCH_OPPOSED),
        Choice("", OPPOSED_PART, author=COLLEAGUE),
        Choice("", OPPOSED_PART, DOCTOR, "labs", author=COLLEAGUE, labels=("HIV", "R", "V")),
    ],
)
def test_a_choice_is_written_and_heard_alike(choice: Choice) -> None:
    [again] = words(**provision_of(choice))
    assert replace(again, id="", start=choice.start, recorded_by="") == choice


def test_a_consent_that_ends_is_not_written_again_without_its_end() -> None:
    assert provision_of(Choice("", CONSENT, DOCTOR, end=NOW)) == {}

"""The proof about those near the patient: it holds, and it finds what somebody breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from serment.access.decide import decide
from serment.access.facts import Facts
from serment.access.policy import shipped_policy
from serment.access.prove_people import PEOPLE, prove_people
from serment.model import Denial, Permit


@pytest.mark.capability("4-06", "refuses")
@pytest.mark.capability("4-17", "refuses")
def test_no_proxy_has_more_than_the_law_and_the_patient_give() -> None:
    report = prove_people(shipped_policy())
    assert report.proved, str(report)
    assert report.cases > 100_000
    assert set(report.theorems) == set(PEOPLE)


def _permits(facts: Facts) -> Permit | Denial:
    return Permit("broken", facts.act, facts.record, facts.unit, facts.request, facts.now)


@pytest.mark.parametrize(
    ("broken", "theorem"),
    [
        (lambda f: decide(replace(f, minor_secret=False)), "theorem.proxy-secret"),
        (lambda f: decide(replace(f, withheld=False)), "theorem.proxy-abuse"),
        (lambda f: decide(replace(f, masked=False)), "theorem.carer"),
        (lambda f: decide(replace(f, heir=True, cell=frozenset({f.act}))), "theorem.heir"),
        (_permits, "theorem.representative"),
    ],
)
@pytest.mark.campaign
def test_a_broken_rule_about_proxies_is_found(
    broken: Callable[[Facts], Permit | Denial], theorem: str
) -> None:
    assert theorem in {found.theorem for found in prove_people(shipped_policy(), broken).counter_examples}

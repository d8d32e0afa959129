"""The proof: it holds for what ships, and it finds every rule that somebody breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from serment.access.decide import decide
from serment.access.facts import Facts
from serment.access.policy import GRID, MATRIX, Policy, shipped_policy, shipped_tables
from serment.access.prove import (
    MONOTONE,
    NOBODY,
    OWN_UNITS,
    SILENCE,
    THEOREMS,
    ProofReport,
    prove,
    prove_cases,
    prove_tables,
    shared_units,
)
from serment.access.tables import LOOKING
from serment.model import Denial, EmergencyReason, Function, Permit, Regime
from tests.rules import cast


@pytest.fixture(scope="module")
def report() -> ProofReport:
    return prove(shipped_policy())


@pytest.mark.capability("4-10", "refuses")
def test_every_theorem_holds_in_every_case(report: ProofReport) -> None:
    assert report.proved, str(report)
    assert report.cases > 300_000
    assert len(report.theorems) == len(THEOREMS) + 3


def _permit(facts: Facts) -> Permit:
    return Permit("broken", facts.act, facts.record, facts.unit, facts.request, facts.now)


def _without(flag: str) -> Callable[[Facts], Permit | Denial]:
    """Break the decision: it no longer sees one thing that stands in the way."""
    return lambda facts: decide(replace(facts, **{flag: False}))


def _emergency_lifts_masks(facts: Facts) -> Permit | Denial:
    seen = replace(facts, masked=False) if facts.masked and facts.emergency else facts
    return decide(seen)


def _attending_opens_blocks(facts: Facts) -> Permit | Denial:
    return decide(replace(facts, blocked=facts.blocked and not facts.attending))


def _team_needs_no_cell(facts: Facts) -> Permit | Denial:
    return decide(replace(facts, cell=LOOKING) if facts.team else facts)


def _grants_on_silence(facts: Facts) -> Permit | Denial:
    answer = decide(facts)
    return _permit(facts) if answer.rule == "D0.silence" else answer


def _a_mask_opens(facts: Facts) -> Permit | Denial:
    return decide(replace(facts, masked=False, team=facts.team or facts.masked))


def _default_regime(facts: Facts) -> Permit | Denial:
    return decide(replace(facts, regime=facts.regime or Regime.OWN))


def _any_purpose(facts: Facts) -> Permit | Denial:
    return decide(replace(facts, purpose_misfit=False))


def _creation_by_authorship(facts: Facts) -> Permit | Denial:
    return decide(replace(facts, creating=False))


@pytest.mark.parametrize(
    "broken",
    [
        *(
            pytest.param(_without(flag), id=f"blind to {flag}")
            for flag in (
                "third_party_purpose",
                "closed",
                "blocked",
                "timer_running",
                "minor_secret",
                "third_party",
                "withheld",
                "opposed",
                "masked",
            )
        ),
        _emergency_lifts_masks,
        _attending_opens_blocks,
        _team_needs_no_cell,
        _grants_on_silence,
        _a_mask_opens,
        _default_regime,
        _any_purpose,
        _creation_by_authorship,
    ],
)
@pytest.mark.campaign
def test_a_broken_rule_is_found_with_a_counter_example(broken: Callable[[Facts], Permit | Denial]) -> None:
    report = prove_cases(broken)
    assert not report.proved
    found = report.counter_examples[0]
    assert found.theorem in str(report)
    assert "regime=" in found.case


def test_an_emergency_that_lifts_a_mask_is_found() -> None:
    report = prove_cases(_emergency_lifts_masks)
    found = {example.theorem: example.case for example in report.counter_examples}
    case = found["theorem.masked"]
    assert "masked" in case
    assert "emergency" in case


def test_a_decision_that_grants_more_when_more_stands_in_the_way_is_found() -> None:
    def perverse(facts: Facts) -> Permit | Denial:
        return decide(facts) if facts.opposed else Denial("no", "reason")

    assert MONOTONE in {found.theorem for found in prove_cases(perverse).counter_examples}


def test_a_decision_that_grants_on_silence_is_found() -> None:
    found = {found.theorem for found in prove_cases(_permit).counter_examples}
    assert {SILENCE, "theorem.ground", "theorem.regime"} <= found


@pytest.mark.capability("4-10", "refuses")
def test_a_grid_that_lets_one_function_read_everything_is_found() -> None:
    texts = shipped_tables()
    texts[GRID] += "treating-doctor,60,list read,,test,no\n"
    report = prove_tables(Policy.from_tables(texts))
    assert [found.theorem for found in report.counter_examples] == [NOBODY]


@pytest.mark.capability("4-10", "refuses")
def test_a_grid_that_gives_the_missing_part_to_another_role_of_the_same_person_is_found() -> None:
    texts = shipped_tables()
    texts[GRID] += "biologist,60,print,,test,no\n"
    report = prove_tables(Policy.from_tables(texts))
    assert report.counter_examples[0].case == "own: group doctor"


@pytest.mark.capability("4-10", "refuses")
def test_a_matrix_whose_rows_together_read_every_type_is_found() -> None:
    texts = shipped_tables()
    row = "60,Infirmier,95,Document de gestion,none"
    assert row in texts[MATRIX]
    texts[MATRIX] = texts[MATRIX].replace(row, row.replace("none", "all"))
    report = prove_tables(Policy.from_tables(texts))
    assert report.counter_examples[0].case == "shared: every row of the matrix"


@pytest.mark.capability("4-10", "lets")
def test_the_report_says_what_was_tried(report: ProofReport) -> None:
    assert "theorems" in str(report)
    assert "BROKEN" not in str(report)


@pytest.mark.capability("4-10", "refuses")
@pytest.mark.parametrize("profession", sorted({row for row, _ in shipped_policy().matrix if row.isdigit()}))
def test_no_profession_reads_every_document_type_of_a_shared_record(profession: str) -> None:
    actor = cast.professional("any", profession, Function.NONE, "elsewhere")
    facts = cast.SHARED.with_team(cast.seen(actor)).with_choice(cast.chosen("consent", actor))
    units = shared_units(shipped_policy())
    assert len(units) > 95
    read = [unit for unit in units if cast.opens(cast.asked(actor, facts, unit))]
    opened = [unit for unit in units if cast.opens(cast.in_emergency(actor, facts, unit))]
    assert {*read, *opened} < {*units}


@pytest.mark.capability("4-10", "refuses")
@pytest.mark.parametrize("function", list(Function))
def test_no_function_reads_every_category_of_a_structures_file(function: Function) -> None:
    actor = cast.professional("any", "10", function, supervisor=cast.DOCTOR.id)
    facts = cast.OWN.with_team(cast.seen(actor))
    read = [unit for unit in OWN_UNITS if cast.opens(cast.asked(actor, facts, unit))]
    opened = [unit for unit in OWN_UNITS if cast.opens(cast.in_emergency(actor, facts, unit))]
    assert {*read, *opened} < {*OWN_UNITS}


@pytest.mark.capability("4-10", "lets")
def test_holder_attending_physician_and_regulating_doctor_are_whom_the_law_exempts() -> None:
    units = shared_units(shipped_policy())
    attended = cast.SHARED.with_attending(cast.attended_by(cast.DOCTOR))
    call = EmergencyReason.REGULATION
    for unit in units:
        assert cast.opens(cast.asked(cast.PATIENT, cast.SHARED, unit))
        assert cast.opens(cast.asked(cast.DOCTOR, attended, unit))
        assert cast.opens(cast.in_emergency(cast.REGULATOR, cast.SHARED, unit, call))

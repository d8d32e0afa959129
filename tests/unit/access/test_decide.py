"""The decision on abstract cases: the order in which rules speak, and what a permit is bound to."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import serment
from serment.access.decide import PERMIT_MS, Finding, decide, decide_find
from serment.access.facts import Facts
from serment.access.find import finding_for
from serment.access.policy import shipped_policy
from serment.access.record_facts import BLOCKED, CLOSURE, Choice, RecordFacts
from serment.access.vetoes import RELATIONS, VETOES
from serment.model import Act, Actor, Category, Denial, Instant, ItemClass, Permit, Purpose, Regime
from tests.rules import cast
from tests.rules.cast import DOCTOR, NOW, OWN, RECORD, REQUEST, SECRETARY, SHARED, STRANGER, asked, chosen

FLAGS = [name for name in Facts.__struct_fields__ if getattr(Facts(), name) is False]
READS = frozenset({Act.READ})


def test_silence_denies() -> None:
    assert isinstance(decide(Facts()), Denial)
    assert decide(Facts(regime=Regime.OWN, cell=READS)).rule == "D0.silence"


def test_the_first_veto_that_stands_speaks() -> None:
    everything = Facts(
        regime=Regime.SHARED,
        third_party_purpose=True,
        closed=True,
        blocked=True,
        opposed=True,
        masked=True,
    )
    assert decide(everything).rule == "V1.third-party-purpose"


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("third_party_purpose", "closed"),
        ("closed", "blocked"),
        ("blocked", "opposed"),
        ("opposed", "masked"),
    ],
)
def test_vetoes_speak_in_the_order_of_the_law(earlier: str, later: str) -> None:
    alone = replace(Facts(regime=Regime.SHARED, team=True, cell=READS), **{earlier: True})
    both = replace(alone, **{later: True})
    assert decide(both).rule == decide(alone).rule != "G6.team"


def test_a_permit_is_bound_to_record_unit_act_request_and_time() -> None:
    permit = decide(asked(DOCTOR))
    assert permit == Permit("G6.team", Act.READ, RECORD, cast.UNIT, REQUEST, Instant(NOW + PERMIT_MS))


def test_a_denial_says_what_is_missing_and_who_lifts_it() -> None:
    masked = Facts(regime=Regime.OWN, team=True, cell=READS, masked=True)
    assert decide(masked) == Denial(
        "V8.masked", "unmasking", ("holder", "representative", "author", "attending")
    )


@given(st.sets(st.sampled_from(FLAGS)), st.sampled_from([None, *Regime]), st.sampled_from(Act))
def test_a_decision_is_total_and_always_names_its_rule(
    true: set[str], regime: Regime | None, act: Act
) -> None:
    case = Facts(regime=regime, act=act, cell=READS)
    answer = decide(replace(case, **dict.fromkeys(true, True)))
    assert answer.rule
    assert answer.rule[0] in ("G" if isinstance(answer, Permit) else "SVD")


def test_a_veto_quotes_only_relations_that_exist() -> None:
    quoted = {name for veto in VETOES for name in (*veto.own, *veto.shared)}
    assert quoted <= RELATIONS.keys()


def test_no_emergency_relation_lifts_a_mask() -> None:
    mask = next(veto for veto in VETOES if veto.rule == "V8.masked")
    assert not any("emergency" in name for name in (*mask.own, *mask.shared))


def test_a_permit_is_built_in_one_file() -> None:
    root = Path(serment.__file__).parent
    builders = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Permit"
    }
    assert builders == {"access/decide.py"}


def _found(
    actor: Actor, facts: RecordFacts, *, by_ins: bool, purpose: Purpose = Purpose.TREAT
) -> Permit | Denial:
    finding = finding_for(actor, purpose, RECORD, facts, NOW, REQUEST, shipped_policy(), by_ins=by_ins)
    return decide_find(finding)


@pytest.mark.parametrize("actor", [DOCTOR, cast.NURSE, cast.LOCUM, SECRETARY])
def test_a_person_is_found_by_the_structure_by_an_exact_token(actor: Actor) -> None:
    permit = _found(actor, OWN, by_ins=False)
    assert isinstance(permit, Permit)
    assert (permit.act, permit.unit.category, permit.rule) == (Act.READ, Category.IDENTITY, "F1.structure")


@pytest.mark.parametrize(
    "actor",
    [STRANGER, cast.ALONE, cast.OPERATOR, cast.OFFICER, cast.RESEARCHER, cast.INSURER, cast.PATIENT],
)
def test_a_person_is_found_by_nobody_else(actor: Actor) -> None:
    assert isinstance(_found(actor, OWN, by_ins=True), Denial)


def test_in_shared_a_person_is_found_by_ins_only() -> None:
    assert decide_find(Finding()).rule == "F0.finder"
    assert _found(STRANGER, SHARED, by_ins=True).rule == "F2.ins"
    assert _found(STRANGER, SHARED, by_ins=False).rule == "F0.ins"


@pytest.mark.parametrize("choice", [chosen(BLOCKED, STRANGER), chosen(CLOSURE)])
def test_in_shared_a_blocking_or_closed_record_is_not_found(choice: Choice) -> None:
    facts = SHARED.with_choice(choice)
    assert isinstance(_found(STRANGER, facts, by_ins=True), Denial)


def test_in_own_a_blocked_doctor_finds_the_name_so_that_no_second_record_is_made() -> None:
    assert isinstance(_found(DOCTOR, OWN.with_choice(chosen(BLOCKED, DOCTOR)), by_ins=False), Permit)


def _as_typed(actor: Actor, facts: RecordFacts, purpose: Purpose = Purpose.TREAT) -> Permit | Denial:
    return decide_find(
        finding_for(actor, purpose, RECORD, facts, NOW, REQUEST, shipped_policy(), as_typed=True)
    )


@pytest.mark.parametrize("actor", [DOCTOR, cast.NURSE, cast.LOCUM, SECRETARY])
def test_as_a_name_is_typed_a_person_is_found_by_the_structure(actor: Actor) -> None:
    assert _as_typed(actor, OWN).rule == "F3.as-typed"
    assert isinstance(_as_typed(actor, OWN), Permit)


@pytest.mark.parametrize(
    "actor",
    [STRANGER, cast.ALONE, cast.OPERATOR, cast.OFFICER, cast.RESEARCHER, cast.INSURER, cast.PATIENT],
)
def test_as_a_name_is_typed_nobody_else_finds_anybody(actor: Actor) -> None:
    assert isinstance(_as_typed(actor, OWN), Denial)


@pytest.mark.parametrize("actor", [DOCTOR, STRANGER, SECRETARY])
def test_in_shared_nobody_is_found_as_a_name_is_typed(actor: Actor) -> None:
    assert isinstance(_as_typed(actor, SHARED), Denial)


@pytest.mark.parametrize("category", sorted(set(Category) - {Category.IDENTITY}))
def test_finding_a_person_never_gives_a_permit_for_anything_else(category: Category) -> None:
    unit = ItemClass(category, "any", ("N",))
    finding = finding_for(
        DOCTOR, Purpose.TREAT, RECORD, OWN, NOW, REQUEST, shipped_policy(), by_ins=True, unit=unit
    )
    assert decide_find(finding).rule == "F0.unit"


def test_nobody_finds_for_an_insurer() -> None:
    assert _found(DOCTOR, OWN, by_ins=True, purpose=Purpose.INSURANCE).rule == "V1.third-party-purpose"


def test_finding_for_research_is_refused() -> None:
    assert isinstance(_found(DOCTOR, OWN, by_ins=True, purpose=Purpose.RESEARCH), Denial)


def test_no_regime_finds_nobody() -> None:
    assert _found(DOCTOR, RecordFacts(structure=cast.PRACTICE), by_ins=True).rule == "D0.regime"

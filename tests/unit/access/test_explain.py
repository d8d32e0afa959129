"""Why: one refusal, told to each reader in the words that they may read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serment.access.explain import ABSENT, PERMITTED, REFUSED, TRUE_REASON, explain, who_can
from serment.access.facts import Facts
from serment.access.grounds import GROUNDS
from serment.access.policy import shipped_policy
from serment.access.record_facts import BLOCKED, CLOSURE, OPPOSED
from serment.access.vetoes import VETOES
from serment.model import Purpose
from serment.words import Language, say
from tests.rules import tables
from tests.rules.cast import CARER as CARER_ACTOR
from tests.rules.cast import (
    DOCTOR,
    MOTHER,
    NOW,
    NURSE,
    PATIENT,
    RECORD,
    SHARED_TEAM,
    STRANGER,
    TEAM,
    UNIT,
    asked,
    chosen,
    in_emergency,
)
from tests.rules.table import CHILD, SECRET, TIMED, Row

HIDDEN = {
    "blocked": asked(DOCTOR, TEAM.with_choice(chosen(BLOCKED, DOCTOR))),
    "opposed": asked(DOCTOR, TEAM.with_choice(chosen(OPPOSED))),
    "masked": asked(DOCTOR, TEAM, replace(UNIT, masked=True)),
    "no relation": asked(STRANGER),
    "not in the row": asked(NURSE, TEAM, replace(UNIT, labels=("V",))),
    "closed": asked(DOCTOR, SHARED_TEAM.with_choice(chosen(CLOSURE))),
    "masked in an emergency": in_emergency(DOCTOR, TEAM, replace(UNIT, masked=True)),
}


@pytest.mark.capability("4-10", "refuses")
@pytest.mark.parametrize("facts", HIDDEN.values(), ids=HIDDEN)
def test_to_a_professional_every_refusal_reads_the_same(facts: Facts) -> None:
    told = explain(facts)
    assert (told.asker, told.professional, told.offered) == (
        REFUSED,
        REFUSED,
        ("declared-act", "emergency", "consent"),
    )


def test_the_holder_reads_the_true_reason() -> None:
    reasons = {name: explain(facts).holder for name, facts in HIDDEN.items()}
    assert reasons["blocked"] == "access.blocked"
    assert reasons["opposed"] == "access.opposed"
    assert reasons["masked"] == reasons["masked in an emergency"] == "access.masked"
    assert reasons["no relation"] == "access.no-relation"
    assert reasons["not in the row"] == "access.not-in-row"
    assert reasons["closed"] == "access.closed"


@pytest.mark.parametrize(
    "facts", [asked(PATIENT, TEAM, TIMED), asked(STRANGER, TEAM, TIMED), asked(DOCTOR, TEAM, TIMED)]
)
def test_while_a_timer_runs_the_holder_reads_absence_about_everybody(facts: Facts) -> None:
    told = explain(facts)
    assert (told.holder, told.representative) == (ABSENT, ABSENT)


def test_before_a_minors_secret_the_representative_reads_absence_and_the_holder_the_truth() -> None:
    told = explain(asked(MOTHER, CHILD, SECRET))
    assert (told.asker, told.representative, told.holder) == (ABSENT, ABSENT, "access.minor-secret")
    assert explain(asked(STRANGER, CHILD, SECRET)).representative == ABSENT


def test_a_carer_reads_absence_whatever_the_reason() -> None:
    for facts in (
        asked(CARER_ACTOR, CHILD, SECRET),
        asked(CARER_ACTOR, CHILD),
        asked(CARER_ACTOR, CHILD, TIMED),
    ):
        assert explain(facts).asker == ABSENT


@pytest.mark.capability("4-10", "lets")
@pytest.mark.parametrize(
    ("purpose", "sentence"),
    [(Purpose.INSURANCE, "access.third-party-purpose"), (Purpose.RESEARCH, "access.purpose")],
)
def test_what_depends_on_the_asker_alone_is_told_as_it_is(purpose: Purpose, sentence: str) -> None:
    told = explain(asked(DOCTOR, purpose=purpose))
    assert (told.asker, told.offered) == (sentence, ())


def test_a_permit_is_told_as_one() -> None:
    told = explain(asked(DOCTOR))
    assert (told.permitted, told.rule, told.asker, told.holder) == (True, "G6.team", PERMITTED, PERMITTED)


def test_the_truth_stays_for_the_ledger() -> None:
    told = explain(HIDDEN["masked"])
    assert (told.rule, told.missing) == ("V8.masked", "unmasking")
    assert told.lifted_by == ("holder", "representative", "author", "attending")


def test_every_rule_has_its_sentence_in_both_languages() -> None:
    refusing = {veto.rule for veto in VETOES} | {"D0.regime", "D0.purpose", "D0.silence"}
    assert refusing - {"V4.timer"} == TRUE_REASON.keys()
    assert not {rule for rule, _ in GROUNDS} & TRUE_REASON.keys()
    for sentence in {*TRUE_REASON.values(), REFUSED, ABSENT, PERMITTED}:
        assert say(sentence, Language.FR) != say(sentence, Language.EN)


ROWS = [pytest.param(row, id=row.says) for table in tables.ALL for row in table.rows]


@pytest.mark.parametrize("row", ROWS)
def test_an_explanation_agrees_with_the_decision(row: Row) -> None:
    told = explain(row.facts)
    assert (told.rule, told.permitted) == (row.rule, row.permits)


@pytest.mark.capability("4-10", "lets")
def test_the_holder_is_told_who_may_read_an_item_and_why() -> None:
    facts = TEAM.with_choice(chosen(BLOCKED, NURSE))
    told = who_can([DOCTOR, NURSE, STRANGER], Purpose.TREAT, RECORD, facts, UNIT, NOW, shipped_policy())
    assert [(actor.id, why.permitted, why.holder) for actor, why in told] == [
        (DOCTOR.id, True, PERMITTED),
        (NURSE.id, False, "access.blocked"),
        (STRANGER.id, False, "access.no-relation"),
    ]

"""Two ways, one answer: random lives of an installation on the fake and on the vault."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serment.errors import SermentError
from serment.keys.custody.contract import StoreKind
from serment.keys.custody.vault import Vault
from serment.keys.material import RecordKind
from tests.fakes.custody import FakeCustody
from tests.unit.keys.custody.rooms import ALICE, BRUNO, PASSPHRASE, REQUEST, ROOT_1, ROOT_2, SECOND, vault_in

Either = FakeCustody | Vault

RECORDS, YEARS = st.sampled_from([ALICE, BRUNO]), st.integers(2025, 2027)
PHRASES = st.sampled_from([PASSPHRASE, SECOND, "court"])


def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.tuples(st.just(name), st.tuples(*arguments))


LIVES = st.lists(
    st.one_of(
        step("init", PHRASES, st.sampled_from(list(StoreKind))),
        step("unlock", PHRASES),
        step("lock"),
        step("add_slot", PHRASES, st.just("autre"), PHRASES),
        step("remove_slot", PHRASES, st.integers(1, 3)),
        step("list_slots"),
        step("make", RECORDS, st.sampled_from(list(RecordKind)), YEARS),
        step("make_all", st.lists(RECORDS, max_size=3), st.sampled_from(list(RecordKind)), YEARS),
        step("unwrap", RECORDS, st.just(REQUEST), YEARS),
        step("year_keys", RECORDS),
        step("destroy", RECORDS),
        step("sign", st.integers(-1, 3), st.sampled_from([ROOT_1, ROOT_2, b""]), st.just("log")),
        step("remembered"),
    ),
    max_size=25,
)


def outcome(custody: Either, name: str, arguments: tuple[Any, ...]) -> object:
    """Give what can be compared of an answer: not the random bytes, but everything else."""
    try:
        answer = getattr(custody, name)(*arguments)
    except SermentError as error:
        return type(error), error.sentence
    if name in {"list_slots", "remembered", "add_slot", "lock"}:
        return answer
    if name == "year_keys":
        return [year.year for year in answer.years]
    if name == "make_all":
        return [(made.record, made.kind, made.year.year) for made in answer]
    if name in {"make", "unwrap"}:
        return answer.kind, answer.year.year
    state = custody.state()
    return state.phase, state.kind, state.records, state.unwrapped


def lives_agree(life: list[tuple[str, tuple[Any, ...]]]) -> None:
    fake = FakeCustody()
    with tempfile.TemporaryDirectory() as directory, vault_in(Path(directory)) as vault:
        for name, arguments in life:
            assert outcome(fake, name, arguments) == outcome(vault, name, arguments), name


@settings(max_examples=60, deadline=None)
@given(LIVES)
def test_the_fake_and_the_vault_give_the_same_answers(life: list[tuple[str, tuple[Any, ...]]]) -> None:
    lives_agree([("init", (PASSPHRASE, StoreKind.DEMO)), *life])


@pytest.mark.campaign
@settings(max_examples=3000, deadline=None)
@given(LIVES)
def test_the_fake_and_the_vault_give_the_same_answers_in_long_lives(
    life: list[tuple[str, tuple[Any, ...]]],
) -> None:
    lives_agree(life)

"""Heads and facts kept opened: for the very bytes that were read, while the keys are there, within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from serment.access.record_facts import RecordFacts
from serment.errors import IntegrityError
from serment.model import RecordToken
from serment.record.gate import look_again
from serment.record.glances import Glanced, Glances
from serment.record.index import Head
from serment.store.contract import RecordRow
from tests.installation import Installation, small_installation

MINE, OTHER = RecordToken(b"m" * 16), RecordToken(b"o" * 16)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with small_installation(tmp_path_factory.mktemp("glances")) as made:
        yield made


def glanced(record: RecordToken = MINE, size: int = 10) -> Glanced:
    row = RecordRow(record, 3, b"h" * size, b"f" * size)
    return Glanced(row, Head("Patient/1", 3, 1, b"tag"), RecordFacts())


def test_what_was_opened_is_given_for_the_same_bytes_only() -> None:
    glances, kept = Glances(), glanced()
    glances.keep(kept)
    assert glances.of(replace(kept.row)) is kept
    for other in (
        replace(kept.row, head=b"other head"),
        replace(kept.row, facts=b"other facts"),
        replace(kept.row, epoch=4),
        replace(kept.row, record=OTHER),
    ):
        assert glances.of(other) is None


def test_a_record_whose_keys_go_is_kept_no_longer() -> None:
    glances, kept = Glances(), glanced()
    glances.keep(kept)
    glances.drop(MINE)
    glances.drop(OTHER)
    assert glances.of(kept.row) is None


def test_the_record_looked_at_longest_ago_makes_room() -> None:
    glances, first, second, third = (
        Glances(most=40),
        glanced(),
        glanced(OTHER),
        glanced(RecordToken(b"3" * 16)),
    )
    for one in (first, second):
        glances.keep(one)
    assert glances.of(first.row) is first
    glances.keep(third)
    assert [glances.of(one.row) for one in (first, second, third)] == [first, None, third]


def test_what_is_larger_than_all_room_is_not_kept() -> None:
    glances, large = Glances(most=40), glanced(size=100)
    glances.keep(large)
    assert glances.of(large.row) is None
    glances.keep(glanced(OTHER))
    assert glances.of(glanced(OTHER).row) is not None


def test_a_second_look_opens_neither_head_nor_facts_and_a_refusal_opens_both(made: Installation) -> None:
    passage, asking = made.house.passage, made.as_patient()
    with passage.store.snapshot() as snapshot:
        record = passage.resolve(snapshot, f"Patient/{made.record()}")[0].record
        passage.view(snapshot, asking, record)
        view = passage.view(snapshot, asking, record)
    assert view.known
    assert view.row is not None
    look_again(view)
    view.row = replace(view.row, facts=bytes(300))
    with pytest.raises(IntegrityError):
        look_again(view)


def test_what_is_opened_after_the_keys_have_gone_is_not_kept(made: Installation) -> None:
    """A request that still runs, or a record that was just begun: nothing outlives the keys."""
    passage, asking = made.house.passage, made.as_patient()
    with passage.store.snapshot() as snapshot:
        record = passage.resolve(snapshot, f"Patient/{made.record()}")[0].record
        view = passage.view(snapshot, asking, record)
    assert view.row is not None
    passage.keyring.let_go(record, view.row.epoch + 1)
    passage.keyring.keep(Glanced(view.row, view.head, view.facts))
    assert passage.keyring.glances.of(view.row) is None


def test_new_keys_of_a_record_begin_with_nothing_kept(made: Installation) -> None:
    passage, asking = made.house.passage, made.as_patient()
    with passage.store.snapshot() as snapshot:
        record = passage.resolve(snapshot, f"Patient/{made.record()}")[0].record
        view = passage.view(snapshot, asking, record)
        row = snapshot.record(record)
    assert row is not None
    assert passage.keyring.glances.of(row) is not None
    passage.keyring.hold(record, view.head.epoch, asking.now, view.keys)
    assert passage.keyring.glances.of(row) is None

"""Rows moved: between two patients, between two items of one, between two installations' places."""

# ruff: noqa: S608 - tables and columns of the test's own tables

from __future__ import annotations

import pytest

from tests.attacks.sql import Thief, found, read_all, stopped
from tests.installation import Installation


def numbers(thief: Thief, table: str, role: str) -> list[int]:
    found = thief.rows(f"SELECT number FROM {table} WHERE record = ? ORDER BY number", thief.record(role))
    return [number for (number,) in found]


@pytest.mark.parametrize("table", ["body", "pack"])
@pytest.mark.capability("0-05", "refuses")
def test_a_row_of_another_patient_in_the_place_of_mine_is_found(
    made: Installation, thief: Thief, table: str
) -> None:
    before = read_all(made)
    for mine, theirs in zip(numbers(thief, table, "light"), numbers(thief, table, "other"), strict=False):
        put = f"UPDATE {table} SET sealed = (SELECT sealed FROM {table} WHERE number = ?) WHERE number = ?"
        with thief.changed(table, put, theirs, mine):
            assert stopped(made, before) or found(made)
            assert found(made)
    assert read_all(made) == before


@pytest.mark.parametrize("table", ["body", "pack"])
def test_a_row_given_to_another_patient_is_missed_where_it_was(
    made: Installation, thief: Thief, table: str
) -> None:
    before = read_all(made)
    number = numbers(thief, table, "light")[0]
    put = f"UPDATE {table} SET record = ? WHERE number = ?"
    with thief.changed(table, put, thief.record("other"), number):
        stopped(made, before)
        assert found(made)


def test_two_bodies_of_one_patient_exchanged_are_found(made: Installation, thief: Thief) -> None:
    before = read_all(made)
    *_, first, second = numbers(thief, "body", "light")
    put = (
        "UPDATE body SET sealed = (SELECT sealed FROM body AS other WHERE other.number = ? + ? - body.number)"
        " WHERE number IN (?, ?)"
    )
    with thief.changed("body", put, first, second, first, second):
        assert stopped(made, before)
        assert found(made)


@pytest.mark.parametrize("column", ["facts", "head"])
def test_the_facts_or_the_head_of_another_patient_open_nothing(
    made: Installation, thief: Thief, column: str
) -> None:
    """Facts of a record where the thief is in the team would let them in."""
    before = read_all(made)
    put = f"UPDATE record SET {column} = (SELECT {column} FROM record WHERE record = ?) WHERE record = ?"
    with thief.changed("record", put, thief.record("other"), thief.record()):
        assert stopped(made, before)
        assert found(made)


def test_a_locator_that_leads_to_another_patient_is_found(made: Installation, thief: Thief) -> None:
    before = read_all(made)
    put = "UPDATE locator SET record = ? WHERE record = ?"
    with thief.changed("locator", put, thief.record("other"), thief.record()):
        stopped(made, before)
        assert found(made)


def test_a_chain_row_of_another_patient_opens_nothing(made: Installation, thief: Thief) -> None:
    before = read_all(made)
    rows = thief.saved("chain")
    for token, _ in rows:
        for other, sealed in rows:
            if other != token:
                put = "UPDATE chain SET sealed = ? WHERE token = ?"
                with thief.changed("chain", put, sealed, token):
                    assert found(made)
                break
    assert read_all(made) == before

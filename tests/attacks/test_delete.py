"""Rows taken away: an item never disappears in silence, whatever row it lost."""

# ruff: noqa: S608 - tables and columns of the test's own tables

from __future__ import annotations

import pytest

from tests.attacks.sql import Thief, found, read_all, stopped
from tests.installation import Installation


@pytest.mark.capability("0-05", "refuses")
@pytest.mark.parametrize("table", ["body", "pack"])
def test_each_row_of_a_record_deleted_is_missed(made: Installation, thief: Thief, table: str) -> None:
    before, unread = read_all(made), 0
    for row in thief.saved(table, "record = ?", thief.record()):
        with thief.changed(table, f"DELETE FROM {table} WHERE number = ?", row[0]):
            assert found(made)
            unread += not stopped(made, before)
    # Of bodies, only both halves of the Patient before its identity was checked are not read now.
    assert table == "pack" or unread == 2
    assert not found(made)
    assert read_all(made) == before


@pytest.mark.parametrize("table", ["locator", "person"])
def test_each_token_of_a_record_deleted_is_missed(made: Installation, thief: Thief, table: str) -> None:
    """Without its locator an item reads as absent; without its token a person is not found."""
    for row in thief.saved(table, "record = ?", thief.record()):
        with thief.changed(
            table, f"DELETE FROM {table} WHERE token = ? AND record = ?", row[0], thief.record()
        ):
            assert found(made)
    assert not found(made)


def test_a_contact_that_no_token_leads_to_any_more_is_not_taken_for_absent(
    made: Installation, thief: Thief
) -> None:
    """Half a person served as if it were the whole would be a wrong answer."""
    before = read_all(made)
    token = made.house.passage.installation.locator(f"Patient/{made.record()}#contact")
    with thief.changed("locator", "DELETE FROM locator WHERE token = ?", token):
        assert stopped(made, before)
        assert found(made)
    assert read_all(made) == before


def test_a_whole_record_deleted_is_missed_by_the_ledger(made: Installation, thief: Thief) -> None:
    record = thief.record()
    with thief.changed("record", "DELETE FROM record WHERE record = ?", record):
        assert found(made)
        assert "b" not in {type(body).__name__[0] for body in read_all(made).values()}
    assert not found(made)


def test_every_trace_of_a_whole_record_deleted_is_missed(made: Installation, thief: Thief) -> None:
    """Record, rows, chain and locators gone: its entries stand in the tree and nobody claims them."""
    record = thief.record("other")
    with (
        thief.changed("locator", "DELETE FROM locator WHERE record = ?", record),
        thief.changed("pack", "DELETE FROM pack WHERE record = ?", record),
        thief.changed("body", "DELETE FROM body WHERE record = ?", record),
        thief.changed("person", "DELETE FROM person WHERE record = ?", record),
        thief.changed("record", "DELETE FROM record WHERE record = ?", record),
    ):
        assert found(made)
        assert set(read_all(made, "other").values()) == {"NotFoundError"}
    assert not found(made)


def test_a_chain_row_deleted_closes_its_record(made: Installation, thief: Thief) -> None:
    before = read_all(made)
    for token, _ in thief.saved("chain"):
        with thief.changed("chain", "DELETE FROM chain WHERE token = ?", token):
            assert found(made)
    assert read_all(made) == before

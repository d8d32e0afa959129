"""The ledger itself attacked: a row rewritten, deleted, cut off at the end, added, or its trace hidden."""

# ruff: noqa: S608 - tables and columns of the test's own tables

from __future__ import annotations

from pathlib import Path

import pytest

from serment.errors import IntegrityError
from tests.attacks.sql import Thief, found, read_all
from tests.installation import Installation, run, small_installation


def found_locked(made: Installation) -> bool:
    return not made.house.proving.examine(unlocked=False).ok


@pytest.mark.parametrize("column", ["commitment", "body", "token", "key_id"])
@pytest.mark.capability("0-05", "refuses")
def test_a_row_of_the_ledger_rewritten_is_found(made: Installation, thief: Thief, column: str) -> None:
    for sequence in (1, 9, made.house.proving.examine().size):
        put = f"UPDATE entry SET {column} = randomblob(length({column})) WHERE sequence = ?"
        with thief.changed("entry", put, sequence):
            assert found(made)
            # What the tree holds is found without a key.
            assert found_locked(made) or column != "commitment" or sequence > 20
    assert not found(made)


@pytest.mark.parametrize(("column", "value"), [("kind", 2), ("hour", 400_000)])
def test_kind_or_hour_of_a_trace_rewritten_is_found(
    made: Installation, thief: Thief, column: str, value: int
) -> None:
    with thief.changed("entry", f"UPDATE entry SET {column} = ? WHERE sequence = 7", value):
        assert found(made)


def test_each_row_of_the_ledger_deleted_is_found(made: Installation, thief: Thief) -> None:
    for (sequence,) in thief.rows("SELECT sequence FROM entry ORDER BY sequence"):
        with thief.changed("entry", "DELETE FROM entry WHERE sequence = ?", sequence):
            assert found(made)
    assert not found(made)


def test_two_rows_of_the_ledger_exchanged_are_found_without_a_key(made: Installation, thief: Thief) -> None:
    other = "(SELECT o.commitment FROM entry o WHERE o.sequence = 11 - entry.sequence)"
    put = f"UPDATE entry SET commitment = {other}"
    with thief.changed("entry", f"{put} WHERE sequence IN (5, 6)"):
        assert found_locked(made)


def test_the_end_of_the_ledger_cut_off_is_found(made: Installation, thief: Thief) -> None:
    made.house.proving.checkpoint()
    size = made.house.proving.examine().size
    with thief.changed("entry", "DELETE FROM entry WHERE sequence > ?", size - 5):
        assert found_locked(made)
        assert found(made)
    assert not found(made)


def test_the_last_trace_cut_off_closes_its_record_and_stops_the_checkpoints(
    made: Installation, thief: Thief
) -> None:
    before = read_all(made)
    made.house.proving.checkpoint()
    last = thief.rows("SELECT max(sequence) FROM entry")[0][0]
    with thief.changed("entry", "DELETE FROM entry WHERE sequence = ?", last):
        with pytest.raises(IntegrityError):
            made.house.proving.checkpoint()
        assert not any(isinstance(body, bytes) for body in read_all(made).values())
    assert read_all(made) == before


def test_a_trace_hidden_from_the_patient_is_missed_in_their_list(made: Installation, thief: Thief) -> None:
    """Somebody takes one trace out of the middle: the list is refused whole, never shown with a hole."""
    read_all(made)
    keys = thief.rows(
        "SELECT token FROM entry GROUP BY token ORDER BY count(*) DESC, max(sequence) DESC LIMIT 1"
    )
    middle = thief.rows("SELECT sequence FROM entry WHERE token = ? ORDER BY sequence", keys[0][0])[5][0]
    assert run(made.house.proving.trail(made.as_patient(), made.record()))
    with (
        thief.changed("entry", "DELETE FROM entry WHERE sequence = ?", middle),
        pytest.raises(IntegrityError),
    ):
        run(made.house.proving.trail(made.as_patient(), made.record()))


def test_a_trace_rewritten_is_refused_in_the_patient_s_list(made: Installation, thief: Thief) -> None:
    keys = thief.rows("SELECT token FROM entry GROUP BY token ORDER BY count(*) DESC LIMIT 1")
    middle = thief.rows("SELECT sequence FROM entry WHERE token = ? ORDER BY sequence", keys[0][0])[6][0]
    put = "UPDATE entry SET hour = hour - 1 WHERE sequence = ?"
    with thief.changed("entry", put, middle), pytest.raises(IntegrityError):
        run(made.house.proving.trail(made.as_patient(), made.record()))


def test_a_row_added_at_the_end_belongs_to_nobody(made: Installation, thief: Thief) -> None:
    put = "INSERT INTO entry SELECT sequence + 1, kind, hour, randomblob(32), key_id, token, body FROM entry"
    with thief.changed("entry", f"{put} ORDER BY sequence DESC LIMIT 1"):
        assert found(made)


def test_checkpoints_removed_or_forged_are_found_without_a_key(made: Installation, thief: Thief) -> None:
    made.house.proving.checkpoint()
    with thief.changed("checkpoint", "DELETE FROM checkpoint"):
        assert found_locked(made)
    with thief.changed("checkpoint", "UPDATE checkpoint SET size = size - 1"):
        assert found_locked(made)
    with thief.changed("checkpoint", "UPDATE checkpoint SET root = randomblob(32)"):
        assert found_locked(made)


def test_another_database_under_a_running_server_is_found(tmp_path: Path) -> None:
    with small_installation(tmp_path) as made:
        read_all(made)
        made.house.proving.checkpoint()
        thief = Thief(made)
        thief.rows("DELETE FROM entry")
        thief.rows("DELETE FROM checkpoint")
        thief.close()
        with pytest.raises(IntegrityError):
            made.house.proving.checkpoint()

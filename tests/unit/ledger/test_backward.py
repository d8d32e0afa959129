"""A trace is read back piece by piece: the pieces are the whole, and none of them can have a hole."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import IntegrityError
from serment.ledger.append import Pending, Trail
from serment.ledger.backward import Place, Stretch, back, end_of
from serment.ledger.chains import Chain
from serment.ledger.entry import Body
from serment.ledger.follow import Followed, follow
from tests.unit.ledger.memory import (
    MemoryRows,
    MemoryYearKey,
    birth_event,
    ledger,
    new_trail,
    read_event,
)
from tests.unit.ledger.test_follow import filled


def everything(_: Body) -> bool:
    return True


def pieces(rows: MemoryRows, trail: Trail, most: int, walk: int) -> list[Stretch]:
    place: Place | None = end_of(rows, trail.record, trail.key)
    found = []
    while place is not None:
        found.append(back(rows, trail.record, [trail.year], place, everything, most=most, walk=walk))
        place = found[-1].next
    return found


def whole(rows: MemoryRows, trail: Trail) -> list[Followed]:
    return follow(rows, trail.record, trail.key, [trail.year], list(Chain))[::-1]


@given(most=st.integers(1, 12), walk=st.integers(1, 12))
def test_the_pieces_together_are_the_whole_trace_newest_first(most: int, walk: int) -> None:
    rows, trail = filled()
    found = [one for piece in pieces(rows, trail, most, walk) for one in piece.found]
    assert found == whole(rows, trail)


def test_a_piece_reads_no_more_than_it_was_let() -> None:
    rows, trail = filled()
    first = pieces(rows, trail, 99, 4)[0]
    assert (first.walked, len(first.found), first.oldest) == (4, 4, first.found[-1].body.event.t)


def test_what_is_not_wanted_is_read_and_left_out() -> None:
    rows, trail = filled()
    place = end_of(rows, trail.record, trail.key)
    found = back(
        rows, trail.record, [trail.year], place,
        lambda body: body.chain is Chain.PROTECTED, most=9, walk=99,
    )  # fmt: skip
    assert [one.body.p_seq for one in found.found] == [3, 2, 1]
    assert (found.walked, found.next) == (9, None)


def test_what_is_written_meanwhile_moves_no_piece() -> None:
    rows, trail = filled()
    before = whole(rows, trail)
    first = pieces(rows, trail, 3, 99)[0]
    ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event(7))])
    assert first.next is not None
    rest = back(rows, trail.record, [trail.year], first.next, everything, most=99, walk=99)
    assert [*first.found, *rest.found] == before


def test_two_years_are_read_back_as_one_trace() -> None:
    rows, trail = filled()
    new = Trail(trail.record, trail.key, MemoryYearKey())
    ledger().append(rows, [Pending(new, Chain.ORDINARY, read_event(7))])
    place = end_of(rows, trail.record, trail.key)
    years = [trail.year, new.year]
    found = back(rows, trail.record, years, place, everything, most=99, walk=99)
    assert found.found == follow(rows, trail.record, trail.key, years, list(Chain))[::-1]


@pytest.mark.parametrize("place", range(18))
def test_attack_a_row_is_deleted_and_no_shorter_list_is_shown(place: int) -> None:
    rows, trail = filled()
    ours = rows.entries[place].token == trail.year.token("ledger")
    del rows.entries[place]
    rows.index()
    if ours:
        with pytest.raises(IntegrityError):
            pieces(rows, trail, 2, 99)
    else:
        assert pieces(rows, trail, 2, 99)


@pytest.mark.parametrize(
    "change", [{"hour": 1}, {"kind": 3}, {"key_id": bytes(16)}, {"commitment": bytes(32)}]
)
def test_attack_what_stands_in_clear_is_changed(change: dict[str, bytes]) -> None:
    rows, trail = filled()
    rows.entries[0] = replace(rows.entries[0], **change)  # type: ignore[arg-type]  # mypy joins the columns into one type
    with pytest.raises(IntegrityError):
        pieces(rows, trail, 99, 99)


def test_attack_two_rows_are_put_in_each_others_place() -> None:
    rows, trail = filled()
    mine = [place for place, row in enumerate(rows.entries) if row.token == trail.year.token("ledger")]
    one, two = mine[-1], mine[-3]
    first, second = rows.entries[one], rows.entries[two]
    rows.entries[one] = replace(second, sequence=first.sequence)
    rows.entries[two] = replace(first, sequence=second.sequence)
    with pytest.raises(IntegrityError):
        pieces(rows, trail, 99, 99)


def test_attack_a_place_of_another_record_shows_nothing() -> None:
    rows, trail = filled()
    other = new_trail()
    ledger().birth(rows, other, birth_event())
    with pytest.raises(IntegrityError):
        back(
            rows, trail.record, [trail.year], end_of(rows, other.record, other.key),
            everything, most=9, walk=9,
        )  # fmt: skip

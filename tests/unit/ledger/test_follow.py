"""A trace is given whole or not at all, and a reader of one chain sees no gap."""

from dataclasses import replace

import pytest

from serment.errors import IntegrityError
from serment.ledger.append import Pending, Trail
from serment.ledger.chains import Chain
from serment.ledger.follow import Followed, follow
from serment.model import RecordToken
from tests.unit.ledger.memory import (
    MemoryRows,
    MemoryYearKey,
    birth_event,
    ledger,
    new_trail,
    read_event,
)

ORDER = [Chain.ORDINARY, Chain.PROTECTED, Chain.ORDINARY, Chain.DEFERRED, Chain.PROTECTED, Chain.ORDINARY]


def filled() -> tuple[MemoryRows, Trail]:
    rows, trail, other = MemoryRows(), new_trail(), new_trail()
    ledger().birth(rows, trail, birth_event())
    ledger().birth(rows, other, birth_event())
    for number, chain in enumerate(ORDER, 1):
        ledger().append(rows, [Pending(trail, chain, read_event(number))])
        ledger().append(rows, [Pending(other, Chain.ORDINARY, read_event(99))])
    return rows, trail


def followed(rows: MemoryRows, trail: Trail, *chains: Chain) -> list[Followed]:
    return follow(rows, trail.record, trail.key, [trail.year], chains)


def test_the_holder_follows_every_chain_in_the_order_of_the_ledger() -> None:
    rows, trail = filled()
    found = followed(rows, trail, *Chain)
    assert [entry.body.event.request for entry in found] == ["act-0"] * 3 + [f"act-{n}" for n in range(1, 7)]
    assert [entry.sequence for entry in found] == sorted(entry.sequence for entry in found)


def test_a_proxy_follows_the_ordinary_chain_and_sees_no_gap() -> None:
    rows, trail = filled()
    found = followed(rows, trail, Chain.ORDINARY)
    assert [entry.body.p_seq for entry in found] == [1, 2, 3, 4]
    assert [entry.body.p_prev for entry in found[1:]] == [entry.commitment for entry in found[:-1]]


def test_entries_of_two_years_are_followed_as_one_chain() -> None:
    rows, trail = filled()
    new = Trail(trail.record, trail.key, MemoryYearKey())
    ledger().append(rows, [Pending(new, Chain.ORDINARY, read_event(7))])
    found = follow(rows, trail.record, trail.key, [new.year, trail.year], [Chain.ORDINARY])
    assert [entry.body.p_seq for entry in found] == [1, 2, 3, 4, 5]


def test_a_year_that_expired_leaves_the_later_ones_readable() -> None:
    rows, trail = filled()
    new = Trail(trail.record, trail.key, MemoryYearKey())
    ledger().append(rows, [Pending(new, Chain.ORDINARY, read_event(7))])
    (entry,) = follow(rows, trail.record, trail.key, [new.year], list(Chain), expired=True)
    assert entry.body.p_seq == 5
    with pytest.raises(IntegrityError):
        follow(rows, trail.record, trail.key, [new.year], list(Chain))


@pytest.mark.parametrize("place", range(18))
def test_attack_a_row_is_deleted_and_no_shorter_list_is_shown(place: int) -> None:
    rows, trail = filled()
    ours = rows.entries[place].token == trail.year.token("ledger")
    del rows.entries[place]
    rows.index()
    if ours:
        with pytest.raises(IntegrityError):
            followed(rows, trail, Chain.ORDINARY)
    else:
        assert followed(rows, trail, Chain.ORDINARY)


@pytest.mark.parametrize(
    "change", [{"hour": 1}, {"kind": 3}, {"key_id": bytes(16)}, {"commitment": bytes(32)}]
)
def test_attack_what_stands_in_clear_is_changed(change: dict[str, bytes]) -> None:
    rows, trail = filled()
    rows.entries[0] = replace(rows.entries[0], **change)  # type: ignore[arg-type]  # mypy joins the columns into one type
    with pytest.raises(IntegrityError):
        followed(rows, trail, Chain.ORDINARY)


def test_attack_the_trace_of_another_record_is_shown() -> None:
    rows, trail = filled()
    with pytest.raises(IntegrityError):
        follow(rows, RecordToken(bytes(16)), trail.key, [trail.year], list(Chain))

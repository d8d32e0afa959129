"""Entries take their place inside the caller's transaction, and a harmed record is refused."""

import secrets

import pytest

from serment.errors import IntegrityError, LedgerError
from serment.ledger.append import TOKEN_LABEL, Pending, Trail, chain_state, trusted
from serment.ledger.chains import Chain, HeadMark, Link
from serment.ledger.entry import (
    Body,
    Decision,
    Event,
    Interaction,
    Kind,
    body_data,
    body_from,
    entry_bytes,
    unboxed,
)
from serment.ledger.port import AppendRows, CheckpointRows, MergeRows
from serment.model import RecordToken
from serment.store.contract import EntryRow, Transaction
from tests.unit.ledger.memory import (
    NOON,
    MemoryRows,
    MemoryYearKey,
    birth_event,
    ledger,
    mark,
    new_trail,
    read_event,
)


def born(rows: MemoryRows, head: HeadMark | None = None) -> Trail:
    trail = new_trail()
    ledger().birth(rows, trail, birth_event(), head or mark(0))
    return trail


def tokens(trail: Trail) -> list[bytes]:
    return [trail.year.token(TOKEN_LABEL)]


def the_store_satisfies_the_port(
    tx: Transaction,
) -> tuple[AppendRows[EntryRow], CheckpointRows, MergeRows[EntryRow]]:
    """Never run: mypy reads it."""
    return tx, tx, tx


def test_a_record_is_born_with_three_chains_alike_from_outside() -> None:
    rows = MemoryRows()
    born(rows)
    outside = {(row.kind, row.hour, row.key_id, row.token, len(row.body)) for row in rows.entries}
    assert len(rows.entries) == 3
    assert len(outside) == 1
    assert len(rows.chains) == 1


def test_the_row_of_a_secret_looks_like_the_row_of_any_reading() -> None:
    rows = MemoryRows()
    trail = born(rows)
    ledger().append(rows, [Pending(trail, chain, read_event()) for chain in Chain])
    outside = {(row.kind, row.hour, row.key_id, row.token, len(row.body)) for row in rows.entries[3:]}
    assert len(outside) == 1


def test_a_record_is_not_born_twice() -> None:
    rows = MemoryRows()
    trail = born(rows)
    with pytest.raises(LedgerError):
        ledger().birth(rows, trail, birth_event())


def test_every_entry_gets_one_receipt_with_its_place() -> None:
    rows = MemoryRows()
    trail = born(rows)
    receipts = ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event(n)) for n in range(3)])
    assert [receipt.sequence for receipt in receipts] == [4, 5, 6]
    assert [receipt.request for receipt in receipts] == ["act-0", "act-1", "act-2"]
    assert [receipt.commitment for receipt in receipts] == [row.commitment for row in rows.entries[3:]]
    assert {receipt.record for receipt in receipts} == {trail.record}


def test_each_chain_counts_its_own_entries_and_names_the_one_before() -> None:
    rows = MemoryRows()
    trail = born(rows)
    order = [Chain.ORDINARY, Chain.PROTECTED, Chain.ORDINARY, Chain.DEFERRED, Chain.ORDINARY]
    ledger().append(rows, [Pending(trail, chain, read_event()) for chain in order])
    for chain in Chain:
        before = bytes(32)
        bodies = [(row, open_body(trail, row)) for row in rows.entries]
        for count, (row, body) in enumerate([pair for pair in bodies if pair[1].chain is chain], 1):
            assert (body.p_seq, body.p_prev) == (count, before)
            before = row.commitment
        assert chain_state(rows, trail.record, trail.key).link(chain).commitment == before


def open_body(trail: Trail, row: EntryRow) -> Body:
    aad = body_data(entry_bytes(row.kind, row.commitment))
    return body_from(unboxed(trail.year.open(row.body, aad)))


def test_two_equal_events_have_unequal_commitments() -> None:
    rows = MemoryRows()
    trail = born(rows)
    one, two = ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event())] * 2)
    assert one.commitment != two.commitment


def test_a_write_leaves_its_head_in_the_chain_row_and_a_reading_keeps_it() -> None:
    rows = MemoryRows()
    trail = born(rows)
    ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event(), mark(7, epoch=2))])
    ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event())])
    assert chain_state(rows, trail.record, trail.key).head == mark(7, epoch=2)


def test_a_job_that_is_undone_leaves_nothing_behind() -> None:
    rows = MemoryRows()
    trail = born(rows)
    writer = ledger()
    undone = rows.copy()
    writer.append(undone, [Pending(trail, Chain.ORDINARY, read_event(n)) for n in range(5)])
    (receipt,) = writer.append(rows, [Pending(trail, Chain.ORDINARY, read_event(9))])
    assert receipt.sequence == 4


def test_two_processes_append_in_turn_to_the_same_rows() -> None:
    rows = MemoryRows()
    trail = born(rows)
    first, second = ledger(), ledger()
    for number in range(4):
        (first if number % 2 else second).append(rows, [Pending(trail, Chain.ORDINARY, read_event(number))])
    assert [row.sequence for row in rows.entries] == list(range(1, 8))


def test_when_the_clock_goes_backwards_the_sequence_keeps_the_order() -> None:
    rows = MemoryRows()
    trail = born(rows)
    ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event(t=NOON - 86_400_000))])
    assert [row.sequence for row in rows.entries] == [1, 2, 3, 4]
    assert rows.entries[3].hour == rows.entries[2].hour - 24


def test_a_new_year_changes_key_and_token_and_keeps_the_chain() -> None:
    rows = MemoryRows()
    old = born(rows)
    new = Trail(old.record, old.key, MemoryYearKey())
    ledger().append(rows, [Pending(new, Chain.ORDINARY, read_event())])
    assert rows.entries[3].token != rows.entries[2].token
    assert open_body(new, rows.entries[3]).p_seq == 2


def test_a_refusal_has_its_own_kind_whatever_was_tried() -> None:
    event = Event(t=NOON, request="a", interaction=Interaction.CREATE, decision=Decision.DENIAL)
    assert event.kind is Kind.REFUSAL


def test_a_trusted_record_passes() -> None:
    rows = MemoryRows()
    trail = born(rows)
    trusted(rows, chain_state(rows, trail.record, trail.key), tokens(trail), mark(0))


def test_attack_the_chain_row_is_rolled_back() -> None:
    rows = MemoryRows()
    trail = born(rows)
    before = dict(rows.chains)
    ledger().append(rows, [Pending(trail, Chain.PROTECTED, read_event())])
    rows.chains = before
    with pytest.raises(IntegrityError):
        trusted(rows, chain_state(rows, trail.record, trail.key), tokens(trail), mark(0))
    with pytest.raises(IntegrityError):
        ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event())])


def test_attack_the_chain_row_is_rolled_back_over_the_new_year() -> None:
    rows = MemoryRows()
    old = born(rows)
    before = dict(rows.chains)
    new = Trail(old.record, old.key, MemoryYearKey())
    ledger().append(rows, [Pending(new, Chain.ORDINARY, read_event())])
    rows.chains = before
    with pytest.raises(IntegrityError):
        trusted(rows, chain_state(rows, new.record, new.key), tokens(old) + tokens(new), mark(0))


def test_attack_the_chain_row_of_last_year_is_put_back_in_the_new_year() -> None:
    rows = MemoryRows()
    old = born(rows)
    before = dict(rows.chains)
    ledger().append(rows, [Pending(old, Chain.ORDINARY, read_event())])
    rows.chains = before
    new = Trail(old.record, old.key, MemoryYearKey())
    with pytest.raises(IntegrityError):
        trusted(rows, chain_state(rows, new.record, new.key), tokens(new), mark(0))
    with pytest.raises(IntegrityError):
        ledger().append(rows, [Pending(new, Chain.ORDINARY, read_event())])


def test_attack_the_head_is_rolled_back() -> None:
    rows = MemoryRows()
    trail = born(rows)
    ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event(), mark(2))])
    state = chain_state(rows, trail.record, trail.key)
    with pytest.raises(IntegrityError):
        trusted(rows, state, tokens(trail), mark(0))
    with pytest.raises(IntegrityError):
        trusted(rows, state, tokens(trail), mark(2, epoch=5))


def test_attack_the_last_entries_are_deleted() -> None:
    rows = MemoryRows()
    trail = born(rows)
    ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event())])
    rows.entries.pop()
    rows.index()
    with pytest.raises(IntegrityError):
        trusted(rows, chain_state(rows, trail.record, trail.key), tokens(trail), mark(0))


def test_attack_the_chain_row_is_deleted() -> None:
    rows = MemoryRows()
    trail = born(rows)
    rows.chains.clear()
    with pytest.raises(IntegrityError):
        ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event())])
    assert len(rows.entries) == 3


def test_attack_the_chain_row_of_another_record() -> None:
    rows = MemoryRows()
    one, two = born(rows), born(rows)
    rows.chains[one.key.token()] = rows.chains[two.key.token()]
    with pytest.raises(IntegrityError):
        chain_state(rows, one.record, one.key)
    with pytest.raises(IntegrityError):
        chain_state(rows, RecordToken(secrets.token_bytes(16)), two.key)


def test_the_first_link_of_a_chain_is_nothing() -> None:
    assert Link() == Link(0, bytes(32), 0)

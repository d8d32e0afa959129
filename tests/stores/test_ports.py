"""The contract fits what the ledger asks for: checked by mypy here, and once by use."""

from __future__ import annotations

from serment.ledger.port import AppendRows, CheckpointRows, MergeRows, Rows
from serment.store.contract import EntryRow, Snapshot, Store, Transaction
from tests.stores.engines import an_entry


def as_rows(snapshot: Snapshot) -> Rows:
    return snapshot


def as_append_rows(transaction: Transaction) -> AppendRows[EntryRow]:
    return transaction


def as_merge_rows(transaction: Transaction) -> MergeRows[EntryRow]:
    return transaction


def as_checkpoint_rows(transaction: Transaction) -> CheckpointRows:
    return transaction


def test_the_ledger_writes_through_its_ports_and_reads_the_same(store: Store) -> None:
    def write(t: Transaction) -> None:
        as_append_rows(t).add_entries([an_entry(1), an_entry(2)])
        as_merge_rows(t).put_meta("ledger.spool-merged", b"commitment")
        as_checkpoint_rows(t).put_checkpoint(2, b"root", b"note")

    store.submit(write).result()
    with store.snapshot() as snapshot:
        rows = as_rows(snapshot)
        assert [entry.sequence for entry in rows.ledger_entries(1, 3)] == [1, 2]
        assert (rows.ledger_size(), rows.checkpoint()) == (2, (2, b"root", b"note"))

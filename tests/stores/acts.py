"""A process that writes acts until it is killed or done: `python -m tests.stores.acts ENGINE FOLDER …`.

One act is one job that must hold together: the record's epoch, a body, a locator and a ledger entry
all move by one. Its number goes to standard output only after its future is done.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from threading import Thread

from serment.model import RecordToken
from serment.store.contract import EntryRow, RecordRow, Snapshot, Store, Transaction
from tests.stores.engines import ENGINES

RECORD = RecordToken(b"the one record..")


def act(name: bytes, transaction: Transaction) -> None:
    row = transaction.record(RECORD)
    if row is None:
        row = RecordRow(RECORD, 0, b"", b"")
        transaction.add_record(row)
    body = transaction.next_body()
    transaction.put_body(RECORD, body, name + os.urandom(2_000))
    transaction.put_locator(name, RECORD, body)
    sequence = transaction.ledger_size() + 1
    transaction.add_entries([EntryRow(sequence, 1, 0, name, b"", RECORD, os.urandom(500))])
    transaction.put_record(RecordRow(RECORD, row.epoch + 1, b"head %d" % sequence, b""))


def acknowledged_and_whole(store: Store, acknowledged: list[bytes]) -> int:
    """Check that every acknowledged act stands and that none stands by half; give their number."""

    def look(view: Snapshot) -> int:
        entries = list(view.ledger_entries(0, 1 << 60))
        names = [entry.commitment for entry in entries]
        row = view.record(RECORD)
        assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
        assert len(set(names)) == len(names)
        assert set(acknowledged) <= set(names)
        assert (row.epoch if row else 0) == len(entries)
        for name in names:
            place = view.locate(name)
            assert place is not None
            assert view.bodies(RECORD, [place.pack])[0][1].startswith(name)
        return len(entries)

    return store.scan(look).result()


def _write(store: Store, prefix: str, acts: int) -> None:
    for turn in range(acts):
        name = f"{prefix}.{turn}".encode()
        store.submit(partial(act, name)).result()
        os.write(1, name + b"\n")


def main(engine: str, folder: str, prefix: str, threads: str, acts: str) -> None:
    store = ENGINES[engine].open(Path(folder))
    os.write(1, b"ready\n")
    sys.stdin.readline()
    writers = [
        Thread(target=_write, args=(store, f"{prefix}.{thread}", int(acts))) for thread in range(int(threads))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A search that too many people answer is refused: an answer that leaves people out would look whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from serment.errors import RequestError
from serment.model import RecordToken
from serment.record.finding import MOST_CANDIDATES, alike
from serment.store.contract import RecordRow, Transaction
from serment.store.sqlite import SqliteStore

TOKEN = b"same"


def with_people(store: SqliteStore, count: int) -> None:
    def job(txn: Transaction) -> None:
        for number in range(count):
            row = RecordRow(record_of(number), 1, b"head", b"facts")
            txn.add_record(row)
            txn.put_person(TOKEN, row.record)

    store.submit(job).result()


def record_of(number: int) -> RecordToken:
    return RecordToken(number.to_bytes(16, "big"))


@pytest.mark.parametrize(("count", "refused"), [(MOST_CANDIDATES, False), (MOST_CANDIDATES + 1, True)])
def test_more_people_than_an_answer_holds_are_refused(tmp_path: Path, count: int, refused: bool) -> None:
    store = SqliteStore.create(tmp_path / "record.sqlite")
    try:
        with_people(store, count)
        with store.snapshot() as snapshot:
            if refused:
                with pytest.raises(RequestError):
                    alike(snapshot, TOKEN)
            else:
                assert len(alike(snapshot, TOKEN)) == count
    finally:
        store.close()

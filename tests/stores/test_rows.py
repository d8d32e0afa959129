"""What goes in comes out, row kind by row kind; nothing is written beside the mark."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from serment.errors import ConflictError, IntegrityError, SermentError
from serment.model import RecordToken
from serment.store.contract import Lead, Located, PackRow, RecordRow, Store, Transaction
from tests.stores.engines import Engine, a_record, an_entry, append, token

ONE, OTHER = RecordToken(b"1" * 16), RecordToken(b"2" * 16)


def test_a_record_is_found_with_its_epoch_head_and_facts(store: Store) -> None:
    store.submit(lambda t: t.add_record(a_record(ONE))).result()
    store.submit(lambda t: t.put_record(RecordRow(ONE, 2, b"next head", b"next facts"))).result()
    with store.snapshot() as snapshot:
        assert snapshot.record(ONE) == RecordRow(ONE, 2, b"next head", b"next facts")
        assert snapshot.epoch(ONE) == 2
        assert (snapshot.record(OTHER), snapshot.epoch(OTHER)) == (None, None)


def test_records_are_listed_page_by_page(store: Store) -> None:
    tokens = sorted(token() for _ in range(25))

    def write(t: Transaction) -> None:
        for each in tokens:
            t.add_record(a_record(each))

    store.submit(write).result()
    listed: list[RecordToken] = []
    with store.snapshot() as snapshot:
        while page := snapshot.records(listed[-1] if listed else b"", 10):
            listed += page
    assert listed == tokens


def test_packs_come_in_the_order_asked_and_only_those_of_the_record(store: Store) -> None:
    def write(t: Transaction) -> list[int]:
        numbers = [t.next_pack() for _ in range(3)]
        for number in numbers:
            t.put_pack(OTHER if number == numbers[1] else ONE, number, b"pack %d" % number)
        return numbers

    first, second, third = store.submit(write).result()
    with store.snapshot() as snapshot:
        assert snapshot.packs(ONE, [third, second, 999, first]) == [
            PackRow(third, b"pack %d" % third),
            PackRow(first, b"pack %d" % first),
        ]


def test_many_rows_come_in_the_order_asked_and_none_of_another_record(store: Store) -> None:
    def write(t: Transaction) -> list[int]:
        numbers = [t.next_body() for _ in range(40)]
        for number in numbers:
            t.put_body(ONE if number != numbers[7] else OTHER, number, b"body %d" % number)
            t.put_pack(ONE if number != numbers[7] else OTHER, number, b"pack %d" % number)
        return numbers

    numbers = store.submit(write).result()
    asked = [*reversed(numbers), 10_000]
    mine = [number for number in reversed(numbers) if number != numbers[7]]
    with store.snapshot() as snapshot:
        assert snapshot.bodies(ONE, asked) == [(number, b"body %d" % number) for number in mine]
        assert snapshot.packs(ONE, asked) == [PackRow(number, b"pack %d" % number) for number in mine]
        assert (snapshot.bodies(ONE, []), snapshot.packs(ONE, [numbers[7]])) == ([], [])


def test_a_locator_leads_to_its_record_and_follows_its_pack(store: Store) -> None:
    store.submit(lambda t: t.put_locator(b"there", ONE, 7)).result()
    store.submit(lambda t: t.move_locators([(b"there", 9)])).result()
    with store.snapshot() as snapshot:
        assert snapshot.locate(b"there") == Located(ONE, 9)
        assert snapshot.locate(b"nowhere") is None
        assert snapshot.locate_two(b"nowhere", b"there") == (None, Located(ONE, 9))
        assert snapshot.locate_two(b"there", b"there") == (Located(ONE, 9), Located(ONE, 9))


def test_two_locators_come_with_the_rows_that_stand_there(store: Store) -> None:
    def write(t: Transaction) -> int:
        t.add_record(a_record(ONE))
        number = t.next_pack()
        t.put_pack(ONE, number, b"a pack")
        t.put_locator(b"whole", ONE, number)
        t.put_locator(b"pack of another record", OTHER, number)
        t.put_locator(b"nothing there", OTHER, 99)
        return number

    number = store.submit(write).result()
    with store.snapshot() as snapshot:
        whole, unknown = snapshot.lead_two(b"whole", b"unknown")
        assert whole == Lead(Located(ONE, number), a_record(ONE), b"a pack")
        assert unknown is None
        # A row that is gone is not an id that is unknown: the caller is told, and refuses.
        assert snapshot.lead_two(b"nothing there", b"pack of another record") == (
            Lead(Located(OTHER, 99), None, None),
            Lead(Located(OTHER, number), None, None),
        )


def test_bodies_come_back_byte_for_byte(store: Store) -> None:
    body = os.urandom(100_000)

    def write(t: Transaction) -> int:
        number = t.next_body()
        t.put_body(ONE, number, body)
        return number

    number = store.submit(write).result()
    with store.snapshot() as snapshot:
        assert snapshot.bodies(ONE, [number]) == [(number, body)]
        assert snapshot.bodies(OTHER, [number]) == []


def test_person_tokens_lead_to_several_records_until_dropped(store: Store) -> None:
    def write(t: Transaction) -> None:
        for record in (OTHER, ONE, ONE):
            t.put_person(b"name and birth date", record)

    store.submit(write).result()
    with store.snapshot() as snapshot:
        assert snapshot.persons(b"name and birth date", 10) == [ONE, OTHER]
        assert snapshot.persons(b"name and birth date", 1) == [ONE]
    store.submit(lambda t: t.drop_persons(ONE)).result()
    with store.snapshot() as snapshot:
        assert snapshot.persons(b"name and birth date", 10) == [OTHER]


def test_sessions_imports_and_meta_keep_the_last_value(store: Store) -> None:
    def write(t: Transaction) -> None:
        for last in (1, 2):
            t.put_session(b"hash", b"session %d" % last)
            t.put_imported(b"source", last)
            t.put_meta("name", b"%d" % last)

    store.submit(write).result()
    with store.snapshot() as snapshot:
        assert snapshot.session(b"hash") == b"session 2"
        assert snapshot.imported(b"source") == 2
        assert snapshot.meta("name") == b"2"
    assert store.session(b"hash", b"trail") == (b"session 2", 0)
    store.submit(lambda t: t.drop_session(b"hash")).result()
    assert store.session(b"hash", b"trail") == (None, 0)
    with store.snapshot() as snapshot:
        assert (snapshot.session(b"hash"), snapshot.imported(b"x"), snapshot.meta("x")) == (None, None, None)


def test_sessions_are_listed_some_at_a_time(store: Store) -> None:
    def write(t: Transaction) -> None:
        for name in (b"c", b"a", b"b"):
            t.put_session(name, b"session of " + name)

    store.submit(write).result()
    with store.snapshot() as snapshot:
        assert snapshot.sessions(b"", 2) == [(b"a", b"session of a"), (b"b", b"session of b")]
        assert snapshot.sessions(b"b", 2) == [(b"c", b"session of c")]


def test_what_a_retry_is_answered_with_keeps_its_last_value_and_is_found_when_it_is_old(store: Store) -> None:
    def write(t: Transaction) -> None:
        for name, hour in ((b"late", 9), (b"old", 3), (b"older", 2), (b"old", 4)):
            t.put_retry(name, hour, name + b" at %d" % hour)

    store.submit(write).result()
    with store.snapshot() as snapshot:
        assert (snapshot.retry(b"old"), snapshot.retry(b"nobody")) == (b"old at 4", None)
        assert snapshot.old_retries(9, 9) == [b"older", b"old"]
        assert snapshot.old_retries(9, 1) == [b"older"]
    store.submit(lambda t: t.drop_retry(b"older")).result()
    with store.snapshot() as snapshot:
        assert snapshot.old_retries(10, 9) == [b"old", b"late"]


def test_quarantine_lists_what_stands(store: Store) -> None:
    numbers = [store.submit(lambda t: t.add_quarantined(b"why")).result() for _ in range(4)]
    store.submit(lambda t: t.drop_quarantined(numbers[1])).result()
    with store.snapshot() as snapshot:
        assert snapshot.quarantined(0, 2) == [(numbers[0], b"why"), (numbers[2], b"why")]
        assert snapshot.quarantined(numbers[2], 9) == [(numbers[3], b"why")]


def test_the_ledger_counts_from_one_and_keeps_its_order(store: Store) -> None:
    mine, theirs = b"token of mine", b"token of theirs"
    for of in (mine, theirs, mine, mine):
        store.submit(partial(append, of=of)).result()
    with store.snapshot() as snapshot:
        assert snapshot.ledger_size() == 4
        assert sum(count for _, _, count in snapshot.ledger_days()) == 4
        assert [row.sequence for row in snapshot.ledger_entries(2, 4)] == [2, 3]
        assert [row.sequence for row in snapshot.entries_of(mine)] == [1, 3, 4]
        assert [row.sequence for row in snapshot.entries_of(mine, 1)] == [3, 4]
        assert [row.sequence for row in snapshot.entries_of(mine, 4)] == []
        assert [row.sequence for row in snapshot.entries_before(mine, 5, 2)] == [4, 3]
        assert [row.sequence for row in snapshot.entries_before(mine, 4, 9)] == [3, 1]
        assert snapshot.entries_before(b"x", 9, 9) == []
        ends = [snapshot.last_of(token) for token in (mine, theirs, b"x")]
        assert [end and end[0] for end in ends] == [4, 2, None]
        assert ends[0] == (4, next(snapshot.ledger_entries(4, 5)).commitment)
        assert next(snapshot.ledger_entries(1, 2)) == an_entry(1, mine)
    assert store.session(b"nobody", mine) == (None, 4)


def test_an_empty_ledger_has_size_nought(store: Store) -> None:
    with store.snapshot() as snapshot:
        assert snapshot.ledger_size() == 0
        assert list(snapshot.ledger_entries(0, 10)) == []
        assert (snapshot.checkpoint(), snapshot.chain(b"x")) == (None, None)


def test_chain_state_is_replaced(store: Store) -> None:
    store.submit(lambda t: t.put_chain(b"chain", b"one")).result()
    store.submit(lambda t: t.put_chain(b"chain", b"two")).result()
    with store.snapshot() as snapshot:
        assert snapshot.chain(b"chain") == b"two"


def test_a_chain_row_comes_with_the_last_entry_of_its_year(store: Store) -> None:
    store.submit(lambda t: t.put_chain(b"chain", b"sealed")).result()
    for of in (b"mine", b"theirs", b"mine", b"theirs"):
        store.submit(partial(append, of=of)).result()
    with store.snapshot() as snapshot:
        assert snapshot.chain_end(b"chain", b"mine") == (b"sealed", snapshot.last_of(b"mine"))
        assert snapshot.chain_end(b"chain", b"nobody's") == (b"sealed", None)
        assert snapshot.chain_end(b"no chain", b"theirs") == (None, snapshot.last_of(b"theirs"))


def test_a_smaller_checkpoint_that_comes_late_does_not_replace_a_greater(store: Store) -> None:
    store.submit(lambda t: t.put_checkpoint(10, b"root 10", b"note 10")).result()
    store.submit(lambda t: t.put_checkpoint(9, b"root 9", b"note 9")).result()
    with store.snapshot() as snapshot:
        assert snapshot.checkpoint() == (10, b"root 10", b"note 10")


def test_numbers_of_dropped_rows_are_never_given_again(engine: Engine, tmp_path: Path) -> None:
    store = engine.create(tmp_path)

    def add_and_drop(t: Transaction) -> tuple[int, int, int]:
        pack, body = t.next_pack(), t.next_body()
        t.put_pack(ONE, pack, b"pack")
        t.drop_packs(ONE, [pack])
        kept = t.add_quarantined(b"why")
        t.drop_quarantined(kept)
        return pack, body, kept

    first = store.submit(add_and_drop).result()
    store.close()
    store = engine.open(tmp_path)
    second = store.submit(add_and_drop).result()
    store.close()
    assert all(later > earlier for earlier, later in zip(first, second, strict=True))


WRONG: dict[str, tuple[Callable[[Transaction], object], type[SermentError]]] = {
    "a record that is not there is put": (lambda t: t.put_record(a_record(OTHER)), IntegrityError),
    "a record is added twice": (lambda t: t.add_record(a_record(ONE)), ConflictError),
    "a pack of another record is overwritten": (lambda t: t.put_pack(OTHER, 1, b"mine now"), IntegrityError),
    "a pack of another record is dropped": (lambda t: t.drop_packs(OTHER, [1]), IntegrityError),
    "a pack that is not there is dropped": (lambda t: t.drop_packs(ONE, [99]), IntegrityError),
    "a body is overwritten": (lambda t: t.put_body(ONE, 1, b"other bytes"), ConflictError),
    "a chunk is overwritten": (lambda t: t.put_chunk(ONE, b"blob", 0, b"other bytes"), ConflictError),
    "a locator is led to another record": (lambda t: t.put_locator(b"there", OTHER, 1), ConflictError),
    "a locator that is not there moves": (lambda t: t.move_locators([(b"nowhere", 1)]), IntegrityError),
    "an entry is written over": (lambda t: t.add_entries([an_entry(1)]), IntegrityError),
    "an entry leaves a hole": (lambda t: t.add_entries([an_entry(3)]), IntegrityError),
    "the second of two entries leaves a hole": (
        lambda t: t.add_entries([an_entry(2), an_entry(4)]),
        IntegrityError,
    ),
}


@pytest.mark.parametrize("attempt", sorted(WRONG))
def test_nothing_is_written_beside_the_mark(store: Store, attempt: str) -> None:
    def first(t: Transaction) -> None:
        t.add_record(a_record(ONE))
        t.put_pack(ONE, 1, b"pack")
        t.put_body(ONE, 1, b"body")
        t.put_chunk(ONE, b"blob", 0, b"chunk")
        t.put_locator(b"there", ONE, 1)
        t.add_entries([an_entry(1)])

    job, error = WRONG[attempt]
    store.submit(first).result()
    with pytest.raises(error):
        store.submit(job).result()
    with store.snapshot() as snapshot:
        assert snapshot.packs(ONE, [1]) == [PackRow(1, b"pack")]
        assert snapshot.bodies(ONE, [1]) == [(1, b"body")]
        assert snapshot.chunk(b"blob", 0) == b"chunk"
        assert snapshot.locate(b"there") == Located(ONE, 1)
        assert snapshot.ledger_size() == 1

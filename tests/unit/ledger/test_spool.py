"""A trace that the store does not take waits elsewhere, comes back once, and is never lost in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from serment.errors import LedgerError
from serment.ledger.append import Pending, Trail
from serment.ledger.chains import Chain
from serment.ledger.checkpoint import LogKey
from serment.ledger.entry import Event
from serment.ledger.spool import (
    SLOT_SIZE,
    Owed,
    SpoolHead,
    Waiting,
    head_from,
    merge,
    owed_gap,
    waiting,
    waiting_from,
)
from serment.ledger.verify import FaultKind, RecordTrail, verify
from serment.model import Instant, RequestId
from serment.words import Language
from tests.unit.ledger.memory import (
    NOON,
    MemoryRows,
    MemorySigner,
    birth_event,
    ledger,
    mark,
    new_trail,
    read_event,
)

STORE = bytes(range(16))


def born(rows: MemoryRows) -> Trail:
    trail = new_trail()
    ledger().birth(rows, trail, birth_event())
    return trail


def emergency(number: int = 1) -> Event:
    return replace(read_event(number), purpose="ETREAT", rule="G5.emergency")


def test_a_waiting_entry_comes_back_from_its_slot() -> None:
    entry = waiting(Pending(new_trail(), Chain.PROTECTED, read_event()))
    assert waiting_from(entry.to_bytes()) == entry


def test_all_slots_have_one_size() -> None:
    short = replace(read_event(), resources=())
    long = replace(read_event(), resources=tuple(f"Observation/{n:032}/_history/1" for n in range(32)))
    slots = [waiting(Pending(new_trail(), Chain.ORDINARY, event)).to_bytes() for event in (short, long)]
    assert {len(slot) for slot in slots} == {SLOT_SIZE}


def test_references_that_do_not_fit_are_cut_and_their_number_stays() -> None:
    many = replace(
        read_event(), resources=tuple("DocumentReference/" + "x" * 100 for _ in range(32)), count=32
    )
    entry = waiting_from(waiting(Pending(new_trail(), Chain.ORDINARY, many)).to_bytes())
    assert 0 < len(entry.event.resources) < 32
    assert entry.event.count == 32


def test_an_entry_that_can_never_fit_is_refused() -> None:
    endless = replace(read_event(), actor_name="x" * 4_000)
    with pytest.raises(LedgerError):
        waiting(Pending(new_trail(), Chain.ORDINARY, endless))


def test_a_write_has_no_second_place() -> None:
    with pytest.raises(LedgerError):
        waiting(Pending(new_trail(), Chain.ORDINARY, read_event(), mark(1)))


@given(st.integers(0, SLOT_SIZE - 1), st.integers(1, 255))
def test_a_harmed_slot_is_refused_or_says_something_else(place: int, change: int) -> None:
    entry = waiting(Pending(new_trail(), Chain.ORDINARY, read_event()))
    slot = bytearray(entry.to_bytes())
    slot[place] ^= change
    try:
        assert waiting_from(bytes(slot)).commitment != entry.commitment
    except LedgerError:
        return


@given(st.binary(max_size=100))
def test_bytes_that_are_no_slot_are_refused(raw: bytes) -> None:
    with pytest.raises(LedgerError):
        waiting_from(raw)


def test_the_receipt_says_that_the_entry_has_no_place_yet() -> None:
    trail = new_trail()
    receipt = waiting(Pending(trail, Chain.ORDINARY, read_event(4))).receipt
    assert (receipt.sequence, receipt.request, receipt.record) == (None, "act-4", trail.record)


def test_a_spooled_entry_takes_its_place_and_answers_for_its_receipt() -> None:
    rows = MemoryRows()
    trail = born(rows)
    spooled = [waiting(Pending(trail, Chain.ORDINARY, read_event(n))) for n in range(3)]
    ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event(9))])
    receipts = merge(ledger(), rows, spooled, lambda _: trail)
    assert [receipt.sequence for receipt in receipts] == [5, 6, 7]
    signer = MemorySigner()
    report = verify(
        rows,
        LogKey(signer.name, signer.public_key),
        trails=[RecordTrail(trail.record, trail.key, [trail.year])],
    )
    assert {fault.kind.value for fault in report.faults} == {"no-checkpoint"}
    assert report.late == 3


def test_a_merge_that_is_run_again_after_a_crash_adds_nothing() -> None:
    rows = MemoryRows()
    trail = born(rows)
    spooled = [waiting(Pending(trail, Chain.ORDINARY, read_event(n))) for n in range(3)]
    merge(ledger(), rows, spooled, lambda _: trail)
    assert merge(ledger(), rows, spooled, lambda _: trail) == []
    spooled.append(waiting(Pending(trail, Chain.ORDINARY, read_event(3))))
    (receipt,) = merge(ledger(), rows, spooled, lambda _: trail)
    assert (receipt.sequence, receipt.request) == (7, "act-3")


def test_attack_the_spool_is_put_back_and_merged_again() -> None:
    rows = MemoryRows()
    trail = born(rows)
    spooled = [waiting(Pending(trail, Chain.ORDINARY, read_event(n))) for n in range(2)]
    merge(ledger(), rows, spooled, lambda _: trail)
    rows.metas.clear()
    merge(ledger(), rows, spooled, lambda _: trail)
    signer = MemorySigner()
    trails = [RecordTrail(trail.record, trail.key, [trail.year])]
    report = verify(rows, LogKey(signer.name, signer.public_key), trails=trails)
    assert [fault.sequence for fault in report.faults if fault.kind is FaultKind.REPEATED] == [6, 7]


def test_an_empty_spool_merges_nothing() -> None:
    rows = MemoryRows()
    assert merge(ledger(), rows, [], lambda _: new_trail()) == []
    assert rows.metas == {}


def test_the_header_remembers_the_last_checkpoint() -> None:
    head = SpoolHead(STORE, 1_234, bytes(range(32)), b"note")
    assert head_from(head.to_bytes(), STORE) == head
    assert head_from(b"", STORE) == SpoolHead(STORE)


@pytest.mark.parametrize(
    "raw",
    [b"x", SpoolHead(STORE).to_bytes()[:-1], SpoolHead(STORE).to_bytes() + b"x", b"X" * 74],
    ids=["short", "cut", "longer", "other"],
)
def test_a_header_that_is_not_ours_is_refused(raw: bytes) -> None:
    with pytest.raises(LedgerError):
        head_from(raw, STORE)


def test_attack_the_spool_of_another_installation() -> None:
    with pytest.raises(LedgerError):
        head_from(SpoolHead(bytes(16)).to_bytes(), STORE)


def test_an_impossible_header_is_not_written() -> None:
    with pytest.raises(LedgerError):
        SpoolHead(b"short").to_bytes()


def test_only_an_emergency_access_may_be_owed() -> None:
    owed = Owed()
    with pytest.raises(LedgerError):
        owed.owe(Pending(new_trail(), Chain.ORDINARY, read_event()))
    assert (owed.count, owed.since) == (0, 0)


def test_owed_traces_are_counted_and_answer_for_their_receipts_when_paid() -> None:
    rows = MemoryRows()
    trail = born(rows)
    owed = Owed()
    given_out = [owed.owe(Pending(trail, Chain.ORDINARY, emergency(n))) for n in range(2)]
    assert (owed.count, owed.since) == (2, NOON)
    assert {receipt.sequence for receipt in given_out} == {None}
    ledger().append(rows, owed.entries())
    owed.paid(2)
    assert (owed.count, len(rows.entries)) == (0, 5)


def test_what_is_paid_while_more_is_owed_is_paid_once() -> None:
    owed = Owed()
    trail = new_trail()
    owed.owe(Pending(trail, Chain.ORDINARY, emergency(1)))
    before = owed.entries()
    owed.owe(Pending(trail, Chain.ORDINARY, emergency(2)))
    owed.paid(len(before))
    assert [pending.event.request for pending in owed.entries()] == ["act-2"]


@pytest.mark.parametrize(("count", "words"), [(3, "3 trace(s)"), (0, "leur nombre n'est pas connu")])
def test_traces_lost_with_the_process_are_said_by_the_ledger_itself(count: int, words: str) -> None:
    rows = MemoryRows()
    system = born(rows)
    gap = owed_gap(RequestId("act-9"), count, Instant(NOON), Instant(NOON + 5_000))
    ledger().append(rows, [Pending(system, Chain.ORDINARY, gap)])
    signer = MemorySigner()
    trails = [RecordTrail(system.record, system.key, [system.year])]
    report = verify(rows, LogKey(signer.name, signer.public_key), trails=trails)
    assert any(words in notice.said(Language.FR) for notice in report.notices)


def test_a_waiting_entry_shows_nobody_in_a_log() -> None:
    entry: Waiting = waiting(Pending(new_trail(), Chain.ORDINARY, read_event()))
    assert "Martin" not in repr(entry)
    assert "10001234567" not in repr(entry)

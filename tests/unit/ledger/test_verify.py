"""The ledger is read again, and whatever was changed is found and said."""

import random
import secrets
from dataclasses import asdict, dataclass, field, replace
from functools import cache

import msgspec
import pytest

from serment.ledger.append import Pending, Trail
from serment.ledger.chains import Chain
from serment.ledger.checkpoint import Growing, LogKey, Remembered, keep, signed
from serment.ledger.entry import Event, Interaction, body_bytes, body_data, boxed, entry_bytes, entry_leaf
from serment.ledger.follow import open_row
from serment.ledger.tree import root_of
from serment.ledger.verify import Fault, FaultKind, RecordTrail, Report, verify
from serment.store.contract import EntryRow
from serment.words import Language
from tests.unit.ledger.memory import (
    NOON,
    MemoryRows,
    MemorySigner,
    MemoryYearKey,
    birth_event,
    die,
    ledger,
    mark,
    new_trail,
    read_event,
)

SIGNER = MemorySigner()
KEY = LogKey(SIGNER.name, SIGNER.public_key)


@dataclass
class House:
    """A ledger of some records over two years, with its keys."""

    rows: MemoryRows = field(default_factory=MemoryRows)
    trails: list[RecordTrail] = field(default_factory=list)

    def locked(self, **more: object) -> Report:
        return verify(self.rows, KEY, checkpoints=self.rows.checkpoints[:-1], **more)  # type: ignore[arg-type]

    def unlocked(self) -> Report:
        return verify(self.rows, KEY, checkpoints=self.rows.checkpoints[:-1], trails=self.trails)

    def copy(self) -> "House":
        return House(self.rows.copy(), list(self.trails))


def checkpointed(rows: MemoryRows, growing: Growing) -> None:
    size, root = growing.catch_up(rows)
    keep(rows, size, root, signed(SIGNER.name, size, root, SIGNER))


@cache
def built() -> House:
    house, growing, dice = House(), Growing(), die(7)
    olds = [new_trail() for _ in range(5)]
    news = [Trail(old.record, old.key, MemoryYearKey()) for old in olds]
    for number, old in enumerate(olds):
        ledger().birth(house.rows, old, birth_event(), mark(number))
    checkpointed(house.rows, growing)
    for trails in (olds, news):
        for number in range(20):
            trail = dice.choice(trails)
            head = mark(olds.index(trail) if trail in olds else news.index(trail))
            pending = Pending(trail, dice.choice(list(Chain)), read_event(number), head)
            ledger().append(house.rows, [pending])
        checkpointed(house.rows, growing)
    for number, (old, new) in enumerate(zip(olds, news, strict=True)):
        house.trails.append(RecordTrail(old.record, old.key, [old.year, new.year], head=mark(number)))
    return house


def house() -> House:
    return built().copy()


def kinds(report: Report) -> set[FaultKind]:
    return {fault.kind for fault in report.faults}


def test_a_ledger_that_nobody_touched_verifies_locked_and_unlocked() -> None:
    assert house().locked().ok
    report = house().unlocked()
    assert (report.ok, report.size, report.opened, report.expired) == (True, 55, 55, 0)
    assert report.root == house().rows.checkpoints[-1][1]


def test_an_empty_ledger_verifies() -> None:
    assert verify(MemoryRows(), KEY, trails=[]).ok


def test_without_a_witness_the_report_says_who_could_rewrite_history() -> None:
    said = [notice.said(Language.FR) for notice in house().locked().notices]
    assert any("Aucun témoin extérieur" in sentence for sentence in said)


def test_rows_newer_than_the_last_checkpoint_are_said() -> None:
    harmed = house()
    harmed.rows.checkpoints.pop()
    assert "ledger.notice-unsigned" in {notice.sentence for notice in harmed.locked().notices}
    assert harmed.locked().ok


def test_every_fault_is_said_in_both_languages() -> None:
    for kind in FaultKind:
        for language in Language:
            assert Fault(kind, 12).said(language)


def changed(row: EntryRow, column: str, dice: random.Random) -> EntryRow:
    """Flip one bit of one column."""
    columns = asdict(row)
    value = columns[column]
    harmed = value ^ 1 << dice.randrange(20) if isinstance(value, int) else flipped(value, dice)
    return EntryRow(**columns | {column: harmed})


def flipped(value: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(value))
    return value[:place] + bytes([value[place] ^ 1 << dice.randrange(8)]) + value[place + 1 :]


def harm_a_row(rows: MemoryRows, dice: random.Random) -> None:
    place = dice.randrange(len(rows.entries))
    column = dice.choice(["sequence", "kind", "hour", "commitment", "key_id", "token", "body"])
    rows.entries[place] = changed(rows.entries[place], column, dice)


def harm_a_chain_row(rows: MemoryRows, dice: random.Random) -> None:
    token = dice.choice(sorted(rows.chains))
    sealed = rows.chains.pop(token)
    if dice.random() < 0.2:
        rows.chains[flipped(token, dice)] = sealed
    else:
        rows.chains[token] = flipped(sealed, dice)


def harm_a_checkpoint(rows: MemoryRows, dice: random.Random) -> None:
    place = dice.randrange(len(rows.checkpoints))
    size, root, raw = rows.checkpoints[place]
    rows.checkpoints[place] = dice.choice(
        [(size ^ 1 << dice.randrange(20), root, raw), (size, flipped(root, dice), raw)]
        + [(size, root, flipped(raw, dice))] * 3
    )


HARMS = [harm_a_row, harm_a_chain_row, harm_a_checkpoint]


def mutations_missed(seed: int, count: int) -> list[int]:
    """Harm one live bit `count` times, each time on a whole ledger, and list those not found."""
    dice = die(seed)
    missed = []
    for number in range(count):
        harmed = house()
        dice.choices(HARMS, [70, 15, 15])[0](harmed.rows, dice)
        harmed.rows.index()
        if harmed.unlocked().ok:
            missed.append(number)
    return missed


def test_attack_a_thousand_random_mutations_of_live_bytes_are_all_found() -> None:
    assert mutations_missed(20261121, 1_000) == []


@pytest.mark.campaign
def test_attack_ten_thousand_random_mutations_of_live_bytes_are_all_found() -> None:
    assert mutations_missed(8, 10_000) == []


def test_attack_what_the_tree_holds_is_found_without_any_key() -> None:
    dice = die(5)
    for _ in range(150):
        harmed = house()
        place = dice.randrange(len(harmed.rows.entries))
        column = dice.choice(["sequence", "kind", "commitment"])
        harmed.rows.entries[place] = changed(harmed.rows.entries[place], column, dice)
        assert not harmed.locked().ok


def test_attack_a_row_is_deleted_anywhere() -> None:
    for place in range(55):
        harmed = house()
        del harmed.rows.entries[place]
        harmed.rows.index()
        assert not harmed.locked().ok
        assert not harmed.unlocked().ok


def test_attack_a_row_is_deleted_and_the_others_are_numbered_again() -> None:
    harmed = house()
    del harmed.rows.entries[20]
    harmed.rows.entries = [replace(row, sequence=n) for n, row in enumerate(harmed.rows.entries, 1)]
    harmed.rows.index()
    assert FaultKind.ROOT in kinds(harmed.locked())


def test_attack_two_rows_are_swapped() -> None:
    dice = die(3)
    for _ in range(50):
        harmed = house()
        one, two = dice.sample(range(55), 2)
        first, second = harmed.rows.entries[one], harmed.rows.entries[two]
        harmed.rows.entries[one] = replace(second, sequence=one + 1)
        harmed.rows.entries[two] = replace(first, sequence=two + 1)
        harmed.rows.index()
        assert FaultKind.ROOT in kinds(harmed.locked())


def test_attack_a_row_is_inserted_after_the_last_checkpoint() -> None:
    harmed = house()
    forged = replace(harmed.rows.entries[-1], sequence=56, commitment=secrets.token_bytes(32))
    harmed.rows.add_entries([forged])
    assert FaultKind.BODY in kinds(harmed.unlocked())
    stranger = replace(forged, token=secrets.token_bytes(16))
    harmed = house()
    harmed.rows.add_entries([stranger])
    assert FaultKind.UNCLAIMED in kinds(harmed.unlocked())


def test_attack_an_earlier_entry_of_the_record_is_repeated() -> None:
    harmed = house()
    harmed.rows.add_entries([replace(harmed.rows.entries[30], sequence=56)])
    assert FaultKind.CHAIN in kinds(harmed.unlocked())


def test_attack_the_tail_and_its_checkpoint_are_cut_together() -> None:
    harmed = house()
    whole = harmed.rows.checkpoints.pop()
    del harmed.rows.entries[35:]
    harmed.rows.index()
    assert harmed.locked().ok
    memory = [Remembered(whole[0], whole[1])]
    assert FaultKind.BEHIND in kinds(harmed.locked(remembered=memory))
    assert FaultKind.CHAIN_ROW in kinds(harmed.unlocked())


def test_attack_all_checkpoints_are_removed() -> None:
    harmed = house()
    harmed.rows.checkpoints.clear()
    assert kinds(harmed.locked()) == {FaultKind.NO_CHECKPOINT}


def test_attack_history_is_forked_and_signed_again_by_the_holder_of_the_log_key() -> None:
    honest, forked = house(), house()
    forked.rows.entries[-1] = replace(forked.rows.entries[-1], commitment=bytes(32))
    forked.rows.checkpoints = forked.rows.checkpoints[:1]
    checkpointed(forked.rows, Growing())
    size, root, _ = honest.rows.checkpoints[-1]
    assert forked.locked().ok
    assert FaultKind.REMEMBERED in kinds(forked.locked(remembered=[Remembered(size, root)]))


def test_attack_a_checkpoint_signed_for_other_rows() -> None:
    harmed = house()
    harmed.rows.checkpoints.append((55, bytes(32), signed(SIGNER.name, 55, bytes(32), SIGNER)))
    assert kinds(harmed.locked()) == {FaultKind.ROOT}


def test_attack_the_body_of_another_entry_of_the_same_record() -> None:
    harmed = house()
    rows = [
        place for place, row in enumerate(harmed.rows.entries) if row.token == harmed.rows.entries[0].token
    ]
    one, two = rows[0], rows[-1]
    harmed.rows.entries[one] = replace(harmed.rows.entries[one], body=harmed.rows.entries[two].body)
    harmed.rows.index()
    assert FaultKind.BODY in kinds(harmed.unlocked())


def test_attack_a_holder_of_the_year_key_seals_another_body_beside_the_commitment() -> None:
    harmed = house()
    row, trail = harmed.rows.entries[0], harmed.trails[0]
    body, _ = open_row(row, trail.years[0])
    forged = body_bytes(msgspec.structs.replace(body, event=read_event(66)))
    data = body_data(entry_bytes(row.kind, row.commitment))
    harmed.rows.entries[0] = replace(row, body=trail.years[0].seal(boxed(forged), data))
    assert FaultKind.COMMITMENT in kinds(harmed.unlocked())
    assert harmed.locked().ok


def test_attack_the_hour_of_an_entry_is_changed() -> None:
    harmed = house()
    harmed.rows.entries[9] = replace(harmed.rows.entries[9], hour=harmed.rows.entries[9].hour - 1)
    assert kinds(harmed.unlocked()) == {FaultKind.CLEAR}
    assert harmed.locked().ok


def test_attack_the_columns_of_a_checkpoint_are_changed_beside_its_note() -> None:
    harmed = house()
    size, root, raw = harmed.rows.checkpoints[-1]
    harmed.rows.checkpoints[-1] = (size - 1, root, raw)
    assert FaultKind.CHECKPOINT in kinds(harmed.locked())


def test_attack_a_chain_row_is_rolled_back() -> None:
    harmed = house()
    trail = harmed.trails[0]
    before = dict(harmed.rows.chains)
    ledger().append(
        harmed.rows, [Pending(Trail(trail.record, trail.key, trail.years[1]), Chain.PROTECTED, read_event())]
    )
    assert harmed.unlocked().ok
    harmed.rows.chains = before
    assert FaultKind.CHAIN_ROW in kinds(harmed.unlocked())


def test_attack_the_record_is_rolled_back_behind_its_chain() -> None:
    harmed = house()
    harmed.trails[2] = replace(harmed.trails[2], head=mark(99))
    assert kinds(harmed.unlocked()) == {FaultKind.HEAD}


def test_attack_a_record_is_left_out_of_the_verification() -> None:
    harmed = house()
    del harmed.trails[1]
    assert FaultKind.UNCLAIMED in kinds(harmed.unlocked())


def test_a_year_that_was_made_to_expire_is_counted_and_the_rest_verifies() -> None:
    kept = house()
    kept.trails = [
        replace(trail, years=trail.years[1:], expired=[trail.years[0].id]) for trail in kept.trails
    ]
    report = kept.unlocked()
    assert report.ok
    assert (report.opened, report.expired) == (20, 35)


def test_a_gap_that_the_ledger_owns_to_is_said_in_words() -> None:
    kept = house()
    trail = kept.trails[0]
    gap = Event(t=NOON, request="act-9", interaction=Interaction.GAP, count=3, until=NOON + 60_000)
    pending = Pending(Trail(trail.record, trail.key, trail.years[1]), Chain.ORDINARY, gap)
    ledger().append(kept.rows, [pending])
    report = kept.unlocked()
    assert report.ok
    assert any("3 trace(s) d'accès en urgence" in notice.said(Language.FR) for notice in report.notices)


def test_a_clock_that_went_backwards_is_said_and_is_no_fault() -> None:
    kept = house()
    trail = kept.trails[0]
    past = Pending(
        Trail(trail.record, trail.key, trail.years[1]), Chain.ORDINARY, read_event(t=NOON - 9 * 3_600_000)
    )
    ledger().append(kept.rows, [past])
    report = kept.unlocked()
    assert report.ok
    assert "ledger.notice-clock" in {notice.sentence for notice in report.notices}


def test_progress_is_told() -> None:
    kept, told = house(), []
    trail = kept.trails[0]
    pending = Pending(Trail(trail.record, trail.key, trail.years[1]), Chain.ORDINARY, read_event())
    ledger().append(kept.rows, [pending] * 2_000)
    verify(kept.rows, KEY, progress=lambda done, total: told.append((done, total)))
    assert told == [(1_000, 2_055), (2_000, 2_055)]


def test_a_ledger_of_faults_gives_a_report_of_bounded_length() -> None:
    harmed = house()
    harmed.rows.add_entries([replace(harmed.rows.entries[0], sequence=9, kind=0)] * 3_000)
    assert len(harmed.locked().faults) <= 1_000


def test_the_root_of_a_report_is_the_root_of_the_rows() -> None:
    leaves = [entry_leaf(row.kind, row.commitment) for row in house().rows.entries]
    assert house().locked().root == root_of(leaves, 0, 55)

"""A checkpoint is a signed note of C2SP, and the tree behind it is made of committed rows only."""

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import LedgerError
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.checkpoint import (
    Checkpoint,
    Growing,
    LogKey,
    Remembered,
    body,
    due,
    keep,
    note,
    parse,
    parse_note,
    signed,
    verify,
)
from serment.ledger.entry import entry_leaf
from serment.ledger.tree import EMPTY_ROOT, root_of
from serment.model import Instant
from tests.unit.ledger.memory import MemoryRows, MemorySigner, birth_event, ledger, new_trail, read_event

SIGNER = MemorySigner()
KEY = LogKey(SIGNER.name, SIGNER.public_key)
NOTE = signed(SIGNER.name, 20852163, bytes(range(32)), SIGNER)

# The example of the Go module golang.org/x/mod/sumdb/note, which signed-note describes.
GO_KEY = LogKey("PeterNeumann", base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:])
GO_TEXT = (
    b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
GO_NOTE = GO_TEXT + f"\n— PeterNeumann {GO_SIGNATURE}\n".encode()


def test_the_note_of_the_go_module_is_read_and_its_key_id_is_ours() -> None:
    parsed = parse_note(GO_NOTE)
    assert parsed.body == GO_TEXT
    assert GO_KEY.id == bytes.fromhex("c74f20a3")
    assert parsed.signatures[0].key_id == GO_KEY.id
    assert note(parsed.body, GO_KEY, parsed.signatures[0].signature) == GO_NOTE


def test_the_signature_of_the_go_module_verifies() -> None:
    public = Ed25519PublicKey.from_public_bytes(GO_KEY.public_key)
    public.verify(parse_note(GO_NOTE).signatures[0].signature, GO_TEXT)


def test_the_example_of_the_specification_is_read() -> None:
    text = b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = parse(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert body(checkpoint.origin, checkpoint.size, checkpoint.root) == text


def test_what_is_signed_verifies() -> None:
    assert verify(NOTE, KEY) == Checkpoint(SIGNER.name, 20852163, bytes(range(32)))


def test_a_line_of_an_unknown_key_is_ignored() -> None:
    witness = MemorySigner("witness.example/w1")
    line = signed(witness.name, 1, bytes(32), witness).split(b"\n\n")[1]
    assert verify(NOTE + line, KEY).size == 20852163


def test_a_second_line_of_our_key_that_fails_refuses_the_whole_note() -> None:
    line = signed(SIGNER.name, 1, bytes(32), SIGNER).split(b"\n\n")[1]
    with pytest.raises(LedgerError):
        verify(NOTE + line, KEY)


def test_attack_a_checkpoint_of_another_key_of_the_same_name() -> None:
    forger = MemorySigner(SIGNER.name)
    with pytest.raises(LedgerError):
        verify(signed(SIGNER.name, 20852163, bytes(32), forger), KEY)


def test_attack_a_checkpoint_of_another_log_signed_by_our_key() -> None:
    text = body("other.example/ledger", 3, bytes(32))
    with pytest.raises(LedgerError):
        verify(note(text, KEY, SIGNER.sign(text)), KEY)


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_attack_any_byte_of_a_checkpoint_is_changed(place: int, change: int) -> None:
    harmed = bytearray(NOTE)
    harmed[place] ^= change
    with pytest.raises(LedgerError):
        verify(bytes(harmed), KEY)


@pytest.mark.parametrize(
    "line", ["— a AAAA\n", "- a AAAAAAAA\n", "— a  AAAAAAAA\n", "— a+b AAAAAAAA\n", "— a\n"]
)
def test_a_signature_line_that_the_format_forbids_is_refused(line: str) -> None:
    with pytest.raises(LedgerError):
        parse_note(b"text\n\n" + line.encode())


def test_a_note_with_too_many_signatures_is_refused() -> None:
    line = "— a AAAAAAAA\n".encode()
    assert len(parse_note(b"text\n\n" + line * 32).signatures) == 32
    with pytest.raises(LedgerError):
        parse_note(b"text\n\n" + line * 33)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_note_are_refused(raw: bytes) -> None:
    with pytest.raises(LedgerError):
        verify(raw, KEY)


@pytest.mark.parametrize(
    "text",
    [
        b"log\n01\n" + base64.b64encode(bytes(32)) + b"\n",
        b"log\n-1\n" + base64.b64encode(bytes(32)) + b"\n",
        "log\n١\n".encode() + base64.b64encode(bytes(32)) + b"\n",
        b"log\n1\n" + base64.b64encode(bytes(31)) + b"\n",
        b"log\n1\n" + base64.b64encode(bytes(32)),
        b"\n1\n" + base64.b64encode(bytes(32)) + b"\n",
        b"log\n1\n",
        b"log\n1\n" + base64.b64encode(bytes(32)) + b"\n\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: bytes) -> None:
    with pytest.raises(LedgerError):
        parse(text)


def test_extension_lines_are_opaque() -> None:
    assert parse(body("log", 1, bytes(32)) + b"anything\n").size == 1


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "a\u2003b"])
def test_a_name_that_the_format_forbids_is_refused(origin: str) -> None:
    with pytest.raises(LedgerError):
        body(origin, 1, bytes(32))


@pytest.mark.parametrize(
    ("size", "last_size", "now", "last_time", "expected"),
    [
        (5, 5, 9_000, 0, False),
        (6, 5, 999, 0, False),
        (6, 5, 1_000, 0, True),
        (1_005, 5, 1, 0, True),
        (1_004, 5, 1, 0, False),
        (6, 5, 0, 50_000, True),
    ],
)
def test_a_checkpoint_is_due_each_second_or_each_thousand_entries(
    size: int, last_size: int, now: int, last_time: int, expected: bool
) -> None:
    assert due(size, last_size, Instant(now), Instant(last_time)) is expected


def filled(count: int) -> MemoryRows:
    rows = MemoryRows()
    trail = new_trail()
    ledger().birth(rows, trail, birth_event())
    ledger().append(rows, [Pending(trail, Chain.ORDINARY, read_event(n)) for n in range(count)])
    return rows


def leaves(rows: MemoryRows) -> list[bytes]:
    return [entry_leaf(row.kind, row.commitment) for row in rows.entries]


def test_the_empty_ledger_has_a_checkpoint_too() -> None:
    assert Growing().catch_up(MemoryRows()) == (0, EMPTY_ROOT)


def test_the_tree_catches_up_with_what_another_process_appended() -> None:
    rows = filled(40)
    behind, growing = rows.copy(), Growing()
    del behind.entries[20:]
    assert growing.catch_up(behind) == (20, root_of(leaves(rows), 0, 20))
    assert growing.catch_up(rows) == (43, root_of(leaves(rows), 0, 43))
    assert growing.catch_up(rows) == (43, root_of(leaves(rows), 0, 43))


def test_attack_the_ledger_is_cut_while_the_process_runs() -> None:
    rows, growing = filled(5), Growing()
    growing.catch_up(rows)
    rows.entries.pop()
    with pytest.raises(LedgerError):
        growing.catch_up(rows)


def test_attack_the_ledger_is_replaced_while_the_process_runs() -> None:
    rows, growing = filled(5), Growing()
    growing.catch_up(rows)
    with pytest.raises(LedgerError):
        growing.catch_up(filled(6))


def test_attack_a_row_in_the_middle_is_gone() -> None:
    rows = filled(5)
    del rows.entries[2]
    with pytest.raises(LedgerError):
        Growing().catch_up(rows)
    rows = filled(5)
    rows.entries[2] = replace(rows.entries[2], sequence=9)
    with pytest.raises(LedgerError):
        Growing().catch_up(rows)


def test_attack_a_row_far_ahead_makes_the_ledger_look_longer() -> None:
    rows = filled(5)
    rows.entries[-1] = replace(rows.entries[-1], sequence=10_000)
    with pytest.raises(LedgerError):
        Growing().catch_up(rows)
    rows = filled(5)
    del rows.entries[3:7]
    with pytest.raises(LedgerError):
        Growing().catch_up(rows)


def test_a_ledger_that_reaches_what_is_remembered_is_taken() -> None:
    rows = filled(20)
    memory = [Remembered(9, root_of(leaves(rows), 0, 9)), Remembered(23, root_of(leaves(rows), 0, 23))]
    assert Growing().catch_up(rows, memory)[0] == 23


def test_attack_the_whole_database_is_put_back_to_an_older_copy() -> None:
    rows = filled(20)
    size, root = Growing().catch_up(rows)
    del rows.entries[15:]
    with pytest.raises(LedgerError):
        Growing().catch_up(rows, [Remembered(size, root)])


def test_attack_custody_and_spool_remember_two_ledgers_of_one_size() -> None:
    rows = filled(20)
    size, root = Growing().catch_up(rows)
    for memory in ([root, bytes(32)], [bytes(32), root]):
        with pytest.raises(LedgerError):
            Growing().catch_up(rows, [Remembered(size, one) for one in memory])


def test_attack_the_whole_database_is_put_back_and_written_on() -> None:
    size, root = Growing().catch_up(filled(20))
    with pytest.raises(LedgerError):
        Growing().catch_up(filled(40), [Remembered(size, root)])


def test_a_checkpoint_never_replaces_a_later_one() -> None:
    rows = MemoryRows()
    assert keep(rows, 5, bytes(32), b"five")
    assert not keep(rows, 4, bytes(32), b"four")
    assert rows.checkpoint() == (5, bytes(32), b"five")

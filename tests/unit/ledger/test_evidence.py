"""A list with its proofs is checked without the server; whatever was changed in it does not hold."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.cli.main import run
from serment.errors import LedgerError
from serment.ledger.checkpoint import LogKey, signed
from serment.ledger.entry import entry_leaf
from serment.ledger.evidence import Evidence, Held, Paths, evidence, hold
from serment.ledger.tree import inclusion_proof, leaf_hash, root_of
from tests.unit.ledger.memory import MemorySigner
from tests.unit.ledger.test_backward import whole
from tests.unit.ledger.test_follow import filled

SIGNER = MemorySigner("serment.invalid/test")


@given(size=st.integers(1, 200))
def test_paths_and_roots_are_those_of_the_tree(size: int) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    paths = Paths(leaves)
    assert paths.root(0, size) == root_of(leaves, 0, size)
    for index in {0, size // 2, size - 1}:
        assert paths.of(index) == inclusion_proof(leaves, index, size)


def test_a_leaf_that_is_not_there_has_no_path() -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError):
            Paths([leaf_hash(b"a")] * 3).of(index)


def a_file() -> bytes:
    rows, trail = filled()
    leaves = [entry_leaf(row.kind, row.commitment) for row in rows.entries]
    paths = Paths(leaves)
    note = signed(SIGNER.name, len(leaves), paths.root(0, len(leaves)), SIGNER)
    lines = [(one.sequence, one.body, paths.of(one.sequence - 1)) for one in reversed(whole(rows, trail))]
    return evidence(LogKey(SIGNER.name, SIGNER.public_key), note, lines)


def test_a_file_as_it_was_given_holds() -> None:
    assert isinstance(hold(a_file()), Held)
    assert hold(a_file(), SIGNER.public_key).entries == 9


def changed(**said: object) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(msgspec.json.decode(a_file(), type=Evidence), **said))


def line_changed(place: int, **said: object) -> bytes:
    entries = list(msgspec.json.decode(a_file(), type=Evidence).entries)
    entries[place] = msgspec.structs.replace(entries[place], **said)
    return changed(entries=tuple(entries))


def test_attack_the_name_of_who_came_is_changed() -> None:
    body = msgspec.json.decode(a_file(), type=Evidence).entries[4].body
    with pytest.raises(LedgerError):
        hold(line_changed(4, body=body.replace("Dr Martin", "Dr Personne")))


@pytest.mark.parametrize(
    "said", [{"sequence": 2}, {"kind": 2}, {"path": ()}, {"path": ("!",)}, {"body": "{}"}]
)
def test_attack_one_line_is_changed(said: dict[str, object]) -> None:
    with pytest.raises(LedgerError):
        hold(line_changed(4, **said))


@pytest.mark.parametrize("place", range(8))
def test_attack_a_line_in_the_middle_is_left_out(place: int) -> None:
    entries = msgspec.json.decode(a_file(), type=Evidence).entries
    shorter = entries[:place] + entries[place + 1 :]
    body = msgspec.json.decode(entries[place].body)
    last = body["p_seq"] == max(
        msgspec.json.decode(one.body)["p_seq"]
        for one in entries
        if msgspec.json.decode(one.body)["chain"] == body["chain"]
    )
    if not last:  # the end of a chain is what a checkpoint alone cannot tell
        with pytest.raises(LedgerError):
            hold(changed(entries=shorter))


def test_attack_another_key_signs_a_list_of_its_own() -> None:
    other = base64.b64encode(MemorySigner().public_key).decode()
    with pytest.raises(LedgerError):
        hold(changed(key=other))
    with pytest.raises(LedgerError):
        hold(a_file(), MemorySigner().public_key)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[1]", b"\xff", b'{"format":"other"}'])
def test_what_is_no_list_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(LedgerError):
        hold(raw)
    with pytest.raises(LedgerError):
        hold(changed(format="serment-list/9"))


def test_the_command_checks_a_list_without_an_installation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(a_file())
    assert run(["ledger", "hold", str(file), "--key", SIGNER.public_key.hex(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 9
    assert run(["ledger", "hold", str(file), "--key", "00" * 32]) == 4
    assert run(["ledger", "hold", str(file), "--key", "no key"]) == 2
    file.write_bytes(line_changed(4, sequence=2))
    assert run(["ledger", "hold", str(file)]) == 4

"""What an entry says is canonical, committed with salt, and shows nobody in a log."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from serment.errors import LedgerError
from serment.ledger.chains import Chain
from serment.ledger.entry import (
    MOST_RESOURCES,
    Body,
    Decision,
    Event,
    Interaction,
    Kind,
    body_bytes,
    body_from,
    bounded,
    boxed,
    commitment_of,
    entry_bytes,
    entry_leaf,
    hour_of,
    unboxed,
)
from tests.unit.ledger.memory import NOON, read_event


def body(event: Event | None = None, p_seq: int = 1) -> Body:
    return Body(
        v=1,
        record=bytes(16),
        chain=Chain.ORDINARY,
        p_seq=p_seq,
        p_prev=bytes(32),
        salt=bytes(range(32)),
        event=event or read_event(),
    )


@given(st.text(), st.text(), st.integers(0, 2**53 - 1))
def test_a_body_is_canonical_json_as_another_writer_makes_it(name: str, reason: str, t: int) -> None:
    event = replace(read_event(), actor_name=name, reason=reason, t=t)
    raw = body_bytes(body(event))
    again = json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert again.encode() == raw
    assert body_from(raw).event == event


def test_the_escapes_are_those_of_the_rfc() -> None:
    raw = body_bytes(body(replace(read_event(), reason='\x00\x1f\b\t\n\f\r"\\/\x7fé€😀\u2028')))
    assert rb'"\u0000\u001f\b\t\n\f\r\"\\/' + "\x7fé€😀\u2028".encode() in raw


def test_the_commitment_is_the_hash_of_domain_length_and_body() -> None:
    raw = body_bytes(body())
    expected = sha256(b"serment/ledger/1" + len(raw).to_bytes(4, "big") + raw).digest()
    assert commitment_of(raw) == expected
    entry = b"\x01\x01" + expected
    assert entry_bytes(Kind.ACCESS, expected) == entry
    assert entry_leaf(Kind.ACCESS, expected) == sha256(b"\x00" + entry).digest()


def test_a_format_that_moved_would_break_every_earlier_commitment() -> None:
    event = Event(
        t=1, request="r", interaction=Interaction.READ, actor="a", resources=("Patient/1/_history/1",)
    )
    assert body_bytes(body(event)).decode() == (
        '{"chain":"ordinary","event":{"actor":"a","interaction":"read","request":"r",'
        '"resources":["Patient/1/_history/1"],"t":1},'
        '"p_prev":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","p_seq":1,'
        '"record":"AAAAAAAAAAAAAAAAAAAAAA==",'
        '"salt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","v":1}'
    )
    assert commitment_of(body_bytes(body(event))).hex() == (
        "a44c739833f283e517b01a3d83c3df4b8c2f1e74c8bd93c2b1652151e114917e"
    )


@pytest.mark.parametrize("t", [-1, 2**53])
def test_a_number_that_json_does_not_carry_is_refused(t: int) -> None:
    with pytest.raises(LedgerError):
        body_bytes(body(replace(read_event(), t=t)))


def test_a_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(LedgerError):
        body_bytes(body(replace(read_event(), actor_name="\ud800")))


RAW = body_bytes(body())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        RAW + b" ",
        RAW.replace(b'"v":1', b'"v":2'),
        RAW.replace(b'"v":1', b'"v":1.0'),
        RAW.replace(b'"p_seq":1', b'"p_seq":0'),
        RAW.replace(b'{"chain"', b'{"a\xe9":1,"chain"'),
        RAW.replace(b'{"chain"', b'{"also":1,"chain"'),
        RAW.replace(b'{"chain":"ordinary"', b'{"chain":"other"'),
        RAW.replace(b'{"chain":"ordinary",', b'{"chain":"deferred","chain":"ordinary",'),
        RAW.replace(b"Hh8=", b"Hh9="),
        RAW.replace(b'"Dr Martin"', b'"Dr\\u0020Martin"'),
    ],
)
def test_bytes_that_we_would_not_have_written_are_refused(raw: bytes) -> None:
    assert raw != RAW
    with pytest.raises(LedgerError):
        body_from(raw)


@given(st.binary(max_size=5_000))
def test_a_body_comes_back_from_its_box(raw: bytes) -> None:
    box = boxed(raw)
    assert unboxed(box) == raw
    assert len(box) in (1024, 2048, 4096, 8192)


@pytest.mark.parametrize("box", [b"", b"\x00\x00\x00\x01", bytes(1023), bytes(1023) + b"x", boxed(b"x") * 2])
def test_a_box_that_is_not_ours_is_refused(box: bytes) -> None:
    with pytest.raises(LedgerError):
        unboxed(box)


@pytest.mark.parametrize(("kind", "commitment"), [(0, bytes(32)), (256, bytes(32)), (1, bytes(31))])
def test_what_is_no_entry_is_refused(kind: int, commitment: bytes) -> None:
    with pytest.raises(LedgerError):
        entry_bytes(kind, commitment)


def test_a_long_list_of_references_is_cut_and_counted() -> None:
    shown, count = bounded([f"Observation/{n}" for n in range(100)])
    assert (len(shown), count) == (MOST_RESOURCES, 100)


@pytest.mark.parametrize(
    ("interaction", "kind"),
    [
        (Interaction.READ, Kind.ACCESS),
        (Interaction.SEARCH, Kind.ACCESS),
        (Interaction.EMERGENCY, Kind.ACCESS),
        (Interaction.UPDATE, Kind.WRITE),
        (Interaction.MASK, Kind.FACTS),
        (Interaction.PROBE, Kind.SYSTEM),
        (Interaction.GAP, Kind.GAP),
        (Interaction.BIRTH, Kind.BIRTH),
    ],
)
def test_a_kind_says_no_more_than_it_must(interaction: Interaction, kind: Kind) -> None:
    assert Event(t=NOON, request="r", interaction=interaction).kind is kind
    denied = Event(t=NOON, request="r", interaction=interaction, decision=Decision.DENIAL)
    assert denied.kind is Kind.REFUSAL


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"purpose": "ETREAT"}, True),
        ({"purpose": "BTG"}, True),
        ({"rule": "G5.emergency"}, True),
        ({"rule": "G5.regulation"}, True),
        ({"reason": "immediate-risk,regulation-call"}, True),
        ({"interaction": Interaction.EMERGENCY}, True),
        ({"purpose": "TREAT", "rule": "G6.team"}, False),
    ],
)
def test_an_emergency_is_known_by_what_was_declared_or_by_the_door(
    change: dict[str, object], expected: bool
) -> None:
    assert replace(read_event(), **change).emergency is expected


def test_the_hour_in_clear_is_that_of_the_event() -> None:
    assert hour_of(3 * 3_600_000 + 1) == 3


def test_an_event_and_its_body_show_nobody_in_a_log() -> None:
    for shown in (repr(read_event()), repr(body())):
        assert "Martin" not in shown
        assert "10001234567" not in shown
        assert "Observation" not in shown

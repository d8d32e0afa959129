"""What takes bytes inside the house: rows and page tokens that a seal has opened, and custody's socket.

No stranger can make these bytes; a damaged process, another version or a defect of ours could. They end,
or are refused by an error of our tree or of the decoder: nothing is read as something that it is not.
"""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import Any

import msgspec

from serment.access import record_facts
from serment.errors import IntegrityError, MalformedError
from serment.fhir import halves, search
from serment.fhir.match import decoder
from serment.keys.custody import calls, frames
from serment.keys.installation import Installation
from serment.record import blobs, index
from serment.record.auditing import AuditMark
from serment.record.everything import Mark
from serment.record.outward.exporting import Ticket
from serment.record.reading import HistoryMark, opened_token
from serment.record.searching import PageMark
from tests.unit.keys import samples

_packed = msgspec.msgpack.encode
_MARKS = (AuditMark, HistoryMark, Mark, PageMark, Ticket)
_UNIT = index.Unit("vitals", "Observation", ("V",), "rpps:99900001013", False, None)
_HEAD = index.Head("p", 3, 2, b"t" * 16, (_UNIT,), (index.PackRef(1, b"t" * 16, 2, 0),))
_ENTRY = index.Entry(
    "Observation", "1", 2, "", 1_700_000_000_000, False, 7, b"t" * 16,
    index.Previous(4, b"t" * 16, _UNIT), msgspec.Raw(_packed({"code": ["x"]})),
)  # fmt: skip
_LINE = index.Listed(9, b"t" * 16, 2, 1, 1_700_000_000_000, msgspec.Raw(_packed(((1, 2), {}, {}))))
_MANIFEST = blobs.Manifest(b"b" * 16, 300_000, 262_144, (b"t" * 16,) * 2, b"d" * 32, 7, 8, 9)

ROWS = (
    _packed(_HEAD),
    _packed([_ENTRY, _ENTRY]),
    _packed([_LINE, _LINE]),
    record_facts.pack(record_facts.RecordFacts()),
    _packed((2, [(1, b'"telecom":[]')])),
    _packed({"": search.FORMAT, "code": [["x", "y"]], "date": [[1, 2]]}),
    blobs.framed(_MANIFEST, b'{"resourceType":"Binary","data":""}'),
)
MARKS = (
    _packed(HistoryMark("Observation", "1", 50, 3, index.Previous(4, b"t" * 16, _UNIT))),
    _packed(Mark("p", ("Observation",), 0, 50, 3, (1, "x", "y"))),
)
CALLS = (
    calls.encode(calls.GetState()),
    calls.encode(calls.Sign(10, b"r" * 32, "serment")),
    calls.encode(calls.YearKeys(b"r" * 16)),
    calls.encode(calls.Done(msgspec.Raw(_packed({"phase": "open"})))),
    b"\x00\x00\x00\x05hello",
)


_UNREAD = (msgspec.MsgspecError, UnicodeDecodeError)
"""What a decoder of MessagePack raises; text that is no UTF-8 raises the second."""
_GUARDED: tuple[Callable[[bytes], Any], ...] = (
    record_facts.unpack,
    blobs.unframed,
    decoder(("code", "date")),
    lambda raw: halves.join(b"{}", raw),
    lambda raw: halves.beside(b"{}", raw),
)


def rows(raw: bytes) -> None:
    """Read bytes as each kind of row, as if a seal had opened them."""
    for decode in (index.decode_head, index.decode_pack, index.decode_page):
        with suppress(*_UNREAD):
            decode(raw)
    for reader in _GUARDED:
        with suppress(IntegrityError):
            reader(raw)


def marks(raw: bytes) -> None:
    """Read bytes as what a page token holds, once it was opened."""
    for kind in _MARKS:
        with suppress(*_UNREAD):
            msgspec.msgpack.decode(raw, type=kind)


_INSTALLATION = Installation(samples.secrets())
_HOUSE: Any = SimpleNamespace(installation=_INSTALLATION)
"""All of a passage that opens a page token."""
TOKENS = tuple(
    base64.urlsafe_b64encode(_INSTALLATION.seal_page("me", mark)).rstrip(b"=") for mark in (*MARKS, b"")
)


def token(raw: bytes) -> None:
    """Open a page token that a caller brings back: one of ours opens to what was sealed, no other does."""
    try:
        plain = opened_token(_HOUSE, "me", raw.decode("latin-1"))
    except MalformedError:
        return
    assert plain in (*MARKS, b"")


def custody(raw: bytes) -> None:
    """Read bytes as a call and as an answer, and from the socket as a frame."""
    for decode in (calls.decode_call, calls.decode_answer):
        with suppress(*_UNREAD):
            decode(raw)
    near, far = socket.socketpair()
    with closing(near), closing(far):
        near.sendall(raw[:16_384])
        near.shutdown(socket.SHUT_WR)
        framed = frames.receive(far)
        assert framed is None or len(framed) <= frames.LONGEST

"""What goes between an import and the processes that read for it: MessagePack, one frame each.

    import → worker   Job       a bundle or some lines, as bytes
    worker → import   Wanted    the names that it needs (`naming`)
    import → worker   Named     their ids
    worker → import   Ready     every resource made ready, or why it is not

Everything crosses as typed messages: what a hostile file could make of a worker, it cannot send more
than these. No key crosses, and nothing shows its fields: they are plaintext.

Order: the messages, a resource on the wire, frames.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, BinaryIO

import msgspec

from serment.errors import DependencyError
from serment.fhir.document import Document
from serment.fhir.owner import InDirectory, OwnedBy, OwnedByTarget, Owner
from serment.intake.import_.naming import Named, Wanted
from serment.intake.import_.prepare import Made
from serment.intake.import_.sources import Line, Phase
from serment.model import Category, Instant
from serment.record.imports.lot import SPEAKING, Arrival, Prepared
from serment.record.incoming import Part

_LENGTH = 8


class _Message(msgspec.Struct, array_like=True, frozen=True, tag=True):
    number: int

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class Job(_Message, frozen=True):
    """A piece to be read: lines of a pass, or a bundle when `lines` is None. `now` in ms."""

    raw: bytes
    lines: list[tuple[bytes, bool, bool]] | None
    phase: int
    now: int

    @classmethod
    def of_bundle(cls, number: int, raw: bytes, now: Instant) -> Job:
        """Ask for a bundle to be made ready."""
        return cls(number, raw, None, Phase.BUNDLES, now)

    @classmethod
    def of_lines(cls, number: int, lines: list[Line], phase: Phase, now: Instant) -> Job:
        """Ask for some lines to be made ready."""
        parts = [(line.raw, line.speaks_of_first, line.speaks_of_others) for line in lines]
        return cls(number, b"", parts, phase, now)

    @property
    def size(self) -> int:
        """Bytes of the source in it."""
        return len(self.raw) + sum(len(raw) for raw, *_ in self.lines or ())


class Asks(_Message, frozen=True):
    """What a job needs to know."""

    wanted: Wanted


class Answers(_Message, frozen=True):
    """What it was told."""

    named: Named


class _Part(msgspec.Struct, array_like=True, frozen=True):
    name: str
    category: Category
    body: bytes
    values: bytes
    content: bytes | None
    labels: tuple[str, ...]


class _Prepared(msgspec.Struct, array_like=True, frozen=True):
    """`text` is empty when it is the bytes of the arrival; `owner` has no reference for the directory."""

    text: bytes
    owner: tuple[str, ...]
    follows: bool
    category: Category
    document_type: str
    labels: tuple[str, ...]
    documents: tuple[str, ...]
    aside: tuple[tuple[str, str], ...]
    named: tuple[str, ...]
    parts: list[_Part]


class _Arrival(msgspec.Struct, array_like=True, frozen=True):
    type: str
    key: str
    id: str
    raw: bytes
    digest: bytes
    prepared: _Prepared | None
    reason: str
    linked: bool


class Ready(_Message, frozen=True):
    """What a job was made into."""

    count: int
    unresolved: int
    arrivals: list[_Arrival]

    @classmethod
    def of(cls, number: int, made: Made) -> Ready:
        """Write down what was made."""
        return cls(number, made.count, made.unresolved, [_written(one) for one in made.arrivals])

    def made(self) -> Made:
        """Read back what was made."""
        return Made(self.count, [_read(one) for one in self.arrivals], self.unresolved)


class Failed(_Message, frozen=True):
    """A defect met in a job: the name of its type, never its message."""

    fault: str


ToWorker = Job | Answers
FromWorker = Asks | Ready | Failed

encode = msgspec.msgpack.Encoder().encode
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)


def decode_job(frame: bytes) -> ToWorker:
    """Read what an import sends. Raises `MsgspecError`."""
    message: ToWorker = _to_worker.decode(frame)
    return message


def decode_answer(frame: bytes) -> FromWorker:
    """Read what a worker sends. Raises `MsgspecError`."""
    message: FromWorker = _from_worker.decode(frame)
    return message


def _written(one: Arrival) -> _Arrival:
    prepared = None if one.prepared is None else _prepared(one.prepared, one.raw)
    return _Arrival(one.type, one.key, one.id, one.raw, one.digest, prepared, one.reason, one.linked)


def _prepared(whole: Prepared, raw: bytes) -> _Prepared:
    text = whole.document.text.encode()
    owner, follows = _of_owner(whole.owner)
    parts = [
        _Part(one.name, one.category, one.body, one.values, _bytes(one), one.labels) for one in whole.ready
    ]
    return _Prepared(
        b"" if text == raw else text,
        owner,
        follows,
        whole.category,
        whole.document_type,
        whole.labels,
        whole.documents,
        whole.aside,
        whole.named,
        parts,
    )


def _bytes(part: Part) -> bytes | None:
    """Give the content of a part; an import has it in memory, and stages none."""
    return part.content if isinstance(part.content, bytes) else None


def _of_owner(owner: Owner) -> tuple[tuple[str, ...], bool]:
    match owner:
        case InDirectory():
            return (), False
        case OwnedBy(reference):
            return (reference,), False
        case OwnedByTarget(reference, others):
            return (reference, *others), True


def _read(one: _Arrival) -> Arrival:
    prepared = None if one.prepared is None else _whole(one.prepared, one)
    return Arrival(one.type, one.key, one.id, one.raw, one.digest, prepared, one.reason, one.linked)


def _whole(sent: _Prepared, one: _Arrival) -> Prepared:
    text = (sent.text or one.raw).decode()
    return Prepared(
        Document(one.type, text, _said(one.type, text), {}),
        _owner(sent),
        sent.category,
        sent.document_type,
        sent.labels,
        documents=sent.documents,
        aside=sent.aside,
        named=sent.named,
        ready=tuple(
            Part(part.name, part.category, part.body, part.values, part.content, part.labels)
            for part in sent.parts
        ),
    )


def _said(type_: str, text: str) -> dict[str, Any]:
    """Read again what the facts of a record are taken from; the text was read strictly by the worker."""
    if type_ not in SPEAKING:
        return {"resourceType": type_}
    value: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return value


def _owner(sent: _Prepared) -> Owner:
    if not sent.owner:
        return InDirectory()
    return OwnedByTarget(sent.owner[0], sent.owner[1:]) if sent.follows else OwnedBy(sent.owner[0])


def send(file: BinaryIO, message: _Message) -> None:
    """Send one frame: a big-endian u64 length, then the message."""
    payload = encode(message)
    file.write(len(payload).to_bytes(_LENGTH, "big"))
    file.write(payload)
    file.flush()


def receive(file: BinaryIO) -> bytes | None:
    """Read one frame; None when the other side has closed. Raises `DependencyError` when it breaks off."""
    header = file.read(_LENGTH)
    if not header:
        return None
    size = int.from_bytes(header, "big")
    payload = file.read(size)
    if len(header) < _LENGTH or len(payload) < size:
        raise DependencyError("importing.worker-ended")
    return payload

"""A note that is being written: sealed under the patient's own keys, its author's alone (ADR 59).

What somebody types on a page of a record is kept every few seconds, so that a screen that locks, a tab that
closes or a machine that dies loses nothing of it. It is no item of the record: it stands in no pack, so that
no search, history, count, export or holder meets it, and its bytes are one chunk that no manifest names. That
it exists stands in the register, by ids only: whose it is, in which record.

Each time it is kept or given back the decision is asked anew, without the right of an author: whoever may not
write and read notes there any more gets the answer of absence. Beginning or taking up a draft is one entry
of the record's protected chain; keeping it again is none. It is erased when what it says is saved, when its
author says so, and a week after it was last taken up.

Order: what is kept, the passage, inside a transaction.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

import msgspec

from serment.errors import ConflictError, IntegrityError, MalformedError, TooLargeError
from serment.keys.envelope import tag_of
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import (
    Act,
    ActorId,
    Category,
    Denial,
    Instant,
    ItemClass,
    Label,
    PatientId,
    Permit,
    Purpose,
    Receipt,
    RequestId,
)
from serment.record import gate, registry, trace, write, writing
from serment.record.asking import Asking
from serment.record.blobs import CHUNK, Manifest
from serment.record.gate import Item, View
from serment.record.index import Entry
from serment.record.passage import Passage
from serment.record.pen import DeniedError, Pen
from serment.record.reading import settled, with_keys
from serment.record.registry import Registry
from serment.record.today import KEEPER
from serment.record.writing import Writing, new_id
from serment.store.contract import Snapshot

T = TypeVar("T")

DRAWER: Final = "draft"
DAY: Final = 24 * 3600 * 1000
LASTS: Final = 7 * DAY
"""How long a draft is kept after it was begun or last taken up, in milliseconds."""

MOST: Final = CHUNK - 1024
"""Largest draft, in bytes: it stands in one chunk."""

EVERY: Final = 3600 * 1000
"""Milliseconds between two sweeps."""

UNIT: Final = ItemClass(Category.NOTES, "Draft", (Label.NORMAL.value,))
"""The class on which a draft is decided: a note of nobody, so that authorship opens nothing."""

_ID = re.compile(r"[0-9a-f]{32}")

Fields = Mapping[str, Sequence[str]]
"""What was typed, by the names of the fields."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft that is given back: its id, what was typed, when it was last kept (ms)."""

    id: str
    fields: dict[str, list[str]] = field(repr=False)
    saved: int


class _File(msgspec.Struct, array_like=True, frozen=True):
    """What the register holds: the draft of one person in one record, and when it was last taken up.

    `closed` says that what it said was saved: whoever sends it again, from a tab left open, begins no other.
    """

    id: str
    taken: int
    closed: bool = False

    def stands(self, now: int) -> bool:
        """Say whether there is a draft."""
        return not self.closed and now < self.taken + LASTS


class _Sealed(msgspec.Struct, array_like=True, frozen=True):
    """What is sealed: when it was kept, and the fields."""

    saved: int
    fields: dict[str, list[str]]


@dataclass(slots=True)
class _Looked:
    """A draft that may be given back, before its trace is durable."""

    view: View
    entries: list[Pending]
    item: Item | None = None


def fresh_id() -> str:
    """Make the id of a draft that is not begun yet: a page carries it from its first showing."""
    return new_id().replace("-", "")


class Drafting:
    """The passage for drafts."""

    def __init__(self, passage: Passage, writes: Writing) -> None:
        self._passage, self._writing = passage, writes
        self._registry = Registry(passage)
        self._next = 0

    async def taken_up(self, asking: Asking, patient: PatientId) -> Kept | None:
        """Give back the asker's own draft in a record; None when there is none, or none for them any more."""
        known = await asyncio.to_thread(self._known, asking, patient)
        if known is None or not known.stands(asking.now):
            return None
        blob = _blob(self._passage, asking.actor.id, patient, known.id)
        looked = await with_keys(self._passage, asking, partial(self._look, asking, patient, blob))
        if looked.item is None:
            return None
        receipts = await settled(self._passage, looked.entries)
        plain = self._revealed(looked, receipts[0], blob)
        if plain is None:
            return None
        if asking.now - known.taken > DAY:
            await asyncio.to_thread(self._take_up, asking, patient, known.id)
        said = _read(plain)
        return Kept(known.id, said.fields, said.saved)

    async def keep(self, asking: Asking, patient: PatientId, id_: str, fields: Fields) -> Instant:
        """Keep what was typed so far; give the instant.

        Raises `NotFoundError` for whoever may not write and read notes there, `ConflictError` when it was
        saved already or another window holds a draft, `TooLargeError`.
        """
        plain = msgspec.msgpack.encode(
            _Sealed(asking.now, {name: list(said) for name, said in fields.items()})
        )
        if len(plain) > MOST:
            raise TooLargeError("consultation.draft-too-large")
        if _ID.fullmatch(id_) is None:
            raise MalformedError("consultation.draft-unknown")
        await self._writing.run(asking, [f"Patient/{patient}"], lambda pen: _kept(pen, patient, id_, plain))
        return asking.now

    async def discard(self, asking: Asking, patient: PatientId) -> None:
        """Erase the asker's own draft in a record; none is no error."""

        def job(pen: Pen) -> None:
            for known in _standing(pen, patient):
                _closed(pen, patient, known.id)

        await self._writing.run(asking, [f"Patient/{patient}"], job)

    def sweep(self) -> int:
        """Erase the drafts whose time is over, once an hour; give how many. Opens none of them."""
        now = self._passage.clock()
        if now < self._next:
            return 0
        self._next = now + EVERY
        asking = Asking(KEEPER, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), now)
        files = {name: _file(value) for name, value in self._registry.all(asking, DRAWER).items()}
        over = {name: known for name, known in files.items() if now >= known.taken + LASTS}
        if over:
            self._registry.act(asking, lambda pen: _swept(pen, over))
        return len(over)

    def _known(self, asking: Asking, patient: PatientId) -> _File | None:
        value = self._registry.get(asking, DRAWER, _name(asking.actor.id, patient))
        return None if value is None else _file(value)

    def _take_up(self, asking: Asking, patient: PatientId, id_: str) -> None:
        def edit(value: bytes | None) -> bytes | None:
            if value is None or _file(value).id != id_:
                return value
            return msgspec.msgpack.encode(_File(id_, asking.now))

        name = _name(asking.actor.id, patient)
        self._registry.change(asking, DRAWER, name, edit, interaction=Interaction.DRAFT)

    def _look(self, asking: Asking, patient: PatientId, blob: bytes, snapshot: Snapshot) -> _Looked:
        """Look, decide, and read the sealed chunk."""
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        permit = _permit(view)
        if isinstance(permit, Denial) or snapshot.chunk(blob, 0) is None:
            return _Looked(view, [])
        entry = Entry(UNIT.document_type, "", 1, "", asking.now, True, 0, b"", None, write.NOTHING)
        return _Looked(view, [_traced(passage, view, permit)], Item(permit, UNIT, entry))

    def _revealed(self, looked: _Looked, receipt: Receipt, blob: bytes) -> bytes | None:
        """Open what stands now: it may have been kept again, or erased, since it was looked at."""
        with self._passage.store.snapshot() as snapshot:
            sealed = snapshot.chunk(blob, 0)
            if sealed is None or looked.item is None:
                return None
            # Nothing lists a chunk that changes every five seconds: its place alone binds it (ADR 59).
            manifest = Manifest(blob, 0, CHUNK, (tag_of(sealed),), b"", 0, 0, 0)
            return gate.reveal_chunk(snapshot, looked.view, receipt, looked.item, manifest, 0)


def _permit(view: View) -> Permit | Denial:
    """Ask whether a note may be read and written there by whoever it is; give the permit to read."""
    writes = view.decide(UNIT, Act.WRITE, existing=False)
    return writes if isinstance(writes, Denial) else view.decide(UNIT, Act.READ)


def _traced(passage: Passage, view: View, permit: Permit) -> Pending:
    """Make the entry of a draft begun or taken up: in the chain that no representative follows.

    What is being written may become a minor's secret: that it is being written may not tell before it.
    """
    said = trace.event(passage, view.asking, Interaction.DRAFT, rule=permit.rule)
    return trace.pending(view.keys, view.record, Chain.PROTECTED, said)


# Inside a transaction.


def _kept(pen: Pen, patient: PatientId, id_: str, plain: bytes) -> None:
    """Put what was typed in the place of what was kept before."""
    draft = writing.draft_of(pen, f"Patient/{patient}", {})
    permit = _permit(draft.view)
    if isinstance(permit, Denial):
        raise DeniedError(draft.view, permit, Interaction.DRAFT, unit=UNIT)
    if _begun(pen, patient, id_):
        trace.append(pen.passage, pen.txn, [_traced(pen.passage, draft.view, permit)])
    blob = _blob(pen.passage, pen.asking.actor.id, patient, id_)
    sealed = draft.view.keys.seal_chunk(UNIT.category, blob, 0, plain, last=True)
    pen.txn.drop_blob(blob)
    pen.txn.put_chunk(draft.record, blob, 0, sealed)


def _begun(pen: Pen, patient: PatientId, id_: str) -> bool:
    """Note whose draft it is, once; say whether it begins now. Raises `ConflictError`."""
    now, before = pen.asking.now, _standing(pen, patient)

    def edit(value: bytes | None) -> bytes:
        known = None if value is None else _file(value)
        if known is not None and known.id == id_:
            if known.closed:
                raise ConflictError("consultation.saved-already")
            return msgspec.msgpack.encode(known if known.stands(now) else _File(id_, now))
        if known is not None and known.stands(now):
            raise ConflictError("consultation.other-window")
        return msgspec.msgpack.encode(_File(id_, now))

    name = _name(pen.asking.actor.id, patient)
    registry.edited(pen, DRAWER, name, edit, interaction=Interaction.DRAFT)
    return [one.id for one in before] != [id_]


def close_in(pen: Pen, patient: PatientId, id_: str) -> None:
    """Erase a draft in the transaction that saves what it says. Raises `ConflictError` the second time.

    The draft of another window stays.
    """
    value = registry.in_pen(pen, DRAWER, _name(pen.asking.actor.id, patient))
    known = None if value is None else _file(value)
    if known is not None and known.id == id_ and known.closed:
        raise ConflictError("consultation.saved-already")
    if known is None or known.id == id_ or not known.stands(pen.asking.now):
        _closed(pen, patient, id_)


def _closed(pen: Pen, patient: PatientId, id_: str) -> None:
    actor = pen.asking.actor.id
    after = msgspec.msgpack.encode(_File(id_, pen.asking.now, closed=True))
    registry.edited(pen, DRAWER, _name(actor, patient), lambda _: after, interaction=Interaction.DRAFT)
    pen.txn.drop_blob(_blob(pen.passage, actor, patient, id_))


def _standing(pen: Pen, patient: PatientId) -> list[_File]:
    """Give the asker's own draft in a record as it stands, if there is one."""
    value = registry.in_pen(pen, DRAWER, _name(pen.asking.actor.id, patient))
    known = None if value is None else _file(value)
    return [known] if known is not None and known.stands(pen.asking.now) else []


def _swept(pen: Pen, over: Mapping[str, _File]) -> None:
    for name, known in over.items():
        actor, _, patient = name.rpartition("/")
        registry.edited(pen, DRAWER, name, lambda _: None, interaction=Interaction.DRAFT)
        pen.txn.drop_blob(_blob(pen.passage, ActorId(actor), PatientId(patient), known.id))


def _blob(passage: Passage, actor: ActorId, patient: PatientId, id_: str) -> bytes:
    """Name the chunk of a draft: keyed, so that no id that somebody sends names another's bytes."""
    return passage.installation.locator(f"draft/{actor}/{patient}/{id_}")


def _name(actor: ActorId, patient: PatientId) -> str:
    return f"{actor}/{patient}"


def _file(value: bytes) -> _File:
    return _decoded(value, _File)


def _read(plain: bytes) -> _Sealed:
    return _decoded(plain, _Sealed)


def _decoded(value: bytes, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(value, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None

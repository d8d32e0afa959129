"""The trace of one record as AuditEvents, for whoever may read the trace: the holder, a representative.

In this order: what one entry tells, the passage: read, search, verification. Each reading is decided and
traced by `proving.trail`, as the page of the trace is; the ledger stays the only list, nothing is kept
beside it. To a professional there is no trace: every id and every search answers as one of nobody.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import msgspec

from serment.errors import LedgerError, MalformedError, NotFoundError, RequestError
from serment.fhir import audit, match, order, search
from serment.fhir import document as documents
from serment.fhir.query import Query, parse
from serment.ledger import checkpoint
from serment.ledger.chains import Chain
from serment.ledger.entry import Body, Decision, body_bytes, commitment_of, entry_leaf
from serment.ledger.tree import Frontier
from serment.model import Instant
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.proving import TRACE_UNIT, Proving
from serment.record.reading import Served, opened_token, sealed_token
from serment.record.searching import Page
from serment.store.contract import Snapshot

MOST_WALKED = 50_000
"""Entries of the whole ledger that one request hashes again; the command walks any number."""

AUDIT = "audit"
TYPE = "AuditEvent"

Row = tuple[str, int, bytes]
"""Id, instant (ms) and search values of one event."""


class AuditMark(msgspec.Struct, array_like=True, frozen=True):
    """What a page token holds: the query, where its next page begins, the instant of the first page."""

    pairs: list[tuple[str, str]]
    offset: int
    until: int


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found whole: entries told of this record, and the tree they stand in.

    `size` and `root` are those of the last signed checkpoint, `note` its text (C2SP tlog-checkpoint);
    `walked` says that the root was worked out again from every row, which a request does up to `MOST_WALKED`.
    """

    entries: int
    size: int
    root: bytes = field(repr=False)
    note: bytes = field(repr=False)
    walked: bool


class Auditing:
    """The passage for the trace as AuditEvents."""

    def __init__(self, passage: Passage, proving: Proving) -> None:
        self._passage = passage
        self._proving = proving

    async def read(self, asking: Asking, id_: str) -> Served:
        """Give one event. Raises `NotFoundError`: not of this record, or not the caller's to read."""
        patient = audit.patient_of(id_)
        for body in await self._proving.trail(asking, patient):
            if audit.event_id(patient, commitment_of(body_bytes(body))) == id_:
                return _served(patient, body, asking)
        raise NotFoundError("record.not-found")

    async def search(self, asking: Asking, query: Query) -> Page:
        """Search the trace of the one record that the query names, newest first."""
        return await self._page(asking, query, 0, asking.now)

    async def go_on(self, asking: Asking, token: str) -> Page:
        """Follow a page token. Raises `MalformedError` for one that is altered or of another caller."""
        plain = opened_token(self._passage, f"{AUDIT} {asking.actor.id}", token)
        try:
            mark = msgspec.msgpack.decode(plain, type=AuditMark)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            mark = None
        if mark is None:
            raise MalformedError("record.page-token")
        return await self._page(asking, parse(TYPE, mark.pairs), mark.offset, Instant(mark.until))

    async def _page(self, asking: Asking, query: Query, offset: int, until: Instant) -> Page:
        if len(query.patients) != 1:
            raise RequestError("record.one-patient")
        (patient,) = query.patients
        try:
            trail = await self._proving.trail(asking, patient)
        except NotFoundError:
            trail = []
        told = [_served(patient, body, asking) for body in trail if body.event.t <= until]
        rows = {one.id: _row(one) for one in told}
        matches = match.matcher(query)
        kept = [one for one in told if matches(*rows[one.id])]
        if query.sort:
            kept = order.arranged(query, kept, lambda one: rows[one.id])
        page = kept[offset : offset + query.count]
        rest = bool(page) and offset + len(page) < len(kept)
        return Page(query, page, len(kept), self._token(asking, query, offset + len(page), until, rest=rest))

    def _token(self, asking: Asking, query: Query, offset: int, until: Instant, *, rest: bool) -> str:
        if not rest:
            return ""
        plain = msgspec.msgpack.encode(AuditMark(query.to_pairs(), offset, until))
        return sealed_token(self._passage, f"{AUDIT} {asking.actor.id}", plain)

    async def verify(self, asking: Asking, patient: str) -> Verified:
        """Follow every chain of a record to its end, and hold the tree against its last signed head.

        Raises `IntegrityError` when an entry was altered, added or taken away, or when the signature, the
        tree or what custody and the spool remember do not agree; `NotFoundError` for whoever may not know.
        """
        entries = await self._proving.trail(asking, patient)
        await asyncio.to_thread(self._proving.checkpoint)
        with self._passage.store.snapshot() as snapshot:
            size, root, note = snapshot.checkpoint() or (0, b"", b"")
        signed = checkpoint.verify(note, self._proving.key)
        if (signed.size, signed.root) != (size, root):
            raise LedgerError("ledger.checkpoint-signature")
        walked = size <= MOST_WALKED
        if walked:
            await asyncio.wrap_future(self._passage.store.scan(lambda seen: _same_tree(seen, size, root)))
        return Verified(len(entries), size, root, note, walked)


def _same_tree(snapshot: Snapshot, size: int, root: bytes) -> None:
    """Work the root out again from every row. Raises `LedgerError`."""
    tree = Frontier()
    tree.append(entry_leaf(row.kind, row.commitment) for row in snapshot.ledger_entries(1, size + 1))
    if (tree.size, tree.root()) != (size, root):
        raise LedgerError("ledger.rows-changed")


def told_of(patient: str, body: Body, asking: Asking) -> audit.Told:
    """Say what one entry tells whoever asks: items are named to the holder, of the ordinary chain only."""
    event = body.event
    denied = event.decision is Decision.DENIAL
    holder = asking.actor.patient == patient
    return audit.Told(
        patient=patient,
        commitment=commitment_of(body_bytes(body)),
        t=event.t,
        request=event.request,
        interaction=event.interaction.value,
        denied=denied,
        actor=event.actor,
        name=event.actor_name,
        function=event.function,
        profession=event.profession,
        purpose=event.purpose,
        reasons=tuple(reason for reason in event.reason.split(",") if reason),
        ground=event.rule if not denied and event.rule.startswith("G") else "",
        resources=event.resources,
        count=event.count or len(event.resources),
        named=holder and body.chain is Chain.ORDINARY,
        recipient=event.recipient,
    )


def _served(patient: str, body: Body, asking: Asking) -> Served:
    told = told_of(patient, body, asking)
    id_ = audit.event_id(patient, told.commitment)
    return Served(TYPE, id_, 1, told.t, False, TRACE_UNIT, audit.audit_event(told))


def _row(event: Served) -> Row:
    return event.id, event.updated, search.index(documents.read(event.body).value)

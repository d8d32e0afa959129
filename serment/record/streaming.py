"""Content in pieces, both ways, never whole in memory and never in a file of its own.

In: the write is rehearsed and undone, so that who may not write is refused before a byte is read;
then the pieces go straight into the sealer, each chunk in a transaction of its own; last, one
transaction decides again and writes the manifest, the entry and the trace. An upload that stops leaves
chunks that nothing points to: they are dropped at once, or by `sweep` when the process died.

Out: look and decide, wait for the durable trace, then open chunk by chunk with permit and receipt. A
chunk that is not the one that was written ends the answer before any byte of it leaves. A permit lasts
one minute: a longer answer is decided again, so that a word of the patient stops it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NoReturn

from serment.errors import ConflictError, GoneError, IntegrityError, NotFoundError, TooLargeError
from serment.fhir import binary, binary_json
from serment.fhir import document as documents
from serment.fhir.binary_json import Shell
from serment.keys.record_keys import RecordKeys
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Category, Denial, Receipt
from serment.record import filing, gate, incoming, retrying, scanning, trace, writing
from serment.record.asking import Asking
from serment.record.blobs import MOST_BYTES, Manifest, Row, Sealer, Staged
from serment.record.gate import Item, Sealed, View
from serment.record.incoming import Incoming, owning_reference
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.reading import settled, warm
from serment.record.write import Written
from serment.record.writing import Writing, new_id
from serment.store.contract import Snapshot, Transaction

IN_FLIGHT = 4
"""Chunks that wait for the disk at most, for each upload."""

MOST_SWEPT = 1000

SPARE = 1000
"""Milliseconds before its end at which a permit is decided again, so that no chunk meets it ended."""

_TRACED = {Act.READ: Interaction.READ, Act.PRINT: Interaction.PRINT}
"""What opening the current version is traced as, by the act under which it is opened."""

Pieces = AsyncIterable[bytes]
Write = Callable[[Pen, Incoming], Written]


class _RehearsedError(Exception):
    """Undoes a rehearsed write; says under which keys and category its content is sealed."""

    def __init__(self, keys: RecordKeys, category: Category) -> None:
        self.keys, self.category = keys, category
        super().__init__()


@dataclass(frozen=True, slots=True)
class Upload:
    """What comes before the first byte: declared type, whose it is (`Type/id`), this server's address."""

    content_type: str
    context: str = field(repr=False)
    base: str = ""


class Depositing:
    """The passage for content on its way in."""

    def __init__(self, passage: Passage, writes: Writing) -> None:
        self._passage = passage
        self._writing = writes
        self._active: set[bytes] = set()

    async def create(self, asking: Asking, upload: Upload, pieces: Pieces) -> Written:
        """Keep the pieces as a new Binary. Raises `RefusedError`, `InvalidResourceError`, `TooLargeError`."""
        id_ = new_id()
        binary.checked_type(upload.content_type)
        ready = incoming.read(
            binary_json.described(upload.content_type, upload.context), "Binary", upload.base
        )

        def write(pen: Pen, sent: Incoming) -> Written:
            return writing.put(pen, sent, id_, {}, asking.actor.id)

        return await self._deposit(asking, ready, id_, [owning_reference(ready, id_)], write, pieces)

    async def update(
        self, asking: Asking, id_: str, upload: Upload, if_match: int | None, pieces: Pieces, reason: str = ""
    ) -> Written:
        """Keep the pieces as a new version. Raises as `create`, `NotFoundError`, `VersionConflictError`."""
        binary.checked_type(upload.content_type)
        described = binary_json.described(upload.content_type, upload.context, id_)
        ready = incoming.read(described, "Binary", upload.base)
        owner = owning_reference(ready, id_)

        def write(pen: Pen, sent: Incoming) -> Written:
            return writing.change(pen, sent, id_, owner, if_match, reason)

        return await self._deposit(asking, ready, id_, [f"Binary/{id_}", owner], write, pieces)

    async def _deposit(
        self, asking: Asking, ready: Incoming, id_: str, references: list[str], write: Write, pieces: Pieces
    ) -> Written:
        if retrying.is_known(self._passage, asking):
            return await self._done_before(asking, pieces)
        declared = str(ready.document.value["contentType"])
        rehearsed = await self._rehearsed(asking, ready, id_, references, write)
        first, rest = await _beginning(pieces)
        binary.checked(declared, first)
        sealer = Sealer(rehearsed.keys, rehearsed.category)
        watch = scanning.Watch(self._passage.scanner)
        self._active.add(sealer.blob)
        try:
            staged = await self._staged(sealer, rehearsed.keys, first, watch.passing(first, rest))
            await watch.cleared()
            sent = replace(ready, content=staged)
            again = replace(_of_content(asking, staged.digest), now=self._passage.clock())
            return await self._writing.run(again, references, lambda pen: write(pen, sent))
        except BaseException:
            self._passage.store.submit(partial(_dropped, sealer.blob))
            raise
        finally:
            watch.close()
            self._active.discard(sealer.blob)

    async def _done_before(self, asking: Asking, pieces: Pieces) -> Written:
        """Give what the same upload gave the first time: what is sent again is hashed, and not kept.

        Raises `KeyReusedError` for another one, `TooLargeError`.
        """
        content, size = hashlib.sha256(), 0
        async for piece in pieces:
            content.update(piece)
            size += len(piece)
            if size > MOST_BYTES:
                raise TooLargeError("binary.too-large", limit=MOST_BYTES)
        done = retrying.done_before(self._passage, _of_content(asking, content.digest()))
        if not isinstance(done, Written):
            raise ConflictError("record.retry-in-flight")  # its day ended while it was sent again
        return done

    async def _rehearsed(
        self, asking: Asking, ready: Incoming, id_: str, references: list[str], write: Write
    ) -> _RehearsedError:
        """Do the write without its content and undo it: whoever may not write learns it before sending."""

        def job(pen: Pen) -> NoReturn:
            write(pen, ready)
            for draft in pen.drafts.values():
                at = filing.standing(draft, f"Binary/{id_}", ())
                if isinstance(at, filing.Standing):
                    raise _RehearsedError(draft.view.keys, at.unit.category)
            raise NotFoundError("record.not-found")

        try:
            await self._writing.run(replace(asking, retry=None), references, job)
        except _RehearsedError as rehearsed:
            return rehearsed
        raise NotFoundError("record.not-found")

    async def _staged(
        self, sealer: Sealer, keys: RecordKeys, first: bytes, rest: AsyncIterator[bytes]
    ) -> Staged:
        """Seal and store every chunk but the first, a few at a time."""
        waiting: deque[asyncio.Future[None]] = deque()

        async def put(row: Row) -> None:
            trace.room_for_content(self._passage)
            stored = self._passage.store.submit(
                lambda txn: txn.put_chunk(keys.record, sealer.blob, row[0], row[1])
            )
            waiting.append(asyncio.wrap_future(stored))
            while len(waiting) >= IN_FLIGHT:
                await waiting.popleft()

        for row in sealer.feed(first):
            await put(row)
        async for piece in rest:
            for row in sealer.feed(piece):
                await put(row)
        rows, staged = sealer.finish()
        for row in rows:
            await put(row)
        while waiting:
            await waiting.popleft()
        return staged

    def sweep(self) -> int:
        """Drop the chunks of uploads that never ended; give how many blobs. Opens nothing.

        An upload under way in this process is left alone; one in another process fails at its end and
        is sent again (`ConflictError`).
        """
        store = self._passage.store
        unfinished = store.scan(lambda snapshot: snapshot.unfinished_blobs(MOST_SWEPT)).result()
        lost = [blob for blob in unfinished if blob not in self._active]
        return sum(store.submit(partial(_dropped, blob)).result() for blob in lost)


def _dropped(blob: bytes, txn: Transaction) -> bool:
    """Drop a blob unless it was finished meanwhile."""
    if txn.chunk(blob, 0) is not None:
        return False
    txn.drop_blob(blob)
    return True


def _of_content(asking: Asking, digest: bytes) -> Asking:
    """Tie the key of a request, if it has one, to the content that was streamed."""
    return asking if asking.retry is None else replace(asking, retry=asking.retry.over(digest))


async def _beginning(pieces: Pieces) -> tuple[bytes, AsyncIterator[bytes]]:
    """Read as much as the verdict looks at; give it, and the pieces that follow."""
    rest = aiter(pieces)
    first = bytearray()
    while len(first) < binary.LOOKED_AT:
        piece = await anext(rest, None)
        if piece is None:
            break
        first += piece
    return bytes(first), rest


@dataclass(slots=True)
class _Found:
    """A version of a Binary that may be read, or why not."""

    view: View
    item: Item | None
    sealed: Sealed | None
    entries: list[Pending]
    act: Act = Act.READ


@dataclass(slots=True)
class Opened:
    """One version of a Binary whose trace is durable. `updated` is in ms; `first` is its first chunk."""

    id: str
    version: int
    updated: int
    content_type: str
    context: str = field(repr=False)
    size: int
    shell: Shell = field(repr=False)
    manifest: Manifest | None = field(repr=False)
    first: bytes = field(repr=False)
    serving: Serving = field(repr=False)
    found: _Found = field(repr=False)
    receipt: Receipt = field(repr=False)

    @property
    def json_length(self) -> int:
        """Give the length of the FHIR JSON, in bytes."""
        return len(self.shell.text) if self.manifest is None else self.shell.length(self.size)

    async def content(self) -> AsyncIterator[bytes]:
        """Give the content piece by piece. Raises `IntegrityError` before a byte that was not written."""
        yield self.first
        if self.manifest is None:
            return
        digest = hashlib.sha256(self.first)
        for index in range(1, len(self.manifest.tags)):
            piece = self.serving.chunk(self, index)
            digest.update(piece)
            if index == len(self.manifest.tags) - 1 and digest.digest() != self.manifest.digest:
                raise IntegrityError("binary.altered")
            yield piece
            await asyncio.sleep(0)

    async def part(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Give the bytes of the content from `start` to before `stop`; only the chunks of that part open.

        Each chunk is the one that the manifest lists, or `IntegrityError`.
        """
        if self.manifest is None:
            yield self.first[start:stop]
            return
        size = self.manifest.chunk
        for index in range(start // size, -(-stop // size)):
            piece = self.serving.chunk(self, index) if index else self.first
            yield piece[max(0, start - index * size) : stop - index * size]
            await asyncio.sleep(0)

    async def json(self) -> AsyncIterator[bytes]:
        """Give the resource as it was received, its content in base64 where it stood."""
        if self.manifest is None:
            yield self.shell.text
            return
        yield self.shell.text[: self.shell.at]
        async for piece in self.content():
            yield base64.b64encode(piece)
        yield self.shell.text[self.shell.at :]


class Serving:
    """The passage for content on its way out."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def open(
        self, asking: Asking, id_: str, version: int | None = None, *, act: Act = Act.READ
    ) -> Opened:
        """Open a Binary: the current version, or one by its number. `act` is `PRINT` for a printed page.

        Raises `NotFoundError` (absent or hidden alike), `GoneError`, `IntegrityError`.
        """
        await warm(self._passage, asking, [f"Binary/{id_}"])
        with self._passage.store.snapshot() as snapshot:
            found = self._look(snapshot, asking, id_, version, act)
        receipts = await settled(self._passage, found.entries)
        if found.item is None:
            raise NotFoundError("record.not-found")
        if found.sealed is None:
            raise GoneError("record.gone")
        manifest, shell = gate.reveal_blob(found.view, receipts[0], found.sealed)
        return self._opened(found, found.item, receipts[0], manifest, shell)

    def _opened(
        self, found: _Found, item: Item, receipt: Receipt, manifest: Manifest | None, shell: Shell
    ) -> Opened:
        resource = documents.read(shell.sheet).value
        inline = binary_json.any_bytes(str(resource.get("data", ""))) if manifest is None else b""
        opened = Opened(
            item.entry.id,
            item.entry.version,
            item.entry.updated,
            str(resource["contentType"]),
            str(resource.get("securityContext", {}).get("reference", "")),
            len(inline) if manifest is None else manifest.size,
            shell,
            manifest,
            inline,
            self,
            found,
            receipt,
        )
        if manifest is not None:
            opened.first = self.chunk(opened, 0)
        return opened

    def chunk(self, opened: Opened, index: int) -> bytes:
        """Open one chunk, deciding again when the permit has ended.

        Raises `IntegrityError`, and `NotFoundError` when it may not be read any more.
        """
        manifest = opened.manifest
        if manifest is None:
            raise IntegrityError("binary.altered")
        found = opened.found
        with self._passage.store.snapshot() as snapshot:
            now = self._passage.clock()
            if found.item is None or found.view.now() + SPARE >= found.item.permit.until:
                asking = replace(found.view.asking, now=now)
                found = opened.found = self._look(snapshot, asking, opened.id, opened.version, found.act)
            if found.item is None:
                raise NotFoundError("record.not-found")
            piece = gate.reveal_chunk(snapshot, found.view, opened.receipt, found.item, manifest, index)
        if len(piece) != manifest.length_of(index):
            raise IntegrityError("binary.altered")
        return piece

    def _look(self, snapshot: Snapshot, asking: Asking, id_: str, version: int | None, act: Act) -> _Found:
        """Look and decide; what is hidden and what does not exist walk the same way."""
        passage = self._passage
        interaction = _TRACED[act] if version is None else Interaction.VREAD
        located, _ = passage.resolve(snapshot, f"Binary/{id_}")
        view = passage.view(snapshot, asking, located.record)
        item = gate.current(snapshot, view, located.pack, ("Binary", id_, ""), act)
        if isinstance(item, Denial):
            unit = gate.unit_at(view, located.pack)
            return _Found(view, None, None, trace.of_refusal(passage, view, interaction, item, unit), act)
        chosen = item if version is None else _version(snapshot, view, item, version)
        if chosen is None:
            entries = trace.of_access(passage, view, interaction, [], item.permit.rule)
            return _Found(view, None, None, entries, act)
        touched = [trace.touched(chosen, asking)]
        entries = trace.of_access(passage, view, interaction, touched, chosen.permit.rule)
        if chosen.entry.deleted:
            return _Found(view, chosen, None, entries, act)
        return _Found(view, chosen, gate.fetch(snapshot, view, [chosen])[0], entries, act)


def _version(snapshot: Snapshot, view: View, item: Item, version: int) -> Item | None:
    """Walk back to one version; None when it is not there or may not be seen."""
    step: Item | Denial | None = item
    while isinstance(step, Item) and step.entry.version > version:
        step = gate.previous(snapshot, view, step, item.unit)
    return step if isinstance(step, Item) and step.entry.version == version else None

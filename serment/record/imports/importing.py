"""The passage for imports: a lot of resources, the place reached in the source, and what became of each.

One lot is one transaction: what was stored, what was put in quarantine, the counts and the place
reached stand or fall together, so that an import that was cut goes on where it stopped and nothing is
doubled or lost. The decision is asked for every item as a service of the structure that deposits what
it received (`G9.deposit`): an import makes no author, and reads nothing.

Order: what arrives, what became of it, marks, the passage, one lot. The keys of new records are made
before their rows (HOUSE section 5). Here nothing is parsed and no name or reference is worked out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import chain

from serment.errors import (
    ConflictError,
    DependencyError,
    RequestError,
    SermentError,
    TooManyError,
    VersionConflictError,
)
from serment.keys.custody.contract import MOST_MADE
from serment.keys.material import RecordKind
from serment.keys.record_keys import RecordKeys
from serment.model import ActorId, ActorKind, Instant, PatientId, Purpose, RecordToken, Regime
from serment.record import scanning, trace, writing
from serment.record.asking import Asking
from serment.record.duplicates import worklist
from serment.record.imports import quarantining
from serment.record.imports.lot import Arrival, Lot, Prepared, Progress, Tally
from serment.record.imports.quarantining import Held
from serment.record.incoming import owning_reference
from serment.record.passage import DIRECTORY, QUARANTINE, Passage, year_of
from serment.record.pen import DeniedError, Pen
from serment.record.writing import Birth
from serment.store.contract import Snapshot, Transaction

NOBODY = ActorId("")
"""An import makes no author."""

_VERSION_BITS = 20
_DIGEST_BITS = 43


@dataclass(frozen=True, slots=True)
class Deposited:
    """What became of one lot, and the keys of the records that it touched."""

    tally: Tally
    keys: dict[RecordToken, RecordKeys] = field(repr=False)


Births = dict[str, Birth]
"""The records that a lot begins: `Patient/id` → keys."""

OWNER_MISSING = "importing.owner-missing"
NOTE_MISSING = "importing.note-missing"
PLACE = ("place", "created", "updated", "already", "quarantined")
"""The numbers that an import keeps of each part of its source: the place reached, and a `Tally`."""
LATE = ("late",)
"""What one keeps of a whole source: how many were filed after they had been in quarantine."""


class Importing:
    """The passage for imports. `asking` is that of a service of the importing structure."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    def check(self, asking: Asking) -> None:
        """Refuse whoever may not import. Raises `RequestError`."""
        if self._passage.regime is not Regime.OWN:
            raise RequestError("importing.own-only")
        right = asking.actor.kind is ActorKind.SERVICE and asking.purpose is Purpose.RECORD_MANAGEMENT
        if not right or not asking.actor.structure:
            raise RequestError("importing.service-only")

    def id_of(self, source: str, type_: str, key: str) -> str:
        """Give the id that a resource keeps at every import: 32 hexadecimal digits."""
        return self._passage.installation.imported_id(source, type_, key)

    def reached(self, source: str, mark: str) -> tuple[int, Tally]:
        """Give the place reached in a part of a source by an import that was cut, and its counts."""
        with self._passage.store.snapshot() as snapshot:
            place, *counts = self._numbers(snapshot, source, PLACE, mark)
        return place, Tally.of(counts)

    def finish(self, source: str, marks: Sequence[str]) -> None:
        """Forget the places: the next import of this source meets all of it again."""

        def job(txn: Transaction) -> None:
            for mark in marks:
                self._put_numbers(txn, source, PLACE, mark, [0] * len(PLACE))
            self._put_numbers(txn, source, LATE, "", [0])

        self._passage.store.submit(job).result()

    def waiting(self, asking: Asking, source: str) -> Counter[str]:
        """Count what is in quarantine from a source, by reason."""
        held = quarantining.listed(self._passage, asking)
        return Counter(one.reason for one in held if one.source == source)

    def suspected(self, asking: Asking) -> int:
        """Count the pairs of the structure that may be one person and that nobody has judged."""
        return len(worklist.listed(self._passage, asking, asking.actor.structure))

    def filed_late(self, source: str) -> int:
        """Count what this import put in quarantine first and filed before its end."""
        with self._passage.store.snapshot() as snapshot:
            return self._numbers(snapshot, source, LATE, "")[0]

    def births(self, asking: Asking, lot: Lot) -> Births:
        """Make durable the keys of the records that the lot begins. Raises what custody raises."""
        births: Births = {}
        patients, year = self._patients(lot), year_of(asking.now)
        for start in range(0, len(patients), MOST_MADE):
            some = patients[start : start + MOST_MADE]
            records = [RecordToken(os.urandom(16)) for _ in some]
            made = self._passage.keyring.custody.make_all(records, RecordKind.PATIENT, year)
            for arrival, record, unwrapped in zip(some, records, made, strict=True):
                birth = Birth(record, PatientId(arrival.id), RecordKeys(unwrapped))
                births[f"Patient/{arrival.id}"] = birth
        return births

    def warm(self, asking: Asking, lot: Lot, births: Births) -> None:
        """Fetch the keys that the lot will need. Raises `TooManyError`, `CustodyError`."""
        passage = self._passage
        wanted = {owning_reference(one.prepared, one.id) for one in lot.arrivals if one.prepared}
        with passage.store.snapshot() as snapshot:
            records = {
                passage.resolve(snapshot, reference)[0].record
                for reference in chain(wanted - births.keys(), [QUARANTINE, DIRECTORY])
            }
            epochs = {record: snapshot.epoch(record) for record in records}
        for record, epoch in epochs.items():
            if epoch is not None:
                passage.keyring.of(record, epoch, asking.request, asking.now)

    def deposit(self, asking: Asking, lot: Lot, births: Births) -> Future[Deposited]:
        """Take in one lot; done once durable. Raises `StorageFullError` when only the reserve is left.

        The future carries `ConflictError` when the source stands at another place than the lot begins.
        """
        trace.room_for_content(self._passage)
        seen = replace(lot, arrivals=[self._screened(one) for one in lot.arrivals])
        return self._passage.store.submit(lambda txn: self._deposit(txn, asking, seen, births))

    def _screened(self, arrival: Arrival) -> Arrival:
        """Show the contents of one resource to the scanner; what it knows goes to the quarantine."""
        fault = scanning.fault_of(self._passage.scanner, arrival.raw) if arrival.prepared else ""
        return replace(arrival, prepared=None, reason=fault) if fault else arrival

    def refile(self, asking: Asking, held: Held, arrival: Arrival, *, counted: bool) -> str:
        """File one item of the quarantine and take it out, or give the sentence that says why not."""
        arrival = self._screened(arrival)
        lot = Lot(held.source, asking.now, [arrival], Progress("", 0, 0))
        births = self.births(asking, lot)
        self.warm(asking, lot, births)

        def job(txn: Transaction) -> str:
            pen = Pen(self._passage, txn, asking, imported=True)
            reason = _Work(self, pen, lot, births).stored(arrival)
            if not reason:
                quarantining.take(pen, held.token.hex())
                pen.finish()
                if counted:
                    late = self._numbers(txn, held.source, LATE, "")[0]
                    self._put_numbers(txn, held.source, LATE, "", [late + 1])
            return reason

        return self._passage.store.submit(job).result()

    def hold(self, deposited: Deposited, now: Instant) -> None:
        """Keep the keys of records just written: what follows in the source is theirs."""
        with self._passage.store.snapshot() as snapshot:
            for record, keys in deposited.keys.items():
                epoch = snapshot.epoch(record)
                if epoch is not None:
                    self._passage.keyring.hold(record, epoch, now, keys)

    def _patients(self, lot: Lot) -> list[Arrival]:
        """Give the Patients of the lot that have no record yet."""
        found = [one for one in lot.arrivals if one.prepared is not None and one.type == "Patient"]
        with self._passage.store.snapshot() as snapshot:
            return [one for one in found if not self._passage.resolve(snapshot, f"Patient/{one.id}")[1]]

    def _deposit(self, txn: Transaction, asking: Asking, lot: Lot, births: Births) -> Deposited:
        progress = lot.progress
        place, *counts = self._numbers(txn, lot.source, PLACE, progress.mark)
        if place != progress.start:
            raise ConflictError("importing.out-of-order")
        births = {one: birth for one, birth in births.items() if not self._passage.resolve(txn, one)[1]}
        pen = Pen(self._passage, txn, asking, imported=True, known=dict(lot.people))
        tally = _Work(self, pen, lot, births).run()
        pen.finish()
        before = Tally.of(counts)
        before.add(tally)
        self._put_numbers(txn, lot.source, PLACE, progress.mark, [progress.stop, *before.numbers])
        return Deposited(tally, {draft.record: draft.view.keys for draft in pen.drafts.values()})

    def _numbers(self, snapshot: Snapshot, source: str, names: Sequence[str], mark: str) -> list[int]:
        """Read numbers that were put together; altered by hand they are zeros.

        The import begins again then, and meets itself: nothing is left out because a number said so.
        """
        numbers = [snapshot.imported(self._token(source, name, mark)) or 0 for name in names]
        proof = snapshot.imported(self._token(source, f"proof of {names[0]}", mark))
        return numbers if proof == self._proof(source, mark, numbers) else [0] * len(names)

    def _put_numbers(
        self, txn: Transaction, source: str, names: Sequence[str], mark: str, numbers: Sequence[int]
    ) -> None:
        for name, number in zip(names, numbers, strict=True):
            txn.put_imported(self._token(source, name, mark), number)
        proof = self._proof(source, mark, numbers)
        txn.put_imported(self._token(source, f"proof of {names[0]}", mark), proof)

    def _proof(self, source: str, mark: str, numbers: Sequence[int]) -> int:
        """Prove numbers that stand in clear: 63 bits under the key that names imports."""
        token = self._token(source, "proof", "/".join(map(str, [mark, *numbers])))
        return int.from_bytes(token[:8], "big") >> 1

    def _token(self, source: str, kind: str, name: str) -> bytes:
        """Name a number that an import keeps: the name in clear says nothing."""
        return bytes.fromhex(self._passage.installation.imported_id(source, f"#{kind}", name))


@dataclass(slots=True)
class _Work:
    """One lot inside its transaction."""

    importing: Importing
    pen: Pen
    lot: Lot
    births: Births
    tally: Tally = field(default_factory=Tally)
    held: dict[int, frozenset[str]] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)

    def run(self) -> Tally:
        """Take in every arrival: into a record, or into the quarantine."""
        for arrival in self.lot.arrivals:
            reason = self.stored(arrival)
            if reason:
                self._hold(arrival, reason)
        return self.tally

    def stored(self, arrival: Arrival) -> str:
        """Store one resource, or give the sentence that says why not: nothing of it was written then."""
        if arrival.prepared is None:
            return arrival.reason
        try:
            return self._store(arrival, arrival.prepared)
        except DeniedError:
            reason = "importing.not-permitted"
        except (TooManyError, DependencyError):
            raise
        except SermentError as error:
            reason = error.sentence
        birth = self.births.get(f"Patient/{arrival.id}") if arrival.type == "Patient" else None
        if birth is not None:
            self.pen.drafts.pop(birth.record, None)
        return reason

    def _store(self, arrival: Arrival, prepared: Prepared) -> str:
        owner = owning_reference(prepared, arrival.id)
        if not self._is_known(owner, f"{arrival.type}/{arrival.id}"):
            return OWNER_MISSING
        token = self._token("item", arrival)
        before = self.pen.txn.imported(token)
        if before is None and self._stands(arrival):
            return NOTE_MISSING
        if before is None:
            writing.put(self.pen, prepared, arrival.id, self.births, NOBODY, imported=True)
            self.tally.created += 1
            self._remember(token, arrival, owner, 1)
        elif self._is_same(before, arrival, owner):
            self.tally.already += 1
        else:
            made = self._update(arrival, prepared, before % (1 << _VERSION_BITS), owner)
            self.tally.updated += 1
            self._remember(token, arrival, owner, made)
        return ""

    def _stands(self, arrival: Arrival) -> bool:
        """Say whether an item stands here already, though no note says that it was imported."""
        return self.pen.passage.resolve(self.pen.txn, f"{arrival.type}/{arrival.id}")[1]

    def _update(self, arrival: Arrival, prepared: Prepared, version: int, owner: str) -> int:
        """Write a newer version of what the same source gave before, unless somebody changed it here."""
        there, _ = self.pen.passage.resolve(self.pen.txn, f"{arrival.type}/{arrival.id}")
        if there.record != writing.draft_of(self.pen, owner, self.births).record:
            raise RequestError("record.owner-moved")
        try:
            return writing.change(self.pen, prepared, arrival.id, owner, version, imported=True).version
        except VersionConflictError:
            raise RequestError("importing.changed-here") from None

    def _is_known(self, owner: str, reference: str) -> bool:
        """Say whether the record that an item belongs to is there, or has begun in this lot."""
        if owner in self.births:
            return reference == owner or self.births[owner].record in self.pen.drafts
        if owner == DIRECTORY or owner in self.there:
            return True
        type_, _, id_ = owner.partition("/")
        known = any((type_, id_, "") in draft.names for draft in self.pen.drafts.values()) or (
            bool(id_) and self.pen.passage.resolve(self.pen.txn, owner)[1]
        )
        if known:
            self.there.add(owner)
        return known

    def _remember(self, token: bytes, arrival: Arrival, owner: str, version: int) -> None:
        """Remember what was imported: a digest under the record's own key, and the version made."""
        packed = self._digest(arrival, owner) << _VERSION_BITS | version
        self.pen.txn.put_imported(token, packed)
        if owner == DIRECTORY:
            self.pen.txn.put_imported(self._token("seen", arrival, arrival.digest), 1)

    def _is_same(self, before: int, arrival: Arrival, owner: str) -> bool:
        """Say whether these bytes were imported already.

        One entry of the directory comes in many files, in more than one state: every state met counts.
        """
        if owner == DIRECTORY:
            return self.pen.txn.imported(self._token("seen", arrival, arrival.digest)) is not None
        return before >> _VERSION_BITS == self._digest(arrival, owner)

    def _digest(self, arrival: Arrival, owner: str) -> int:
        draft = writing.draft_of(self.pen, owner, self.births)
        token = draft.view.keys.token("imported", arrival.digest.hex())
        return int.from_bytes(token[:6], "big") >> (48 - _DIGEST_BITS)

    def _hold(self, arrival: Arrival, reason: str) -> None:
        """Put one resource in quarantine, once: the same bytes come again at every import."""
        self.tally.quarantined += 1
        self.tally.reasons[reason] += 1
        token = self._token("held", arrival, arrival.digest)
        if quarantining.holds(self.pen, token.hex(), self.held):
            return
        held = Held(self.lot.source, arrival.type, arrival.key, arrival.id, reason, arrival.linked, token)
        quarantining.put(self.pen, held, arrival.raw)

    def _token(self, kind: str, arrival: Arrival, digest: bytes = b"") -> bytes:
        name = f"{arrival.type}/{arrival.key}" + (f"#{digest.hex()}" if digest else "")
        return self.importing._token(self.lot.source, kind, name)

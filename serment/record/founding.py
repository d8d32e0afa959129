"""The records that `init` makes: the directory, the decoy, and those of the quarantine and the system.

They are records like any other: sealed, with a head and three chains. The decoy has one item that
nobody may see; every id that leads nowhere leads there.
"""

from __future__ import annotations

import os

from serment.access.record_facts import RecordFacts
from serment.keys.material import RecordKind
from serment.keys.record_keys import RecordKeys
from serment.model import (
    Actor,
    ActorId,
    ActorKind,
    Category,
    ItemClass,
    Label,
    PatientId,
    Purpose,
    RecordToken,
    Regime,
    RequestId,
)
from serment.record.asking import Asking
from serment.record.index import Entry
from serment.record.passage import (
    DECOY,
    DIRECTORY,
    OUTBOX,
    PEOPLE,
    QUARANTINE,
    REGISTER,
    SYSTEM,
    UNIT_LIST,
    Passage,
    year_of,
)
from serment.record.pen import Pen
from serment.record.persons import register
from serment.record.write import NOTHING
from serment.record.writing import new_id, written

FOUNDER = Actor(ActorId("service:serment"), ActorKind.SERVICE, "Serment")

RECORDS = {
    DIRECTORY: RecordKind.DIRECTORY,
    DECOY: RecordKind.DECOY,
    QUARANTINE: RecordKind.QUARANTINE,
    SYSTEM: RecordKind.SYSTEM,
    UNIT_LIST: RecordKind.SYSTEM,
    OUTBOX: RecordKind.SYSTEM,
    PEOPLE: RecordKind.SYSTEM,
    REGISTER: RecordKind.SYSTEM,
}

KEPT = (UNIT_LIST, OUTBOX, PEOPLE, REGISTER)
"""Those that the installation's own keeper writes, whatever regime the records of patients are under."""


def found(passage: Passage) -> None:
    """Make the installation's own records, once."""
    for name, kind in RECORDS.items():
        _begin(passage, name, kind, anew=True)


def found_later(passage: Passage) -> None:
    """Make the records that an older installation was made without. Raises `DependencyError`."""
    locator = passage.installation.locator
    with passage.store.snapshot() as snapshot:
        made = snapshot.locate(locator(DIRECTORY)) is not None
        missing = [name for name in KEPT if snapshot.locate(locator(name)) is None]
    for name in missing if made else ():
        _begin(passage, name, RECORDS[name])


def _begin(passage: Passage, name: str, kind: RecordKind, *, anew: bool = False) -> None:
    now = passage.clock()
    asking = Asking(FOUNDER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)
    record = RecordToken(os.urandom(16))
    keys = RecordKeys(passage.keyring.custody.make(record, kind, year_of(now)))

    def job(pen: Pen) -> None:
        if pen.txn.locate(passage.installation.locator(name)) is not None:
            return  # another process of ours made it at the same moment
        regime = Regime.OWN if name in KEPT else passage.regime
        facts = RecordFacts(regime=regime.value, structure="")
        draft = pen.born(record, keys, PatientId(name), facts)
        pen.done[record] = []
        if kind is RecordKind.DECOY:
            type_, _, id_ = name.partition("/")
            unit = ItemClass(Category.UNMAPPED, type_, (Label.VERY_RESTRICTED.value,))
            body, tag = draft.seal_body(unit, (type_, id_, ""), 1, b"{}")
            draft.place(unit, Entry(type_, id_, 1, "", now, False, body, tag, None, NOTHING))
        else:
            pen.txn.put_locator(passage.installation.locator(name), record, 0)
        if name == REGISTER and anew:
            register.begin(draft, now)

    passage.store.submit(lambda txn: written(passage, txn, asking, job)).result()

"""A holder's list of acts with what proves it, as a file: an exit of its own, traced as one.

Made when it is asked for, up to `MOST_WALKED` entries of the whole ledger (`auditing`): the paths of the
lines are worked out from every row, and the root is held against the signed one before anything is given.
"""

from __future__ import annotations

import asyncio

from serment.errors import LedgerError, TooLargeError
from serment.keys.trace_keys import TraceKeys
from serment.ledger import checkpoint
from serment.ledger.backward import END, back, end_of
from serment.ledger.entry import Body, entry_leaf
from serment.ledger.evidence import Paths, evidence
from serment.record.asking import Asking
from serment.record.auditing import MOST_WALKED
from serment.record.house import House
from serment.record.proving import Leave, leave_to_follow
from serment.store.contract import Snapshot


async def proof_of_list(house: House, asking: Asking, patient: str) -> bytes:
    """Write the file of everything that the asker may follow of a record.

    Raises `NotFoundError` for whoever may not, `TooLargeError` for a ledger that takes the command,
    `LedgerError` when tree and signature do not agree.
    """
    leave = await leave_to_follow(house.passage, asking, patient)
    await asyncio.to_thread(house.proving.checkpoint)
    keys = TraceKeys(await asyncio.to_thread(house.custody.year_keys, leave.record))
    return await asyncio.wrap_future(
        house.passage.store.scan(lambda seen: _written(house, seen, leave, keys))
    )


def _written(house: House, snapshot: Snapshot, leave: Leave, keys: TraceKeys) -> bytes:
    size, root, note = snapshot.checkpoint() or (0, b"", b"")
    if size > MOST_WALKED:
        raise TooLargeError("ledger.evidence-large", most=MOST_WALKED)
    checkpoint.verify(note, house.proving.key)
    rows = snapshot.ledger_entries(1, size + 1)
    paths = Paths([entry_leaf(row.kind, row.commitment) for row in rows])
    if paths.size != size or paths.root(0, size) != root:
        raise LedgerError("ledger.rows-changed")
    found = [
        (sequence, body, paths.of(sequence - 1)) for sequence, body in _lines(snapshot, leave, keys, size)
    ]
    return evidence(house.proving.key, note, found)


def _lines(snapshot: Snapshot, leave: Leave, keys: TraceKeys, size: int) -> list[tuple[int, Body]]:
    """Give what may be followed and stands in the signed tree, in the order of the ledger.

    A birth that its three chains repeat is left in: each chain is checked from its first entry.
    """
    place = end_of(snapshot, leave.record, keys.trail)
    found = back(
        snapshot, leave.record, list(keys.years.values()), place,
        lambda body: body.chain in leave.chains, most=END, walk=END,
    ).found  # fmt: skip
    told = [one for one in reversed(found) if leave.announced(one.body) and one.sequence <= size]
    return [(one.sequence, one.body) for one in told]

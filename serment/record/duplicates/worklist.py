"""The worklist of suspected duplicates: files of the installation's register, one for each pair.

A pair holds the ids of two Patients and the evidence, no trait. Order: a suspicion, the drawer, reading it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from serment.identity.duplicates import Comparison
from serment.ledger.entry import Interaction
from serment.record import registry
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.pen import Pen

DRAWER: Final = "duplicate"

OPEN: Final = "open"
APART: Final = "apart"
MERGED: Final = "merged"
"""What became of a pair: nobody has judged it, two people, one person."""


class Suspicion(msgspec.Struct, frozen=True):
    """Two records that may be one person's. `weight` is in bits, `since` in ms.

    Of a merged pair `kept` is the Patient that goes on; `active` and `uses` are what the other one said of
    itself and of its identifiers, `silent` that it said nothing of its reliability: undoing restores it.
    """

    one: str
    other: str
    structure: str
    verdict: str
    weight: float
    since: int
    state: str = OPEN
    kept: str = ""
    active: bool | None = None
    uses: tuple[str, ...] = ()
    silent: bool = False

    @property
    def name(self) -> str:
        """The name of the pair: the same whichever was met first."""
        return named(self.one, self.other)

    @property
    def left(self) -> str:
        """The Patient of a merged pair that was left."""
        return self.other if self.kept == self.one else self.one


def named(one: str, other: str) -> str:
    """Name a pair of Patients."""
    return ".".join(sorted((one, other)))


def suspected(pen: Pen, one: str, other: str, structure: str, comparison: Comparison) -> None:
    """Put a pair on the list, unless somebody has judged it or it stands there already."""
    made = Suspicion(one, other, structure, comparison.verdict, round(comparison.weight, 1), pen.asking.now)

    def edit(before: bytes | None) -> bytes:
        return before or written(made)

    if not touched(pen, one, other):
        registry.edited(pen, DRAWER, made.name, edit, interaction=Interaction.IDENTIFY)


def put(pen: Pen, made: Suspicion) -> None:
    """Write what became of a pair."""
    registry.edited(pen, DRAWER, made.name, lambda _: written(made), interaction=Interaction.IDENTIFY)


def touched(pen: Pen, one: str, other: str) -> bool:
    """Say whether this transaction has written the pair already."""
    entry = (registry.TYPE, f"{DRAWER}/{named(one, other)}", "")
    return any(entry in draft.names for draft in pen.drafts.values())


def listed(passage: Passage, asking: Asking, structure: str) -> list[Suspicion]:
    """Give the pairs of a structure that nobody has judged, surest first. The caller decides and traces."""
    found = map(read, registry.Registry(passage).all(asking, DRAWER).values())
    mine = [one for one in found if one.structure == structure and one.state == OPEN]
    return sorted(mine, key=lambda one: (-one.weight, one.name))


def of(passage: Passage, asking: Asking, one: str, other: str) -> Suspicion | None:
    """Give what is known of one pair."""
    value = registry.Registry(passage).get(asking, DRAWER, named(one, other))
    return None if value is None else read(value)


def written(one: Suspicion) -> bytes:
    """Write a pair down."""
    return msgspec.msgpack.encode(one)


def read(value: bytes) -> Suspicion:
    """Read a pair."""
    return msgspec.msgpack.decode(value, type=Suspicion)

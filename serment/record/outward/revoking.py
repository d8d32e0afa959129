"""Papers that were taken back: the items change and the number is noted, in one transaction.

The note is in the register: a number of ours and an instant, nothing of a patient. Whoever holds the paper
asks with its signed text; a number without its signature is never looked up. A number is taken back in the
record in which it was given only, which a keyed digest says: anybody may write a number into a document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from serment.errors import ConflictError
from serment.model import Instant
from serment.record.asking import Asking
from serment.record.incoming import Incoming, owning_reference
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.registry import Registry, edited, in_pen
from serment.record.writing import Writing, change

DRAWER: Final = "revoked"
GIVEN: Final = "paper-given"


@dataclass(frozen=True, slots=True)
class Changed:
    """One item as it shall stand, in the place of the version that was read."""

    incoming: Incoming = field(repr=False)
    id: str
    version: int


class Revoking:
    """The passage for papers that are taken back."""

    def __init__(self, passage: Passage, writes: Writing) -> None:
        self._registry = Registry(passage)
        self._writing = writes

    def given(self, number: str, patient: str) -> Callable[[Pen], None]:
        """Make what notes in which record a number was given, in the transaction that writes its paper."""
        return partial(_given, number=number, owner=f"Patient/{patient}")

    async def revoke(self, asking: Asking, number: str, changes: Sequence[Changed]) -> None:
        """Change the items and note the number: both or neither.

        Raises what a write raises: `RefusedError`, `NotFoundError`, `VersionConflictError`; `ConflictError`
        for a number that was given in another record, or in none.
        """
        references = [f"{one.incoming.type}/{one.id}" for one in changes]
        await self._writing.run(asking, references, partial(_revoke, number=number, changes=changes))

    def since(self, asking: Asking, number: str) -> Instant | None:
        """Say since when a paper is taken back, None when it is not. Blocks: not for an event loop."""
        raw = self._registry.get(asking, DRAWER, number)
        return None if raw is None else Instant(int.from_bytes(raw, "big"))


def _given(pen: Pen, *, number: str, owner: str) -> None:
    edited(pen, GIVEN, number, lambda _: _where(pen, number, owner))


def _where(pen: Pen, number: str, owner: str) -> bytes:
    return pen.passage.installation.locator(f"paper/{number}/{owner}")


def _revoke(pen: Pen, *, number: str, changes: Sequence[Changed]) -> None:
    first = changes[0]
    known = in_pen(pen, GIVEN, number)
    if known is None or known != _where(pen, number, owning_reference(first.incoming, first.id)):
        raise ConflictError("paper.no-prescription")
    for one in changes:
        change(pen, one.incoming, one.id, owning_reference(one.incoming, one.id), one.version)
    now = int(pen.asking.now).to_bytes(8, "big")
    edited(pen, DRAWER, number, lambda before: before or now)

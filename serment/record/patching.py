"""Changes that name an item by a criterion, or only what is to change in it.

In this order: JSON Patch, conditional patch and deletion, the one item that meets a criterion. A patch is
a read and a write like any other: what may not be read is not found, and the version that was read is the
one that is replaced. A criterion is a search like any other, so that nothing hidden ever meets one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from serment.errors import (
    InvalidResourceError,
    NotFoundError,
    NotSelectiveError,
    VersionConflictError,
)
from serment.fhir import patch
from serment.fhir.patch import Operation
from serment.record import conditions, incoming
from serment.record.asking import Asking
from serment.record.finding import Finding
from serment.record.incoming import Incoming
from serment.record.reading import Reading, Served
from serment.record.write import Written
from serment.record.writing import Writing

TRIES = 3
"""How often a patch that names no version is done again because somebody else wrote in between."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a patch asks: its operations, the version it must meet (None: any), why it protects less.

    `base` is this server's FHIR address.
    """

    operations: Sequence[Operation] = field(repr=False)
    if_match: int | None = None
    reason: str = ""
    base: str = ""


class Patching:
    """The passage for patches, and for changes by a criterion."""

    def __init__(self, reading: Reading, finding: Finding, writes: Writing) -> None:
        self._reading = reading
        self._finding = finding
        self._writing = writes

    async def patch(self, asking: Asking, type_: str, id_: str, change: Change) -> tuple[Incoming, Written]:
        """Change a part of one item; give what was written.

        Raises `NotFoundError`, `GoneError`, `VersionConflictError`, `InvalidResourceError` for a patch that
        cannot be done or whose outcome is no valid resource, `RefusedError`.
        """
        for _ in range(TRIES - 1):
            try:
                return await self._once(asking, type_, id_, change)
            except VersionConflictError:
                if change.if_match is not None:
                    raise
        return await self._once(asking, type_, id_, change)

    async def _once(self, asking: Asking, type_: str, id_: str, change: Change) -> tuple[Incoming, Written]:
        served, sent = await self.amount(asking, type_, id_, change)
        return sent, await self._writing.update(asking, sent, id_, served.version, change.reason)

    async def amount(self, asking: Asking, type_: str, id_: str, change: Change) -> tuple[Served, Incoming]:
        """Read an item, and give with it what a patch makes of it: nothing is written."""
        served = await self._reading.read(asking, type_, id_)
        if change.if_match not in {None, served.version}:
            raise VersionConflictError("record.version-conflict", current=served.version)
        return served, changed(served, change)

    async def patch_where(
        self, asking: Asking, type_: str, condition: str, change: Change
    ) -> tuple[Incoming, Written]:
        """Change a part of the one visible item that meets a condition. Raises as `patch`, and `only`."""
        found = await self.only(asking, type_, condition, change.base)
        return await self.patch(asking, type_, found.id, change)

    async def delete_where(
        self, asking: Asking, type_: str, condition: str, base: str, if_match: int | None
    ) -> Written:
        """Delete the one visible item that meets a condition. Raises as `only`, and as a deletion."""
        found = await self.only(asking, type_, condition, base)
        version = found.version if if_match is None else if_match
        return await self._writing.delete(asking, type_, found.id, version)

    async def only(self, asking: Asking, type_: str, condition: str, base: str) -> Served:
        """Give the one visible item that meets a condition, searched and traced as a search is.

        Raises `NotFoundError` when none does (hidden and absent alike), `NotSelectiveError` when several do.
        """
        query = conditions.parsed(type_, condition, base, more=(("_count", "2"),))
        page = await self._finding.search(asking, query)
        if page.total > 1:
            raise NotSelectiveError("record.many-match")
        if not page.served:
            raise NotFoundError("record.not-found")
        return page.served[0]


def changed(served: Served, change: Change) -> Incoming:
    """Do the operations on what was read, and check the outcome as anything that is sent.

    Raises `InvalidResourceError` when it would be another item.
    """
    sent = incoming.read(patch.patched(served.body, change.operations), None, change.base)
    if (sent.type, sent.document.value.get("id")) != (served.type, served.id):
        raise InvalidResourceError("patch.identity", served.type)
    return sent

"""Finding people as somebody types: only who they are, ten at most, traced before they are shown (ADR 47).

Who may search so is decided before anything is looked at; who may be found, once for each structure of the
register, before anything is counted. The register is opened beside; while it opens the answer is that it
is not ready, never a part of the people. Every search is one entry of the register's own chain that names
those shown, none when nobody was: whoever is hidden and whoever does not exist leave the same work behind.
No key of a patient is asked of custody, no row of theirs is read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from serment.access.decide import decide_find
from serment.access.find import finding_for
from serment.access.record_facts import RecordFacts
from serment.errors import DependencyError, RefusedError
from serment.identity import as_typed, typeahead
from serment.identity.as_typed import Typed
from serment.identity.who import Who
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import Act, Denial, Permit, RecordToken
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.duplicates import meeting
from serment.record.passage import Passage
from serment.record.persons.register import Group, Register, look
from serment.record.reading import settled
from serment.record.trace import Touched

PATIENCE: Final = 2.0
"""Seconds for which a search waits for the register to open: that of a practice is open by then."""

NOBODY: Final = RecordToken(b"")

RULE: Final = "F3.as-typed"
"""The rule by which everybody shown is shown (`access/decide`)."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Who is shown, and the trace that comes first."""

    shown: list[Who] = field(repr=False)
    entries: list[Pending] = field(repr=False)


class AsTyped:
    """The passage for searches as somebody types."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self.register = Register(passage)

    async def search(self, asking: Asking, text: str) -> list[Who]:
        """Give the first ten people who fit what was typed.

        Raises `RequestError` (less than three letters), `RefusedError` (not a finder of the structure, or a
        shared record), `TooManyError`, and `DependencyError` while the register opens, or when it was begun
        after the first patients: it would leave people out.
        """
        passage = self.passage
        asked = as_typed.read(text)
        mine = Group(passage.regime.value, asking.actor.structure)
        verdict = self._decided(asking, mine)
        if isinstance(verdict, Denial):
            await self._refused(asking, verdict)
            raise RefusedError("record.not-as-typed")
        passage.keystrokes.spend(asking.actor.id, asking.now)
        await self._ready(asking)
        answer = await asyncio.to_thread(self._answered, asking, asked)
        passage.shown.spend(asking.actor.id, [who.patient for who in answer.shown], asking.now)
        await settled(passage, answer.entries)
        return answer.shown

    def _decided(self, asking: Asking, group: Group) -> Permit | Denial:
        """Decide whether who asks, a program in its scope, may find people of one regime and structure."""
        if not meeting.in_scope(asking, Act.READ):
            return gate.OUTSIDE_SCOPE
        facts = RecordFacts(regime=group.regime, structure=group.structure)
        return decide_find(
            finding_for(
                asking.actor,
                asking.purpose,
                NOBODY,
                facts,
                asking.now,
                asking.request,
                self.passage.policy,
                as_typed=True,
            )
        )

    async def _ready(self, asking: Asking) -> None:
        """Wait a moment for the register to be open. Raises `DependencyError` when it takes longer."""
        opening = self.register.open(asking)
        if not opening.done():
            waited = asyncio.wrap_future(opening)
            waited.add_done_callback(lambda future: future.cancelled() or future.exception())
            await asyncio.wait([waited], timeout=PATIENCE)
        if not opening.done():
            raise DependencyError("record.register-opening", percent=self.register.percent)
        opening.result()
        if not self.register.whole:
            raise DependencyError("record.register-partial")

    def _answered(self, asking: Asking, asked: Typed) -> _Answer:
        """Look through the register as it stands, and make the trace ready. Off the event loop."""
        with self.register.lock:
            with self.passage.store.snapshot() as snapshot:
                view = look(self.passage, snapshot, asking)
                self.register.follow(snapshot, view)
            verdicts = {
                number: self._decided(asking, group) for group, number in self.register.groups.items()
            }
            may = {number for number, verdict in verdicts.items() if isinstance(verdict, Permit)}
            found = typeahead.search(self.register.shards, asked, may)
        touched = [Touched(f"Patient/{one.who.patient}", Chain.ORDINARY, RULE) for one in found]
        view.asking = asking
        return _Answer(
            [one.who for one in found],
            trace.of_access(self.passage, view, Interaction.FIND, touched, RULE),
        )

    async def _refused(self, asking: Asking, denial: Denial) -> None:
        """Trace that somebody was refused, on the register's chain."""

        def entries() -> list[Pending]:
            with self.passage.store.snapshot() as snapshot:
                view = look(self.passage, snapshot, asking)
            view.asking = asking
            return trace.of_refusal(self.passage, view, Interaction.FIND, denial)

        await settled(self.passage, await asyncio.to_thread(entries))

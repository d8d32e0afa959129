"""Who asked to be told of a record: one packed line each among the record's facts, under its care key.

The line holds the subscriber as they were signed in (role, structure, purpose), so that each write can ask
the decision as them; their emergency reasons are left out, for nobody is told in advance of an emergency.
Order: the line, who asks by it, what they may see.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from serment.access.record_facts import RecordFacts
from serment.errors import IntegrityError, RequestError
from serment.fhir.dates import instant_text
from serment.fhir.query import Query, parse
from serment.model import (
    ActorId,
    Category,
    Instant,
    ItemClass,
    Purpose,
    RequestId,
)
from serment.record.asking import Asking
from serment.record.entrance.signed import actor_of
from serment.record.gate import View


class Subscription(msgspec.Struct, array_like=True, frozen=True):
    """One subscription. Instants in ms; `endpoint` is a registered address; `off`: it rests."""

    id: str
    version: int
    updated: int
    end: int
    off: bool
    type: str
    criteria: str
    pairs: tuple[tuple[str, str], ...]
    endpoint: str
    reason: str
    purpose: str
    actor: str
    kind: str
    name: str
    profession: str
    function: str
    structure: str
    patient: str | None
    regulation: bool
    supervisor: str | None
    replaces: str | None = None

    def live(self, now: Instant) -> bool:
        """Say whether it is to be told of what happens at `now`."""
        return not self.off and now < self.end

    def query(self, since: int = 0) -> Query | None:
        """Give its criteria, read again, for what was written `since` (ms).

        None when they were an older Serment's and mean nothing now.
        """
        written = (("_lastUpdated", f"ge{instant_text(since)}"),) if since else ()
        try:
            return parse(self.type, (*self.pairs, *written))
        except RequestError:
            return None

    def __repr__(self) -> str:
        return f"Subscription({self.type})"


_read: Final = msgspec.msgpack.Decoder(Subscription).decode


def lines(facts: RecordFacts) -> list[Subscription]:
    """Read the subscriptions of a record. Raises `IntegrityError`."""
    try:
        return [_read(line) for line in facts.subscriptions]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("access.facts-unreadable") from None


def with_lines(facts: RecordFacts, kept: Iterable[Subscription]) -> RecordFacts:
    """Put these subscriptions in place of those that stand."""
    packed = tuple(msgspec.msgpack.encode(one) for one in kept)
    return msgspec.structs.replace(facts, subscriptions=packed)


def unit_of(actor: ActorId) -> ItemClass:
    """Give the class under which a subscriber reads what they asked."""
    return ItemClass(Category.UNMAPPED, "Subscription", (), actor)


def asking_of(one: Subscription, request: RequestId, now: Instant) -> Asking:
    """Ask as the subscriber."""
    return Asking(actor_of(one), Purpose(one.purpose), request, now)


def seen_by(view: View, facts: RecordFacts, asking: Asking) -> View:
    """Look at a record that is open already with somebody else's eyes: no verdict goes over."""
    return View(
        asking,
        view.record,
        view.keys,
        view.policy,
        view.head,
        facts,
        view.mark,
        clock=view.clock,
        begun=view.begun,
    )

"""Acts told together: what one person did on one day for one reason is one visit (pure).

A list of acts has a line for each page that somebody turned. A person asks who came, when and why: here
the lines of one actor, day, purpose and outcome are put together. No line is left out, and emergencies
come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from serment.ledger.entry import Body, Decision, Event
from serment.model import Instant


@dataclass(frozen=True, slots=True)
class Visit:
    """What one person did on one day for one reason: its entries, newest first."""

    bodies: list[Body] = field(repr=False)

    @property
    def event(self) -> Event:
        """The newest of its acts: who, in which function, why."""
        return self.bodies[0].event

    @property
    def first(self) -> Instant:
        """The instant of its earliest act (ms)."""
        return Instant(min(body.event.t for body in self.bodies))

    @property
    def last(self) -> Instant:
        """The instant of its latest act (ms)."""
        return Instant(max(body.event.t for body in self.bodies))

    @property
    def items(self) -> int:
        """How many items its acts touched, each act counted apart."""
        return sum(body.event.count or len(body.event.resources) for body in self.bodies)


def visits(bodies: Iterable[Body], day: Callable[[int], str]) -> list[Visit]:
    """Put acts together, emergencies first, then as given; `day` names the day of an instant (ms)."""
    found: dict[tuple[str, ...], list[Body]] = {}
    for body in bodies:
        found.setdefault(_together(body.event, day), []).append(body)
    made = [Visit(acts) for acts in found.values()]
    return sorted(made, key=lambda visit: not visit.event.emergency)


def departures(bodies: Iterable[Body], day: Callable[[int], str]) -> list[Visit]:
    """Put together what left on one day by one way to one recipient, in the order given."""
    found: dict[tuple[str, ...], list[Body]] = {}
    for body in bodies:
        event = body.event
        way = (event.interaction.value, event.recipient)
        found.setdefault((*way, *_together(event, day)), []).append(body)
    return [Visit(acts) for acts in found.values()]


def _together(event: Event, day: Callable[[int], str]) -> tuple[str, ...]:
    refused = str(event.decision is Decision.DENIAL)
    return event.actor, day(event.t), event.purpose, event.function, refused, str(event.emergency)

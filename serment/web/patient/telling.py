"""How acts are told to the person whose record it is: visits, who came, what left. Nothing is decided here.

Order: a visit and its lines, the people who came, what left.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from serment.identity import rpps
from serment.ledger.entry import Body, Decision, Event, Interaction, Kind
from serment.ledger.sentences import Line, line
from serment.ledger.visits import Visit
from serment.model import ActorId, Instant
from serment.record.outward.links import RECIPIENT as ONE_TIME_LINK
from serment.web.written import instant, long_day
from serment.words import Language, say

PEOPLE: Final = frozenset({"rpps", "staff", "proxy", "patient"})
"""Prefixes of actors who are people; the others are services of the house."""

NO_VISIT: Final = frozenset({Interaction.FIND, Interaction.NOTIFY, Interaction.IDENTIFY, Interaction.ERRAND})
"""What somebody does with a record without seeing anything of it."""


def day_of_instant(at: int) -> str:
    """Name the day of an instant (ms), by the clock of this house."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone().date().isoformat()


def time_of(at: int) -> str:
    """Write the time of an instant (ms)."""
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone():%H:%M}"


def told(visit: Visit, reader: ActorId, language: Language) -> dict[str, Any]:
    """Tell a visit: who, when, why, and each of its acts; none is left out."""
    lines = [line(body.event, language, reader=reader, late=bool(body.late)) for body in visit.bodies]
    newest, event = lines[0], visit.event
    return {
        "who": newest.who,
        "role": newest.role,
        "why": newest.why,
        "day": long_day(visit.last, language),
        "times": _times(visit),
        "emergency": newest.emergency,
        "denied": newest.denied,
        "what": newest.what if len(lines) == 1 else say("patient.acts", language, count=len(lines)),
        "acts": [_act(one, language) for one in lines],
        "actor": event.actor,
        "number": number_of(event.actor),
        "only": "",
        "act": [("request", event.request), ("at", str(event.t)), ("who", newest.who)],
    }


def _times(visit: Visit) -> str:
    first, last = time_of(visit.first), time_of(visit.last)
    return first if first == last else f"{first} – {last}"


def _act(one: Line, language: Language) -> dict[str, Any]:
    return {
        "when": instant(one.when_ms, language),
        "what": f"{one.who} {one.what}".strip(),
        "why": one.why,
        "late": one.late,
    }


def number_of(actor: str) -> str:
    """Give the RPPS number of a professional, "" for anybody else."""
    kind, _, number = actor.partition(":")
    return number if kind == "rpps" and rpps.is_rpps(number) else ""


# Who came.


def callers(bodies: Iterable[Body], reader: ActorId, language: Language) -> list[dict[str, Any]]:
    """Tell the other people who opened a record, each once with their latest reason; emergencies first."""
    found: dict[str, list[Event]] = {}
    for body in bodies:
        if came(body.event, reader):
            found.setdefault(body.event.actor, []).append(body.event)
    told_ = [_caller(events, reader, language) for events in found.values()]
    return sorted(told_, key=lambda one: not one["emergency"])


def came(event: Event, reader: ActorId) -> bool:
    """Say whether an act is that of another person who saw or changed something of the record."""
    if event.actor == reader or event.actor.partition(":")[0] not in PEOPLE:
        return False
    seen = event.kind in {Kind.ACCESS, Kind.WRITE} and event.interaction not in NO_VISIT
    return seen and event.decision is Decision.PERMIT


def _caller(events: list[Event], reader: ActorId, language: Language) -> dict[str, Any]:
    newest = events[0]
    said = line(newest, language, reader=reader)
    attending = any(event.rule.endswith(".attending") for event in events)
    return {
        "who": said.who,
        "role": say("patient.your-doctor", language) if attending else said.role,
        "why": said.why,
        "day": long_day(Instant(newest.t), language),
        "emergency": any(event.emergency for event in events),
    }


# What left.


def departed(visit: Visit, reader: ActorId, language: Language) -> dict[str, Any]:
    """Tell what left on one day to one recipient: by whom, to whom, how many items."""
    said = line(visit.event, language, reader=reader)
    return {
        "day": long_day(visit.last, language),
        "what": say(way_of(visit.event), language),
        "to": _recipient(visit.event, said.who, language),
        "by": said.who,
        "why": said.why,
        "count": visit.items,
    }


def _recipient(event: Event, who: str, language: Language) -> str:
    if event.interaction is Interaction.IDENTIFY:
        return say("patient.left-insi", language)
    if event.recipient == ONE_TIME_LINK:
        return say("patient.left-link-holder", language)
    return event.recipient or who


def way_of(event: Event) -> str:
    """Name the sentence for a way out."""
    if event.recipient == ONE_TIME_LINK:
        return "patient.left-link"
    known = {
        Interaction.EXPORT: "patient.left-export",
        Interaction.PRINT: "patient.left-print",
        Interaction.NOTIFY: "patient.left-notify",
        Interaction.DECLARE: "patient.left-declare",
        Interaction.IDENTIFY: "patient.left-identify",
    }
    return known.get(event.interaction, "patient.left-program")

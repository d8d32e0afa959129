"""Appointments as a reception makes them: when, with whom, and why only when the person wants it said there.

Order: booking, reading one for an agenda, the changes of one. Pure; the reason is cut apart when it is
written (`halves`, ADR 66).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from serment.errors import InvalidResourceError
from serment.fhir import dates
from serment.fhir.halves import SHOWN
from serment.fhir.patch import Operation
from serment.fhir.patch import read as operations

MINUTES: Final = (10, 15, 20, 30, 45, 60)
"""How long an appointment may last, as the form offers it."""

TO_COME: Final = frozenset({"proposed", "pending", "booked", "waitlist"})
HERE: Final = frozenset({"arrived", "checked-in"})
"""States of FHIR R4 appointmentstatus: expected, and in the house."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What is asked: whose, with whom (a Reference), from when until when, why.

    `start` and `end` are FHIR instants. `shown` lets the reception read the reason.
    """

    patient: str = field(repr=False)
    practitioner: Mapping[str, Any] = field(repr=False)
    start: str
    end: str
    reason: str = field(default="", repr=False)
    shown: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One appointment of an agenda. `start` and `end` in ms; `with_` are names as the appointment says them.

    `reason` is "" without one, or when the reader may not read it.
    """

    status: str
    start: int
    end: int
    practitioners: tuple[str, ...] = field(default=(), repr=False)
    with_: tuple[str, ...] = field(default=(), repr=False)
    reason: str = field(default="", repr=False)
    shown: bool = False


def booked(asked: Booking) -> bytes:
    """Write an Appointment. Raises `InvalidResourceError` when it ends before it begins."""
    _in_order(asked.start, asked.end)
    why: dict[str, Any] = {}
    if asked.reason:
        why["reasonCode"] = [{"text": asked.reason}]
        if asked.shown:
            why["extension"] = [{"url": SHOWN, "valueBoolean": True}]
    return msgspec.json.encode(
        {
            "resourceType": "Appointment",
            **why,
            "status": "booked",
            "start": asked.start,
            "end": asked.end,
            "participant": [
                {"actor": {"reference": f"Patient/{asked.patient}"}, "status": "accepted"},
                {"actor": dict(asked.practitioner), "status": "accepted"},
            ],
        }
    )


def line(resource: Mapping[str, Any]) -> Line:
    """Read an appointment for an agenda. What cannot be read is left out."""
    actors = [
        one.get("actor", {}) for one in resource.get("participant", ()) if isinstance(one.get("actor"), dict)
    ]
    people = [one for one in actors if not str(one.get("reference", "")).startswith("Patient/")]
    start = _ms(resource.get("start"), 0)
    return Line(
        str(resource.get("status", "")),
        start,
        _ms(resource.get("end"), start),
        tuple(str(one["reference"]) for one in people if "reference" in one),
        tuple(str(one["display"]) for one in people if "display" in one),
        _reason(resource),
        any(one.get("url") == SHOWN for one in resource.get("extension", ())),
    )


def moved(start: str, end: str) -> Sequence[Operation]:
    """Change when it is. Raises `InvalidResourceError` when it ends before it begins."""
    _in_order(start, end)
    return _patch({"start": start, "end": end, "status": "booked"})


def turned(status: str) -> Sequence[Operation]:
    """Change its state: `arrived`, `cancelled`, `noshow`, `booked`."""
    return _patch({"status": status})


def _patch(members: Mapping[str, str]) -> Sequence[Operation]:
    said = [{"op": "add", "path": f"/{name}", "value": value} for name, value in members.items()]
    return operations(msgspec.json.encode(said))


def _reason(resource: Mapping[str, Any]) -> str:
    concepts = resource.get("reasonCode", ())
    coded = [str(one.get("text") or _display(one)) for one in concepts if isinstance(one, dict)]
    texts = [*coded, str(resource.get("description", "")), str(resource.get("comment", ""))]
    return ", ".join(dict.fromkeys(text for text in texts if text))


def _display(concept: Mapping[str, Any]) -> str:
    codings = [one for one in concept.get("coding", ()) if isinstance(one, dict)]
    return next((str(one["display"]) for one in codings if one.get("display")), "")


def _in_order(start: str, end: str) -> None:
    if not _ms(start, 0) < _ms(end, 0):
        raise InvalidResourceError("secretary.order", "Appointment.end")


def _ms(text: object, default: int) -> int:
    try:
        return dates.parse(text)[0] if isinstance(text, str) else default
    except ValueError:
        return default

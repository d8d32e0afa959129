"""Resources in two halves, each sealed in its own class, so that who may see one may not see the other.

- *contact* of a Patient or RelatedPerson: how to reach them (HOUSE section 5). It holds telecom, address,
  contact and photo (with their `_` twins), and the narrative, which repeats them for a reader.
- *reason* of an Appointment, its answer and an Encounter: why somebody comes (ADR 66). What stays beside it
  is what an agenda needs, a list: whatever is not on it is in the half, extensions and contained resources
  included. An appointment that says `urn:serment:reason-at-reception` is not cut: the person wants it read.

The half holds its members exactly as written, with the places where they stood. The other half is what is
left, itself valid JSON. Joined, they are the very bytes that were received. Order: which members, cutting,
joining. Nothing here seals or decides.

Format of the half: MessagePack `[length of the other half, [[place, bytes], …]]`, places in bytes of the
other half, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from serment.errors import IntegrityError
from serment.fhir.document import Document

CONTACT: Final = "contact"
REASON: Final = "reason"

HALF_OF: Final[Mapping[str, str]] = {
    "Patient": CONTACT,
    "RelatedPerson": CONTACT,
    "Appointment": REASON,
    "AppointmentResponse": REASON,
    "Encounter": REASON,
}
"""The types that are cut, and the name of their half."""

CONTACT_MEMBERS: Final = frozenset(
    f"{twin}{name}" for name in ("telecom", "address", "contact", "photo", "text") for twin in ("", "_")
)

_EVERYWHERE: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "language", "identifier"})
AT_RECEPTION: Final[Mapping[str, frozenset[str]]] = {
    "Appointment": _EVERYWHERE
    | {
        *("status", "cancelationReason", "appointmentType", "priority", "slot", "created", "participant"),
        *("start", "end", "minutesDuration", "requestedPeriod"),
    },
    "AppointmentResponse": _EVERYWHERE
    | {"appointment", "start", "end", "participantType", "actor", "participantStatus"},
    "Encounter": _EVERYWHERE
    | {
        *("status", "statusHistory", "class", "classHistory", "priority", "subject", "participant"),
        *("appointment", "period", "length", "account", "location", "serviceProvider", "partOf"),
    },
}
"""Members that say when and with whom, never why."""

SHOWN: Final = "urn:serment:reason-at-reception"
"""Extension of an Appointment (valueBoolean): the reason may be read by whoever reads the agenda."""

_Halves = tuple[int, list[tuple[int, bytes]]]
_decoder = msgspec.msgpack.Decoder(_Halves)


def cut_members(resource: Mapping[str, Any], *, apart: bool = False) -> frozenset[str]:
    """Name the members of a resource that stand in its half; none of a type that is not cut.

    `apart`: an appointment is cut whatever it says of the reception.
    """
    kind = resource.get("resourceType")
    half = HALF_OF.get(kind) if isinstance(kind, str) else None
    if half is None or (kind == "Appointment" and shown(resource) and not apart):
        return frozenset()
    if half == CONTACT:
        return CONTACT_MEMBERS.intersection(resource)
    kept = AT_RECEPTION[str(kind)]
    return frozenset(name for name in resource if name.removeprefix("_") not in kept)


def shown(resource: Mapping[str, Any]) -> bool:
    """Say whether an appointment lets its reason be read at the reception."""
    said = resource.get("extension")
    return isinstance(said, list) and any(
        isinstance(one, dict) and one.get("url") == SHOWN and one.get("valueBoolean") is True for one in said
    )


def cut(document: Document, *, apart: bool = False) -> tuple[bytes, bytes | None]:
    """Cut a resource (`apart` as `cut_members`): what is left, and its half or None when it holds nothing.

    A type that is not cut: all its bytes, and None.
    """
    spans = _spans(document, cut_members(document.value, apart=apart))
    if not spans:
        return document.text.encode(), None
    kept: list[bytes] = []
    removed: list[tuple[int, bytes]] = []
    at = place = 0
    for start, end in spans:
        kept.append(document.text[at:start].encode())
        place += len(kept[-1])
        removed.append((place, document.text[start:end].encode()))
        at = end
    kept.append(document.text[at:].encode())
    left = b"".join(kept)
    return left, msgspec.msgpack.encode((len(left), removed))


def beside(left: bytes, half: bytes) -> bytes:
    """Put a half that an older write cut behind a newer other half: who wrote that one left this as it was.

    A member that the newer one says itself is newer there: an older one is left out. Raises `IntegrityError`
    when the half is not one of ours.
    """
    try:
        _, removed = _decoder.decode(half)
        segments = [segment.strip(b", \t\r\n") for _, segment in removed]
        newer = _names(left)
        members = [one for one in segments if newer.isdisjoint(_names(one))]
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise IntegrityError("fhir.halves-differ") from None
    end = left.rindex(b"}")
    return b",".join((left[:end].rstrip(), *members)) + left[end:]


def _names(members: bytes) -> frozenset[str]:
    """Name the members of an object, or of some members of one written without its braces."""
    whole = members if members.startswith(b"{") else b"{" + members + b"}"
    return frozenset(msgspec.json.decode(whole, type=dict[str, msgspec.Raw]))


def join(left: bytes, half: bytes) -> bytes:
    """Give back the bytes that `cut` took. Raises `IntegrityError` when the halves are not of one whole."""
    pieces: list[bytes] = []
    at = 0
    try:
        length, removed = _decoder.decode(half)
        fits = length == len(left)
    except (msgspec.DecodeError, UnicodeDecodeError):
        fits, removed = False, []
    for place, segment in removed:
        fits = fits and at <= place <= len(left)
        pieces += (left[at:place], segment)
        at = place
    if not fits:
        raise IntegrityError("fhir.halves-differ")
    return b"".join((*pieces, left[at:]))


def _spans(document: Document, cut_: Iterable[str]) -> list[tuple[int, int]]:
    """Give the spans to remove, each with one comma, so that what is left is an object.

    A member goes with the comma before it; those at the very beginning go with the comma after.
    """
    names = frozenset(cut_)
    spans: list[tuple[int, int]] = []
    kept_end: int | None = None  # end of the last member that stays
    pending: int | None = None  # start of the members removed at the very beginning
    for name, (start, end) in document.members.items():
        if name not in names:
            if pending is not None:
                spans.append((pending, start))
                pending = None
            kept_end = end
        elif kept_end is None:
            pending = start if pending is None else pending
        else:
            spans.append((kept_end, end))
            kept_end = end
    return spans

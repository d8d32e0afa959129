"""An entry of the ledger as an AuditEvent (R4 auditevent.html), close to the RESTful patterns of IHE BALP.

No profile of BALP is claimed: they want the network address of the client and the text of a query, which the
ledger never holds. In this order: the id, the resource, its parts. What is told is what the page of the trace
tells: who, in which function, what, why, when, on which ground; of a refusal never what was hidden. Items are
named to the holder only, and only those of the ordinary chain (`named`); the others are counted by type.

Pure: what stands in the ledger comes in as `Told`, so that this room knows no ledger.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from serment.fhir.dates import instant_text

_REST: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "RESTful Operation",
}
_INTERACTIONS: Final = "http://hl7.org/fhir/restful-interaction"
_OURS: Final = "urn:serment:interaction"
_ENTITY: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_REASONS: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_OUR_REASONS: Final = "urn:serment:reason"
_RPPS: Final = "https://rpps.esante.gouv.fr"
_REQUEST: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"

SUCCESS: Final = "0"
REFUSED: Final = "4"

_ACTS: Final[Mapping[str, tuple[str, str]]] = {
    "read": ("read", "R"),
    "vread": ("vread", "R"),
    "history": ("history-instance", "R"),
    "search": ("search-type", "E"),
    "list": ("search-type", "E"),
    "create": ("create", "C"),
    "file": ("create", "C"),
    "import": ("create", "C"),
    "birth": ("create", "C"),
    "update": ("update", "U"),
    "delete": ("delete", "D"),
    "consent": ("", "U"),
    "mask": ("", "U"),
    "team": ("", "U"),
    "mandate": ("", "U"),
    "print": ("", "R"),
    "export": ("", "R"),
    "notify": ("", "R"),
    "identify": ("", "R"),
    "errand": ("", "U"),
    "draft": ("", "R"),
    "propose": ("", "U"),
    "emergency": ("", "R"),
    "trace-read": ("", "R"),
}
"""Our word for an act → interaction of R4 ("" when it has none) and action of an AuditEvent."""

_TAKING_PART: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_USER: Final = {"C": "AUT", "U": "AUT", "D": "AUT"}
"""Action → what who acted was: author of a change, else recipient of information (BALP `agent:user`)."""
_SERVER: Final = {
    "R": (_DICOM, "110153"),
    "D": ("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian"),
}
"""Action → what the server was: source of what is read, keeper of what is deleted, else the destination."""
_ID = re.compile(r"([0-9a-f]{32})([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Told:
    """What one entry tells. `t` in ms; `resources` are `Type/id/_history/n`; `count` how many in all.

    `ground` is the rule of a permit, "" of a refusal; `named` says whether the items may be named;
    `recipient` is the registered name of the address that something left for, "" otherwise.
    """

    patient: str = field(repr=False)
    commitment: bytes = field(repr=False)
    t: int
    request: str
    interaction: str
    denied: bool
    actor: str = field(repr=False)
    name: str = field(repr=False)
    function: str
    profession: str
    purpose: str
    reasons: tuple[str, ...]
    ground: str
    resources: tuple[str, ...] = field(repr=False)
    count: int
    named: bool
    recipient: str = ""


# The id.


def event_id(patient: str, commitment: bytes) -> str:
    """Make the stable id of an event: the id of the record and 128 bits of the entry's commitment.

    64 characters, all that FHIR takes. A record whose id is no UUID has its first 32 letters and digits.
    """
    return re.sub("[^0-9a-z]", "", patient.lower()).ljust(32, "0")[:32] + commitment[:16].hex()


def patient_of(id_: str) -> str:
    """Give the id of the record that an event's id names; one of another form names no record."""
    match = _ID.fullmatch(id_)
    if match is None:
        return id_
    whole = match[1]
    return f"{whole[:8]}-{whole[8:12]}-{whole[12:16]}-{whole[16:20]}-{whole[20:]}"


# The resource.


def audit_event(told: Told) -> bytes:
    """Write one entry as an AuditEvent."""
    subtype, action = _ACTS.get(told.interaction, ("", "E"))
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": event_id(told.patient, told.commitment),
        "meta": {"versionId": "1", "lastUpdated": instant_text(told.t)},
        "type": _REST,
        "subtype": _subtype(subtype, told.interaction),
        "action": action,
        "recorded": instant_text(told.t),
        "outcome": REFUSED if told.denied else SUCCESS,
        "purposeOfEvent": _reasons(told),
        "agent": [_who(told, action), _server(action), *_recipient(told)],
        "source": {"observer": {"display": "Serment"}, "type": [_source()]},
        "entity": [_patient(told), *_items(told), _request(told)],
    }
    return msgspec.json.encode({name: value for name, value in made.items() if value != []})


def _subtype(code: str, interaction: str) -> list[dict[str, str]]:
    ours = {"system": _OURS, "code": interaction}
    return [{"system": _INTERACTIONS, "code": code}, ours] if code else [ours]


def _reasons(told: Told) -> list[dict[str, Any]]:
    codes = [(_REASONS, told.purpose), *((_OUR_REASONS, reason) for reason in told.reasons)]
    return [{"coding": [{"system": system, "code": code}]} for system, code in codes if code]


def _who(told: Told, action: str) -> dict[str, Any]:
    """Name who acted: an RPPS number as such, anybody else by the house's own name."""
    kind, _, number = told.actor.partition(":")
    identifier = {"system": _RPPS, "value": number} if kind == "rpps" else _other(told.actor)
    who: dict[str, Any] = {"identifier": identifier} if identifier else {}
    if told.name:
        who["display"] = told.name
    agent: dict[str, Any] = {
        "type": _coding(_TAKING_PART, _USER.get(action, "IRCP")),
        "who": who or {"display": "?"},
        "requestor": True,
    }
    if told.name:
        agent["name"] = told.name
    if told.purpose:
        agent["purposeOfUse"] = [_coding(_REASONS, told.purpose)]
    if told.function:
        agent["role"] = [_coding("urn:serment:function", told.function)]
    if told.ground:
        agent["policy"] = [f"urn:serment:rule:{told.ground}"]
    return agent


def _other(actor: str) -> dict[str, str]:
    return {"system": "urn:serment:actor", "value": actor} if actor else {}


def _server(action: str) -> dict[str, Any]:
    return {
        "type": _coding(*_SERVER.get(action, (_DICOM, "110152"))),
        "who": {"display": "Serment"},
        "requestor": False,
    }


def _recipient(told: Told) -> list[dict[str, Any]]:
    """Name the registered address that something left for."""
    if not told.recipient:
        return []
    kind = _coding(_TAKING_PART, "NOT")
    who = {"identifier": {"system": "urn:serment:address", "value": told.recipient}}
    return [{"type": kind, "who": who, "requestor": False}]


def _source() -> dict[str, str]:
    return {"system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "4"}


def _patient(told: Told) -> dict[str, Any]:
    return {
        "what": {"reference": f"Patient/{told.patient}"},
        "type": {"system": _ENTITY, "code": "1"},
        "role": {"system": _ROLE, "code": "1"},
    }


def _items(told: Told) -> list[dict[str, Any]]:
    """Name the items, or count them by type; what is beyond those listed is counted."""
    kind = {"type": {"system": _ENTITY, "code": "2"}, "role": {"system": _ROLE, "code": "4"}}
    listed = [{"what": {"reference": one}, **kind} for one in told.resources] if told.named else []
    counted = _counts(told.resources) if not told.named else {}
    rest = told.count - len(told.resources)
    if rest > 0:
        counted["items"] = rest
    return listed + [
        {**kind, "detail": [{"type": name, "valueString": str(number)}]} for name, number in counted.items()
    ]


def _counts(resources: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(one.partition("/")[0] for one in resources).items()))


def _request(told: Told) -> dict[str, Any]:
    return {
        "what": {"identifier": {"value": told.request}},
        "type": {"system": _REQUEST, "code": "XrequestId"},
    }


def _coding(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}

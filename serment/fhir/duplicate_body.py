"""What a suspected duplicate, a merge and a collision write in the Patients themselves (RNIV rules 21, 22).

The attributes DPOT, DESA, COLP and COLV are comments of FR Core's identity reliability; the one that is left
becomes inactive, its identifiers old, and both say the link (R4 Patient.link). Everything else keeps its
bytes. Order: attributes, the two of a merge, undoing it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from serment.fhir import patch
from serment.fhir.document import Document
from serment.identity import status
from serment.identity.reading import codes, dicts

SUSPECTED: Final = "DPOT"
LEFT: Final = "DESA"
ATTRIBUTES: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status-comment"

REPLACES: Final = "replaces"
REPLACED_BY: Final = "replaced-by"

Operations = list[dict[str, Any]]
"""A JSON Patch (RFC 6902)."""


# Attributes.


def with_attribute(document: Document, code: str) -> bytes:
    """Give the resource with one more attribute, once."""
    return _patched(document, _adding(document.value, code))


def without_attribute(document: Document, code: str) -> bytes:
    """Give the resource without an attribute."""
    return _patched(document, _taking(document.value, code))


def _adding(patient: Mapping[str, Any], code: str) -> Operations:
    if code in status.attributes(patient):
        return []
    comment = {"url": "comment", "valueCoding": {"system": ATTRIBUTES, "code": code}}
    listed = patient.get("extension")
    for place, one in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(one, dict) and one.get("url") == status.RELIABILITY:
            return [_add(f"/extension/{place}/extension/0", comment)]
    coding = {"system": status.STATUS_SYSTEM, "code": status.PROVISIONAL}
    said = {"url": "identityStatus", "valueCoding": coding}
    whole = {"url": status.RELIABILITY, "extension": [comment, said]}
    return [_append(patient, "extension", whole)]


def _taking(patient: Mapping[str, Any], code: str) -> Operations:
    """Take out the comments of one code, from the last to the first, so that no place moves."""
    listed = patient.get("extension")
    found = [
        f"/extension/{place}/extension/{at}"
        for place, one in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and one.get("url") == status.RELIABILITY
        for at, part in enumerate(one.get("extension", []))
        if part.get("url") == "comment" and code in codes(part)
    ]
    return [{"op": "remove", "path": path} for path in reversed(found)]


# The two of a merge.


def kept(document: Document, left_id: str) -> bytes:
    """Give the Patient that goes on: it replaces the other, and is no longer suspected."""
    link = {"other": {"reference": f"Patient/{left_id}"}, "type": REPLACES}
    return _patched(document, [*_taking(document.value, SUSPECTED), _append(document.value, "link", link)])


def left(document: Document, kept_id: str) -> bytes:
    """Give the Patient that is left: inactive, its identifiers old, replaced by the other."""
    patient = document.value
    link = {"other": {"reference": f"Patient/{kept_id}"}, "type": REPLACED_BY}
    old = [
        _add(f"/identifier/{place}/use", "old") for place, _ in enumerate(dicts(patient.get("identifier")))
    ]
    attributes = _adding(patient, LEFT)
    return _patched(document, [_add("/active", False), *old, _append(patient, "link", link), *attributes])


# Undoing it.


def parted(document: Document, left_id: str) -> bytes:
    """Give the Patient that was kept without its link to the other."""
    return _patched(document, _unlinked(document.value, REPLACES, f"Patient/{left_id}"))


def restored(
    document: Document, kept_id: str, active: bool | None, uses: tuple[str, ...], *, silent: bool
) -> bytes:
    """Give the Patient that was left as it was: `active` and `uses` are what it said before.

    `silent`: it said nothing of how sure its identity is, so what `left` had to say goes too.
    """
    patient = document.value
    reference = f"Patient/{kept_id}"
    again = {"op": "remove", "path": "/active"} if active is None else _add("/active", active)
    return _patched(
        document,
        [
            again,
            *_used(patient, uses),
            *_unlinked(patient, REPLACED_BY, reference),
            *(_silenced(patient) if silent else _taking(patient, LEFT)),
        ],
    )


def is_silent(patient: Mapping[str, Any]) -> bool:
    """Say whether a Patient says nothing of how sure its identity is."""
    return all(one.get("url") != status.RELIABILITY for one in dicts(patient.get("extension")))


def _silenced(patient: Mapping[str, Any]) -> Operations:
    """Take the whole extension out when it says no more than `left` wrote, else the attribute alone."""
    listed = list(dicts(patient.get("extension")))
    places = [place for place, one in enumerate(listed) if one.get("url") == status.RELIABILITY]
    written = status.attributes(patient) <= {LEFT} and status.claims(patient) <= {status.PROVISIONAL}
    parts = [part for place in places for part in listed[place].get("extension", [])]
    if len(places) != 1 or len(parts) > 2 or not written:
        return _taking(patient, LEFT)
    return [{"op": "remove", "path": "/extension" if len(listed) == 1 else f"/extension/{places[0]}"}]


def uses(patient: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the use of each identifier in its place, "" for none."""
    return tuple(str(one.get("use", "")) for one in dicts(patient.get("identifier")))


def _used(patient: Mapping[str, Any], before: tuple[str, ...]) -> Operations:
    places = zip(enumerate(dicts(patient.get("identifier"))), before, strict=False)
    return [
        _add(f"/identifier/{place}/use", use) if use else {"op": "remove", "path": f"/identifier/{place}/use"}
        for (place, one), use in places
        if one.get("use", "") != use
    ]


def _unlinked(patient: Mapping[str, Any], type_: str, reference: str) -> Operations:
    """Take out the links of one kind to one Patient; the last one takes the list with it."""
    links = list(dicts(patient.get("link")))
    places = [
        place
        for place, one in enumerate(links)
        if one.get("type") == type_ and one.get("other", {}).get("reference") == reference
    ]
    if places and len(places) == len(links):
        return [{"op": "remove", "path": "/link"}]
    return [{"op": "remove", "path": f"/link/{place}"} for place in reversed(places)]


def _append(patient: Mapping[str, Any], member: str, value: object) -> dict[str, Any]:
    return _add(f"/{member}/-", value) if patient.get(member) else _add(f"/{member}", [value])


def _add(path: str, value: object) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def _patched(document: Document, operations: Operations) -> bytes:
    raw = document.text.encode()
    return patch.patched(raw, patch.read(json.dumps(operations).encode())) if operations else raw

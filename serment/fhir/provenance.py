"""A Provenance that carries the seal of an item (FHIR R4, Provenance.signature), and what is read of it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from serment.fhir.dates import instant_text

SOURCE_SIGNATURE: Final = {
    "system": "urn:iso-astm:E1762-95:2013",
    "code": "1.2.840.10065.1.12.1.14",
    "display": "Source Signature",
}
"""The signature of where something comes from, not that of a person (value set signature-type)."""

FORMAT: Final = "application/jose"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was sealed: `target` (`Type/id`), `by` (RPPS system, number, name), whose seal."""

    target: str
    at: int
    by: tuple[str, str, str] = field(repr=False)
    owner: str
    jws: str = field(repr=False)


def provenance(one: Sealed) -> bytes:
    """Write the Provenance of a seal."""
    system, number, name = one.by
    who: dict[str, Any] = {"display": name}
    if number:
        who["identifier"] = {"system": system, "value": number}
    signature = {
        "type": [SOURCE_SIGNATURE],
        "when": instant_text(one.at),
        "who": {"display": one.owner},
        "onBehalfOf": who,
        "targetFormat": "application/fhir+json",
        "sigFormat": FORMAT,
        "data": base64.b64encode(one.jws.encode()).decode("ascii"),
    }
    return msgspec.json.encode(
        {
            "resourceType": "Provenance",
            "target": [{"reference": one.target}],
            "recorded": instant_text(one.at),
            "agent": [{"who": who}],
            "signature": [signature],
        }
    )


def seals_of(resource: dict[str, Any]) -> list[str]:
    """Give the JWS texts that a Provenance carries; what is none is left out."""
    found = []
    for signature in resource.get("signature", []):
        if signature.get("sigFormat") == FORMAT:
            try:
                found.append(base64.b64decode(str(signature.get("data", "")), validate=True).decode("ascii"))
            except (binascii.Error, ValueError):
                continue
    return found


def targets(resource: dict[str, Any]) -> list[str]:
    """Name what a Provenance speaks of, as `Type/id`."""
    named = (str(one.get("reference", "")) for one in resource.get("target", []))
    return [one.partition("/_history/")[0] for one in named]

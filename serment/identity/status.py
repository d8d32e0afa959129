"""How sure an identity is: the four exclusive statuses of the RNIV (EXI SI 07).

`of` crosses the two facts that make a status; `status` reads the one that a received Patient
claims (FR Core extension `fr-core-identity-reliability`). Silence, an unknown code, a doubtful
(DOUT) or fictitious (FICT) attribute: provisional. Nothing here ever raises a status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

PROVISIONAL = "PROV"
VALIDATED = "VALI"
RETRIEVED = "RECUP"
QUALIFIED = "QUAL"

RELIABILITY = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability"

_STATUSES = (PROVISIONAL, VALIDATED, RETRIEVED, QUALIFIED)
_FORCING = ("DOUT", "FICT", "FICTI")


def of(*, retrieved: bool, proof: bool, doubtful: bool = False, fictitious: bool = False) -> str:
    """Give the status from INSi retrieval and a high-trust proof (`ins_statuses.csv`)."""
    if doubtful or fictitious:
        return PROVISIONAL
    if retrieved:
        return QUALIFIED if proof else RETRIEVED
    return VALIDATED if proof else PROVISIONAL


def status(patient: Mapping[str, Any]) -> str:
    """Read the status that a Patient resource claims; the least sure one when several disagree."""
    claims = [claim for found in _extensions(patient, RELIABILITY) for claim in _claims(found)]
    if not claims:
        return PROVISIONAL
    return claims[0] if len(set(claims)) == 1 else PROVISIONAL


def _claims(reliability: Mapping[str, Any]) -> Iterator[str]:
    for part in _extensions(reliability, "identityStatus"):
        for code in _codes(part):
            yield code if code in _STATUSES else PROVISIONAL
    for part in _extensions(reliability, "comment"):
        for code in _codes(part):
            if code in _FORCING:
                yield PROVISIONAL


def _extensions(holder: Mapping[str, Any], url: str) -> Iterator[dict[str, Any]]:
    listed = holder.get("extension")
    for extension in listed if isinstance(listed, list) else ():
        if isinstance(extension, dict) and extension.get("url") == url:
            yield extension


def _codes(extension: Mapping[str, Any]) -> Iterator[str]:
    """Read the codes of `valueCoding` (FR Core) or `valueCodeableConcept`."""
    concept = extension.get("valueCodeableConcept")
    codings = concept.get("coding") if isinstance(concept, dict) else None
    for coding in [extension.get("valueCoding"), *(codings if isinstance(codings, list) else [])]:
        if isinstance(coding, dict) and isinstance(coding.get("code"), str):
            yield coding["code"]

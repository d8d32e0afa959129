"""A patient's word as a Consent (R4 consent.html): one shape, whoever writes it down.

In this order: provisions, the resource. What a Consent changes is read in `access/from_consent`. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from serment.identity import rpps

SCOPE: Final = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
CATEGORY: Final = {"system": "http://loinc.org", "code": "59284-0"}
CATEGORIES: Final = "urn:serment:category"
PURPOSES: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"

Provision = dict[str, Any]


def masking(item: str) -> Provision:
    """Mask one item, `Type/id`."""
    return {"type": "deny", "data": [{"meaning": "instance", "reference": {"reference": item}}]}


def blocking(number: str) -> Provision:
    """Block one professional, named by RPPS."""
    return {"type": "deny", "actor": [_actor("blocked", number)]}


def permitting(number: str, until: str = "") -> Provision:
    """Consent to one professional, named by RPPS; until a date or instant of FHIR, when one is given."""
    period = {"period": {"end": until}} if until else {}
    return {"type": "permit", **period, "actor": [_actor("permitted", number)]}


def opposing(category: str = "") -> Provision:
    """Oppose sharing: the whole record, or one category."""
    classes = {"class": [{"system": CATEGORIES, "code": category}]} if category else {}
    return {"type": "deny", **classes}


def opposing_research() -> Provision:
    """Oppose every reuse of the record for research (loi 78-17, art. 74)."""
    return {"type": "deny", "purpose": [{"system": PURPOSES, "code": "HRESCH"}]}


def opposing_emergency() -> Provision:
    """Oppose that a professional opens the record in an emergency (CSP L1111-17 I)."""
    return {"type": "deny", "purpose": [{"system": PURPOSES, "code": "BTG"}]}


def naming_carer(related: str, categories: Sequence[str], until: str) -> Provision:
    """Let a carer (the id of a RelatedPerson) read some categories until a date or instant of FHIR."""
    who = {"role": {"text": "carer"}, "reference": {"reference": f"RelatedPerson/{related}"}}
    classes = [{"system": CATEGORIES, "code": category} for category in categories]
    return {"type": "permit", "period": {"end": until}, "actor": [who], "class": classes}


def opposing_heirs() -> Provision:
    """Object to heirs and partner being told anything after one's death (CSP L1110-4 V)."""
    return {"type": "deny", "purpose": [{"system": "urn:serment:purpose", "code": "SERMENT_HEIRS"}]}


def _actor(role: str, number: str) -> dict[str, Any]:
    reference = {"identifier": {"system": rpps.SYSTEM, "value": number}}
    return {"role": {"text": role}, "reference": reference}


def consent(patient: str, provision: Provision) -> bytes:
    """Write an active Consent of a patient (their id) as FHIR JSON."""
    return msgspec.json.encode(
        {
            "resourceType": "Consent",
            "status": "active",
            "scope": {"coding": [SCOPE]},
            "category": [{"coding": [CATEGORY]}],
            "patient": {"reference": f"Patient/{patient}"},
            "policyRule": {"text": "CSP L1110-4"},
            "provision": provision,
        }
    )

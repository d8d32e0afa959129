"""Resources that the tests of the doors send."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

LOINC = "http://loinc.org"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
WEIGHT = "29463-7"


def weight(patient: str, kilograms: float = 70.5, **more: Any) -> Json:
    """Make a vital sign, which the care team may write. `patient` is an id or `urn:uuid:…`."""
    subject = patient if ":" in patient or "/" in patient else f"Patient/{patient}"
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORIES, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": WEIGHT}], "text": "Poids"},
        "subject": {"reference": subject},
        "valueQuantity": {"value": kilograms, "unit": "kg"},
        **more,
    }


def person(family: str = "Sauvageot", born: str = "1961-02-03", **more: Any) -> Json:
    """Make a person without an INS."""
    name = {"use": "official", "family": family, "given": ["Anaïs"]}
    return {"resourceType": "Patient", "name": [name], "birthDate": born, "gender": "female", **more}


def consent(patient: str, **provision: Any) -> Json:
    """Make a word of the patient: by default an opposition to all sharing."""
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
            ]
        },
        "category": [{"coding": [{"system": LOINC, "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "policyRule": {"text": "CSP L1110-4"},
        "provision": {"type": "deny", **provision},
    }


def by_rpps(actor: str) -> Json:
    """Name a professional by RPPS: `actor` is `rpps:…`."""
    return {"identifier": {"system": "https://rpps.esante.gouv.fr", "value": actor.removeprefix("rpps:")}}


def entry(resource: Json | None, method: str = "POST", url: str = "", **request: str) -> Json:
    """Make one entry of a bundle."""
    made: Json = {
        "request": {"method": method, "url": url or str((resource or {}).get("resourceType")), **request}
    }
    if resource is not None:
        made["resource"] = resource
    return made


def bundle(*entries: Json, kind: str = "transaction") -> Json:
    """Make a transaction or a batch."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def parameters(**given: Any) -> Json:
    """Make a Parameters resource: `name={"valueCode": …}`."""
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, **value} for name, value in given.items()],
    }

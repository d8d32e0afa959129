"""A paper that a reception has scanned: what kind it is, who wrote it, of when. Pure.

Nobody typed what it says. The author is whoever wrote it, by name; the depositor is the author fact of the
record, as of anything written. Its title is that of its kind: a secretary reads no body and sums none up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.fhir.errand import SOURCE

PAPER: Final = "paper"
OTHER_SYSTEM: Final = "urn:oid:1.2.250.1.213.1.1.4.12"
"""TRE_A05, the codes of JDV_J07 that are not LOINC's."""

KINDS: Final = (
    "11490-0",
    "11488-4",
    "34112-3",
    "11502-2",
    "18748-4",
    "57833-6",
    "CERT_DECL",
    "PROT_ALD",
    "ATTEST-DROITS-AM",
    "AUTORIS-SOINS",
)
"""Kinds of JDV_J07 that come on paper, the most frequent first."""

_LOINC = re.compile(r"[0-9]{1,7}-[0-9]")


@dataclass(frozen=True, slots=True)
class Scan:
    """What is filed: the kind (JDV_J07) and its label, who wrote it, its day (`YYYY-MM-DD`), the file."""

    kind: str
    label: str
    author: str = field(repr=False)
    day: str
    media_type: str
    content: bytes = field(repr=False)


def scanned(patient: str, scan: Scan, binary: str) -> bytes:
    """Write the DocumentReference of a scan whose content is in `binary` (`Binary/id`)."""
    system = "http://loinc.org" if _LOINC.fullmatch(scan.kind) else OTHER_SYSTEM
    attachment = {"contentType": scan.media_type, "url": binary, "title": scan.label, "creation": scan.day}
    return msgspec.json.encode(
        {
            "resourceType": "DocumentReference",
            "extension": [{"url": SOURCE, "valueCode": PAPER}],
            "status": "current",
            "type": {"coding": [{"system": system, "code": scan.kind}], "text": scan.label},
            "subject": {"reference": f"Patient/{patient}"},
            "date": f"{scan.day}T12:00:00Z",
            "author": [{"display": scan.author}],
            "description": scan.label,
            "content": [{"attachment": attachment}],
        }
    )

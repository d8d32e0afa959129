"""How sure an identity is: the four exclusive statuses of the RNIV (EXI SI 07) and their attributes.

The table `ins_statuses.csv` is the rule: `of` crosses the two facts that make a status, `forced` says which
attributes leave no other than provisional and forbid INSi (EXI SI 09), `may_leave` whether the matricule
goes out. `status` reads what a received Patient claims (FR Core extension `fr-core-identity-reliability`).
Silence, an unknown code, a doubtful (DOUT) or fictitious (FICT) attribute: provisional. Nothing here ever
raises a status.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Final

from serment.identity.reading import codes, extensions
from serment.identity.tables import rows

PROVISIONAL = "PROV"
VALIDATED = "VALI"
RETRIEVED = "RECUP"
QUALIFIED = "QUAL"

RELIABILITY = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability"
STATUS_SYSTEM: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status"

_FORCING: Final = "forces PROV"
_SPELLED: Final = {"FICTI": "FICT"}
"""One vendor writes FICTI (`ins_statuses.csv`)."""


def of(*, retrieved: bool, proof: bool, doubtful: bool = False, fictitious: bool = False) -> str:
    """Give the status from INSi retrieval and a high-trust proof (`ins_statuses.csv`)."""
    if doubtful or fictitious:
        return PROVISIONAL
    return _by_facts()[retrieved, proof]


def facts_of(code: str) -> tuple[bool, bool]:
    """Say what a status affirms: INSi retrieved, proof checked. A code that is none affirms nothing."""
    return next((facts for facts, known in _by_facts().items() if known == code), (False, False))


def within(claimed: str, allowed: str) -> bool:
    """Say whether a claim affirms nothing that the facts behind `allowed` do not."""
    return all(have or not want for want, have in zip(facts_of(claimed), facts_of(allowed), strict=True))


def may_leave(code: str) -> bool:
    """Say whether an identity of this status carries its matricule outside (rule 5)."""
    return any(row["code"] == code and row["matricule_may_leave"] == "yes" for row in _statuses())


def forced(attributes: Collection[str]) -> bool:
    """Say whether one of the attributes leaves no other status than provisional, and no call of INSi."""
    return any(row["code"] in attributes and row["insi_retrieved"] == _FORCING for row in _attributes())


def attributes(patient: Mapping[str, Any]) -> frozenset[str]:
    """Read the attributes that a Patient resource says (`comment` of the extension)."""
    said = (
        code
        for found in extensions(patient, RELIABILITY)
        for part in extensions(found, "comment")
        for code in codes(part)
    )
    return frozenset(_SPELLED.get(code, code) for code in said)


def claims(patient: Mapping[str, Any]) -> frozenset[str]:
    """Read every status that a Patient resource claims, as written; attributes take none away."""
    return frozenset(
        code
        for found in extensions(patient, RELIABILITY)
        for part in extensions(found, "identityStatus")
        for code in codes(part)
    )


def status(patient: Mapping[str, Any]) -> str:
    """Read the status that a Patient resource claims; the least sure one when several disagree."""
    claimed = claims(patient)
    if len(claimed) != 1 or forced(attributes(patient)):
        return PROVISIONAL
    (one,) = claimed
    return one if one in _by_facts().values() else PROVISIONAL


@cache
def _by_facts() -> dict[tuple[bool, bool], str]:
    return {
        (row["insi_retrieved"] == "yes", row["high_trust_proof"] == "yes"): row["code"] for row in _statuses()
    }


def _statuses() -> Iterator[Mapping[str, str]]:
    return (row for row in rows("ins_statuses.csv") if row["kind"] == "status")


def _attributes() -> Iterator[Mapping[str, str]]:
    return (row for row in rows("ins_statuses.csv") if row["kind"] == "attribute")

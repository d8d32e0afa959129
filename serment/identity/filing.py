"""Whether a received document may be filed by itself: identity qualified and equal, else a person files it.

The reasons are the integration codes that senders of documents know (MSSanté volet LPS, rules C); automatic
filing is forbidden in 903 to 905. A document that names no matricule is never filed by itself either (903).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from serment.identity import traits
from serment.identity.evidence import Evidence, Number
from serment.identity.traits import Traits


class Reason(StrEnum):
    """Why a document waits for a person."""

    VERSION = "900"
    AUTHOR = "901"
    UNKNOWN_PATIENT = "902"
    NO_INS = "903"
    OTHER_INS = "904"
    INCOMPLETE = "905"
    OTHER = "906"

    @property
    def sentence(self) -> str:
        """The sentence that says so."""
        return f"identity.filing-{self.value}"


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a document names: numbers (OID, matricule), and the five traits as far as it says them.

    `traits` is None when the document names the person by number alone, and says nothing to compare.
    """

    numbers: tuple[Number, ...] = field(repr=False)
    traits: Traits | None = field(default=None, repr=False)


def verdict(named: Named, local: Evidence | None) -> Reason | None:
    """Say why a document may not be filed by itself into the record of `local`; None when it may.

    No `local` is no such record. A document may bear a past number of the same person (rule 25).
    """
    if local is None:
        return Reason.UNKNOWN_PATIENT
    if not named.numbers:
        return Reason.NO_INS
    if not local.qualified:
        return Reason.OTHER
    if not set(named.numbers) <= set(local.qualified):
        return Reason.OTHER_INS
    if named.traits is None or not named.traits.complete:
        return Reason.INCOMPLETE
    return Reason.OTHER_INS if traits.differences(named.traits, local.traits) else None

"""The abstract case that `decide` reads: every question already answered by yes or no.

`relations.facts_for` answers the questions from a record's sealed facts; a test or the proof may
write a case by hand. Nothing here decides.
"""

from __future__ import annotations

from typing import Final

import msgspec

from serment.access.tables import NOTHING
from serment.model import Act, Category, Instant, ItemClass, RecordToken, Regime, RequestId

NO_RECORD: Final = RecordToken(b"")
NO_UNIT: Final = ItemClass(Category.UNMAPPED, "")
NO_REQUEST: Final = RequestId("")
EPOCH: Final = Instant(0)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One abstract case: what `decide` reads, and the binding of the permit it may give.

    Every boolean is `False` by default and the regime unknown, so that a case that says nothing is
    refused. `cell` holds the acts of the one cell of the grid or matrix that was chosen from the
    facts, with excluded document types and labels that the cell does not name already taken out.
    """

    regime: Regime | None = None
    act: Act = Act.READ
    cell: frozenset[Act] = NOTHING
    # What the request is.
    third_party_purpose: bool = False
    purpose_misfit: bool = False
    care_purpose: bool = False
    creating: bool = False
    # What the actor is to the record or to the item.
    holder: bool = False
    representative: bool = False
    carer: bool = False
    heir: bool = False
    author: bool = False
    attending: bool = False
    emergency: bool = False
    regulation: bool = False
    team: bool = False
    consent: bool = False
    depositing: bool = False
    # What stands in the way.
    outside_scope: bool = False
    closed: bool = False
    blocked: bool = False
    timer_running: bool = False
    minor_secret: bool = False
    third_party: bool = False
    withheld: bool = False
    opposed: bool = False
    masked: bool = False
    # What kind of place the item is in.
    patient_only: bool = False
    in_directory: bool = False
    # What a permit is bound to.
    record: RecordToken = NO_RECORD
    unit: ItemClass = NO_UNIT
    request: RequestId = NO_REQUEST
    now: Instant = EPOCH

    @property
    def patient_side(self) -> bool:
        """Tell whether somebody of the patient's side asks."""
        return self.holder or self.representative or self.carer or self.heir

    @property
    def proxy(self) -> bool:
        """Tell whether somebody of the patient's side asks who is not the person."""
        return self.representative or self.carer or self.heir

    @property
    def unmasked_emergency(self) -> bool:
        """Tell whether an emergency door is open and the item is not masked (ADR 0002)."""
        return (self.emergency or self.regulation) and not self.masked

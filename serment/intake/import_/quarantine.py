"""What an import could not file: listed without content, and tried again.

Order: the list, trying again. Content is opened by `record/imports/quarantining` with a permit and a receipt,
made ready once more, and filed in the transaction that takes it out of the quarantine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from serment.intake.import_ import prepare
from serment.intake.import_.naming import Known, Links
from serment.model import RequestId
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.imports import quarantining
from serment.record.imports.importing import Importing
from serment.record.imports.lot import Arrival
from serment.record.imports.quarantining import Held, Quarantined
from serment.record.writing import new_id

AT_ONCE = 100
"""Items opened behind one trace."""


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of another try: `tried` = `filed` + those of `reasons` (sentence ids), still there."""

    tried: int
    filed: int
    reasons: Counter[str] = field(default_factory=Counter)


def listed(house: House, asking: Asking) -> list[Quarantined]:
    """List the quarantine, oldest first: source, type, reason, size, since when; no content."""
    Importing(house.passage).check(asking)
    return quarantining.listed(house.passage, asking)


def retry(
    house: House, asking: Asking, *, source: str = "", reason: str = "", counted: bool = False
) -> Retried:
    """Try to file what is in quarantine, of one source or for one reason only when they are given.

    Goes round again as long as something is filed: what was filed may be what another waits for.
    `counted` belongs to the import that is running.
    """
    importing = Importing(house.passage)
    importing.check(asking)
    tried, filed = 0, 0
    while True:
        names = [one.name for one in listed(house, asking) if _chosen(one, source, reason)]
        tried = max(tried, len(names))
        reasons = _round(house, importing, _fresh(house, asking), names, counted=counted)
        filed += len(names) - reasons.total()
        if not names or reasons.total() == len(names) or not reasons:
            return Retried(tried, filed, reasons)


def _chosen(one: Quarantined, source: str, reason: str) -> bool:
    return source in {"", one.source} and reason in {"", one.reason}


def _round(
    house: House, importing: Importing, asking: Asking, names: Sequence[str], *, counted: bool
) -> Counter[str]:
    """Try every item once; give the reasons of those that stay."""
    reasons: Counter[str] = Counter()
    for start in range(0, len(names), AT_ONCE):
        opened = quarantining.opened(house.passage, _fresh(house, asking), names[start : start + AT_ONCE])
        for held, raw in opened:
            again = _fresh(house, asking)
            arrival = _ready(importing, held, raw, again)
            left = (
                importing.refile(again, held, arrival, counted=counted)
                if arrival.prepared
                else arrival.reason
            )
            if left:
                reasons[left] += 1
    return reasons


def _ready(importing: Importing, held: Held, raw: bytes, asking: Asking) -> Arrival:
    """Make an item ready once more, with the names that its source had."""
    known = Known(partial(importing.id_of, held.source))
    return prepare.arrival(held.type, held.key, raw, Links(known, {}), known, asking.now, linked=held.linked)


def _fresh(house: House, asking: Asking) -> Asking:
    return replace(asking, request=RequestId(new_id()), now=house.passage.clock())

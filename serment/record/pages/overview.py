"""What the first page of a record shows: few things, the ones that care cannot do without (capability 2-07).

Allergies, treatments and problems that are not over, the last note, what is new to the reader. Everything
else is one more step, and one more trace. What a resource does not say to be over stands: an unknown state
hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from serment.fhir.match import Matcher, matcher
from serment.fhir.query import parse
from serment.model import ActorId, Category
from serment.record.gate import Item
from serment.record.pages.charting import Pick, Picked, Table, latest

ALLERGIES: Final = "allergies"
TREATMENTS: Final = "treatments"
PROBLEMS: Final = "problems"
NOTE: Final = "note"
NEW: Final = "new"

MOST: Final[Mapping[str, int]] = {ALLERGIES: 20, TREATMENTS: 20, PROBLEMS: 15, NOTE: 1, NEW: 8}
"""Items of each group that are opened."""

OVER: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "AllergyIntolerance": (
        ("clinical-status", "resolved"),
        ("verification-status", "entered-in-error"),
        ("verification-status", "refuted"),
    ),
    "Condition": (
        ("clinical-status", "inactive"),
        ("clinical-status", "remission"),
        ("clinical-status", "resolved"),
        ("verification-status", "entered-in-error"),
        ("verification-status", "refuted"),
    ),
    "MedicationRequest": tuple(
        ("status", state) for state in ("completed", "cancelled", "stopped", "entered-in-error", "draft")
    ),
    "MedicationStatement": tuple(
        ("status", state) for state in ("completed", "stopped", "entered-in-error", "not-taken")
    ),
}
"""States in which an item is over, or was never so: `(search parameter, code)` of R4."""

NOTES: Final = frozenset({"Composition", "ClinicalImpression", "DocumentReference", "Communication"})
NOTED_IN: Final = frozenset({Category.NOTES, Category.REPORT})
NO_NOTES: Final = frozenset({"11502-2", "18748-4", "60568-3"})
"""Documents of category 10 that report an examination: laboratory, imaging, pathology (JDV_J07)."""
ALWAYS: Final = frozenset({Category.ALLERGIES, Category.PROBLEMS, Category.TREATMENTS}) | NOTED_IN
BESIDE: Final = frozenset({"Binary", "Provenance", "AuditEvent"})
"""Types that are content or note of another item, and no line of their own."""
NO_NEWS: Final = frozenset({Category.IDENTITY, Category.CONTACT, Category.CHOICES})
"""Categories of which no change is clinical news."""


def overview(reader: ActorId, since: int) -> Pick:
    """Make what the first page picks; `since` is when the reader last looked (ms), 0 for never.

    What the reader wrote is no news to them; to somebody who never looked nothing is told as new.
    """

    def pick(table: Table) -> Picked:
        here = table.of(ALWAYS)
        groups = {
            ALLERGIES: [item for item in here if _stands(item, "AllergyIntolerance")],
            TREATMENTS: [item for item in here if _stands(item, "MedicationRequest", "MedicationStatement")],
            PROBLEMS: [item for item in here if _stands(item, "Condition")],
            NOTE: [item for item in here if _is_note(item)],
            NEW: _news(table, reader, since) if since else [],
        }
        return Picked(
            {name: latest(items, MOST[name]) for name, items in groups.items()},
            {name: len(items) for name, items in groups.items()},
        )

    return pick


def _news(table: Table, reader: ActorId, since: int) -> list[Item]:
    items = table.since(since, NO_NEWS)
    return [item for item in items if item.unit.author != reader and item.entry.type not in BESIDE]


def _is_note(item: Item) -> bool:
    unit = item.unit
    return item.entry.type in NOTES and unit.category in NOTED_IN and unit.document_type not in NO_NOTES


def _stands(item: Item, *types: str) -> bool:
    entry = item.entry
    return entry.type in types and _standing(entry.type)(entry.id, entry.updated, bytes(entry.values))


@cache
def _standing(type_: str) -> Matcher:
    return matcher(parse(type_, [(f"{code}:not", state) for code, state in OVER[type_]]))


def active(items: Iterable[Item]) -> list[Item]:
    """Keep the items that are not over, of the types whose state is known."""
    return [item for item in items if item.entry.type in OVER and _stands(item, item.entry.type)]

"""Records in which nothing new is written: one that was left for another, one that may hold two people.

The patient's own word is always taken. Asked once the write is permitted: who may not write is told
nothing. Order: the check, and the facts that follow another record's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serment.access import uniting
from serment.errors import ConflictError
from serment.model import Category

if TYPE_CHECKING:
    from serment.record.draft import Draft


def check(draft: Draft, category: Category) -> None:
    """Refuse a write in a frozen record. Raises `ConflictError`."""
    facts = draft.facts or draft.view.facts
    if category is Category.CHOICES or not (facts.united or facts.collision):
        return
    kept = uniting.left_for(facts)
    if kept:
        raise ConflictError("record.left-for", reference=f"Patient/{kept}")
    if facts.collision and not draft.sorting:
        raise ConflictError("record.collision")

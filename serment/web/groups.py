"""The newest items of a record by category, as a page lists them: what each is, when, its state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.fhir.summary import summary
from serment.model import Category
from serment.record.pages.showing import FirstView, Shown
from serment.web.written import day_of
from serment.words import Language, say

DOCUMENTS: Final = "documents"
"""The group of all the DMP classes on a page."""

ORDER: Final = (
    "identity",
    "allergies",
    "problems",
    "treatments",
    "vaccinations",
    "vitals",
    "labs",
    "imaging",
    "notes",
    DOCUMENTS,
    "administrative",
    "contact",
    "choices",
    "unmapped",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One item on a page."""

    reference: str = field(repr=False)
    title: str = field(repr=False)
    value: str = field(repr=False)
    iso: str
    date: str
    masked: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The items of one category on a page."""

    title: str
    items: list[Row] = field(repr=False)
    total: int


def groups_of(view: FirstView, language: Language, leave: set[Category]) -> list[Group]:
    """Group what a first view shows, the newest of each group first."""
    rows: dict[str, list[Row]] = defaultdict(list)
    totals: dict[str, int] = defaultdict(int)
    for category, items in view.groups.items():
        if category not in leave:
            name = category.value if category.value in ORDER else DOCUMENTS
            rows[name] += [_row(shown, language) for shown in items]
            totals[name] += view.totals[category]
    return [
        Group(
            category_name(name, language),
            sorted(rows[name], key=lambda row: row.iso, reverse=True),
            totals[name],
        )
        for name in ORDER
        if rows[name]
    ]


def category_name(name: str, language: Language) -> str:
    """Say the name of a group."""
    if name == DOCUMENTS:
        return say("web.category.documents", language)
    return say(f"access.category.{name}", language)


def _row(shown: Shown, language: Language) -> Row:
    said = summary(msgspec.json.decode(shown.body), language)
    return Row(
        shown.reference, said.title, said.value, said.date, day_of(said.date, language), shown.unit.masked
    )

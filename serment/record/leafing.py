"""Leafing through one record: what stands in it, newest first, filtered, a page at a time.

Each page is one pick of `charting` (one look, one decision for each class, one trace): filters, order, series
and totals are worked out on what may be seen and on nothing else, so that what is hidden gives the same page
as what is absent. Authors and series are named in addresses by tokens of this installation, never by a
number, a name or a code. Nothing is decided and nothing is opened here.

Order: what is asked, what answers, series, the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from serment.fhir import search
from serment.fhir.leaf import Needs, leaf, people, says
from serment.ledger.entry import Interaction
from serment.model import Category
from serment.record.asking import Asking
from serment.record.charting import Chart, Charting, Pick, Picked, Table, latest, moment
from serment.record.gate import Item
from serment.record.passage import Passage
from serment.record.writing import new_id

ITEMS: Final = "items"
"""The one group of a page that is a list."""

APART: Final = frozenset({Category.IDENTITY, Category.CONTACT, Category.CHOICES, Category.DIRECTORY})
"""Categories that are no line of a record: who the person is stands in the bar."""

LISTED: Final = frozenset(Category) - APART

BESIDE: Final = frozenset({"Binary", "Provenance", "AuditEvent"})
"""Types that are content or note of another item, and no line of their own."""

AUTHOR: Final = "author"
SERIES: Final = "series"

Token = Callable[[str, str], str]
"""From (`AUTHOR` or `SERIES`, name) to what stands for it in an address."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a list asks for. Empty or None: no bound.

    `since` and `until` are ms (`until` excluded); `author` and `series` are tokens that a page gave; `words`
    are folded (`search_values.folded`); `start` and `most` cut the page.
    """

    types: frozenset[str] = frozenset()
    categories: frozenset[Category] = LISTED
    since: int | None = None
    until: int | None = None
    author: str = ""
    series: str = ""
    words: str = field(default="", repr=False)
    start: int = 0
    most: int = 30

    @property
    def needs(self) -> Needs:
        """Say what is read of each entry to find those that are asked for."""
        return Needs(bool(self.words), bool(self.author), bool(self.series))


class Leafing:
    """The pages that leaf through a record."""

    def __init__(self, passage: Passage, charting: Charting) -> None:
        self._passage = passage
        self._charting = charting

    async def leaves(self, asking: Asking, patient: str, wish: Wish) -> Chart:
        """Give one page of a list, under `ITEMS`. Raises `NotFoundError` when nothing of it may be seen."""
        interaction = Interaction.SEARCH if wish.words else Interaction.LIST
        return await self._charting.page(asking, patient, partial(_leaves, wish, self._token), interaction)

    async def series(self, asking: Asking, patient: str, categories: frozenset[Category], each: int) -> Chart:
        """Give the newest `each` measures of every series, a group for each under its token.

        Raises as `leaves`.
        """
        pick: Pick = partial(_series, categories, each, self._token)
        return await self._charting.page(asking, patient, pick)

    def series_of(self, resource: dict[str, Any]) -> str:
        """Give what stands for the series of an Observation in addresses, "" for what is in none."""
        values = search.index(resource)
        return self._token(SERIES, leaf(str(resource["resourceType"]), values, Needs(series=True)).series)

    def people(self, resource: dict[str, Any]) -> list[tuple[str, str]]:
        """Give the professionals whom a resource names: the words for each, and its token in addresses."""
        return [(said, self._token(AUTHOR, name)) for said, name in people(resource)]

    def in_record(self, patient: str, type_: str, id_: str) -> str:
        """Give the id of an item when it stands in the record of `patient`, else one that leads nowhere.

        A page under one person's name never shows what is another's. Opens nothing; the statements are the
        same whether the item is there, elsewhere or nowhere: reading what it gives decides.
        """
        with self._passage.store.snapshot() as snapshot:
            holder, _ = self._passage.resolve(snapshot, f"Patient/{patient}")
            item, _ = self._passage.resolve(snapshot, f"{type_}/{id_}")
        return id_ if holder.record == item.record else new_id()

    def _token(self, kind: str, name: str) -> str:
        """Name an author or a series in an address: 12 hexadecimal digits that mean nothing elsewhere."""
        return self._passage.installation.locator(f"page {kind}\n{name}")[:6].hex() if name else ""


# What answers.


def _leaves(wish: Wish, token: Token, table: Table) -> Picked:
    known: dict[tuple[str, str], str] = {}

    def once(kind: str, name: str) -> str:
        """Work a token out once for each author and series, not for each entry."""
        found = known.get((kind, name))
        if found is None:
            found = known[kind, name] = token(kind, name)
        return found

    found = [item for item in _lines(table, wish.categories) if _answers(item, wish, once)]
    shown = latest(found, wish.start + wish.most)[wish.start :]
    return Picked({ITEMS: shown}, {ITEMS: len(found)})


def _lines(table: Table, categories: frozenset[Category]) -> Iterable[Item]:
    return (item for item in table.of(categories) if item.entry.type not in BESIDE)


def _answers(item: Item, wish: Wish, token: Token) -> bool:
    if wish.types and item.entry.type not in wish.types:
        return False
    if not _within(item, wish):
        return False
    if not (wish.words or wish.author or wish.series):
        return True
    known = leaf(item.entry.type, bytes(item.entry.values), wish.needs)
    if wish.words and not says(known.words, wish.words):
        return False
    if wish.series and token(SERIES, known.series) != wish.series:
        return False
    return not wish.author or any(
        token(AUTHOR, name) == wish.author for name in (*known.authors, item.unit.author)
    )


def _within(item: Item, wish: Wish) -> bool:
    """Say whether an item falls into the period; one without a date counts when it was written."""
    if wish.since is None and wish.until is None:
        return True
    at = moment(item)
    return (wish.since is None or at >= wish.since) and (wish.until is None or at < wish.until)


# Series.


def _series(categories: frozenset[Category], each: int, token: Token, table: Table) -> Picked:
    """Put the measures of some categories in series. What names no code and no text is in none."""
    found: dict[str, list[Item]] = {}
    for item in table.of(categories):
        name = leaf(item.entry.type, bytes(item.entry.values), Needs(series=True)).series
        if name:
            found.setdefault(name, []).append(item)
    named = {token(SERIES, name): items for name, items in found.items()}
    return Picked(
        {name: latest(items, each) for name, items in named.items()},
        {name: len(items) for name, items in named.items()},
    )

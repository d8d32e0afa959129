"""Leafing through one record: what stands in it, newest first, filtered, a page at a time.

Each page is one pick of `charting` (one look, one decision for each class, one trace): filters, order, series
and totals are worked out on what may be seen and on nothing else, so that what is hidden gives the same page
as what is absent. Authors and series are named in addresses by tokens of this installation, never by a
number, a name or a code. Nothing is decided and nothing is opened here.

Order: what is asked, what answers, series, the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import msgspec

from serment.errors import MalformedError
from serment.fhir import search
from serment.fhir.leaf import LeafReader, people
from serment.ledger.entry import Interaction
from serment.model import Category, RequestId
from serment.record.asking import Asking
from serment.record.gate import Item
from serment.record.pages.charting import Chart, Charting, Pick, Picked, Table, latest, moment
from serment.record.pages.overview import BESIDE, active
from serment.record.pages.overview import OVER as HAS_STATE
from serment.record.passage import Passage
from serment.record.reading import opened_token, sealed_token
from serment.record.writing import new_id

ITEMS: Final = "items"
"""The one group of a page that is a list."""

APART: Final = frozenset({Category.IDENTITY, Category.CONTACT, Category.CHOICES, Category.DIRECTORY})
"""Categories that are no line of a record: who the person is stands in the bar."""

LISTED: Final = frozenset(Category) - APART

AUTHOR: Final = "author"
SERIES: Final = "series"

STANDING: Final = "standing"
OVER: Final = "over"
MOST: Final = 60
"""Items that a section shows of each group."""

LOOKING: Final = 15 * 60 * 1000
"""Milliseconds during which the pages of a document belong to the act that opened it."""

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


class _Act(msgspec.Struct, array_like=True, frozen=True):
    """An act that goes on: its number and its instant (ms)."""

    request: RequestId
    at: int


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

    async def standing(self, asking: Asking, patient: str, category: Category) -> Chart:
        """Give what of a category stands, under `STANDING`, and what is `OVER`. Raises as `leaves`."""
        return await self._charting.page(asking, patient, partial(_standing, category))

    async def courses(self, asking: Asking, patient: str) -> Chart:
        """Give each treatment once, at its newest, under `STANDING` and `OVER`; under its token, how often.

        A treatment stands when one of its prescriptions does. Raises as `leaves`.
        """
        return await self._charting.page(asking, patient, partial(_courses, self._token))

    def act_of(self, asking: Asking, name: str) -> str:
        """Seal the number of this act, so that what is fetched for the same page belongs to it."""
        plain = msgspec.msgpack.encode(_Act(asking.request, asking.now))
        return sealed_token(self._passage, f"act {asking.actor.id} {name}", plain)

    def same_act(self, asking: Asking, name: str, token: str) -> Asking:
        """Go on in the act of a page that was looked at a moment ago; else this one is an act of its own."""
        try:
            plain = opened_token(self._passage, f"act {asking.actor.id} {name}", token)
        except MalformedError:
            return asking
        act = msgspec.msgpack.decode(plain, type=_Act)
        return replace(asking, request=act.request) if 0 <= asking.now - act.at <= LOOKING else asking

    def series_of(self, resource: dict[str, Any]) -> str:
        """Give what stands for the series of a resource in addresses, "" for what is in none."""
        values = search.index(resource)
        return self._token(SERIES, LeafReader().series(str(resource["resourceType"]), values))

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
    sieve = _Sieve(wish, token)
    found = [item for item in _lines(table, wish.categories) if sieve.keeps(item)]
    shown = latest(found, wish.start + wish.most)[wish.start :]
    return Picked({ITEMS: shown}, {ITEMS: len(found)})


def _lines(table: Table, categories: frozenset[Category]) -> Iterable[Item]:
    return (item for item in table.of(categories) if item.entry.type not in BESIDE)


class _Sieve:
    """Which items answer a wish; a token is worked out once for each author and series."""

    def __init__(self, wish: Wish, token: Token) -> None:
        self._wish, self._token = wish, token
        self._words = wish.words.split()
        self._reader = LeafReader()
        self._known: dict[tuple[str, str], str] = {}

    def keeps(self, item: Item) -> bool:
        """Say whether an item answers."""
        wish, entry = self._wish, item.entry
        if (wish.types and entry.type not in wish.types) or not _within(item, wish):
            return False
        if self._words and not self._reader.says(entry.type, bytes(entry.values), self._words):
            return False
        if wish.series and self._of(SERIES, self._series(item)) != wish.series:
            return False
        return not wish.author or self._is_by(item)

    def _series(self, item: Item) -> str:
        return self._reader.series(item.entry.type, bytes(item.entry.values))

    def _is_by(self, item: Item) -> bool:
        names = self._reader.authors(item.entry.type, bytes(item.entry.values))
        return any(self._of(AUTHOR, name) == self._wish.author for name in (*names, item.unit.author))

    def _of(self, kind: str, name: str) -> str:
        known = self._known.get((kind, name))
        if known is None:
            known = self._known[kind, name] = self._token(kind, name)
        return known


def _within(item: Item, wish: Wish) -> bool:
    """Say whether an item falls into the period; one without a date counts when it was written."""
    if wish.since is None and wish.until is None:
        return True
    at = moment(item)
    return (wish.since is None or at >= wish.since) and (wish.until is None or at < wish.until)


# What stands, and what is over.


def _standing(category: Category, table: Table) -> Picked:
    items = list(_lines(table, frozenset({category})))
    known = {item.entry.reference for item in active(items)}
    stands = [item for item in items if item.entry.reference in known or item.entry.type not in HAS_STATE]
    over = [item for item in items if item.entry.reference not in known and item.entry.type in HAS_STATE]
    return Picked(
        {STANDING: latest(stands, MOST), OVER: latest(over, MOST)}, {STANDING: len(stands), OVER: len(over)}
    )


def _courses(token: Token, table: Table) -> Picked:
    found: dict[str, list[Item]] = {}
    reader = LeafReader()
    for item in _lines(table, frozenset({Category.TREATMENTS})):
        name = reader.series(item.entry.type, bytes(item.entry.values))
        found.setdefault(name or item.entry.reference, []).append(item)
    totals = {token(SERIES, name): len(items) for name, items in found.items()}
    groups: dict[str, list[Item]] = {STANDING: [], OVER: []}
    for items in found.values():
        stands = active(items)
        groups[STANDING if stands else OVER] += latest(stands or items, 1)
    totals |= {name: len(items) for name, items in groups.items()}
    return Picked({name: latest(items, MOST) for name, items in groups.items()}, totals)


# Series.


def _series(categories: frozenset[Category], each: int, token: Token, table: Table) -> Picked:
    """Put the measures of some categories in series. What names no code and no text is in none."""
    found: dict[str, list[Item]] = {}
    reader = LeafReader()
    for item in table.of(categories):
        name = reader.series(item.entry.type, bytes(item.entry.values))
        if name:
            found.setdefault(name, []).append(item)
    named = {token(SERIES, name): items for name, items in found.items()}
    return Picked(
        {name: latest(items, each) for name, items in named.items()},
        {name: len(items) for name, items in named.items()},
    )

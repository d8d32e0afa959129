"""Finding people as somebody types: many people held in memory, compactly (pure).

A `Shard` is a fixed set of rows, sorted by name, with three vocabularies (family names, given names, sounds
of family names): each a sorted list of words and, beside it, the places of the people who bear them. A prefix
is one range of a vocabulary; several words are sets of places cut with each other. People who left a shard
are struck out; who changed stands in a newer shard. Some 100 bytes a person, in arrays and one string.

Order: what is held, vocabularies, the shard, the search across shards. Nothing here decides: the caller says
by `groups` who may be found, and whoever may not is passed over before anything is counted or ranked.
Nothing here opens, stores or traces anything, and no `repr` shows who somebody is.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from heapq import nsmallest
from itertools import chain, islice
from typing import Final, NamedTuple
from uuid import UUID

from serment.identity import names
from serment.identity.as_typed import LEAST_LETTERS, Typed, words_of
from serment.identity.who import Who, date_of, number_of

MOST_FOUND: Final = 10
"""People that one answer shows, at most. There is no second page."""

SHARD: Final = 1 << 16
"""People of one shard, at most: a second of work, done beside what is asked meanwhile."""

FAMILY, BEGINNING, GIVEN, HEARD = range(4)
"""How well what was typed fits: a family name whole, its beginning, given names only, a sound."""

_END: Final = "\x7f"
"""Sorts after every letter: the end of the range of a prefix."""

_BETWEEN: Final = "\x1f"
_ID: Final = b"\x1e"
"""Stand between the names of a row and before its id: no name has them, they are not printable."""

GONE: Final = (1 << 16) - 1
"""The group of those who have left: nobody may find them."""

FEW: Final = 100
"""To look at one person costs as much as to pass over so many places of a list."""


class Row(NamedTuple):
    """One person to be held: who they are, who may find them (`group`), where the row stands (`source`)."""

    who: Who
    group: int
    source: int

    def __repr__(self) -> str:
        return "Row(…)"


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One person found. They are ordered: how well it fits, then family name, given names, birth date, id."""

    fit: int
    key: tuple[str, ...] = field(repr=False)
    who: Who = field(repr=False, compare=False)
    group: int = field(compare=False)


Cut = Callable[[str], Sequence[str]]
"""Cuts a name into words."""


# Vocabularies.


class _Vocabulary:
    """Sorted words, and the places of those who bear them: the places of a prefix stand side by side."""

    __slots__ = ("_ends", "_places", "_starts", "_text")

    def __init__(self, borne: dict[str, list[int]]) -> None:
        words = sorted(borne)
        self._text = "".join(words)
        self._starts, self._ends, self._places = array("I", [0]), array("I", [0]), array("I")
        for word in words:
            self._starts.append(self._starts[-1] + len(word))
            self._places.extend(borne[word])
            self._ends.append(len(self._places))

    def beginning(self, prefix: str) -> array[int]:
        """Give the places of those who bear a word that begins so; one place may come twice."""
        return self._between(prefix, prefix + _END)

    def whole(self, word: str) -> array[int]:
        """Give the places of those who bear this very word."""
        return self._between(word, word + "\x00")

    def _between(self, first: str, last: str) -> array[int]:
        numbers = range(len(self._starts) - 1)
        start = bisect_left(numbers, first, key=self._word)
        stop = bisect_left(numbers, last, lo=start, key=self._word)
        return self._places[self._ends[start] : self._ends[stop]]

    def _word(self, number: int) -> str:
        return self._text[self._starts[number] : self._starts[number + 1]]

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        return len(self._text) + _size(self._starts, self._ends, self._places)


# The shard.


class Shard:
    """Some people, sorted by name. It is made once; after that people only leave it."""

    __slots__ = (
        "_born",
        "_family",
        "_given",
        "_groups",
        "_heard",
        "_marks",
        "_shared",
        "_sources",
        "_starts",
        "_text",
        "sources",
    )

    def __init__(self, rows: Iterable[Row]) -> None:
        cut = cache(words_of)  # many bear the same names; kept no longer than this takes
        held = sorted(((_key(row.who, cut), row) for row in rows), key=lambda one: one[0])
        ordered = [row for _, row in held]
        self._groups = array("H", (row.group for row in ordered))
        self._sources = array("I", (row.source for row in ordered))
        self._born = array("I", (number_of(row.who.birth_date) for row in ordered))
        self._starts, self._text = _texts(ordered)
        self._marks, self._shared = _marks(ordered)
        self._family = _Vocabulary(_borne(_families(row.who, cut) for row in ordered))
        self._given = _Vocabulary(_borne(_words(row.who.given, cut) for row in ordered))
        self._heard = _Vocabulary(_borne(row.who.sounds for row in ordered))
        self.sources = frozenset(self._sources)

    def __repr__(self) -> str:
        return "Shard(…)"

    def __len__(self) -> int:
        return len(self._groups) - self._groups.count(GONE)

    def leave(self, sources: Collection[int]) -> None:
        """Strike out those whose rows stood there."""
        for place, source in enumerate(self._sources):
            if source in sources:
                self._groups[place] = GONE

    def rows(self) -> Iterator[Row]:
        """Give back the people who have not left."""
        for place, group in enumerate(self._groups):
            if group != GONE:
                yield Row(self._who(place), group, self._sources[place])

    def search(self, asked: Typed, groups: AbstractSet[int], *, heard: bool) -> list[Found]:
        """Give the first `MOST_FOUND` of these groups who fit; `heard`: by sound, those not spelt so."""
        words = [self._word(word, heard=heard) for word in asked.words]
        fitting = self._fitting(words, asked, groups)
        if heard:
            spelt = [self._word(word, heard=False) for word in asked.words]
            tiers = [(HEARD, fitting - _cut(fitting, spelt))]
        else:
            whole = set[int]().union(*(self._family.whole(word) for word in asked.words))
            begun = set[int]().union(*(_among(fitting, [word.lists[0]], word.of_family) for word in words))
            tiers = [(FAMILY, fitting & whole), (BEGINNING, begun - whole), (GIVEN, fitting - begun)]
        return list(islice(self._first(tiers), MOST_FOUND))

    def _fitting(self, words: Sequence[_Word], asked: Typed, groups: AbstractSet[int]) -> set[int]:
        """Give the places of those who bear every word: whoever may not be found is out before the rest."""
        rarest, *others = sorted(words, key=lambda word: word.length)
        held, born, when = self._groups, self._born, asked.born
        low, high = when.first * 10_000, when.last * 10_000 + 9999
        places = set[int]().union(*rarest.lists)
        right = {place for place in places if held[place] in groups and low <= born[place] <= high}
        if when.month or when.day:
            right = {place for place in right if when.fits(born[place])}
        return _cut(right, others)

    def _first(self, tiers: Sequence[tuple[int, set[int]]]) -> Iterator[Found]:
        """Give the first of each tier in turn: places are in the order of names."""
        for fit, places in tiers:
            for place in nsmallest(MOST_FOUND, places):
                who = self._who(place)
                yield Found(fit, _key(who), who, self._groups[place])

    def _word(self, word: str, *, heard: bool) -> _Word:
        """Look one typed word up: those whose family name, given name or, if `heard`, sound begins so."""
        lists = [self._family.beginning(word), self._given.beginning(word)]
        sound = names.sound(word) if heard and len(word) >= LEAST_LETTERS else ""
        if sound:
            lists.append(self._heard.beginning(sound))

        def of_family(place: int) -> bool:
            return _begins(_families(self._who(place)), word)

        def borne(place: int) -> bool:
            who = self._who(place)
            return (
                _begins(_families(who), word)
                or _begins(_words(who.given), word)
                or (bool(sound) and _begins(who.sounds, sound))
            )

        return _Word(lists, of_family, borne)

    def _who(self, place: int) -> Who:
        text, _, id_ = self._text[self._starts[place] : self._starts[place + 1]].partition(_ID)
        birth, used, given, *sounds = text.decode().split(_BETWEEN)
        sex, status, regime, structure = self._shared[self._marks[place]]
        born = date_of(self._born[place])
        return Who(_id(id_), birth, used, given, born, sex, status, regime, structure, tuple(sounds))

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        words = self._family.size + self._given.size + self._heard.size
        columns = _size(self._groups, self._sources, self._born, self._starts, self._marks)
        return words + columns + len(self._text)


class _Word(NamedTuple):
    """One typed word in one shard: who bears it, and the same asked of one place."""

    lists: list[array[int]]
    of_family: Callable[[int], bool]
    borne: Callable[[int], bool]

    @property
    def length(self) -> int:
        return sum(map(len, self.lists))


def _cut(places: set[int], words: Sequence[_Word]) -> set[int]:
    """Give those of the places that bear every word, the rarest word first."""
    for word in sorted(words, key=lambda word: word.length):
        places = _among(places, word.lists, word.borne)
    return places


def _among(places: set[int], lists: Sequence[array[int]], borne: Callable[[int], bool]) -> set[int]:
    """Give those of the places that stand in one of the lists; few of them are looked at one by one."""
    if sum(map(len, lists)) > FEW * len(places):
        return {place for place in places if borne(place)}
    return set[int]().union(*(places.intersection(one) for one in lists))


def _begins(words: Iterable[str], prefix: str) -> bool:
    return any(word.startswith(prefix) for word in words)


def _texts(rows: Sequence[Row]) -> tuple[array[int], bytes]:
    """Write what differs from person to person as one string, and where each begins in it."""
    starts, text = array("I", [0]), bytearray()
    for row in rows:
        who = row.who
        text += (
            _BETWEEN.join((who.birth, who.used, who.given, *who.sounds)).encode() + _ID + _packed(who.patient)
        )
        starts.append(len(text))
    return starts, bytes(text)


def _marks(rows: Sequence[Row]) -> tuple[array[int], tuple[tuple[str, str, str, str], ...]]:
    """Number what many people share: sex, status, regime, structure."""
    numbers: dict[tuple[str, str, str, str], int] = {}
    shared = ((row.who.sex, row.who.status, row.who.regime, row.who.structure) for row in rows)
    return array("H", [numbers.setdefault(one, len(numbers)) for one in shared]), tuple(numbers)


_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _packed(id_: str) -> bytes:
    """Write an id; one that this server makes (`8-4-4-4-12`) in 17 bytes in place of 36."""
    if _UUID.fullmatch(id_):
        return b"\0" + UUID(id_).bytes
    return b"\1" + id_.encode()


def _id(packed: bytes) -> str:
    return str(UUID(bytes=packed[1:])) if packed[0] == 0 else packed[1:].decode()


def _borne(each: Iterable[Collection[str]]) -> dict[str, list[int]]:
    """Say which places bear a word."""
    found: dict[str, list[int]] = {}
    for place, words in enumerate(each):
        for word in words:
            found.setdefault(word, []).append(place)
    return found


def _families(who: Who, cut: Cut = words_of) -> set[str]:
    return _words(who.birth, cut) | _words(who.used, cut) if who.used else _words(who.birth, cut)


def _words(name: str, cut: Cut = words_of) -> set[str]:
    """Give the words of a name, and the name written as one: LE GOFF is found by "legoff" too."""
    words = cut(name)
    return {*words, "".join(words)} if len(words) > 1 else set(words)


def _key(who: Who, cut: Cut = words_of) -> tuple[str, ...]:
    """Order people: family name, given names, birth date, id."""
    return (
        " ".join(cut(who.birth)),
        " ".join(cut(who.given)),
        who.birth_date,
        who.patient,
    )


def _size(*columns: array[int]) -> int:
    return sum(len(column) * column.itemsize for column in columns)


# The search across shards.


def search(shards: Iterable[Shard], asked: Typed, groups: AbstractSet[int]) -> list[Found]:
    """Give the first `MOST_FOUND` people of these groups who fit, by sound too when fewer are spelt so.

    The answer depends on those of `groups` only.
    """
    looked = list(shards)
    spelt = _best(looked, lambda shard: shard.search(asked, groups, heard=False))
    if len(spelt) == MOST_FOUND:
        return spelt
    heard = _best(looked, lambda shard: shard.search(asked, groups, heard=True))
    return [*spelt, *heard][:MOST_FOUND]


def _best(shards: Iterable[Shard], of: Callable[[Shard], list[Found]]) -> list[Found]:
    return nsmallest(MOST_FOUND, chain.from_iterable(map(of, shards)))

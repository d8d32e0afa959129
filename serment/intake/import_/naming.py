"""What a piece of a source has to be told before it can be made ready: ids, and who its links name.

The key that names imported ids stays in the process of the import. A piece is therefore read twice: it
says which names it needs (`Wanted`), gets them (`Named`), and is then made ready with nothing else. The
same two steps are taken in this process and in another one.

Order: what a piece asks, the answer, the directory that answers, links. Nothing is stored here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import msgspec

from serment.identity import rpps

_LOCAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_EXACT = re.compile(r"([A-Z][A-Za-z]{1,63})\?identifier=([^&]+)")

Name = tuple[str, str]
"""Type, and what names the resource in its source for ever."""


class Met(msgspec.Struct, array_like=True, frozen=True):
    """A directory entry: what others may call it (`system|value`), and its professional.

    `person` is `rpps:…`, "" when there is no number, None for what is no Practitioner.
    """

    name: Name
    called: list[str]
    person: str | None

    def __repr__(self) -> str:
        return "Met(…)"


class Wanted(msgspec.Struct, array_like=True, frozen=True):
    """What a piece asks: names, each once, conditional links, and the directory entries that it brings."""

    names: list[Name]
    queries: list[str]
    met: list[Met]

    def __repr__(self) -> str:
        return "Wanted(…)"


class Named(msgspec.Struct, array_like=True, frozen=True):
    """The answer: the id of each name, in their order, and the entry (`Type/id`) of queries that have one."""

    ids: list[str]
    aliases: dict[str, str]

    def __repr__(self) -> str:
        return "Named(…)"


def met(name: Name, resource: dict[str, Any]) -> Met:
    """Say what a directory entry is called by others; what cannot be read is left out."""
    listed = resource.get("identifier")
    numbers = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    called = [f"{one['system']}|{one['value']}" for one in numbers if one.get("system") and one.get("value")]
    if name[0] != "Practitioner":
        return Met(name, called, None)
    found = [number for one in numbers if (number := rpps.read(one.get("value")))]
    return Met(name, called, f"rpps:{found[0]}" if found else "")


@dataclass(slots=True)
class Directory:
    """The directory entries that an import has met so far, in the order of its source."""

    name: Callable[[str, str], str] = field(repr=False)
    aliases: dict[str, str] = field(default_factory=dict, repr=False)

    def answer(self, wanted: Wanted) -> Named:
        """Learn what the piece brings, then tell it the names that it asks for."""
        for one in wanted.met:
            reference = self._reference(one)
            for called in one.called:
                self.aliases[f"{one.name[0]}?identifier={called}"] = reference
        aliases = {query: self.aliases[query] for query in wanted.queries if query in self.aliases}
        return Named([self.name(*name) for name in wanted.names], aliases)

    def people(self, wanted: Wanted) -> dict[str, str]:
        """Give the professionals that a piece brings: reference → actor id, "" for none."""
        return {self._reference(one): one.person for one in wanted.met if one.person is not None}

    def _reference(self, one: Met) -> str:
        return f"{one.name[0]}/{self.name(*one.name)}"


@dataclass(slots=True)
class Known:
    """What is known while a piece is made ready. `unresolved` counts links kept as received.

    `aliases` leads from `Practitioner?identifier=…` to `Practitioner/<new id>`.
    """

    name: Callable[[str, str], str] = field(repr=False)
    aliases: Mapping[str, str] = field(default_factory=dict, repr=False)
    unresolved: int = 0

    @classmethod
    def of(cls, wanted: Wanted, named: Named) -> Known:
        """Know what was asked and answered, and nothing else."""
        ids = dict(zip(wanted.names, named.ids, strict=True))
        return cls(lambda type_, key: ids[type_, key], named.aliases)


class Links(dict[str, str]):
    """From a reference as written to what stands in its place; worked out when it is met."""

    def __init__(self, known: Known, urls: Mapping[str, str]) -> None:
        super().__init__(urls)
        self._known = known

    def __contains__(self, link: object) -> bool:
        return isinstance(link, str) and (super().__contains__(link) or self._worked_out(link))

    def _worked_out(self, link: str) -> bool:
        local = _LOCAL.fullmatch(link)
        if local is not None:
            self[link] = f"{local[1]}/{self._known.name(local[1], local[2])}"
            return True
        query = _query(link)
        if query is None:
            return False
        target = self._known.aliases.get(query)
        if target is None:
            self._known.unresolved += 1
            return False
        self[link] = target
        return True


class Asked:
    """The names and queries that links ask for, each once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self.names: dict[Name, None] = {}
        self.queries: dict[str, None] = {}

    def of(self, links: Iterable[str]) -> None:
        """Keep what some links ask for; one that `Links` would leave alone asks nothing."""
        for link in links:
            if link in self._seen:
                continue
            self._seen.add(link)
            local = _LOCAL.fullmatch(link)
            if local is not None:
                self.names[local[1], local[2]] = None
            elif (query := _query(link)) is not None:
                self.queries[query] = None


def _query(link: str) -> str | None:
    """Read a conditional link by identifier, the one form that can name an entry exactly."""
    exact = _EXACT.fullmatch(link)
    return None if exact is None else f"{exact[1]}?identifier={unquote(exact[2])}"

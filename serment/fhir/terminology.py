"""The code systems and value sets that are shipped: listed whole, expanded and looked up, nothing else.

What FHIR R4 requires (`data/terminology.json.gz`, made by `tools/build_fhir_terminology.py` from the
definitions of HL7, CC0), to which a door may add its own. No terminology server: no filter on properties,
no hierarchy, no SNOMED CT or LOINC. Order: the nouns, the shipped file, expansion, validation.

`ValueSet/$expand` and `$validate-code` are R4 valueset-operations.html. Pure, and the same for everybody.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

import msgspec

from serment.errors import NotFoundError, RequestError
from serment.fhir.dates import instant_text
from serment.model import Instant

MAX_CODES: Final = 1000
"""Codes of one page of an expansion; every set that is shipped fits in one."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a system, with the words for it."""

    system: str
    code: str
    display: str


@dataclass(frozen=True)
class CodeSystem:
    """A code system: its words by code, in its order. `complete` when all its codes are here."""

    url: str
    name: str
    title: str
    concepts: Mapping[str, str]
    version: str = ""
    complete: bool = True


@dataclass(frozen=True)
class ValueSet:
    """A value set: the codes of each system, in its order."""

    url: str
    name: str
    title: str
    codes: tuple[tuple[str, tuple[str, ...]], ...]
    version: str = ""

    @cached_property
    def by_system(self) -> dict[str, frozenset[str]]:
        """Give the codes of each system as a set."""
        return {system: frozenset(codes) for system, codes in self.codes}


@dataclass(frozen=True)
class Terminology:
    """Systems and sets by address. A system is also the set of all its codes."""

    systems: Mapping[str, CodeSystem]
    sets: Mapping[str, ValueSet] = field(default_factory=dict)

    def __or__(self, other: Terminology) -> Terminology:
        return Terminology({**self.systems, **other.systems}, {**self.sets, **other.sets})

    def value_set(self, url: str) -> ValueSet:
        """Find a value set by its address, with its version or without.

        Raises `NotFoundError`: one that is not shipped, in that version, is not here.
        """
        address, _, version = url.partition("|")
        found = self.sets.get(address)
        if found is None or version not in {"", found.version}:
            raise NotFoundError("terminology.no-value-set")
        return found

    def code_system(self, url: str) -> CodeSystem:
        """Find a code system by its address. Raises `NotFoundError`."""
        address, _, version = url.partition("|")
        found = self.systems.get(address)
        if found is None or version not in {"", found.version}:
            raise NotFoundError("terminology.no-code-system")
        return found

    def codings(self, value_set: ValueSet) -> Iterator[Coding]:
        """List the codes of a set in its order, with their words."""
        for system, codes in value_set.codes:
            words = self.systems[system].concepts if system in self.systems else {}
            for code in codes:
                yield Coding(system, code, words.get(code, code))


@cache
def shipped() -> Terminology:
    """Read what FHIR R4 requires, once."""
    packed = (files(__package__) / "data" / "terminology.json.gz").read_bytes()
    content: dict[str, Any] = json.loads(gzip.decompress(packed))
    systems = {
        url: CodeSystem(
            url,
            one["name"],
            one["title"],
            dict(one["concepts"]),
            one["version"],
            one["content"] == "complete",
        )
        for url, one in content["systems"].items()
    }
    sets = {
        url: ValueSet(
            url,
            one["name"],
            one["title"],
            tuple((system, tuple(codes)) for system, codes in one["codes"]),
            one["version"],
        )
        for url, one in content["sets"].items()
    }
    return Terminology(systems, sets)


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of an expansion is asked for: words of the display or code, how many codes, from which."""

    words: str = ""
    count: int = MAX_CODES
    offset: int = 0


def expansion(known: Terminology, url: str, window: Window, now: Instant) -> bytes:
    """Write the value set with its codes (R4 $expand). Raises `NotFoundError`."""
    value_set = known.value_set(url)
    found = [one for one in known.codings(value_set) if _has_words(one, window.words)]
    shown = found[window.offset : window.offset + min(window.count, MAX_CODES)]
    contains = [{"system": one.system, "code": one.code, "display": one.display} for one in shown]
    stamp: dict[str, Any] = {"timestamp": instant_text(now), "total": len(found), "offset": window.offset}
    return msgspec.json.encode(
        {
            "resourceType": "ValueSet",
            "url": value_set.url,
            **({"version": value_set.version} if value_set.version else {}),
            "name": value_set.name,
            "title": value_set.title,
            "status": "active",
            "expansion": stamp | ({"contains": contains} if contains else {}),
        }
    )


def _has_words(coding: Coding, words: str) -> bool:
    """Say whether every word asked for begins a word of the display, or the code, whatever the case."""
    known = [coding.code.casefold(), *coding.display.casefold().split()]
    return all(any(one.startswith(word) for one in known) for word in words.casefold().split())


def in_set(known: Terminology, url: str, codes: list[Coding]) -> Coding | None:
    """Find the first of `codes` that a value set holds, with its words there.

    A code without system is found when one system of the set alone has it. Raises `NotFoundError`, and
    `RequestError` when several have it.
    """
    value_set = known.value_set(url)
    for one in codes:
        systems = [name for name, held in value_set.by_system.items() if one.code in held]
        if not one.system and len(systems) > 1:
            raise RequestError("terminology.system-missing")
        system = one.system or next(iter(systems), "")
        if system in systems:
            words = known.systems[system].concepts if system in known.systems else {}
            return Coding(system, one.code, words.get(one.code, one.code))
    return None


def in_system(known: Terminology, url: str, code: str) -> Coding | None:
    """Find a code in a code system. Raises `NotFoundError`, also when not all its codes are here."""
    system = known.code_system(url)
    if code in system.concepts:
        return Coding(url.partition("|")[0], code, system.concepts[code])
    if not system.complete:
        raise NotFoundError("terminology.no-code-system")
    return None


def verdict(found: Coding | None, display: str, message: str) -> bytes:
    """Write the answer of $validate-code. A display that is given must be the one of the code.

    `message` is said when the answer is no.
    """
    agrees = found is not None and display.casefold() in {"", found.display.casefold()}
    parameters: list[dict[str, Any]] = [{"name": "result", "valueBoolean": agrees}]
    if not agrees:
        parameters.append({"name": "message", "valueString": message})
    if found is not None:
        parameters.append({"name": "display", "valueString": found.display})
    return msgspec.json.encode({"resourceType": "Parameters", "parameter": parameters})

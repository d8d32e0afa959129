"""Value sets of the official package: which codes a binding allows, and what is said of each code.

Order: the package, expansion, the form of codes that no list can hold. Only what an R4 value set says by
listing is expanded here: filters, and systems that the package does not carry whole, are not.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
Coding = tuple[str, str]
"""A code system and a code."""

_SUBTAG = "[A-Za-z0-9]{1,8}"
_RESTRICTED = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
SYNTAX = {
    "mimetypes": rf"{_RESTRICTED}/{_RESTRICTED}(?: ?;(?: ?[^ \t\r\n])+)?",  # RFC 6838 section 4.2, parameters
    "bcp13.txt": rf"{_RESTRICTED}/{_RESTRICTED}(?: ?;(?: ?[^ \t\r\n])+)?",
    "all-languages": rf"(?:[A-Za-z]{{2,8}}|[xiXI])(?:-{_SUBTAG})*",  # RFC 5646 section 2.1
    "currencies": "[A-Z]{3}",  # ISO 4217
}
"""Bindings whose codes are a grammar or another body's list: the form that every code has."""


class NotListedError(Exception):
    """A value set that this package does not say by listing."""


@dataclass
class Package:
    """What the official package says of values: by canonical address."""

    value_sets: dict[str, Resource] = field(default_factory=dict)
    code_systems: dict[str, Resource] = field(default_factory=dict)

    @cached_property
    def codes(self) -> dict[str, list[Coding]]:
        """Give every code of every complete code system, in the order of the system."""
        return {
            url: [(url, one["code"]) for one in concepts(system)]
            for url, system in self.code_systems.items()
            if system["content"] == "complete"
        }

    def expanded(self, url: str) -> list[Coding]:
        """List the codes of a value set, in its order. Raises `NotListedError`."""
        value_set = self.value_sets.get(url)
        if value_set is None or "exclude" in value_set["compose"]:
            raise NotListedError(url)
        found = [coding for one in value_set["compose"]["include"] for coding in self._included(one)]
        return list(dict.fromkeys(found))

    def _included(self, include: Resource) -> list[Coding]:
        sets = [self.expanded(url.partition("|")[0]) for url in include.get("valueSet", [])]
        system = include.get("system", "")
        if "concept" in include:
            sets.insert(0, [(system, one["code"]) for one in include["concept"]])
        elif system:
            if "filter" in include or system not in self.codes:
                raise NotListedError(system)
            sets.insert(0, self.codes[system])
        first, *rest = sets
        return [coding for coding in first if all(coding in other for other in rest)]


def concepts(system: Resource) -> Iterator[Resource]:
    """Walk the concepts of a code system, each before those below it."""
    for concept in system.get("concept", []):
        yield concept
        yield from concepts(concept)


def read(package: Path) -> Package:
    """Read the value sets and code systems of the package."""
    found = Package()
    with tarfile.open(package) as archive:
        for member in archive:
            kind = re.match(r"package/(ValueSet|CodeSystem)-", member.name)
            content = archive.extractfile(member) if kind else None
            if kind is None or content is None:
                continue
            resource = json.load(content)
            if kind[1] == "ValueSet" and "compose" in resource:
                found.value_sets[resource["url"]] = resource
            elif kind[1] == "CodeSystem":
                found.code_systems[resource["url"]] = resource
    return found

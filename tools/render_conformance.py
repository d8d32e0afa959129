"""Write docs/reference/conformance.md: what the CapabilityStatement lists, type by type.

`python -m tools.render_conformance` writes the page; with `--check` it says whether the committed page is
what the server says today, exit code 1 when it is not.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from serment.api.abilities import statement
from serment.model import Instant
from tools.generated import kept

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "conformance.md"

OPENING = """# What is answered, type by type

This page is made by `python -m tools.render_conformance` from the statement that `GET /fhir/metadata` serves;
the build fails when it is old, and a test drives what the statement lists. How each works, and what is left
out on purpose and why, stands in [the FHIR door](fhir.md).
"""

CONDITIONAL = ("conditionalRead", "conditionalCreate", "conditionalUpdate", "conditionalDelete")
ABSENT = {"not-supported", "False"}


def _table(header: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"| {' | '.join(cells)} |" for cells in (header, tuple("---" for _ in header), *lines))
    yield ""


def _types(resources: list[dict[str, Any]], names: set[str]) -> str:
    """Say which types: all, all but a few, or those."""
    others = sorted(one["type"] for one in resources if one["type"] not in names)
    if not others:
        return f"all {len(resources)} types"
    few = ", ".join(f"`{name}`" for name in others)
    return few_of(names) if len(names) < len(others) else f"all {len(resources)} types but {few}"


def few_of(names: set[str]) -> str:
    """List names."""
    return ", ".join(f"`{name}`" for name in sorted(names))


def _interactions(rest: dict[str, Any]) -> Iterator[str]:
    by_code: dict[str, set[str]] = defaultdict(set)
    for one in rest["resource"]:
        for interaction in one["interaction"]:
            by_code[interaction["code"]].add(one["type"])
    yield "## Interactions\n"
    lines = [(f"`{code}`", _types(rest["resource"], names)) for code, names in by_code.items()]
    whole = [(f"`{one['code']}`", "the server") for one in rest["interaction"]]
    yield from _table(("interaction", "of"), lines + whole)


def _conditional(rest: dict[str, Any]) -> Iterator[str]:
    lines = []
    for member in CONDITIONAL:
        named = {one["type"] for one in rest["resource"] if str(one[member]) not in ABSENT}
        lines.append((f"`{member}`", _types(rest["resource"], named)))
    yield from _table(("on a condition", "of"), lines)


def _operations(rest: dict[str, Any]) -> Iterator[str]:
    by_name: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in rest["resource"]:
        for operation in one.get("operation", []):
            by_name[operation["name"], operation["definition"]].add(one["type"])
    yield "## Operations\n"
    lines = [(f"`${name}`", _types(rest["resource"], of), url) for (name, url), of in sorted(by_name.items())]
    yield from _table(("operation", "of", "definition"), lines)


def _parameters(rest: dict[str, Any]) -> Iterator[str]:
    """List the parameters of each type, those of all types once."""
    searched = [one for one in rest["resource"] if one.get("searchParam")]
    counted = Counter((each["name"], each["type"]) for one in searched for each in one["searchParam"])
    common = {pair for pair, count in counted.items() if count == len(searched)}
    yield "## Search parameters\n"
    yield f"Of every type that is searched: {_listed(common)}.\n"
    lines = []
    for one in searched:
        own = {(each["name"], each["type"]) for each in one["searchParam"]} - common
        lines.append((f"`{one['type']}`", _listed(own)))
    yield from _table(("type", "parameters"), lines)
    without = {one["type"] for one in rest["resource"]} - {one["type"] for one in searched}
    yield f"Without search parameters: {few_of(without)}."


def _listed(parameters: set[tuple[str, str]]) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in sorted(parameters))


def page() -> str:
    """Write the page from the statement."""
    [rest] = json.loads(statement("", Instant(0), ""))["rest"]
    parts = [OPENING, *_interactions(rest), *_conditional(rest), *_operations(rest), *_parameters(rest)]
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    raise SystemExit(kept({PAGE: page()}, sys.argv[1:]))

"""Build `serment/fhir/data/summary.json.gz` from the official R4 StructureDefinitions.

    npm pack hl7.fhir.r4.examples@4.0.1
    python tools/build_fhir_summary.py hl7.fhir.r4.examples-4.0.1.tgz

Resource type → member → flags, or `[flags, {member → flags}]` for an element that has children of its
own. A choice element stands under every name that it is written as. Flags: 1 mandatory, 2 modifier,
4 in the summary (ElementDefinition.min, .isModifier, .isSummary). Children are kept where the element
is in the summary. The output is the same bytes for the same input.
"""

from __future__ import annotations

import gzip
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "serment" / "fhir" / "data" / "summary.json.gz"
MANDATORY, MODIFIER, SUMMARY = 1, 2, 4

Element = dict[str, Any]


def structures(package: Path) -> list[Element]:
    """Read the definition of every concrete resource type."""
    found = []
    with tarfile.open(package) as tar:
        for member in tar:
            name = member.name.rpartition("/")[2]
            if name.startswith("StructureDefinition-") and (file := tar.extractfile(member)):
                found.append(json.load(file))
    return [
        one
        for one in found
        if one.get("kind") == "resource"
        and not one.get("abstract")
        and one.get("derivation") == "specialization"
    ]


def flags(element: Element) -> int:
    """Give the three marks of an element as one number."""
    mandatory = MANDATORY if element.get("min", 0) else 0
    modifier = MODIFIER if element.get("isModifier") else 0
    return mandatory | modifier | (SUMMARY if element.get("isSummary") else 0)


def names(element: Element) -> list[str]:
    """Give the JSON members that an element may be written as."""
    last = element["path"].rpartition(".")[2]
    if not last.endswith("[x]"):
        return [last]
    kinds = [kind["code"].rpartition(".")[2] for kind in element["type"]]
    return [last[:-3] + kind[0].upper() + kind[1:] for kind in dict.fromkeys(kinds)]


def members(elements: list[Element], parent: str) -> dict[str, Any]:
    """Give the members of one object, with those of its children."""
    shape: dict[str, Any] = {}
    for element in elements:
        if element["path"].rpartition(".")[0] != parent:
            continue
        marks = flags(element)
        below = members(elements, element["path"]) if marks & SUMMARY else {}
        for name in names(element):
            shape[name] = [marks, below] if below else marks
    return shape


def build(package: Path) -> dict[str, Any]:
    """Give resource type → members."""
    found = {one["type"]: members(one["snapshot"]["element"], one["type"]) for one in structures(package)}
    return dict(sorted(found.items()))


if __name__ == "__main__":
    text = json.dumps(build(Path(sys.argv[1])), separators=(",", ":"), sort_keys=True)
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))

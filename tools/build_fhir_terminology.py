"""Build `serment/fhir/data/terminology.json.gz`: the codes that FHIR R4 itself requires.

    npm pack hl7.fhir.r4.examples@4.0.1
    python -m tools.build_fhir_terminology hl7.fhir.r4.examples-4.0.1.tgz

Of the package (CC0, HL7): every value set that a required binding of a resource or data type names and
that lists its codes, and the code systems that they draw from. Codes and displays, no definitions. The
output is the same bytes for the same input.

- `systems`: address → `{name, title, version, content, concepts: [[code, display], …]}`, in their order;
  `content` is `fragment` when the package holds only what the value sets name of it (UCUM);
- `sets`: address → `{name, title, version, codes: [[system, [code, …]], …]}`; the display of a code is
  that of its system.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from tools import fhir_values
from tools.build_fhir_schema import read_definitions

TARGET = Path(__file__).resolve().parents[1] / "serment" / "fhir" / "data" / "terminology.json.gz"


def main() -> None:
    package = Path(sys.argv[1])
    values = fhir_values.read(package)
    sets = {url: codes for url in bound(read_definitions(package)) if (codes := listed(values, url))}
    systems = sorted({system for codes in sets.values() for system, _ in codes})
    output = {
        "systems": {one: system_of(values, one, list(sets)) for one in systems},
        "sets": {url: set_of(values.value_sets[url], codes) for url, codes in sorted(sets.items())},
    }
    compact = json.dumps(output, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    TARGET.write_bytes(gzip.compress(compact, 9, mtime=0))
    print(f"{len(output['systems'])} systems, {len(output['sets'])} sets, {TARGET.stat().st_size} bytes")


def bound(definitions: dict[str, Any]) -> list[str]:
    """List the value sets of the required bindings."""
    bindings = (
        element.get("binding", {})
        for definition in definitions.values()
        for element in definition["snapshot"]["element"]
    )
    found = {
        one.get("valueSet", "").partition("|")[0] for one in bindings if one.get("strength") == "required"
    }
    return sorted(found - {""})


def listed(values: fhir_values.Package, url: str) -> list[fhir_values.Coding]:
    """List the codes of a value set; none when it does not say them by listing."""
    try:
        return values.expanded(url)
    except fhir_values.NotListedError:
        return []


def system_of(values: fhir_values.Package, url: str, sets: list[str]) -> dict[str, Any]:
    if url in values.codes:
        system = values.code_systems[url]
        named, content, found = _named(system), "complete", list(fhir_values.concepts(system))
    else:
        named, content = {"name": "", "title": url, "version": ""}, "fragment"
        included = (one for value_set in sets for one in values.value_sets[value_set]["compose"]["include"])
        found = [two for one in included if one.get("system") == url for two in one.get("concept", [])]
    concepts = {one["code"]: one.get("display", one["code"]) for one in found}
    return {**named, "content": content, "concepts": list(concepts.items())}


def set_of(value_set: dict[str, Any], codes: list[fhir_values.Coding]) -> dict[str, Any]:
    by_system: dict[str, list[str]] = {}
    for system, code in codes:
        by_system.setdefault(system, []).append(code)
    return {**_named(value_set), "codes": list(by_system.items())}


def _named(resource: dict[str, Any]) -> dict[str, str]:
    title = resource.get("title", resource["name"])
    return {"name": resource["name"], "title": title, "version": resource.get("version", "")}


if __name__ == "__main__":
    main()

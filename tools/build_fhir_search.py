"""Write the search data of `serment.fhir` from the official FHIR R4 4.0.1 definitions.

    python tools/build_fhir_search.py PATH_TO_TGZ

PATH_TO_TGZ is the npm package hl7.fhir.r4.examples 4.0.1 (CC0). Two files come out in
`serment/fhir/data/`:

- `search-parameters.json.gz`: resource type → code → [parameter type, id of the official definition,
  expression (this type's branches only), paths, target types].
- `compartments.json`: resource type → codes that put a resource in a patient's compartment.

A *path* is one branch of the expression with every choice already made, because the
StructureDefinitions are at hand here and not at run time: `[json path, element type, argument]`, for
instance `(Observation.value as Quantity)` → `["valueQuantity", "Quantity", ""]` and
`Observation.effective` → four paths. A step may carry `[name=value]` (from `where`) or `[0]`. The
argument is the type asked by `where(resolve() is T)` for a reference, the code systems of the
required binding (joined by blanks) for a `code`, and nothing otherwise.

Left out, and told on the way: parameters whose id starts with `example`, those without base or
expression, those on extensions, and `filter`.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "serment" / "fhir" / "data"

SUITS = {
    "token": {
        "code",
        "Coding",
        "CodeableConcept",
        "Identifier",
        "ContactPoint",
        "boolean",
        "string",
        "id",
        "uri",
    },
    "date": {"date", "dateTime", "instant", "Period", "Timing"},
    "string": {"string", "markdown", "HumanName", "Address"},
    "reference": {"Reference", "canonical", "uri", "Resource"},
    "uri": {"uri", "url", "canonical", "oid"},
    "number": {"integer", "decimal", "positiveInt", "unsignedInt", "Range"},
    "quantity": {"Quantity", "Money", "Range", "SampledData"},
}
QUANTITIES = {"Age", "Duration", "Distance", "Count", "SimpleQuantity", "MoneyQuantity"}
STRINGS = {"http://hl7.org/fhirpath/System.String": "string"}

Definitions = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class Step:
    """Where a walk along an expression stands: JSON path so far, definition path, type, argument."""

    json: str
    at: str
    type: str
    argument: str = ""


def read(package: Path) -> dict[str, dict[str, Any]]:
    """Read the definitions that matter: name of the file without `.json` → resource."""
    wanted = re.compile(
        r"package/((SearchParameter|CompartmentDefinition|StructureDefinition|ValueSet)-.*)\.json"
    )
    found = {}
    with tarfile.open(package) as tar:
        for member in tar:
            match = wanted.fullmatch(member.name)
            if match and (file := tar.extractfile(member)):
                found[match[1]] = json.load(file)
    return found


def structures(resources: dict[str, dict[str, Any]]) -> Definitions:
    """Give type → path → element, for every type of R4 itself (no profile)."""
    return {
        r["type"]: {e["path"]: e for e in r["snapshot"]["element"]}
        for r in resources.values()
        if r["resourceType"] == "StructureDefinition" and r.get("derivation") != "constraint"
    }


def systems(resources: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Give value set → the code systems that it draws from, joined by blanks."""
    return {
        r["url"]: " ".join(
            sorted({i["system"] for i in r.get("compose", {}).get("include", []) if "system" in i})
        )
        for r in resources.values()
        if r["resourceType"] == "ValueSet"
    }


class Walk:
    """Follows expressions through the definitions."""

    def __init__(self, types: Definitions, bindings: dict[str, str]) -> None:
        self.types = types
        self.bindings = bindings

    def paths(self, branch: str, parameter_type: str) -> list[list[str]]:
        """Give the `[json path, element type, argument]` of one branch of a union."""
        if branch == "Patient.deceased.exists() and Patient.deceased != false":
            return [["", "$deceased", ""]]  # of the whole resource: false when nothing is written
        found = []
        for step in self.walk(branch):
            kind = "Quantity" if step.type in QUANTITIES else STRINGS.get(step.type, step.type)
            if kind in SUITS.get(parameter_type, ()):
                found.append([step.json, kind, step.argument])
        return found

    def walk(self, branch: str) -> list[Step]:
        """Walk one branch; the answer holds one step for each concrete JSON path."""
        text = re.sub(r"^\((\S+) as (\w+)\)", r"\1.ofType(\2)", branch)
        text = re.sub(r"\.as\(", ".ofType(", re.sub(r"^(\S+) as (\w+)$", r"\1.ofType(\2)", text))
        names = re.findall(r"\w+\([^()]*(?:\(\)[^()]*)?\)|\w+(?:\[\d+\])?", text)
        if ".".join(names) != text:
            raise ValueError(f"no way to read the branch {branch}")
        here = [Step("", names[0], names[0])]
        for name in names[1:]:
            here = [after for step in here for after in self.one(step, name)]
        return here

    def one(self, step: Step, name: str) -> Iterator[Step]:
        """Take one step of an expression."""
        if asked := re.fullmatch(r"ofType\((\w+)\)", name):
            if step.type == asked[1]:
                yield step
        elif asked := re.fullmatch(r"where\(resolve\(\) is (\w+)\)", name):
            yield replace(step, argument=asked[1])
        elif asked := re.fullmatch(r"where\((\w+)='([^']*)'\)", name):
            yield replace(step, json=f"{step.json}[{asked[1]}={asked[2]}]")
        elif re.fullmatch(r"\w+(\[\d+\])?", name):
            yield from self.child(step, name)
        else:
            raise ValueError(f"no way to take the step {name}")

    def child(self, step: Step, name: str) -> Iterator[Step]:
        """Go to a named child; a choice `name[x]` gives one step for each of its types."""
        bare, bracket, rest = name.partition("[")
        elements, at = self.inside(step)
        dot = f"{step.json}." if step.json else ""
        if element := elements.get(f"{at}.{bare}"):
            for kind in element.get("type", [{"code": "BackboneElement"}]):
                path = f"{dot}{bare}{bracket}{rest}"
                yield Step(path, f"{at}.{bare}", kind["code"], self.binding(element, kind))
        elif element := elements.get(f"{at}.{bare}[x]"):
            for kind in element["type"]:
                code = kind["code"]
                yield Step(
                    f"{dot}{bare}{code[0].upper()}{code[1:]}",
                    f"{at}.{bare}[x]",
                    code,
                    self.binding(element, kind),
                )
        else:
            raise ValueError(f"{at}.{bare} is not an element")

    def inside(self, step: Step) -> tuple[dict[str, dict[str, Any]], str]:
        """Say in which definition, and below which path, the children of a step stand."""
        root = self.types[step.at.split(".")[0]]
        element = root.get(step.at, {})
        if reference := element.get("contentReference"):
            return root, reference[1:]
        if step.type in {"BackboneElement", "Element"} or "." not in step.at:
            return root, step.at
        return self.types[step.type], step.type

    def binding(self, element: dict[str, Any], kind: dict[str, Any]) -> str:
        bound = element.get("binding", {})
        if kind["code"] != "code" or bound.get("strength") != "required":
            return ""
        return self.bindings.get(bound["valueSet"].split("|")[0], "")


def branches(expression: str, base: str) -> list[str]:
    """Give the branches of a union that start at `base` (one definition omits it: InsurancePlan name)."""
    parts = [part.strip() for part in expression.split("|")]
    parts = [f"{base}.{part}" if re.fullmatch(r"[a-z]\w*", part) else part for part in parts]
    return [part for part in parts if re.match(rf"\(?{base}\b", part)]


def parameters(resources: dict[str, dict[str, Any]], walk: Walk) -> dict[str, dict[str, list[Any]]]:
    """Give resource type → code → [type, definition, expression, paths, targets]."""
    table: dict[str, dict[str, list[Any]]] = {}
    for parameter in resources.values():
        if parameter["resourceType"] != "SearchParameter" or parameter["id"].startswith("example"):
            continue
        expression = parameter.get("expression", "")
        for base in parameter.get("base", []):
            mine = branches(expression, base)
            kind = parameter["type"]
            if not mine or any("xtension(" in part for part in mine):
                print(f"left out: {base} {parameter['code']} ({kind}) {expression[:60]}")
                continue
            paths = (
                []
                if kind in {"composite", "special"}
                else [p for part in mine for p in walk.paths(part, kind)]
            )
            if not paths and kind not in {"composite", "special"}:
                print(f"no path: {base} {parameter['code']} ({kind}) {mine}")
                continue
            unique = [json.loads(p) for p in dict.fromkeys(json.dumps(p) for p in paths)]
            row = [kind, parameter["id"], " | ".join(mine), unique, sorted(parameter.get("target", []))]
            if table.setdefault(base, {}).setdefault(parameter["code"], row) is not row:
                raise ValueError(f"{base} {parameter['code']} is defined twice")
    return table


def concrete(types: Definitions, resources: dict[str, dict[str, Any]]) -> list[str]:
    """List the concrete resource types."""
    return sorted(
        r["type"]
        for r in resources.values()
        if r["resourceType"] == "StructureDefinition"
        and r["kind"] == "resource"
        and r.get("derivation") == "specialization"
        and not r["abstract"]
        and r["type"] in types
    )


def compact(table: dict[str, dict[str, list[Any]]], names: list[str]) -> dict[str, Any]:
    """Write "any resource type" as `*` and sort, so that a rebuild gives the same bytes."""
    for rows in table.values():
        for row in rows.values():
            row[4] = ["*"] if set(names) <= set(row[4]) else row[4]
    ordered = {base: dict(sorted(rows.items())) for base, rows in sorted(table.items())}
    return {"types": names, "parameters": ordered}


def compartment(resources: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Give the patient compartment: resource type → parameter codes."""
    patient = resources["CompartmentDefinition-patient"]
    return {r["code"]: r["param"] for r in patient["resource"] if r.get("param")}


def main() -> None:
    resources = read(Path(sys.argv[1]))
    types = structures(resources)
    table = parameters(resources, Walk(types, systems(resources)))
    data = compact(table, concrete(types, resources))
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    (DATA / "search-parameters.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(compartment(resources).items())]
    (DATA / "compartments.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    print(f"{len(data['types'])} types, {sum(map(len, table.values()))} parameters")


if __name__ == "__main__":
    main()

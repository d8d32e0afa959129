"""Rules of R4 that compare values with each other: the few that the schema cannot say.

| rule | where | what it keeps from being read wrongly |
|---|---|---|
| per-1 | every Period | a period that ends before it begins |
| rng-2 | every Range | bounds the wrong way round |
| obs-7 | Observation | the same code twice, in the value and in a component |
| ref-1 | every Reference | a fragment that leads to nothing inside |
| dom-3 | DomainResource | a contained resource that nothing points to, which no reader would show |
| mdd-1 | MedicationDispense | handed over before it was prepared |
| inv-1 | Task | changed before it was written |
| bdl-7 | Bundle | one version of one resource twice |
| txt-1, txt-2 | Narrative | see `narrative` |

Instants are ranges (`2024-03` is a month): only what is certainly out of order is refused, as FHIRPath
leaves the comparison of two precisions open. Times without a zone are days, which may overlap in fact.
Order: one resource, one node, the rules. A resource inside a bundle is a resource of its own; one that
is contained belongs to what contains it (`%rootResource`). A fault says where, never what.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

from serment.fhir import dates
from serment.fhir.narrative import fault_of

Node = dict[str, Any]
Fault = tuple[str, str]
"""The FHIRPath of an element, and the key of an invariant or (with a point) the id of a sentence."""

_DAY: Final = 86_400_000
MARKS: Final = frozenset({"end", "low", "div"})
"""Members that a rule on single objects looks at."""
_OF_RESOURCES: Final = frozenset({"contained", "component", "whenHandedOver", "lastModified"})
_HOLDERS: Final = frozenset({"Bundle", "Parameters"})
_FRAGMENTS: Final = re.compile(r'"#([^"]*)"')


def breaks(node: Node) -> bool:
    """Say whether one object breaks a rule on single objects; only one that has a member of `MARKS` can."""
    return _of_node(node) is not None


def concerns(resource: Node, text: str) -> bool:
    """Say whether a rule on whole resources may be broken by this one, whose text is given.

    Fast and never wrong when it says no, provided no object of it `breaks` a rule.
    """
    fragments = '"#' in text or "\\u0023" in text
    if resource["resourceType"] in _HOLDERS:
        return True
    if not fragments and _OF_RESOURCES.isdisjoint(resource):
        return False
    inner = [one for _, one in _contained(resource, "")]
    ids = {one.get("id") for one in inner}
    pointed = set(_FRAGMENTS.findall(text)) if fragments else set()
    if "\\u0023" in text or ids != pointed - {""} or len(ids) != len(inner):
        return True
    return any(True for one in (resource, *inner) for _ in _typed(one, ""))


def faults(resource: Node, path: str) -> Iterator[Fault]:
    """Walk one resource, its contained ones with it; the resources inside a bundle are left to the caller."""
    nodes = list(_nodes(resource, path))
    for place, node in nodes:
        fault = _of_node(node)
        if fault is not None:
            yield place + fault[0], fault[1]
    yield from _of_fragments(resource, nodes, path)
    for place, inner in [(path, resource), *_contained(resource, path)]:
        yield from _typed(inner, place)


def _typed(resource: Node, path: str) -> Iterator[Fault]:
    """Apply the rules of one type."""
    rule = _OF_TYPE.get(str(resource.get("resourceType", "")))
    if rule is not None:
        yield from rule(resource, path)


def _contained(resource: Node, path: str) -> Iterator[tuple[str, Node]]:
    inner = resource.get("contained")
    for index, one in enumerate(inner if isinstance(inner, list) else ()):
        if isinstance(one, dict):
            yield f"{path}.contained[{index}]", one


def _nodes(resource: Node, path: str) -> Iterator[tuple[str, Node]]:
    """Walk every object, but not into a resource that stands on its own (of an entry, of a parameter)."""
    waiting = [(path, resource)]
    while waiting:
        place, node = waiting.pop()
        yield place, node
        for name, child in node.items():
            if type(child) is dict:
                if "resourceType" not in child:
                    waiting.append((f"{place}.{name}", child))
            elif type(child) is list:
                waiting += [
                    (f"{place}.{name}[{index}]", one)
                    for index, one in enumerate(child)
                    if type(one) is dict and (name == "contained" or "resourceType" not in one)
                ]


def _of_node(node: Node) -> Fault | None:
    """Give the first rule that one object breaks, with the path below it."""
    if "end" in node and "resourceType" not in node and _is_before(node["end"], node.get("start")):
        return "", "per-1"
    if "low" in node and "high" in node and _is_reversed(node["low"], node["high"]):
        return "", "rng-2"
    div = node.get("div")
    if isinstance(div, str):
        fault = fault_of(div)
        return (".div", fault) if fault else None
    return None


def _is_before(one: Any, other: Any) -> bool:
    """Say whether one instant is certainly before the other. What is not a date is another rule's fault."""
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    if len(one) == len(other) and one[19:] == other[19:]:  # the same precision and zone: order of text
        return one < other
    try:
        (_, end), (start, _) = dates.parse(one), dates.parse(other)
    except ValueError:
        return False
    # A day has no zone: against a time it may lie fourteen hours either side.
    slack = _DAY if ("T" in one) != ("T" in other) else 0
    return end + slack <= start


def _is_reversed(low: Any, high: Any) -> bool:
    """Compare two quantities of one unit; of two units nothing is said."""
    if not isinstance(low, dict) or not isinstance(high, dict):
        return False
    units = [[one.get(name) for name in ("unit", "system", "code")] for one in (low, high)]
    least, most = low.get("value"), high.get("value")
    if units[0] != units[1] or not isinstance(least, int | Decimal) or not isinstance(most, int | Decimal):
        return False
    return bool(least > most)


def _of_fragments(resource: Node, nodes: list[tuple[str, Node]], path: str) -> Iterator[Fault]:
    """Hold fragments and contained resources together: ref-1, dom-3."""
    contained = list(_contained(resource, path))
    ids = {str(one.get("id")) for _, one in contained}
    pointed: set[str] = set()
    for place, node in nodes:
        for value in _texts(node):
            if value.startswith("#"):
                pointed.add(value[1:])
        reference = node.get("reference")
        if isinstance(reference, str) and reference.startswith("#") and reference[1:] not in {"", *ids}:
            yield f"{place}.reference", "ref-1"
    for place, one in contained:
        if one.get("id") not in pointed and not _points_up(nodes, place):
            yield place, "dom-3"


def _points_up(nodes: list[tuple[str, Node]], place: str) -> bool:
    """Say whether a contained resource names its container: `#` alone (Provenance, AuditEvent)."""
    return any(at.startswith(place) and "#" in _texts(node) for at, node in nodes)


def _texts(node: Node) -> list[str]:
    """Give the texts that stand directly in an object, lists included."""
    found: list[str] = []
    for value in node.values():
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list):
            found += [item for item in value if isinstance(item, str)]
    return found


def _observation(resource: Node, path: str) -> Iterator[Fault]:
    valued = any(name.removeprefix("_").startswith("value") for name in resource)
    codes = _codings(resource)
    components = resource.get("component")
    for index, component in enumerate(components if isinstance(components, list) else ()):
        if valued and any(coding in codes for coding in _codings(component)):
            yield f"{path}.component[{index}].code", "obs-7"


def _codings(node: Any) -> list[Any]:
    code = node.get("code") if isinstance(node, dict) else None
    codings = code.get("coding") if isinstance(code, dict) else None
    return codings if isinstance(codings, list) else []


def _dispense(resource: Node, path: str) -> Iterator[Fault]:
    if _is_before(resource.get("whenHandedOver"), resource.get("whenPrepared")):
        yield path, "mdd-1"


def _task(resource: Node, path: str) -> Iterator[Fault]:
    if _is_before(resource.get("lastModified"), resource.get("authoredOn")):
        yield path, "inv-1"


def _bundle(resource: Node, path: str) -> Iterator[Fault]:
    entries = resource.get("entry")
    if resource.get("type") == "history" or not isinstance(entries, list):
        return
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("fullUrl"), str):
            continue
        inner = entry.get("resource")
        meta = inner.get("meta") if isinstance(inner, dict) else None
        version = str(meta.get("versionId", "")) if isinstance(meta, dict) else ""
        if (entry["fullUrl"], version) in seen:
            yield f"{path}.entry[{index}]", "bdl-7"
        seen.add((entry["fullUrl"], version))


_OF_TYPE: Final[dict[str, Callable[[Node, str], Iterator[Fault]]]] = {
    "Observation": _observation,
    "MedicationDispense": _dispense,
    "Task": _task,
    "Bundle": _bundle,
}

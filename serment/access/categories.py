"""What an item is: category, document type and labels, worked out once, when it is written.

In this order: the two tables (`categories.csv`: type, element, code → category; `sensitive.csv`: code
→ label), `classify`, the reading of `meta.security`, `lowers`. Labels only ever add: a code that
an item carries makes it more protected, never less. What no rule names is `unmapped` with the label V,
and whoever calls counts it.

A Patient and a RelatedPerson are `identity` here; the half that holds telecom, address, contact and
photo is stored under `contact` by the room that cuts them (HOUSE section 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from serment.access import tables
from serment.access.policy import shipped_tables
from serment.errors import NotSupportedError
from serment.model import Category, Label

Resource = Mapping[str, Any]

CONFIDENTIALITY: Final = frozenset(
    {"http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "urn:oid:2.16.840.1.113883.5.25"}
)
FRENCH_MASKS: Final = frozenset(
    {
        "urn:oid:1.2.250.1.213.1.1.4.13",
        "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
    }
)
SENSITIVITY: Final = frozenset({"http://terminology.hl7.org/CodeSystem/v3-ActCode"})
OURS: Final = "urn:serment:label"
ALLEGED_AUTHOR: Final = "urn:serment:alleged-author"
"""Extension that names who is said to have done harm: what carries it is a report of abuse (`SDV`)."""

PURPOSES: Final = frozenset({"http://terminology.hl7.org/CodeSystem/v3-ActReason"})
"""Codes of this system are purposes or test marks, not protections: they are kept and add nothing."""

GRADES: Final = {"U": Label.NORMAL, "L": Label.NORMAL, "M": Label.NORMAL, "N": Label.NORMAL}
MASKS: Final = {
    "INVISIBLE_PATIENT": Label.INVISIBLE_PATIENT,
    "INVISIBLE_REPRESENTANTS_LEGAUX": Label.MINOR_SECRET,
    "INVISIBLE_REP_LEGAUX": Label.MINOR_SECRET,
    "MASQUE_PS": Label.MASKED,
}
SENSITIVE: Final = {
    "GDIS": Label.GENETIC,
    "PSY": Label.PSYCHIATRY,
    "PSYTHPN": Label.PSYCHIATRY,
    "MH": Label.PSYCHIATRY,
    "BH": Label.PSYCHIATRY,
    "HIV": Label.HIV,
    "STD": Label.SEXUALITY,
    "SEX": Label.SEXUALITY,
    "ETH": Label.SUBSTANCE_ABUSE,
    "ETHUD": Label.SUBSTANCE_ABUSE,
    "OPIOIDUD": Label.SUBSTANCE_ABUSE,
    "SUD": Label.SUBSTANCE_ABUSE,
    "SDV": Label.VIOLENCE,
    "DVD": Label.VIOLENCE,
}

STRENGTH: Final = {Label.NORMAL: 0, Label.RESTRICTED: 1, Label.VERY_RESTRICTED: 2}


class Classified(NamedTuple):
    """What an item is. `labels` always holds one confidentiality grade (N, R or V), first."""

    category: Category
    document_type: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the category table; `element` empty means by type alone."""

    element: str
    system: str
    code: str
    category: Category
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CategoryTable:
    """The compiled tables: rules by resource type, document types, codes that add a label."""

    rules: Mapping[str, tuple[Rule, ...]]
    documents: Mapping[str, str]
    sensitive: Mapping[str, tuple[tuple[str, str], ...]]

    @classmethod
    def from_tables(cls, texts: Mapping[str, str]) -> CategoryTable:
        """Compile the tables; rules of a type keep the order of the file."""
        rules: dict[str, list[Rule]] = {}
        for row in tables.rows(texts["categories.csv"]):
            rule = Rule(
                row["element"],
                row["system"],
                row["code"],
                Category(row["category"]),
                tuple(row["labels"].split()),
            )
            rules.setdefault(row["type"], []).append(rule)
        types = tables.document_types(texts["document-types.csv"])
        sensitive: dict[str, tuple[tuple[str, str], ...]] = {}
        for row in tables.rows(texts["sensitive.csv"]):
            sensitive[row["system"]] = (*sensitive.get(row["system"], ()), (row["code"], row["label"]))
        documents = {code: known.dmp_class for code, known in types.items()}
        return cls({name: tuple(found) for name, found in rules.items()}, documents, sensitive)


@cache
def shipped_table() -> CategoryTable:
    """Compile the tables that come with Serment, once."""
    return CategoryTable.from_tables(shipped_tables())


def classify(
    resource: Resource, labels: Iterable[str] = (), table: CategoryTable | None = None
) -> Classified:
    """Say the category, document type and labels of a resource.

    `labels` are those that the depositor states beside the resource; they only add. AuditEvent
    raises `NotSupportedError`: the trace is the ledger, and nobody writes it from outside.
    """
    table = table or shipped_table()
    kind = str(resource.get("resourceType", ""))
    if kind == "AuditEvent":
        raise NotSupportedError("access.audit-event")
    category, document_type, found = _mapped(resource, kind, table)
    stated = {*found, *labels, *_security(resource), *_by_code(resource, table)}
    return Classified(category, document_type, _ordered(stated))


def classify_with(
    resource: Resource, target: Classified, labels: Iterable[str] = (), table: CategoryTable | None = None
) -> Classified:
    """Say what an item is that follows another: a Provenance its target, a Binary its document.

    It takes the category, document type and every label of the target; its own labels only add.
    """
    table = table or shipped_table()
    stated = {*target.labels, *labels, *_security(resource), *_by_code(resource, table)}
    return Classified(target.category, target.document_type, _ordered(stated))


def _mapped(resource: Resource, kind: str, table: CategoryTable) -> tuple[Category, str, tuple[str, ...]]:
    document = _document_type(resource, kind, table)
    rule = _rule(resource, table.rules.get(kind, ()))
    if rule is not None and rule.element:
        return rule.category, document or kind, rule.labels
    if document and table.documents[document]:
        return Category(table.documents[document]), document, ()
    if rule is not None:
        return rule.category, document or kind, rule.labels
    return Category.UNMAPPED, document or kind, (Label.VERY_RESTRICTED,)


def _document_type(resource: Resource, kind: str, table: CategoryTable) -> str:
    """Give the JDV_J07 code of a document, "" for a plain resource or an unknown type."""
    if kind not in {"DocumentReference", "Composition"}:
        return ""
    return next((code for _, code in _codings(resource.get("type")) if code in table.documents), "")


def _rule(resource: Resource, rules: tuple[Rule, ...]) -> Rule | None:
    """Give the first rule that fits: those by code come before the one by type alone."""
    found: dict[str, list[tuple[str, str]]] = {}
    for rule in rules:
        if not rule.element:
            continue
        if rule.element not in found:
            found[rule.element] = _codings(resource.get(rule.element))
        for system, code in found[rule.element]:
            if code == rule.code and rule.system in {"", system}:
                return rule
    return next((rule for rule in rules if not rule.element), None)


def _codings(value: object) -> list[tuple[str, str]]:
    """List the (system, code) pairs of a code, Coding, CodeableConcept, or a list of them."""
    found: list[tuple[str, str]] = []
    if value is not None:
        _add_codings(value, found)
    return found


def _add_codings(value: object, found: list[tuple[str, str]]) -> None:
    if isinstance(value, str):
        found.append(("", value))
    elif isinstance(value, list):
        for part in value:
            _add_codings(part, found)
    elif isinstance(value, dict):
        code = value.get("code")
        if isinstance(code, str):
            found.append((str(value.get("system", "")), code))
        for name in _INNER:
            if name in value:
                _add_codings(value[name], found)


_INNER: Final = ("coding", "concept")

CODED: Final = (
    "code",
    "type",
    "category",
    "reasonCode",
    "medicationCodeableConcept",
    "vaccineCode",
    "valueCodeableConcept",
    "condition",
    "serviceType",
)
"""Elements whose codes may add a label; `condition` is that of FamilyMemberHistory."""


def _by_code(resource: Resource, table: CategoryTable) -> Iterator[str]:
    """Give the labels that the codes of an item add, and that of a report that names who did harm."""
    if any(
        one.get("url") == ALLEGED_AUTHOR for one in resource.get("extension") or () if isinstance(one, dict)
    ):
        yield Label.VIOLENCE
    for element in CODED:
        for system, code in _codings(resource.get(element)):
            for pattern, label in table.sensitive.get(system, ()):
                if _fits(code, pattern):
                    yield label


def _fits(code: str, pattern: str) -> bool:
    return code.startswith(pattern[:-1]) if pattern.endswith("*") else code == pattern


def _security(resource: Resource) -> Iterator[str]:
    """Read `meta.security`, and `securityLabel` of a document."""
    meta = resource.get("meta")
    marks = [meta.get("security", [])] if isinstance(meta, Mapping) else []
    for system, code in _codings([*marks, resource.get("securityLabel", [])]):
        label = _label(system, code)
        if label is not None:
            yield label


def _label(system: str, code: str) -> str | None:
    """Translate one security code; one that we do not know is V, the most protected."""
    if system in CONFIDENTIALITY:
        return GRADES.get(code, Label.RESTRICTED if code == "R" else Label.VERY_RESTRICTED)
    if system in FRENCH_MASKS or code in MASKS:
        return MASKS.get(code, Label.VERY_RESTRICTED)
    if system in SENSITIVITY:
        return SENSITIVE.get(code, Label.VERY_RESTRICTED)
    if system == OURS:
        return Label(code) if code in Label.__members__.values() else Label.VERY_RESTRICTED
    return None if system in PURPOSES else Label.VERY_RESTRICTED


def _ordered(stated: set[str]) -> tuple[str, ...]:
    """Keep the strongest grade, first, then the other labels in a fixed order; a synonym is folded."""
    known = {str(MASKS.get(label, label)) for label in stated}
    grade = max(known & STRENGTH.keys(), key=lambda label: STRENGTH[Label(label)], default=Label.NORMAL)
    return (str(grade), *sorted(known - {str(name) for name in STRENGTH}))


def labelled(labels: Iterable[str], label: str) -> tuple[str, ...]:
    """Add a label to those of an item, in the order in which classes hold them."""
    return _ordered({*labels, str(label)})


def lowers(old: Iterable[str], new: Iterable[str]) -> bool:
    """Tell whether going from `old` labels to `new` protects less (refused without a reason).

    Any label taken away lowers, and so does a weaker grade; no label at all counts as V.
    """
    before, after = _normal(old), _normal(new)
    return _strength(after) < _strength(before) or bool(before - after - {str(name) for name in STRENGTH})


def _normal(labels: Iterable[str]) -> set[str]:
    return {str(MASKS.get(label, label)) for label in labels} or {str(Label.VERY_RESTRICTED)}


def _strength(labels: set[str]) -> int:
    return max((STRENGTH[Label(label)] for label in labels if label in STRENGTH), default=0)

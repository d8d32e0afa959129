"""The CapabilityStatement: exactly what works (R4 capabilitystatement.html).

The search parameters listed are those that `query.parse` accepts, from the same table; a test holds
the two together. What rules an answer (`_count`, `_sort`, `_total`, `_summary`, `_elements`) is accepted
on every type; FHIR does not list it as a search parameter. Order: the statement, one resource type.
No clock is read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from serment.fhir import search
from serment.fhir.dates import instant_text
from serment.fhir.owner import DIRECTORY_TYPES
from serment.fhir.query_links import includes_of, revincludes_of
from serment.model import Instant

INTERACTIONS: Final = (
    "read",
    "vread",
    "history-instance",
    "history-type",
    "create",
    "update",
    "patch",
    "delete",
    "search-type",
)
NO_TYPE_HISTORY: Final = DIRECTORY_TYPES | {"Patient", "RelatedPerson"}
"""Types whose histories are read one item at a time: those in no record, and those that are cut in two."""
WHOLE_ONLY: Final = frozenset({"Binary"})
"""Types that are written whole: no patch."""
SYSTEM_INTERACTIONS: Final = ("transaction", "batch")
_SERVICES: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OAUTH_URIS: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
"""Where programs look that read no `.well-known/smart-configuration` (SMART App Launch 1.0)."""
_DEFINITIONS: Final = "http://hl7.org/fhir/SearchParameter/"
_NOTHING_LESS: Final[Mapping[str, frozenset[str]]] = {}
_ONLY_READ: Final[dict[str, Any]] = {
    "interaction": [{"code": "read"}, {"code": "search-type"}],
    "versioning": "no-version",
    "readHistory": False,
    "conditionalRead": "not-supported",
    "conditionalCreate": False,
    "conditionalUpdate": False,
    "conditionalDelete": "not-supported",
}
_OWN: Final[dict[str, Any]] = _ONLY_READ | {
    "interaction": [{"code": code} for code in ("read", "create", "update", "delete", "search-type")],
    "versioning": "versioned-update",
}
_NO_OPERATIONS: Final[Mapping[str, Mapping[str, str]]] = {}


def statement(
    software_version: str,
    when: Instant,
    url: str,
    types: Iterable[str],
    only: Mapping[str, frozenset[str]] = _NOTHING_LESS,
    unsearched: frozenset[str] = frozenset(),
    operations: Mapping[str, Mapping[str, str]] = _NO_OPERATIONS,
    read_only: frozenset[str] = frozenset(),
    own_only: frozenset[str] = frozenset(),
) -> bytes:
    """Write the statement as JSON.

    `when` is when this server's abilities last changed, `url` its FHIR address, `types` the resource types
    that it keeps; `only` narrows the search parameters of a type to the codes that its door answers;
    the types of `unsearched` are read and written, never searched; `operations` gives for a type the names
    (without `$`) and definitions of its operations; those of `read_only` are read by id and searched only; of
    `own_only` everybody writes, reads and lists their own.
    """
    rest = {
        "mode": "server",
        "security": {
            "description": "Bearer token; purpose of use in Serment-Purpose (v3 PurposeOfUse). "
            "A clinical search names one patient. What is hidden from a caller answers as if absent.",
            "service": [{"coding": [{"system": _SERVICES, "code": "SMART-on-FHIR"}]}],
            "extension": [{"url": _OAUTH_URIS, "extension": _endpoints(url.removesuffix("/fhir"))}],
        },
        "resource": [
            _resource(
                name,
                frozenset() if name in unsearched | own_only else only.get(name),
                operations.get(name, {}),
                searched=name not in unsearched,
            )
            | (_ONLY_READ if name in read_only else {})
            | (_OWN if name in own_only else {})
            for name in sorted(types)
        ],
        "interaction": [{"code": code} for code in SYSTEM_INTERACTIONS],
    }
    return msgspec.json.encode(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": instant_text(when),
            "kind": "instance",
            "software": {"name": "Serment", "version": software_version},
            "implementation": {"description": "Serment, a sealed and traced health record", "url": url},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json"],
            "rest": [rest],
        }
    )


def _endpoints(origin: str) -> list[dict[str, Any]]:
    return [
        {"url": name, "valueUri": f"{origin}/{name}"}
        for name in ("authorize", "token", "introspect", "revoke")
    ]


def _resource(
    name: str, only: frozenset[str] | None, operations: Mapping[str, str], *, searched: bool
) -> dict[str, Any]:
    """Say what works on one resource type."""
    found = search.searched(name)
    left_out = {"patch"} if name in WHOLE_ONLY else set()
    if not searched or name in NO_TYPE_HISTORY:
        left_out.add("history-type")
    if not searched:
        left_out.add("search-type")
    said: dict[str, Any] = {
        "type": name,
        "interaction": [{"code": code} for code in INTERACTIONS if code not in left_out],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": False,
        "conditionalRead": "full-support",
        "conditionalCreate": searched,
        "conditionalUpdate": searched,
        "conditionalDelete": "single" if searched else "not-supported",
    }
    if operations:
        said["operation"] = [{"name": code, "definition": url} for code, url in sorted(operations.items())]
    parameters = [
        {"name": code, "definition": _DEFINITIONS + found[code].definition, "type": found[code].type}
        for code in sorted(found)
        if only is None or code in only
    ]
    return said | {"searchParam": parameters, **_included(name)} if parameters else said


def _included(name: str) -> dict[str, Any]:
    """Say what a search of a type may bring with it."""
    brought = {"searchInclude": includes_of(name), "searchRevInclude": revincludes_of(name)}
    return {member: values for member, values in brought.items() if values}

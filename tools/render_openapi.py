"""Write `docs/reference/openapi.json` from the route table: `python -m tools.render_openapi`.

Each address is one route and each method one handler; its first line of documentation is the summary. What
FHIR says better (resources, search parameters) is left to `GET /fhir/metadata`. `--check` compares only.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from starlette.routing import Route

from serment import __version__
from serment.api import ROUTES, LogicalId, TypeName
from serment.api.abilities import READ_ONLY, served_types
from serment.fhir.patch import MEDIA_TYPE
from serment.model import EmergencyReason, Purpose
from tools.generated import kept

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "openapi.json"
FHIR = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
WELL_KNOWN = {"/fhir/.well-known/smart-configuration", "/.well-known/oauth-authorization-server"}
OAUTH = {"/token", "/introspect", "/revoke"}
"""The authorisation server: forms in, JSON out; a program proves itself in the form."""
OPEN = {"/livez", "/readyz", "/fhir/metadata"} | WELL_KNOWN | OAUTH
QUERY = {
    "name": "parameters",
    "in": "query",
    "style": "form",
    "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}


def _header(name: str, codes: Iterable[str]) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string", "enum": [str(one) for one in codes]}}


HEADERS = [
    {"$ref": "#/components/parameters/purpose"},
    {"$ref": "#/components/parameters/reason"},
]
RESOURCE = {
    "type": "object",
    "properties": {"resourceType": {"type": "string"}},
    "required": ["resourceType"],
}
OUTCOME = {
    "type": "object",
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
    "required": ["resourceType", "issue"],
}
COMPONENTS = {
    "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    "schemas": {
        "OperationOutcome": OUTCOME,
        "Patch": {"type": "array", "items": {"type": "object"}},
        "Resource": RESOURCE,
    },
    "parameters": {
        "purpose": _header("Serment-Purpose", Purpose),
        "reason": _header("Serment-Reason", EmergencyReason),
    },
    "responses": {
        "outcome": {
            "description": "What went wrong, as an OperationOutcome",
            "content": {FHIR: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}}},
        }
    },
}
BYTES = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
TEXT = {"text/plain": {"schema": {"type": "string"}}}
NEVER_FAILS = {"200": {"description": "As it says", "content": TEXT}}
HEALTH = {
    "/livez": NEVER_FAILS,
    "/readyz": NEVER_FAILS | {"503": {"description": "Not now", "content": TEXT}},
}
ASYNC = {"/$export/job": "application/json", "/$export/file": "application/fhir+ndjson"}
REFUSALS = ("400", "401", "403", "404", "406", "410", "413", "429", "500", "503", "507")
"""What any address may refuse with; docs/reference/http.md says when."""
WRITE_REFUSALS = ("405", "409", "412", "415", "422")


def handlers_of(route: Route) -> dict[str, Callable[..., Any]]:
    """Give the handlers of one address by method."""
    found: dict[str, Callable[..., Any]] = inspect.getclosurevars(route.endpoint).nonlocals["handlers"]
    return found


def _parameter(name: str, kind: str) -> dict[str, Any]:
    schemas: dict[str, dict[str, Any]] = {
        "int": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
        "logical": {"type": "string", "pattern": f"^{LogicalId.regex}$"},
        "type": {"type": "string", "pattern": f"^{TypeName.regex}$"},
    }
    known = sorted(served_types() | READ_ONLY)
    schema = {"type": "string", "enum": known} if kind == "other" else schemas[kind]
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _body(method: str, path: str) -> dict[str, Any]:
    """Say what a method takes: a form, a patch, a resource, or any bytes for a Binary."""
    resource = {"schema": {"$ref": "#/components/schemas/Resource"}}
    if path.endswith("/_search") or path in OAUTH:
        content: dict[str, Any] = {FORM: {"schema": QUERY["schema"]}}
    elif method == "PATCH":
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Patch"}}}
    else:
        content = {FHIR: resource}
        if path.startswith("/fhir/Binary"):
            content |= BYTES
    return {"required": True, "content": content}


def _answers(method: str, path: str) -> dict[str, Any]:
    """Say with which statuses and formats an address answers."""
    if path in HEALTH:
        return HEALTH[path]
    if path in OAUTH | WELL_KNOWN:
        refused = ("400", "401", "403", "413", "415") if path in OAUTH else ()
        said = {"content": {"application/json": {"schema": {"type": "object"}}}}
        return {one: {"description": "As its RFC says", **said} for one in ("200", *refused)}
    refusals = REFUSALS if method == "GET" else sorted({*REFUSALS, *WRITE_REFUSALS})
    answers = {one: {"$ref": "#/components/responses/outcome"} for one in refusals}
    if path.endswith("/$export"):
        return {"202": {"description": "Begun: `Content-Location` says where the manifest is"}, **answers}
    for status in _successes(method, path):
        answers[status] = {"description": "As FHIR R4 says", **_content(method, path)}
    if method == "GET" and path == "/fhir/Binary/{id:logical}":
        answers["416"] = answers["404"]
    return dict(sorted(answers.items()))


def _successes(method: str, path: str) -> tuple[str, ...]:
    if method == "GET" and path == "/fhir/Binary/{id:logical}":
        return "200", "206"
    creates = method == "POST" and path in {"/fhir/{type:other}", "/fhir/Binary"}
    return ("200", "201") if creates or (method, path) == ("PUT", "/fhir/{type:other}") else ("200",)


def _content(method: str, path: str) -> dict[str, Any]:
    """Say in what format an address answers what it was asked; a Binary is sent without an echo."""
    resource = {"schema": {"$ref": "#/components/schemas/Resource"}}
    if path.startswith("/fhir/Binary"):
        return {"content": {FHIR: resource} | BYTES} if method == "GET" else {}
    ends = next((media for end, media in ASYNC.items() if path.endswith(end)), FHIR)
    return {"content": {ends: resource if ends == FHIR else {"schema": {}}}}


def _operation(method: str, path: str, handler: Callable[..., Any]) -> dict[str, Any]:
    named = re.findall(r"\{([a-z]+):([a-z]+)\}", path)
    module = handler.__module__.rpartition(".")[2]
    fhir = path.startswith("/fhir")
    parameters = [_parameter(name, kind) for name, kind in named]
    if fhir and path not in OPEN:
        parameters += HEADERS
    if (fhir and method == "GET" and path not in WELL_KNOWN) or path == "/fhir/{type:other}":
        parameters.append(QUERY)
    said: dict[str, Any] = {
        "operationId": f"{module}.{handler.__name__} {method} {_plain(path)}",
        "summary": (inspect.getdoc(handler) or "").splitlines()[0],
        "parameters": parameters,
        "responses": _answers(method, path),
    }
    if method in {"POST", "PUT", "PATCH"}:
        said["requestBody"] = _body(method, path)
    return said | ({"security": []} if path in OPEN else {})


def _plain(path: str) -> str:
    """Give a path as OpenAPI writes it."""
    return re.sub(r"\{([a-z]+):[a-z]+\}", r"{\1}", path)


def page() -> str:
    """Write the description from the routes."""
    paths = {
        _plain(route.path): {
            method.lower(): _operation(method, route.path, handler)
            for method, handler in handlers_of(route).items()
        }
        for route in ROUTES
    }
    described = {
        "openapi": "3.1.0",
        "info": {
            "title": "Serment",
            "version": __version__,
            "description": "The programs' door: FHIR R4 in JSON. `GET /fhir/metadata` says which types, "
            "interactions and search parameters work.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": COMPONENTS,
    }
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    raise SystemExit(kept({PAGE: page()}, sys.argv[1:]))

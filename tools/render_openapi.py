"""Write `docs/reference/openapi.json` from the route table: `python -m tools.render_openapi`.

Each address is one route and each method one handler; its first line of documentation is the summary. What
FHIR says better (resources, search parameters) is left to `GET /fhir/metadata`. `--check` compares only.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.routing import Route

from serment import __version__
from serment.api import ROUTES, LogicalId, TypeName
from serment.api.abilities import READ_ONLY, served_types
from serment.fhir.patch import MEDIA_TYPE

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "openapi.json"
FHIR = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
OPEN = {"/livez", "/readyz", "/fhir/metadata"}
QUERY = {
    "name": "parameters",
    "in": "query",
    "style": "form",
    "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}
HEADERS = [
    {"$ref": "#/components/parameters/purpose"},
    {"$ref": "#/components/parameters/reason"},
]
RESOURCE = {
    "type": "object",
    "properties": {"resourceType": {"type": "string"}},
    "required": ["resourceType"],
}
COMPONENTS = {
    "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    "schemas": {"Resource": RESOURCE, "Patch": {"type": "array", "items": {"type": "object"}}},
    "parameters": {
        "purpose": {"name": "Serment-Purpose", "in": "header", "schema": {"type": "string"}},
        "reason": {"name": "Serment-Reason", "in": "header", "schema": {"type": "string"}},
    },
    "responses": {
        "outcome": {
            "description": "What went wrong, as an OperationOutcome",
            "content": {FHIR: {"schema": {"$ref": "#/components/schemas/Resource"}}},
        }
    },
}


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
    if path.endswith("/_search"):
        content: dict[str, Any] = {FORM: {"schema": QUERY["schema"]}}
    elif method == "PATCH":
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Patch"}}}
    else:
        content = {FHIR: resource}
        if path.startswith("/fhir/Binary"):
            content["*/*"] = {"schema": {"type": "string", "format": "binary"}}
    return {"required": True, "content": content}


def _operation(method: str, path: str, handler: Callable[..., Any]) -> dict[str, Any]:
    named = re.findall(r"\{([a-z]+):([a-z]+)\}", path)
    module = handler.__module__.rpartition(".")[2]
    fhir = path.startswith("/fhir")
    parameters = [_parameter(name, kind) for name, kind in named]
    if fhir and path != "/fhir/metadata":
        parameters += HEADERS
    if (fhir and method == "GET") or path == "/fhir/{type:other}":
        parameters.append(QUERY)
    said: dict[str, Any] = {
        "operationId": f"{module}.{handler.__name__} {method} {_plain(path)}",
        "summary": (inspect.getdoc(handler) or "").splitlines()[0],
        "parameters": parameters,
        "responses": {
            "2XX": {"description": "As FHIR R4 says"},
            "default": {"$ref": "#/components/responses/outcome"},
        },
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


def main(arguments: list[str]) -> int:
    """Write or check the page; the exit code says whether it was current."""
    text = page()
    if "--check" in arguments:
        current = PAGE.exists() and PAGE.read_text("utf-8") == text
        print("current" if current else f"{PAGE.name} is old: run python -m tools.render_openapi")
        return 0 if current else 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

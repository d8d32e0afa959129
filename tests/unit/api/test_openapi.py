"""The OpenAPI description says every address and method of the programs' door, and holds together."""

from __future__ import annotations

import json
import re
from typing import Any

from serment.api import ROUTES
from tools.render_openapi import page


def described() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(page())
    return made


def operations() -> list[dict[str, Any]]:
    return [one for methods in described()["paths"].values() for one in methods.values()]


def test_every_address_and_method_is_described() -> None:
    built = {
        (re.sub(r":[a-z]+\}", "}", route.path), method.lower())
        for route in ROUTES
        for method in (route.methods or set()) - {"HEAD"}
    }
    said = {(path, method) for path, methods in described()["paths"].items() for method in methods}
    assert said == built


def test_every_operation_has_a_name_of_its_own_and_a_sentence() -> None:
    names = [one["operationId"] for one in operations()]
    assert len(names) == len(set(names))
    assert all(one["summary"].endswith(".") for one in operations())


def test_every_part_of_an_address_is_a_parameter() -> None:
    for path, methods in described()["paths"].items():
        for one in methods.values():
            named = {part["name"] for part in one["parameters"] if part.get("in") == "path"}
            assert named == set(re.findall(r"\{([a-z]+)\}", path)), path


def test_every_reference_leads_somewhere() -> None:
    text, whole = page(), described()
    for found in set(re.findall(r'"#/([^"]+)"', text)):
        at: Any = whole
        for step in found.split("/"):
            at = at[step]
        assert at

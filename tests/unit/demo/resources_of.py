"""What the tests of the demonstration ask of a bundle."""

import json
from collections.abc import Iterator
from typing import Any

from serment.demo.patients import DemoPatient

Json = dict[str, Any]


def encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def resources_of(patient: DemoPatient, kind: str = "") -> list[Json]:
    resources = [entry["resource"] for entry in patient.bundle["entry"]]
    return [resource for resource in resources if kind in ("", resource["resourceType"])]


def entry(patient: DemoPatient, url: str) -> Json:
    return next(e["resource"] for e in patient.bundle["entry"] if e["fullUrl"] == url)


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)
    elif isinstance(value, str):
        yield value


def labels(resource: Json) -> list[str]:
    return [label["code"] for label in resource.get("meta", {}).get("security", [])]

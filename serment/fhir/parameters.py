"""Parameters: what an operation answers (R4 parameters.html). Order: one parameter, the resource. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

Parameter = dict[str, Any]


def value(name: str, kind: str, said: Any) -> Parameter:
    """Make a parameter of one value; `kind` is the choice element (`valueString`, `valueBoolean` …)."""
    return {"name": name, kind: said}


def parts(name: str, *inside: Parameter) -> Parameter:
    """Make a parameter of several parts."""
    return {"name": name, "part": list(inside)}


def written(*given: Parameter) -> bytes:
    """Write the resource; no member of it is empty."""
    said = {"parameter": list(given)} if given else {}
    return msgspec.json.encode({"resourceType": "Parameters", **said})

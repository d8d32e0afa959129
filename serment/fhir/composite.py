"""Parameters that are two others together, of one and the same element (R4 search.html#composite).

Two parts of the whole resource (`code` and `value-quantity` of an Observation) need nothing stored: both
are single there. Parts of a repeating member (`component`) are stored in pairs, one for each item, for a
code of one item and a value of another are no match. A `combo-` parameter is either. What is not in the
table (MolecularSequence mixes both) is refused. Order: the table, what is stored. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two parameters, the member whose items hold them, and the code under which its pairs are stored.

    `member` and `stored` are empty for two parts of the whole resource.
    """

    parts: tuple[str, str]
    member: str = ""
    stored: str = ""


def _inside(stored: str, member: str, one: str, two: str) -> tuple[Pairing, ...]:
    return (Pairing((one, two), member, stored),)


def _combo(value: str) -> tuple[Pairing, ...]:
    whole = Pairing(("code", f"value-{value}"))
    return (whole, *_component(value))


def _component(value: str) -> tuple[Pairing, ...]:
    return _inside(f"component-code-value-{value}", "component", "component-code", f"component-value-{value}")


_OBSERVATION: Final[dict[str, tuple[Pairing, ...]]] = {
    **{
        f"code-value-{kind}": (Pairing(("code", f"value-{kind}")),)
        for kind in ("concept", "date", "quantity", "string")
    },
    **{f"component-code-value-{kind}": _component(kind) for kind in ("concept", "quantity")},
    **{f"combo-code-value-{kind}": _combo(kind) for kind in ("concept", "quantity")},
}
_OF_TYPE: Final[dict[str, dict[str, tuple[Pairing, ...]]]] = {
    "Observation": _OBSERVATION,
    "DocumentReference": {
        "relationship": _inside("relationship", "relatesTo", "relatesto", "relation"),
    },
    "Group": {
        "characteristic-value": _inside("characteristic-value", "characteristic", "characteristic", "value"),
    },
}
_OF_CONTEXT: Final[dict[str, tuple[Pairing, ...]]] = {
    "context-type-quantity": _inside(
        "context-type-quantity", "useContext", "context-type", "context-quantity"
    ),
    "context-type-value": _inside("context-type-value", "useContext", "context-type", "context"),
}


@cache
def pairings(resource_type: str, code: str) -> tuple[Pairing, ...]:
    """Give the ways in which a composite parameter is met; none for one that is not answered."""
    return _OF_TYPE.get(resource_type, {}).get(code, ()) or _OF_CONTEXT.get(code, ())


def stored_pairing(resource_type: str, code: str) -> Pairing | None:
    """Give what is stored under the code of a composite itself, None when nothing is."""
    return next((one for one in pairings(resource_type, code) if one.stored == code), None)

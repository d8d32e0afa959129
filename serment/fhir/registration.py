"""A person as a desk registers them: five strict traits, the names they use, how to reach them. Pure.

The shape is that of FR Core (fr-core-patient): the birth list beside the first given name, the place of birth
by its INSEE code. No status is written: it follows from evidence (ADR 44). Order: who is written, how to
reach them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from serment.fhir.patch import Operation
from serment.fhir.patch import read as operations
from serment.identity import places, traits
from serment.identity.traits import Traits

_GENDERS = {sex: gender for gender, sex in traits.SEXES.items()}


@dataclass(frozen=True, slots=True)
class Reached:
    """How somebody is reached; "" for what they did not say."""

    phone: str = field(default="", repr=False)
    mail: str = field(default="", repr=False)
    line: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)
    city: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Registered:
    """Who is registered: strict traits as the register writes them, the names in use ("" for the same)."""

    strict: Traits = field(repr=False)
    used_name: str = field(default="", repr=False)
    used_given: str = field(default="", repr=False)
    reached: Reached = field(default=Reached(), repr=False)


def person(made: Registered) -> bytes:
    """Write a Patient."""
    strict = made.strict
    birth = {"url": traits.BIRTH_LIST, "valueString": strict.given}
    names: list[dict[str, Any]] = [
        {
            "use": "official",
            "extension": [birth],
            "family": strict.birth_name,
            "given": [strict.first_given],
        }
    ]
    if made.used_name or made.used_given:
        used = made.used_name or strict.birth_name
        names.append({"use": "usual", "family": used, "given": [made.used_given or strict.first_given]})
    place = {"system": places.SYSTEM, "code": strict.birth_place}
    address = {"extension": [{"url": traits.INSEE_CODE, "valueCoding": place}]}
    return msgspec.json.encode(
        {
            "resourceType": "Patient",
            "extension": [{"url": traits.BIRTH_PLACE, "valueAddress": address}],
            "active": True,
            "name": names,
            "gender": _GENDERS[strict.sex],
            "birthDate": strict.birth_date,
            **contact({}, made.reached),
        }
    )


def reached(patient: Mapping[str, Any]) -> Reached:
    """Read how somebody is reached: their first telephone, mail and home address."""
    telecom = _dicts(patient.get("telecom"))
    home = next(iter(_dicts(patient.get("address"))), {})
    lines = home.get("line", ())
    return Reached(
        _first(telecom, "phone"),
        _first(telecom, "email"),
        ", ".join(str(one) for one in lines),
        str(home.get("postalCode", "")),
        str(home.get("city", "")),
    )


def contact(patient: Mapping[str, Any], said: Reached) -> dict[str, Any]:
    """Give telecom and address with what was said in the place of the first of each; the others stay."""
    telecom = _dicts(patient.get("telecom"))
    for system, value, use in (("phone", said.phone, "mobile"), ("email", said.mail, "home")):
        telecom = _put(telecom, system, value, use)
    home, *others = _dicts(patient.get("address")) or [{}]
    given = {"line": [said.line] if said.line else [], "postalCode": said.postcode, "city": said.city}
    kept = {name: value for name, value in home.items() if name not in {*given, "text"}}
    written = {**({"use": "home"} if not home else kept), **{k: v for k, v in given.items() if v}}
    addresses = [*([written] if any(given.values()) else []), *others]
    return {
        **({"telecom": telecom} if telecom else {}),
        **({"address": addresses} if addresses else {}),
    }


def reaching(patient: Mapping[str, Any], said: Reached) -> Sequence[Operation]:
    """Change how somebody is reached and nothing else of them."""
    after = contact(patient, said)
    changes: list[dict[str, Any]] = []
    for name in ("telecom", "address"):
        if name in after:
            changes.append({"op": "add", "path": f"/{name}", "value": after[name]})
        elif name in patient:
            changes.append({"op": "remove", "path": f"/{name}"})
    return operations(msgspec.json.encode(changes)) if changes else ()


def _put(telecom: list[dict[str, Any]], system: str, value: str, use: str) -> list[dict[str, Any]]:
    """Put a value in the place of the first of a system, or at the end; "" takes the first away."""
    place = next((number for number, one in enumerate(telecom) if one.get("system") == system), None)
    if place is None:
        return [*telecom, {"system": system, "value": value, "use": use}] if value else telecom
    made = [{**telecom[place], "value": value}] if value else []
    return [*telecom[:place], *made, *telecom[place + 1 :]]


def _first(telecom: Sequence[Mapping[str, Any]], system: str) -> str:
    return next((str(one.get("value", "")) for one in telecom if one.get("system") == system), "")


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

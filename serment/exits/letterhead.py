"""Who writes and of whom, as papers show them: from the directory and from the record, both read and traced.

A professional whom the directory does not know writes under their name, their number and their structure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from serment.errors import SermentError
from serment.fhir.query import parse
from serment.fhir.summary import person_name
from serment.identity import ins, rpps, status
from serment.model import Actor, ActorKind
from serment.paper.people import Subject, Writer
from serment.record.asking import Asking
from serment.record.house import House
from serment.words import Language, catalogue, say

_NUMBERED: Final = "rpps:"


async def writer(house: House, asking: Asking) -> Writer:
    """Say who the asker is on paper. What the directory does not say is left out."""
    actor, language = asking.actor, asking.language
    number = number_of(actor)
    role, place = await _listed(house, asking, number) if number else ({}, {})
    return Writer(
        name=actor.name,
        title=_text(role.get("code")) or _profession(actor, language),
        number=number,
        structure=str(place.get("name", "")),
        address="\n".join(_addresses(place)),
        contact=" · ".join(_telecoms(place)),
        supervisor=await _named(house, asking, actor.supervisor or ""),
        replaces=await _named(house, asking, actor.replaces or ""),
    )


def subject(body: bytes, *, weight: str = "", height: str = "") -> Subject:
    """Say of whom a paper speaks, from a Patient as read; the matricule when the identity is qualified."""
    person = msgspec.json.decode(body)
    births = [name for name in person.get("name", []) if name.get("use") == "official"]
    numbers = ins.matricules(person) if status.may_leave(status.status(person)) else []
    return Subject(
        name=person_name(person),
        birth_name=person_name({"name": births[:1]}),
        born=str(person.get("birthDate", "")),
        sex=str(person.get("gender", "")),
        matricule=next((number for _, number in numbers), ""),
        weight=weight,
        height=height,
    )


def number_of(actor: Actor) -> str:
    """Give the RPPS number of a professional, "" for anybody else."""
    numbered = actor.kind is ActorKind.PROFESSIONAL and actor.id.startswith(_NUMBERED)
    return actor.id.removeprefix(_NUMBERED) if numbered else ""


async def _listed(house: House, asking: Asking, number: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Find the role of a professional and where they have it; nothing when the directory does not say."""
    pairs = [
        ("practitioner.identifier", f"{rpps.SYSTEM}|{number}"),
        ("_include", "PractitionerRole:organization"),
    ]
    try:
        page = await house.searching.directory(asking, parse("PractitionerRole", pairs))
    except SermentError:
        return {}, {}
    roles = [msgspec.json.decode(one.body) for one in page.served]
    places = [msgspec.json.decode(one.body) for one in page.included]
    role: dict[str, Any] = next(iter(roles), {})
    wanted = str(role.get("organization", {}).get("reference", ""))
    return role, next((one for one in places if f"Organization/{one.get('id')}" == wanted), {})


async def _named(house: House, asking: Asking, actor: str) -> str:
    """Name a professional by their number, from the directory; the number when it does not know them."""
    number = actor.removeprefix(_NUMBERED)
    if not number:
        return ""
    query = parse("Practitioner", [("identifier", f"{rpps.SYSTEM}|{number}")])
    try:
        page = await house.searching.directory(asking, query)
    except SermentError:
        return number
    return next((person_name(msgspec.json.decode(one.body)) for one in page.served), number)


def _profession(actor: Actor, language: Language) -> str:
    named = f"paper.profession-{actor.profession}"
    return say(named, language) if named in catalogue() else ""


def _text(codes: Any) -> str:
    return next((str(one["text"]) for one in codes or [] if one.get("text")), "")


def _addresses(place: dict[str, Any]) -> Iterable[str]:
    for address in place.get("address", [])[:1]:
        yield from (str(line) for line in address.get("line", []))
        town = f"{address.get('postalCode', '')} {address.get('city', '')}".strip()
        if town:
            yield town


def _telecoms(place: dict[str, Any]) -> Iterable[str]:
    return (str(one["value"]) for one in place.get("telecom", []) if one.get("value"))

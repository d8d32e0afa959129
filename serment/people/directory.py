"""The accounts held against the public directory: who could be enrolled, who has left (pure).

The directory proposes, a person decides: no account is made or ended by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from serment.identity.directory import Listed
from serment.model import ActorKind, Instant
from serment.people.accounts import Account


class Finding(StrEnum):
    """What the directory says of one professional, held against the accounts."""

    NEW = "new"
    KNOWN = "known"
    OTHER_PROFESSION = "other-profession"
    GONE = "gone"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Compared:
    """One professional and what was found."""

    rpps: str = field(repr=False)
    name: str = field(repr=False)
    profession: str
    finding: Finding


def compare(
    listed: Iterable[Listed],
    accounts: Iterable[Account],
    structures: frozenset[str],
    today: date,
    now: Instant,
) -> list[Compared]:
    """Hold the professionals who work in `structures` (FINESS numbers) against those who have an account.

    Nobody is missing from the answer: `ABSENT` are those with an account whom the directory does not list.
    """
    directory = {one.rpps: one for one in listed}
    enrolled: dict[str, tuple[Account, set[str]]] = {}
    for account in accounts:
        for exercise in account.standing(now):
            if exercise.kind == ActorKind.PROFESSIONAL:
                number = exercise.actor.removeprefix("rpps:")
                enrolled.setdefault(number, (account, set()))[1].add(exercise.profession)
    found = [
        Compared(one.rpps, one.name, one.profession, Finding.NEW)
        for one in directory.values()
        if one.rpps not in enrolled and works(one, structures, today)
    ]
    for number, (account, professions) in enrolled.items():
        there = directory.get(number)
        profession = there.profession if there else next(iter(sorted(professions)))
        found.append(
            Compared(number, account.name, profession, _judged(there, professions, structures, today))
        )
    return sorted(found, key=lambda one: (one.finding.value, one.rpps))


def works(one: Listed, structures: frozenset[str], today: date) -> bool:
    """Say whether somebody works in one of these structures today."""
    return one.active and any(
        place.active
        and not structures.isdisjoint(place.identifiers)
        and (not place.start or place.start[:10] <= today.isoformat())
        and (not place.end or place.end[:10] > today.isoformat())
        for place in one.places
    )


def _judged(there: Listed | None, professions: set[str], structures: frozenset[str], today: date) -> Finding:
    if there is None:
        return Finding.ABSENT
    if there.profession not in professions:
        return Finding.OTHER_PROFESSION
    return Finding.KNOWN if works(there, structures, today) else Finding.GONE

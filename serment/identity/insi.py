"""INSi as a port: what is asked of the service, what it answers, the dialogue, the comparison.

The shapes come from public fixtures of the search by traits (CNAM test identities,
`rules-access-identity.md` section C): the client that stands behind this port was never called conformant.
One given name goes in each call, then the next; when several people answer, all the given names, then the
place of birth. What comes back is stored by nobody: a person compares it with the traits of the record
first (`compared`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from serment.errors import DependencyError, InvalidResourceError
from serment.identity import birth_dates, ins, names, traits
from serment.identity.evidence import Evidence, Number
from serment.identity.traits import Traits

ONE: Final = "00"
NOBODY: Final = "01"
SEVERAL: Final = "02"
"""Result codes of the service (public fixtures)."""

MOST_CALLS: Final = 8
"""Calls for one person: a birth list is short, and each call tells the service who is looked for."""


@dataclass(frozen=True, slots=True)
class Query:
    """One call by traits: `given` is one given name, or all of them; `birth_place` is "" save at the end."""

    birth_name: str = field(repr=False)
    given: str = field(repr=False)
    sex: str = field(repr=False)
    birth_date: str = field(repr=False)
    birth_place: str = field(default="", repr=False)


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """What the service says: a code, and when it is `ONE` the active number, the past ones and the traits.

    `traits.birth_date` is as it was answered: it may be a date that the calendar has not.
    """

    code: str
    number: Number = ("", "")
    past: tuple[Number, ...] = ()
    traits: Traits = Traits()

    def __repr__(self) -> str:
        return f"Answer({self.code})"


class Insi(Protocol):
    """Somebody who answers calls. Raises `DependencyError` when the service does not."""

    def ask(self, query: Query) -> Answer:
        """Make one call."""
        ...


def queries(person: Traits) -> Iterator[Query]:
    """Give the calls for one person, in their order.

    Raises `InvalidResourceError` when traits are missing.
    """
    wanted = (person.birth_name, person.given, person.sex)
    if not all(wanted) or len(person.birth_date) != len("YYYY-MM-DD"):
        raise InvalidResourceError("identity.insi-traits", "Patient")
    about = (person.sex, person.birth_date)
    name, given = names.normalise(person.birth_name), names.normalise(person.given)
    for one in given.split(" "):
        yield Query(name, one, *about)
    if " " in given:
        yield Query(name, given, *about)
    if person.birth_place:
        yield Query(name, given.split(" ")[0], *about, person.birth_place)


def look_up(service: Insi, person: Traits) -> Answer:
    """Ask until one person answers; give the last answer otherwise.

    Nobody by one given name is asked by the next; several are told apart by more traits. Raises
    `DependencyError` for an answer that is none, `InvalidResourceError` when traits are missing.
    """
    answer = Answer(NOBODY)
    for count, query in enumerate(queries(person)):
        if count == MOST_CALLS:
            break
        latest = checked(service.ask(query))
        if latest.code == ONE:
            return latest
        answer = latest if latest.code == SEVERAL else answer
    return answer


def checked(answer: Answer) -> Answer:
    """Refuse an answer that contradicts itself: an unknown code, a wrong key or authority, missing traits."""
    if answer.code not in {ONE, NOBODY, SEVERAL}:
        raise DependencyError("identity.insi-answer")
    if answer.code != ONE:
        return Answer(answer.code)
    oid, matricule = answer.number
    if not ins.is_ins(oid) or not ins.is_matricule(matricule) or not answer.traits.complete:
        raise DependencyError("identity.insi-answer")
    return answer


@dataclass(frozen=True, slots=True)
class Comparison:
    """An answer beside the record: the traits to be stored, those that differ, notes (sentence ids)."""

    traits: Traits = field(repr=False)
    differences: tuple[str, ...]
    notes: tuple[str, ...]


def compared(answer: Answer, local: Traits, before: Evidence) -> Comparison:
    """Lay an answer beside the traits of a record. Raises `RequestError` for an unknown year of birth."""
    day = birth_dates.adjusted(answer.traits.birth_date)
    stored = msgspec.structs.replace(answer.traits, birth_date=day.day)
    notes = ins.incoherences(answer.number[1], stored.sex, stored.birth_date)
    if not day.exact:
        notes = (*notes, "identity.note-lunar")
    if before.retrieval is not None and before.retrieval.number != answer.number:
        notes = (*notes, "identity.note-number")
    return Comparison(stored, traits.differences(local, stored), notes)

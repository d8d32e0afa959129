"""INSi for a demonstration: it answers for the invented people, and nobody is asked outside.

By birth name, one given name (any of the list) or all of them, sex, birth date, and the place when it is
said, as the public fixtures of the real service show. The SOAP server of the tests answers from it too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from serment.demo.traits import Traits as Invented
from serment.identity import ins, traits
from serment.identity.evidence import Number
from serment.identity.insi import NOBODY, ONE, SEVERAL, Answer, Query
from serment.identity.names import normalise
from serment.identity.traits import Traits


@dataclass(frozen=True, slots=True)
class Certified:
    """One person as the service knows them."""

    number: Number = field(repr=False)
    traits: Traits = field(repr=False)
    past: tuple[Number, ...] = field(default=(), repr=False)


class LocalInsi:
    """Answers calls from a list of people."""

    def __init__(self, people: Iterable[Certified]) -> None:
        self._people = list(people)

    def ask(self, query: Query) -> Answer:
        """Answer one call."""
        found = [one for one in self._people if _meets(one.traits, query)]
        if len(found) != 1:
            return Answer(SEVERAL if found else NOBODY)
        return Answer(ONE, found[0].number, found[0].past, found[0].traits)


def certified(person: Invented) -> Certified:
    """Give an invented person as INSi would know them."""
    given = " ".join(normalise(one) for one in person.given)
    sex, born = traits.SEXES[person.sex], person.birth_date.isoformat()
    known = Traits(normalise(person.birth_name), given, born, sex, person.place_code)
    return Certified((ins.NIR_TEST, person.matricule), known)


def _meets(person: Traits, query: Query) -> bool:
    same = (person.birth_name, person.sex, person.birth_date) == (
        query.birth_name,
        query.sex,
        query.birth_date,
    )
    called = query.given == person.given or query.given in person.given.split(" ")
    return same and called and query.birth_place in {"", person.birth_place}

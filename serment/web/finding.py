"""Finding a person as somebody types: the pieces that the pages of who works here share."""

from __future__ import annotations

from dataclasses import dataclass, field

from serment.errors import DependencyError, RefusedError, RequestError, SermentError, TooManyError
from serment.identity.who import Who
from serment.record.asking import Asking
from serment.record.house import House
from serment.web.written import day_of
from serment.words import Language, catalogue, say


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: people, or why none. `people` is None while nothing was asked."""

    typed: str = field(default="", repr=False)
    people: list[dict[str, str]] | None = field(default=None, repr=False)
    error: SermentError | None = None

    def said(self, language: Language) -> str:
        """Say why nobody is shown, "" when that needs no saying."""
        return "" if self.error is None else self.error.said(language)

    @property
    def status(self) -> int:
        """Give the status of the answer."""
        return 200 if self.error is None else self.error.status


async def find(house: House, asking: Asking, typed: str) -> Found:
    """Find people as the decision lets who asks; say why none."""
    try:
        found = await house.as_typed.search(asking, typed)
    except (RequestError, RefusedError, TooManyError, DependencyError) as error:
        return Found(typed, None, error)
    return Found(typed, [said_of(one, asking.language) for one in found])


def said_of(one: Who, language: Language) -> dict[str, str]:
    """Say somebody as lists of people do: the name in use in capitals, then the given names."""
    name = f"{(one.used or one.birth).upper()} {one.given}".strip()
    birth = one.birth.upper() if one.used and one.used.upper() != one.birth.upper() else ""
    sex = f"clinician.short-{one.sex}"
    return {
        "record": f"/record/{one.patient}",
        "name": name,
        "birth": birth,
        "born": day_of(one.birth_date, language),
        "sex": say(sex, language) if sex in catalogue() else "",
        "status": say(f"web.status-{one.status}", language),
    }

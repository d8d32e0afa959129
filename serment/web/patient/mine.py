"""What every page of the holder begins with: their house, who asks, their record, their language.

For the person whose record it is and nobody else: who acts for another has the pages of a record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from serment.door.asking import cookie_of, house_of, language_of
from serment.errors import NotFoundError
from serment.model import PatientId
from serment.record.asking import Asking
from serment.record.house import House
from serment.web.shell import page, who_of
from serment.words import Language, say


class Errors(dict[str, str]):
    """What is wrong with a form, by field; "" beside a field that is right."""

    def __missing__(self, name: str) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Mine:
    """Somebody before their own record."""

    request: Request = field(repr=False)
    house: House = field(repr=False)
    asking: Asking = field(repr=False)
    patient: PatientId = field(repr=False)
    language: Language

    @property
    def today(self) -> date:
        """The day of the request, by the clock of this house."""
        return datetime.fromtimestamp(self.asking.now / 1000, UTC).astimezone().date()

    @property
    def tomorrow(self) -> str:
        """The first day that is still to come, as a field for dates takes it."""
        return (self.today + timedelta(days=1)).isoformat()

    def to_come(self, until: str) -> bool:
        """Say whether a text is a day (`YYYY-MM-DD`) that lies ahead."""
        try:
            return date.fromisoformat(until) > self.today
        except ValueError:
            return False

    def say(self, sentence: str, **parameters: object) -> str:
        """Say a sentence in the language of whoever reads."""
        return say(sentence, self.language, **parameters)

    def page(self, template: str, status: int = 200, *, part: str = "", **values: Any) -> HTMLResponse:
        """Render a page of the holder."""
        common = who_of(self.request, self.house, self.asking)
        return page(self.request, f"patient/{template}", status, part=part, **common, **values)


def mine(request: Request) -> Mine:
    """Say before whose record somebody stands: their own. Raises `SignInError`, `NotFoundError`."""
    house = house_of(request)
    asking = cookie_of(request, house)
    if asking.actor.patient is None:
        raise NotFoundError("record.not-found")
    return Mine(request, house, asking, asking.actor.patient, language_of(request))

"""What the pages of a reception share: who stands at the desk, the frame of one person's pages, dates typed.

Nothing is decided here. A page of one person begins with `at_desk` and stands in the frame of a record, so
that the bar with the identity and its status is on each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of
from serment.errors import NotFoundError
from serment.model import ActorKind
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.pages.charting import Chart, Pick, Picked
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.clinician.why import closed
from serment.web.shell import go_to, page
from serment.words import say

AT_DESK: Final = frozenset({ActorKind.STAFF, ActorKind.PROFESSIONAL})
"""To whom these pages are offered; what each may do is decided at each act."""

RECEPTION: Final = "/reception"
SECTIONS: Final = ("identity", "appointments", "papers", "scan")
"""The pages of one person at a desk, in their order."""

COUNTER: Final = "/record/{id}/counter"


@dataclass(frozen=True, slots=True)
class Desk:
    """One person as a page of the reception opened them: who asks, the Patient (without contact) if seen."""

    opened: Opening
    chart: Chart = field(repr=False)

    @property
    def patient(self) -> str:
        """The id of the person."""
        return self.opened.patient

    def person(self) -> dict[str, Any]:
        """Give the Patient resource, {} when it may not be seen."""
        found = self.chart.person
        value: dict[str, Any] = {} if found is None else msgspec.json.decode(found.body)
        return value


def nobody(_: object) -> Picked:
    """Pick nothing: a page that shows who the person is and no more."""
    return Picked()


def desk_of(request: Request) -> tuple[House, Asking] | Response:
    """Say who stands at the desk; whoever does not is led to their own page."""
    house = house_of(request)
    asking = cookie_of(request, house)
    return (house, asking) if asking.actor.kind in AT_DESK else go_to("/home")


async def at_desk(request: Request, pick: Pick = nobody) -> Desk | Response:
    """Open a page of one person; to whoever may not, the ways there are, whatever the reason."""
    opened = await opening(request)
    if opened.asking.actor.kind not in AT_DESK:
        return go_to("/home")
    try:
        chart = await opened.house.charting.page(opened.asking, opened.patient, pick)
    except NotFoundError:
        return closed(opened)
    return Desk(opened, chart)


def shown(desk: Desk, template: str, here: str, status: int = 200, **values: Any) -> Response:
    """Render a page of one person, in the frame of their record."""
    opened, body = desk.opened, None if desk.chart.person is None else desk.chart.person.body
    return page(
        opened.request,
        template,
        status,
        person=f"{RECEPTION}/person/{opened.patient}",
        desk=[_section(one, opened, here) for one in _sections(opened)],
        **framed(opened, body) | _at_the_desk(opened),
        **values,
    )


def _at_the_desk(opened: Opening) -> dict[str, Any]:
    """Keep who reads no care at the pages of the desk: those of the record show them nothing."""
    if opened.asking.actor.kind is not ActorKind.STAFF:
        return {}
    return {"sections": [], "record": f"{RECEPTION}/person/{opened.patient}"}


def _sections(opened: Opening) -> list[str]:
    built = {getattr(route, "path", "") for route in opened.request.app.routes}
    return [*SECTIONS, *(["counter"] if COUNTER in built else [])]


def _section(name: str, opened: Opening, here: str) -> dict[str, Any]:
    base = f"{RECEPTION}/person/{opened.patient}"
    to = {"identity": base, "counter": COUNTER.format(id=opened.patient)}.get(name, f"{base}/{name}")
    return {"to": to, "says": say(f"secretary.section-{name}", opened.language), "here": name == here}


# Dates, as people type them.


def bounds(day: date) -> tuple[int, int]:
    """Give the beginning and the end (ms) of a day by the clock of this house."""
    start = datetime.combine(day, datetime.min.time()).astimezone()
    end = datetime.combine(day + timedelta(days=1), datetime.min.time()).astimezone()
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)


def today_of(now: int) -> date:
    """Give the day of an instant (ms) by the clock of this house."""
    return datetime.fromtimestamp(now / 1000, UTC).astimezone().date()


def day_typed(text: str, default: date) -> date:
    """Read a day (`YYYY-MM-DD`); what is none is `default`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return default


def moment_typed(day: str, hour: str, minutes: int = 0) -> str:
    """Give the FHIR instant of a day and an hour (`HH:MM`) of this house, `minutes` later; "" for none."""
    try:
        at = datetime.fromisoformat(f"{day}T{hour}").astimezone()
    except ValueError:
        return ""
    return (at + timedelta(minutes=minutes)).isoformat(timespec="seconds")


def hour_of(at: int) -> str:
    """Write the hour of an instant (ms) by the clock of this house."""
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone():%H:%M}"

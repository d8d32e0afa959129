"""One page, one save: what a consultation shows of the record beside the form, and writing all of it at once.

Beside the form stand the treatments and problems that are not over and the last value of each measure: one
look and one trace. Saving is one transaction of the passage for bundles, decided item by item like any other,
and in the same transaction the draft is erased: nothing is saved twice, nothing is saved in part.

Order: what is picked, what was saved, the passage.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec

from serment.errors import RequestError
from serment.fhir import consultation_resources
from serment.fhir.consultation import KINDS, PRESSURE, PRESSURE_CODE, Consultation
from serment.fhir.consultation_resources import About, Json
from serment.model import Act, Category, PatientId, Permit
from serment.record.asking import Asking
from serment.record.bundling import Bundling
from serment.record.gate import Item
from serment.record.pages import overview
from serment.record.pages.charting import Chart, Charting, Line, Pick, Picked, Table, latest
from serment.record.visits import drafting
from serment.record.writing import new_id

TREATMENTS: Final = "treatments"
PROBLEMS: Final = "problems"
ALLERGIES: Final = "allergies"
MINE: Final = "mine"
"""Group of the treatments that the reader may change: a renewal completes the one before."""

SEEN: Final = frozenset({Category.TREATMENTS, Category.PROBLEMS, Category.ALLERGIES, Category.VITALS})
WRITTEN: Final = SEEN | {
    Category.NOTES,
    Category.VACCINATIONS,
    Category.REPORT,
    Category.CERTIFICATE,
}
"""Categories of what a consultation writes beside the visit itself."""

MOST: Final = 60

CODES: Final[Mapping[str, str]] = {kind.name: kind.loinc for kind in KINDS} | {PRESSURE: PRESSURE_CODE}
"""Name of a measure → LOINC."""


def beside(table: Table) -> Picked:
    """Pick what stands beside the form of a consultation."""
    here = table.of(SEEN)
    standing = overview.active(here)
    treatments = latest([item for item in standing if item.entry.type == "MedicationRequest"], MOST)
    groups: dict[str, list[Item]] = {
        TREATMENTS: treatments,
        PROBLEMS: latest([item for item in standing if item.entry.type == "Condition"], MOST),
        ALLERGIES: latest([item for item in standing if item.entry.type == "AllergyIntolerance"], MOST),
        MINE: [item for item in treatments if _changeable(table, item)],
    }
    vitals = [item for item in here if item.entry.type == "Observation"]
    for name, code in CODES.items():
        groups[name] = latest(_coded(vitals, code), 1)
    return Picked(groups, {name: len(items) for name, items in groups.items()})


def _changeable(table: Table, item: Item) -> bool:
    return isinstance(table.view.decide(item.unit, Act.WRITE), Permit)


def _coded(items: Collection[Item], code: str) -> list[Item]:
    """Give the measures of a code: by the bytes in which the index keeps it, without reading each entry."""
    needle = msgspec.msgpack.encode(code)
    return [item for item in items if needle in bytes(item.entry.values)]


def of_visit(visit: str) -> Pick:
    """Make what the page of a saved consultation picks: what names the visit."""
    needle = f"Encounter/{visit}".encode()

    def pick(table: Table) -> Picked:
        items = [item for item in table.of(WRITTEN) if needle in bytes(item.entry.values)]
        ordered = latest(items, MOST)
        return Picked({"items": ordered}, {"items": len(items)})

    return pick


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written: the id of the visit, and how many changes wait for a second professional."""

    visit: str = field(repr=False)
    waiting: int


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and the titles of what they write in their language, by name."""

    words: Mapping[str, str]
    instant: Callable[[int], str]


class Consulting:
    """The passage for consultations."""

    def __init__(self, charting: Charting, bundling: Bundling) -> None:
        self._charting, self._bundling = charting, bundling

    async def page(self, asking: Asking, patient: str) -> Chart:
        """Give what stands beside the form. Raises `NotFoundError` when nothing may be seen."""
        return await self._charting.page(asking, patient, beside)

    async def save(
        self, asking: Asking, patient: PatientId, said: Consultation, draft: str, writer: Writer, base: str
    ) -> Saved:
        """Write a consultation, all of it or nothing, and erase its draft.

        Raises `ConflictError` when it was saved already, `RequestError` for a treatment or a problem that is
        no longer there, `NotFoundError`, `RefusedError`, and the errors of a transaction.
        """
        chart = await self._charting.page(asking, patient, beside)
        now = writer.instant(asking.now)
        actor = asking.actor
        about = About(patient, actor.id, actor.name, now, now, writer.words)
        raw = consultation_resources.transaction(said, about, new_id, _renewed(chart, said))
        close = partial(drafting.close_in, patient=patient, id_=draft)
        _, answers = await self._bundling.run(asking, raw, base, close)
        visit = answers[0].location.partition("/_history")[0].rpartition("/")[2]
        return Saved(visit, sum(one.status == 202 for one in answers))


def _renewed(chart: Chart, said: Consultation) -> dict[str, tuple[Json, int, bool]]:
    """Find what is renewed as it stands. Raises `RequestError` for what is over, or may not be seen."""
    standing = {one.reference: one for one in chart.groups[TREATMENTS]}
    mine = {one.reference for one in chart.groups[MINE]}
    problems = {one.reference for one in chart.groups[PROBLEMS]}
    if not standing.keys() >= set(said.renewed):
        raise RequestError("consultation.renewal-gone")
    if said.known_problem and said.known_problem not in problems:
        raise RequestError("consultation.problem-gone")
    return {one: (_read(standing[one]), standing[one].version, one in mine) for one in said.renewed}


def _read(line: Line) -> dict[str, Any]:
    resource: dict[str, Any] = msgspec.json.decode(line.body)
    return resource

"""Two records of one installation: one whole, one without what somebody may not see.

A `Plan` says what the record holds and what the patient chose. `whole` writes it; `without` writes it again,
leaving out the items that an actor cannot read; `told` gives everything that this actor is told of a record,
with every id replaced by the place of the item in the plan, so that two records can be compared. The
trace of a holder is left out where a third party's information stands: its lines are the holder's to read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from serment.errors import NotFoundError, RefusedError, SermentError
from serment.fhir.query import parse
from serment.ledger.sentences import line
from serment.model import Actor, ActorId, ActorKind, Function, Instant, PatientId, Purpose, RequestId
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.bundling import part_of
from serment.record.house import House
from serment.record.pages.overview import overview
from serment.record.reading import Served
from serment.record.write import Written
from serment.record.writing import new_id
from serment.words import Language
from tests.attacks import telling, telling_leaves, telling_links
from tests.installation import Installation

LABELS = {
    "": None,
    "R": ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R"),
    "V": ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "V"),
    "GDIS": ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "GDIS"),
    "PSY": ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "PSY"),
    "HIV": ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "HIV"),
    "secret": ("urn:serment:label", "INVISIBLE_REPRESENTANTS_LEGAUX"),
    "waits": ("urn:serment:label", "INVISIBLE_PATIENT"),
    "third": ("urn:serment:label", "SERMENT_TIERS"),
}
CODES = ("8867-4", "718-7", "2089-1")
TYPES = ("Observation", "Condition", "AllergyIntolerance", "MedicationStatement", "Procedure")
ALL_TYPES = (*TYPES, "Encounter", "Consent", "Patient", "RelatedPerson")
STEP = 1000
ASKS = "? "
"""What the line of each question begins with."""
ACTIVE = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
    ]
}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Planned:
    """One item: its type, code, label, how many versions, and whether the patient masks it."""

    type: str
    code: str
    label: str
    versions: int
    masked: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A record to write: its items, and the patient's choices: `block` a colleague, `oppose` a category."""

    items: tuple[Planned, ...]
    block: bool = False
    oppose: str = ""


@dataclass(slots=True)
class Twin:
    """A record once written: its patient, its parent's mandate, and the id of each planned item."""

    patient: PatientId
    parent: str
    ids: dict[int, str] = field(default_factory=dict)
    ghosts: dict[int, str] = field(default_factory=dict)
    """Ids that items refer to and that stand for nothing in this record."""
    types: tuple[str, ...] = ()

    def reference(self, place: int) -> dict[str, str]:
        """Refer to an item; when it was not written, by an id that leads nowhere."""
        id_ = self.ids.get(place) or self.ghosts.setdefault(place, new_id())
        return {"reference": f"{self.types[place]}/{id_}"}

    def actor(self, installation: Installation, role: str) -> Actor:
        """Give who asks: the holder, the parent, or somebody of the cast."""
        if role == "holder":
            return Actor(ActorId(f"patient:{self.patient}"), ActorKind.PATIENT, "h", patient=self.patient)
        if role == "parent":
            return Actor(ActorId(f"proxy:{self.parent}"), ActorKind.PROXY, "p")
        return installation.staff(role)


PURPOSES = {ActorKind.PATIENT: Purpose.PATIENT_REQUEST, ActorKind.PROXY: Purpose.FAMILY_REQUEST}


def ask(actor: Actor, now: int, purpose: Purpose | None = None) -> Asking:
    """Ask at an instant: two twins are written and read at the same instants."""
    usual = PURPOSES.get(actor.kind, Purpose.TREAT)
    if actor.function is Function.SECRETARY:
        usual = Purpose.PATIENT_ADMINISTRATION
    return Asking(actor, purpose or usual, RequestId(new_id()), Instant(now))


async def write(made: Installation, house: House, plan: Plan, start: int, places: set[int] | None) -> Twin:
    """Write a plan from the instant `start`, a second for each act. `places`: the items kept (None: all)."""
    doctor, secretary = made.staff("attending"), made.staff("secretary")
    twin = await _begin(made, house, ask(doctor, start))
    related = await house.writing.create(ask(secretary, start), _read(_related(twin.patient)))
    twin.parent, twin.types = related.id, tuple(item.type for item in plan.items)
    for place, item in enumerate(plan.items):
        if places is None or place in places:
            asking = ask(doctor, start + (place + 1) * STEP)
            with suppress(RefusedError):  # some labels are not the doctor's to write: in neither twin
                twin.ids[place] = await _versions(house, asking, twin, place, item)
    holder = twin.actor(made, "holder")
    after = start + 100 * STEP
    for place, item in enumerate(plan.items):
        if item.masked and place in twin.ids:
            try:
                await house.choosing.mask(
                    ask(holder, after + place), twin.patient, f"{item.type}/{twin.ids[place]}"
                )
            except NotFoundError:
                continue
    if plan.block:
        await house.choosing.block(ask(holder, after + 50), twin.patient, _rpps(made, "team-doctor"))
    if plan.oppose:
        await house.choosing.oppose(ask(holder, after + 51), twin.patient, plan.oppose)
    return twin


async def visible(made: Installation, house: House, plan: Plan, twin: Twin, role: str, now: int) -> set[int]:
    """Say which items an actor reads by id: the others are hidden from them."""
    seen: set[int] = set()
    for place, id_ in twin.ids.items():
        try:
            await house.reading.read(ask(twin.actor(made, role), now), plan.items[place].type, id_)
        except NotFoundError:
            continue
        seen.add(place)
    return seen


async def told(
    made: Installation, house: House, plan: Plan, twin: Twin, role: str, now: int, *, trace: bool = True
) -> list[str]:
    """Give everything that an actor is told of a record: items, histories, searches, pages, views, trace."""
    actor = twin.actor(made, role)
    known = {**twin.ghosts, **twin.ids}
    names = {id_: f"<{place}>" for place, id_ in known.items()} | {
        twin.patient: "<patient>",
        twin.parent: "<parent>",
    }
    lines: list[str] = []

    def say(what: str, *parts: object) -> None:
        text = " ".join([what, *(part.decode() if isinstance(part, bytes) else str(part) for part in parts)])
        lines.append(_ID.sub(lambda match: names.get(match[0], "<other>"), text))

    for pairs in (*_searches(twin), *telling_links.reaching(twin.patient)):
        type_, criteria = pairs
        await _search(house, actor, now, type_, criteria, say)
    for place in sorted(twin.ids):
        await _item(house, actor, now, plan.items[place].type, twin.ids[place], say)
    await _view(house, actor, now, twin, say)
    await _chart(house, actor, now, twin, say)
    await telling.operations(house, ask(actor, now), twin.patient, say)
    await telling_leaves.leaves(house, ask(actor, now), twin.patient, say)
    if role in {"parent", "holder"} and trace:
        say(ASKS, "trail")
        for body in await house.proving.trail(ask(actor, now), twin.patient):
            say("line", line(body.event, Language.EN), body.event.count)
    return lines


def _searches(twin: Twin) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for type_ in ALL_TYPES:
        owner = [("_id" if type_ == "Patient" else "patient", str(twin.patient))]
        for more in (
            [],
            [("_count", "0")],
            [("_count", "2")],
            [("_sort", "_lastUpdated")],
            [("_total", "none")],
        ):
            yield type_, [*owner, *more]
    for code in CODES:
        yield "Observation", [("patient", str(twin.patient)), ("code", code)]
        yield (
            "Observation",
            [("patient", str(twin.patient)), ("code:not", code), ("_sort", "-date"), ("_count", "1")],
        )
    for place in range(4):
        yield "Observation", [("patient", str(twin.patient)), ("identifier", f"urn:place|{place}")]
        yield "Observation", [("patient", str(twin.patient)), ("date", f"ge2026-01-{place * 3 + 1:02d}")]


async def _search(
    house: House, actor: Actor, now: int, type_: str, pairs: list[tuple[str, str]], say: Any
) -> None:
    say(ASKS, type_, pairs[1:])
    try:
        page = await house.finding.search(ask(actor, now), parse(type_, pairs))
        for _ in range(20):
            say("page", type_, pairs[1:], page.total, [(one.version, one.updated) for one in page.served])
            for one in page.served:
                body = part_of(page.query, one.type, one.body)
                say("  ", one.type, one.id if one.type != "Consent" else "", _plain(body))
            for line in sorted(f"{one.type} {_ID.sub('', _plain(one.body))}" for one in page.included):
                say("   brings", line)
            if not page.next:
                return
            page = await house.searching.go_on(ask(actor, now), type_, page.next)
    except SermentError as error:
        say("error", type_, pairs[1:], type(error).__name__, error)


async def _item(house: House, actor: Actor, now: int, type_: str, id_: str, say: Any) -> None:
    for name, door in (("read", _current), ("history", _history)):
        say(ASKS, name, type_)
        try:
            for page in await door(house, ask(actor, now), type_, id_):
                say(name, type_, id_, [(one.version, one.updated, one.deleted) for one in page])
                for one in page:
                    say("  ", _plain(one.body))
        except SermentError as error:
            say(name, type_, id_, type(error).__name__, error)


async def _current(house: House, asking: Asking, type_: str, id_: str) -> list[list[Served]]:
    return [[await house.reading.read(asking, type_, id_)]]


async def _history(house: House, asking: Asking, type_: str, id_: str) -> list[list[Served]]:
    """Walk the pages of a history, two versions at a time."""
    page = await house.reading.history(asking, type_, id_, count=2)
    pages = [page.served]
    while page.next:
        page = await house.reading.history(asking, type_, id_, page=page.next)
        pages.append(page.served)
    return pages


async def _view(house: House, actor: Actor, now: int, twin: Twin, say: Any) -> None:
    say(ASKS, "view")
    try:
        view = await house.showing.first_view(ask(actor, now), twin.patient)
    except SermentError as error:
        say("view", type(error).__name__, error)
        return
    say("view", view.rule, sorted(view.totals.items()))
    for category, shown in sorted(view.groups.items()):
        say("  ", category, sorted(_ID.sub("", one.body.decode("latin-1")) for one in shown))


async def _chart(house: House, actor: Actor, now: int, twin: Twin, say: Any) -> None:
    """Ask for the first page of the record, as somebody who looked long ago."""
    say(ASKS, "chart")
    try:
        chart = await house.charting.page(ask(actor, now), twin.patient, overview(actor.id, 1))
    except SermentError as error:
        say("chart", type(error).__name__, error)
        return
    say("chart", chart.ground.rule, chart.ground.until, sorted(chart.totals.items()))
    for name, lines in sorted(chart.groups.items()):
        say("  ", name, [_ID.sub("", one.body.decode("latin-1")) for one in lines])


def _plain(body: bytes) -> str:
    return json.dumps(json.loads(body), sort_keys=True)


async def _begin(made: Installation, house: House, asking: Asking) -> Twin:
    people = [
        {"individual": {"identifier": {"value": _rpps(made, role)}}}
        for role in ("team-doctor", "nurse", "locum")
    ]
    patient = {
        "resourceType": "Patient",
        "birthDate": "2012-05-04",
        "name": [{"family": "Twin", "given": ["Camille"]}],
        "telecom": [{"system": "phone", "value": "01 99 00 00 00"}],
    }
    encounter = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": "urn:uuid:0b6e1a52-7c3f-4f43-9f5e-1d5a3c6f7a01"},
        "participant": people,
        "period": {"start": "2026-10-01T08:00:00Z", "end": "2026-10-01T09:00:00Z"},
    }
    made_of: tuple[dict[str, Any], ...] = (patient, encounter)
    entries = [
        {
            "fullUrl": f"urn:uuid:0b6e1a52-7c3f-4f43-9f5e-1d5a3c6f7a0{place}",
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for place, resource in enumerate(made_of, start=1)
    ]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    _, answers = await house.bundling.run(asking, json.dumps(bundle).encode(), house.base)
    return Twin(PatientId(answers[0].location.partition("/_history")[0].rpartition("/")[2]), "")


def _related(patient: str) -> dict[str, Any]:
    code = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}
    return {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{patient}"},
        "relationship": [{"coding": [code]}],
        "name": [{"family": "Twin"}],
    }


async def _versions(house: House, asking: Asking, twin: Twin, place: int, item: Planned) -> str:
    written: Written = await house.writing.create(asking, _read(_resource(twin, place, item, 1)))
    for version in range(2, item.versions + 1):
        resource = {**_resource(twin, place, item, version), "id": written.id}
        later = replace(asking, request=RequestId(new_id()), now=Instant(asking.now + version))
        await house.writing.update(later, _read(resource), written.id, version - 1)
    return written.id


def _resource(twin: Twin, place: int, item: Planned, version: int) -> dict[str, Any]:
    person = {"reference": f"Patient/{twin.patient}"}
    mark = LABELS[item.label]
    meta = {} if mark is None else {"meta": {"security": [{"system": mark[0], "code": mark[1]}]}}
    code = {"coding": [{"system": "http://loinc.org", "code": item.code}], "text": f"version {version}"}
    shape: dict[str, dict[str, Any]] = {
        "Observation": {
            "status": "final",
            "code": code,
            "subject": person,
            "effectiveDateTime": _day(place),
            "valueQuantity": {"value": place, "unit": "x"},
            # In pairs: a secret hides what it is linked with (ADR 43), and something has to be left to see.
            **({"focus": [twin.reference(place - 1)]} if place % 2 else {}),
        },
        "Condition": {"code": code, "subject": person, "recordedDate": _day(place)},
        "AllergyIntolerance": {
            "clinicalStatus": ACTIVE,
            "code": code,
            "patient": person,
            "recordedDate": _day(place),
        },
        "MedicationStatement": {"status": "active", "medicationCodeableConcept": code, "subject": person},
        "Procedure": {
            "status": "completed",
            "code": code,
            "subject": person,
            "performedDateTime": _day(place),
        },
    }
    named = {"identifier": [{"system": "urn:place", "value": str(place)}]}
    return {"resourceType": item.type, **meta, **named, **shape[item.type]}


def _day(place: int) -> str:
    return f"2026-01-{place + 1:02d}"


def _read(resource: dict[str, Any]) -> incoming.Incoming:
    return incoming.read(json.dumps(resource).encode())


def _rpps(made: Installation, role: str) -> str:
    return made.staff(role).id.removeprefix("rpps:")

"""One consultation on one page, saved at once: what is typed, what is kept meanwhile, what stands beside it.

Every act of the page is a form; what htmx adds is that the draft is kept every few seconds without being
asked. A page that fails shows again what was typed, with the error beside its field.

Order: the page, keeping the draft, saving, what was saved, a text put into the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import language_of
from serment.errors import (
    ConflictError,
    EntryError,
    NotFoundError,
    RefusedError,
    RequestError,
    SermentError,
    SignInError,
)
from serment.fhir import consultation, measures
from serment.fhir.consultation import KINDS, MEASURED, Errors
from serment.fhir.consultation_resources import LABELS
from serment.model import ActorKind, PatientId
from serment.record.pages.charting import Chart, Line
from serment.record.visits import consulting, drafting, stationery
from serment.record.visits.consulting import Writer
from serment.record.visits.stationery import Sort, Template
from serment.web.clinician import lines, rows
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.clinician.why import closed
from serment.web.forms import Form, page_form
from serment.web.shell import asks_part, go_to, page
from serment.web.written import day_of, instant, number
from serment.words import Language, say

MOST: Final = 512 * 1024
"""Bytes of the form: some thirty pages of text, as a browser escapes them."""

FIELDS: Final = (
    "reason",
    "note",
    *MEASURED,
    "problem",
    "known_problem",
    "allergy",
    "criticality",
    "reaction",
    "vaccine",
    "lot",
    "renew",
    "medicines",
    "letter",
    "letter_to",
    "certificate",
    "secret",
)
AT: Final = "at"
"""Name under which a draft keeps the field to come back to."""

_PLACES: Final = {Sort.LETTER: "letter", Sort.CERTIFICATE: "certificate", Sort.PRESCRIPTION: "medicines"}

Fields = Mapping[str, Sequence[str]]


async def consult(request: Request) -> Response:
    """Show the page, with the asker's own draft when there is one."""
    opened = _professional(await opening(request))
    kept = await opened.house.drafting.taken_up(opened.asking, PatientId(opened.patient))
    if kept is None:
        return await _shown(opened, drafting.fresh_id(), {})
    return await _shown(opened, kept.id, kept.fields, saved=kept.saved)


async def act(request: Request) -> Response:
    """Save, keep or erase what was typed, or put a text of the practice into it."""
    opened = _professional(await opening(request))
    form = await page_form(request, opened.house, most=MOST)
    fields, id_ = _typed(form), form.get("draft", "")
    what, _, which = form.get("do", "draft").partition(":")
    try:
        if what == "save":
            return await _saved(opened, id_, fields)
        if what == "discard":
            await opened.house.drafting.discard(opened.asking, PatientId(opened.patient))
        else:
            put = await _put_in(opened, fields, which) if what == "use" else fields
            await opened.house.drafting.keep(opened.asking, PatientId(opened.patient), id_, put)
    except NotFoundError:
        return closed(opened)
    except (RequestError, RefusedError) as error:
        return await _shown(opened, id_, fields, {"": told(error, opened.language)}, status=error.status)
    return go_to(_here(opened))


def told(error: SermentError, language: Language) -> str:
    """Say what went wrong to whoever filled in a form: of a transaction, the cause and not its entry."""
    return error.cause.said(language) if isinstance(error, EntryError) else error.said(language)


# Keeping the draft.


async def keep(request: Request) -> Response:
    """Keep what was typed so far; say when, or why not. Without a script the page's own button does it."""
    try:
        opened = _professional(await opening(request))
    except SignInError as error:
        if not asks_part(request):
            raise
        return _kept(request, error.status, failed=error.said(language_of(request)), resume=True)
    form = await page_form(request, opened.house, most=MOST)
    fields, language = _typed(form), opened.language
    status, failed, at = 200, "", 0
    try:
        at = await opened.house.drafting.keep(
            opened.asking, PatientId(opened.patient), form.get("draft", ""), fields
        )
    except (RequestError, RefusedError) as error:
        status, failed = error.status, error.said(language)
    if not asks_part(request):
        return go_to(_here(opened))
    said = consultation.read(fields)[0]
    when = instant(at, language) if at else ""
    return _kept(request, status, kept=when, failed=failed, unlikely=_unlikely(said, language))


def _kept(
    request: Request,
    status: int,
    *,
    kept: str = "",
    failed: str = "",
    unlikely: Sequence[str] = (),
    resume: bool = False,
) -> Response:
    """Give the part of the page that says what became of the draft; `resume`: the way back in."""
    to = f"/record/{request.path_params['id']}/consultation" if resume else ""
    values = {"kept": kept, "failed": failed, "unlikely": unlikely, "resume": to}
    return page(request, "clinician/consultation.html", status, part="kept", **values)


# The page.


async def _shown(
    opened: Opening,
    id_: str,
    fields: Fields,
    errors: Errors | None = None,
    *,
    status: int = 200,
    saved: int = 0,
) -> Response:
    """Show the page with what was typed; `errors` are sentences by the name of their field."""
    try:
        chart = await opened.house.consulting.page(opened.asking, opened.patient)
    except NotFoundError:
        return closed(opened)
    language = opened.language
    texts = await asyncio.to_thread(opened.house.stationery.of, opened.asking) if _works(opened) else []
    return page(
        opened.request,
        "clinician/consultation.html",
        status,
        draft=id_,
        typed={name: (fields.get(name) or [""])[0] for name in FIELDS},
        renewed=set(fields.get("renew", ())),
        at=next((name for name in FIELDS if errors and name in errors), (fields.get(AT) or ["note"])[0]),
        errors=errors or {},
        kept=instant(saved, language) if saved else "",
        failed="",
        resume="",
        restored=bool(saved),
        unlikely=_unlikely(consultation.read(fields)[0], language),
        measures=_beside(chart, language),
        treatments=_lines(chart, consulting.TREATMENTS, lines.treatment, language),
        problems=_lines(chart, consulting.PROBLEMS, lines.problem, language),
        allergies=_lines(chart, consulting.ALLERGIES, lines.allergy, language),
        templates={
            place: [one for one in (texts or shipped(language)) if one.sort is sort]
            for sort, place in _PLACES.items()
        },
        secrets=_secrets(chart, language),
        **framed(opened, _person(chart), "consultation"),
    )


def _lines(chart: Chart, group: str, says: Any, language: Language) -> list[dict[str, Any]]:
    return [{**says(one, language), "reference": one.reference} for one in chart.groups[group]]


def _beside(chart: Chart, language: Language) -> list[dict[str, str]]:
    """Give each measure with its last value and the date of it."""
    units = {kind.name: kind.unit for kind in KINDS} | {consultation.PRESSURE: "mmHg"}
    found = []
    for name in MEASURED:
        last = chart.groups[name]
        said = _last(last[0], language) if last else say("consultation.no-last", language)
        label = say(f"consultation.measure-{name}", language)
        found.append({"name": name, "label": f"{label} ({units[name]})", "last": said})
    return found


def _last(line: Line, language: Language) -> str:
    resource = measures.decoded(line.body)
    said = lines.said(line, resource, language)
    return say("consultation.last", language, value=said["value"], date=said["date"])


def _secrets(chart: Chart, language: Language) -> list[tuple[str, str]]:
    """Give whom an item may be kept from for now; the question about representatives is of a minor only."""
    minor = _minor(chart)
    names = ["", *(name for name in LABELS if name != "representatives" or minor)]
    return [(name, say(f"consultation.secret-{name or 'none'}", language)) for name in names]


def _minor(chart: Chart) -> bool:
    person = _person(chart)
    born = str(measures.decoded(person).get("birthDate", "")) if person is not None else ""
    today = datetime.now(UTC).date().isoformat()
    return bool(born) and born > f"{int(today[:4]) - 18}{today[4:]}"


def _unlikely(said: consultation.Consultation, language: Language) -> list[str]:
    return [
        say(
            "consultation.unlikely",
            language,
            measure=say(f"consultation.measure-{kind.name}", language),
            value=_number(value, language),
            unit=kind.unit,
        )
        for kind, value in consultation.unlikely(said)
    ]


def _number(value: Decimal, language: Language) -> str:
    return number(float(value), language)


# Saving.


async def _saved(opened: Opening, id_: str, fields: Fields) -> Response:
    said, errors = consultation.read(fields)
    language = opened.language
    if said.empty and not errors:
        errors = {"": "consultation.nothing"}
    if errors:
        wrong = {name: say(sentence, language) for name, sentence in errors.items()}
        return await _shown(opened, id_, fields, wrong, status=422)
    house, patient = opened.house, PatientId(opened.patient)
    words = {name: say(f"consultation.{name}", language) for name in _WORDS}
    words |= {name: say(f"consultation.measure-{name}", language) for name in _MEASURES}
    writer = Writer(words, _written)
    try:
        saved = await house.consulting.save(opened.asking, patient, said, id_, writer, house.base)
    except ConflictError as error:
        if error.sentence != "consultation.saved-already":
            raise
        return go_to(f"/record/{opened.patient}")
    look = "".join(f"&look={kind.name}" for kind, _ in consultation.unlikely(said))
    return go_to(f"{_here(opened)}/{saved.visit}?waiting={saved.waiting}{look}")


_WORDS: Final = ("title", "reason", "note", "letter", "certificate", "to")
_MEASURES: Final = (*MEASURED, "systolic", "diastolic")


def _written(at: int) -> str:
    """Write an instant with its offset, to the second, by the clock of this house."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone().isoformat(timespec="seconds")


async def visit(request: Request) -> Response:
    """Show what a consultation wrote, and what may be printed of it."""
    opened = _professional(await opening(request))
    pick = consulting.of_visit(str(request.path_params["visit"]))
    try:
        chart = await opened.house.charting.page(opened.asking, opened.patient, pick)
    except NotFoundError:
        return closed(opened)
    items = [line for line in chart.groups["items"] if not line.reference.startswith("Binary/")]
    asked = request.query_params
    waiting = asked.get("waiting", "0")
    return page(
        request,
        "clinician/consultation_saved.html",
        items=[rows.row(opened, line) for line in items],
        prescribed=[
            _prescribed(line) for line in reversed(items) if line.reference.startswith("MedicationRequest/")
        ],
        waiting=waiting.isdecimal() and waiting != "0",
        look=[
            say(f"consultation.measure-{name}", opened.language)
            for name in asked.getlist("look")
            if name in _MEASURES
        ],
        **framed(opened, _person(chart), "consultation"),
    )


def _prescribed(line: Line) -> dict[str, str]:
    """Say a treatment as the form of a prescription takes it."""
    resource = measures.decoded(line.body)
    said = lines.treatment(line, Language.FR)
    span = resource.get("dispenseRequest", {}).get("expectedSupplyDuration", {})
    days = f"{span['value']} {span.get('unit', '')}".strip() if "value" in span else ""
    return {"name": said["title"], "dose": said["value"], "duration": days}


# A text of the practice.


async def _put_in(opened: Opening, fields: Fields, which: str) -> dict[str, list[str]]:
    """Put a text into its field, its blanks filled; what was written there stays above it."""
    language = opened.language
    texts = await asyncio.to_thread(opened.house.stationery.of, opened.asking)
    found = next((one for one in (texts or shipped(language)) if one.id == which), None)
    if found is None:
        raise RequestError("consultation.template-gone")
    chart = await opened.house.consulting.page(opened.asking, opened.patient)
    place = _PLACES[found.sort]
    before = (fields.get(place) or [""])[0].rstrip()
    text = stationery.filled(found.text, _blanks(opened, chart, fields))
    after = f"{before}\n\n{text}" if before else text
    return {**{name: list(said) for name, said in fields.items()}, place: [after], AT: [place]}


def _blanks(opened: Opening, chart: Chart, fields: Fields) -> dict[str, str]:
    """Say what each blank stands for, for this person today."""
    language, person = opened.language, _person(chart)
    about = measures.decoded(person) if person is not None else {}
    names = [str(one["title"]) for one in _lines(chart, consulting.TREATMENTS, lines.treatment, language)]
    bar = framed(opened, person)["bar"]
    values = {
        "patient": bar["name"],
        "born": day_of(str(about.get("birthDate", "")), language),
        "date": instant(opened.asking.now, language)[:10],
        "doctor": opened.asking.actor.name,
        "reason": (fields.get("reason") or [""])[0],
        "treatments": ", ".join(names),
    }
    named = {
        say(f"consultation.blank-{one}", spoken): said for one, said in values.items() for spoken in Language
    }
    return named | values


def shipped(language: Language) -> list[Template]:
    """Give the texts to begin from while a practice has none of its own."""
    return [
        Template(f"shipped-{sort.name.lower()}", sort, _said(f"{sort.name.lower()}-name", language), text)
        for sort in (Sort.LETTER, Sort.CERTIFICATE)
        if (text := _said(f"{sort.name.lower()}-text", language))
    ]


def _said(name: str, language: Language) -> str:
    blanks = {one: f"{{{one}}}" for one in stationery.BLANKS}
    return say(f"consultation.shipped-{name}", language, **blanks)


def _typed(form: Form) -> dict[str, list[str]]:
    return {name: form.every(name) for name in FIELDS if any(form.every(name))}


def _professional(opened: Opening) -> Opening:
    if opened.asking.actor.kind is not ActorKind.PROFESSIONAL:
        raise RefusedError("consultation.professionals-only")
    return opened


def _works(opened: Opening) -> bool:
    return bool(opened.asking.actor.structure)


def _person(chart: Chart) -> bytes | None:
    return None if chart.person is None else chart.person.body


def _here(opened: Opening) -> str:
    return f"/record/{opened.patient}/consultation"

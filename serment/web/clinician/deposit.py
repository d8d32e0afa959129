"""Adding to a record what comes from elsewhere: a scan, a call, a dictated note, a received document.

The form asks what nothing enters without: where it comes from, who its author is, of when it is, and who may
see it. A file that is not what it says, or that the scanner refuses, is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import DependencyError, NotFoundError, RefusedError, RequestError
from serment.fhir import deposit, measures
from serment.fhir.consultation_resources import About
from serment.fhir.deposit import SORTS, SOURCES, Content, Deposit
from serment.model import ActorKind
from serment.record.pages.charting import Chart
from serment.record.writing import new_id
from serment.web.clinician.consultation import told
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.clinician.why import closed
from serment.web.forms import Upload, upload_of
from serment.web.shell import go_to, page
from serment.words import Language, say

FORMATS: Final[Mapping[bytes, str]] = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
"""First bytes of a file → its type: what a browser says of it counts for nothing."""

FIELDS: Final = ("source", "author", "day", "time", "sort", "title", "text", "patient", "representatives")
MOST: Final = 10 * 1024 * 1024 + 64 * 1024
"""Bytes of the form: a file of 10 MB and the fields beside it."""


async def ask(request: Request) -> Response:
    """Show the form."""
    opened = _may(await opening(request))
    actor = opened.asking.actor
    done = request.query_params.get("done") == "1"
    return await _shown(opened, {"author": "", "day": _today(opened), "source": ""}, done=done, me=actor.name)


async def add(request: Request) -> Response:
    """Add what was sent: all of it, or nothing with what to do."""
    opened = _may(await opening(request))
    form, files = await upload_of(request, opened.house, most=MOST)
    typed = {name: form.get(name, "") for name in FIELDS}
    language, text = opened.language, typed["text"].replace("\r", "").strip()
    now = datetime.fromtimestamp(opened.asking.now / 1000, UTC).astimezone()
    said, errors = deposit.read(typed, now.date(), text=text, files=len(files))
    content = _content(text, files)
    if content is None and not errors:
        errors["file"] = "consultation.deposit-unknown-format"
    if errors or content is None:
        wrong = {name: say(sentence, language) for name, sentence in errors.items()}
        return await _shown(opened, typed, wrong, status=422)
    try:
        await opened.house.bundling.run(opened.asking, _raw(opened, said, content, now), opened.house.base)
    except NotFoundError:
        return closed(opened)
    except (RequestError, RefusedError, DependencyError) as error:
        return await _shown(opened, typed, {"": told(error, language)}, status=error.status)
    return go_to(f"/record/{opened.patient}/deposit?done=1")


def _raw(opened: Opening, said: Deposit, content: Content, now: datetime) -> bytes:
    language, actor = opened.language, opened.asking.actor
    words = {name: say(f"consultation.sort-{name}", language) for name in SORTS}
    words |= {name: say(f"consultation.source-{name}", language) for name in SOURCES}
    stamp = now.isoformat(timespec="seconds")
    about = About(opened.patient, actor.id, actor.name, stamp, stamp, words)
    hour = time.fromisoformat(said.time) if said.time else time(12)
    local = datetime.combine(datetime.fromisoformat(said.day), hour).astimezone()
    at = min(local, now.replace(microsecond=0)).isoformat(timespec="seconds")
    return deposit.transaction(said, content, about, at, new_id)


def _content(text: str, files: list[Upload]) -> Content | None:
    """Say what came, by its own first bytes; None for a file that is none of ours."""
    if not files:
        return Content("text/plain; charset=utf-8", text.encode()) if text else None
    found = [kind for start, kind in FORMATS.items() if files[0].content.startswith(start)]
    return Content(found[0], files[0].content) if found else None


async def _shown(
    opened: Opening,
    typed: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    *,
    status: int = 200,
    done: bool = False,
    me: str = "",
) -> Response:
    try:
        chart = await opened.house.charting.page(opened.asking, opened.patient)
    except NotFoundError:
        return closed(opened)
    language = opened.language
    return page(
        opened.request,
        "clinician/deposit.html",
        status,
        typed={name: typed.get(name, "") for name in FIELDS},
        errors=errors or {},
        done=done,
        me=me or opened.asking.actor.name,
        today=_today(opened),
        sources=_choices(SOURCES, "source", language),
        sorts=_choices(SORTS, "sort", language),
        minor=_minor(chart, opened.asking.now),
        **framed(opened, None if chart.person is None else chart.person.body, "deposit"),
    )


def _choices(names: Any, family: str, language: Language) -> list[tuple[str, str]]:
    return [("", "…"), *((name, say(f"consultation.{family}-{name}", language)) for name in names)]


def _minor(chart: Chart, now: int) -> bool:
    """Say whether the person is under eighteen today: the law's question is asked of them only."""
    person = None if chart.person is None else measures.decoded(chart.person.body)
    born = str(person.get("birthDate", "")) if person is not None else ""
    today = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
    return bool(born) and born > f"{int(today[:4]) - 18}{today[4:]}"


def _may(opened: Opening) -> Opening:
    if opened.asking.actor.kind is not ActorKind.PROFESSIONAL:
        raise RefusedError("consultation.professionals-only")
    return opened


def _today(opened: Opening) -> str:
    return datetime.fromtimestamp(opened.asking.now / 1000, UTC).astimezone().date().isoformat()

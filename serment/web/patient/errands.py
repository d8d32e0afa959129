"""What a patient is asked, and what they ask: an access, a document, a correction, a question, a call.

The same pages for the person and for who represents them, at the addresses of either. What is typed stands
in no address; a form that does not pass comes back as it was typed, with what is to be mended beside it.

Order: whose pages, what waits, an access, a document, a correction, questions to the officers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of
from serment.errors import NotFoundError, RefusedError, RequestError
from serment.fhir.summary import summary
from serment.model import ActorKind, Instant, PatientId
from serment.record.asking import Asking
from serment.record.between.errands import MOST_DEPOSIT, Paper, Waiting
from serment.record.between.inbox import Errand, due, late
from serment.record.between.permitting import PERMIT_DAYS
from serment.record.between.questioning import ABOUT, SUBJECTS, Call, Queued, checked
from serment.record.house import House
from serment.web.forms import Form, Upload, page_form, upload_of
from serment.web.shell import go_to, page, who_of
from serment.web.written import instant, long_day
from serment.words import Language, say
from serment.words.health import without_health_words

USUAL_DAYS: Final = 30
MOST_UPLOAD: Final = MOST_DEPOSIT + 64 * 1024


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody before a record that is theirs, or of whom they represent; `base` begins its addresses."""

    request: Request = field(repr=False)
    house: House = field(repr=False)
    asking: Asking = field(repr=False)
    patient: PatientId = field(repr=False)
    base: str = field(repr=False)

    @property
    def language(self) -> Language:
        """Give the language of the answer."""
        return self.asking.language

    def say(self, sentence: str, **parameters: object) -> str:
        """Say a sentence in the language of whoever reads."""
        return say(sentence, self.language, **parameters)

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render one of these pages."""
        who = who_of(self.request, self.house, self.asking)
        return page(self.request, f"patient/{template}", status, base=self.base, **who, **values)


def desk(request: Request) -> Desk:
    """Say before which record somebody stands. Raises `NotFoundError` for whoever is not of its side."""
    house = house_of(request)
    asking = cookie_of(request, house)
    named = request.path_params.get("id")
    if named is not None and asking.actor.kind is ActorKind.PROXY:
        return Desk(request, house, asking, PatientId(named), f"/record/{named}")
    if named is None and asking.actor.patient is not None:
        return Desk(request, house, asking, asking.actor.patient, "/me")
    raise NotFoundError("record.not-found")


# What waits.


async def errands(request: Request) -> Response:
    """Show what there is to do, the answers that came, and what was asked."""
    here = desk(request)
    waiting = await here.house.errands.for_patient(here.asking, here.patient)
    questions = await run_in_threadpool(here.house.questioning.mine, here.asking)
    told = {kind: [_told(here, one) for one in waiting if one.pointer.kind is kind] for kind in Errand}
    answered = [one for one in questions if one.question.answered and not one.pointer.done]
    return here.page(
        "errands.html",
        accesses=told[Errand.CONSENT_ASKED],
        deposits=told[Errand.DEPOSIT_ASKED],
        answers=told[Errand.CORRECTION_ANSWERED],
        asked=told[Errand.CORRECTION],
        replies=[_question(here, one) for one in answered],
        questions=[_question(here, one) for one in questions if not one.question.answered],
        days=[(days, here.say(f"errands.days-{days}")) for days in PERMIT_DAYS],
        usual=USUAL_DAYS,
    )


def _told(here: Desk, one: Waiting) -> dict[str, Any]:
    """Say one errand: who, why or what, since when, until when."""
    pointer, asked = one.pointer, one.asked
    role = f"ledger.function-{pointer.role}"
    kind = pointer.code.partition("/")[0]
    sentence = {
        Errand.CONSENT_ASKED: f"errands.reason-{kind}",
        Errand.DEPOSIT_ASKED: f"errands.kind-{kind}",
        Errand.CORRECTION_ANSWERED: f"errands.answer-{kind}",
    }.get(pointer.kind, "")
    return {
        "id": pointer.id,
        "who": pointer.by,
        "role": here.say(role) if pointer.role else "",
        "what": here.say(sentence) if sentence else "",
        "text": asked.text if asked is not None else "",
        "day": long_day(pointer.at, here.language),
        "until": long_day(pointer.until, here.language) if pointer.until else "",
        "due": _day(here, pointer.at),
        "late": late(pointer, here.asking.now),
    }


def _question(here: Desk, one: Queued) -> dict[str, Any]:
    question = one.question
    about = question.about
    subject = f"errands.about-{question.code}" if about else f"errands.subject-{question.code}"
    return {
        "id": one.pointer.id,
        "what": here.say(subject),
        "about": "" if about is None else f"{about.name} · {instant(about.t, here.language)}",
        "day": long_day(question.at, here.language),
        "due": _day(here, question.at),
        "answer": question.answer,
        "by": question.by,
    }


def _day(here: Desk, at: int) -> str:
    """Say by which day the GDPR wants an answer."""
    day = due(at)
    return day.isoformat() if here.language is Language.EN else f"{day:%d/%m/%Y}"


async def seen(request: Request) -> Response:
    """Put an answer away once it is read."""
    here = desk(request)
    form = await page_form(request, here.house)
    id_ = form.get("id", "")
    if form.get("of") == "officer":
        await run_in_threadpool(here.house.inbox.settle, here.asking, id_)
    else:
        await here.house.errands.settle(here.asking, here.patient, id_)
    return go_to(f"{here.base}/errands")


# An access.


async def answer_access(request: Request) -> Response:
    """Take a yes, for so many days, or a no."""
    here = desk(request)
    form = await page_form(request, here.house)
    said, days = form.get("say", ""), form.get("days", "")
    if said not in {"yes", "no"} or (said == "yes" and not days.isdecimal()):
        raise RequestError("errands.days")
    chosen = int(days[:6]) if said == "yes" else None
    await here.house.permitting.answer(here.asking, here.patient, form.get("id", ""), days=chosen)
    return go_to(f"{here.base}/errands", did="agreed" if said == "yes" else "refused")


# A document.


async def deposit(request: Request) -> Response:
    """Show what is asked for, and take the file, once."""
    here = desk(request)
    id_ = str(request.path_params["errand"])
    if request.method != "POST":
        return await _deposit_page(here, id_)
    form, files = await upload_of(request, here.house, most=MOST_UPLOAD)
    title = form.get("title", "").strip()
    try:
        await here.house.errands.deposit(here.asking, here.patient, id_, _paper(title, files))
    except (NotFoundError, RefusedError):
        raise
    except RequestError as error:
        return await _deposit_page(here, id_, title=title, error=error)
    return here.page("deposited.html", title=title)


def _paper(title: str, files: list[Upload]) -> Paper:
    """Give the one document of a form. Raises `RequestError` for what is missing."""
    if not files:
        raise RequestError("errands.no-file")
    if not title:
        raise RequestError("errands.no-title")
    return Paper(title, files[0].media_type, files[0].content)


async def _deposit_page(
    here: Desk, id_: str, *, title: str = "", error: RequestError | None = None
) -> Response:
    waiting = await here.house.errands.waiting(here.asking, here.patient, id_, Errand.DEPOSIT_ASKED)
    of_title = error is not None and error.sentence == "errands.no-title"
    said = "" if error is None else error.said(here.language)
    return here.page(
        "deposit.html",
        200 if error is None else error.status,
        errand=_told(here, waiting),
        title=title,
        title_error=said if of_title else "",
        file_error="" if of_title else said,
        most=MOST_DEPOSIT // 1024**2,
    )


# A correction.


async def correct(request: Request) -> Response:
    """Show the item that is said to be wrong, and take what is wrong in it."""
    here = desk(request)
    type_, id_ = str(request.path_params["type"]), str(request.path_params["item"])
    if request.method != "POST":
        return await _correct_page(here, type_, id_)
    form = await page_form(request, here.house)
    text = form.get("text", "")
    try:
        await here.house.errands.ask_correction(here.asking, here.patient, f"{type_}/{id_}", text)
    except (NotFoundError, RefusedError):
        raise
    except RequestError as error:
        return await _correct_page(here, type_, id_, text=text, error=error.said(here.language))
    return go_to(f"{here.base}/errands", did="sent")


async def _correct_page(here: Desk, type_: str, id_: str, *, text: str = "", error: str = "") -> Response:
    served = await here.house.reading.read(here.asking, type_, id_)
    said = summary(msgspec.json.decode(served.body), here.language)
    return here.page(
        "correct.html",
        400 if error else 200,
        item={"title": said.title, "value": said.value, "date": said.date},
        to=f"{here.base}/correct/{type_}/{id_}",
        text=text,
        error=error,
    )


# Questions to the officers.


async def ask_access(request: Request) -> Response:
    """Show which access is asked about, and what may be asked; then take it."""
    here = desk(request)
    form = await page_form(request, here.house)
    act, at, about = form.get("request", ""), form.get("at", ""), form.get("about", "")
    when = Instant(int(at)) if at.isdecimal() and len(at) < 16 else Instant(0)
    if not about:
        return here.page(
            "ask_access.html",
            act=act,
            at=at,
            named=form.get("who", "")[:200],
            when=instant(when, here.language) if when else "",
            abouts=[(one, here.say(f"errands.about-{one}")) for one in ABOUT],
        )
    await here.house.questioning.ask_about(here.asking, here.patient, act, when, about)
    return go_to(f"{here.base}/errands", did="sent")


async def contact(request: Request) -> Response:
    """Ask to be called back; words that tell of health are shown, and are not sent."""
    here = desk(request)
    if request.method != "POST":
        return _contact_page(here, Form({}))
    form = await page_form(request, here.house)
    call = _call(form)
    if form.get("send") == "without":
        call = Call(
            call.subject, call.phone, without_health_words(call.hours), without_health_words(call.text)
        )
    try:
        checked(call)
    except RequestError as error:
        return _contact_page(here, form, call, error)
    await here.house.questioning.call_back(here.asking, here.patient, call)
    return go_to(f"{here.base}/errands", did="sent")


def _call(form: Form) -> Call:
    return Call(form.get("subject", ""), form.get("phone", ""), form.get("hours", ""), form.get("text", ""))


_BESIDE: Final = {
    "errands.phone": "phone",
    "errands.hours": "hours",
    "errands.call-form": "subject",
    "errands.health-words": "text",
}
"""Sentence of what is to be mended → the field beside which it stands."""


def _contact_page(
    here: Desk, form: Form, call: Call | None = None, error: RequestError | None = None
) -> Response:
    said = "" if error is None else error.said(here.language)
    beside = "" if error is None else _BESIDE.get(error.sentence, "text")
    return here.page(
        "contact.html",
        200 if error is None else error.status,
        typed={name: form.get(name, "") for name in ("subject", "phone", "hours", "text")},
        errors={name: said if name == beside else "" for name in ("subject", "phone", "hours", "text")},
        words=call.health_words if call is not None else [],
        without=without_health_words(call.text) if call is not None else "",
        subjects=[("", here.say("errands.choose")), *_subjects(here)],
    )


def _subjects(here: Desk) -> list[tuple[str, str]]:
    return [(one, here.say(f"errands.subject-{one}")) for one in SUBJECTS]

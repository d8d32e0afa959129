"""What stands around every page of a record: whom it is about, where one may go in it, a running emergency.

A page of a record begins with `opening` (who asks, in the emergency that runs when there is one) and gives
`framed` of the person whom its own passage read to a template that extends `clinician/record_page.html`.
Nothing is read here but whether an emergency runs; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from serment.access.prescribers import may_prescribe
from serment.door.asking import cookie_of, house_of
from serment.fhir.summary import person_name
from serment.identity.status import status
from serment.identity.who import who_of as person_of
from serment.model import ActorKind
from serment.record.asking import Asking
from serment.record.care.urgent import Episode
from serment.record.house import House
from serment.web.shell import who_of
from serment.web.written import age, day_of
from serment.words import Language, catalogue, say

CARE: Final = frozenset({ActorKind.PROFESSIONAL})
READERS: Final = CARE | {ActorKind.PROXY, ActorKind.PATIENT}
EVERYBODY: Final = READERS | {ActorKind.STAFF}


@dataclass(frozen=True, slots=True)
class Section:
    """One page of a record: the end of its address, the key that opens it, for which kinds of actor it is."""

    name: str
    key: str
    kinds: Collection[ActorKind]
    path: str = ""


HIDDEN: Final = {ActorKind.PROXY: "web.home.may-proxy", ActorKind.PATIENT: "web.record.hidden-holder"}
"""What is said, of any record, to who does not read it to care; to who does, `web.record.hidden`."""

SUMMARY: Final = "summary"
PRESCRIPTION: Final = "prescription"
SECTIONS: Final = (
    Section(SUMMARY, "r", EVERYBODY),
    Section("timeline", "t", READERS, "/timeline"),
    Section("allergies", "a", READERS, "/allergies"),
    Section("problems", "p", READERS, "/problems"),
    Section("treatments", "m", READERS, "/treatments"),
    Section("vaccinations", "n", READERS, "/vaccinations"),
    Section("vitals", "v", READERS, "/vitals"),
    Section("labs", "l", READERS, "/labs"),
    Section("documents", "d", READERS, "/documents"),
    Section("appointments", "k", CARE | {ActorKind.STAFF}, "/appointments"),
    Section("consultation", "c", CARE, "/consultation"),
    Section(PRESCRIPTION, "o", CARE, "/prescription"),
    Section("deposit", "e", CARE, "/deposit"),
    Section("ask-document", "q", CARE, "/ask-document"),
    Section("print", "i", CARE, "/print"),
    Section("share", "s", READERS, "/share"),
    Section("why", "w", EVERYBODY, "/why"),
)
"""The navigation of a record, in its order; one that this server has no page for is left out."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Who opens a page of which record: `episode` is the emergency access that runs, if any."""

    request: Request = field(repr=False)
    house: House = field(repr=False)
    asking: Asking
    patient: str = field(repr=False)
    episode: Episode | None = None

    @property
    def language(self) -> Language:
        """Give the language of the answer."""
        return self.asking.language


async def opening(request: Request) -> Opening:
    """Say who asks for a page of the record `{id}` of its address. Raises as `cookie_of`."""
    house = house_of(request)
    patient = str(request.path_params["id"])
    asking, episode = await house.urgent.asking(cookie_of(request, house), patient)
    return Opening(request, house, asking, patient, episode)


def framed(opened: Opening, person: bytes | None, here: str = "") -> dict[str, Any]:
    """Give what `clinician/record_page.html` shows around a page.

    `person` are the bytes of the Patient as the page's own passage gave them, None when the reader may not
    see who it is about; `here` is the name of the page's section.
    """
    return {
        "record": f"/record/{opened.patient}",
        "bar": bar(person, opened.language, opened.asking.now),
        "sections": _sections(opened, here),
        "urgent": _urgent(opened),
        **who_of(opened.request, opened.house, opened.asking),
    }


def bar(person: bytes | None, language: Language, now: int) -> dict[str, str]:
    """Say who a record is about, as the bar of each of its pages does. What is not known is ""."""
    if person is None:
        return {"name": say("clinician.bar-nobody", language), "birth": "", "about": "", "status": ""}
    patient: Mapping[str, Any] = msgspec.json.decode(person)
    who = person_of(patient, "", "", "")
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone().date()
    born = day_of(who.birth_date, language)
    parts = [
        _word(f"clinician.sex-{who.sex}", language),
        say(f"clinician.born-{_grammar(who.sex)}", language, date=born) if born else "",
        _age(who.birth_date, today, language),
    ]
    other = bool(who.used) and who.used.upper() != who.birth.upper()
    code = status(patient)
    return {
        "name": person_name(dict(patient)) or f"{who.used or who.birth} {who.given}".strip(),
        "birth": say("clinician.birth-name", language, name=who.birth) if other else "",
        "about": " · ".join(part for part in parts if part),
        "status": say("clinician.identity", language, status=_word(f"web.status-{code}", language)),
        "meaning": _word(f"clinician.identity-{code}", language),
    }


def _age(born: str, today: date, language: Language) -> str:
    """Say an age: in months for who is not two yet."""
    years = age(born, today)
    if years is None:
        return ""
    if years > 1:
        return say("clinician.age-years", language, years=years)
    day = date.fromisoformat(born)
    months = (today.year - day.year) * 12 + today.month - day.month - (today.day < day.day)
    return say("clinician.age-months", language, months=max(0, months))


def _grammar(sex: str) -> str:
    return sex if sex in {"male", "female"} else "other"


def _word(sentence: str, language: Language) -> str:
    """Say a code in words; one that the catalogue does not know is left out."""
    return say(sentence, language) if sentence in catalogue() else ""


def hidden_said(opened: Opening) -> str:
    """Name the sentence that says, of any record, that it may hold more than one sees."""
    kind = opened.asking.actor.kind
    return HIDDEN.get(kind, "web.record.hidden")


def _sections(opened: Opening, here: str) -> list[dict[str, Any]]:
    built = {route.path for route in opened.request.app.routes if isinstance(route, Route)}
    actor = opened.asking.actor
    return [
        {
            "to": f"/record/{opened.patient}{one.path}",
            "says": say(f"clinician.section-{one.name}", opened.language),
            "key": one.key,
            "here": one.name == here,
        }
        for one in SECTIONS
        if actor.kind in one.kinds
        and f"/record/{{id}}{one.path}" in built
        and (one.name != PRESCRIPTION or may_prescribe(actor))
    ]


def _urgent(opened: Opening) -> dict[str, str] | None:
    """Say that an emergency access runs, until when and why."""
    episode, language = opened.episode, opened.language
    if episode is None:
        return None
    until = datetime.fromtimestamp(episode.until / 1000, UTC).astimezone()
    reasons = ", ".join(say(f"ledger.reason-{one}", language) for one in episode.reasons)
    runs = "clinician.ground-runs" if opened.asking.actor.kind is ActorKind.PROXY else "clinician.urgent-runs"
    return {"said": say(runs, language, until=f"{until:%H:%M}", reasons=reasons)}

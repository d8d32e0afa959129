"""My choices: what I hide, from whom, for what; each with its state in words, what it changes, and its undo.

A choice is told in full before it is made (its page of consequences), is in force at the next request, and is
taken back by one gesture. What is shown is what rules (`record/pages/chosen`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.access.record_facts import (
    BLOCKED,
    CONSENT,
    EMERGENCY_OPPOSED,
    HEIRS_OPPOSED,
    MASKED,
    OPPOSED,
    OPPOSED_CATEGORY,
    OPPOSED_PART,
    REGULATION_OPPOSED,
    RESEARCH_OPPOSED,
    Choice,
)
from serment.errors import MalformedError, RequestError
from serment.identity import rpps
from serment.model import Category, Regime
from serment.record.pages.chosen import Standing
from serment.web.forms import Form, page_form
from serment.web.groups import category_name
from serment.web.patient.known import found, names_of
from serment.web.patient.mine import Errors, Mine, mine
from serment.web.shell import go_to
from serment.web.written import day_of, long_day

HERE: Final = "/me/choices"

OPPOSABLE: Final = (
    "allergies",
    "problems",
    "treatments",
    "vaccinations",
    "vitals",
    "labs",
    "imaging",
    "notes",
    "10",
    "11",
    "31",
    "42",
    "52",
    "administrative",
)
"""Categories that one may oppose apart, in the order of the record."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a form of this page asks for: a kind of choice, about whom or what, until when."""

    what: str
    number: str = ""
    category: str = ""
    until: str = ""

    @property
    def about(self) -> dict[str, str]:
        """Give the fields that the next form carries on."""
        return {
            "what": self.what,
            "number": self.number,
            "category": self.category,
            "until": self.until,
        }


Act = Callable[[Mine, _Asked], Awaitable[object]]

ACTS: Final[dict[str, Act]] = {
    "block": lambda mine_, said: mine_.house.choosing.block(mine_.asking, mine_.patient, said.number),
    "oppose": lambda mine_, _: mine_.house.choosing.oppose(mine_.asking, mine_.patient),
    "oppose-category": lambda mine_, said: mine_.house.choosing.oppose(
        mine_.asking, mine_.patient, said.category
    ),
    "permit": lambda mine_, said: mine_.house.choosing.permit(
        mine_.asking, mine_.patient, said.number, said.until
    ),
    "emergency": lambda mine_, _: mine_.house.choosing.oppose_emergency(mine_.asking, mine_.patient),
    "research": lambda mine_, _: mine_.house.choosing.oppose_research(mine_.asking, mine_.patient),
    "heirs": lambda mine_, _: mine_.house.choosing.oppose_heirs(mine_.asking, mine_.patient),
    "attending": lambda mine_, said: mine_.house.choosing.confirm_attending(
        mine_.asking, mine_.patient, said.number
    ),
}
"""What each kind of choice does, once its consequence was told."""

WITH_NUMBER: Final = frozenset({"block", "permit", "attending"})


async def choices(request: Request) -> Response:
    """Show every choice with its state; tell what one changes, make it once that was read, take one back."""
    mine_ = mine(request)
    return await (_choose(request, mine_) if request.method == "POST" else _shown(mine_))


async def _choose(request: Request, mine_: Mine) -> Response:
    form = await page_form(request, mine_.house)
    if form.get("what") == "back":
        await mine_.house.choosing.take_back(mine_.asking, mine_.patient, form.get("choice", ""))
        return go_to(HERE, did="saved")
    if form.get("what") in WITH_NUMBER and not rpps.read(_typed(form)):
        people = await found(mine_, _typed(form))
        if len(people) > 1:
            return _which(mine_, form, people)
        form["number"] = people[0][0] if people else form.get("number", "")
    said, errors = _read(mine_, form)
    if errors:
        return await _shown(mine_, 400, errors, form)
    if form.get("read") != "yes":
        return await _told(mine_, said)
    try:
        await ACTS[said.what](mine_, said)
    except RequestError as error:
        return await _shown(mine_, error.status, {said.what: error.said(mine_.language)}, form)
    return go_to(HERE, did="saved")


def _typed(form: Form) -> str:
    """Give the number or the name of a professional as it was typed, a number without its blanks."""
    typed = form.get("number", "")
    bare = typed.replace(" ", "")
    return bare if bare.isdecimal() else typed


def _which(mine_: Mine, form: Form, people: list[tuple[str, str]]) -> Response:
    """Ask which one is meant of several of a name."""
    return mine_.page(
        "which.html",
        what=form["what"],
        typed=form["number"][:100],
        until=form.get("until", ""),
        people=[(number, f"{name} ({number})") for number, name in people],
    )


def _read(mine_: Mine, form: Form) -> tuple[_Asked, dict[str, str]]:
    """Read a form, and say beside which part of the page what is wrong. Raises `MalformedError`."""
    what = form.get("what", "")
    if what not in ACTS:
        raise MalformedError("web.form-unreadable")
    number = rpps.read(_typed(form))
    said = _Asked(what, number, form.get("category", ""), form.get("until", ""))
    if what in WITH_NUMBER and not number:
        return said, {what: mine_.say("patient.number-wrong")}
    if what == "oppose-category" and said.category not in OPPOSABLE:
        return said, {what: mine_.say("patient.category-missing")}
    if what == "permit" and not mine_.to_come(said.until):
        return said, {what: mine_.say("patient.until-missing")}
    return said, {}


async def _told(mine_: Mine, said: _Asked) -> Response:
    """Show what a choice changes for care before it is made."""
    names = await names_of(mine_, [f"rpps:{said.number}"]) if said.number else {}
    about = names.get(f"rpps:{said.number}", said.number)
    if said.category:
        about = category_name(said.category, mine_.language)
    return mine_.page(
        "choice.html",
        what=said.what,
        title=mine_.say(f"patient.choose-{said.what}"),
        consequences=mine_.say(f"patient.choose-{said.what}-changes").split("\n"),
        about=about,
        until=day_of(said.until, mine_.language),
        fields=[(name, value) for name, value in said.about.items() if value],
        danger=said.what in {"oppose", "emergency", "block"},
    )


async def _shown(
    mine_: Mine, status: int = 200, errors: dict[str, str] | None = None, form: Form | None = None
) -> Response:
    standing = await mine_.house.chosen.standing(mine_.asking, mine_.patient)
    actors = [*(one.actor for one in standing.choices), *(one.actor for one in standing.attending)]
    names = await names_of(mine_, [one for one in actors if one.startswith("rpps:")])
    return mine_.page(
        "choices.html",
        status,
        shared=standing.regime == Regime.SHARED,
        masked=len({one.item for one in standing.of(MASKED)}),
        attending=[names.get(one.actor, "") for one in standing.attending],
        blocked=[_line(mine_, one, names) for one in standing.of(BLOCKED)],
        opposed=[_line(mine_, one, names) for one in _opposed(standing)],
        permitted=[_line(mine_, one, names) for one in _permitted(standing)],
        emergency=[_line(mine_, one, names) for one in standing.of(EMERGENCY_OPPOSED)],
        regulation=[_line(mine_, one, names) for one in standing.of(REGULATION_OPPOSED)],
        research=[_line(mine_, one, names) for one in standing.of(RESEARCH_OPPOSED)],
        heirs=[_line(mine_, one, names) for one in standing.of(HEIRS_OPPOSED)],
        categories=[(one, category_name(one, mine_.language)) for one in OPPOSABLE],
        tomorrow=mine_.tomorrow,
        errors=Errors(errors or {}),
        typed=form or {},
    )


def _opposed(standing: Standing) -> list[Choice]:
    """Give the oppositions of the whole or of a part, the widest first."""
    return [*standing.of(OPPOSED), *standing.of(OPPOSED_CATEGORY), *standing.of(OPPOSED_PART)]


def _permitted(standing: Standing) -> list[Choice]:
    """Give the consents to people outside the team; those that name a carer have a page of their own."""
    return [one for one in standing.of(CONSENT) if not one.actor.startswith("proxy:")]


def _line(mine_: Mine, one: Choice, names: dict[str, str]) -> dict[str, Any]:
    """Say one choice: about whom or what, since when, until when."""
    known = one.category in set(Category)
    return {
        "id": one.id,
        "who": names.get(one.actor, mine_.say("patient.everybody") if not one.actor else one.actor),
        "category": category_name(one.category, mine_.language) if known else "",
        "since": long_day(one.start, mine_.language) if one.start else "",
        "until": long_day(one.end, mine_.language) if one.end else "",
    }

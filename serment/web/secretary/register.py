"""Registering a person: the likely ones are looked for first, and shown before anything is written.

One form. Somebody likely stands in the way until a reason is given (a twin, a namesake, says to be somebody
else); a certain one always. Nothing that was typed stands in an address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import ConflictError, InvalidResourceError, RefusedError, RequestError
from serment.fhir.registration import Reached, Registered, person
from serment.identity import birth_dates, names, places
from serment.identity.traits import SEXES, Traits
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.persons.registering import IN_SPITE, Likely
from serment.web.finding import said_of
from serment.web.forms import Form, page_form
from serment.web.secretary.desk import RECEPTION, desk_of, today_of
from serment.web.shell import go_to, page, who_of
from serment.words import Language, say

TEMPLATE = "secretary/register.html"


async def asked(request: Request) -> Response:
    """Show the empty form."""
    here = desk_of(request)
    return here if isinstance(here, Response) else _form(request, *here, Form({}))


async def register(request: Request) -> Response:
    """Look for the likely ones, then register."""
    here = desk_of(request)
    if isinstance(here, Response):
        return here
    house, asking = here
    form = await page_form(request, house)
    strict, errors = _typed(form, asking)
    if strict is None:
        return _form(request, house, asking, form, 400, errors=errors)
    try:
        ready = incoming.read(person(_registered(form, strict)), "Patient", house.base)
        if form.get("seen") != "1":
            likely = await house.registering.alike(asking, ready.document.value)
            if likely:
                return _form(request, house, asking, form, 409, likely=likely)
        made = await house.registering.create(asking, ready, form.get("in-spite", ""))
    except ConflictError as error:
        likely = await house.registering.alike(asking, ready.document.value)
        return _form(request, house, asking, form, 409, likely=likely, error=error.said(asking.language))
    except (RefusedError, RequestError, InvalidResourceError) as error:
        return _form(request, house, asking, form, error.status, error=error.said(asking.language))
    return go_to(f"{RECEPTION}/person/{made.id}")


def _registered(form: Form, strict: Traits) -> Registered:
    reached = Reached(
        form.get("phone", "").strip()[:40],
        form.get("mail", "").strip()[:120],
        form.get("line", "").strip()[:200],
        form.get("postcode", "").strip()[:12],
        form.get("city", "").strip()[:80],
    )
    used = form.get("used-name", "").strip()[: names.LONGEST]
    return Registered(strict, used, form.get("used-given", "").strip()[: names.LONGEST], reached)


def _typed(form: Form, asking: Asking) -> tuple[Traits | None, dict[str, str]]:
    """Read the five traits; what cannot be is said beside its field."""
    today = today_of(asking.now).isoformat()
    place = form.get("birth-place", "").strip() or places.UNKNOWN
    checks: dict[str, Callable[[], str]] = {
        "birth-name": lambda: names.normalise(form.get("birth-name", "")),
        "given": lambda: names.normalise(form.get("given", "")),
        "birth-date": lambda: birth_dates.check(form.get("birth-date", ""), today),
        "birth-place": lambda: places.check(place),
    }
    said, errors = {}, {}
    for name, check in checks.items():
        try:
            said[name] = check()
        except RequestError as error:
            errors[name] = error.said(asking.language)
    if form.get("sex", "") not in SEXES.values():
        errors["sex"] = say("identity.sex", asking.language)
    if errors:
        return None, errors
    return Traits(said["birth-name"], said["given"], said["birth-date"], form["sex"], said["birth-place"]), {}


def _form(
    request: Request,
    house: House,
    asking: Asking,
    form: Form,
    status: int = 200,
    *,
    errors: dict[str, str] | None = None,
    likely: list[Likely] | None = None,
    error: str = "",
) -> Response:
    return page(
        request,
        TEMPLATE,
        status,
        typed=form,
        errors=errors or {},
        error=error,
        likely=[_likely(one, asking.language) for one in likely or []],
        certain=any(one.certain for one in likely or []),
        sexes=[(code, say(f"secretary.sex-{code}", asking.language)) for code in ("F", "M")],
        spites=[(code, say(f"secretary.spite-{code}", asking.language)) for code in IN_SPITE],
        **who_of(request, house, asking),
    )


def _likely(one: Likely, language: Language) -> dict[str, Any]:
    to = f"{RECEPTION}/person/{one.who.patient}"
    return {**said_of(one.who, language), "record": to, "certain": one.certain}

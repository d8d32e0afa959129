"""Sharing: with a colleague who has an account here, or by a one-time link; always with an end (ADR 62).

A professional leaves a pointer in the colleague's list: it opens nothing, what the colleague may see is
decided when they come. A holder gives one professional leave to read, until a day.

The address and the passcode are shown once, on the answer itself: neither is kept in clear, and we send
neither to anybody. Where the server has no public name there is no link, and the page says why.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.errors import RefusedError, RequestError
from serment.fhir.consent import consent, permitting
from serment.fhir.dates import instant_text
from serment.identity import rpps
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, ActorKind
from serment.record import incoming
from serment.record.between.inbox import Errand, pointing
from serment.record.outward.leaving import Leave
from serment.record.outward.links import DAY, MOST_DAYS, MOST_USES, Link
from serment.web.clinician.choosing_items import offered
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.forms import MOST_FORM, Form, page_form
from serment.web.shell import go_to, page
from serment.web.written import instant
from serment.words import say

SECTION: Final = "share"
DAYS: Final = ("1", "3", "7", "14", "31")
USUAL: Final = "7"

_READ: Final = Leave(Act.READ, Interaction.READ)


async def share(request: Request) -> Response:
    """Show what may be shared, and the links that stand; make a link."""
    opened = await opening(request)
    return await _linked(opened) if request.method == "POST" else await _form(opened, None)


async def _linked(opened: Opening) -> Response:
    """Make a link, and show it once."""
    request = opened.request
    form = await page_form(request, opened.house, most=2 * MOST_FORM)
    if not reachable(opened.house.base):
        raise RefusedError("paper.no-public-name")
    items, days, uses = form.every("item"), _number(form, "days"), _number(form, "uses")
    links, agreed = opened.house.links, bool(form.get("agreed"))
    try:
        await links.check(opened.asking, opened.patient, items, days, uses, agreed=agreed)
    except (RequestError, RefusedError) as error:
        if error.status == 404:
            raise
        return await _form(opened, form, error.said(opened.language))
    handed = await run_in_threadpool(links.make, opened.asking, opened.patient, items, days, uses)
    person, _ = await offered(opened)
    address = f"{opened.house.base.removesuffix('/fhir')}/shared/{handed.secret}"
    return page(
        request,
        "clinician/shared_once.html",
        address=address,
        handed=handed,
        until=instant(handed.until, opened.language),
        **framed(opened, person, SECTION),
    )


async def with_colleague(request: Request) -> Response:
    """Tell a colleague of items, or (the holder) let them read, until a day.

    Whether somebody has that number, and what they may see, is told to nobody here.
    """
    opened = await opening(request)
    form = await page_form(request, opened.house, most=2 * MOST_FORM)
    number, days, items = rpps.read(form.get("number", "").strip()), _number(form, "days"), form.every("item")
    professional = opened.asking.actor.kind is ActorKind.PROFESSIONAL
    lacks = ""
    if not 1 <= days <= MOST_DAYS:
        lacks = say("paper.link-days", opened.language, most=MOST_DAYS)
    elif not number:
        lacks = say("paper.share-number-wrong", opened.language)
    elif professional and not items:
        lacks = say("paper.nothing-chosen", opened.language)
    if lacks:
        return await _form(opened, form, lacks)
    until = opened.asking.now + days * DAY
    if professional:
        await _told(opened, ActorId(f"rpps:{number}"), items, until)
    else:
        await _let(opened, number, until)
    return go_to(f"/record/{opened.patient}/share?told=1")


async def _told(opened: Opening, to: ActorId, items: list[str], until: int) -> None:
    """Leave a pointer to each item that the sharer reads. Raises `NotFoundError`."""
    house, asking = opened.house, opened.asking
    await house.leaving.items(asking, opened.patient, items, _READ)
    pointers = [pointing(Errand.SHARED, opened.patient, item, until=until) for item in dict.fromkeys(items)]
    await run_in_threadpool(house.inbox.put, asking, to, *pointers)


async def _let(opened: Opening, number: str, until: int) -> None:
    """Write the holder's Consent to one professional, with its end. Raises `RefusedError`."""
    word = consent(opened.patient, permitting(number, instant_text(until)))
    ready = incoming.read(word, "Consent", opened.house.base)
    await opened.house.writing.create(opened.asking, ready)


async def end(request: Request) -> Response:
    """End a link at once."""
    opened = await opening(request)
    await page_form(request, opened.house)
    await run_in_threadpool(opened.house.links.end, opened.asking, str(request.path_params["link"]))
    return go_to(f"/record/{opened.patient}/share")


def reachable(base: str) -> bool:
    """Say whether the server has a name under which others reach it, under TLS."""
    host = base.partition("://")[2].partition("/")[0].partition(":")[0]
    return base.startswith("https://") and host != "localhost" and "." in host


async def _form(opened: Opening, form: Form | None, error: str = "") -> Response:
    chosen = frozenset(form.every("item")) if form is not None else frozenset()
    person, lines = await offered(opened, chosen)
    links = await run_in_threadpool(opened.house.links.of_record, opened.asking, opened.patient)
    return page(
        opened.request,
        "clinician/share.html",
        422 if error else 200,
        lines=lines,
        error=error,
        standing=[_said(opened, id_, link) for id_, link in links],
        reachable=reachable(opened.house.base),
        professional=opened.asking.actor.kind is ActorKind.PROFESSIONAL,
        days=[
            (one, say(f"paper.days-{'one' if one == '1' else 'many'}", opened.language, count=one))
            for one in DAYS
        ],
        uses=[(str(one), str(one)) for one in range(1, MOST_USES + 1)],
        chosen_days=form.get("days", USUAL) if form is not None else USUAL,
        chosen_uses=form.get("uses", "1") if form is not None else "1",
        agreed=bool(form.get("agreed")) if form is not None else False,
        number=form.get("number", "") if form is not None else "",
        sent="told" in opened.request.query_params,
        **framed(opened, person, SECTION),
    )


def _said(opened: Opening, id_: str, link: Link) -> dict[str, Any]:
    """Say a link: how much, until when, how often it was opened, whether it stands."""
    return {
        "id": id_,
        "count": len(link.items),
        "made": instant(link.made, opened.language),
        "until": instant(link.until, opened.language),
        "opened": link.opened,
        "stands": link.stands(opened.asking.now),
    }


def _number(form: Form, name: str) -> int:
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0

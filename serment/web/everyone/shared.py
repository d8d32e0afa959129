"""Where a one-time link leads: a passcode, then the document once. Looking at the page spends nothing.

An unknown address, a wrong passcode and a link that is over answer alike. What opens is read in the name of
who shared it, decided and traced at that moment.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import house_of, nobody_yet, people_of
from serment.errors import NotFoundError, SignInError
from serment.exits import printing
from serment.people.accounts import by_actor
from serment.record.asking import Asking
from serment.record.outward.links import SHARED
from serment.web.forms import form_of
from serment.web.sheets import Drawing, pdf
from serment.web.shell import page
from serment.words import say


async def shared(request: Request) -> Response:
    """Ask for the passcode, and look nothing up; give the document to who has it."""
    if request.method == "POST":
        return await _opened(request)
    return page(request, "everyone/shared.html", error="")


async def _opened(request: Request) -> Response:
    """Give the document, once; whatever does not open says the same."""
    house = house_of(request)
    form = await form_of(request)
    asking = nobody_yet(request, house)
    secret = str(request.path_params["secret"])
    try:
        opening = await run_in_threadpool(house.links.open, asking, secret, form.get("passcode", ""))
        await run_in_threadpool(_still_here, request, asking, opening.asking)
        served = await house.links.served(opening)
        draw = Drawing(asking.language)
        made = await printing.laid_out(house, opening.asking, served, draw, SHARED)
    except (SignInError, NotFoundError):
        said = say("paper.link-over", asking.language)
        return page(request, "everyone/shared.html", error=said)
    return pdf(made.pdf, say("paper.file-shared", asking.language))


def _still_here(request: Request, asking: Asking, sharer: Asking) -> None:
    """Hold who shared against the accounts: whoever left the house shares nothing any more.

    A demonstration's people have no account. Raises `SignInError`.
    """
    account = people_of(request).accounts.find(asking, by_actor(sharer.actor.id))
    if account is None and house_of(request).kind.value == "demo":
        return
    standing = account.standing(asking.now) if account is not None else ()
    if (sharer.actor.id, sharer.actor.function) not in {(one.actor, one.function) for one in standing}:
        raise SignInError("paper.link-over")

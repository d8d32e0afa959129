"""The pages of sign-in: a passkey, or a password and a code; then what must be done first, and the exercise.

Without a script a password and a one-time code sign in; a passkey needs the one script of ours. Whatever is
wrong is said by one sentence. What was proved waits in a sealed cookie of this browser, for minutes, while
the person changes a leaked password, reviews passkeys or chooses in which exercise they come. No form of
another site is taken.

Order: coming in, what comes next, proving it once more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

import anyio
import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serment.door import browser
from serment.door.asking import cookie_secret, house_of, language_of, nobody_yet, people_of
from serment.errors import (
    MethodError,
    ProofAgainError,
    RequestError,
    SermentError,
    SignInError,
    TooManyError,
)
from serment.model import ActorKind, Function, Instant
from serment.people.accounts import Account, Exercise
from serment.people.arriving import local
from serment.people.credentials import Passkey
from serment.people.local import LEAKED, Proven, Typed
from serment.people.signing import Proof, Where
from serment.record.asking import Asking
from serment.web.forms import form_of
from serment.web.shell import HEADERS, page
from serment.words import Language, say

T = TypeVar("T")

ARRIVAL: Final = "serment-arrival"
ARRIVAL_MS: Final = 10 * 60 * 1000
SIGN_IN: Final = "sign-in"
AGAIN: Final = "again"

AT_ONCE: Final = 2
"""Passwords that one process compares at the same time: each takes 64 MiB."""
MOST_WAITING: Final = 64
BUSY_SECONDS: Final = 5


class Arrival(msgspec.Struct, array_like=True, frozen=True):
    """Somebody who has proved who they are, and has no session yet."""

    account: str
    methods: tuple[str, ...]
    factors: int
    at: int
    must_renew: bool
    must_review: bool
    to: str


async def sign_in(request: Request) -> Response:
    """Show how to sign in; take a login, a password and a code."""
    if request.method != "POST":
        return await _asked(request, to=local(request.query_params.get("to", "/")))
    browser.from_our_page(request)
    form = await form_of(request)
    typed = Typed(form.get("login", ""), form.get("password", ""), form.get("code", ""))
    people, where = people_of(request).entering, _where(request)
    asking = _nobody(request)
    return await _tried(request, form, partial(people.local.by_password, asking, typed, where))


async def by_passkey(request: Request) -> Response:
    """Take the answer of a passkey."""
    browser.from_our_page(request)
    form = await form_of(request)
    people, asking = people_of(request).entering, _nobody(request)
    answer, ticket = form.get("answer", ""), form.get("ticket", "")
    prove = partial(people.local.by_passkey, asking, SIGN_IN, answer, ticket, _where(request))
    return await _tried(request, form, prove)


async def comes_next(request: Request) -> Response:
    """Show what must be done before a session begins, and take it."""
    arrival, where = _arrival(request), _where(request)
    people, asking = people_of(request), _nobody(request)
    account = await run_in_threadpool(people.accounts.get, asking, arrival.account)
    if request.method != "POST":
        return await _next_page(request, arrival, account)
    browser.from_our_page(request)
    form = await form_of(request)
    own = people.entering.own
    ticket = browser.cookie(request, ARRIVAL)
    await run_in_threadpool(people.entering.tickets.spend, _use(where), ticket, asking.now)
    try:
        if arrival.must_renew:
            new, again = form.get("password", ""), form.get("again", "")
            await slowly(request, own.change_password, asking, account, new, again)
            arrival = msgspec.structs.replace(arrival, must_renew=False)
        elif arrival.must_review:
            kept = {name[5:] for name in form if name.startswith("keep-")}
            await run_in_threadpool(own.review, asking, account, kept)
            arrival = msgspec.structs.replace(arrival, must_review=False)
        else:
            return await _begun(request, arrival, account, form.get("exercise", ""))
    except (RequestError, TooManyError) as error:
        return _carrying(request, arrival, await _next_page(request, arrival, account, error))
    return await _go_on(request, arrival, account)


def prove_again(request: Request, error: ProofAgainError) -> Response:
    """Ask somebody who is signed in to prove it once more, at the very address that they asked for."""
    to = request.url.path if request.method == "GET" else "/"
    if request.url.query and request.method == "GET":
        to = f"{to}?{request.url.query}"
    return _again_page(request, local(to), error.said(language_of(request)), error.status)


async def again(request: Request) -> Response:
    """Take another proof of whoever is signed in; the session goes on where it was, under a new secret."""
    secret, own = cookie_secret(request), browser.cookie(request, browser.DEVICE)
    browser.from_our_page(request)
    form = await form_of(request)
    house, people, where, asking = house_of(request), people_of(request), _where(request), _nobody(request)
    session = await run_in_threadpool(house.sessions.peek, secret, asking.now, own)
    to, account = local(form.get("to", "/")), session.bound.account
    try:
        proven = await slowly(request, partial(_proven_again, people, asking, form, account, where))
    except (SignInError, TooManyError) as error:
        return _again_page(request, to, error.said(language_of(request)), _status(error))
    if proven.must_renew or proven.must_review:
        await run_in_threadpool(house.sessions.end, secret)
        return await _arrived(request, proven, to)
    renewed = await run_in_threadpool(people.signing_in.renew, asking, secret, own, proven.proof.methods)
    return browser.signed_in(request, RedirectResponse(to, 303, HEADERS), renewed)


async def slowly(request: Request, act: Callable[..., T], *given: Any) -> T:
    """Do what compares passwords, few at a time: a flood of tries leaves threads to all else.

    Raises `TooManyError`.
    """
    state = request.app.state
    limiter = getattr(state, "signing", None)
    if limiter is None:
        limiter = state.signing = anyio.CapacityLimiter(AT_ONCE)
    if limiter.statistics().tasks_waiting >= MOST_WAITING:
        raise TooManyError("signin.busy", seconds=BUSY_SECONDS)
    return await anyio.to_thread.run_sync(partial(act, *given), limiter=limiter)


def label(exercise: Exercise, language: Language) -> str:
    """Say an exercise as people do: what they are there, and where, or for whom."""
    if exercise.kind in {ActorKind.PATIENT.value, ActorKind.PROXY.value}:
        return say(f"web.home.as-{exercise.kind}", language, name=exercise.label)
    function = Function(exercise.function)
    what = say(f"web.role-{exercise.kind}", language)
    if function is not Function.NONE:
        what = say(f"ledger.function-{function.value}", language)
    where = exercise.label or exercise.structure
    return f"{what} · {where}" if where else what


def passkey_line(one: Passkey) -> dict[str, Any]:
    """Say a passkey to its person."""
    line = {"id": one.id.hex(), "name": one.name, "day": when(one.made)[:10]}
    return {**line, "suspended": one.suspended, "review": one.review, "lost": one.lost}


def when(at: int) -> str:
    """Write an instant (ms) as people of this house do."""
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone():%d/%m/%Y %H:%M}"


async def _tried(request: Request, form: dict[str, str], prove: Callable[[], Proven]) -> Response:
    to = local(form.get("to", "/"))
    try:
        return await _arrived(request, await slowly(request, prove), to)
    except (SignInError, TooManyError) as error:
        house_of(request).strangers.met()
        return await _asked(request, to=to, error=error)


async def _asked(request: Request, *, to: str, error: SermentError | None = None) -> Response:
    people, asking, where = people_of(request), _nobody(request), _where(request)
    challenge = people.entering.local.challenge(SIGN_IN, where, asking.now)
    providers = await run_in_threadpool(people.providers.choices, asking)
    said = error.said(language_of(request)) if error is not None else ""
    answer = page(
        request,
        "entry/sign_in.html",
        200 if error is None else _status(error),
        said=said,
        to=to,
        challenge=challenge,
        providers=providers,
        demo=house_of(request).kind.value == "demo",
    )
    if isinstance(error, TooManyError):
        answer.headers["retry-after"] = str(error.parameters["seconds"])
    return browser.known(request, answer)


async def _arrived(request: Request, proven: Proven, to: str) -> Response:
    """Go on with somebody who has proved who they are. Raises `SignInError` when nothing opens to them."""
    proof = proven.proof
    arrival = Arrival(
        proven.account.id, proof.methods, proof.factors, proof.at, proven.must_renew, proven.must_review, to
    )
    return await _go_on(request, arrival, proven.account)


async def _go_on(request: Request, arrival: Arrival, account: Account) -> Response:
    """Begin the session when nothing is left to do or to choose; else lead to the page that asks."""
    standing = account.standing(house_of(request).passage.clock())
    if not (arrival.must_renew or arrival.must_review) and len(standing) < 2:
        return await _begun(request, arrival, account, "")
    return _carrying(request, arrival, RedirectResponse("/sign-in/next", 303, HEADERS))


def _carrying(request: Request, arrival: Arrival, answer: Response) -> Response:
    """Have the browser carry what was proved to its next form: a ticket, good once, for minutes in all."""
    until = Instant(arrival.at + ARRIVAL_MS)
    tickets = people_of(request).entering.tickets
    ticket = tickets.issue(_use(_where(request)), msgspec.msgpack.encode(arrival), until)
    browser.keep(request, answer, ARRIVAL, ticket, age=ARRIVAL_MS // 1000)
    return browser.known(request, answer)


async def _begun(request: Request, arrival: Arrival, account: Account, exercise: str) -> Response:
    """Begin the session. Raises `SignInError`."""
    people, asking, where = people_of(request), _nobody(request), _where(request)
    proof = Proof(arrival.methods, arrival.factors, Instant(arrival.at), device=where.device)
    begin = people.signing_in.begin
    secret = await run_in_threadpool(begin, asking, account, exercise, proof, arrival.to, where)
    answer = RedirectResponse(arrival.to, 303, HEADERS)
    browser.drop(request, answer, ARRIVAL)
    await end_held(request)
    return browser.signed_in(request, answer, secret)


async def end_held(request: Request) -> None:
    """End the session that the browser holds, whoever's it is: another one takes its place."""
    held = browser.cookie(request, browser.SESSION)
    if held:
        await run_in_threadpool(house_of(request).sessions.end, held)


async def _next_page(
    request: Request, arrival: Arrival, account: Account, error: SermentError | None = None
) -> Response:
    asking, language = _nobody(request), language_of(request)
    file = await run_in_threadpool(people_of(request).entering.drawer.get, asking, account.id)
    reviewing = arrival.must_review and not arrival.must_renew
    standing = [] if arrival.must_renew or arrival.must_review else account.standing(asking.now)
    return page(
        request,
        "entry/sign_in_next.html",
        200 if error is None else error.status,
        said=error.said(language) if error is not None else "",
        name=account.name,
        login=account.login,
        renew=say(f"signin.renew-{file.renew or LEAKED}", language) if arrival.must_renew else "",
        passkeys=[passkey_line(one) for one in file.passkeys] if reviewing else [],
        exercises=[{"id": one.id, "label": label(one, language)} for one in standing],
    )


def _arrival(request: Request) -> Arrival:
    """Read who has proved who they are. Raises `SignInError`."""
    if request.method == "HEAD":
        raise MethodError("api.method")
    tickets, asking = people_of(request).entering.tickets, _nobody(request)
    value = tickets.read(_use(_where(request)), browser.cookie(request, ARRIVAL), asking.now)
    return msgspec.msgpack.decode(value, type=Arrival)


def _proven_again(people: Any, asking: Asking, form: dict[str, str], account: str, where: Where) -> Proven:
    """Prove oneself as the person of a session, by either way. Raises `SignInError`, `TooManyError`."""
    local_ = people.entering.local
    if form.get("answer"):
        proven: Proven = local_.by_passkey(asking, AGAIN, form["answer"], form.get("ticket", ""), where)
    else:
        typed = Typed("", form.get("password", ""), form.get("code", ""))
        proven = local_.again(asking, account, typed, where)
    if proven.account.id != account or proven.account.gone(asking.now):
        raise SignInError("signin.refused")
    return proven


def _again_page(request: Request, to: str, said: str, status: int) -> Response:
    people, asking, where = people_of(request), _nobody(request), _where(request)
    challenge = people.entering.local.challenge(AGAIN, where, asking.now)
    return page(request, "entry/again.html", status, said=said, to=to, challenge=challenge, told="")


def _nobody(request: Request) -> Asking:
    return nobody_yet(request, house_of(request))


def _where(request: Request) -> Where:
    return browser.where_of(request, house_of(request))


def _use(where: Where) -> str:
    return f"arrival/{where.device.hex()}"


def _status(error: SermentError) -> int:
    """Say 403 for what is wrong: no header tells a browser how to sign in here, and 401 would need one."""
    return 403 if isinstance(error, SignInError) else error.status

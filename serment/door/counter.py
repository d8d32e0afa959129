"""Which pages a session at the counter may open: read, verify, choose, oppose; nothing else (ADR 65).

What is not named here is refused, a page that is built tomorrow too: no account, no download, nobody else's
record, no deposit, no program let in. A program's door refuses such a session by itself, for it is bound to
the browser on the tablet.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from serment.errors import RefusedError
from serment.record.entrance.sessions import Session

OPEN: Final = {
    "GET": re.compile(
        r"/me(?:/record(?:/[a-z-]+)?|/who|/where|/choices|/errands)?"
        r"|/counter/over|/accessibility|/what-leaves|/words"
    ),
    "POST": re.compile(
        r"/me/(?:mask|unmask|who/check|who/paper|choices|errands/access|errands/seen)|/counter/end|/sign-out"
    ),
}
"""Method → the addresses that it may ask for, whole."""


def opens(session: Session | None, method: str, path: str) -> bool:
    """Say whether a session may ask for an address; one that is not at the counter may ask for all."""
    if session is None or not session.bound.at_counter:
        return True
    allowed = OPEN.get("GET" if method == "HEAD" else method)
    return allowed is not None and allowed.fullmatch(path) is not None


def check(request: Request, session: Session) -> None:
    """Refuse what a session at the counter may not open. Raises `RefusedError`.

    The address is the one that the route is found by: a URL is put together with the Host that is said.
    """
    if not opens(session, request.method, request.scope["path"]):
        raise RefusedError("counter.elsewhere")

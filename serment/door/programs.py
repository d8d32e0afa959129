"""A program at the door: from its request to what it may be answered within (RFC 6750, RFC 9449)."""

from __future__ import annotations

from starlette.requests import Request

from serment.errors import SignInError
from serment.people.programs import Knock

SCHEMES = frozenset({"bearer", "dpop"})
FHIR = "/fhir"


def credentials(request: Request) -> tuple[str, str]:
    """Give the scheme, in small letters, and the token of a program. Raises `SignInError`: none, or two."""
    said = request.headers.getlist("authorization")
    scheme, _, token = (said[0] if len(said) == 1 else "").partition(" ")
    if scheme.lower() not in SCHEMES or not token.strip():
        raise SignInError("api.no-token")
    return scheme.lower(), token.strip()


def knock_of(request: Request, origin: str) -> Knock:
    """Read a request as a program makes it. `origin` is our address without a slash at the end."""
    scheme, token = credentials(request)
    path = request.url.path
    below = path.removeprefix(FHIR) if path == FHIR or path.startswith(f"{FHIR}/") else None
    return Knock(
        request.method,
        origin + path,
        below,
        scheme,
        token,
        tuple(request.headers.getlist("dpop")),
        "if-none-exist" in request.headers,
    )

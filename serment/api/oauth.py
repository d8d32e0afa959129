"""The authorisation server for programs: tokens, what they are worth, how they end, what is served.

Forms in, JSON out, never kept by a cache (RFC 6749 section 5). An error is one of RFC 6749 section 5.2 with a
sentence; it says nothing of whom or what. The page on which a person agrees is in `web/consenting`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serment.access.scopes import OPERATION
from serment.api import negotiation
from serment.door.asking import house_of, nobody_yet, people_of
from serment.errors import OAuthError, RequestError
from serment.people import assertions, dpop
from serment.people.authorising import once
from serment.people.clients import CONTEXT, Client
from serment.people.programs import Programs
from serment.people.tokens import GRANT_TYPES
from serment.record.asking import Asking
from serment.words import Language

Handler = Callable[[Request], Awaitable[Response]]

OFFERED: Final = ("export", "declare-act", "emergency-access", "explain-access", "confirm-attending")
"""Operations that a scope of their own lets a program ask for; others may be registered by name."""

CAPABILITIES: Final = (
    "launch-ehr",
    "launch-standalone",
    "client-public",
    "client-confidential-asymmetric",
    "context-ehr-patient",
    "context-standalone-patient",
    "permission-patient",
    "permission-user",
    "permission-offline",
    "permission-online",
    "permission-v1",
    "permission-v2",
)
"""SMART App Launch 2.2, conformance: what works here."""


def configuration(origin: str) -> dict[str, Any]:
    """Say what the authorisation server does (SMART App Launch 2.2, RFC 8414, RFC 9207, RFC 9449)."""
    proved = ["private_key_jwt"]
    return {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/authorize",
        "token_endpoint": f"{origin}/token",
        "token_endpoint_auth_methods_supported": ["none", *proved],
        "token_endpoint_auth_signing_alg_values_supported": list(assertions.ALGORITHMS),
        "introspection_endpoint": f"{origin}/introspect",
        "introspection_endpoint_auth_methods_supported": proved,
        "revocation_endpoint": f"{origin}/revoke",
        "revocation_endpoint_auth_methods_supported": ["none", *proved],
        "grant_types_supported": list(GRANT_TYPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": [
            *sorted(CONTEXT),
            "patient/*.cruds",
            "user/*.cruds",
            "system/*.c",
            *(OPERATION + name for name in OFFERED),
        ],
        "capabilities": list(CAPABILITIES),
    }


async def smart_configuration(request: Request) -> Response:
    """GET [base]/.well-known/smart-configuration, and the same at the address of RFC 8414."""
    return _json(configuration(house_of(request).base.removesuffix("/fhir")))


def _told(handler: Handler) -> Handler:
    """Answer the errors of OAuth as its clients read them: ASCII, hence English (RFC 6749 section 5.2)."""

    @wraps(handler)
    async def told(request: Request) -> Response:
        try:
            return await handler(request)
        except OAuthError as error:
            said = {"error": error.code, "error_description": error.said(Language.EN)}
            headers = {"dpop-nonce": error.nonce} if error.nonce else {}
            return _json(said, error.status, headers)
        except RequestError as error:
            said = {"error": "invalid_request", "error_description": error.said(Language.EN)}
            return _json(said, error.status)

    return told


@_told
async def token(request: Request) -> Response:
    """POST /token: a code, a refresh token or a backend's assertion for an access token."""
    asking, programs, form = await _asked(request)
    proofs = request.headers.getlist("dpop")
    if len(proofs) > 1:
        raise OAuthError("oauth.proof", "invalid_dpop_proof")
    nonce = programs.proofs.nonce(asking.now)
    try:
        issued = await programs.tokens.issue(asking, form, proofs[0] if proofs else "")
    except OAuthError as error:
        # Whoever must show a key makes the next proof with our nonce, without another round.
        error.nonce = error.nonce or (nonce if error.code == "invalid_dpop_proof" else "")
        raise
    return _json(issued.answer(), headers={"dpop-nonce": nonce} if issued.bound else {})


@_told
async def introspect(request: Request) -> Response:
    """POST /introspect: a resource server asks what a token is worth (RFC 7662)."""
    asking, programs, form = await _asked(request)
    client = await _client(asking, programs, form)
    return _json(await asyncio.to_thread(programs.tokens.introspected, asking, client, form.get("token", "")))


@_told
async def revoke(request: Request) -> Response:
    """POST /revoke: a program gives a token back (RFC 7009)."""
    asking, programs, form = await _asked(request)
    client = await _client(asking, programs, form)
    await asyncio.to_thread(programs.tokens.revoke, asking, client, form.get("token", ""))
    return _json({})


async def _asked(request: Request) -> tuple[Asking, Programs, dict[str, str]]:
    """Read a form of a program. Raises `OAuthError`; a secret in a header is no proof here."""
    house = house_of(request)
    if "authorization" in request.headers or negotiation.query(request):
        raise OAuthError("oauth.request", "invalid_request")
    form = once(await negotiation.form(request))
    return nobody_yet(request, house), people_of(request).programs, form


async def _client(asking: Asking, programs: Programs, form: dict[str, str]) -> Client:
    return await asyncio.to_thread(programs.tokens.client_of, asking, form)


def _json(said: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    kept = {"cache-control": "no-store", "pragma": "no-cache", **(headers or {})}
    return Response(msgspec.json.encode(said), status, kept, "application/json")

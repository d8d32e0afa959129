"""What a program asks of a person, and what the person lets it do (OAuth 2.1; SMART App Launch 2.2).

A code with PKCE (S256), for an address that was registered character by character; `iss` in the answer
(RFC 9207). No implicit grant, no password.

    given = asked ∧ registered ∧ what the person ticks        and at each request: rules ∧ given

Order: what is asked (pure), what is given (pure), agreeing. Tokens are in `tokens`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from serment.access.scopes import OPERATION, PATIENT, Scope, narrowed, parse
from serment.errors import MalformedError, OAuthError
from serment.model import RecordToken
from serment.people.clients import BACKEND, PUBLIC, Client, Clients
from serment.people.grants import Asked, Grants
from serment.record.asking import Asking
from serment.record.entrance.launching import Launching

OFFLINE: Final = "offline_access"
ONLINE: Final = "online_access"
IN_CONTEXT: Final = frozenset({"launch", "launch/patient"})

MOST_STATE: Final = 1024
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")

Pairs = Sequence[tuple[str, str]]
Form = Mapping[str, str]


class Wanted(msgspec.Struct, frozen=True):
    """What a program asks for a person, checked: it is sealed while the person reads it."""

    client: str
    redirect: str
    state: str
    scope: str = ""
    challenge: str = ""
    launch: str = ""
    key: str = ""
    error: str = ""

    def __repr__(self) -> str:
        return "Wanted()"


# What is asked.


def once(pairs: Pairs) -> dict[str, str]:
    """Read parameters, each once at most (RFC 6749 section 3.1). Raises `OAuthError`."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise OAuthError("oauth.request", "invalid_request")
    return found


def read(pairs: Pairs, client: Client, audience: str) -> Wanted:
    """Read an authorisation request of a client that is let in.

    Raises `OAuthError` where nobody may be sent back: the address is compared character by character with
    those that were registered. Anything else that is wrong is `error`, to be told at that address.
    """
    given = once(pairs)
    redirect = given.get("redirect_uri", "")
    if redirect not in client.redirects:
        raise OAuthError("oauth.redirect", "invalid_request")
    state = given.get("state", "")
    wanted = Wanted(client.id, redirect, state)
    error = _wrong(given, state, audience)
    if error:
        return msgspec.structs.replace(wanted, state=state if _fits(state) else "", error=error)
    return msgspec.structs.replace(
        wanted,
        scope=given.get("scope", ""),
        challenge=given["code_challenge"],
        launch=given.get("launch", ""),
        key=given.get("dpop_jkt", ""),
    )


def _wrong(given: Form, state: str, audience: str) -> str:
    """Give the code of what is wrong, "" for nothing."""
    if given.get("response_type") != "code":
        return "unsupported_response_type"
    if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(
        given.get("code_challenge", "")
    ):
        return "invalid_request"
    key = given.get("dpop_jkt", "")
    if not state or not _fits(state) or (key and not _CHALLENGE.fullmatch(key)):
        return "invalid_request"
    if given.get("aud", "").rstrip("/") != audience or given.get("response_mode", "query") != "query":
        return "invalid_request"
    try:
        list(map(parse, given.get("scope", "").split()))
    except MalformedError:
        return "invalid_scope"
    return ""


def _fits(state: str) -> bool:
    return len(state) <= MOST_STATE and bool(_PRINTABLE.fullmatch(state))


# What is given.


def offered(client: Client, scope: str) -> list[str]:
    """Give what a program may be given of what it asks: scopes as they are written, each once."""
    asked = scope.split()
    resources = [one for one in map(parse, asked) if one is not None]
    others = [one for one in dict.fromkeys(asked) if one in client.others()]
    return [*map(str, narrowed(resources, client.resources())), *others]


def given(offer: Iterable[str], ticked: Iterable[str]) -> list[str]:
    """Keep of an offer what a person ticked; what only says how it is launched is not theirs to tick."""
    chosen = set(ticked)
    return [one for one in offer if one in chosen or one in IN_CONTEXT or one == ONLINE]


def scope_of(text: str, record: RecordToken | None = None) -> Scope:
    """Read the scope of a token."""
    said = text.split()
    resources = tuple(one for one in map(parse, said) if one is not None)
    return Scope(resources, frozenset(one for one in said if one.startswith(OPERATION)), record)


def opens_nothing(scope: Scope) -> bool:
    """Say whether there is nothing that it could let anybody do."""
    return not scope.resources and not scope.operations


def needs_patient(scope: Scope) -> bool:
    """Say whether it is of one patient, who must be named."""
    return any(one.level == PATIENT for one in scope.resources)


def needs_key(client: Client, scope: Scope) -> bool:
    """Say whether a token must be bound to a key: of a backend, and of a public program that may change."""
    changes = any(one.writes for one in scope.resources) or bool(scope.operations)
    return client.kind == BACKEND or (client.kind == PUBLIC and changes)


@dataclass(frozen=True, slots=True)
class Authorising:
    """What a program asks of a person, and what the person answers."""

    clients: Clients
    grants: Grants
    launching: Launching
    audience: str

    def asked(self, asking: Asking, pairs: Pairs) -> tuple[Client, Wanted]:
        """Read a request. Raises `OAuthError` where nobody may be sent back."""
        client = self.clients.standing(asking, once(pairs).get("client_id", ""))
        if client.kind == BACKEND:
            raise OAuthError("oauth.client", "unauthorized_client")
        return client, read(pairs, client, self.audience)

    async def agreed(
        self, asking: Asking, client: Client, wanted: Wanted, ticked: Iterable[str], patient: str
    ) -> str:
        """Begin a grant of what the person ticked; give its code. Raises `OAuthError`.

        `patient` is whom it is about: somebody whose record the person may open now.
        """
        said = given(offered(client, wanted.scope), ticked)
        scope = scope_of(" ".join(said))
        if opens_nothing(scope):
            raise OAuthError("oauth.nothing", "access_denied")
        about = patient if needs_patient(scope) else ""
        if needs_patient(scope):
            found = await self.launching.opened(asking, about) if about else None
            if found is None:
                raise OAuthError("oauth.patient", "access_denied")
        asked = Asked(
            client.id,
            " ".join(said),
            wanted.redirect,
            wanted.challenge,
            about,
            wanted.key,
            offline=OFFLINE in said,
        )
        return await asyncio.to_thread(self.grants.begin, asking, asked)

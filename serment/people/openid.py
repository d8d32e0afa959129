"""The relying party: from a browser that is sent to a provider to somebody known (OpenID Connect Core 1.0).

Authorization code with PKCE S256, `state` and `nonce`, an exact redirect address for each provider (RFC 9700
section 4.4: no answer of one passes for that of another), `iss` of the answer checked (RFC 9207). What an
unfinished sign-in remembers (`Flow`) travels sealed with the browser that began it and is spent once
(`record/entrance/tickets`). The provider's own description and keys are read from the registered issuer only
and kept for a while, within bounds.

Order: the nouns, sending the browser away, taking it back, the end of a session told by the provider, what
is fetched. Who the subject is here is decided in `claims`.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, Protocol
from urllib.parse import quote_plus, urlsplit

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from serment.errors import DependencyError, SignInError
from serment.exits.identity_provider import Answer, Call
from serment.model import Instant
from serment.people import id_token
from serment.people.id_token import Claims
from serment.people.providers import Kind, Provider, origin_of

FLOW_MS: Final = 10 * 60 * 1000
"""How long somebody has to sign in at the provider."""
DESCRIBED_MS: Final = 3600 * 1000
KEYS_MS: Final = 10 * 60 * 1000
REFETCH_MS: Final = 60 * 1000
MOST_REFETCHED: Final = 6
"""Times within `REFETCH_MS` that keys are read again because a token names one that is not known."""
MOST_KEYS: Final = 32
MOST_CODE: Final = 4096
_Keys = tuple[Mapping[str, Any], ...]
_ENDED: Final = "http://schemas.openid.net/event/backchannel-logout"


class Line(Protocol):
    """What carries a call to a registered provider."""

    def ask(self, call: Call) -> Answer:
        """Make one call. Raises `DependencyError`."""
        ...


class Unplugged:
    """Carries nothing: for a house that is opened without a door."""

    def ask(self, _call: Call) -> Answer:
        """Refuse. Raises `DependencyError`."""
        raise DependencyError("people.provider-away")


class Flow(msgspec.Struct, frozen=True, array_like=True):
    """One sign-in that is under way. `to` is the page wanted, `join` the secret of an invitation or "".

    `fresh` says that the person must prove again who they are, though the provider may know them still.
    """

    provider: str
    state: str
    nonce: str
    verifier: str
    to: str
    began: int
    join: str = ""
    fresh: bool = False

    def __repr__(self) -> str:
        return f"Flow({self.provider})"


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody as a provider knows them. `claims` are those of UserInfo, only where they are needed.

    `proved` is when they proved who they are there (ms), 0 where the provider does not say.
    """

    issuer: str = field(repr=False)
    subject: str = field(repr=False)
    claims: Claims = field(repr=False)
    acr: str = ""
    proved: int = 0


class Described(msgspec.Struct, frozen=True):
    """What a provider says of itself: its addresses, and whether it names itself in its answers."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    names_itself: bool
    posts_secret: bool


@dataclass(slots=True)
class _Kept:
    """What was read of one issuer, and when it was read."""

    described: Described | None = None
    described_at: int = 0
    keys: _Keys = ()
    keys_at: int = -KEYS_MS
    refetched: list[int] = field(default_factory=list)


class OpenId:
    """The relying party. Calls block; the doors make them in a thread."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def begin(
        self,
        provider: Provider,
        redirect: str,
        now: Instant,
        *,
        to: str = "/",
        join: str = "",
        fresh: bool = False,
    ) -> tuple[str, Flow]:
        """Give the address to which the browser is sent, and what it carries. Raises `DependencyError`."""
        described = self._describe(provider, now)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        flow = Flow(provider.name, state, nonce, verifier, to, now, join, fresh)
        address = prepare_grant_uri(
            described.authorization,
            client_id=provider.client,
            response_type="code",
            redirect_uri=redirect,
            scope=provider.scope,
            state=flow.state,
            nonce=flow.nonce,
            acr_values=provider.acr[0],
            code_challenge=create_s256_code_challenge(flow.verifier),
            code_challenge_method="S256",
            prompt="login" if fresh else None,
            max_age="0" if fresh else None,  # who is asked so must say `auth_time`
        )
        return str(address), flow

    def answered(self, provider: Provider, flow: Flow, given: Mapping[str, str], now: Instant) -> str:
        """Take the provider's answer out of the address that the browser brought; give its code.

        Raises `SignInError` for an answer to another question, of another provider, or without a code.
        """
        described = self._describe(provider, now)
        state, code, issuer = given.get("state", ""), given.get("code", ""), given.get("iss")
        mine = hmac.compare_digest(state.encode(), flow.state.encode())
        if flow.provider != provider.name or not mine or now >= flow.began + FLOW_MS:
            raise SignInError("people.openid-stale")
        if issuer != provider.issuer if issuer is not None else described.names_itself:
            raise SignInError("people.openid-refused")
        if "error" in given:
            raise SignInError("people.openid-cancelled")
        if not code.isascii() or not 0 < len(code) <= MOST_CODE:
            raise SignInError("people.openid-refused")
        return code

    def known(self, provider: Provider, flow: Flow, code: str, redirect: str, now: Instant) -> Known:
        """Exchange a code for who it was. Raises `SignInError`, `DependencyError`."""
        described = self._describe(provider, now)
        tokens = self._exchanged(provider, described, flow, code, redirect)
        access = _text(tokens.get("access_token"))
        if str(tokens.get("token_type", "")).lower() != "bearer":
            raise SignInError("people.openid-refused")
        text = _text(tokens.get("id_token"))
        keys = self._keys_for(provider, text, now)
        claims = id_token.verified(text, keys, provider, now, nonce=flow.nonce, access_token=access)
        if flow.fresh and not id_token.proved_since(claims, flow.began // 1000):
            raise SignInError("people.openid-refused")
        told: Claims = {}
        if provider.kind == Kind.PSC:
            told = self._userinfo(provider, described, access, claims["sub"])
        proved = max(0, min(id_token.proved_at(claims) * 1000, now))
        return Known(provider.issuer, claims["sub"], told, str(claims["acr"]), proved)

    def ended(self, provider: Provider, text: str, now: Instant) -> tuple[str, str]:
        """Read a logout token (OpenID Connect Back-Channel Logout 1.0): its number and whose sessions end.

        Raises `SignInError`, `DependencyError`.
        """
        claims = id_token.signed(text, self._keys_for(provider, text, now), provider, id_token.LOGOUT_TOKEN)
        events, number, subject = claims.get("events"), claims.get("jti"), claims.get("sub")
        said = isinstance(events, dict) and isinstance(events.get(_ENDED), dict) and "nonce" not in claims
        ours = claims.get("iss") == provider.issuer and id_token.for_us(claims, provider)
        if not said or not ours or not id_token.of_now(claims, now // 1000) or not isinstance(number, str):
            raise SignInError("people.openid-refused")
        return number, _text(subject)

    def _keys_for(self, provider: Provider, text: str, now: Instant) -> _Keys:
        """Give the provider's keys; fresh ones when the token names a key that is not among those at hand."""
        keys = self._keys(provider, now)
        if id_token.has_key(text, keys) or not self._may_refetch(provider, now):
            return keys
        return self._keys(provider, now, fresh=True)

    def _exchanged(
        self, provider: Provider, described: Described, flow: Flow, code: str, redirect: str
    ) -> Claims:
        """Ask for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5). A code is tried once."""
        client = {"client_id": provider.client, "client_secret": provider.secret}
        form = prepare_token_request(
            "authorization_code",
            redirect_uri=redirect,
            code=code,
            code_verifier=flow.verifier,
            **(client if described.posts_secret else {}),
        )
        header = "" if described.posts_secret else _basic(provider)
        answer = self._line.ask(Call(described.token, str(form), header, provider.private))
        if 400 <= answer.status < 500:
            raise SignInError("people.openid-refused")
        return _object(answer)

    def _userinfo(self, provider: Provider, described: Described, access: str, subject: str) -> Claims:
        """Ask who it is (OpenID Connect Core section 5.3). Raises `SignInError` for somebody else."""
        call = Call(described.userinfo, None, f"Bearer {access}", provider.private)
        told = _object(self._line.ask(call))
        if told.get("sub") != subject:
            raise SignInError("people.openid-refused")
        return told

    def _of(self, provider: Provider) -> _Kept:
        """Find what is kept of an issuer; there are as many as were registered, and no more."""
        with self._lock:
            return self._kept.setdefault(f"{provider.issuer} {provider.discovery} {provider.wallet}", _Kept())

    def _describe(self, provider: Provider, now: Instant) -> Described:
        kept = self._of(provider)
        if kept.described is None or not kept.described_at <= now < kept.described_at + DESCRIBED_MS:
            url = f"{provider.issuer.rstrip('/')}/.well-known/{provider.discovery}"
            said = _object(self._line.ask(Call(url, private=provider.private)))
            kept.described, kept.described_at = _described(said, provider), now
        return kept.described

    def _keys(self, provider: Provider, now: Instant, *, fresh: bool = False) -> _Keys:
        kept = self._of(provider)
        if fresh or not kept.keys_at <= now < kept.keys_at + KEYS_MS:
            url = self._describe(provider, now).keys
            said = _object(self._line.ask(Call(url, private=provider.private))).get("keys")
            if not isinstance(said, list) or len(said) > MOST_KEYS:
                raise DependencyError("people.provider-away")
            kept.keys, kept.keys_at = tuple(one for one in said if isinstance(one, dict)), now
        return kept.keys

    def _may_refetch(self, provider: Provider, now: Instant) -> bool:
        kept = self._of(provider)
        with self._lock:
            kept.refetched = [at for at in kept.refetched if now - REFETCH_MS < at <= now]
            kept.refetched.append(now)
            return len(kept.refetched) <= MOST_REFETCHED


def _described(said: Claims, provider: Provider) -> Described:
    """Read a provider's description (OpenID Connect Discovery 1.0). Raises `DependencyError`.

    It may only name the addresses that were registered: whoever forges it leads nowhere else.
    """
    ways = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    challenges = said.get("code_challenge_methods_supported", ["S256"])
    here, there = frozenset({provider.origin}), provider.browser_origins
    good = (
        said.get("issuer") == provider.issuer
        and _listed(challenges, "S256")
        and (_listed(ways, "client_secret_basic") or _listed(ways, "client_secret_post"))
        and _leads(said.get("authorization_endpoint"), there)
        and all(_leads(said.get(name), here) for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint"))
    )
    if not good:
        raise DependencyError("people.provider-other")
    return Described(
        said["authorization_endpoint"],
        said["token_endpoint"],
        said["jwks_uri"],
        said["userinfo_endpoint"],
        said.get("authorization_response_iss_parameter_supported") is True,
        not _listed(ways, "client_secret_basic"),
    )


def _listed(said: object, value: str) -> bool:
    return isinstance(said, list) and value in said


def _leads(url: object, origins: frozenset[str]) -> bool:
    """Say whether an address leads to one of these origins, with nothing before or after its path."""
    if not isinstance(url, str) or not url.isascii() or any(sign in url for sign in " \\\t\r\n@?#"):
        return False
    try:
        return origin_of(url) in origins and bool(urlsplit(url).path)
    except ValueError:
        return False


def _basic(provider: Provider) -> str:
    """Say who we are (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(provider.client)}:{quote_plus(provider.secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _object(answer: Answer) -> Claims:
    """Read an answer as a JSON object. Raises `DependencyError`; a redirect is no answer."""
    json = answer.media_type == "application/json" or answer.media_type.endswith("+json")
    try:
        found = msgspec.json.decode(answer.body) if answer.status == 200 and json else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        found = None
    if not isinstance(found, dict):
        raise DependencyError("people.provider-away")
    return found


def _text(said: object) -> str:
    if not isinstance(said, str) or not said or not said.isascii():
        raise SignInError("people.openid-refused")
    return said

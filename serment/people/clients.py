"""The programs that are let in: what each may ask, how it proves who it is, and who answers for it.

A program is a processor of health data, or acts for one: without an entry that says who, for what, where and
under which clauses it is not let in, and not for a day after that entry ends (RGPD article 28, capability
3-12). Its scopes are the most that it may ever be given. No secret is shared with any: a program that keeps
one proves itself by its key (`private_key_jwt`), one that cannot has PKCE.

Order: the nouns (pure), what a client may be (pure), the drawer. Who may change one is decided by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from joserfc.errors import JoseError

from serment.access.scopes import OPERATION, PATIENT, SYSTEM, USER, ResourceScope, parse
from serment.errors import ConflictError, IntegrityError, NotFoundError, OAuthError, RequestError
from serment.model import ActorId, Instant
from serment.people.id_token import imported
from serment.record.asking import Asking
from serment.record.entrance.sessions import Sessions
from serment.record.registry import Registry
from serment.record.subscriptions.addresses import EEA

DRAWER: Final = "client"

PUBLIC: Final = "public"
CONFIDENTIAL: Final = "confidential"
BACKEND: Final = "backend"
KINDS: Final = frozenset({PUBLIC, CONFIDENTIAL, BACKEND})

CONTEXT: Final = frozenset({"launch", "launch/patient", "online_access", "offline_access"})
"""Scopes of a launch that are served; any other (`openid`, `profile`) is not given."""

RATE: Final = 600
"""Requests a minute, unless the client was registered for another number."""
MOST_RATE: Final = 60_000

_ID = re.compile(r"[a-z][a-z0-9-]{1,47}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class Contract(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who answers for a program (RGPD articles 28 and 30). Instants in ms.

    `country` is ISO 3166-1; outside the European Economic Area `basis` names the ground of the transfer
    (articles 44 to 49). `clauses` refers to the contract, read again for the last time at `reviewed`.
    """

    name: str
    purpose: str
    country: str
    contact: str
    clauses: str
    until: int
    reviewed: int
    basis: str = ""

    def in_force(self, now: Instant) -> bool:
        """Say whether the contract runs."""
        return now < self.until


class Client(msgspec.Struct, frozen=True, omit_defaults=True):
    """One program. `keys` are public keys (JWK); `rate` is in requests a minute.

    `structure` is that for which a backend deposits. `introspects`: it is a resource server, and may ask
    what a token is worth.
    """

    id: str
    name: str
    kind: str
    processor: Contract
    scopes: tuple[str, ...]
    redirects: tuple[str, ...] = ()
    keys: tuple[dict[str, str], ...] = ()
    structure: str = ""
    rate: int = RATE
    introspects: bool = False
    made: int = 0
    ended: int | None = None

    def stands(self, now: Instant) -> bool:
        """Say whether it is let in: not ended, and its processor's entry in force."""
        return (self.ended is None or now < self.ended) and self.processor.in_force(now)

    def resources(self) -> list[ResourceScope]:
        """Give the scopes of resources that it may ever be given."""
        return [one for one in map(parse, self.scopes) if one is not None]

    def others(self) -> frozenset[str]:
        """Give the other scopes that it may ever be given: of a launch, and operations by name."""
        return frozenset(one for one in self.scopes if parse(one) is None)

    def __repr__(self) -> str:
        return f"Client({self.kind})"


Edit = Callable[[Client], Client]


# What a client may be.


def checked(client: Client, now: Instant) -> Client:
    """Refuse what is no client of ours, or has nobody who answers for it. Raises `RequestError`."""
    if not _ID.fullmatch(client.id) or not client.name.strip() or client.kind not in KINDS:
        raise RequestError("oauth.client-name")
    if not 0 < client.rate <= MOST_RATE:
        raise RequestError("oauth.client-rate", most=MOST_RATE)
    _check_processor(client.processor, now)
    _check_scopes(client)
    _check_redirects(client)
    _check_keys(client)
    return client


def _check_processor(one: Contract, now: Instant) -> None:
    said = (one.name, one.purpose, one.contact, one.clauses)
    if not all(text.strip() for text in said) or not one.in_force(now) or one.reviewed > now:
        raise RequestError("oauth.processor")
    if not _COUNTRY.fullmatch(one.country):
        raise RequestError("oauth.processor-country")
    if one.country not in EEA.split() and not one.basis.strip():
        raise RequestError("oauth.processor-basis", country=one.country)


def _check_scopes(client: Client) -> None:
    """Refuse a scope that is not served, or of another kind of client. Raises `RequestError`."""
    levels = {SYSTEM} if client.kind == BACKEND else {PATIENT, USER}
    for text in client.scopes:
        one = parse(text)
        named = text.startswith(OPERATION) or text in CONTEXT
        if (one is None and not named) or (one is not None and one.level not in levels):
            raise RequestError("oauth.client-scope")
        if client.kind == BACKEND and text in CONTEXT:
            raise RequestError("oauth.client-scope")
    if not client.scopes and not client.introspects:
        raise RequestError("oauth.client-scope")


def _check_redirects(client: Client) -> None:
    """Refuse a way back that is not https, or http to the person's own machine. Raises `RequestError`."""
    if (client.kind == BACKEND) == bool(client.redirects):
        raise RequestError("oauth.client-redirect")
    if client.kind == BACKEND and not client.structure and any(parse(one) for one in client.scopes):
        raise RequestError("oauth.client-structure")
    for address in client.redirects:
        try:
            parts = urlsplit(address)
            host = parts.hostname or ""
            local = parts.scheme == "http" and host in _LOOPBACK and parts.port != 0
        except ValueError:
            raise RequestError("oauth.client-redirect") from None
        plain = host and not (parts.fragment or "#" in address or parts.username or parts.password)
        if not plain or not (parts.scheme == "https" or local) or not address.isprintable():
            raise RequestError("oauth.client-redirect")


def _check_keys(client: Client) -> None:
    """Refuse a program without a key that must have one, and one that shows a private key."""
    if (client.kind == PUBLIC) == bool(client.keys):
        raise RequestError("oauth.client-keys")
    named = [key.get("kid", "") for key in client.keys]
    if len(set(named)) != len(named):
        raise RequestError("oauth.client-keys")
    for key in client.keys:
        if _PRIVATE & key.keys() or key.get("kty") not in {"RSA", "EC"}:
            raise RequestError("oauth.client-keys")
        try:
            imported(dict(key))
        except (JoseError, ValueError, TypeError, KeyError):
            raise RequestError("oauth.client-keys") from None


def keys_of(jwks: Any) -> tuple[dict[str, str], ...]:
    """Read a JWK Set (RFC 7517 section 5), or one key. Raises `RequestError`."""
    found = jwks.get("keys", [jwks]) if isinstance(jwks, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise RequestError("oauth.client-keys")
    try:
        return tuple(msgspec.convert(one, dict[str, str]) for one in found)
    except msgspec.ValidationError:
        raise RequestError("oauth.client-keys") from None


# The drawer.


@dataclass(frozen=True, slots=True)
class Clients:
    """The programs of the installation."""

    registry: Registry
    sessions: Sessions = field(repr=False)

    def add(self, asking: Asking, client: Client) -> Client:
        """Register a program. Raises `RequestError`, `ConflictError` when one has this name."""
        made = msgspec.structs.replace(checked(client, asking.now), made=asking.now)

        def new(before: bytes | None) -> bytes:
            if before is not None:
                raise ConflictError("oauth.client-known")
            return msgspec.msgpack.encode(made)

        self.registry.change(asking, DRAWER, made.id, new)
        return made

    def get(self, asking: Asking, id_: str) -> Client:
        """Read one, ended or not. Raises `NotFoundError`."""
        return _of(self.registry.get(asking, DRAWER, id_))

    def standing(self, asking: Asking, id_: str) -> Client:
        """Read one that is let in. Raises `OAuthError`: unknown, ended, or nobody answers for it any more."""
        value = self.registry.get(asking, DRAWER, id_) if _ID.fullmatch(id_) else None
        if value is None or not (client := _of(value)).stands(asking.now):
            raise OAuthError("oauth.client", "invalid_client", status=401)
        return client

    def all(self, asking: Asking) -> Iterable[Client]:
        """Read every program."""
        return [_of(value) for value in self.registry.all(asking, DRAWER).values()]

    def rotate(self, asking: Asking, id_: str, keys: tuple[dict[str, str], ...]) -> Client:
        """Put other keys in the place of those of a program; what it was let do ends at once."""
        return self._change(asking, id_, lambda one: msgspec.structs.replace(one, keys=keys))

    def renew(self, asking: Asking, id_: str, processor: Contract) -> Client:
        """Write a new entry of who answers for a program. Raises `RequestError`, `NotFoundError`."""
        return self._change(asking, id_, lambda one: msgspec.structs.replace(one, processor=processor))

    def end(self, asking: Asking, id_: str) -> Client:
        """End a program: nothing of its opens any more, on every worker. Raises `NotFoundError`."""
        return self._change(asking, id_, lambda one: msgspec.structs.replace(one, ended=asking.now))

    def _change(self, asking: Asking, id_: str, edit: Edit) -> Client:
        def changed(value: bytes | None) -> bytes:
            after = edit(_of(value))
            return msgspec.msgpack.encode(after if after.ended else checked(after, asking.now))

        after = _of(self.registry.change(asking, DRAWER, id_, changed))
        self.sessions.end_all(ActorId(f"client:{id_}"), asking.actor, asking.now)
        return after


_decoder = msgspec.msgpack.Decoder(Client)


def _of(value: bytes | None) -> Client:
    if value is None:
        raise NotFoundError("oauth.client-unknown")
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None

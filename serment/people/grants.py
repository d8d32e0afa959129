"""What a person let a program do: one grant, from the consent to its end, with its code and refresh tokens.

A grant is a family: the code that begins it is spent once, and each refresh token replaces the one before. A
code or a refresh token that comes twice is in two hands: the whole family ends, tokens included, an alarm
rings and the ledger says so (OAuth 2.1 sections 4.1.3 and 4.3.1; RFC 9700 section 4.14). The file says which
is the current one; the secret itself is kept nowhere.

Order: the noun (pure), the drawer. A secret is `grant.random`: the first half finds the file.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.errors import IntegrityError, NotFoundError, OAuthError
from serment.model import Actor, ActorId, Instant, Purpose
from serment.people.dpop import hash_of
from serment.record.alarms import Alarms
from serment.record.asking import Asking
from serment.record.entrance.sessions import Made, Sessions
from serment.record.entrance.signed import actor_of, spelled
from serment.record.pen import Pen
from serment.record.registry import Registry, edited

DRAWER: Final = "grant"
CODE_MS: Final = 60 * 1000
ONLINE_MS: Final = 12 * 3600 * 1000
"""How long a program goes on for somebody who said nothing more: no longer than a session."""
OFFLINE_MS: Final = 30 * 24 * 3600 * 1000
STOLEN: Final = "oauth.alarm-stolen"
"""Alarm: a code or a refresh token was shown twice."""


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one person let one program do. Instants in ms; `launch` is the id of the launch patient, or "".

    `code` and `refresh` are hashes, "" for none; `key` is the thumbprint of the key that it is bound to.
    """

    id: str
    client: str
    scope: str
    purpose: str
    actor: str
    kind: str
    name: str
    profession: str
    function: str
    structure: str
    patient: str | None
    regulation: bool
    supervisor: str | None
    replaces: str | None
    made: int
    until: int
    launch: str = ""
    redirect: str = ""
    challenge: str = ""
    code: str = ""
    spent: bool = False
    refresh: str = ""
    key: str = ""
    used: int = 0
    ended: int | None = None

    def who(self) -> Actor:
        """Give the person, in the role in which they let it."""
        return actor_of(self)

    def in_force(self, now: Instant) -> bool:
        """Say whether it goes on."""
        return self.ended is None and self.made <= now < self.until

    def __repr__(self) -> str:
        return "Grant()"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person agreed to, for which program, and what the code that answers is bound to."""

    client: str
    scope: str
    redirect: str = field(repr=False)
    challenge: str = field(repr=False)
    launch: str = field(default="", repr=False)
    key: str = ""
    offline: bool = False


class Grants:
    """The grants of the installation."""

    def __init__(self, registry: Registry, sessions: Sessions, alarms: Alarms) -> None:
        self._registry = registry
        self._sessions = sessions
        self._alarms = alarms

    def begin(self, asking: Asking, asked: Asked) -> str:
        """Begin a grant; give its code, good for a minute."""
        id_, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
        actor = asking.actor
        grant = Grant(
            id_,
            asked.client,
            asked.scope,
            asking.purpose.value,
            *spelled(actor),
            actor.replaces,
            made=asking.now,
            until=asking.now + (OFFLINE_MS if asked.offline else ONLINE_MS),
            launch=asked.launch,
            redirect=asked.redirect,
            challenge=asked.challenge,
            code=hash_of(secret),
            key=asked.key,
        )
        self._registry.change(asking, DRAWER, id_, lambda _: msgspec.msgpack.encode(grant))
        return f"{id_}.{secret}"

    def spend(self, asking: Asking, code: str, check: Callable[[Grant], None], key: str) -> tuple[Grant, str]:
        """Spend a code: the grant, and its first refresh token. Raises `OAuthError`.

        `check` refuses a code that is another client's, or shown without what it is bound to; it is not
        spent then. One that comes twice, whoever shows it, ends all that came of it.
        """
        id_, secret = _halves(code)
        refresh = secrets.token_urlsafe(32)

        def spent(grant: Grant) -> Grant:
            if not hmac.compare_digest(grant.code, hash_of(secret)) or not grant.in_force(asking.now):
                raise refused()
            if grant.spent:
                return msgspec.structs.replace(grant, ended=asking.now)
            check(grant)
            if asking.now >= grant.made + CODE_MS or (grant.key and grant.key != key):
                raise refused()
            return msgspec.structs.replace(
                grant, spent=True, refresh=hash_of(refresh), key=key, used=asking.now
            )

        return self._changed(asking, id_, spent), f"{id_}.{refresh}"

    def refreshed(
        self, asking: Asking, token: str, check: Callable[[Grant], None], key: str
    ) -> tuple[Grant, str]:
        """Put a new refresh token in the place of one: the grant, and the new one. Raises `OAuthError`.

        One that was replaced already is in two hands: all that came of the grant ends.
        """
        id_, secret = _halves(token)
        refresh = secrets.token_urlsafe(32)

        def replaced(grant: Grant) -> Grant:
            check(grant)
            if not grant.in_force(asking.now) or not grant.refresh or grant.key != key:
                raise refused()
            if not hmac.compare_digest(grant.refresh, hash_of(secret)):
                return msgspec.structs.replace(grant, ended=asking.now)
            return msgspec.structs.replace(grant, refresh=hash_of(refresh), used=asking.now)

        return self._changed(asking, id_, replaced), f"{id_}.{refresh}"

    def look(self, asking: Asking, token: str) -> Grant | None:
        """Read the grant that a code or a refresh token belongs to, whatever the token is worth."""
        try:
            return self.get(asking, _halves(token)[0])
        except (OAuthError, NotFoundError):
            return None

    def get(self, asking: Asking, id_: str) -> Grant:
        """Read one grant. Raises `NotFoundError`."""
        return _of(self._registry.get(asking, DRAWER, id_))

    def of(self, asking: Asking, actors: Collection[ActorId]) -> list[Grant]:
        """List the grants in force that a person gave, in any of their roles, newest first."""
        found = map(_of, self._registry.all(asking, DRAWER).values())
        mine = [one for one in found if one.actor in actors and one.spent and one.in_force(asking.now)]
        return sorted(mine, key=lambda one: -one.made)

    def last_used(self, asking: Asking) -> dict[str, int]:
        """Give when each program last got a token for somebody (ms), by its id. Nobody is named."""
        found: dict[str, int] = {}
        for value in self._registry.all(asking, DRAWER).values():
            grant = _of(value)
            if grant.used:
                found[grant.client] = max(grant.used, found.get(grant.client, 0))
        return found

    def revoke(self, asking: Asking, id_: str, actors: Collection[ActorId]) -> None:
        """Take back what a person gave: nothing of it opens any more, in any process.

        Raises `NotFoundError` for a grant that is not one of theirs.
        """
        if self.get(asking, id_).actor not in actors:
            raise NotFoundError("record.not-found")
        self.end(asking, id_)

    def end_of(self, asking: Asking, actors: Collection[ActorId]) -> int:
        """End all that a person gave, codes not spent yet too ("I was hacked"); say how many that was."""
        found = map(_of, self._registry.all(asking, DRAWER).values())
        mine = [one for one in found if one.actor in actors and one.in_force(asking.now)]
        for one in mine:
            self.end(asking, one.id)
        return len(mine)

    def kept(self, asking: Asking, id_: str, made: Made) -> str:
        """Write down an access token of a grant that stands; give its secret. Raises `OAuthError`.

        One transaction: a family that another hand ended a moment ago gives nothing more.
        """

        def standing(value: bytes | None) -> bytes | None:
            if value is None or not _of(value).in_force(asking.now):
                raise refused()
            return value

        def job(pen: Pen) -> None:
            edited(pen, DRAWER, id_, standing)
            self._sessions.keep(pen.txn, made)
            self._sessions.swept(self._sessions.sweep(pen.txn, asking.now))

        self._registry.act(asking, job)
        return made.secret

    def end(self, asking: Asking, id_: str) -> None:
        """End one grant, with its tokens."""

        def ended(value: bytes | None) -> bytes:
            return msgspec.msgpack.encode(msgspec.structs.replace(_of(value), ended=asking.now))

        self._registry.change(asking, DRAWER, id_, ended)
        self._sessions.end_all(ActorId(f"grant:{id_}"), asking.actor, asking.now)

    def _changed(self, asking: Asking, id_: str, edit: Callable[[Grant], Grant]) -> Grant:
        """Change a grant; when that ended it, end its tokens and say so. Raises `OAuthError`."""

        def changed(value: bytes | None) -> bytes:
            if value is None:
                raise refused()
            return msgspec.msgpack.encode(edit(_of(value)))

        grant = _of(self._registry.change(asking, DRAWER, id_, changed))
        if grant.ended is not None:
            self._sessions.end_all(ActorId(f"grant:{id_}"), grant.who(), asking.now)
            self._alarms.ring(STOLEN)
            raise refused()
        return grant


def refused() -> OAuthError:
    """Refuse a code or a refresh token, without saying what was wrong with it."""
    return OAuthError("oauth.grant", "invalid_grant")


def purpose_of(grant: Grant) -> Purpose:
    """Give the purpose that stands when a request of the program names none."""
    return Purpose(grant.purpose)


def _halves(token: str) -> tuple[str, str]:
    id_, _, secret = token.partition(".")
    if len(id_) != 32 or not all(one in "0123456789abcdef" for one in id_) or not secret.isascii():
        raise refused()
    return id_, secret


_decoder = msgspec.msgpack.Decoder(Grant)


def _of(value: bytes | None) -> Grant:
    if value is None:
        raise NotFoundError("record.not-found")
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None

"""Coming in by an identity provider: three steps, with nothing kept here between them.

`leave` sends the browser away with a sealed ticket; `back` spends it, asks the provider who it was, and gives
a second ticket with the exercises to choose from; `choose` spends that one and begins the session. Whoever is
signed in already proves again who they are, and goes on.
An invitation (`join`) is spent when its account is bound to the subject: looking spends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from serment.errors import IntegrityError, SignInError
from serment.model import Instant
from serment.people import claims
from serment.people.accounts import Account, Accounts, Exercise, by_subject
from serment.people.openid import FLOW_MS, Flow, Known, Line, OpenId
from serment.people.providers import Kind, Provider, Providers
from serment.people.signing import NOWHERE, SigningIn, Where
from serment.record.asking import Asking
from serment.record.entrance.sessions import Sessions
from serment.record.entrance.tickets import Tickets

T = TypeVar("T")

_FLOW: Final = "openid"
_CHOICE: Final = "openid-choice"
CHOICE_MS: Final = 5 * 60 * 1000
MOST_PAGE: Final = 4096
"""Characters of the page wanted afterwards: what a program asks is one."""
LOGOUT_MS: Final = 30 * 60 * 1000
"""How long a logout token is remembered: longer than one is taken."""


class Invitations(Protocol):
    """The invitations of the installation (`inviting`)."""

    def invited(self, asking: Asking, code: str, /) -> Account:
        """Say whom a link invites; spends nothing. Raises `SignInError`."""
        ...

    def spend(self, asking: Asking, code: str, /) -> str:
        """Spend a link; give the id of the account. Raises `SignInError`."""
        ...


class _Chosen(msgspec.Struct, frozen=True, array_like=True):
    """Somebody recognised, and the exercises to choose from. `at`: when they proved it, `back`: came back."""

    account: str
    exercises: tuple[str, ...]
    provider: str
    at: int
    regulation: bool
    to: str
    back: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    """A session has begun: its secret, and the page wanted. Without one: where to prove it first."""

    secret: str = field(repr=False)
    to: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who must say in which exercise they come in; `ticket` is spent by saying so."""

    ticket: str = field(repr=False)
    account: Account = field(repr=False)
    exercises: tuple[Exercise, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """What the browser holds already: the secret of a session, and its own."""

    secret: str = field(default="", repr=False)
    browser: str = field(default="", repr=False)


NOTHING: Final = Held()


@dataclass(slots=True)
class Arriving:
    """The way in by identity providers. Calls block."""

    providers: Providers
    accounts: Accounts
    signing_in: SigningIn
    sessions: Sessions
    tickets: Tickets
    openid: OpenId
    base: str
    invitations: Invitations

    @classmethod
    def over(
        cls,
        parts: tuple[Providers, Accounts, SigningIn],
        sessions: Sessions,
        tickets: Tickets,
        invitations: Invitations,
        line: Line,
        base: str,
    ) -> Arriving:
        """Build the way in; `base` is the address of the doors, without a slash at its end."""
        return cls(*parts, sessions, tickets, OpenId(line), base, invitations)

    def redirect(self, provider: Provider) -> str:
        """Give the one address to which a provider sends browsers back."""
        return f"{self.base}/openid/{provider.name}/return"

    def leave(
        self, asking: Asking, name: str, *, to: str = "/", join: str = "", fresh: bool = False
    ) -> tuple[str, str]:
        """Give the provider's address, and the ticket that the browser keeps meanwhile.

        `fresh`: somebody is signed in here and proves it again. Raises `NotFoundError` for a provider that is
        not registered, `DependencyError`.
        """
        provider, now = self.providers.get(asking, name), asking.now
        redirect = self.redirect(provider)
        url, flow = self.openid.begin(provider, redirect, now, to=local(to), join=join, fresh=fresh)
        return url, self.tickets.issue(_FLOW, msgspec.msgpack.encode(flow), Instant(now + FLOW_MS))

    def back(self, asking: Asking, name: str, ticket: str, given: Mapping[str, str]) -> Choice:
        """Take a browser back. Raises `SignInError`, `NotFoundError`, `DependencyError`."""
        provider = self.providers.get(asking, name)
        flow = _decoded(self.tickets.read(_FLOW, ticket, asking.now), Flow)
        code = self.openid.answered(provider, flow, given, asking.now)
        self.tickets.spend(_FLOW, ticket, asking.now)
        known = self.openid.known(provider, flow, code, self.redirect(provider), asking.now)
        if flow.join:
            self._join(asking, provider, flow, known)
        found = claims.recognised(self.accounts, asking, provider, known)
        ids = tuple(one.id for one in found.exercises)
        regulation = found.proof.regulation
        known_ = found.account.id, ids, provider.name, known.proved, regulation
        kept = _Chosen(*known_, flow.to, asking.now, flow.fresh)
        until = Instant(asking.now + CHOICE_MS)
        made = self.tickets.issue(_CHOICE, msgspec.msgpack.encode(kept), until)
        return Choice(made, found.account, found.exercises)

    def choose(
        self, asking: Asking, ticket: str, exercise: str, where: Where = NOWHERE, held: Held = NOTHING
    ) -> Arrived:
        """Begin the session in the exercise chosen; the only one when none is named.

        A session of the same person in the same exercise goes on, under a new secret. Whoever holds a session
        and came by a provider that knew them still has proved nothing: the browser is sent there again, since
        nothing else would keep a locked session locked. Raises `SignInError`, `NotFoundError` when the
        provider is no more.
        """
        kept = _decoded(self.tickets.read(_CHOICE, ticket, asking.now), _Chosen)
        chosen = exercise or (kept.exercises[0] if len(kept.exercises) == 1 else "")
        if chosen not in kept.exercises:
            raise SignInError("people.no-exercise")
        self.tickets.spend(_CHOICE, ticket, asking.now)
        account = self.accounts.get(asking, kept.account)
        provider = self.providers.get(asking, kept.provider)
        proof = claims.proof_of(provider, Instant(kept.at), kept.back, regulation=kept.regulation)
        holds = self._held(asking, account.id, held)
        if holds and not kept.fresh:
            return Arrived("", f"/openid/{provider.name}?to={quote(kept.to, safe='')}")
        if holds == chosen:
            secret = self.signing_in.renew(asking, held.secret, held.browser, proof.methods)
        else:
            secret = self.signing_in.begin(asking, account, chosen, proof, kept.to, where)
        return Arrived(secret, kept.to)

    def _held(self, asking: Asking, account: str, held: Held) -> str:
        """Say in which exercise the browser holds a session of this account, locked or not; "" in none."""
        try:
            bound = self.sessions.peek(held.secret, asking.now, held.browser).bound
        except SignInError:
            return ""
        return bound.exercise if bound.account == account else ""

    def ended(self, asking: Asking, name: str, token: str) -> None:
        """End all that somebody began, because their provider says that they have signed out there.

        Raises `SignInError` for a token that is not the provider's, or came before; `NotFoundError`.
        """
        provider = self.providers.get(asking, name)
        number, subject = self.openid.ended(provider, token, asking.now)
        if not self.sessions.first(f"logout:{provider.issuer} {number}", Instant(asking.now + LOGOUT_MS)):
            raise SignInError("people.openid-stale")
        account = self.accounts.find(asking, by_subject(provider.issuer, subject))
        for actor in sorted(account.actors()) if account is not None else ():
            self.sessions.end_all(actor, asking.actor, asking.now)

    def _join(self, asking: Asking, provider: Provider, flow: Flow, known: Known) -> None:
        """Bind the subject to the account of an invitation; Pro Santé Connect needs none."""
        if provider.kind == Kind.PSC:
            raise SignInError("people.not-enrolled")
        account = self.invitations.invited(asking, flow.join)
        claims.free(self.accounts, asking, account.id, known)
        claims.bind(self.accounts, asking, self.invitations.spend(asking, flow.join), known)


def local(to: str) -> str:
    """Give a page of ours to go to: a path, and nothing that a browser reads as another host."""
    plain = to.startswith("/") and not to.startswith("//") and to.isascii() and to.isprintable()
    return to if plain and "\\" not in to and len(to) <= MOST_PAGE else "/"


def _decoded(value: bytes, type_: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(value, type=type_)
    except msgspec.MsgspecError:
        raise IntegrityError("record.altered") from None

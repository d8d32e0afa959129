"""Tokens: how a program gets one, what one is worth, how one ends (OAuth 2.1, RFC 7662, RFC 7009, RFC 9449).

An access token is a session of five minutes at most. It is bound to a client, a grant, a launch patient and,
for backends and for public programs that may change something, to a key; it ends with each of them and with
its person. Whatever a token hangs on is asked again when it is made: the client, who answers for it, the
person's role, the launch patient.

Order: what is answered, the endpoints.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Final

from serment.access.scopes import ResourceScope, Scope, narrowed, parse
from serment.errors import MalformedError, OAuthError, PossessionError
from serment.model import Actor, ActorId, ActorKind, Purpose, RecordToken
from serment.people import assertions, dpop, grants
from serment.people.accounts import Accounts, by_actor
from serment.people.authorising import (
    OFFLINE,
    ONLINE,
    Form,
    needs_key,
    offered,
    opens_nothing,
    scope_of,
)
from serment.people.clients import BACKEND, PUBLIC, Client, Clients
from serment.people.credentials import Drawer
from serment.people.dpop import Proof, Proofs
from serment.people.grants import Grant, Grants
from serment.people.signing import lasting, role_of
from serment.record.asking import Asking
from serment.record.entrance.launching import Launching
from serment.record.entrance.sessions import Program, Session, Sessions

ACCESS_MS: Final = 5 * 60 * 1000
GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class Issued:
    """What the token endpoint answers (RFC 6749 section 5.1; SMART launch context)."""

    token: str = field(repr=False)
    scope: str
    lasts: int
    bound: bool
    refresh: str = field(default="", repr=False)
    patient: str = field(default="", repr=False)

    def answer(self) -> dict[str, Any]:
        """Give the members of the answer."""
        said: dict[str, Any] = {
            "access_token": self.token,
            "token_type": "DPoP" if self.bound else "Bearer",
            "expires_in": self.lasts,
            "scope": self.scope,
        }
        if self.refresh:
            said["refresh_token"] = self.refresh
        if self.patient:
            said |= {"patient": self.patient, "need_patient_banner": True}
        return said


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token endpoint, and what it is asked about tokens."""

    clients: Clients
    grants: Grants
    accounts: Accounts
    drawer: Drawer
    sessions: Sessions
    launching: Launching
    proofs: Proofs
    address: str
    """The token endpoint's own address: what an assertion is for."""

    def client_of(self, asking: Asking, form: Form) -> Client:
        """Say which program asks, proved by its key where it has one. Raises `OAuthError`."""
        assertion = form.get("client_assertion", "")
        if not assertion:
            client = self.clients.standing(asking, form.get("client_id", ""))
            if client.kind != PUBLIC:
                raise assertions.refused()
            return client
        if form.get("client_assertion_type") != assertions.ASSERTION_TYPE:
            raise assertions.refused()
        named = assertions.claimed(assertion)
        client = self.clients.standing(asking, named)
        if form.get("client_id", named) != named or client.kind == PUBLIC:
            raise assertions.refused()
        said = assertions.verified(assertion, client.id, client.keys, self.address, asking.now)
        if not self.sessions.first(f"assertion:{client.id}:{said.jti}", said.until):
            raise assertions.refused()
        return client

    def shown(self, asking: Asking, proof: str) -> Proof | None:
        """Read the proof of a key that comes with a request for a token. Raises `OAuthError`."""
        if not proof:
            return None
        try:
            shown = dpop.verified(proof, "POST", self.address, asking.now)
            self.proofs.check_nonce(shown, asking.now)
        except PossessionError as error:
            raise _of_proof(error) from None
        return shown

    async def issue(self, asking: Asking, form: Form, proof: str) -> Issued:
        """Answer the token endpoint. Raises `OAuthError`."""
        kind = form.get("grant_type", "")
        if kind not in GRANT_TYPES:
            raise OAuthError("oauth.grant-type", "unsupported_grant_type")
        shown = self.shown(asking, proof)
        client = await asyncio.to_thread(self.client_of, asking, form)
        if (kind == "client_credentials") != (client.kind == BACKEND):
            raise OAuthError("oauth.grant-type", "unauthorized_client")
        key = self._taken(asking, shown)
        if kind == "client_credentials":
            return await asyncio.to_thread(self._of_backend, asking, client, form, key)
        if kind == "authorization_code":
            return await self._of_code(asking, client, form, key)
        return await self._of_refresh(asking, client, form, key)

    def _taken(self, asking: Asking, shown: Proof | None) -> str:
        """Take a proof, once the program is known: its key, "" without one. Raises `OAuthError`."""
        if shown is None:
            return ""
        try:
            self.proofs.take(shown, asking.now)
        except PossessionError as error:
            raise _of_proof(error) from None
        return shown.key

    async def _of_code(self, asking: Asking, client: Client, form: Form, key: str) -> Issued:
        def check(grant: Grant) -> None:
            verifier = form.get("code_verifier", "")
            proved = _VERIFIER.fullmatch(verifier) and secrets.compare_digest(
                dpop.hash_of(verifier), grant.challenge
            )
            if grant.client != client.id or grant.redirect != form.get("redirect_uri") or not proved:
                raise grants.refused()
            self._check_key(client, scope_of(grant.scope), key)

        grant, refresh = await asyncio.to_thread(self.grants.spend, asking, form.get("code", ""), check, key)
        return await self._of_grant(asking, client, grant, grant.scope, refresh)

    async def _of_refresh(self, asking: Asking, client: Client, form: Form, key: str) -> Issued:
        wished = form.get("scope", "")

        def check(grant: Grant) -> None:
            if grant.client != client.id:
                raise grants.refused()
            if wished and not _narrower(wished, grant.scope):
                raise OAuthError("oauth.wider", "invalid_scope")

        shown = form.get("refresh_token", "")
        await asyncio.to_thread(self._one_role, asking, self.grants.look(asking, shown))
        grant, refresh = await asyncio.to_thread(self.grants.refreshed, asking, shown, check, key)
        return await self._of_grant(asking, client, grant, wished or grant.scope, refresh)

    async def _of_grant(
        self, asking: Asking, client: Client, grant: Grant, wished: str, refresh: str
    ) -> Issued:
        """Make a token of a grant: all that it hangs on is asked again, now. Raises `OAuthError`."""
        text = " ".join(offered(client, wished))
        person, scope = grant.who(), scope_of(text)
        until = await asyncio.to_thread(self._until, asking, person, grant)
        if until <= asking.now or opens_nothing(scope):
            raise grants.refused()
        asks = replace(asking, actor=person, purpose=grants.purpose_of(grant))
        record = None
        if grant.launch:
            record = await self.launching.opened(asks, grant.launch)
            if record is None:
                raise grants.refused()
        going_on = not {OFFLINE, ONLINE}.isdisjoint(grant.scope.split())
        issued = await asyncio.to_thread(
            self._token, asks, client, grant.id, text, record or RecordToken(b""), grant.key, until
        )
        return replace(issued, refresh=refresh if going_on else "", patient=grant.launch)

    def _of_backend(self, asking: Asking, client: Client, form: Form, key: str) -> Issued:
        """Make a token of a backend, which deposits what its structure receives and reads nothing (ADR 8)."""
        offer = [one for one in map(parse, offered(client, form.get("scope", ""))) if one is not None]
        deposits = [one._replace(letters="c") for one in offer if "c" in one.letters]
        if not deposits:
            raise OAuthError("oauth.nothing", "invalid_scope")
        text = " ".join(map(str, deposits))
        self._check_key(client, scope_of(text), key)
        actor = Actor(
            ActorId(f"client:{client.id}"), ActorKind.SERVICE, client.name, structure=client.structure
        )
        asks = replace(asking, actor=actor, purpose=Purpose.RECORD_MANAGEMENT)
        return self._token(asks, client, "", text, RecordToken(b""), key, grants.ONLINE_MS + asking.now)

    def _token(
        self,
        asking: Asking,
        client: Client,
        grant: str,
        scope: str,
        record: RecordToken,
        key: str,
        until: int,
    ) -> Issued:
        ends = min(asking.now + ACCESS_MS, client.processor.until, until)
        program = Program(client.id, grant, scope, client.rate, record, key)
        said = asking.actor, asking.purpose, asking.now
        if grant:
            made = self.sessions.made(*said, until=ends, program=program)
            secret = self.grants.kept(asking, grant, made)
        else:
            secret = self.sessions.begin(*said, until=ends, program=program)
        return Issued(secret, scope, (ends - asking.now) // 1000, bool(key))

    def _one_role(self, asking: Asking, grant: Grant | None) -> None:
        """Refuse for now to go on in one role while the person is signed in in another. Raises `OAuthError`.

        Nothing is spent: the program asks again later with the same token.
        """
        account = None if grant is None else self.accounts.find(asking, by_actor(grant.actor))
        if grant is None or account is None:
            return
        mine = role_of(grant.who())
        others = (
            role_of(one.session.actor) for one in lasting(self.drawer, self.sessions, asking, account.id)
        )
        if any(one != mine for one in others):
            raise OAuthError("oauth.other-role", "temporarily_unavailable", status=503)

    def _until(self, asking: Asking, person: Actor, grant: Grant) -> int:
        """Say until when a person may go on in the role of a grant; now, for who has left or may no more."""
        account = self.accounts.find(asking, by_actor(person.id))
        if account is None:
            return grant.until
        ends = [
            one.end or grant.until
            for one in account.standing(asking.now)
            if one.actor_named(person.name) == person
        ]
        return min(grant.until, max(ends, default=asking.now), account.left or grant.until)

    def _check_key(self, client: Client, scope: Scope, key: str) -> None:
        """Refuse a token without a key where there must be one. Raises `OAuthError`, with a nonce."""
        if needs_key(client, scope) and not key:
            raise OAuthError("oauth.key-needed", "invalid_dpop_proof")

    def introspected(self, asking: Asking, client: Client, token: str) -> dict[str, Any]:
        """Say what a token is worth to a resource server (RFC 7662); anything else is not active."""
        if not client.introspects:
            raise OAuthError("oauth.client", "unauthorized_client", status=403)
        found = self._standing(asking, token)
        if found is None:
            return {"active": False}
        session, program = found
        said: dict[str, Any] = {
            "active": True,
            "scope": program.scope,
            "client_id": program.client,
            "exp": session.ends // 1000,
            "sub": self.sessions.token_of(f"subject:{client.id}:{session.actor.id}").hex(),
            "token_type": "DPoP" if program.key else "Bearer",
        }
        return said | ({"cnf": {"jkt": program.key}} if program.key else {})

    def revoke(self, asking: Asking, client: Client, token: str) -> None:
        """End a token of a program, with all that came of its grant (RFC 7009); of any other, do nothing."""
        found = self._standing(asking, token)
        if found is not None:
            if found[1].client == client.id:
                self.sessions.end(token)
            return
        grant = self.grants.look(asking, token)
        if grant is not None and grant.client == client.id and grant.ended is None:
            self.grants.end(replace(asking, actor=grant.who()), grant.id)

    def _standing(self, asking: Asking, token: str) -> tuple[Session, Program] | None:
        """Give the session of an access token and what it is bound to; None for anything else."""
        found = self.sessions.of_token(self.sessions.token_of(token), asking.now)
        program = found[0].program if found is not None else None
        return None if found is None or program is None else (found[0], program)


def _of_proof(error: PossessionError) -> OAuthError:
    code = "use_dpop_nonce" if error.nonce else "invalid_dpop_proof"
    return OAuthError(error.sentence, code, nonce=error.nonce)


def _narrower(wished: str, granted: str) -> bool:
    """Say whether what is wished at a refresh is all inside what was given (RFC 6749 section 6)."""
    try:
        asked = [one for one in map(parse, wished.split()) if one is not None]
    except MalformedError:
        return False
    limits = [one for one in map(parse, granted.split()) if one is not None]
    others = {one for one in wished.split() if parse(one) is None}
    return all(_inside(one, limits) for one in asked) and others <= set(granted.split())


def _inside(one: ResourceScope, limits: list[ResourceScope]) -> bool:
    """Say whether each letter of a scope was given for all that it is about: what is narrower gives none."""
    whole = (got for got in narrowed([one], limits) if got._replace(letters=one.letters) == one)
    return set(one.letters) <= {letter for got in whole for letter in got.letters}

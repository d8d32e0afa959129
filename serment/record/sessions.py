"""Who is signed in: sealed sessions behind opaque bearer secrets, and one-time codes.

A secret is 32 random bytes in URL-safe base64; the store keeps its keyed token and the sealed actor,
never the secret. A one-time code is exchanged once for a session and is then gone. Sign-in proper
(passkeys, Pro Santé Connect) makes the same sessions later; until then only demo stores issue them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import msgspec

from serment.errors import RefusedError, SignInError
from serment.keys.custody.contract import StoreKind
from serment.model import Actor, ActorId, ActorKind, Function, Instant, PatientId, Purpose
from serment.record.passage import Passage
from serment.store.contract import Transaction

SESSION_MS = 12 * 3600 * 1000
CODE_MS = 24 * 3600 * 1000
SKEW_MS = 60 * 1000
"""How far back a clock may be put before sessions count as not begun."""
FORM_KEY = "form"


class _Sealed(msgspec.Struct, array_like=True, frozen=True):
    """What a session row holds, sealed."""

    once: bool
    ends: int
    purpose: str
    id: str
    kind: str
    name: str
    profession: str
    function: str
    structure: str
    patient: str | None
    regulation: bool
    supervisor: str | None
    to: str = "/"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, and the purpose that stands when a request names none."""

    actor: Actor
    purpose: Purpose
    ends: Instant
    to: str = "/"


class Sessions:
    """Issue, exchange, open and end sessions."""

    def __init__(self, passage: Passage, kind: StoreKind) -> None:
        self._passage = passage
        self._kind = kind

    def issue(
        self, actor: Actor, purpose: Purpose, now: Instant, *, once: bool = False, to: str = "/"
    ) -> str:
        """Give a bearer secret, or a one-time code. Raises `RefusedError` on a production store."""
        if self._kind is not StoreKind.DEMO:
            raise RefusedError("record.demo-only")
        return self._kept(actor, purpose, now, once=once, to=to)

    def exchange(self, code: str, now: Instant) -> str:
        """Exchange a one-time code for a session secret.

        Raises `SignInError` when it was used already or never was.
        """
        token = self._passage.installation.session_token(code)
        sealed = self._passage.store.submit(lambda txn: _taken(txn, token)).result()
        if sealed is None:
            raise SignInError("record.signed-out")
        held = self._opened(token, sealed)
        if not held.once or not _lasts(held, now):
            raise SignInError("record.signed-out")
        return self._kept(_actor(held), Purpose(held.purpose), now, once=False, to=held.to)

    def open(self, secret: str, now: Instant) -> Session:
        """Say who is behind a secret. Raises `SignInError`."""
        token = self._passage.installation.session_token(secret)
        with self._passage.store.snapshot() as snapshot:
            sealed = snapshot.session(token)
        if sealed is None:
            raise SignInError("record.signed-out")
        held = self._opened(token, sealed)
        if held.once or not _lasts(held, now):
            raise SignInError("record.signed-out")
        return Session(_actor(held), Purpose(held.purpose), Instant(held.ends), held.to)

    def end(self, secret: str) -> None:
        """End a session at once."""
        token = self._passage.installation.session_token(secret)
        self._passage.store.submit(lambda txn: txn.drop_session(token)).result()

    def form_key(self, secret: str) -> str:
        """Give what a form of this session carries, so that no other site can post it."""
        return self._passage.installation.session_token(FORM_KEY + secret).hex()

    def _kept(self, actor: Actor, purpose: Purpose, now: Instant, *, once: bool, to: str) -> str:
        secret = secrets.token_urlsafe(32)
        token = self._passage.installation.session_token(secret)
        held = _Sealed(
            once,
            now + (CODE_MS if once else SESSION_MS),
            purpose.value,
            actor.id,
            actor.kind.value,
            actor.name,
            actor.profession,
            actor.function.value,
            actor.structure,
            actor.patient,
            actor.regulation,
            actor.supervisor,
            to,
        )
        sealed = self._passage.installation.seal_session(token, msgspec.msgpack.encode(held))
        self._passage.store.submit(lambda txn: txn.put_session(token, sealed)).result()
        return secret

    def _opened(self, token: bytes, sealed: bytes) -> _Sealed:
        return msgspec.msgpack.decode(self._passage.installation.open_session(token, sealed), type=_Sealed)


def _lasts(held: _Sealed, now: Instant) -> bool:
    """Say whether a session has begun and not ended: a clock that was put back before it closes it too."""
    began = held.ends - (CODE_MS if held.once else SESSION_MS)
    return began - SKEW_MS <= now < held.ends


def _taken(txn: Transaction, token: bytes) -> bytes | None:
    sealed = txn.session(token)
    txn.drop_session(token)
    return sealed


def _actor(held: _Sealed) -> Actor:
    return Actor(
        ActorId(held.id),
        ActorKind(held.kind),
        held.name,
        held.profession,
        Function(held.function),
        held.structure,
        None if held.patient is None else PatientId(held.patient),
        held.regulation,
        None if held.supervisor is None else ActorId(held.supervisor),
    )

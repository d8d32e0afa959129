"""Who is signed in: sealed sessions behind opaque bearer secrets, and one-time codes.

A secret is 32 random bytes in URL-safe base64; the store keeps its keyed token and the sealed actor,
never the secret. A one-time code is exchanged once for a session and is then gone. Sign-in proper
(passkeys, Pro Santé Connect) makes the same sessions later; until then only demo stores issue them.

The row is read at each request, so that a session ended is ended at once; what an unchanged row says is
kept opened for the sessions seen last. That a session has ended, or that a code is spent, stands in the
ledger too: a row put back by hand opens nothing (`ended`). Each sign-in sweeps some rows that are over.
"""

from __future__ import annotations

import contextlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

import msgspec

from serment.errors import IntegrityError, RefusedError, SignInError
from serment.keys.custody.contract import StoreKind
from serment.model import Actor, ActorId, Instant, Purpose
from serment.record.ended import Ended
from serment.record.passage import Passage
from serment.record.signed import actor_of, spelled
from serment.store.contract import Transaction

SESSION_MS = 12 * 3600 * 1000
CODE_MS = 24 * 3600 * 1000
SKEW_MS = 60 * 1000
"""How far back a clock may be put before sessions count as not begun."""
FORM_KEY = "form"
FOREVER = 1 << 62
SWEPT = 32
"""Rows that one sign-in looks at, to drop those that are over: more than one sign-in adds."""
MOST_OPENED = 256
"""Sessions whose row is kept opened: the staff of a large practice."""


class _Sealed(msgspec.Struct, array_like=True, frozen=True):
    """What a session row holds, sealed."""

    once: bool
    ends: int
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
    began: int
    to: str = "/"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, and the purpose that stands when a request names none."""

    actor: Actor
    purpose: Purpose
    ends: Instant
    to: str = "/"


@dataclass(frozen=True, slots=True)
class _Opened:
    """What one sealed row says; holds for exactly these bytes."""

    sealed: bytes = field(repr=False)
    once: bool
    session: Session
    actor: bytes = field(repr=False)
    began: int


class Sessions:
    """Issue, exchange, open and end sessions."""

    def __init__(self, passage: Passage, kind: StoreKind) -> None:
        self._passage = passage
        self._kind = kind
        self._rows: OrderedDict[bytes, _Opened] = OrderedDict()
        self._lock = Lock()
        self._ended = Ended(passage)
        self._swept = b""

    def ready(self) -> None:
        """Read which sessions have ended, while custody is there to open the ledger's system chain."""
        self._ended.ready(self._passage.clock())

    def issue(
        self, actor: Actor, purpose: Purpose, now: Instant, *, once: bool = False, to: str = "/"
    ) -> str:
        """Give a bearer secret, or a one-time code. Raises `RefusedError` on a production store."""
        if self._kind is not StoreKind.DEMO:
            raise RefusedError("record.demo-only")
        return self._kept(actor, purpose, now, once=once, to=to)

    def begin(
        self, actor: Actor, purpose: Purpose, now: Instant, *, until: int | None = None, to: str = "/"
    ) -> str:
        """Begin the session of somebody who signed in; give its secret. It ends at `until` at the latest."""
        return self._kept(actor, purpose, now, once=False, to=to, until=until)

    def exchange(self, code: str, now: Instant) -> str:
        """Exchange a one-time code for a session secret.

        Raises `SignInError` when it was used already or never was.
        """
        token = self._passage.installation.session_token(code)
        opened = self._standing(token, now)
        if not self._drop(token, now) or not opened.once or not _lasts(opened, now):
            raise SignInError("record.signed-out")
        session = opened.session
        return self._kept(session.actor, session.purpose, now, once=False, to=session.to)

    def open(self, secret: str, now: Instant) -> Session:
        """Say who is behind a secret. Raises `SignInError`."""
        token = self._passage.installation.session_token(secret)
        opened = self._standing(token, now)
        if opened.once or not _lasts(opened, now):
            self._forget(token)
            raise SignInError("record.signed-out")
        return opened.session

    def end(self, secret: str) -> None:
        """End a session at once."""
        token, now = self._passage.installation.session_token(secret), self._passage.clock()
        self._forget(token)
        self._drop(token, now)

    def end_all(self, whose: ActorId, by: Actor, now: Instant) -> None:
        """End at once all that an actor has begun: sessions, codes and tokens, in every process.

        A code or a session of theirs that begins later lasts. The rows are swept in their time.
        """
        token = self._of(whose)
        self._ended.trail(now)
        self._passage.store.submit(lambda txn: self._ended.note_all(txn, token, by, now)).result()
        self._ended.add(token, now)

    def _of(self, actor: str) -> bytes:
        """Give the token under which the ends of an actor are known."""
        return self._passage.installation.session_token(f"actor:{actor}")

    def _standing(self, token: bytes, now: Instant) -> _Opened:
        """Open a session, unless it has no row or the ledger says that it has ended. Raises `SignInError`."""
        sealed, newest = self._passage.store.session(token, self._ended.trail(now))
        if sealed is not None:
            opened = self._read(token, sealed)
            if not self._ended.has(token, opened.actor, opened.began, newest, now):
                return opened
        self._forget(token)
        raise SignInError("record.signed-out")

    def _drop(self, token: bytes, now: Instant) -> bool:
        """Drop a row and write its end down, in one transaction; False when it was dropped already."""

        def job(txn: Transaction) -> bool:
            sealed = txn.session(token)
            if sealed is None:
                return False
            txn.drop_session(token)
            self._ended.note(txn, token, self._whose(token, sealed), now)
            return True

        self._ended.trail(now)
        dropped = self._passage.store.submit(job).result()
        if dropped:
            self._ended.add(token, now)
        return dropped

    def _whose(self, token: bytes, sealed: bytes) -> Actor | None:
        """Say whose session a row is; None when it is not what was written: it is dropped all the same."""
        try:
            return actor_of(self._opened(token, sealed))
        except IntegrityError:
            return None

    def form_key(self, secret: str) -> str:
        """Give what a form of this session carries, so that no other site can post it."""
        return self._passage.installation.session_token(FORM_KEY + secret).hex()

    def _kept(
        self,
        actor: Actor,
        purpose: Purpose,
        now: Instant,
        *,
        once: bool,
        to: str,
        until: int | None = None,
    ) -> str:
        secret = secrets.token_urlsafe(32)
        token = self._passage.installation.session_token(secret)
        held = _Sealed(
            once,
            min(now + (CODE_MS if once else SESSION_MS), until or FOREVER),
            purpose.value,
            *spelled(actor),
            actor.replaces,
            self._ended.since(self._of(actor.id), now),
            to,
        )
        sealed = self._passage.installation.seal_session(token, msgspec.msgpack.encode(held))

        def job(txn: Transaction) -> bytes:
            txn.put_session(token, sealed)
            return self._sweep(txn, now)

        self._swept = self._passage.store.submit(job).result()
        return secret

    def _sweep(self, txn: Transaction, now: Instant) -> bytes:
        """Drop those of the next rows that are over; say where to go on. One that does not open stays."""
        looked = txn.sessions(self._swept, SWEPT)
        for token, sealed in looked:
            with contextlib.suppress(IntegrityError):
                if self._opened(token, sealed).ends <= now:
                    txn.drop_session(token)
        return looked[-1][0] if len(looked) == SWEPT else b""

    def _read(self, token: bytes, sealed: bytes) -> _Opened:
        """Give what a row says: opened before, when these very bytes were; else opened now."""
        with self._lock:
            kept = self._rows.get(token)
            if kept is not None:
                self._rows.move_to_end(token)
        if kept is None or kept.sealed != sealed:
            held = self._opened(token, sealed)
            session = Session(actor_of(held), Purpose(held.purpose), Instant(held.ends), held.to)
            kept = _Opened(sealed, held.once, session, self._of(held.actor), held.began)
            self._keep(token, kept)
        return kept

    def _keep(self, token: bytes, opened: _Opened) -> None:
        with self._lock:
            self._rows[token] = opened
            while len(self._rows) > MOST_OPENED:
                self._rows.popitem(last=False)

    def _forget(self, token: bytes) -> None:
        with self._lock:
            self._rows.pop(token, None)

    def _opened(self, token: bytes, sealed: bytes) -> _Sealed:
        return msgspec.msgpack.decode(self._passage.installation.open_session(token, sealed), type=_Sealed)


def _lasts(opened: _Opened, now: Instant) -> bool:
    """Say whether a session has begun and not ended: a clock that was put back before it closes it too."""
    return opened.began - SKEW_MS <= now < opened.session.ends

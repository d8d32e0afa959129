"""Who is signed in: sealed sessions behind opaque bearer secrets, and one-time codes.

A secret is 32 random bytes in URL-safe base64; the store keeps its keyed token and the sealed actor,
never the secret. A one-time code is exchanged once for a session and is then gone; only demo stores issue
them. A session of an account is bound to the browser that signed in (ADR 48): its secret shown by another
one ends it and rings an alarm. It locks when nobody has used it for a while, and opens again by a proof.

The row is read at each request, so that a session ended is ended at once; what an unchanged row says is
kept opened for the sessions seen last. That a session has ended, or that a code is spent, stands in the
ledger too: a row put back by hand opens nothing (`ended`). Each sign-in sweeps some rows that are over. When
a session was used last is known in memory, and in its row to the minute: no request waits for a write.
"""

from __future__ import annotations

import contextlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import msgspec

from serment.errors import IntegrityError, ProofAgainError, RefusedError, SignInError
from serment.keys.custody.contract import StoreKind
from serment.model import Actor, ActorId, Instant, Purpose
from serment.record.alarms import STOLEN_SESSION
from serment.record.entrance import session_rows
from serment.record.entrance.ended import Ended
from serment.record.entrance.session_rows import (
    CODE_MS,
    COUNTER_IDLE_MS,
    FOREVER,
    NOBODY,
    SESSION_MS,
    SKEW_MS,
    UNBOUND,
    Bound,
    Entrance,
    Opened,
    Program,
    Row,
    Session,
)
from serment.record.entrance.signed import actor_of
from serment.record.passage import Passage, year_of
from serment.store.contract import Transaction

__all__ = ["SESSION_MS", "SKEW_MS", "Bound", "Entrance", "Program", "Session", "Sessions"]

FORM_KEY: Final = "form"
DEFAULTS: Final = Entrance()
SWEPT: Final = 32
"""Rows that one sign-in looks at, to drop those that are over: more than one sign-in adds."""
MOST_OPENED = 256
"""Sessions whose row is kept opened: the staff of a large practice."""
TOUCH_MS: Final = 60 * 1000
"""How far a row may lag behind the last use; another process locks by as much too early, at most."""


@dataclass(frozen=True, slots=True)
class Made:
    """A session that a transaction is to keep."""

    secret: str = field(repr=False)
    token: bytes = field(repr=False)
    row: Row = field(repr=False)


class Sessions:
    """Issue, exchange, open and end sessions."""

    def __init__(self, passage: Passage, kind: StoreKind, entrance: Entrance = DEFAULTS) -> None:
        self._passage = passage
        self._kind = kind
        self._longest, self._idle = min(entrance.longest, SESSION_MS), entrance.idle
        self._rows: OrderedDict[bytes, Opened] = OrderedDict()
        self._used: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
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
        return self._kept(self.made(actor, purpose, now, once=once, to=to), now)

    def begin(
        self,
        actor: Actor,
        purpose: Purpose,
        now: Instant,
        *,
        until: int | None = None,
        to: str = "/",
        program: Program | None = None,
    ) -> str:
        """Begin the session of somebody who signed in; give its secret. It ends at `until` at the latest."""
        return self._kept(self.made(actor, purpose, now, until=until, to=to, program=program), now)

    def first(self, name: str, until: Instant) -> bool:
        """Say whether something that counts once, until then, is met for the first time in any process."""
        token = self._passage.installation.session_token(f"once:{name}")
        sealed = self._sealed(token, session_rows.spent(until))

        def job(txn: Transaction) -> bool:
            if txn.session(token) is not None:
                return False
            txn.put_session(token, sealed)
            return True

        return self._passage.store.submit(job).result()

    def exchange(self, code: str, now: Instant) -> str:
        """Exchange a one-time code for a session secret.

        Raises `SignInError` when it was used already or never was.
        """
        token = self._passage.installation.session_token(code)
        opened = self._standing(token, now)
        if not self._drop(token, now) or not opened.once or not opened.lasts(now):
            raise SignInError("record.signed-out")
        session = opened.session
        return self._kept(self.made(session.actor, session.purpose, now, to=session.to), now)

    def open(self, secret: str, now: Instant, device: str = "") -> Session:
        """Say who is behind a secret, shown by the browser whose own secret is `device`.

        Raises `SignInError`; `ProofAgainError` when the session is locked or questioned.
        """
        token, opened = self._met(secret, now, device)
        session = opened.session
        if session.bound.questioned:
            raise ProofAgainError("signin.questioned")
        if session.bound.account:
            self._use(token, opened, now, self._idle)
        elif session.bound.at_counter:
            self._use_or_end(token, opened, now)
        return session

    def peek(self, secret: str, now: Instant, device: str = "") -> Session:
        """Say whose session a secret is though it may be locked or questioned. Raises `SignInError`."""
        return self._met(secret, now, device)[1].session

    def of_token(self, token: bytes, now: Instant) -> tuple[Session, int] | None:
        """Give a session by its token, and when it was used last; None when it has ended, or is a code."""
        try:
            opened = self._standing(token, now)
        except SignInError:
            return None
        lasts = opened.lasts(now) and not opened.once
        return (opened.session, self._last(token, opened)) if lasts else None

    def token_of(self, secret: str) -> bytes:
        """Give the token of a session's secret."""
        return self._passage.installation.session_token(secret)

    def device_of(self, secret: str) -> bytes:
        """Give the token of a browser's own secret; b"" for none."""
        return self._passage.installation.session_token(f"device:{secret}") if secret else b""

    def end(self, secret: str) -> None:
        """End a session at once."""
        self.end_token(self._passage.installation.session_token(secret), self._passage.clock())

    def end_token(self, token: bytes, now: Instant) -> bool:
        """End a session by its token; False when it had ended."""
        self._forget(token)
        return self._drop(token, now)

    def end_all(self, whose: ActorId, by: Actor, now: Instant) -> None:
        """End at once all that an actor has begun: sessions, codes and tokens, in every process.

        A code or a session of theirs that begins later lasts. The rows are swept in their time. The instant
        is that of the writing: what began while this waited its turn ends too.
        """
        token = self._of(whose)
        self._ended.trail(now)

        def job(txn: Transaction) -> Instant:
            written = self._passage.clock()
            at = Instant(max(now, written)) if year_of(written) == year_of(now) else now
            self._ended.note_all(txn, token, by, at)
            return at

        self._ended.add(token, self._passage.store.submit(job).result())

    def made(
        self,
        actor: Actor,
        purpose: Purpose,
        now: Instant,
        *,
        once: bool = False,
        to: str = "/",
        until: int | None = None,
        bound: Bound = UNBOUND,
        program: Program | None = None,
    ) -> Made:
        """Make a session that `keep` writes down; a program's ends with its client and its grant too."""
        secret = secrets.token_urlsafe(32)
        ends = min(now + (CODE_MS if once else self._longest), until or FOREVER)
        # A token begins with the request that asked for it: what ended meanwhile ends it too.
        began = now if program else self._ended.since(self._of(actor.id), now)
        row = session_rows.row_of(actor, purpose, ends, began, once=once, to=to)
        if program is not None:
            row = msgspec.structs.replace(row, program=program)
        if bound.account or bound.at_counter:
            row = session_rows.bind(row, secrets.token_hex(8), bound, now)
        return Made(secret, self._passage.installation.session_token(secret), row)

    def renewed(self, secret: str, now: Instant, device: str, methods: tuple[str, ...]) -> tuple[bytes, Made]:
        """Make the same session again after another proof, under a new secret: the old token, what to keep.

        Raises `SignInError`. It ends when it would have.
        """
        token, opened = self._met(secret, now, device)
        row = self._opened(token, opened.sealed)
        fresh = secrets.token_urlsafe(32)
        row = msgspec.structs.replace(row, proved=now, seen=now, questioned=False, methods=methods)
        return token, Made(fresh, self._passage.installation.session_token(fresh), row)

    def keep(self, txn: Transaction, made: Made) -> None:
        """Write a session down, in the transaction of whatever makes it."""
        txn.put_session(made.token, self._sealed(made.token, made.row))

    def drop(self, txn: Transaction, token: bytes, now: Instant) -> bool:
        """Drop a row and write its end down, in the caller's transaction; False when there is none."""
        sealed = txn.session(token)
        if sealed is None:
            return False
        txn.drop_session(token)
        self._ended.note(txn, token, self._whose(token, sealed), now)
        return True

    def tell(self, txn: Transaction, token: bytes, sentence: str) -> None:
        """Have the pages of a session say a sentence, "" for none."""
        sealed = txn.session(token)
        if sealed is not None:
            row = msgspec.structs.replace(self._opened(token, sealed), told=sentence)
            txn.put_session(token, self._sealed(token, row))

    def say(self, token: bytes, sentence: str) -> None:
        """Have the pages of a session say a sentence, "" for none; waits until it is so."""
        self._passage.store.submit(lambda txn: self.tell(txn, token, sentence)).result()

    def dropped(self, token: bytes, now: Instant) -> None:
        """Know at once, in this process, of what `drop` wrote."""
        self._forget(token)
        self._ended.add(token, now)

    def warm(self, now: Instant) -> None:
        """Have what `drop` needs at hand before a transaction begins."""
        self._ended.trail(now)

    def form_key(self, secret: str) -> str:
        """Give what a form of this session carries, so that no other site can post it."""
        return self._passage.installation.session_token(FORM_KEY + secret).hex()

    def _met(self, secret: str, now: Instant, device: str) -> tuple[bytes, Opened]:
        """Open the session behind a secret; one shown by another browser ends. Raises `SignInError`."""
        token = self._passage.installation.session_token(secret)
        opened = self._standing(token, now)
        if opened.once or not opened.lasts(now):
            self._forget(token)
            raise SignInError("record.signed-out")
        bound = opened.session.bound
        if bound.device and not secrets.compare_digest(bound.device, self.device_of(device)):
            self._passage.alarms.ring(STOLEN_SESSION)
            self.end_token(token, now)
            raise SignInError("record.signed-out")
        return token, opened

    def _use_or_end(self, token: bytes, opened: Opened, now: Instant) -> None:
        """Do as `_use`; a session that nobody can prove again ends in place of being locked."""
        try:
            self._use(token, opened, now, COUNTER_IDLE_MS)
        except ProofAgainError:
            self.end_token(token, now)
            raise SignInError("counter.over") from None

    def _use(self, token: bytes, opened: Opened, now: Instant, idle: int) -> None:
        """Note that a session is used; once in a while its row says so too. Raises `ProofAgainError`."""
        with self._lock:
            used, told = self._used.get(token, (0, 0))
            if now - max(used, opened.seen) > idle:
                raise ProofAgainError("signin.locked")
            late = now - max(opened.seen, told) >= TOUCH_MS
            self._used[token] = (now, now if late else told)
            self._used.move_to_end(token)
            while len(self._used) > MOST_OPENED * 16:
                self._used.popitem(last=False)
        if late:
            self._passage.store.submit(lambda txn: self._touch(txn, token, opened.sealed, now))

    def _touch(self, txn: Transaction, token: bytes, sealed: bytes, now: Instant) -> None:
        """Write down when a session was used, unless its row has changed or gone meanwhile."""
        if txn.session(token) == sealed:
            row = msgspec.structs.replace(self._opened(token, sealed), seen=now)
            txn.put_session(token, self._sealed(token, row))

    def _last(self, token: bytes, opened: Opened) -> int:
        with self._lock:
            return max(opened.seen, self._used.get(token, (0, 0))[0])

    def _of(self, actor: str) -> bytes:
        """Give the token under which the ends of an actor are known."""
        return self._passage.installation.session_token(f"actor:{actor}")

    def _standing(self, token: bytes, now: Instant) -> Opened:
        """Open a session, unless it has no row or the ledger says that it has ended. Raises `SignInError`."""
        sealed, newest = self._passage.store.session(token, self._ended.trail(now))
        if sealed is not None:
            opened = self._read(token, sealed)
            whose = (opened.actor, *opened.also)
            if not any(self._ended.has(token, one, opened.began, newest, now) for one in whose):
                return opened
        self._forget(token)
        raise SignInError("record.signed-out")

    def _drop(self, token: bytes, now: Instant) -> bool:
        """Drop a row and write its end down, in one transaction; False when it was dropped already."""
        self._ended.trail(now)
        dropped = self._passage.store.submit(lambda txn: self.drop(txn, token, now)).result()
        if dropped:
            self._ended.add(token, now)
        return dropped

    def _whose(self, token: bytes, sealed: bytes) -> Actor | None:
        """Say whose session a row is; None when it is not what was written: it is dropped all the same."""
        try:
            return actor_of(self._opened(token, sealed))
        except IntegrityError:
            return None

    def _kept(self, made: Made, now: Instant) -> str:
        def job(txn: Transaction) -> bytes:
            self.keep(txn, made)
            return self.sweep(txn, now)

        self._swept = self._passage.store.submit(job).result()
        return made.secret

    def sweep(self, txn: Transaction, now: Instant) -> bytes:
        """Drop those of the next rows that are over; say where to go on. One that does not open stays."""
        looked = txn.sessions(self._swept, SWEPT)
        for token, sealed in looked:
            with contextlib.suppress(IntegrityError):
                if self._opened(token, sealed).ends <= now:
                    txn.drop_session(token)
        return looked[-1][0] if len(looked) == SWEPT else b""

    def swept(self, where: bytes) -> None:
        """Remember where the next sweep begins."""
        self._swept = where

    def _read(self, token: bytes, sealed: bytes) -> Opened:
        """Give what a row says: opened before, when these very bytes were; else opened now."""
        with self._lock:
            kept = self._rows.get(token)
            if kept is not None:
                self._rows.move_to_end(token)
        if kept is None or kept.sealed != sealed:
            row = self._opened(token, sealed)
            if row.actor == NOBODY:
                raise SignInError("record.signed-out")
            actor = self._of(row.actor)
            also = tuple(self._of(one) for one in row.program.ends_with) if row.program else ()
            kept = Opened(sealed, row.once, session_rows.session_of(row), actor, row.began, row.seen, also)
            self._keep(token, kept)
        return kept

    def _keep(self, token: bytes, opened: Opened) -> None:
        with self._lock:
            self._rows[token] = opened
            while len(self._rows) > MOST_OPENED:
                self._rows.popitem(last=False)

    def _forget(self, token: bytes) -> None:
        with self._lock:
            self._rows.pop(token, None)
            self._used.pop(token, None)

    def _sealed(self, token: bytes, row: Row) -> bytes:
        return self._passage.installation.seal_session(token, msgspec.msgpack.encode(row))

    def _opened(self, token: bytes, sealed: bytes) -> Row:
        return msgspec.msgpack.decode(self._passage.installation.open_session(token, sealed), type=Row)

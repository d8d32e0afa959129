"""Signing in: from a person who proved who they are to a session in one exercise.

How the proof was made (a passkey, a password and a code, an identity provider) is said by `Proof`; what it is
worth is judged here, the same for every way: a professional needs two factors, a person who has left or whose
exercise has ended gets nothing, and one person acts in one role at a time (promise 6).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from serment.errors import SignInError
from serment.ledger.entry import Interaction
from serment.model import Actor, ActorKind, Instant, Purpose
from serment.people import accounts
from serment.people.accounts import Account, Exercise
from serment.people.credentials import Begun, Credentials, Drawer
from serment.record.asking import Asking
from serment.record.entrance.sessions import Bound, Made, Session, Sessions
from serment.record.pen import Pen
from serment.record.registry import Registry, edited

SIGN_IN: Final = Interaction.SIGN_IN
TOLD: Final = "signin.told-far"
NEAR_MS: Final = 30 * 60 * 1000
"""Two sessions used within half an hour are at the same time."""
MOST_SESSIONS: Final = 40

PURPOSES: Final = {
    ActorKind.PROFESSIONAL: Purpose.TREAT,
    ActorKind.STAFF: Purpose.TREAT,
    ActorKind.PATIENT: Purpose.PATIENT_REQUEST,
    ActorKind.PROXY: Purpose.FAMILY_REQUEST,
    ActorKind.OFFICER: Purpose.COMPLIANCE,
    ActorKind.OPERATOR: Purpose.SYSTEM_ADMINISTRATION,
    ActorKind.RESEARCHER: Purpose.RESEARCH,
}
"""The purpose that stands when a request names none; a kind that is not here does not sign in."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How somebody proved who they are: methods of RFC 8176 (`amr`), and how many factors they are.

    `at` is when they proved it, `shown` when it was shown here, 0 for that same instant.
    `regulation` says that a provider certified access to medical regulation: without it no exercise has it.
    """

    methods: tuple[str, ...]
    factors: int
    at: Instant
    issuer: str = ""
    device: bytes = field(default=b"", repr=False)
    regulation: bool = False
    shown: int = 0


@dataclass(frozen=True, slots=True)
class Where:
    """From where somebody signs in: the token of their browser, its name for people, and the network.

    `source` is the whole address, to count tries under a keyed hash; `place` its prefix, which may be kept
    and shown. All empty: not from a browser.
    """

    device: bytes = field(default=b"", repr=False)
    browser: str = ""
    source: str = field(default="", repr=False)
    place: str = ""


NOWHERE: Final = Where()


class SigningIn:
    """The one way from a proof to a session."""

    def __init__(self, registry: Registry, drawer: Drawer, sessions: Sessions) -> None:
        self._registry = registry
        self._drawer = drawer
        self._sessions = sessions

    def begin(
        self,
        asking: Asking,
        account: Account,
        exercise: str,
        proof: Proof,
        to: str = "/",
        where: Where = NOWHERE,
    ) -> str:
        """Begin a session in one exercise; give its secret. Raises `SignInError`.

        One transaction: the sessions of the person's other exercises end, the new one is written, the sign-in
        is traced. One that is far from another of the same person is questioned, and both are told.
        """
        now = asking.now
        chosen = chosen_of(account, exercise, now)
        actor = replace(chosen.actor_named(account.name), regulation=chosen.regulation and proof.regulation)
        purpose = PURPOSES.get(actor.kind)
        if purpose is None or proof.factors < factors_of(actor.kind):
            raise SignInError("people.not-enough")
        for role in sorted(account.actors() - {actor.id}):
            self._sessions.end_all(role, actor, now)
        before = lasting(self._drawer, self._sessions, asking, account.id)
        far = [one for one in before if one.exercise == chosen.id and is_far(one, where, now)]
        bound = Bound(
            account.id,
            chosen.id,
            where.device,
            where.place,
            where.browser,
            proof.methods,
            questioned=bool(far),
            told=TOLD if far else "",
        )
        until = account.until(chosen)
        made = self._sessions.made(actor, purpose, now, until=until, to=to, bound=bound)
        row = msgspec.structs.replace(made.row, proved=min(now, proof.at))
        made = replace(made, row=row)
        change = _Change(made, chosen.id, where, tuple(far), proof.shown or proof.at)
        self._keep(replace(asking, actor=actor), account.id, change)
        return made.secret

    def renew(self, asking: Asking, secret: str, browser: str, methods: tuple[str, ...]) -> str:
        """Go on with a session after another proof, under a new secret: it opens again, and is fresh.

        `browser` is the browser's own secret. Raises `SignInError`.
        """
        now = asking.now
        old, made = self._sessions.renewed(secret, now, browser, methods)

        def job(pen: Pen) -> None:
            if not self._sessions.drop(pen.txn, old, now):
                raise SignInError("record.signed-out")
            self._sessions.keep(pen.txn, made)
            self._drawer.edited(pen, made.row.account, lambda one: one.moved(old, made.token), SIGN_IN)

        self._sessions.warm(now)
        self._registry.act(asking, job)
        self._sessions.dropped(old, now)
        return made.secret

    def _keep(self, asking: Asking, account: str, change: _Change) -> None:
        """Write a session that begins, in one transaction with all that it changes."""
        dropped: list[bytes] = []
        now = asking.now

        def job(pen: Pen) -> None:
            dropped.clear()
            # Read again where it is written: who left a moment ago does not come in by what was read before.
            standing = accounts.read(edited(pen, accounts.DRAWER, account, lambda one: one))
            chosen_of(standing, change.exercise, now)
            file = self._drawer.edited(pen, account, lambda one: change.of(one, now), SIGN_IN)
            dropped.extend(one for one in change.others(file) if self._sessions.drop(pen.txn, one, now))
            for far in change.far:
                self._sessions.tell(pen.txn, far.token, TOLD)
            self._sessions.keep(pen.txn, change.made)
            self._sessions.swept(self._sessions.sweep(pen.txn, now))

        self._sessions.warm(now)
        self._registry.act(asking, job)
        for one in dropped:
            self._sessions.dropped(one, now)


@dataclass(frozen=True, slots=True)
class Lasting:
    """A session of an account that has not ended, and when it was used last (ms)."""

    token: bytes = field(repr=False)
    exercise: str
    session: Session
    used: int


@dataclass(frozen=True, slots=True)
class _Change:
    """What a session that begins changes in the file of its account."""

    made: Made
    exercise: str
    where: Where
    far: tuple[Lasting, ...]
    shown: int

    def of(self, file: Credentials, now: Instant) -> Credentials:
        """Note the session and the browser; the sessions of other exercises stay listed until dropped.

        Raises `SignInError` for a proof shown before all were doubted: kept waiting, it opens nothing.
        """
        if self.shown <= file.over:
            raise SignInError("record.ticket-over")
        row = self.made.row
        begun = Begun(row.id, self.made.token, self.exercise, row.device, row.place, row.ends)
        lasting = tuple(one for one in file.sessions if one.ends > now)
        after = file.met(self.where.device, self.where.browser, now)
        if self.far:
            after = after.told(now, TOLD, self.where.place)
        return msgspec.structs.replace(after, sessions=(begun, *lasting))

    def others(self, file: Credentials) -> list[bytes]:
        """Name the sessions that end: those of other exercises, and the oldest of too many."""
        late = file.sessions[MOST_SESSIONS:]
        return [one.token for one in file.sessions if one.exercise != self.exercise or one in late]


def role_of(actor: Actor) -> tuple[str, ...]:
    """Name the role in which somebody acts: two sessions of one person with different ones are two roles."""
    return actor.id, actor.kind.value, actor.function.value, actor.structure


def lasting(drawer: Drawer, sessions: Sessions, asking: Asking, account: str) -> list[Lasting]:
    """Give the sessions of an account that have not ended."""
    found = []
    for one in drawer.get(asking, account).sessions:
        kept = sessions.of_token(one.token, asking.now)
        if kept is not None:
            found.append(Lasting(one.token, one.exercise, kept[0], kept[1]))
    return found


def is_far(one: Lasting, where: Where, now: Instant) -> bool:
    """Say whether a session is so far from a sign-in that both are questioned.

    Another browser on another network, used in the last half hour. Where a network is on earth is not known
    here and not guessed.
    """
    bound = one.session.bound
    elsewhere = bool(bound.place) and bool(where.place) and bound.place != where.place
    return elsewhere and bound.device != where.device and now - one.used < NEAR_MS


def chosen_of(account: Account, exercise: str, now: Instant) -> Exercise:
    """Find the exercise that was chosen; the only one when none was. Raises `SignInError`."""
    standing = account.standing(now)
    if not exercise and len(standing) == 1:
        return standing[0]
    found = next((one for one in standing if one.id == exercise), None)
    if found is None:
        raise SignInError("people.no-exercise")
    return found


def factors_of(kind: ActorKind) -> int:
    """Say how many factors a kind of person needs: two for everybody (PGSSI-S, order of 28/03/2022)."""
    return 1 if kind is ActorKind.SERVICE else 2

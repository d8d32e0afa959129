"""What a person does with their own account: sessions, passkeys, password, one-time codes, "I was hacked".

Each act is the person's, traced as theirs. Which of them needs a fresh proof is asked at the door; "I was
hacked" never does: whoever is afraid is not questioned first.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from serment.errors import ConflictError, NotFoundError, RequestError
from serment.model import ActorKind, Instant
from serment.people import passwords
from serment.people.accounts import Account, Accounts
from serment.people.breached import Breached
from serment.people.credentials import (
    MOST_PASSKEYS,
    Credentials,
    Drawer,
    Notice,
    Passkey,
    recovery_codes,
)
from serment.people.grants import Grants
from serment.people.inviting import Inviting
from serment.people.local import CHALLENGE_MS, CHALLENGE_SIZE, HACKED, Challenge, step_of
from serment.people.passkeys import Party
from serment.people.signing import Where
from serment.record.alarms import CLONED_PASSKEY, HACKED_ACCOUNT, Alarms
from serment.record.asking import Asking
from serment.record.entrance.factors import code_secret, password_hash, password_matches
from serment.record.entrance.sessions import Session, Sessions
from serment.record.entrance.tickets import Tickets
from serment.record.outward.links import Links

_CREATION: Final = "passkey-made"
_CODES: Final = "one-time-secret"


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its person sees it: instants in ms, the prefix of a network, never a token."""

    id: str
    browser: str
    place: str
    exercise: str
    started: int
    used: int
    current: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """All that a person sees of their account."""

    account: Account = field(repr=False)
    sessions: list[Shown]
    passkeys: tuple[Passkey, ...]
    notices: tuple[Notice, ...]
    has_password: bool
    recovery_left: int


@dataclass(frozen=True, slots=True)
class Secret:
    """The secret of one-time codes that a person is to keep in an application, and its ticket."""

    value: bytes = field(repr=False)
    ticket: str = field(repr=False)


class OwnAccount:
    """The acts of a person on their own account. Calls block."""

    def __init__(
        self,
        accounts: Accounts,
        drawer: Drawer,
        inviting: Inviting,
        sessions: Sessions,
        tickets: Tickets,
        breached: Breached,
        party: Party,
        alarms: Alarms,
        grants: Grants,
        links: Links,
    ) -> None:
        self._accounts, self._drawer, self._inviting = accounts, drawer, inviting
        self._sessions, self._tickets, self._breached = sessions, tickets, breached
        self._party, self._alarms, self._grants, self._links = party, alarms, grants, links

    def standing(self, asking: Asking, session: Session) -> Standing:
        """Say what stands: sessions, passkeys, notices."""
        id_ = session.bound.account
        account, file = self._accounts.get(asking, id_), self._drawer.get(asking, id_)
        lasting = self._lasting(file, asking.now)
        shown = [self._shown(account, one, used, session.id) for _, one, used in lasting]
        return Standing(
            account,
            sorted(shown, key=lambda one: (not one.current, -one.used)),
            file.passkeys,
            file.notices,
            bool(file.password),
            len(file.recovery),
        )

    def end_session(self, asking: Asking, session: Session, id_: str) -> None:
        """End one session of one's own. Raises `NotFoundError`."""
        file = self._drawer.get(asking, session.bound.account)
        for token, one, _ in self._lasting(file, asking.now):
            if one.id == id_:
                self._sessions.end_token(token, asking.now)
                return
        raise NotFoundError("record.not-found")

    def end_others(self, asking: Asking, session: Session) -> int:
        """End every other session of one's own; give how many."""
        file = self._drawer.get(asking, session.bound.account)
        others = [token for token, one, _ in self._lasting(file, asking.now) if one.id != session.id]
        return sum(self._sessions.end_token(token, asking.now) for token in others)

    def end_all(self, asking: Asking, account: Account) -> None:
        """End a person's sessions and tokens, and what goes on without them: no refresh begins it again."""
        for actor in sorted(account.actors()):
            self._sessions.end_all(actor, asking.actor, asking.now)
        self._end_given(asking, account)

    def _end_given(self, asking: Asking, account: Account) -> None:
        """End what programs were let do, and one-time links: a thief may have given either."""
        self._grants.end_of(asking, account.actors())
        self._links.end_of(asking, account.actors())

    def read(self, asking: Asking, session: Session) -> None:
        """Stop saying on every page of a session what its person has been told."""
        file = self._drawer.get(asking, session.bound.account)
        for token, one, _ in self._lasting(file, asking.now):
            if one.id == session.id:
                self._sessions.say(token, "")

    def hacked(self, asking: Asking, account: Account) -> None:
        """End all that the person has begun; password and passkeys count no more before they are reviewed.

        A passkey is reviewed once a password and a code, or a new invitation, have proved who comes: by
        itself it proves nothing, for a thief may have added it.
        """

        def edit(file: Credentials) -> Credentials:
            return file.doubted(HACKED, asking.now).told(asking.now, "signin.told-hacked")

        # First what was proved and waits, then what was begun by it: nobody comes in between.
        self._drawer.change(asking, account.id, edit)
        self.end_all(asking, account)
        self._warn(asking, account, HACKED_ACCOUNT)

    def lost(self, asking: Asking, account: Account, session: Session, ids: set[str]) -> int:
        """Do what a lost device asks for: end every other session and what programs were let do, and links.

        The passkeys of `ids` (hexadecimal) open nothing until the device is found; the password stays, for
        it was not on the device. Gives how many sessions ended.
        """

        def edit(file: Credentials) -> Credentials:
            kept = tuple(
                msgspec.structs.replace(one, lost=one.lost or one.id.hex() in ids) for one in file.passkeys
            )
            after = msgspec.structs.replace(file, passkeys=kept, devices=())
            return after.told(asking.now, "signin.told-lost")

        self._drawer.change(asking, account.id, edit)
        self._end_given(asking, account)
        return self.end_others(asking, session)

    def found(self, asking: Asking, account: Account, id_: bytes) -> None:
        """Let a passkey open again whose device was found. One that was suspended otherwise stays so."""

        def edit(file: Credentials) -> Credentials:
            kept = file.passkey(id_)
            if kept is None or not kept.lost:
                raise NotFoundError("record.not-found")
            after = file.keyed(msgspec.structs.replace(kept, lost=False))
            return after.told(asking.now, "signin.told-found")

        self._drawer.change(asking, account.id, edit)

    def cloned(self, asking: Asking, account: Account) -> None:
        """End all that the person has begun: the counter of a passkey of theirs went back."""
        self.end_all(asking, account)
        self._warn(asking, account, CLONED_PASSKEY)

    def creation(self, asking: Asking, account: Account, where: Where) -> Challenge:
        """Ask a browser to make a passkey for an account. Writes nothing."""
        challenge = secrets.token_bytes(CHALLENGE_SIZE)
        file = self._drawer.get(asking, account.id)
        options = self._party.creation(account.id, account.login, account.name, file.passkeys, challenge)
        until = Instant(asking.now + CHALLENGE_MS)
        return Challenge(options, self._tickets.issue(_use(_CREATION, account, where), challenge, until))

    def made(
        self, asking: Asking, account: Account, answer: str, ticket: str, where: Where
    ) -> Callable[[Credentials], Credentials]:
        """Read the passkey that a browser made; give what it changes. Raises `SignInError`."""
        challenge = self._tickets.spend(_use(_CREATION, account, where), ticket, asking.now)
        passkey = self._party.made(answer, challenge, where.browser, asking.now)

        def edit(file: Credentials) -> Credentials:
            if len(file.passkeys) >= MOST_PASSKEYS:
                raise ConflictError("signin.passkeys-many", most=MOST_PASSKEYS)
            if file.passkey(passkey.id) is not None:
                raise ConflictError("signin.passkey-refused")
            return file.keyed(passkey).told(asking.now, "signin.told-passkey", where.place)

        return edit

    def add_passkey(self, asking: Asking, account: Account, answer: str, ticket: str, where: Where) -> None:
        """Add a passkey to one's account. Raises `SignInError`, `ConflictError`."""
        self._drawer.change(asking, account.id, self.made(asking, account, answer, ticket, where))

    def remove_passkey(self, asking: Asking, account: Account, id_: bytes) -> None:
        """Remove a passkey. Raises `ConflictError` when nothing would be left to sign in with."""

        def edit(file: Credentials) -> Credentials:
            left = tuple(one for one in file.passkeys if one.id != id_)
            if not left and not file.password:
                raise ConflictError("signin.last-credential")
            return msgspec.structs.replace(file, passkeys=left).told(asking.now, "signin.told-removed")

        self._drawer.change(asking, account.id, edit)

    def review(self, asking: Asking, account: Account, kept: set[str]) -> None:
        """Keep the passkeys that the person knows as theirs, by id in hexadecimal; the others are removed."""

        def edit(file: Credentials) -> Credentials:
            left = tuple(
                msgspec.structs.replace(one, review=False) for one in file.passkeys if one.id.hex() in kept
            )
            if not left and not file.password:
                raise ConflictError("signin.last-credential")
            return msgspec.structs.replace(file, passkeys=left)

        self._drawer.change(asking, account.id, edit)

    def secret(self, asking: Asking, account: Account, where: Where) -> Secret:
        """Make a secret of one-time codes; it counts once a code of it was typed."""
        value = code_secret()
        until = Instant(asking.now + 2 * CHALLENGE_MS)
        return Secret(value, self._tickets.issue(_use(_CODES, account, where), value, until))

    def shown_again(self, asking: Asking, account: Account, ticket: str, where: Where) -> Secret:
        """Give a secret again whose form was not right. Raises `SignInError`."""
        return Secret(self._tickets.read(_use(_CODES, account, where), ticket, asking.now), ticket)

    def with_password(
        self, asking: Asking, account: Account, password: str, again: str
    ) -> Callable[[Credentials], Credentials]:
        """Take a new password; give what it changes. Raises `RequestError` that says what is wrong."""
        if password != again:
            raise RequestError("signin.password-same")
        kept = passwords.acceptable(password, _names(account), self._breached)
        hashed = password_hash(kept, self._drawer.cost)

        def edit(file: Credentials) -> Credentials:
            after = msgspec.structs.replace(file, password=hashed, renew="")
            return after.told(asking.now, "signin.told-password")

        return edit

    def with_codes(
        self, asking: Asking, account: Account, ticket: str, code: str, where: Where
    ) -> tuple[list[str], Callable[[Credentials], Credentials]]:
        """Take the secret of one-time codes once a code of it is typed: recovery codes, what it changes.

        Raises `RequestError` for a wrong code, `SignInError` for a ticket that is over.
        """
        use = _use(_CODES, account, where)
        value = self._tickets.read(use, ticket, asking.now)
        if not step_of(value, code, asking.now):
            raise RequestError("signin.code-wrong")
        self._tickets.spend(use, ticket, asking.now)
        shown, kept = recovery_codes()

        def edit(file: Credentials) -> Credentials:
            after = msgspec.structs.replace(file, codes=value, recovery=kept)
            return after.told(asking.now, "signin.told-codes", where.place)

        return shown, edit

    def change_password(self, asking: Asking, account: Account, password: str, again: str) -> None:
        """Change one's password; the old one again is refused. Raises `RequestError`, `ConflictError`."""
        file = self._drawer.get(asking, account.id)
        edit = self.with_password(asking, account, password, again)
        if not file.password:
            raise ConflictError("signin.no-password")
        if password_matches(password, file.password):
            raise RequestError("signin.password-same")
        self._drawer.change(asking, account.id, edit)

    def change_codes(
        self, asking: Asking, account: Account, ticket: str, code: str, where: Where
    ) -> list[str]:
        """Change one's one-time codes; give the recovery codes, shown once. Raises as `with_codes` does."""
        shown, edit = self.with_codes(asking, account, ticket, code, where)
        self._drawer.change(asking, account.id, edit)
        return shown

    def join_by_passkey(self, asking: Asking, code: str, answer: str, ticket: str, where: Where) -> Account:
        """Take an invitation with a passkey. Raises `SignInError`, `ConflictError`."""
        account = self._inviting.invited(asking, code)
        edit = self.made(asking, account, answer, ticket, where)
        return self._joined(asking, self._inviting.take(asking, code, edit))

    def join_by_password(
        self, asking: Asking, code: str, password: tuple[str, str], typed: tuple[str, str], where: Where
    ) -> tuple[Account, list[str]]:
        """Take an invitation with a password (typed twice) and one-time codes (ticket and a code).

        Raises `RequestError` that says what is wrong, and nothing is spent; `SignInError`.
        """
        account = self._inviting.invited(asking, code)
        first = self.with_password(asking, account, *password)
        shown, second = self.with_codes(asking, account, *typed, where)
        return self._joined(asking, self._inviting.take(asking, code, lambda one: second(first(one)))), shown

    def _warn(self, asking: Asking, about: Account, alarm: str) -> None:
        """Ring an alarm, and tell each security officer of whom it is, on the page of their account."""
        self._alarms.ring(alarm)
        for one in self._accounts.all(asking):
            if any(role.kind == ActorKind.OFFICER.value for role in one.standing(asking.now)):
                told = partial(Credentials.told, now=asking.now, sentence=alarm, who=about.name)
                self._drawer.change(asking, one.id, told)

    def _joined(self, asking: Asking, account: Account) -> Account:
        self.end_all(asking, account)
        return account

    def _lasting(self, file: Credentials, now: Instant) -> list[tuple[bytes, Session, int]]:
        found = []
        for one in file.sessions:
            kept = self._sessions.of_token(one.token, now)
            if kept is not None:
                found.append((one.token, *kept))
        return found

    def _shown(self, account: Account, session: Session, used: int, current: str) -> Shown:
        bound = session.bound
        exercise = account.exercise(bound.exercise)
        label = exercise.label if exercise is not None else ""
        return Shown(
            session.id, bound.browser, bound.place, label, session.started, used, session.id == current
        )


def _use(what: str, account: Account, where: Where) -> str:
    return f"{what}/{account.id}/{where.device.hex()}"


def _names(account: Account) -> tuple[str, ...]:
    """Give the words that everybody knows of a person."""
    works = (word for one in account.exercises for word in (one.label, one.structure))
    return (account.login, account.name, *works)

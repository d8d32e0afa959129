"""Who works here: enrolling a person, giving and ending exercises, and leaving.

Whoever leaves loses access at once: every session and token of theirs has ended before the act is answered,
on every worker, and nothing new begins. A leave date to come caps what begins before it. On the command
line, whoever holds the machine and opened custody may do this; a door decides who else.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from serment.errors import NotFoundError, RequestError
from serment.model import Actor, Instant
from serment.people.accounts import Account, Accounts, Exercise, by_actor, by_login
from serment.people.exercises import checked, together
from serment.people.signing import role_of
from serment.record.asking import Asking
from serment.record.entrance.sessions import SESSION_MS, Sessions
from serment.record.passage import Passage


@dataclass(frozen=True, slots=True)
class Staff:
    """The people of the structures that this installation serves."""

    passage: Passage
    accounts: Accounts
    sessions: Sessions

    def enrol(self, asking: Asking, name: str, login: str, exercises: Iterable[Exercise]) -> Account:
        """Make the account of one person; they sign in once they have taken their invitation.

        Raises `RequestError` (an exercise in which nobody may act), `ConflictError` (their login, or they
        themselves, are here already: a person has one account).
        """
        if not name.strip() or not login.strip():
            raise RequestError("people.no-name")
        given = tuple(checked(_numbered(one)) for one in exercises)
        together(given, self.passage.policy)
        return self.accounts.add(asking, Account("", name.strip(), given, login.strip()))

    def find(self, asking: Asking, who: str) -> Account:
        """Find a person by login or by actor (`rpps:…`). Raises `NotFoundError`."""
        found = self.accounts.find(asking, by_login(who)) or self.accounts.find(asking, by_actor(who))
        if found is None:
            raise NotFoundError("people.unknown")
        return found

    def give(self, asking: Asking, account: str, exercise: Exercise) -> Account:
        """Add an exercise to a person's. Raises as `enrol` does."""
        made = checked(_numbered(exercise))

        def add(one: Account) -> Account:
            after = msgspec.structs.replace(one, exercises=(*one.exercises, made))
            together(after.exercises, self.passage.policy)
            return after

        return self.accounts.change(asking, account, add)

    def end(self, asking: Asking, account: str, exercise: str, at: Instant) -> Account:
        """End one exercise at an instant; what was begun in it ends too. Raises `NotFoundError`."""

        def ended(one: Account) -> Account:
            if one.exercise(exercise) is None:
                raise NotFoundError("people.unknown")
            kept = (msgspec.structs.replace(e, end=at) if e.id == exercise else e for e in one.exercises)
            return msgspec.structs.replace(one, exercises=tuple(kept))

        after = self.accounts.change(asking, account, ended)
        self._end_sessions(asking, after, at)
        return after

    def leave(self, asking: Asking, account: str, at: Instant) -> Account:
        """Say from when on a person is gone. Raises `NotFoundError`."""
        after = self.accounts.change(asking, account, lambda one: msgspec.structs.replace(one, left=at))
        self._end_sessions(asking, after, at)
        return after

    def come_back(self, asking: Asking, account: str) -> Account:
        """Take a leave date away. Raises `NotFoundError`."""
        return self.accounts.change(asking, account, lambda one: msgspec.structs.replace(one, left=None))

    def acts(self, asking: Asking, actor: Actor) -> bool:
        """Say whether somebody may act in a role now; of who has no account here, nothing is known."""
        account = self.accounts.find(asking, by_actor(actor.id))
        if account is None:
            return True
        role = role_of(actor)
        return any(
            (one.actor, one.kind, one.function, one.structure) == role for one in account.standing(asking.now)
        )

    def _end_sessions(self, asking: Asking, account: Account, at: Instant) -> None:
        """End what was begun, when it could last beyond the instant: who may still come in signs in again."""
        if at < asking.now + SESSION_MS:
            for actor in sorted(account.actors()):
                self.sessions.end_all(actor, asking.actor, asking.now)


def _numbered(exercise: Exercise) -> Exercise:
    return msgspec.structs.replace(exercise, id=exercise.id or secrets.token_hex(4))

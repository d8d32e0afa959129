"""Signing in: from a person who proved who they are to a session in one exercise.

How the proof was made (a passkey, a password and a code, an identity provider) is said by `Proof`; what it is
worth is judged here, the same for every way: a professional needs two factors, a person who has left or whose
exercise has ended gets nothing, and one person acts in one role at a time (promise 6).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from serment.errors import SignInError
from serment.model import ActorKind, Instant, Purpose
from serment.people.accounts import Account, Accounts, Exercise
from serment.record.asking import Asking
from serment.record.sessions import Sessions

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

    `regulation` says that a provider certified access to medical regulation: without it no exercise has it.
    """

    methods: tuple[str, ...]
    factors: int
    at: Instant
    issuer: str = ""
    device: bytes = field(default=b"", repr=False)
    regulation: bool = False


class SigningIn:
    """The one way from a proof to a session."""

    def __init__(self, accounts: Accounts, sessions: Sessions) -> None:
        self._accounts = accounts
        self._sessions = sessions

    def begin(self, asking: Asking, account: Account, exercise: str, proof: Proof, to: str = "/") -> str:
        """Begin a session in one exercise; give its secret. Raises `SignInError`.

        The sessions of a person with several exercises end first: one person acts in one role at a time.
        """
        now = asking.now
        chosen = chosen_of(account, exercise, now)
        actor = replace(chosen.actor_named(account.name), regulation=chosen.regulation and proof.regulation)
        purpose = PURPOSES.get(actor.kind)
        if purpose is None or proof.factors < factors_of(actor.kind):
            raise SignInError("people.not-enough")
        if len(account.exercises) > 1:
            for role in sorted(account.actors()):
                self._sessions.end_all(role, actor, now)
        return self._sessions.begin(actor, purpose, now, until=account.until(chosen), to=to)


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

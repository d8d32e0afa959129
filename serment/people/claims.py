"""From somebody whom a provider knows to an account of ours, and the exercises in which they may come in.

Nobody comes in by a provider alone: the structure has enrolled them first. A professional is found by the
RPPS that Pro Santé Connect certifies, and their subject there is bound to the account at their first
sign-in; another subject with that number is refused from then on. At other providers a person is known by a
subject that an invitation bound, never by a name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from serment.errors import SignInError
from serment.identity.claims import Professional, professional
from serment.model import Function, Instant
from serment.people.accounts import Account, Accounts, Exercise, by_actor, by_subject
from serment.people.openid import Known
from serment.people.providers import Kind, Provider
from serment.people.signing import Proof
from serment.record.asking import Asking

METHODS = ("mfa",)
"""RFC 8176: what was proved at the provider took several factors; only such values are registered."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """Somebody who may come in: the exercises to choose from (one at least), and how they proved it."""

    account: Account = field(repr=False)
    exercises: tuple[Exercise, ...]
    proof: Proof


def recognised(accounts: Accounts, asking: Asking, provider: Provider, known: Known) -> Recognised:
    """Find who it is and in which exercises they may come in.

    Raises `SignInError`: nobody whom the structure enrolled, or in no exercise of today.
    """
    told = professional(known.claims) if provider.kind == Kind.PSC else None
    account = _bound(accounts, asking, known) if told is None else _enrolled(accounts, asking, known, told)
    exercises = tuple(one for one in account.standing(asking.now) if _offered(one, provider, told))
    if not exercises:
        raise SignInError("people.no-exercise")
    regulation = told is not None and told.regulation
    return Recognised(account, exercises, proof_of(provider, asking.now, asking.now, regulation=regulation))


def proof_of(provider: Provider, at: Instant, shown: int, *, regulation: bool = False) -> Proof:
    """Say what a sign-in at a provider proves: two factors, and whether calls may be regulated."""
    return Proof(METHODS, 2, at, provider.issuer, regulation=regulation, shown=shown)


def free(accounts: Accounts, asking: Asking, account: str, known: Known) -> None:
    """Say that a subject is nobody else's. Raises `SignInError`."""
    other = accounts.find(asking, by_subject(known.issuer, known.subject))
    if other is not None and other.id != account:
        raise SignInError("people.not-enrolled")


def bind(accounts: Accounts, asking: Asking, account: str, known: Known) -> Account:
    """Bind a subject to an account, in the place of another of the same issuer.

    Raises `ConflictError` when it is somebody else's.
    """
    subject = (known.issuer, known.subject)

    def bound(one: Account) -> Account:
        kept = tuple(pair for pair in one.subjects if pair[0] != known.issuer)
        return msgspec.structs.replace(one, subjects=(*kept, subject))

    return accounts.change(asking, account, bound)


def _bound(accounts: Accounts, asking: Asking, known: Known) -> Account:
    account = accounts.find(asking, by_subject(known.issuer, known.subject))
    if account is None:
        raise SignInError("people.not-enrolled")
    return account


def _enrolled(accounts: Accounts, asking: Asking, known: Known, told: Professional) -> Account:
    """Find a professional by RPPS, and hold their subject against the one of their first sign-in."""
    account = accounts.find(asking, by_actor(f"rpps:{told.rpps}"))
    if account is None:
        raise SignInError("people.not-enrolled")
    subjects = dict(account.subjects)
    if known.issuer not in subjects:
        exercise = next(one for one in account.exercises if one.actor == f"rpps:{told.rpps}")
        actor = exercise.actor_named(account.name)
        free(accounts, asking, account.id, known)
        return bind(accounts, replace(asking, actor=actor), account.id, known)
    if subjects[known.issuer] != known.subject:
        raise SignInError("people.not-enrolled")
    return account


def _offered(exercise: Exercise, provider: Provider, told: Professional | None) -> bool:
    """Say whether a provider lets somebody come in in this exercise."""
    if exercise.kind not in set(provider.lets_in):
        return False
    if told is None:
        return True
    mine = exercise.actor == f"rpps:{told.rpps}"
    return mine and told.allows(exercise.profession, Function(exercise.function))

"""Accounts: one for each person who signs in, with the exercises in which they may act.

An account is a person: it is never shared, and its name stands behind every act. An exercise is one role: a
profession in a structure, the patient of a record, the representative of another. One is chosen at sign-in
and rules the session (rules D). Somebody who leaves has an end: from then on nothing of theirs opens.

Order: the nouns (pure), the drawer. Who may change an account is decided by the caller.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Final
from unicodedata import normalize

import msgspec

from serment.errors import IntegrityError, NotFoundError
from serment.model import Actor, ActorId, ActorKind, Function, Instant, PatientId
from serment.record.asking import Asking
from serment.record.registry import Registry

DRAWER: Final = "account"

NOBODY: Final = "nobody"
"""The decoy: where a login that nobody has leads at sign-in. No exercise is its own, no proof holds."""


class Exercise(msgspec.Struct, frozen=True, omit_defaults=True):
    """One role of a person. Instants in ms; `end` None: until it is ended.

    `actor` names the person in records and in the ledger, the same in all their exercises of one kind.
    `structure` and `label` (its name, for the choice at sign-in) may be empty for a patient. `replaces` is
    the professional for whom a locum stands in, `supervisor` the one under whom a trainee acts. `patient` is
    the record of a patient, or the one for which somebody acts for another: it leads there and opens nothing.
    """

    id: str
    actor: str
    kind: str
    function: str = Function.NONE.value
    profession: str = ""
    speciality: str = ""
    structure: str = ""
    label: str = ""
    patient: str | None = None
    regulation: bool = False
    supervisor: str | None = None
    replaces: str | None = None
    start: int = 0
    end: int | None = None

    def in_force(self, now: Instant) -> bool:
        """Say whether somebody may act in it: begun, not ended, and not ended before it began."""
        return self.start <= now and (self.end is None or (self.start <= self.end and now < self.end))

    def actor_named(self, name: str) -> Actor:
        """Give the actor that the decision reads. Raises `IntegrityError` for a role nobody knows."""
        try:
            kind, function = ActorKind(self.kind), Function(self.function)
        except ValueError:
            raise IntegrityError("record.altered") from None
        return Actor(
            ActorId(self.actor),
            kind,
            name,
            self.profession,
            function,
            self.structure,
            PatientId(self.patient) if self.patient and kind is ActorKind.PATIENT else None,
            self.regulation,
            None if self.supervisor is None else ActorId(self.supervisor),
            None if self.replaces is None else ActorId(self.replaces),
        )

    def __repr__(self) -> str:
        return f"Exercise({self.kind}, {self.function})"


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person. `login` is what they type, folded, "" when they only come by an identity provider.

    `subjects` are (issuer, subject) at identity providers. `left` is the instant from which nothing opens.
    """

    id: str
    name: str
    exercises: tuple[Exercise, ...] = ()
    login: str = ""
    subjects: tuple[tuple[str, str], ...] = ()
    left: int | None = None
    made: int = 0

    def gone(self, now: Instant) -> bool:
        """Say whether the person has left."""
        return self.left is not None and self.left <= now

    def standing(self, now: Instant) -> tuple[Exercise, ...]:
        """Give the exercises in which the person may act now."""
        return () if self.gone(now) else tuple(one for one in self.exercises if one.in_force(now))

    def until(self, exercise: Exercise) -> int | None:
        """Give the instant at which a session in an exercise ends at the latest."""
        ends = [end for end in (self.left, exercise.end) if end is not None]
        return min(ends) if ends else None

    def exercise(self, id_: str) -> Exercise | None:
        """Find an exercise by its id, in force or not."""
        return next((one for one in self.exercises if one.id == id_), None)

    def actors(self) -> frozenset[ActorId]:
        """Name the person as records do, in any exercise."""
        return frozenset(ActorId(one.actor) for one in self.exercises)

    @property
    def names(self) -> tuple[str, ...]:
        """Give what the account is found by: login, subjects, actors."""
        found = [by_login(self.login)] if self.login else []
        found += [by_subject(*subject) for subject in self.subjects]
        return tuple(sorted({*found, *(by_actor(one.actor) for one in self.exercises)}))

    def __repr__(self) -> str:
        return f"Account({len(self.exercises)} exercises)"


Change = Callable[[Account], Account]

_NOBODYS: Final = "~nobody"


def by_login(login: str) -> str:
    """Give the further name of an account for a login, folded."""
    return f"login:{folded(login)}"


def folded(login: str) -> str:
    """Fold a login: case, blanks around and how its accents are composed do not count (Unicode NFKC)."""
    return normalize("NFKC", login).strip().casefold()


def by_subject(issuer: str, subject: str) -> str:
    """Give the further name of an account for a person at an identity provider."""
    return f"subject:{issuer}|{subject}"


def by_actor(actor: str) -> str:
    """Give the further name of an account for an actor."""
    return f"actor:{actor}"


class Accounts:
    """The accounts of the installation."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def add(self, asking: Asking, account: Account) -> Account:
        """Make an account. Raises `ConflictError` when its login, a subject or an actor is another's."""
        made = msgspec.structs.replace(account, id=account.id or secrets.token_hex(16), made=asking.now)
        self._registry.change(asking, DRAWER, made.id, lambda _: _written(made), names=_names)
        return made

    def change(self, asking: Asking, id_: str, edit: Change) -> Account:
        """Change an account. `edit` may raise: nothing is changed then. Raises `NotFoundError`."""
        now = self._registry.change(
            asking, DRAWER, id_, lambda value: _written(edit(read(value))), names=_names
        )
        return read(now)

    def get(self, asking: Asking, id_: str) -> Account:
        """Read one account. Raises `NotFoundError`."""
        return read(self._registry.get(asking, DRAWER, id_))

    def find(self, asking: Asking, name: str) -> Account | None:
        """Find an account by `by_login`, `by_subject` or `by_actor`."""
        found = self._registry.find(asking, DRAWER, name)
        return None if found is None else read(found[1])

    def all(self, asking: Asking) -> Iterable[Account]:
        """Read every account."""
        return [read(value) for id_, value in self._registry.all(asking, DRAWER).items() if id_ != NOBODY]

    def known_as(self, asking: Asking, login: str) -> Account:
        """Find whoever has a login, the decoy when nobody has: the work says nothing about which.

        Raises `IntegrityError` where there is no decoy yet (`decoy`).
        """
        name = by_login(login)
        return read(self._registry.find_or(asking, DRAWER, name, (NOBODY, by_login(_NOBODYS)))[1])

    def decoy(self, asking: Asking) -> bool:
        """Make the decoy where there is none; say whether it was made now."""
        if self._registry.get(asking, DRAWER, NOBODY) is not None:
            return False
        value = _written(Account(NOBODY, "", (), _NOBODYS, made=asking.now))
        self._registry.change(asking, DRAWER, NOBODY, lambda _: value, names=_names)
        return True


def _names(value: bytes) -> Iterable[str]:
    return read(value).names


def _written(account: Account) -> bytes:
    return msgspec.msgpack.encode(account)


_decoder = msgspec.msgpack.Decoder(Account)


def read(value: bytes | None) -> Account:
    """Read an account as it stands in the drawer. Raises `NotFoundError`, `IntegrityError`."""
    if value is None:
        raise NotFoundError("record.not-found")
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None

"""By what a person proves who they are: the file of their passkeys, password, one-time codes and devices.

One file for each account, sealed in the register. It also keeps which sessions of theirs are open, so that
one act can end some of them, and what they were told about their account. Nothing of it leaves but as words.

Order: the nouns (pure), the drawer.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from serment.errors import IntegrityError
from serment.ledger.entry import Interaction
from serment.model import Instant
from serment.people.accounts import NOBODY, Accounts
from serment.record.asking import Asking
from serment.record.entrance.factors import COST, Cost, code_secret, unmatched
from serment.record.pen import Pen
from serment.record.registry import Registry, edited

DRAWER: Final = "credential"

RECOVERY_CODES: Final = 10
MOST_PASSKEYS: Final = 10
MOST_DEVICES: Final = 20
MOST_NOTICES: Final = 20


class Passkey(msgspec.Struct, array_like=True, frozen=True):
    """One passkey (WebAuthn level 3). `count` is its signature counter.

    One to `review` is to be confirmed by the person and proves nothing before that: a thief may have added
    it. One that is `suspended` was perhaps copied and opens nothing any more; one on a `lost` device opens
    nothing until it is found.
    """

    id: bytes
    key: bytes
    count: int
    name: str
    made: int
    used: int = 0
    review: bool = False
    synced: bool = False
    suspended: bool = False
    lost: bool = False

    @property
    def proves(self) -> bool:
        """Say whether it proves anything now."""
        return not (self.review or self.suspended or self.lost)

    def __repr__(self) -> str:
        return "Passkey(…)"


class Device(msgspec.Struct, array_like=True, frozen=True):
    """A browser from which the person has signed in: its token, what it says it is, first and last (ms)."""

    token: bytes
    browser: str
    first: int
    last: int

    def __repr__(self) -> str:
        return "Device(…)"


class Begun(msgspec.Struct, array_like=True, frozen=True):
    """A session that was begun and may still last: its id, its token, in which exercise, from where."""

    id: str
    token: bytes
    exercise: str
    device: bytes
    place: str
    ends: int

    def __repr__(self) -> str:
        return f"Begun({self.id})"


class Notice(msgspec.Struct, array_like=True, frozen=True):
    """What the person is told: a sentence, the prefix of a network; `who` it is about, for an officer."""

    at: int
    sentence: str
    place: str = ""
    who: str = ""


class Credentials(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of one account. `password` is a PHC string, "" for none; `renew` says why it must change.

    `over` is the instant (ms) up to which proofs count no more, though nobody has come in by them yet.
    """

    password: str = ""
    renew: str = ""
    codes: bytes = b""
    recovery: tuple[bytes, ...] = ()
    passkeys: tuple[Passkey, ...] = ()
    devices: tuple[Device, ...] = ()
    sessions: tuple[Begun, ...] = ()
    notices: tuple[Notice, ...] = ()
    over: int = 0

    @property
    def begun(self) -> bool:
        """Say whether the person has made something to sign in with."""
        return bool(self.password or self.passkeys)

    def passkey(self, id_: bytes) -> Passkey | None:
        """Find a passkey by its credential id."""
        return next((one for one in self.passkeys if one.id == id_), None)

    def keyed(self, passkey: Passkey) -> Credentials:
        """Put a passkey in the place of the one with its id, or beside the others."""
        others = tuple(one for one in self.passkeys if one.id != passkey.id)
        return msgspec.structs.replace(self, passkeys=(*others, passkey))

    def doubted(self, why: str, now: Instant) -> Credentials:
        """Have the password changed, if there is one, and every passkey reviewed, before anything goes on."""
        passkeys = tuple(msgspec.structs.replace(one, review=True) for one in self.passkeys)
        renew = why if self.password else ""
        return msgspec.structs.replace(self, passkeys=passkeys, renew=renew, devices=(), over=now)

    def knows(self, device: bytes) -> bool:
        """Say whether the person has signed in from this browser before."""
        return bool(device) and any(one.token == device for one in self.devices)

    def told(self, now: Instant, sentence: str, place: str = "", who: str = "") -> Credentials:
        """Add a notice; the oldest goes when there are too many."""
        notices = (Notice(now, sentence, place, who), *self.notices)[:MOST_NOTICES]
        return msgspec.structs.replace(self, notices=notices)

    def met(self, device: bytes, browser: str, now: Instant) -> Credentials:
        """Note that the person signed in from a browser."""
        if not device:
            return self
        before = next((one for one in self.devices if one.token == device), None)
        seen = Device(device, browser, before.first if before else now, now)
        others = [one for one in self.devices if one.token != device]
        return msgspec.structs.replace(self, devices=(seen, *others)[:MOST_DEVICES])

    def moved(self, old: bytes, new: bytes) -> Credentials:
        """Note that a session goes on under another token."""
        sessions = (
            msgspec.structs.replace(one, token=new) if one.token == old else one for one in self.sessions
        )
        return msgspec.structs.replace(self, sessions=tuple(sessions))

    def __repr__(self) -> str:
        return "Credentials(…)"


NONE: Final = Credentials()

Change = Callable[[Credentials], Credentials]


def recovery_codes() -> tuple[list[str], tuple[bytes, ...]]:
    """Make one-time recovery codes: as they are shown once, and as they are kept.

    120 random bits each: from 112 on a plain hash keeps them (ASVS 5.0, 6.5.2).
    """
    raw = [secrets.token_hex(15) for _ in range(RECOVERY_CODES)]
    shown = ["-".join(one[i : i + 5] for i in range(0, 30, 5)) for one in raw]
    return shown, tuple(recovery_digest(one) for one in shown)


def recovery_digest(code: str) -> bytes:
    """Give what is kept of a recovery code: random enough to need no salt."""
    return hashlib.sha256(b"serment/recovery/1" + code.replace("-", "").strip().lower().encode()).digest()


class Drawer:
    """The credentials of the installation."""

    def __init__(self, registry: Registry, accounts: Accounts, cost: Cost = COST) -> None:
        self._registry, self._accounts, self.cost = registry, accounts, cost
        self._decoyed = False

    def get(self, asking: Asking, account: str) -> Credentials:
        """Read the file of an account: empty when it has none."""
        return _of(self._registry.get(asking, DRAWER, account))

    def tried(self, asking: Asking, login: str) -> tuple[str, Credentials]:
        """Give the account and credentials that a login leads to: the decoy's when nobody has it.

        The same statements in both cases, and when the person has an account without credentials.
        """
        self._ready(asking)
        account = self._accounts.known_as(asking, login)
        value = self._registry.get_or(asking, DRAWER, account.id, NOBODY)
        return account.id, _of(value)

    def change(
        self, asking: Asking, account: str, edit: Change, interaction: Interaction = Interaction.ACCOUNT
    ) -> Credentials:
        """Change the file of an account; `edit` may raise, and nothing is changed then."""
        after = self._registry.change(
            asking, DRAWER, account, lambda value: _written(edit(_of(value))), interaction=interaction
        )
        return _of(after)

    def edited(
        self, pen: Pen, account: str, edit: Change, interaction: Interaction = Interaction.ACCOUNT
    ) -> Credentials:
        """Do what `change` does, inside a transaction that changes other things too."""
        after = edited(
            pen, DRAWER, account, lambda value: _written(edit(_of(value))), interaction=interaction
        )
        return _of(after)

    def _ready(self, asking: Asking) -> None:
        """Make the decoy where there is none yet: the first sign-in of all, whoever it is of."""
        if not self._decoyed:
            if self._accounts.decoy(asking) or not self.get(asking, NOBODY).begun:
                self.change(asking, NOBODY, lambda _: _decoy(self.cost))
            self._decoyed = True


def _decoy(cost: Cost) -> Credentials:
    """Make credentials like a person's that nothing matches."""
    made = recovery_codes()[1]
    return Credentials(unmatched(cost), codes=code_secret(), recovery=made)


def _written(credentials: Credentials) -> bytes:
    return msgspec.msgpack.encode(credentials)


_decoder = msgspec.msgpack.Decoder(Credentials)


def _of(value: bytes | None) -> Credentials:
    if value is None:
        return NONE
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None

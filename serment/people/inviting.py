"""Invitations: how an account begins to sign in, and how somebody who lost everything begins again.

A link holds a one-time secret, good for a day; a newer one takes the place of an older one. Looking at it
spends nothing, so that a mail scanner does no harm: it is spent when the person has made a passkey, or a
password with one-time codes. No password is ever chosen for somebody.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from serment.errors import ConflictError, SignInError
from serment.model import Instant
from serment.people.accounts import Account, Accounts
from serment.people.credentials import Credentials, Drawer
from serment.record.asking import Asking
from serment.record.pen import Pen
from serment.record.registry import Registry, edited

DRAWER: Final = "invitation"
INVITED: Final = "invited"
LASTS_MS: Final = 24 * 3600 * 1000


class _Invitation(msgspec.Struct, array_like=True, frozen=True):
    digest: bytes
    ends: int


class Inviting:
    """The invitations of the installation. Who may invite whom is decided by the caller."""

    def __init__(self, registry: Registry, accounts: Accounts, drawer: Drawer) -> None:
        self._registry, self._accounts, self._drawer = registry, accounts, drawer

    def invite(self, asking: Asking, account: str) -> str:
        """Make the secret of a link `/join/…` for an account. Raises `NotFoundError`, `ConflictError`."""
        if self._accounts.get(asking, account).gone(asking.now):
            raise ConflictError("signin.gone")
        code = secrets.token_urlsafe(32)
        made = _Invitation(_digest(code), asking.now + LASTS_MS)
        value = msgspec.msgpack.encode(made)
        self._registry.change(asking, DRAWER, account, lambda _: value, names=_names)
        return code

    def invited(self, asking: Asking, code: str) -> Account:
        """Say whom a link invites; spends nothing. Raises `SignInError`."""
        found = self._registry.find(asking, DRAWER, _name(_digest(code)))
        if found is None or not _holds(found[1], code, asking.now):
            raise SignInError("signin.invitation-over")
        account = self._accounts.get(asking, found[0])
        if account.gone(asking.now):
            raise SignInError("signin.invitation-over")
        return account

    def spend(self, asking: Asking, code: str) -> str:
        """Spend a link; give the id of the account. Raises `SignInError`."""
        account = self.invited(asking, code).id
        self._registry.act(asking, lambda pen: self._spent(pen, account, code))
        return account

    def take(self, asking: Asking, code: str, edit: Callable[[Credentials], Credentials]) -> Account:
        """Spend a link and write what the person made to sign in with, in one transaction.

        What they had before is to be reviewed. Raises `SignInError`; what `edit` raises.
        """
        account = self.invited(asking, code)

        def job(pen: Pen) -> None:
            self._spent(pen, account.id, code)
            self._drawer.edited(pen, account.id, lambda one: edit(one.doubted(INVITED, asking.now)))

        self._registry.act(asking, job)
        return account

    def _spent(self, pen: Pen, account: str, code: str) -> None:
        def spent(value: bytes | None) -> None:
            if value is None or not _holds(value, code, pen.asking.now):
                raise SignInError("signin.invitation-over")

        edited(pen, DRAWER, account, spent)


def _digest(code: str) -> bytes:
    return hashlib.sha256(b"serment/invitation/1" + code.encode()).digest()


def _name(digest: bytes) -> str:
    return f"invitation:{digest.hex()}"


def _names(value: bytes) -> list[str]:
    return [_name(_of(value).digest)]


def _of(value: bytes) -> _Invitation:
    return msgspec.msgpack.decode(value, type=_Invitation)


def _holds(value: bytes, code: str, now: Instant) -> bool:
    invitation = _of(value)
    return secrets.compare_digest(invitation.digest, _digest(code)) and now < invitation.ends

"""Local sign-in: from a passkey, or a password and a code, to a person who has proved who they are.

What fails says the same whatever failed, and does the same: one Argon2id, the same statements, for a login
that nobody has as for a wrong password. A password known as leaked still proves, and must then change.
Nothing here begins a session: `signing` does.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from serment.errors import SettingsError, SignInError
from serment.ledger.entry import Interaction
from serment.model import Instant
from serment.people import passkeys
from serment.people.accounts import NOBODY, Account, Accounts
from serment.people.breached import Breached
from serment.people.credentials import Credentials, Drawer, Passkey, recovery_digest
from serment.people.lockout import Lockout
from serment.people.passkeys import Party
from serment.people.signing import Proof, Where
from serment.record.asking import Asking
from serment.record.entrance.factors import (
    STEP_MS,
    one_time_code,
    outgrown,
    password_hash,
    password_matches,
    unmatched,
)
from serment.record.entrance.sessions import Sessions
from serment.record.entrance.tickets import Tickets

CHALLENGE_MS: Final = 5 * 60 * 1000
CHALLENGE_SIZE: Final = 32
PASSWORD_METHODS: Final = ("pwd", "otp", "mfa")
RECOVERY_METHODS: Final = ("pwd", "kba", "mfa")
PASSKEY_METHODS: Final = ("hwk", "user", "mfa")
SYNCED_METHODS: Final = ("swk", "user", "mfa")

LEAKED: Final = "leaked"
HACKED: Final = "hacked"

_CODE: Final = "one-time-code"
_NO_SECRET: Final = bytes(20)


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed. Never shown, kept or logged."""

    login: str = field(repr=False)
    password: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proven:
    """A person who has proved who they are, and what they must do before they go on."""

    account: Account = field(repr=False)
    proof: Proof
    must_renew: bool
    must_review: bool


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a browser is asked to sign: options as JSON, and the ticket that comes back with the answer."""

    options: str
    ticket: str = field(repr=False)


class Local:
    """The ways to prove oneself that need nobody else. Calls block; one Argon2id each at most."""

    def __init__(
        self,
        accounts: Accounts,
        drawer: Drawer,
        sessions: Sessions,
        tickets: Tickets,
        lockout: Lockout,
        breached: Breached,
        party: Party,
        alarm: Callable[[Asking, Account], None],
    ) -> None:
        self._accounts, self._drawer, self._sessions, self._tickets = accounts, drawer, sessions, tickets
        self._lockout, self._breached, self._alarm = lockout, breached, alarm
        self.party = party

    def by_password(self, asking: Asking, typed: Typed, where: Where) -> Proven:
        """Prove oneself by a login, a password and a one-time or recovery code.

        Raises `SignInError`, the same for whatever is wrong; `TooManyError` after too many tries.
        """
        id_, file = self._drawer.tried(asking, typed.login)
        return self._by_password(asking, (id_, file), typed, where)

    def again(self, asking: Asking, account: str, typed: Typed, where: Where) -> Proven:
        """Prove oneself once more as the person who is signed in; `typed.login` is not read.

        Raises as `by_password` does.
        """
        file = self._drawer.get(asking, account)
        login = self._accounts.get(asking, account).login
        return self._by_password(asking, (account, file), replace(typed, login=login), where)

    def challenge(self, use: str, where: Where, now: Instant) -> Challenge:
        """Ask a browser for a signature by any passkey. Writes nothing."""
        challenge = secrets.token_bytes(CHALLENGE_SIZE)
        ticket = self._tickets.issue(_use(use, where), challenge, Instant(now + CHALLENGE_MS))
        return Challenge(self.party.request(challenge), ticket)

    def by_passkey(self, asking: Asking, use: str, answer: str, ticket: str, where: Where) -> Proven:
        """Prove oneself by a passkey. Raises `SignInError`: one that is lost or to be reviewed is no proof.

        A counter that went back suspends the key, ends all that the person began and rings an alarm.
        """
        challenge = self._tickets.spend(_use(use, where), ticket, asking.now)
        id_, key_id = passkeys.whose(answer)
        file = self._drawer.get(asking, id_)
        passkey = file.passkey(key_id)
        if passkey is None or id_ == NOBODY:
            raise SignInError("signin.refused")
        signed = self.party.signed(answer, challenge, passkey)
        account = self._accounts.get(asking, id_)
        if not passkey.proves:
            raise SignInError(_why_not(passkey))
        if not self._counted(asking, id_, passkey, signed.count):
            self._alarm(asking, account)
            raise SignInError("signin.passkey-suspended")
        methods = SYNCED_METHODS if signed.synced else PASSKEY_METHODS
        return self._proven(account, file, Proof(methods, 2, asking.now, device=where.device), leaked=False)

    def _by_password(
        self, asking: Asking, who: tuple[str, Credentials], typed: Typed, where: Where
    ) -> Proven:
        id_, file = who
        known = where.device if file.knows(where.device) else b""
        self._lockout.count(typed.login, where.source, known, asking.now)
        matches = password_matches(typed.password, file.password or unmatched(self._drawer.cost))
        step = step_of(file.codes, typed.code, asking.now)
        digest = recovery_digest(typed.code)
        recovery = [one for one in file.recovery if hmac.compare_digest(digest, one)]
        if not (matches and file.password and id_ != NOBODY and (step or recovery)):
            raise SignInError("signin.refused")
        if step:
            self._only_once(id_, step, asking.now)
        else:
            self._drawer.change(asking, id_, lambda one: _without(one, digest, asking.now, where.place))
        self._lockout.succeeded(typed.login, where.source, known, asking.now)
        self._grown(asking, id_, file, typed.password)
        methods = PASSWORD_METHODS if step else RECOVERY_METHODS
        account = self._accounts.get(asking, id_)
        proof = Proof(methods, 2, asking.now, device=where.device)
        return self._proven(account, file, proof, leaked=self._known(typed.password))

    def _proven(self, account: Account, file: Credentials, proof: Proof, *, leaked: bool) -> Proven:
        review = any(one.review for one in file.passkeys)
        renew = bool(file.password) and (leaked or bool(file.renew))
        return Proven(account, proof, renew, review)

    def _only_once(self, id_: str, step: int, now: Instant) -> None:
        """Take the code of a step for the only time (RFC 6238 section 5.2). Raises `SignInError`."""
        if not self._sessions.first(f"{_CODE}/{id_}/{step}", Instant(now + 4 * STEP_MS)):
            raise SignInError("signin.refused")

    def _known(self, password: str) -> bool:
        """Say whether a password is known as leaked; a list that cannot be read stops no sign-in."""
        with suppress(SettingsError):
            return self._breached.knows(password)
        return False

    def _grown(self, asking: Asking, id_: str, file: Credentials, password: str) -> None:
        """Keep a password at today's cost, when it was kept at another."""
        if outgrown(file.password, self._drawer.cost):
            kept = password_hash(password, self._drawer.cost)
            self._drawer.change(asking, id_, lambda one: msgspec.structs.replace(one, password=kept))

    def _counted(self, asking: Asking, id_: str, passkey: Passkey, count: int) -> bool:
        """Keep the counter of a passkey; False when it went back, and the passkey is suspended."""
        if passkey.count == count == 0:
            return True
        back: list[bool] = []

        def edit(file: Credentials) -> Credentials:
            kept = file.passkey(passkey.id)
            if kept is None:
                raise SignInError("signin.refused")
            back[:] = [passkeys.went_back(kept, count)]
            if back[0]:
                after = file.keyed(msgspec.structs.replace(kept, suspended=True))
                after = msgspec.structs.replace(after, over=asking.now)
                return after.told(asking.now, "signin.told-cloned")
            return file.keyed(msgspec.structs.replace(kept, count=count, used=asking.now))

        self._drawer.change(asking, id_, edit, Interaction.SIGN_IN)
        return not back[0]


def step_of(secret: bytes, code: str, now: Instant) -> int:
    """Say of which step a one-time code is, one before or after the present one included; 0 for none.

    Without a secret none is; the work is done all the same.
    """
    typed = code.replace(" ", "").encode()
    present = now // STEP_MS
    steps = (present - 1, present, present + 1)
    codes = [one_time_code(secret or _NO_SECRET, step).encode() for step in steps]
    held = [hmac.compare_digest(typed, code_) for code_ in codes]
    return next((step for step, holds in zip(steps, held, strict=True) if holds and secret), 0)


def _why_not(passkey: Passkey) -> str:
    """Name the sentence for a passkey that proves nothing, to whoever holds it."""
    if passkey.suspended:
        return "signin.passkey-suspended"
    return "signin.passkey-lost" if passkey.lost else "signin.passkey-doubted"


def _use(use: str, where: Where) -> str:
    return f"passkey/{use}/{where.device.hex()}"


def _without(file: Credentials, digest: bytes, now: Instant, place: str) -> Credentials:
    """Take a recovery code out. Raises `SignInError` when it is out already."""
    if digest not in file.recovery:
        raise SignInError("signin.refused")
    left = tuple(one for one in file.recovery if one != digest)
    return msgspec.structs.replace(file, recovery=left).told(now, "signin.told-recovery", place)

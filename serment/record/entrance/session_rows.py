"""What a session is: its sealed row, and what the row says of who is signed in. No store, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.model import Actor, Instant, Purpose
from serment.record.entrance.signed import actor_of, spelled

SESSION_MS: Final = 12 * 3600 * 1000
CODE_MS: Final = 24 * 3600 * 1000
SKEW_MS: Final = 60 * 1000
"""How far back a clock may be put before sessions count as not begun."""
FRESH_MS: Final = 5 * 60 * 1000
"""For so long after a proof somebody may do a dangerous act without another one."""
FOREVER: Final = 1 << 62
NOBODY: Final = ""
"""Whose row is nobody's session: what was met once (`spent`)."""


IDLE_MS: Final = 15 * 60 * 1000

COUNTER: Final = "counter"
"""The exercise of a session on a practice's tablet, opened by a paper code (ADR 65)."""
COUNTER_IDLE_MS: Final = 5 * 60 * 1000
"""Unused for so long, such a session ends: the next person at the counter is somebody else."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the site chooses for sign-in: how long a session lasts and may stay unused, in ms.

    `breached` is the path of a list of leaked passwords, "" for none.
    """

    longest: int = SESSION_MS
    idle: int = IDLE_MS
    breached: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a session of an account is bound to.

    `device` is the token of a browser, b"" for a session that is not a browser's. `place` is the prefix of a
    network, never a whole address. `methods` are those of RFC 8176. `questioned`: nothing opens before
    another proof; `told` is a sentence that its pages say.
    """

    account: str
    exercise: str = ""
    device: bytes = field(default=b"", repr=False)
    place: str = ""
    browser: str = ""
    methods: tuple[str, ...] = ()
    questioned: bool = False
    told: str = ""

    @property
    def at_counter(self) -> bool:
        """Whether it is a session on a practice's tablet: narrow, and of no account."""
        return not self.account and self.exercise == COUNTER


UNBOUND: Final = Bound("")


class Program(msgspec.Struct, array_like=True, frozen=True):
    """What an access token is bound to: a client, a grant, a scope, a launch patient, a key (ADR 51).

    `record` is the token of the launch patient's record, b"" without one; `key` the thumbprint of a DPoP
    key (RFC 7638), "" for a plain bearer token.
    """

    client: str
    grant: str
    scope: str
    rate: int
    record: bytes = b""
    key: str = ""

    def __repr__(self) -> str:
        return "Program()"

    @property
    def ends_with(self) -> tuple[str, str]:
        """Name what the token ends with, beside its person: the client and the grant."""
        return f"client:{self.client}", f"grant:{self.grant}"


class Row(msgspec.Struct, array_like=True, frozen=True):
    """What a session row holds, sealed. `began` is what an end of all an actor's sessions is held against."""

    once: bool
    ends: int
    purpose: str
    actor: str
    kind: str
    name: str
    profession: str
    function: str
    structure: str
    patient: str | None
    regulation: bool
    supervisor: str | None
    replaces: str | None
    began: int
    to: str = "/"
    id: str = ""
    account: str = ""
    exercise: str = ""
    device: bytes = b""
    place: str = ""
    browser: str = ""
    methods: tuple[str, ...] = ()
    questioned: bool = False
    told: str = ""
    started: int = 0
    proved: int = 0
    seen: int = 0
    program: Program | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, and the purpose that stands when a request names none. Instants in ms."""

    actor: Actor
    purpose: Purpose
    ends: Instant
    to: str = "/"
    id: str = ""
    bound: Bound = UNBOUND
    started: int = 0
    proved: int = 0
    program: Program | None = None

    def fresh(self, now: Instant) -> bool:
        """Say whether the person has proved who they are in the last five minutes."""
        return 0 <= now - self.proved < FRESH_MS


@dataclass(frozen=True, slots=True)
class Opened:
    """What one sealed row says; holds for exactly these bytes."""

    sealed: bytes = field(repr=False)
    once: bool
    session: Session
    actor: bytes = field(repr=False)
    began: int
    seen: int
    also: tuple[bytes, ...] = field(default=(), repr=False)

    def lasts(self, now: Instant) -> bool:
        """Say whether it has begun and not ended: a clock that was put back before it closes it too."""
        return self.began - SKEW_MS <= now < self.session.ends


def row_of(actor: Actor, purpose: Purpose, ends: int, began: int, *, once: bool, to: str) -> Row:
    """Write down a session that is bound to nothing."""
    return Row(once, ends, purpose.value, *spelled(actor), actor.replaces, began, to)


def spent(until: int) -> Row:
    """Write down that something which counts once was met: nobody's session, and a code of nobody's."""
    return Row(True, until, "", NOBODY, "", "", "", "", "", None, False, None, None, 0)


def bind(row: Row, id_: str, bound: Bound, now: Instant) -> Row:
    """Write down to what a session is bound, and that its person has just proved who they are."""
    return msgspec.structs.replace(
        row,
        id=id_,
        account=bound.account,
        exercise=bound.exercise,
        device=bound.device,
        place=bound.place,
        browser=bound.browser,
        methods=bound.methods,
        questioned=bound.questioned,
        told=bound.told,
        started=now,
        proved=now,
        seen=now,
    )


def session_of(row: Row) -> Session:
    """Read a row back."""
    bound = Bound(
        row.account,
        row.exercise,
        row.device,
        row.place,
        row.browser,
        row.methods,
        row.questioned,
        row.told,
    )
    actor, purpose = actor_of(row), Purpose(row.purpose)
    return Session(
        actor, purpose, Instant(row.ends), row.to, row.id, bound, row.started, row.proved, row.program
    )

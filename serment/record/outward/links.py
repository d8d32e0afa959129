"""One-time links: what leaves by an address that opens once, for a while, with a passcode (ADR 62).

A link holds no content. It names the items that were chosen and who shared them; each opening is a reading
by that person, decided and traced at that moment, so that a word of the patient, a mask or the end of what
the sharer may read ends the link too. The secret of the address and the passcode are shown once and kept as
digests. Wrong passcodes are counted; the last one ends the link. A professional shares what the patient has
agreed to: the trace says that they said so, to the patient who can end it.

Order: what is kept, the passage, the jobs inside the pen.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

import msgspec

from serment.errors import (
    ConflictError,
    IntegrityError,
    NotFoundError,
    RefusedError,
    RequestError,
    SignInError,
)
from serment.ledger.entry import Interaction
from serment.model import Act, Actor, ActorId, ActorKind, Function, Instant, PatientId, Purpose
from serment.record.asking import Asking
from serment.record.between import permitting
from serment.record.entrance.factors import Cost, password_hash, password_matches
from serment.record.outward.leaving import Leave, Leaving
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.reading import Served
from serment.record.registry import Registry, edited, in_pen
from serment.record.writing import new_id

DRAWER: Final = "link"
OF_RECORD: Final = "links-of-record"
DAY: Final = 24 * 3600 * 1000
MOST_DAYS: Final = 31
"""Days that a link lasts at most (as Bitwarden's Send)."""

MOST_USES: Final = 5
TRIES: Final = 5
MOST_KEPT: Final = 100
"""Links of one record that are listed: one that stands is never let go of, or nobody could end it."""

RECIPIENT: Final = "one-time-link"
"""What the trace names as recipient: who holds a link is not known."""

SHARED: Final = Leave(Act.READ, Interaction.EXPORT, RECIPIENT)
AGREED: Final = Leave(Act.READ, Interaction.EXPORT, RECIPIENT, "patient-agreed")
"""Of a professional: the trace says that they said so."""

_SHARERS: Final = frozenset({ActorKind.PATIENT, ActorKind.PROXY, ActorKind.PROFESSIONAL})

_DIGITS: Final = 8
_COST: Final = Cost(passes=2, lanes=1, memory=19_456)
"""Of a passcode of eight digits with five tries; the address is what keeps strangers out."""


class Link(msgspec.Struct, array_like=True, frozen=True):
    """What is kept of a link. `items` are `Type/id`, instants in ms, `left` uses; `ended` 0 while it stands.

    `actor` is who shared: id, kind, name, profession, function, structure, supervisor, replaced.
    """

    patient: str
    items: tuple[str, ...]
    made: int
    until: int
    left: int
    tries: int
    secret: bytes
    passcode: str
    actor: tuple[str, ...]
    purpose: str
    ended: int = 0
    opened: int = 0

    def stands(self, now: Instant) -> bool:
        """Say whether it still opens."""
        return not self.ended and self.left > 0 and self.tries > 0 and now < self.until

    def __repr__(self) -> str:
        return "Link(…)"


@dataclass(frozen=True, slots=True)
class Handed:
    """What the sharer is shown once: the link's number, the secret of its address, the passcode."""

    id: str
    secret: str = field(repr=False)
    passcode: str = field(repr=False)
    until: Instant


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening that was let: who shared, asking now, and which items of whose record."""

    asking: Asking
    patient: str = field(repr=False)
    items: tuple[str, ...] = field(repr=False)


class Links:
    """The passage for links. All but `check` and `served` block: not for an event loop."""

    def __init__(self, passage: Passage, leaving: Leaving) -> None:
        self._passage, self._registry = passage, Registry(passage)
        self._leaving = leaving

    async def check(
        self,
        asking: Asking,
        patient: str,
        items: Sequence[str],
        days: int,
        uses: int,
        *,
        agreed: bool = False,
    ) -> None:
        """Decide and trace that these items are shared by a link, before there is one.

        `agreed` says of a professional that the patient, informed, has agreed (CSP L1110-4). Raises
        `NotFoundError` when an item may not be read, `RequestError` for a share without an end,
        `RefusedError` for who shares nothing (a carer reads, and answers for nobody), or without the
        patient's agreement.
        """
        professional = asking.actor.kind is ActorKind.PROFESSIONAL
        if asking.actor.kind not in _SHARERS or (professional and not agreed):
            raise RefusedError("paper.link-agreement")
        if not 1 <= days <= MOST_DAYS:
            raise RequestError("paper.link-days", most=MOST_DAYS)
        if not 1 <= uses <= MOST_USES or not items:
            raise RequestError("paper.link-items", most=MOST_USES)
        if asking.actor.kind is ActorKind.PROXY:
            await self._represents(asking, patient)
        await self._leaving.items(asking, patient, items, AGREED if professional else SHARED)

    async def _represents(self, asking: Asking, patient: str) -> None:
        """Refuse whoever reads for a person without answering for them: of a record of nobody alike."""
        try:
            await permitting.who_answers(self._passage, asking, patient, Interaction.EXPORT)
        except NotFoundError:
            raise RefusedError("paper.link-not-yours") from None

    def make(self, asking: Asking, patient: str, items: Sequence[str], days: int, uses: int) -> Handed:
        """Make a link for items that `check` has let. Raises `ConflictError` when `MOST_KEPT` stand."""
        secret = secrets.token_urlsafe(24)
        passcode = "".join(secrets.choice("0123456789") for _ in range(_DIGITS))
        until, id_ = asking.now + days * DAY, new_id()
        kept = Link(
            patient,
            tuple(items),
            asking.now,
            until,
            uses,
            TRIES,
            _digest(secret),
            password_hash(passcode, _COST),
            _said(asking.actor),
            asking.purpose.value,
        )

        def job(pen: Pen) -> None:
            name = _digest(secret).hex()
            edited(pen, DRAWER, id_, lambda _: msgspec.msgpack.encode(kept), names=lambda _: [name])
            listed = _with(pen, patient, id_)
            edited(pen, OF_RECORD, patient, lambda _: listed)

        self._registry.act(asking, job)
        return Handed(id_, secret, passcode, Instant(until))

    def open(self, asking: Asking, secret: str, passcode: str) -> Opening:
        """Let one opening, and count it. `asking` is nobody's; what follows is asked by who shared.

        Raises `SignInError`, the same for an unknown link, a wrong passcode, and one that is over.
        """
        found = self._registry.find(asking, DRAWER, _digest(secret).hex())
        if found is None:
            raise SignInError("paper.link-over")
        id_, raw = found
        right = password_matches(passcode.strip(), _read(raw).passcode)
        let: list[Link] = []

        def spend(before: bytes | None) -> bytes | None:
            link = _read(before) if before is not None else None
            if link is None or not link.stands(asking.now):
                return before
            if not right:
                return msgspec.msgpack.encode(msgspec.structs.replace(link, tries=link.tries - 1))
            let.append(link)
            spent = msgspec.structs.replace(link, left=link.left - 1, opened=link.opened + 1)
            return msgspec.msgpack.encode(spent)

        self._registry.change(asking, DRAWER, id_, spend)
        if not let:
            raise SignInError("paper.link-over")
        return Opening(_as_sharer(asking, let[-1]), let[-1].patient, let[-1].items)

    async def served(self, opening: Opening) -> list[Served]:
        """Open the items of a link, decided and traced now. Raises `NotFoundError`."""
        return await self._leaving.items(opening.asking, opening.patient, opening.items, SHARED)

    def of_record(self, asking: Asking, patient: str) -> list[tuple[str, Link]]:
        """List the links into a record, newest first: to its holder all, to a professional their own."""
        raw = self._registry.get(asking, OF_RECORD, patient)
        ids = [] if raw is None else msgspec.msgpack.decode(raw, type=list[str])
        found = [(id_, self._registry.get(asking, DRAWER, id_)) for id_ in reversed(ids)]
        links = [(id_, _read(one)) for id_, one in found if one is not None]
        return [(id_, link) for id_, link in links if _may_end(asking, link)]

    def end(self, asking: Asking, id_: str) -> None:
        """End a link at once: whoever made it, and the holder. Raises `NotFoundError`."""

        def job(before: bytes | None) -> bytes | None:
            link = _read(before) if before is not None else None
            if link is None or not _may_end(asking, link):
                raise NotFoundError("record.not-found")
            ended = link.ended or asking.now
            return msgspec.msgpack.encode(msgspec.structs.replace(link, ended=ended))

        self._registry.change(asking, DRAWER, id_, job)

    def end_of(self, asking: Asking, actors: Collection[ActorId]) -> int:
        """End every link that a person gave ("I was hacked"): a thief may have; say how many stood."""
        files = self._registry.all(asking, DRAWER).items()
        standing = [(id_, one) for id_, raw in files if (one := _read(raw)).stands(asking.now)]
        mine = [id_ for id_, one in standing if one.actor[0] in actors]

        def ended(before: bytes | None) -> bytes | None:
            return before and msgspec.msgpack.encode(msgspec.structs.replace(_read(before), ended=asking.now))

        def job(pen: Pen) -> None:
            for id_ in mine:
                edited(pen, DRAWER, id_, ended)

        if mine:
            self._registry.act(asking, job)
        return len(mine)


def _may_end(asking: Asking, link: Link) -> bool:
    return asking.actor.id == link.actor[0] or asking.actor.patient == link.patient


def _as_sharer(asking: Asking, link: Link) -> Asking:
    """Ask as who shared: what they may no longer read, the link no longer opens."""
    id_, kind, name, profession, function, structure, supervisor, replaced = link.actor
    actor = Actor(
        ActorId(id_),
        ActorKind(kind),
        name,
        profession,
        Function(function),
        structure,
        patient=PatientId(link.patient) if kind == ActorKind.PATIENT else None,
        supervisor=ActorId(supervisor) if supervisor else None,
        replaces=ActorId(replaced) if replaced else None,
    )
    return replace(asking, actor=actor, purpose=Purpose(link.purpose))


def _said(actor: Actor) -> tuple[str, ...]:
    return (
        actor.id,
        actor.kind.value,
        actor.name,
        actor.profession,
        actor.function.value,
        actor.structure,
        actor.supervisor or "",
        actor.replaces or "",
    )


def _digest(secret: str) -> bytes:
    return sha256(b"serment/link/1\n" + secret.encode()).digest()


def _with(pen: Pen, patient: str, id_: str) -> bytes:
    """List one more link of a record, in the place of the oldest that is over when there are many."""
    raw = in_pen(pen, OF_RECORD, patient)
    ids = [] if raw is None else msgspec.msgpack.decode(raw, type=list[str])
    if len(ids) >= MOST_KEPT:
        over = next((one for one in ids if not _stands(pen, one)), None)
        if over is None:
            raise ConflictError("paper.links-many", most=MOST_KEPT)
        ids.remove(over)
    return msgspec.msgpack.encode([*ids, id_])


def _stands(pen: Pen, id_: str) -> bool:
    raw = in_pen(pen, DRAWER, id_)
    return raw is not None and _read(raw).stands(pen.asking.now)


def _read(raw: bytes) -> Link:
    try:
        return msgspec.msgpack.decode(raw, type=Link)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None

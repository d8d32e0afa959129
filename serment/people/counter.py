"""A patient at the counter: a paper code opens a narrow session on the practice's own tablet (ADR 65).

For a practice that has no public address. Somebody who works there hands a code to a person who stands
before them and whose identity they have checked; it is typed once, within minutes, on the tablet, and opens
a session of that person for minutes. It is kept as a keyed digest only. Its session reads, verifies and
chooses: which pages it may open is asked at the door (`door/counter`); what is not named there is refused.

Both are traced in the person's own list: who handed the code over and how they checked, and the session.
Order: the noun, handing over, opening.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import msgspec

from serment.access.decide import Finding, decide_find
from serment.access.find import finding_for
from serment.access.policy import Policy
from serment.errors import IntegrityError, RequestError, SignInError, TooManyError
from serment.fhir.summary import person_name
from serment.ledger.entry import Interaction
from serment.model import Actor, ActorId, ActorKind, Denial, Instant, PatientId, Purpose
from serment.people.signing import Where
from serment.record import trace, writing
from serment.record.asking import Asking
from serment.record.entrance.session_rows import COUNTER, Bound
from serment.record.entrance.sessions import Sessions
from serment.record.entrance.tries import Count, Tries
from serment.record.gate import View
from serment.record.passage import Passage
from serment.record.pen import DeniedError, Pen
from serment.record.reading import Reading
from serment.record.registry import Registry, edited
from serment.record.writing import Writing

DRAWER: Final = "counter"
CODE_MS: Final = 15 * 60 * 1000
"""How long a code waits to be typed."""

SESSION_MS: Final = 30 * 60 * 1000
"""How long a session at the counter lasts at most; it ends unused after `session_rows.COUNTER_IDLE_MS`."""

SIGNS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Of which a code is made: no letter or digit that is taken for another on paper."""
LENGTH: Final = 10
"""Signs of a code: 49 bits, of which a network gets some thousand tries a day."""

CHECKED: Final = ("document", "known", "card")
"""How the identity of the person was checked: a document, somebody known to the practice, a health card."""

FREE: Final = 10
FIRST_WAIT_MS: Final = 2_000
MOST_WAIT_MS: Final = 60_000
FORGOTTEN_MS: Final = 3600 * 1000


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """What a file holds: the digest of the code of one patient, who handed it over, until when (ms)."""

    digest: str
    by: str
    until: int


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it is handed over, and until when it may be typed (ms). Shown once, kept nowhere."""

    text: str = field(repr=False)
    until: Instant


class Counter:
    """The passage for codes and their sessions."""

    def __init__(self, passage: Passage, reading: Reading, writes: Writing, sessions: Sessions) -> None:
        self._passage, self._reading, self._writing, self._sessions = passage, reading, writes, sessions
        self._registry, self._tries = Registry(passage), Tries(passage)

    async def hand_over(self, asking: Asking, patient: PatientId, checked: str) -> Code:
        """Make a code for a person at the counter; an earlier one of theirs is worth nothing any more.

        Raises `RequestError` without a check of identity, `RefusedError` for whoever finds nobody in the
        structure that holds the file: the same for a record that is of nobody. Whom the person has blocked
        gets a paper that opens nothing, and is told what anybody is told: a code is the whole record.
        """
        if checked not in CHECKED:
            raise RequestError("counter.check")
        text = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
        kept = _Kept(self._digest(text), asking.actor.id, asking.now + CODE_MS)
        nothing = msgspec.structs.replace(kept, digest=self._digest(secrets.token_hex(LENGTH)))

        def job(pen: Pen) -> None:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            finding = _finding(draft.view, self._passage.policy)
            verdict = decide_find(finding)
            if isinstance(verdict, Denial):
                raise DeniedError(draft.view, verdict, Interaction.ERRAND, sentence="counter.not-yours")
            pen.reason = f"counter-{checked}"
            value = msgspec.msgpack.encode(nothing if finding.blocked else kept)
            edited(pen, DRAWER, patient, lambda _: value, names=_names, interaction=Interaction.ERRAND)
            pen.did(draft, Interaction.ERRAND, trace.of_facts(verdict.rule))

        await self._writing.run(asking, [f"Patient/{patient}"], job)
        return Code(text, Instant(kept.until))

    async def open(self, asking: Asking, typed: str, where: Where) -> str:
        """Open the session of whoever holds a code, in the browser in which it is typed; give its secret.

        Raises `SignInError`, the same for a code that is wrong, spent or over; `TooManyError` for a network
        from which too many were tried.
        """
        await asyncio.to_thread(self._count, where.source, asking.now)
        digest = self._digest(_plain(typed))
        found = await asyncio.to_thread(self._registry.find, asking, DRAWER, digest)
        if found is None or not asking.now < _read(found[1]).until:
            raise SignInError("counter.code")
        holder = Actor(ActorId(f"patient:{found[0]}"), ActorKind.PATIENT, patient=PatientId(found[0]))
        entering = replace(asking, actor=holder, purpose=Purpose.PATIENT_REQUEST)
        served = await self._reading.read(entering, "Patient", found[0])
        holder = replace(holder, name=person_name(msgspec.json.decode(served.body)))
        entering = replace(entering, actor=holder)
        made = self._sessions.made(
            holder,
            Purpose.PATIENT_REQUEST,
            asking.now,
            until=asking.now + SESSION_MS,
            to="/me",
            bound=Bound("", COUNTER, where.device, where.place, where.browser, ("counter",)),
        )

        def job(pen: Pen) -> None:
            edited(pen, DRAWER, found[0], partial(_spent, digest), interaction=Interaction.ERRAND)
            draft = writing.draft_of(pen, f"Patient/{found[0]}", {})
            pen.reason = "counter"
            pen.did(draft, Interaction.ERRAND, trace.of_facts("G1.holder"))
            self._sessions.keep(pen.txn, made)

        await self._writing.run(entering, [f"Patient/{found[0]}"], job, choice=True)
        await asyncio.to_thread(self._uncount, where.source, asking.now)
        return made.secret

    def _count(self, source: str, now: Instant) -> None:
        self._tries.counted([_name(source)], now, lambda _, stood: _next(stood, now))

    def _uncount(self, source: str, now: Instant) -> None:
        """Give a network back the try that succeeded: a tablet serves people all day."""
        self._tries.counted([_name(source)], now, lambda _, stood: (max(0, stood[0] - 1), stood[1]))

    def _digest(self, text: str) -> str:
        return self._passage.installation.session_token(f"counter:{text}").hex()


def _finding(view: View, policy: Policy) -> Finding:
    """Ask as for finding the person at the desk: by the structure that holds the file, and nobody else."""
    asking = view.asking
    return finding_for(
        asking.actor,
        asking.purpose,
        view.record,
        view.facts,
        asking.now,
        asking.request,
        policy,
        as_typed=True,
    )


def _name(source: str) -> str:
    return f"counter|{source}"


def _plain(typed: str) -> str:
    """Read a code as people type it: small letters, blanks and hyphens do not count."""
    return "".join(sign for sign in typed.upper()[:40] if sign.isalnum())


def _spent(digest: str, value: bytes | None) -> None:
    """Take a code out, once. Raises `SignInError` when it was typed, or replaced, a moment before."""
    if value is None or _read(value).digest != digest:
        raise SignInError("counter.code")


def _names(value: bytes) -> list[str]:
    return [_read(value).digest]


def _next(stood: Count, now: Instant) -> Count:
    """Let some be tried at once, then after waits that grow. Raises `TooManyError`."""
    tries, until = stood if now - stood[1] <= FORGOTTEN_MS else (0, stood[1])
    if tries >= FREE and until > now:
        raise TooManyError("signin.slow-down", seconds=(until - now) // 1000 + 1)
    over = tries + 1 - FREE
    wait = 0 if over < 0 else min(FIRST_WAIT_MS << min(over, 10), MOST_WAIT_MS)
    return tries + 1, now + wait


def _read(value: bytes) -> _Kept:
    try:
        return msgspec.msgpack.decode(value, type=_Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None

"""What a browser carries for us between two requests: sealed, for one use, for a few minutes, once.

A ticket holds what an unfinished sign-in must remember. Handing one out writes nothing: strangers who begin
and never come back fill no table. Spending it leaves a mark (`sessions.first`), so that no second request on
any process spends it again; the mark lasts as long as the ticket would have.
"""

from __future__ import annotations

import base64
import binascii
import secrets

import msgspec

from serment.errors import IntegrityError, SignInError
from serment.model import Instant
from serment.record.entrance.sessions import Sessions
from serment.record.passage import Passage

MOST_MS = 30 * 60 * 1000
"""How long a ticket may last."""


class _Ticket(msgspec.Struct, array_like=True, frozen=True):
    """What is sealed: a number of its own, the instant at which it is over, what its owner wrote."""

    number: bytes
    until: int
    value: bytes


class Tickets:
    """Hand out, read and spend tickets."""

    def __init__(self, passage: Passage, sessions: Sessions) -> None:
        self._passage = passage
        self._sessions = sessions

    def issue(self, use: str, value: bytes, until: Instant) -> str:
        """Seal `value` for one use. Only what asks for this very use reads it."""
        until = Instant(min(until, self._passage.clock() + MOST_MS))
        plain = msgspec.msgpack.encode(_Ticket(secrets.token_bytes(16), until, value))
        sealed = self._passage.installation.seal_page(_bound(use), plain)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def read(self, use: str, text: str, now: Instant) -> bytes:
        """Give what a ticket holds. Raises `SignInError`: altered, of another use, over."""
        return self._opened(use, text, now).value

    def spend(self, use: str, text: str, now: Instant) -> bytes:
        """Give what a ticket holds, once. Raises `SignInError` as `read` does, and when it was spent."""
        ticket = self._opened(use, text, now)
        if not self._sessions.first(f"{_bound(use)}/{ticket.number.hex()}", Instant(ticket.until)):
            raise SignInError("record.ticket-over")
        return ticket.value

    def _opened(self, use: str, text: str, now: Instant) -> _Ticket:
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            plain = self._passage.installation.open_page(_bound(use), sealed)
        except (IntegrityError, binascii.Error, ValueError):
            # What a browser sends back altered is a stranger's doing, and no damage of the store.
            raise SignInError("record.ticket-over") from None
        ticket = msgspec.msgpack.decode(plain, type=_Ticket)
        if not now < ticket.until <= now + MOST_MS:
            raise SignInError("record.ticket-over")
        return ticket


def _bound(use: str) -> str:
    return f"ticket/{use}"

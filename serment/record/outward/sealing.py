"""The seal of the organisation, kept in the register: made at first use, never in clear on the disk (ADR 61).

What the register holds is sealed under its keys, which custody wraps: a stolen disk seals nothing. While the
house is open the server that seals has the key in its memory, for the length of one call.
"""

from __future__ import annotations

from typing import Final

import msgspec

from serment.errors import IntegrityError
from serment.ledger.entry import Interaction
from serment.paper import seal
from serment.paper.jws import Act
from serment.paper.seal import Seal
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.registry import Registry

DRAWER: Final = "seal"
FIRST: Final = "0001"


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """A seal as it is kept; `made` in ms. A later one has a higher number and takes its place."""

    certificate: bytes
    key: bytes
    made: int

    def __repr__(self) -> str:
        return "_Kept(…)"


class Sealing:
    """The passage to the seal. Calls block: not for an event loop."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._registry = Registry(passage)

    def seal(self, asking: Asking, owner: str) -> Seal:
        """Give the seal that is in use, with its key; it is made for `owner` when there is none yet."""
        kept = self._registry.all(asking, DRAWER)
        newest = kept[max(kept)] if kept else self._made(asking, owner)
        one = _read(newest)
        return Seal(one.certificate, one.key)

    def seals(self, asking: Asking) -> list[Seal]:
        """Give every seal of this house without its key, to check what it has sealed; the newest first."""
        kept = self._registry.all(asking, DRAWER)
        return [Seal(_read(kept[number]).certificate) for number in sorted(kept, reverse=True)]

    def act(self, asking: Asking) -> Act:
        """Give what a seal is tied to: this act, and the state of the ledger that was signed last."""
        origin, size, _ = self.ledger()
        return Act(asking.request, asking.now, origin, size)

    def ledger(self) -> tuple[str, int, bytes]:
        """Give the last checkpoint: origin, size and signed note (C2SP), b"" before the first."""
        with self._passage.store.snapshot() as snapshot:
            last = snapshot.checkpoint()
        size, _, note = last if last is not None else (0, b"", b"")
        return f"serment.invalid/{self._passage.installation.store.hex()}", size, note

    def _made(self, asking: Asking, owner: str) -> bytes:
        """Make the first seal; of two that make one at the same moment, one stands."""
        new = seal.make(owner, asking.now)
        made = msgspec.msgpack.encode(_Kept(new.certificate, new.key, asking.now))
        stands = self._registry.change(
            asking, DRAWER, FIRST, lambda before: before or made, interaction=Interaction.KEYS
        )
        return stands or made


def _read(raw: bytes) -> _Kept:
    try:
        return msgspec.msgpack.decode(raw, type=_Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None

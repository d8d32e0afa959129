"""Patient and RelatedPerson in two halves: who it is, and how to reach them (HOUSE section 5).

The contact half holds telecom, address, contact and photo (with their `_` twins), and the narrative,
which repeats them for a reader, exactly as written,
with the places where they stood. The identity half is what is left, itself valid JSON. Joined, they
are the very bytes that were received. Order: cutting, joining. Nothing here seals or decides.

Format of the contact half: MessagePack `[length of the identity half, [[place, bytes], …]]`, places in
bytes of the identity half, in order.
"""

from __future__ import annotations

import msgspec

from serment.errors import IntegrityError
from serment.fhir.document import Document

CUT_TYPES = frozenset({"Patient", "RelatedPerson"})
CONTACT_MEMBERS = frozenset(
    f"{twin}{name}" for name in ("telecom", "address", "contact", "photo", "text") for twin in ("", "_")
)

_Halves = tuple[int, list[tuple[int, bytes]]]
_decoder = msgspec.msgpack.Decoder(_Halves)


def cut(document: Document) -> tuple[bytes, bytes | None]:
    """Cut a Patient or RelatedPerson: identity half, and contact half or None when there is no contact.

    Any other type is not cut: all its bytes, and None.
    """
    spans = _spans(document) if document.type in CUT_TYPES else []
    if not spans:
        return document.text.encode(), None
    kept: list[bytes] = []
    removed: list[tuple[int, bytes]] = []
    at = place = 0
    for start, end in spans:
        kept.append(document.text[at:start].encode())
        place += len(kept[-1])
        removed.append((place, document.text[start:end].encode()))
        at = end
    kept.append(document.text[at:].encode())
    identity = b"".join(kept)
    return identity, msgspec.msgpack.encode((len(identity), removed))


def beside(identity: bytes, contact: bytes) -> bytes:
    """Put a half that an older write cut behind a newer other half: who wrote that one left this as it was.

    Raises `IntegrityError` when the half is not one of ours.
    """
    try:
        _, removed = _decoder.decode(contact)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise IntegrityError("fhir.halves-differ") from None
    end = identity.rindex(b"}")
    members = [segment.strip(b", \t\r\n") for _, segment in removed]
    return b",".join((identity[:end].rstrip(), *members)) + identity[end:]


def join(identity: bytes, contact: bytes) -> bytes:
    """Give back the bytes that `cut` took. Raises `IntegrityError` when the halves are not of one whole."""
    pieces: list[bytes] = []
    at = 0
    try:
        length, removed = _decoder.decode(contact)
        fits = length == len(identity)
    except (msgspec.DecodeError, UnicodeDecodeError):
        fits, removed = False, []
    for place, segment in removed:
        fits = fits and at <= place <= len(identity)
        pieces += (identity[at:place], segment)
        at = place
    if not fits:
        raise IntegrityError("fhir.halves-differ")
    return b"".join((*pieces, identity[at:]))


def _spans(document: Document) -> list[tuple[int, int]]:
    """Give the spans to remove, each with one comma, so that what is left is an object.

    A member goes with the comma before it; those at the very beginning go with the comma after.
    """
    spans: list[tuple[int, int]] = []
    kept_end: int | None = None  # end of the last member that stays
    pending: int | None = None  # start of the members removed at the very beginning
    for name, (start, end) in document.members.items():
        if name not in CONTACT_MEMBERS:
            if pending is not None:
                spans.append((pending, start))
                pending = None
            kept_end = end
        elif kept_end is None:
            pending = start if pending is None else pending
        else:
            spans.append((kept_end, end))
            kept_end = end
    return spans

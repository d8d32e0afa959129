"""What an entry says, and how it is committed to the tree.

    body   = canonical JSON {chain, event, head, late, p_prev, p_seq, record, salt, v}
    commit = SHA-256("serment/ledger/1" ‖ u32be(len(body)) ‖ body)
    entry  = 0x01 ‖ kind ‖ commit          34 bytes: all that is hashed, published and witnessed
    leaf   = RFC 6962 leaf hash of entry

The JSON is RFC 8785 (JCS) for our range of values: ASCII member names in code point order, integers
below 2^53, no floating numbers, bytes as base64 text (RFC 4648 section 4), absent members left out.
The salt (32 random bytes) stands in the body only: without it no guess of a body can be tried, and
once the year key is destroyed the leaf says nothing while every later proof still holds.

Order: words, event, body, bytes. Nothing here seals, stores or reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum
from hashlib import sha256

import msgspec

from serment.errors import LedgerError
from serment.ledger.chains import NOTHING, Chain
from serment.ledger.tree import leaf_hash
from serment.model import EmergencyReason, Purpose

DOMAIN = b"serment/ledger/1"
SALT_SIZE = 32
MOST_RESOURCES = 32
MS_PER_HOUR = 3_600_000
_LARGEST_INTEGER = 2**53 - 1
_SMALLEST_BOX = 1024


class Kind(IntEnum):
    """What stands in clear beside a commitment. The three chains use the same kinds."""

    ACCESS = 1
    REFUSAL = 2
    WRITE = 3
    FACTS = 4
    SYSTEM = 5
    GAP = 6
    BIRTH = 7


class Interaction(StrEnum):
    """What was done or tried; `Event.decision` says whether it was granted."""

    BIRTH = "birth"
    READ = "read"
    VREAD = "vread"
    HISTORY = "history"
    SEARCH = "search"
    LIST = "list"
    FIND = "find"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    FILE = "file"
    EMERGENCY = "emergency"
    DECLARE = "declare"
    CONSENT = "consent"
    MASK = "mask"
    TEAM = "team"
    MANDATE = "mandate"
    IMPORT = "import"
    PRINT = "print"
    EXPORT = "export"
    NOTIFY = "notify"
    IDENTIFY = "identify"
    ERRAND = "errand"
    DRAFT = "draft"
    PROPOSE = "propose"
    TRACE_READ = "trace-read"
    STRANGERS = "strangers"
    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    ACCOUNT = "account"
    UNLOCK = "unlock"
    PROBE = "probe"
    DRILL = "drill"
    KEYS = "keys"
    ACTS = "acts"
    TRAINING = "training"
    GAP = "gap"


class Decision(StrEnum):
    """What the decision said."""

    PERMIT = "permit"
    DENIAL = "denial"


_WRITES = frozenset(
    {
        Interaction.CREATE,
        Interaction.UPDATE,
        Interaction.DELETE,
        Interaction.FILE,
        Interaction.IMPORT,
        Interaction.PROPOSE,
    }
)
_FACTS = frozenset({Interaction.CONSENT, Interaction.MASK, Interaction.TEAM, Interaction.MANDATE})
_SYSTEM = frozenset(
    {
        Interaction.SIGN_IN,
        Interaction.SIGN_OUT,
        Interaction.ACCOUNT,
        Interaction.UNLOCK,
        Interaction.PROBE,
        Interaction.DRILL,
        Interaction.KEYS,
        Interaction.ACTS,
        Interaction.TRAINING,
        Interaction.STRANGERS,
    }
)
_KINDS = (
    dict.fromkeys(_WRITES, Kind.WRITE)
    | dict.fromkeys(_FACTS, Kind.FACTS)
    | dict.fromkeys(_SYSTEM, Kind.SYSTEM)
    | {Interaction.GAP: Kind.GAP, Interaction.BIRTH: Kind.BIRTH}
)
_EMERGENCIES = frozenset({Purpose.EMERGENCY.value, Purpose.BREAK_GLASS.value})
_EMERGENCY_DOORS = frozenset({"G5.emergency", "G5.regulation"})
_EMERGENCY_REASONS = frozenset(reason.value for reason in EmergencyReason)


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One act on one record: who, what, why, on what decision. Codes and references, never clinical text.

    `t` and `until` are milliseconds since 1970; `until` closes the period of a gap or a count.
    `request` is the number of the act, the same for every record and chain it touched. `resources`
    are `Type/id/_history/v`, at most `MOST_RESOURCES` of them, and `count` is how many there were in
    all (also: how many refusals or owed traces a count stands for). `policy` is the digest of grids
    and matrix that the decision used; `recipient` names the program that asked, or the registered address
    to which something left. Nothing of it shows in `repr`.
    """

    t: int
    request: str
    interaction: Interaction
    decision: Decision = Decision.PERMIT
    rule: str = ""
    actor: str = ""
    actor_name: str = ""
    function: str = ""
    profession: str = ""
    structure: str = ""
    supervisor: str = ""
    replaces: str = ""
    purpose: str = ""
    reason: str = ""
    resources: tuple[str, ...] = ()
    count: int = 0
    policy: str = ""
    until: int = 0
    recipient: str = ""

    @property
    def kind(self) -> Kind:
        """The kind that stands in clear: a refusal is one, whatever was tried."""
        if self.decision is Decision.DENIAL:
            return Kind.REFUSAL
        return _KINDS.get(self.interaction, Kind.ACCESS)

    @property
    def emergency(self) -> bool:
        """Whether an emergency was declared or an emergency door opened."""
        declared = self.purpose in _EMERGENCIES or not _EMERGENCY_REASONS.isdisjoint(self.reason.split(","))
        return declared or self.interaction is Interaction.EMERGENCY or self.rule in _EMERGENCY_DOORS

    def __repr__(self) -> str:
        return f"Event({self.interaction.value}, {self.decision.value})"


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is committed: the event, the record and its place in one of the record's chains.

    `p_seq` counts from 1 in the chain; `p_prev` is the commitment of the entry before it there (32
    zero bytes for the first). `head` is the hash of the sealed head that this write made (empty when
    the act wrote nothing). `late` is the commitment given out when the trace was spooled or owed.
    """

    v: int
    record: bytes
    chain: Chain
    p_seq: int
    p_prev: bytes
    salt: bytes
    event: Event
    head: bytes = b""
    late: bytes = b""

    def __repr__(self) -> str:
        return f"Body({self.chain.value}, {self.event!r})"


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Body).decode
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)
"""What a strict decoder raises on bytes that are not what they claim to be."""


def bounded(references: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Cut a list of references to what an entry carries, and say how many there were."""
    return tuple(references[:MOST_RESOURCES]), len(references)


def canonical(value: msgspec.Struct, event: Event) -> bytes:
    """Write canonical JSON. Raises `LedgerError` for a number or a text that it does not carry."""
    if not all(0 <= number <= _LARGEST_INTEGER for number in (event.t, event.until, event.count)):
        raise LedgerError("ledger.event-unwritable")
    try:
        return _encode(value)
    except UnicodeEncodeError:
        raise LedgerError("ledger.event-unwritable") from None


def body_bytes(body: Body) -> bytes:
    """Write a body. Raises `LedgerError` for an event that canonical JSON does not carry."""
    return canonical(body, body.event)


def body_from(raw: bytes) -> Body:
    """Read canonical JSON. Raises `LedgerError` for anything that `body_bytes` would not have written."""
    try:
        body = _decode(raw)
    except UNREADABLE:
        raise LedgerError("ledger.body-unreadable") from None
    sizes = (len(body.salt), len(body.p_prev), len(body.head) or 32, len(body.late) or 32)
    if body.v != 1 or body.p_seq < 1 or sizes != (SALT_SIZE, 32, 32, 32) or body_bytes(body) != raw:
        raise LedgerError("ledger.body-unreadable")
    return body


def commitment_of(raw: bytes) -> bytes:
    """Commit to the bytes of a body."""
    return sha256(DOMAIN + len(raw).to_bytes(4, "big") + raw).digest()


def entry_bytes(kind: int, commitment: bytes) -> bytes:
    """Write the 34 bytes that the tree takes. Raises `LedgerError` when they are not an entry."""
    if not 0 < kind < 256 or len(commitment) != len(NOTHING):
        raise LedgerError("ledger.entry-unreadable")
    return bytes((1, kind)) + commitment


def entry_leaf(kind: int, commitment: bytes) -> bytes:
    """Hash an entry into its leaf."""
    return leaf_hash(entry_bytes(kind, commitment))


def body_data(entry: bytes) -> bytes:
    """Associated data of a sealed body: it opens beside its own kind and commitment only."""
    return DOMAIN + entry


def boxed(raw: bytes) -> bytes:
    """Pad a body before sealing: 1 KiB, 2 KiB, 4 KiB… so that its size says almost nothing."""
    size = _SMALLEST_BOX
    while size < len(raw) + 4:
        size *= 2
    return len(raw).to_bytes(4, "big") + raw + bytes(size - 4 - len(raw))


def unboxed(box: bytes) -> bytes:
    """Take a body out of its padding. Raises `LedgerError` when the padding is not ours."""
    raw = box[4 : 4 + int.from_bytes(box[:4], "big")]
    if boxed(raw) != box:
        raise LedgerError("ledger.body-unreadable")
    return raw


def hour_of(t: int) -> int:
    """Hour in clear of an instant, in hours since 1970."""
    return t // MS_PER_HOUR

"""The calls and answers of custody's socket, as typed messages (MessagePack, one frame each).

A call names its operation in `op`. An answer is `Done` with a value, or `Failed` with the class of
the error, its sentence and its blanks. Nothing here shows its fields: some are passphrases.
"""

from __future__ import annotations

import msgspec

from serment import errors
from serment.keys.custody.contract import StoreKind
from serment.keys.material import RecordKind


class Call(msgspec.Struct, frozen=True, tag_field="op", forbid_unknown_fields=True):
    """One call."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class GetState(Call, frozen=True, tag="state"):
    """`state()`."""


class Init(Call, frozen=True, tag="init"):
    """`init(passphrase, kind)`."""

    passphrase: str
    kind: StoreKind


class Unlock(Call, frozen=True, tag="unlock"):
    """`unlock(passphrase, store)`."""

    passphrase: str
    store: bytes | None


class Lock(Call, frozen=True, tag="lock"):
    """`lock()`."""


class AddSlot(Call, frozen=True, tag="add-slot"):
    """`add_slot(passphrase, name, new)`."""

    passphrase: str
    name: str
    new: str


class RemoveSlot(Call, frozen=True, tag="remove-slot"):
    """`remove_slot(passphrase, slot)`."""

    passphrase: str
    slot: int


class ListSlots(Call, frozen=True, tag="list-slots"):
    """`list_slots()`."""


class Make(Call, frozen=True, tag="make"):
    """`make(record, kind, year)`."""

    record: bytes
    kind: RecordKind
    year: int


class MakeAll(Call, frozen=True, tag="make-all"):
    """`make_all(records, kind, year)`."""

    records: list[bytes]
    kind: RecordKind
    year: int


class Unwrap(Call, frozen=True, tag="unwrap"):
    """`unwrap(record, request, year)`."""

    record: bytes
    request: str
    year: int


class YearKeys(Call, frozen=True, tag="year-keys"):
    """`year_keys(record)`."""

    record: bytes


class Destroy(Call, frozen=True, tag="destroy"):
    """`destroy(record)`."""

    record: bytes


class Candidates(Call, frozen=True, tag="candidates"):
    """One page of records made before an hour: the first half of `sweep`."""

    after: bytes
    before_hour: int
    limit: int


class Forget(Call, frozen=True, tag="forget"):
    """Forget orphans: the second half of `sweep`."""

    records: list[bytes]
    before_hour: int


class Installation(Call, frozen=True, tag="installation"):
    """`installation()`."""


class Sign(Call, frozen=True, tag="sign"):
    """`sign(size, root, origin)`."""

    size: int
    root: bytes
    origin: str


class GetRemembered(Call, frozen=True, tag="remembered"):
    """`remembered()`."""


AnyCall = (
    GetState
    | Init
    | Unlock
    | Lock
    | AddSlot
    | RemoveSlot
    | ListSlots
    | Make
    | MakeAll
    | Unwrap
    | YearKeys
    | Destroy
    | Candidates
    | Forget
    | Installation
    | Sign
    | GetRemembered
)


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The value of a call that went well."""

    value: msgspec.Raw

    def __repr__(self) -> str:
        return "Done(…)"


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """An error that was raised on purpose, or `CustodyError` for any other."""

    error: str
    sentence: str
    parameters: dict[str, str | int]

    @classmethod
    def of(cls, error: errors.SermentError) -> Failed:
        """Carry `error` over the socket."""
        return cls(
            type(error).__name__,
            error.sentence,
            {
                name: value if isinstance(value, int) else str(value)
                for name, value in error.parameters.items()
            },
        )

    def error_class(self) -> type[errors.SermentError]:
        """Give the class to raise on the other side; one that custody never raises becomes `CustodyError`."""
        return _CROSSING.get(self.error, errors.CustodyError)


_CROSSING: dict[str, type[errors.SermentError]] = {
    crossing.__name__: crossing
    for crossing in (
        errors.RequestError,
        errors.MalformedError,
        errors.NotFoundError,
        errors.GoneError,
        errors.ConflictError,
        errors.SignInError,
        errors.TooManyError,
        errors.IntegrityError,
        errors.LockedError,
        errors.CustodyError,
        errors.StorageFullError,
    )
}

decode_call = msgspec.msgpack.Decoder(AnyCall).decode
decode_answer = msgspec.msgpack.Decoder(Done | Failed).decode
encode = msgspec.msgpack.Encoder().encode

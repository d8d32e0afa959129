"""The practice's own letters, certificates and prescriptions to begin from: texts with blanks, of nobody.

One file of the register for each structure. A text may name blanks (`{patient}`, `{date}`…), filled when it
is put into a consultation; any other brace stays as it is written. Nothing about a person belongs here, and
the page that edits them says so: whoever works in the structure reads them.

Order: the texts, filling them, the passage.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from serment.errors import IntegrityError, NotFoundError, RefusedError, RequestError
from serment.ledger.entry import Interaction
from serment.model import ActorKind
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.registry import Edit, Registry
from serment.record.writing import new_id

DRAWER: Final = "stationery"
MOST: Final = 60
MOST_NAME: Final = 80
MOST_TEXT: Final = 6_000

WHO: Final = frozenset({ActorKind.PROFESSIONAL, ActorKind.STAFF})
"""Who reads and changes the texts of the structure in which they act."""

BLANKS: Final = ("patient", "born", "date", "doctor", "reason", "treatments")
"""What a text may leave blank; each has a name in each language, and any of them is filled."""

_BLANK = re.compile(r"\{([^\W\d_]+)\}")


class Sort(StrEnum):
    """What a text is the beginning of: the field of the consultation that it is put into."""

    LETTER = "letter"
    CERTIFICATE = "certificate"
    PRESCRIPTION = "medicines"


class Template(msgspec.Struct, array_like=True, frozen=True):
    """One text. `by` changed it last, at `at` (ms)."""

    id: str
    sort: Sort
    name: str
    text: str
    by: str = ""
    at: int = 0


def filled(text: str, values: Mapping[str, str]) -> str:
    """Fill the blanks of a text; one that nobody knows stays as it is written."""
    return _BLANK.sub(lambda found: values.get(found[1], found[0]), text)


class Stationery:
    """The passage to the texts. Calls block: not for an event loop."""

    def __init__(self, passage: Passage) -> None:
        self._registry = Registry(passage)

    def of(self, asking: Asking) -> list[Template]:
        """List the texts of the asker's structure, by sort and name. Raises `RefusedError`."""
        value = self._registry.get(asking, DRAWER, _whose(asking))
        return sorted(_read(value), key=lambda one: (one.sort, one.name.casefold(), one.id))

    def put(self, asking: Asking, sort: Sort, name: str, text: str, id_: str = "") -> Template:
        """Keep a text, new or changed. Raises `RefusedError`, `RequestError`, `NotFoundError`."""
        name, text = " ".join(name.split()), text.replace("\r", "").strip()
        if not name or not text or len(name) > MOST_NAME or len(text) > MOST_TEXT:
            raise RequestError("consultation.template-incomplete", name=MOST_NAME, text=MOST_TEXT)
        made = Template(id_ or new_id(), sort, name, text, asking.actor.id, asking.now)

        def edit(value: bytes | None) -> bytes:
            before = _read(value)
            kept = tuple(one for one in before if one.id != made.id)
            if id_ and len(kept) == len(before):
                raise NotFoundError("record.not-found")
            if len(kept) >= MOST:
                raise RequestError("consultation.too-many-templates", most=MOST)
            return msgspec.msgpack.encode((*kept, made))

        self._change(asking, edit)
        return made

    def drop(self, asking: Asking, id_: str) -> None:
        """Take a text away; none is no error. Raises `RefusedError`."""
        self._change(
            asking, lambda value: msgspec.msgpack.encode([one for one in _read(value) if one.id != id_])
        )

    def _change(self, asking: Asking, edit: Edit) -> None:
        self._registry.change(asking, DRAWER, _whose(asking), edit, interaction=Interaction.ACTS)


def _whose(asking: Asking) -> str:
    actor = asking.actor
    if actor.kind not in WHO or not actor.structure or asking.scope is not None:
        raise RefusedError("consultation.templates-of-a-structure")
    return actor.structure


def _read(value: bytes | None) -> tuple[Template, ...]:
    if value is None:
        return ()
    try:
        return msgspec.msgpack.decode(value, type=tuple[Template, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None

"""What kind of house this is: an independent practice or a hospital, and who has which duty in it.

The profile is said at `init` and can be changed; it stands in the register, traced. A hospital names its data
protection officer (RGPD article 37.1: a public body, or care on a large scale); an independent practice need
not (recital 91). Without a named officer a hospital profile is refused.

Order: the nouns and the table of duties (pure), the drawer.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from serment.errors import IntegrityError, RequestError
from serment.model import Function
from serment.record.asking import Asking
from serment.record.registry import Registry

DRAWER: Final = "profile"
ONLY: Final = "installation"


class Kind(StrEnum):
    """What kind of house this is."""

    PRACTICE = "practice"
    HOSPITAL = "hospital"


class Deed(StrEnum):
    """What somebody who manages access may do at a door."""

    ENROL = "enrol"
    DISMISS = "dismiss"
    CLIENT = "client"
    PROCESSOR = "processor"
    MERGE = "merge"


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """The profile. `officer` is the data protection officer by name, `contact` how people reach them."""

    kind: str = Kind.PRACTICE.value
    officer: str = ""
    contact: str = ""

    def __repr__(self) -> str:
        return f"Profile({self.kind})"


def checked(profile: Profile) -> Profile:
    """Refuse a profile that leaves a duty to nobody. Raises `RequestError`."""
    if profile.kind not in Kind.__members__.values():
        raise RequestError("people.profile-unknown")
    if profile.kind == Kind.HOSPITAL and not (profile.officer.strip() and profile.contact.strip()):
        raise RequestError("people.profile-officer")
    return profile


def may(profile: Profile, function: Function, deed: Deed) -> bool:
    """Say whether a function manages access so. What the table does not name, nobody may."""
    return function in duties().get((profile.kind, deed.value), frozenset())


@cache
def duties() -> Mapping[tuple[str, str], frozenset[str]]:
    """Read `duties.csv`: (profile, deed) → functions."""
    text = files(__package__).joinpath("duties.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {(row["profile"], row["deed"]): frozenset(row["functions"].split()) for row in rows}


class Profiles:
    """The profile of the installation."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def get(self, asking: Asking) -> Profile:
        """Read the profile; an installation that was never told has that of a practice."""
        value = self._registry.get(asking, DRAWER, ONLY)
        if value is None:
            return Profile()
        try:
            return msgspec.msgpack.decode(value, type=Profile)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise IntegrityError("record.altered") from None

    def put(self, asking: Asking, profile: Profile) -> None:
        """Say what kind of house this is. Raises `RequestError`."""
        value = msgspec.msgpack.encode(checked(profile))
        self._registry.change(asking, DRAWER, ONLY, lambda _: value)

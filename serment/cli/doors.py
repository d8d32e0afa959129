"""The two ways into a record, behind one contract: through the passage here, or through HTTP.

Order: what they show, the contract.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from serment.cli.speech import LANGUAGE, told
from serment.fhir.summary import summary


@dataclass(frozen=True, slots=True)
class Item:
    """One version of one item in a line. `date` is `YYYY-MM-DD` or ""."""

    reference: str = field(repr=False)
    version: int
    title: str = field(repr=False)
    value: str = field(repr=False)
    date: str
    deleted: bool = False
    masked: bool = False

    @classmethod
    def of(cls, reference: str, version: int, resource: dict[str, Any], *, masked: bool = False) -> Item:
        """Say a resource in a line."""
        said = summary(resource, LANGUAGE)
        return cls(reference, version, said.title, said.value, said.date, masked=masked)

    @classmethod
    def of_choice(cls, reference: str, version: int, consent: dict[str, Any]) -> Item:
        """Say a choice in a line: what it forbids or permits, and to whom or what."""
        provision = consent.get("provision", {})
        said = _choice(provision)
        return cls(reference, version, told(said), _object_of(provision), "")

    @property
    def shown_reference(self) -> str:
        """Give the reference, with its version when it is not the first and with its marks."""
        marks = f"{'†' if self.deleted else ''}{' ◌' if self.masked else ''}"
        return f"{self.reference}{f' v{self.version}' if self.version > 1 else ''}{marks}"

    def json(self) -> dict[str, Any]:
        """Give the object for a program."""
        shown = ("reference", "version", "title", "value", "date", "deleted", "masked")
        return {name: getattr(self, name) for name in shown}


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of who did what. `when` is local time."""

    when: str
    who: str = field(repr=False)
    said: str = field(repr=False)
    denied: bool

    def json(self) -> dict[str, Any]:
        """Give the object for a program."""
        return {"when": self.when, "who": self.who, "said": self.said, "denied": self.denied}


class RecordDoor(Protocol):
    """What a command may ask of a record, for one person. Every call raises what the passage raises."""

    def show(self, patient: str) -> list[Item]: ...
    def history(self, type_: str, id_: str) -> list[Item]: ...
    def trace(self, patient: str) -> list[TraceLine]: ...
    def attending(self, patient: str, rpps: str) -> None: ...
    def choices(self, patient: str) -> list[Item]: ...
    def mask(self, patient: str, item: str) -> None: ...
    def unmask(self, patient: str, item: str) -> None: ...
    def block(self, patient: str, rpps: str) -> None: ...
    def oppose(self, patient: str, category: str) -> None: ...
    def permit(self, patient: str, rpps: str) -> None: ...


def _choice(provision: dict[str, Any]) -> str:
    """Name what a provision does (the shapes that `record.choosing` writes; anything else is "other")."""
    permits = provision.get("type") == "permit"
    if provision.get("actor"):
        return "cli.choice-permit" if permits else "cli.choice-block"
    if permits or provision.get("type") != "deny":
        return "cli.choice-other"
    return "cli.choice-mask" if provision.get("data") else "cli.choice-oppose"


def _object_of(provision: dict[str, Any]) -> str:
    """Name whom or what a provision is about."""
    actors = [
        one.get("reference", {}).get("identifier", {}).get("value", "") for one in provision.get("actor", [])
    ]
    items = [one.get("reference", {}).get("reference", "") for one in provision.get("data", [])]
    classes = [one.get("code", "") for one in provision.get("class", [])]
    return " ".join(filter(None, (*actors, *items, *classes)))

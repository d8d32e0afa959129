"""The two ways into a record, behind one contract: through the passage here, or through HTTP.

Order: what they show, the contract.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

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
        said = summary(resource)
        return cls(reference, version, said.title, said.value, said.date, masked=masked)

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

"""The policy: dated tables, one digest over them, and the one cell that a case is judged by.

In this order: `Policy` (built from texts, or from the tables that Serment ships), the choice of a
cell in `own` and in `shared`, the windows of acts of care. `own` is a grid of function by category,
`shared` the DMP matrix by profession and document type (order of 26/10/2023, partly annulled
on 15/10/2025: replace the table when its successor is out). Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from serment.access import tables
from serment.access.record_facts import CARE_TEAM, TeamFact
from serment.access.tables import LOOKING, NOTHING, PROTECTED, WRITING, Cell, DocumentType, Window
from serment.errors import SettingsError
from serment.model import Act, Category, Function, HeirGround, Instant, ItemClass, Label, Purpose, Regime

DATE: Final = "2026-11"
GRID: Final = f"own-grid-{DATE}.csv"
MATRIX: Final = f"dmp-matrix-{DATE}.csv"

PLAIN: Final = frozenset(
    {
        Label.NORMAL,
        Label.RESTRICTED,
        Label.INVISIBLE_PATIENT,
        Label.MINOR_SECRET,
        Label.MASKED,
        Label.THIRD_PARTY,
    }
)
"""Labels that ask nothing of a cell: vetoes read four of them, N and R follow the cell."""

UNLABELLED: Final = frozenset({str(Label.VERY_RESTRICTED)})
"""What an item without any label counts as: the most protected (capability 4-01)."""

CLINICAL: Final = frozenset(Category) - {
    Category.IDENTITY,
    Category.CONTACT,
    Category.ADMINISTRATIVE,
    Category.CHOICES,
    Category.DIRECTORY,
}
SPECIAL_ROWS: Final = frozenset(
    {"emergency", "regulation", "holder", "representative", "carer", "service"}
) | {f"heir-{ground}" for ground in HeirGround}
CONTENT_FREE: Final = ("security-officer", "dpo", "operator", "researcher", "auditor")
"""Rows that may never hold a clinical cell (HOUSE promise 6)."""


@dataclass(frozen=True, slots=True)
class FunctionRule:
    """What a function may do beside its row of the grid."""

    care: bool = False
    finds: bool = False
    declares: bool = False
    delegated: bool = False
    held_with: str = ""


@dataclass(frozen=True, slots=True)
class PurposeRule:
    """Who may name a purpose, and what it counts as."""

    kinds: frozenset[str]
    care: bool
    third_party: bool


FOR_NOBODY: Final = PurposeRule(frozenset(), care=False, third_party=False)
DOES_NOTHING: Final = FunctionRule()


@dataclass(frozen=True, slots=True)
class Policy:
    """Every table that a decision reads, compiled; `digest` goes into what is traced."""

    date: str
    digest: str
    grid: Mapping[tuple[str, str], Cell]
    matrix: Mapping[tuple[str, str], Cell]
    reads_as: Mapping[str, str]
    types: Mapping[str, DocumentType]
    windows: Mapping[str, Window]
    purposes: Mapping[str, PurposeRule]
    functions: Mapping[str, FunctionRule]

    @classmethod
    def from_tables(cls, texts: Mapping[str, str], date: str = DATE) -> Policy:
        """Compile the tables; `SettingsError` when one is missing or malformed."""
        try:
            labels = tables.shared_labels(texts["shared-labels.csv"])
            policy = cls(
                date=date,
                digest=tables.digest_of(texts),
                grid=tables.own_grid(texts[GRID]),
                matrix=tables.shared_matrix(texts[MATRIX], labels),
                reads_as={
                    row["category"]: row["dmp_class"] for row in tables.rows(texts["shared-reading.csv"])
                },
                types=tables.document_types(texts["document-types.csv"]),
                windows=tables.windows(texts["windows.csv"]),
                purposes=_purposes(texts["purposes.csv"]),
                functions=_functions(texts["functions.csv"]),
            )
        except KeyError as missing:
            raise SettingsError("access.table-missing", table=missing.args[0]) from None
        policy.check()
        return policy

    def check(self) -> None:
        """Refuse what would open more than a policy may.

        That is a grid of unknown names or of clinical content for who cares for nobody, and a dated act
        without a cap: a place in the care team alone lasts as long as the person keeps it (ADR 6).
        """
        for kind, window in self.windows.items():
            if window.cap is None and kind != CARE_TEAM:
                raise SettingsError("access.window-endless", kind=kind)
        rows = SPECIAL_ROWS | {str(function) for function in Function}
        for (row, category), cell in self.grid.items():
            if row not in rows or category not in Category.__members__.values():
                raise SettingsError("access.table-malformed", row=f"{row}, {category}")
            if row in CONTENT_FREE and Category(category) in CLINICAL and cell.acts:
                raise SettingsError("access.grid-opens-content", row=row, category=category)

    def purpose(self, purpose: Purpose) -> PurposeRule:
        """Give the rule of a purpose; one that no table names is for nobody."""
        return self.purposes.get(purpose, FOR_NOBODY)

    def function(self, function: Function) -> FunctionRule:
        """Give what a function may do; one that no table names may do nothing."""
        return self.functions.get(function, DOES_NOTHING)

    def own_cell(self, row: str, unit: ItemClass) -> frozenset[Act]:
        """Give the acts that `row` of the `own` grid allows on `unit`."""
        cell = self.grid.get((row, unit.category))
        return NOTHING if cell is None else _labelled(cell, unit)

    def shared_cell(self, row: str, unit: ItemClass) -> frozenset[Act]:
        """Give the acts that `row` of the DMP matrix allows on `unit` (its document type)."""
        cell = self.matrix.get((row, self.class_of(unit)))
        if cell is None or unit.document_type in cell.excluded:
            return NOTHING
        return _labelled(cell, unit)

    def class_of(self, unit: ItemClass) -> str:
        """Give the DMP class under which `shared` reads a unit, "" for none (refused).

        A document type that JDV_J07 lists without a class has none, whatever category it was filed in.
        """
        known = self.types.get(unit.document_type)
        if known is not None:
            return known.dmp_class
        return self.reads_as.get(unit.category, "")

    def patient_may_deposit(self, unit: ItemClass) -> bool:
        """Tell whether the patient's side may write such an item in `shared`."""
        known = self.types.get(unit.document_type)
        if known is not None:
            return known.patient_deposit
        return Act.WRITE in self.own_cell("holder", unit)

    def opens(self, fact: TeamFact, regime: Regime, now: Instant) -> bool:
        """Tell whether a dated act of care opens the record at `now`.

        Future, ended, of an unknown kind, or ended before it began: it opens nothing.
        """
        window = self.windows.get(fact.kind)
        if window is None or regime not in window.regimes or now < fact.start - window.lead:
            return False
        if fact.end is not None and fact.end < fact.start:
            return False
        return now < _until(fact, window)

    def until(self, fact: TeamFact) -> Instant | None:
        """Give the instant at which a dated act of care stops opening the record, None when none is set."""
        window = self.windows.get(fact.kind)
        ends = float("inf") if window is None else _until(fact, window)
        return None if ends == float("inf") else Instant(int(ends))

    def over(self, fact: TeamFact, now: Instant) -> bool:
        """Tell whether a dated act of care can never open the record again, at `now` or later."""
        window = self.windows.get(fact.kind)
        return window is not None and now >= _until(fact, window)


def _until(fact: TeamFact, window: Window) -> float:
    """Give the instant at which an act of care stops opening the record."""
    anchor = _anchor(fact)
    if fact.end is not None:
        until: float = fact.end + window.after
    else:
        until = float("inf") if window.open is None else anchor + window.open
    if fact.provisional:
        until = min(until, anchor + window.provisional)
    return until if window.cap is None else min(until, anchor + window.cap)


def _anchor(fact: TeamFact) -> int:
    """Give the instant from which an act counts: its start, or how far it is known to have lasted.

    An end still to come is a plan: it is believed up to the day on which it was written down.
    """
    return max(fact.start, fact.said if fact.end is None else min(fact.said, fact.end))


def _labelled(cell: Cell, unit: ItemClass) -> frozenset[Act]:
    """Take looking out of a cell that does not name every protected label of the unit.

    Writing stays: care must be recordable by whoever gives it, and an author reads what they wrote.
    """
    return cell.acts if _wanted(unit.labels) <= cell.labels else cell.acts - LOOKING


@lru_cache(maxsize=256)
def _wanted(labels: tuple[str, ...]) -> frozenset[str]:
    """Name what a cell must name to show an item of these labels."""
    return frozenset(labels) - PLAIN if labels else UNLABELLED


def _purposes(text: str) -> dict[str, PurposeRule]:
    return {
        row["purpose"]: PurposeRule(
            frozenset(row["kinds"].split()), row["care"] == "yes", row["third_party"] == "yes"
        )
        for row in tables.rows(text)
    }


def _functions(text: str) -> dict[str, FunctionRule]:
    return {
        row["function"]: FunctionRule(
            row["care"] == "yes",
            row["finds"] == "yes",
            row["declares"] == "yes",
            row["delegated"] == "yes",
            row["held_with"],
        )
        for row in tables.rows(text)
    }


def shipped_tables() -> dict[str, str]:
    """Read the tables that come with Serment: file name → text."""
    folder = files(__package__).joinpath("data")
    return {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".csv")}


@cache
def shipped_policy() -> Policy:
    """Compile the tables that come with Serment, once."""
    return Policy.from_tables(shipped_tables())


__all__ = [
    "DATE",
    "LOOKING",
    "PROTECTED",
    "WRITING",
    "FunctionRule",
    "Policy",
    "PurposeRule",
    "shipped_policy",
    "shipped_tables",
]

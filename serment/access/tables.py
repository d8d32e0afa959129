"""The dated tables of the policy, read from CSV text into typed rows.

In this order: reading CSV (lines that start with `#` are the table's own warning), the rows of each
table, the digest over all of them. A malformed table is a `SettingsError`: a policy that cannot be
read whole is not used in part. No file is opened here; texts are passed in.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from serment.errors import SettingsError
from serment.model import Act, Label

HOUR_MS: Final = 3_600_000

PROTECTED: Final = frozenset(
    {
        Label.VERY_RESTRICTED,
        Label.GENETIC,
        Label.PSYCHIATRY,
        Label.HIV,
        Label.SEXUALITY,
        Label.SUBSTANCE_ABUSE,
        Label.VIOLENCE,
    }
)
"""Labels that a cell must name before it opens an item that carries them (ADR 0007)."""

LOOKING: Final = frozenset({Act.LIST, Act.READ, Act.PRINT})
WRITING: Final = frozenset({Act.WRITE, Act.FILE})
NOTHING: Final[frozenset[Act]] = frozenset()
ANY_CLASS: Final = "any"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a grid: the acts it allows, the protected labels it names, types it leaves out."""

    acts: frozenset[Act] = NOTHING
    labels: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    verified: str = "no"
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """How long one kind of act of care opens a record, in ms; `None` means without limit.

    `provisional` is for an act that was written on a declared act or an emergency; 0 opens nothing.
    """

    lead: int
    after: int
    open: int | None
    cap: int | None
    provisional: int
    regimes: frozenset[str]


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A document type of JDV_J07: its label, its DMP class ("" when the map has none), who deposits."""

    code: str
    label: str
    dmp_class: str
    patient_deposit: bool


def rows(text: str) -> Iterator[dict[str, str]]:
    """Read a CSV table row by row."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    for row in csv.DictReader(lines, strict=True):
        if None in row or None in row.values():
            raise SettingsError("access.table-malformed", row=str(next(iter(row.values()))))
        yield row


def digest_of(tables: Mapping[str, str]) -> str:
    """Hash every table, name and text, length-prefixed: SHA-256 in hexadecimal."""
    digest = hashlib.sha256(b"serment/policy/1")
    for name in sorted(tables):
        for part in (name.encode(), tables[name].encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _acts(text: str) -> frozenset[Act]:
    try:
        return frozenset(Act(word) for word in text.split())
    except ValueError:
        raise SettingsError("access.table-malformed", row=text) from None


def _labels(text: str) -> frozenset[str]:
    named = frozenset(text.split())
    if not named <= PROTECTED:
        raise SettingsError("access.table-malformed", row=text)
    return named


def own_grid(text: str) -> dict[tuple[str, str], Cell]:
    """Read the `own` grid: (row, category) → cell."""
    return {
        (row["row"], row["category"]): Cell(
            _acts(row["acts"]), _labels(row["labels"]), verified=row["verified"], basis=row["basis"]
        )
        for row in rows(text)
    }


def shared_labels(text: str) -> dict[str, frozenset[str]]:
    """Read which protected labels each row of the matrix names."""
    return {row["row"]: _labels(row["labels"]) for row in rows(text)}


def shared_matrix(text: str, labels: Mapping[str, frozenset[str]]) -> dict[tuple[str, str], Cell]:
    """Read the DMP matrix: (profession or role, DMP class) → cell, `as_<code>` resolved.

    `as_profession` stays out: the caller reads the row of the profession itself. `any` is the class of
    what stands on every document: whoever reads some class reads it.
    """
    raw = {(row["profession_code"], row["category_code"]): row for row in rows(text)}
    cells: dict[tuple[str, str], Cell] = {}
    for (row_code, dmp_class), row in raw.items():
        cells[row_code, dmp_class] = _matrix_cell(row, raw, labels)
    for row_code in {row_code for row_code, _ in raw}:
        acts = NOTHING.union(*(cell.acts for (code, _), cell in cells.items() if code == row_code))
        cells[row_code, ANY_CLASS] = Cell(acts, labels.get(row_code, frozenset()))
    return cells


def _matrix_cell(
    row: Mapping[str, str],
    raw: Mapping[tuple[str, str], Mapping[str, str]],
    labels: Mapping[str, frozenset[str]],
) -> Cell:
    reading, row_code = row["read"], row["profession_code"]
    source = row
    if reading.startswith("as_") and reading != "as_profession":
        row_code = reading.removeprefix("as_")
        source = raw[row_code, row["category_code"]]
        reading = source["read"]
    excluded = frozenset(source["excluded_types"].split()) if reading == "partial" else frozenset()
    looking = LOOKING if reading == "all" or (reading == "partial" and excluded) else NOTHING
    writing = WRITING if row["write"] == "own" else NOTHING
    return Cell(looking | writing, labels.get(row_code, frozenset()), excluded, row["verified"], row["basis"])


def windows(text: str) -> dict[str, Window]:
    """Read how long each kind of act of care opens a record."""

    def hours(value: str) -> int | None:
        return int(value) * HOUR_MS if value else None

    return {
        row["kind"]: Window(
            hours(row["lead"]) or 0,
            hours(row["after"]) or 0,
            hours(row["open"]),
            hours(row["cap"]),
            hours(row["provisional"]) or 0,
            frozenset(row["regimes"].split()),
        )
        for row in rows(text)
    }


def document_types(text: str) -> dict[str, DocumentType]:
    """Read the document types of JDV_J07 with their DMP class."""
    return {
        row["code"]: DocumentType(
            row["code"], row["label"], row["dmp_category_code"], row["patient_deposit"] == "yes"
        )
        for row in rows(text)
    }

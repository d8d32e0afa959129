"""Write docs/reference/access.md: the rule tables that the tests run, the grid, the matrix.

`python -m tools.render_access` writes the page; with `--check` it says whether the committed page is
what the tables give, exit code 1 when it is not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from serment.access import tables as access_tables
from serment.access.grounds import GROUNDS
from serment.access.policy import DATE, MATRIX, Policy, shipped_policy, shipped_tables
from serment.access.vetoes import VETOES
from serment.model import Act, Category
from tests.rules import tables
from tools.generated import kept

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "access.md"

LETTERS = {Act.LIST: "l", Act.READ: "r", Act.WRITE: "w", Act.FILE: "f", Act.PRINT: "p"}

OPENING = """# Who may see what

This page is made by `python -m tools.render_access` from the tables that the tests run and that the
server reads; the build fails when it is old. Policy of {date}, digest
`{digest}`.

A decision has facts and one answer. First an unknown regime is refused; then the vetoes, in order, each
with the only relations that lift it; then the grounds, one is enough; then silence, which refuses.
Rule ids that begin with G or F permit; V and D refuse.
"""


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(header)
    yield _line("---" for _ in header)
    yield from (_line(line) for line in lines)
    yield ""


def _vetoes() -> Iterator[str]:
    yield "## The vetoes\n"
    lines = (
        (f"`{v.rule}`", v.missing, ", ".join(v.own) or "nobody", ", ".join(v.shared) or "nobody")
        for v in VETOES
    )
    yield from _table(("rule", "what is missing", "lifted in own by", "lifted in shared by"), lines)
    yield "## The grounds\n"
    yield ", ".join(f"`{rule}`" for rule, _ in GROUNDS) + ".\n"


def _rules() -> Iterator[str]:
    yield "## The rules, case by case\n"
    for table in tables.ALL:
        yield f"### {table.title}\n"
        yield f"Source: {table.source}.\n"
        lines = (
            (row.says, "**permitted**" if row.permits else "refused", f"`{row.rule}`") for row in table.rows
        )
        yield from _table(("case", "answer", "rule"), lines)


def _grid(policy: Policy) -> Iterator[str]:
    yield f"## The grid of `own` ({DATE})\n"
    yield (
        "A design default: no law fixes these cells, a structure replaces the table as a whole, and every\n"
        "cell stands with `verified = no`. Letters: l list, r read, w write, f file, p print (a print opens\n"
        "a body into the print exit only). After a `+`, the protected labels that the cell names; an item\n"
        "that carries another protected label is not opened by the cell.\n"
    )
    names = sorted({row for row, _ in policy.grid})
    for name in names:
        yield f"### {name}\n"
        lines = []
        for category in Category:
            cell = policy.grid.get((name, category))
            if cell is not None:
                acts = "".join(letter for act, letter in LETTERS.items() if act in cell.acts)
                labels = " ".join(sorted(cell.labels))
                lines.append(
                    (category, f"{acts}{' + ' + labels if labels else ''}", cell.verified, cell.basis)
                )
        yield from _table(("category", "acts", "verified", "basis"), lines)


def _windows() -> Iterator[str]:
    yield "## How long a dated act of care opens a record (hours)\n"
    yield (
        "An act counts from its anchor: its start, or the later instant up to which it is known to have\n"
        "lasted (its end once past, the last writing of a stay that still runs). `lead` is before its "
        "start,\n"
        "`after` after its end, `open` after its anchor when it has no end, `cap` the most after its "
        "anchor\n"
        "whatever end it claims, `provisional` the most when who wrote it stood on a declared act or an\n"
        "emergency (ADR 26; `-`: not at all). No dated act is without a cap; a place in the care team has "
        "no\n"
        "date and lasts while the person keeps it.\n"
    )
    header = ("kind", "lead", "after", "open", "cap", "provisional", "regimes", "basis", "verified")
    rows = access_tables.rows(shipped_tables()["windows.csv"])
    yield from _table(header, (tuple(row[name] or "-" for name in header) for row in rows))


def _matrix() -> Iterator[str]:
    yield f"## The matrix of `shared` ({DATE})\n"
    yield (
        "The official annex works by document type and could not be read cell by cell: `verified` says\n"
        "what each cell rests on (`yes`: statute read; `secondary`: press or professional body restating\n"
        "the annex; `partial`; `no`: design default). The order of 26/10/2023 was partly annulled on\n"
        "15/10/2025. A partial cell without a list of types refuses. `own` in write: may deposit; only the\n"
        "author deletes.\n"
    )
    rows = list(access_tables.rows(shipped_tables()[MATRIX]))
    for code in dict.fromkeys(row["profession_code"] for row in rows):
        mine = [row for row in rows if row["profession_code"] == code]
        yield f"### {code} {mine[0]['profession']}\n"
        lines = (
            (
                f"{row['category_code']} {row['category']}",
                row["read"],
                row["write"],
                row["excluded_types"] or "-",
                row["verified"],
            )
            for row in mine
        )
        yield from _table(("class", "read", "write", "types left out", "verified"), lines)


def _reading() -> Iterator[str]:
    yield "## How `shared` reads our own categories\n"
    header = ("category", "dmp_class", "basis", "verified")
    rows = access_tables.rows(shipped_tables()["shared-reading.csv"])
    yield from _table(header, (tuple(row[name] for name in header) for row in rows))


def _shipped(title: str, name: str, header: tuple[str, ...], said: str) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{said}\n"
    rows = access_tables.rows(shipped_tables()[name])
    yield from _table(header, (tuple(row[column] or "-" for column in header) for row in rows))


def _categories() -> Iterator[str]:
    yield from _shipped(
        "How an item gets its category",
        "categories.csv",
        ("type", "element", "code", "category", "labels", "basis"),
        "The first rule by code that fits speaks, then the document type, then the rule by type alone. What\n"
        "no rule names is `unmapped` with the label V, and is counted.",
    )
    yield from _shipped(
        "Codes that add a protected label",
        "sensitive.csv",
        ("system", "code", "label", "basis"),
        "Labels only add. A final `*` is a prefix.",
    )
    yield from _shipped(
        "Who may name which purpose",
        "purposes.csv",
        ("purpose", "kinds", "care", "third_party"),
        "Any other pair is refused (`D0.purpose`).",
    )


def page() -> str:
    """Write the page from the tables."""
    policy = shipped_policy()
    parts = [
        OPENING.format(date=policy.date, digest=policy.digest),
        *_vetoes(),
        *_rules(),
        *_windows(),
        *_grid(policy),
        *_reading(),
        *_categories(),
        *_matrix(),
    ]
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    raise SystemExit(kept({PAGE: page()}, sys.argv[1:]))

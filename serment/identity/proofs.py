"""What somebody looked at to say who a person is: kinds of proof, and how far each is trusted.

The table `identity_proofs.csv` is the rule (rules 16 to 18). Only the kind is kept, never a copy (rule 19).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from serment.errors import RequestError
from serment.identity.tables import rows

MAJORITY: Final = 18
"""Years at which a person is of age (Code civil 414)."""


def kinds() -> Mapping[str, Mapping[str, str]]:
    """Give the table: code of FR Core → row."""
    return {row["code"]: row for row in rows("identity_proofs.csv")}


def trusted(kind: str, companion: str = "", *, minor: bool) -> bool:
    """Say whether a proof is of high trust for this person; `companion` is that of the parent beside it.

    Raises `RequestError` for a kind that is not in the table, of the person or of the parent.
    """
    table = kinds()
    if kind not in table or (companion and companion not in table):
        raise RequestError("identity.proof-kind", kinds=", ".join(table))
    row = table[kind]
    fits = row["who"] in {"any", "minor" if minor else "adult"}
    beside = not row["with"] or (bool(companion) and _alone(table[companion]))
    return row["trust"] == "high" and fits and beside


def minor_on(birth_date: str, today: str) -> bool:
    """Say whether somebody born on `birth_date` is under age on `today` (both `YYYY-MM-DD`)."""
    if len(birth_date) != len(today):
        return False
    years = int(today[:4]) - int(birth_date[:4]) - (today[5:] < birth_date[5:])
    return years < MAJORITY


def _alone(row: Mapping[str, str]) -> bool:
    return row["trust"] == "high" and not row["with"] and row["who"] == "any"

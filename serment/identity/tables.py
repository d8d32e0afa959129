"""The tables of identity as they stand in the package: rows of CSV files whose first lines are comments."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def rows(name: str) -> tuple[Mapping[str, str], ...]:
    """Read one table of the package, each row by the names of its columns."""
    text = files(__package__).joinpath(name).read_text("utf-8")
    return tuple(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))

"""Fit `serment/identity/duplicates.csv` with splink, on a generated population. For who maintains the table.

splink (and DuckDB, which it brings) is no dependency of the product, nor of its tests. Once, in an
environment of its own:

    python -m venv fit && fit/bin/pip install splink==5.0.0 -e .
    fit/bin/python -m tools.fit_duplicates > serment/identity/duplicates.csv

The levels are those of `serment.identity.likeness`, given to DuckDB as functions, so that what is fitted is
what is scored. m comes from the pairs whose truth the population says, u from random pairs. The population
that judges the table (`benchmarks/bench_duplicates.py`) is another: other seed, more mistakes.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from math import log2
from typing import Any

from benchmarks.identities import FITTING, population
from serment.identity.duplicates import FIELDS
from serment.identity.likeness import Person, person_of

SEED, RECORDS, RANDOM_PAIRS = "fitting", 40_000, 300_000
LEVELS = {
    "family": ("same", "heard", "close", "swapped", "other"),
    "given": ("same", "heard", "close", "listed", "swapped", "other"),
    "birth_date": ("same", "swapped", "near", "year", "other"),
    "sex": ("same", "other"),
    "place": ("same", "near", "other"),
}
LEAST = {"m": 1e-3, "u": 1e-6}
"""A share is at least this: of one person's two records one in a thousand may say anything."""


def packed(person: Person) -> str:
    """Write a person as one column that the functions read back."""
    return json.dumps(
        [person.families, person.given, person.birth_date, person.sex, person.place], ensure_ascii=False
    )


def unpacked(column: str) -> Person:
    """Read a person back."""
    families, given, born, sex, place = json.loads(column)
    return Person(tuple(families), tuple(given), born, sex, place)


def function_of(field: str) -> Callable[[str, str], str]:
    """Make the function that DuckDB calls for one field."""
    level = FIELDS[field]
    return lambda one, other: level(unpacked(one), unpacked(other)) or "unsaid"


def fitted() -> Iterator[tuple[str, str, float, float]]:
    """Fit, and give field, level, m, u."""
    import duckdb  # type: ignore[import-not-found]  # of its own environment
    from splink import Linker, SettingsCreator  # type: ignore[import-not-found]  # of its own environment
    from splink.backends.duckdb import DuckDBAPI  # type: ignore[import-not-found]  # the same

    connection = duckdb.connect()
    for field in LEVELS:
        connection.create_function(f"level_{field}", function_of(field), ["VARCHAR", "VARCHAR"], "VARCHAR")
    entries = population(SEED, RECORDS, FITTING)
    connection.execute("create table people (unique_id integer, person integer, traits varchar)")
    rows = [(place, one.person, packed(person_of(one.patient))) for place, one in enumerate(entries)]
    connection.executemany("insert into people values (?, ?, ?)", rows)
    backend = DuckDBAPI(connection)
    settings = SettingsCreator(link_type="dedupe_only", comparisons=[comparison(field) for field in LEVELS])
    linker = Linker(backend.register("people"), settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    linker.training.estimate_m_from_label_column("person")
    yield from _read(linker.misc.save_model_to_json()["comparisons"])


def comparison(field: str) -> dict[str, Any]:
    """Write one field as splink takes it: a level for what one side does not say, then ours."""
    call = f"level_{field}(traits_l, traits_r)"
    unsaid = {"sql_condition": f"{call} = 'unsaid'", "label_for_charts": "unsaid", "is_null_level": True}
    levels = [{"sql_condition": f"{call} = '{one}'", "label_for_charts": one} for one in LEVELS[field][:-1]]
    last = {"sql_condition": "ELSE", "label_for_charts": LEVELS[field][-1]}
    return {"output_column_name": field, "comparison_levels": [unsaid, *levels, last]}


def _read(comparisons: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str, float, float]]:
    for one in comparisons:
        for level in one["comparison_levels"]:
            if not level.get("is_null_level"):
                m, u = (max(LEAST[name], level.get(f"{name}_probability") or 0.0) for name in "mu")
                yield one["output_column_name"], level["label_for_charts"], m, u


def main() -> None:
    """Print the table."""
    logging.disable(logging.WARNING)
    out = sys.stdout
    out.write("# How often each level is met between two records of one person (m) and of two people (u).\n")
    out.write(f"# Made by tools/fit_duplicates.py with splink: seed {SEED!r}, {RECORDS} records.\n")
    out.write("field,level,m,u,weight\n")
    for field, level, m, u in fitted():
        out.write(f"{field},{level},{m:.6g},{u:.6g},{log2(m / u):.2f}\n")


if __name__ == "__main__":
    main()

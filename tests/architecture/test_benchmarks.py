"""The bench runner shows medians in columns and keeps them with the machine that gave them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks import Row, median_row
from benchmarks.run import keep, machine, table


def test_a_row_is_the_median_of_its_runs() -> None:
    assert median_row("decision", [9.0, 5.0, 6.0], "µs", "own") == Row("decision", 6.0, "µs", 3, "own")


def test_no_run_is_no_figure() -> None:
    with pytest.raises(ValueError, match="no run was measured"):
        median_row("decision", [], "µs")


def test_the_table_has_one_line_for_each_figure() -> None:
    shown = table([Row("reads", 2345.6, "/s", 5, "trace durable"), Row("decision", 4.25, "µs", 3)])
    assert shown.splitlines()[1:] == [
        "reads      2,346  /s       5  trace durable",
        "decision    4.25  µs       3",
    ]


@pytest.mark.capability("2-01", "lets")
def test_figures_are_kept_with_their_machine(tmp_path: Path) -> None:
    file = keep([Row("decision", 4.25, "µs", 3)], datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), tmp_path)
    kept = json.loads(file.read_text("utf-8"))
    assert file.name == "2026-01-02.json"
    assert kept["rows"] == [{"name": "decision", "value": 4.25, "unit": "µs", "runs": 3, "note": ""}]
    assert kept["machine"].keys() == machine().keys()

"""The suites of the whole product, on installations that stand on PostgreSQL.

`SERMENT_TEST_STORE=postgresql` makes every installation of the tests on a database of its own: the same
attacks, the same doors. By default, and in the CI, `SLICE` runs; the campaign runs every attack and the
doors of `LONG`. What is about the file of SQLite alone (its table of counters) says so and is skipped there.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT
from tests.installation import STORE

pytestmark = pytest.mark.skipif(STORE != "sqlite", reason="this run is one of those that it starts")

SLICE = (
    "tests/attacks/test_blast_radius.py",
    "tests/attacks/test_delete.py",
    "tests/attacks/test_swap.py",
    "tests/attacks/test_ledger_rows.py",
    "tests/attacks/test_leak_oracles.py",
    "tests/attacks/test_rollback.py",
    "tests/attacks/test_stolen_disk.py",
    "tests/doors/test_reading.py",
    "tests/doors/test_bundles.py",
)
LONG = (
    "tests/attacks",
    "tests/doors/test_binary.py",
    "tests/doors/test_choices.py",
    "tests/doors/test_emergency.py",
    "tests/doors/test_hostile.py",
    "tests/doors/test_history_pages.py",
    "tests/doors/test_operations.py",
    "tests/doors/test_searching.py",
    "tests/doors/test_writing.py",
)


def on_postgresql(files: tuple[str, ...], *options: str) -> str:
    """Run test files on PostgreSQL; the last line of what pytest says."""
    environment = {
        **os.environ,
        "SERMENT_TEST_STORE": "postgresql",
        "SERMENT_NO_SKIP": "0",
        "PYTEST_ADDOPTS": "",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *options, *files],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:]
    return done.stdout.strip().splitlines()[-1]


def test_a_slice_of_the_attacks_and_doors_passes_on_postgresql() -> None:
    assert " passed" in on_postgresql(SLICE)


@pytest.mark.campaign
def test_the_attacks_and_doors_pass_on_postgresql() -> None:
    assert " passed" in on_postgresql(LONG)

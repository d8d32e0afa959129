"""Every parser under inputs that look for code not reached yet (atheris), each in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
SHORT = 20_000
LONG = 1_500_000
PARTS = 5
PATIENCE = 1800
"""Seconds after which the whole of a run is a hang; one input has ten (libFuzzer's own alarm)."""

FIRST = ("resource", "search")
pytestmark = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris has wheels for Linux on x86-64 only, up to Python 3.13"
)


def guided(name: str, runs: int, folder: Path, seed: int) -> None:
    """Try `runs` inputs on one target; a fault says itself, with the input, in what the process wrote."""
    program = [sys.executable, "-m", "tests.fuzz.guided", name, str(runs), str(folder), str(seed)]
    done = subprocess.run(program, check=False, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-4000:]
    tried = re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    assert tried is not None
    assert int(tried[1]) >= runs


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.capability("1-30", "refuses")
def test_inputs_that_look_for_new_code_end_or_are_refused(name: str, tmp_path: Path) -> None:
    guided(name, SHORT, tmp_path, 1)


@pytest.mark.campaign
@pytest.mark.parametrize("part", range(2, 2 + PARTS))
@pytest.mark.parametrize("name", TARGETS)
def test_a_million_inputs_that_look_for_new_code_end_or_are_refused(
    name: str, part: int, tmp_path: Path
) -> None:
    guided(name, int(LONG * TARGETS[name].share) // PARTS, tmp_path, part)

"""On a build machine a skipped test is a failure; what the short set leaves to the campaign is not a skip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

TESTS = """
import pytest

def test_passes() -> None: ...

def test_skips_itself() -> None:
    pytest.skip("no such component")

@pytest.mark.skipif(True, reason="no such component")
def test_is_skipped() -> None: ...

@pytest.mark.xfail(strict=True, reason="known")
def test_fails_as_known() -> None:
    raise ValueError

@pytest.mark.campaign
def test_is_long() -> None:
    raise ValueError
"""
WHOLE_FILE = "import pytest\npytest.importorskip('no_such_module_anywhere')\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text("utf-8"), "utf-8")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    (tmp_path / "test_one.py").write_text(TESTS, "utf-8")
    return tmp_path


def closing_line(project: Path, no_skip: str) -> str:
    environment = {**os.environ, "SERMENT_NO_SKIP": no_skip, "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "."],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip().splitlines()[-1].partition(" in ")[0]


def test_a_skip_passes_at_a_desk(project: Path) -> None:
    assert closing_line(project, "0") == "1 passed, 2 skipped, 1 deselected, 1 xfailed"


def test_a_skip_fails_on_a_build_machine(project: Path) -> None:
    # A skip from a mark comes before the test begins: pytest calls that an error.
    assert closing_line(project, "1") == "1 failed, 1 passed, 1 deselected, 1 xfailed, 1 error"


def test_the_skip_of_a_whole_file_fails_on_a_build_machine(project: Path) -> None:
    (project / "test_two.py").write_text(WHOLE_FILE, "utf-8")
    assert "1 error" in closing_line(project, "1")

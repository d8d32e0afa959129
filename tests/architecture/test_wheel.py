"""What a practice installs is the product, whole, and nothing of ours that goes round it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.architecture.source import ROOT, name_of, project_files


def test_the_wheel_holds_the_product_whole_and_nothing_else(tmp_path: Path) -> None:
    """A grid, a template or a statement that is left out of the wheel is missed on the day of the install."""
    wanted = {name_of(path) for path in project_files() if name_of(path).startswith("serment/")}
    for name in wanted | {"pyproject.toml", "LICENSE"}:
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "tree" / name)
    (tmp_path / "tree" / "README.md").write_text("Serment\n", "utf-8")
    assert built(tmp_path) == wanted


def built(folder: Path) -> set[str]:
    """Build the wheel as the Makefile installs, without an index, and give its files but for its metadata."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--wheel-dir", str(folder), "."],
        cwd=folder / "tree",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}

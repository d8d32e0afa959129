"""Pages made from the code are what their tool makes today: `tools/render_<page>.py --check` compares."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.source import ROOT, project_files

TOOLS = sorted(path.stem for path in (ROOT / "tools").glob("render_*.py"))


def test_no_generated_page_is_old() -> None:
    before = {path: path.read_bytes() for path in project_files() if path.suffix == ".md"}
    for tool in TOOLS:
        done = subprocess.run(
            [sys.executable, "-m", f"tools.{tool}", "--check"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"make docs: {tool}\n{done.stdout}{done.stderr}"
    assert [path for path, content in before.items() if path.read_bytes() != content] == []

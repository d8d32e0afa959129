"""Files made from the code or from measured results: written, or held against what they would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent


def kept(made: Mapping[Path, str], arguments: Sequence[str]) -> int:
    """Write the files, or with `--check` name those that are old; give the exit code."""
    old = [file for file, text in made.items() if not file.exists() or file.read_text("utf-8") != text]
    for file in old:
        if "--check" in arguments:
            print(f"{file.relative_to(ROOT)} is old: run make docs")
        else:
            file.write_text(made[file], "utf-8")
    return 1 if old and "--check" in arguments else 0

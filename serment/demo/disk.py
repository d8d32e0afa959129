"""The thief with the disk: every byte below a folder, searched for what identifies a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DiskSearch:
    """What was searched and how many of the names were readable somewhere."""

    files: int
    bytes: int
    names: int
    found: int


def search(folder: Path, names: Iterable[str]) -> DiskSearch:
    """Look for each name, as written, in capitals and in UTF-16, in every file below `folder`."""
    wanted = {name: _forms(name) for name in set(names)}
    found: set[str] = set()
    files = size = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        files += 1
        size += len(content)
        found |= {name for name, forms in wanted.items() if any(form in content for form in forms)}
    return DiskSearch(files, size, len(wanted), len(found))


def _forms(name: str) -> list[bytes]:
    return [form.encode(code) for form in (name, name.upper()) for code in ("utf-8", "utf-16-le")]

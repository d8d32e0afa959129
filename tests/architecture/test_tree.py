"""What may not stand in the tree: a registry's host, a machine's path, material that others wrote."""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, name_of, project_files
from tests.vectors import MISSING, SHARED, VECTORS

REGISTRIES = re.compile(
    rb"py[p]i\.org|python[h]osted|npm[j]s\.(org|com)|deb\.de[b]ian\.org|repo1?\.[m]aven|crates\.[i]o"
)
MACHINES = re.compile(rb"/wor[k]/[a-z.]|/roo[t]/|/opt/[w]heels|/Use[r]s/|C:\\\\Use[r]s")
OTHERS_NAMES = re.compile(r"synthea.*\.json|adult\.(csv|parquet)|eds-pseudo", re.IGNORECASE)
LICENCES = {"LICENSE", "LICENSE.txt", "COPYING"}
LARGEST = 3_000_000


def holding(pattern: re.Pattern[bytes]) -> list[str]:
    return [
        f"{name_of(path)}: {found[0].decode(errors='replace')}"
        for path in project_files()
        if (found := pattern.search(path.read_bytes()))
    ]


def test_no_registry_is_named() -> None:
    """Which index serves the packages is the choice of whoever installs; hashes say what may come from it."""
    assert holding(REGISTRIES) == []


def test_no_path_of_a_machine_is_named() -> None:
    assert holding(MACHINES) == []


def test_no_file_carries_the_name_of_others_material() -> None:
    assert [name_of(path) for path in project_files() if OTHERS_NAMES.search(name_of(path))] == []


@pytest.mark.skipif(not VECTORS.exists(), reason=MISSING)
def test_no_vector_of_others_was_copied() -> None:
    theirs = [path for path in VECTORS.rglob("*") if path.is_file() and path.name not in LICENCES]
    sizes = {path.stat().st_size for path in theirs}
    alike = [path for path in project_files() if path.stat().st_size in sizes and path.stat().st_size > 64]
    hashes = {digest(path) for path in theirs} if alike else set()
    assert [name_of(path) for path in alike if digest(path) in hashes] == []


def test_no_file_is_too_large_to_read_in_a_review() -> None:
    assert [name_of(path) for path in project_files() if path.stat().st_size > LARGEST] == []


def test_the_list_of_capabilities_is_whole() -> None:
    with (ROOT / "tools/capabilities.tsv").open(encoding="utf-8") as file:
        rows = [row["id"] for row in csv.DictReader(file, delimiter="\t", strict=True)]
    assert len(rows) == len(set(rows)) == 101
    assert rows == sorted(rows)


@pytest.mark.skipif(not SHARED.exists(), reason=MISSING)
def test_the_list_of_capabilities_is_the_one_that_was_asked() -> None:
    asked = (SHARED / "design/CAPABILITIES.md").read_text("utf-8")
    with (ROOT / "tools/capabilities.tsv").open(encoding="utf-8") as file:
        rows = [(row["id"], row["title"]) for row in csv.DictReader(file, delimiter="\t", strict=True)]
    assert rows == re.findall(r"^\| (\d-\d\d) \| ([^|]+?) \|", asked, re.MULTILINE)


def digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()

"""What stands in a file or a folder: bundles read whole, NDJSON read line by line, gz of both.

Order: portions, the plan, lines, bundles. A portion is one file, or one of the two passes over an
NDJSON file: what others belong to (directory, Patients) is taken in before what belongs to them. Every
line is handled in exactly one of the two passes. Nothing is decided or written here.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from hashlib import sha256
from pathlib import Path

from serment.errors import RequestError
from serment.fhir.owner import DIRECTORY_TYPES

FIRST = frozenset({*DIRECTORY_TYPES, "Patient"})
"""What other resources belong to or name: it is taken in before them."""

CHUNK_LINES = 200
CHUNK_BYTES = 4 * 1024 * 1024
MOST_LINE = 64 * 1024 * 1024
MOST_FILE = 512 * 1024 * 1024
"""Bytes of one line, and of one bundle file, once unpacked."""

PACKED = 10
"""What a gz file of bundles unpacks to, about, for each of its bytes."""

SUFFIXES = (".json", ".ndjson", ".jsonl")
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{1,64})"')
_HEAD = 64 * 1024


class Phase(IntEnum):
    """When a portion is taken in."""

    SHARED_BUNDLES = 0
    FIRST_LINES = 1
    BUNDLES = 2
    OTHER_LINES = 3


@dataclass(frozen=True, slots=True)
class Portion:
    """One pass over one file. `mark` names it by what it holds, whatever the file is called."""

    path: Path = field(repr=False)
    phase: Phase
    mark: str
    size: int


@dataclass(frozen=True, slots=True)
class Line:
    """One resource of an NDJSON file, and what its text speaks of."""

    raw: bytes = field(repr=False)
    speaks_of_first: bool
    speaks_of_others: bool

    def is_of(self, phase: Phase, type_: str | None) -> bool:
        """Say whether the line is handled in this pass; `type_` is None when it could not be read."""
        first = self.speaks_of_first and (type_ in FIRST or not self.speaks_of_others)
        return first == (phase is Phase.FIRST_LINES)


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that could not be read to its end."""

    reason: str


@dataclass(slots=True)
class Count:
    """What was read so far: lines that hold something, and bytes of the file as it lies on the disk."""

    lines: int = 0
    at: int = 0


def plan(source: Path) -> list[Portion]:
    """Give the portions of a file or folder in the order in which they are taken in.

    Raises `RequestError` when there is nothing to import.
    """
    paths = sorted(_files(source))
    if not paths:
        raise RequestError("importing.nothing-here")
    portions = [portion for path in paths for portion in _portions(path)]
    return _told_apart(sorted(portions, key=lambda portion: portion.phase))


def _told_apart(portions: list[Portion]) -> list[Portion]:
    """Number the files that hold the same bytes: each has a place of its own."""
    seen: Counter[str] = Counter()
    apart: list[Portion] = []
    for one in portions:
        seen[one.mark] += 1
        again = seen[one.mark] > 1
        apart.append(replace(one, mark=f"{one.mark}/{seen[one.mark]}") if again else one)
    return apart


def size_of(source: Path) -> int:
    """Give the bytes of a file or folder, unpacked, about; nothing is opened."""
    return sum(path.stat().st_size * (PACKED if path.suffix == ".gz" else 1) for path in _files(source))


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
    for path in source.rglob("*"):
        if path.name.removesuffix(".gz").endswith(SUFFIXES) and path.is_file():
            yield path


def _portions(path: Path) -> list[Portion]:
    digest, size = sha256(), path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    mark = digest.hexdigest()
    if _is_lines(path):
        return [
            Portion(path, phase, f"{mark}/{phase}", size) for phase in (Phase.FIRST_LINES, Phase.OTHER_LINES)
        ]
    phase = Phase.BUNDLES if _names_patients(path) else Phase.SHARED_BUNDLES
    return [Portion(path, phase, f"{mark}/{phase}", size)]


def _is_lines(path: Path) -> bool:
    """Say whether a file holds one resource a line: by its name, else by its second line."""
    name = path.name.removesuffix(".gz")
    if name.endswith((".ndjson", ".jsonl")):
        return True
    lines = _head(path).split(b"\n", 2)
    return len(lines) > 1 and lines[0].rstrip().endswith(b"}") and lines[1].lstrip().startswith(b"{")


def _names_patients(path: Path) -> bool:
    """Say whether a bundle holds a Patient; a file that cannot be read does, and is met in its turn."""
    whole = whole_of(path)
    return isinstance(whole, Broken) or any(found[1] == b"Patient" for found in _TYPE.finditer(whole))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as disk, unpacked(disk) as file:
            return file.read(_HEAD)
    except (OSError, EOFError, zlib.error):
        return b""


def unpacked(disk: io.BufferedReader) -> gzip.GzipFile | io.BufferedReader:
    """Read an open file unpacked when it is gz (whatever its name)."""
    return gzip.GzipFile(fileobj=disk, mode="rb") if disk.peek(2)[:2] == b"\x1f\x8b" else disk


def whole_of(path: Path) -> bytes | Broken:
    """Read a bundle file whole."""
    try:
        with path.open("rb") as disk, unpacked(disk) as file:
            whole = file.read(MOST_FILE + 1)
    except (OSError, EOFError, zlib.error):
        return Broken("importing.file-broken")
    return Broken("importing.file-too-large") if len(whole) > MOST_FILE else whole


def lines_of(path: Path, count: Count) -> Iterator[Line | Broken]:
    """Walk the lines of an NDJSON file; a file that breaks off ends with `Broken`. Blank lines are none."""
    try:
        with path.open("rb") as disk, unpacked(disk) as file:
            while raw := file.readline(MOST_LINE + 1):
                count.at = disk.tell()
                if len(raw) > MOST_LINE:
                    yield Broken("importing.line-too-long")
                    return
                if raw.strip():
                    count.lines += 1
                    yield _line(raw.strip())
    except (OSError, EOFError, zlib.error):
        yield Broken("importing.file-broken")


def _line(raw: bytes) -> Line:
    types = {found.decode() for found in _TYPE.findall(raw)}
    return Line(raw, not types.isdisjoint(FIRST), not types or not types <= FIRST)


def chunks_of(path: Path, phase: Phase, count: Count) -> Iterator[list[Line] | Broken]:
    """Walk the lines that this pass looks at, some hundreds at a time; every line is counted."""
    chunk: list[Line] = []
    size = 0
    for line in lines_of(path, count):
        if isinstance(line, Broken):
            if chunk:
                yield chunk
            yield line
            return
        if line.speaks_of_first if phase is Phase.FIRST_LINES else line.speaks_of_others:
            chunk.append(line)
            size += len(line.raw)
        if len(chunk) >= CHUNK_LINES or size > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk

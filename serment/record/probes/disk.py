"""The thief with the disk: every byte below a folder, searched for what identifies a person.

Each name is looked for as written, in capitals, in UTF-16, in base64 at its three alignments and
percent-encoded. A file is first reduced to its runs of readable characters, as `strings` does, so that
many names in many megabytes are a matter of seconds.

The thief is a process: one that serves never opens the file of its own database beside SQLite, which would
take SQLite's locks with it (`store.connection`).
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import msgspec

LEAST = 6
"""Bytes of the shortest form looked for: in random bytes a shorter one is found by chance."""

_LIKELY = re.compile(rb"[\x20-\x7e\x80-\xbf\xc3-\xc5]{6,}")
_READABLE = re.compile(rb"(?:[\x20-\x7e]|[\xc3-\xc5][\x80-\xbf]){5,}")
_WIDE = re.compile(rb"(?:\x00[\x20-\x7e\xa0-\xff]){4,}")
_PIECE = 1 << 22
_OVERLAP = 1 << 12


@dataclass(frozen=True, slots=True)
class DiskSearch:
    """What was searched and how many of the names were readable somewhere, and in which files.

    `passed` counts the files that were passed over because they are too large.
    """

    files: int
    bytes: int
    names: int
    found: int
    where: tuple[str, ...] = ()
    passed: int = 0


def search(folder: Path, names: Iterable[str], *, most: int = 0) -> DiskSearch:
    """Look for each name, in every form, in every file below `folder`, by another process.

    With `most`, files of more bytes are passed over and counted.
    """
    thief = [sys.executable, "-m", "serment.record.probes.disk", str(folder), str(most)]
    asked = msgspec.json.encode(sorted(set(names)))
    done = subprocess.run(thief, input=asked, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=DiskSearch)


def _thief() -> None:
    """Search the folder of the command line for the names on standard input; say what was found."""
    below, most = Path(sys.argv[1]), int(sys.argv[2])
    names = msgspec.json.decode(sys.stdin.buffer.read(), type=list[str])
    files = [path for path in sorted(below.rglob("*")) if path.is_file()]
    small = [path for path in files if not most or path.stat().st_size <= most]
    found = replace(search_files(small, names), passed=len(files) - len(small))
    sys.stdout.buffer.write(msgspec.json.encode(found))


def search_files(paths: Iterable[Path], names: Iterable[str]) -> DiskSearch:
    """Look for each name, in every form, in these files; one that has gone meanwhile is passed over."""
    wanted = {name: forms(name) for name in set(names)}
    found: set[str] = set()
    where: list[str] = []
    files = size = 0
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError:
            continue
        files += 1
        size += len(content)
        here = found_in(content, wanted)
        found |= here
        if here:
            where.append(path.name)
    return DiskSearch(files, size, len(wanted), len(found), tuple(where))


def found_in(content: bytes, wanted: dict[str, tuple[bytes, ...]]) -> set[str]:
    """Give the names of which one form stands in `content`."""
    text = readable(content)
    return {name for name, those in wanted.items() if any(form in text for form in those)}


def readable(content: bytes) -> bytes:
    """Keep the runs of characters that a person or a program could read."""
    runs: list[bytes] = []
    for start in range(0, len(content), _PIECE):
        piece = content[start : start + _PIECE + _OVERLAP]
        if piece.count(0) < len(piece):
            runs += _READABLE.findall(b"\n".join(_LIKELY.findall(piece)))
            runs += [piece[max(0, run.start() - 1) : run.end() + 1] for run in _WIDE.finditer(piece)]
    return b"\n".join(runs)


def forms(name: str) -> tuple[bytes, ...]:
    """Give the bytes under which a name would be read."""
    plain = name.encode()
    found = {
        form.encode(code) for form in (name, name.upper()) for code in ("utf-8", "utf-16-le", "utf-16-be")
    }
    found |= {quote(name).encode(), quote(name, safe="").encode()}
    found |= {form for shift in range(3) for form in _base64(plain, shift)}
    return tuple(sorted(form for form in found if len(form) >= LEAST))


def _base64(plain: bytes, shift: int) -> tuple[bytes, bytes]:
    """Give the part of a base64 text that stands for `plain` alone when `shift` bytes stand before it."""
    whole = base64.b64encode(bytes(shift) + plain)
    first = -(-shift * 4 // 3)
    last = (shift + len(plain)) * 8 // 6
    return whole[first:last], whole[first:last].translate(bytes.maketrans(b"+/", b"-_"))


if __name__ == "__main__":
    _thief()

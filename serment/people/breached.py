"""Passwords that are known: leaked ones, from a list that the site supplies, and the commonest of all.

A port and three ways: `Common` is shipped; `RangeFolder` and `SortedFile` read, from a disk, the lists that
are published as SHA-1 prefixes and suffixes. Nothing is asked of anybody over a network (HOUSE promise 11).
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from serment.errors import SettingsError

PREFIX: Final = 5
"""Hexadecimal digits that name a range in the published lists."""

_SWAPPED: Final = str.maketrans("0134578@$!€", "oieastbasie")
_AROUND: Final = re.compile(r"^[^a-z]+|[^a-z]+$")
_LONGEST_LINE: Final = 128


class Breached(Protocol):
    """Somewhere it stands which passwords are known."""

    def knows(self, password: str) -> bool:
        """Say whether a password is known to others."""
        ...


class Common:
    """The commonest words of passwords, with whatever digits and signs stand around them."""

    def knows(self, password: str) -> bool:
        """Say whether a password is a common word, or a row of keys, dressed up."""
        words, rows = _common()
        plain = folded(password)
        bare = {_AROUND.sub("", plain), _AROUND.sub("", plain.translate(_SWAPPED))}
        bare |= {one.translate(_SWAPPED) for one in bare}
        doubled = {one[: len(one) // 2] for one in bare if one[: len(one) // 2] * 2 == one}
        return bool((bare | doubled) & words) or any(plain in row or plain in row[::-1] for row in rows)


class RangeFolder:
    """A folder of range files: `0A1B2` or `0A1B2.txt` holds lines `suffix:count` of hashes that begin so."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def knows(self, password: str) -> bool:
        """Say whether a password is in its range. Raises `SettingsError` when the range is not there."""
        digest = _digest(password)
        for name in (digest[:PREFIX], f"{digest[:PREFIX]}.txt"):
            file = self._folder / name
            if file.is_file():
                return _among(digest[PREFIX:], file.read_text("ascii").splitlines())
        raise SettingsError("signin.breached-list")


class SortedFile:
    """One file of lines `hash:count`, in the order of the hashes: searched by halves, never read whole."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def knows(self, password: str) -> bool:
        """Say whether a password is in the file. Raises `SettingsError` when it cannot be read."""
        digest = _digest(password).encode()
        try:
            with self._file.open("rb") as opened:
                return _found(opened, digest, self._file.stat().st_size)
        except OSError:
            raise SettingsError("signin.breached-list") from None


class Together:
    """Known to one of several lists."""

    def __init__(self, *lists: Breached) -> None:
        self._lists = lists

    def knows(self, password: str) -> bool:
        """Say whether any list knows a password."""
        return any(one.knows(password) for one in self._lists)


def lists_of(path: str) -> Breached:
    """Give the shipped list, and that of the site where there is one. Raises `SettingsError`."""
    if not path:
        return Common()
    given = Path(path)
    if not given.exists():
        raise SettingsError("signin.breached-list")
    return Together(Common(), RangeFolder(given) if given.is_dir() else SortedFile(given))


def folded(text: str) -> str:
    """Give a text without case and accents, to be compared."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in spread if not unicodedata.combining(one))


def _digest(password: str) -> str:
    # The published lists are of SHA-1; it protects nothing here.
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def _among(suffix: str, lines: Iterable[str]) -> bool:
    """Look for a suffix; a count of 0 pads a range and is nobody's."""
    for line in lines:
        found, _, count = line.strip().upper().partition(":")
        if found == suffix:
            return count != "0"
    return False


def _found(opened: BinaryIO, digest: bytes, size: int) -> bool:
    """Search by halves for a line that begins with a hash."""
    low, high = 0, size
    while high - low > _LONGEST_LINE:
        middle = (low + high) // 2
        opened.seek(middle)
        opened.readline()
        line = opened.readline()
        if line and line[: len(digest)].upper() <= digest:
            low = middle
        else:
            high = middle
    opened.seek(low)
    near = opened.read(high - low + 3 * _LONGEST_LINE).decode("ascii", "replace").splitlines()
    return _among(digest.decode(), near)


@cache
def _common() -> tuple[frozenset[str], tuple[str, ...]]:
    text = files("serment.people").joinpath("common.toml").read_text("utf-8")
    shipped = tomllib.loads(text)
    return frozenset(shipped["words"]), tuple(shipped["rows"])

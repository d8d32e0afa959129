"""What surrounds the store on this machine: disks, permissions, the way in. No key, no row, no name.

Everything is read when it is asked for and nothing is changed. Who says what it means is `probing` and the
checks of `serment doctor`. Paths leave as numbers or as names of our own files.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from serment.settings import Settings

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
GIGABYTE: Final = 1024**3
SCARCE: Final = 2 * GIGABYTE
SPENT: Final = GIGABYTE // 4
"""Bytes free below which a disk deserves attention, and below which it is nearly full."""


@dataclass(frozen=True, slots=True)
class Premises:
    """What was seen. `free` is in bytes; `open_to_others` counts what other users of the machine may read.

    `loopback`: the server answers this machine only. `served_store`: the database is another server's.
    """

    keys_apart: bool
    spool_apart: bool
    open_to_others: int
    loopback: bool
    tls: bool
    free: int
    served_store: bool = False


def look(settings: Settings, keys: Path) -> Premises:
    """Look at an installation; `keys` is the folder of the key file."""
    return Premises(
        keys_apart=volume(keys) != volume(settings.directory),
        spool_apart=bool(settings.store) or volume(settings.spool) != volume(settings.directory),
        open_to_others=len(open_to_others(settings.directory)),
        loopback=is_loopback(settings.host),
        tls=settings.certificate is not None,
        free=free(settings.directory),
        served_store=bool(settings.store),
    )


def volume(path: Path) -> int:
    """Give the volume of a path, or of the nearest folder that exists above it."""
    while not path.exists():
        path = path.parent
    return os.stat(path).st_dev


def open_to_others(home: Path) -> list[str]:
    """Name what other users of the machine may read or change: the folder itself, and what stands in it."""
    return [path.name for path in (home, *sorted(home.iterdir())) if path.lstat().st_mode & OTHERS]


def free(home: Path) -> int:
    """Give the bytes that are free on the disk of a folder."""
    return shutil.disk_usage(home).free


def is_loopback(host: str) -> bool:
    """Say whether an address is this machine's own; a name other than `localhost` is not."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

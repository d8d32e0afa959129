"""Asking for secrets: typed without echo, or read from a file. Never an argument, never shown."""

from __future__ import annotations

import getpass
import stat
import sys
from pathlib import Path

from serment.cli.speech import told
from serment.errors import RequestError

READERS = stat.S_IRWXG | stat.S_IRWXO


def passphrase(file: Path | None, question: str = "cli.ask-passphrase") -> str:
    """Read the passphrase from `file`, else ask for it. Raises `RequestError`."""
    return from_file(file) if file is not None else _typed(question)


def new_passphrase(file: Path | None) -> str:
    """Read a new passphrase, asked twice when it is typed. Raises `RequestError` when the two differ."""
    if file is not None:
        return from_file(file)
    first = _typed("cli.ask-new-passphrase")
    if _typed("cli.ask-again") != first:
        raise RequestError("cli.passphrases-differ")
    return first


def token(file: Path | None) -> str:
    """Read a person's bearer secret from `file`, else ask for it. Raises `RequestError`."""
    return from_file(file) if file is not None else _typed("cli.ask-token")


def client(file: Path | None) -> str:
    """Read the secret that a provider gave us from `file`, else ask for it. Raises `RequestError`."""
    return from_file(file) if file is not None else _typed("cli.ask-client")


def from_file(file: Path) -> str:
    """Read the first line of a file that only its owner may read (`-`: standard input).

    Raises `RequestError` when it is not there, empty or readable by others.
    """
    if str(file) == "-":
        return _filled(sys.stdin.readline())
    try:
        mode = file.stat().st_mode
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise RequestError("cli.secret-unreadable") from None
    if stat.S_ISREG(mode) and mode & READERS:
        raise RequestError("cli.secret-open")
    return _filled(text.partition("\n")[0])


def _typed(question: str) -> str:
    """Ask on the terminal. Without one there is nobody to ask."""
    if not sys.stdin.isatty():
        raise RequestError("cli.nobody-to-ask")
    return _filled(getpass.getpass(f"{told(question)} "))


def _filled(text: str) -> str:
    secret = text.rstrip("\r\n")
    if not secret:
        raise RequestError("cli.secret-empty")
    return secret

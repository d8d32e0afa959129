"""The settings: one frozen object, read once. Nobody else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from serment.errors import SettingsError
from serment.words import Language

T = TypeVar("T")

VARIABLES: Final = {
    "directory": "SERMENT_DIR",
    "spool": "SERMENT_SPOOL",
    "store": "SERMENT_STORE",
    "replica": "SERMENT_STORE_REPLICA",
    "host": "SERMENT_HOST",
    "port": "SERMENT_PORT",
    "name": "SERMENT_NAME",
    "regime": "SERMENT_REGIME",
    "structure": "SERMENT_STRUCTURE",
    "language": "SERMENT_LANGUAGE",
    "workers": "SERMENT_WORKERS",
    "scanner": "SERMENT_SCANNER",
    "session": "SERMENT_SESSION",
    "idle": "SERMENT_IDLE",
    "breached": "SERMENT_BREACHED",
    "certificate": "SERMENT_CERTIFICATE",
    "insi": "SERMENT_INSI",
    "insi_files": "SERMENT_INSI_FILES",
}
"""The variable that sets each field of `Settings`."""


TLS: Final = "tls"
NAME, CERTIFICATE, KEY, AUTHORITY = "name", "certificate.pem", "key.pem", "authority.pem"
"""The folder of an installation that holds its certificate, and the files in it. `name` is the host name."""

HTTPS: Final = 443

MOST_HOURS: Final = 12
"""Hours that a session lasts, at most."""

MOST_IDLE: Final = 60
"""Minutes after which a session that nobody uses is locked, at most."""

MOST_WORKERS: Final = 64
"""Server processes of one installation, at most."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation may choose. Paths are absolute; ports are TCP ports.

    `store` is the address of a PostgreSQL database, "" for the SQLite file in the directory; `replica` that
    of a standby of it, which may answer what is much and decides nothing. `workers` is how many server
    processes share the port; `worker` says which of them this is, from 0. `certificate` is the folder of the
    certificate under which the server speaks TLS, None where it has none. `insi` is the address of the INSi
    service, "" for none; `insi_files` the folder of the certificate under which the structure speaks to it.
    `session` is how many hours a session lasts, `idle` after how many minutes an unused one is locked,
    `breached` the file or folder of a list of leaked passwords.
    """

    directory: Path
    spool: Path
    store: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    name: str = "localhost"
    regime: str = "own"
    structure: str = ""
    language: Language = Language.FR
    workers: int = 1
    worker: int = 0
    scanner: str = ""
    replica: str = ""
    certificate: Path | None = None
    insi: str = ""
    insi_files: Path | None = None
    session: int = MOST_HOURS
    idle: int = 15
    breached: str = ""

    @property
    def base(self) -> str:
        """Give the address that people type. Passkeys need a host name, so it is never a number."""
        if self.certificate is None:
            return f"http://{self.name}:{self.port}"
        return f"https://{self.name}" if self.port == HTTPS else f"https://{self.name}:{self.port}"


def read(
    environment: Mapping[str, str] | None = None, directory: Path | None = None, port: int | None = None
) -> Settings:
    """Read the settings from `SERMENT_*` variables (the process's own by default); arguments win over them.

    Raises `SettingsError`, which names the variable, for a value that is not one of those allowed.
    """
    given = os.environ if environment is None else environment
    home = (directory or Path(given.get("SERMENT_DIR", "serment-data"))).absolute()
    tls = Path(given.get("SERMENT_CERTIFICATE") or home / TLS).absolute()
    return Settings(
        directory=home,
        spool=Path(given.get("SERMENT_SPOOL", str(home / "spool"))).absolute(),
        store=_value(given, "SERMENT_STORE", "", store_address),
        host=given.get("SERMENT_HOST", "127.0.0.1"),
        port=port if port is not None else _value(given, "SERMENT_PORT", "8080", _port),
        name=given.get("SERMENT_NAME") or _named(tls),
        certificate=tls if (tls / CERTIFICATE).is_file() else None,
        regime=_value(given, "SERMENT_REGIME", "own", _regime),
        structure=given.get("SERMENT_STRUCTURE", ""),
        language=_value(given, "SERMENT_LANGUAGE", "fr", Language),
        workers=_value(given, "SERMENT_WORKERS", "1", _workers),
        scanner=_value(given, "SERMENT_SCANNER", "", _socket),
        session=_value(given, "SERMENT_SESSION", str(MOST_HOURS), partial(_number, most=MOST_HOURS)),
        idle=_value(given, "SERMENT_IDLE", "15", partial(_number, most=MOST_IDLE)),
        breached=_absolute(given.get("SERMENT_BREACHED", "")),
        insi=_value(given, "SERMENT_INSI", "", _service),
        insi_files=Path(given["SERMENT_INSI_FILES"]).absolute() if given.get("SERMENT_INSI_FILES") else None,
        replica=_value(
            given, "SERMENT_STORE_REPLICA", "", partial(store_address, name="SERMENT_STORE_REPLICA")
        ),
    )


def terminal_language(environment: Mapping[str, str] | None = None) -> Language:
    """Choose the language of the terminal: French when the locale says so, else English."""
    given = os.environ if environment is None else environment
    locale = given.get("LC_ALL") or given.get("LC_MESSAGES") or given.get("LANG", "")
    return Language.FR if locale.startswith("fr") else Language.EN


def is_given(field: str, environment: Mapping[str, str] | None = None) -> bool:
    """Say whether a field of `Settings` comes from its variable."""
    return VARIABLES[field] in (os.environ if environment is None else environment)


def debugging(environment: Mapping[str, str] | None = None) -> bool:
    """Say whether a fault of ours shows where it happened (SERMENT_DEBUG=1): places, never values."""
    given = os.environ if environment is None else environment
    return given.get("SERMENT_DEBUG", "") == "1"


def _named(tls: Path) -> str:
    """Give the host name that the certificate was made or taken for."""
    try:
        return (tls / NAME).read_text("ascii").strip() or "localhost"
    except (OSError, UnicodeDecodeError):
        return "localhost"


def _value(given: Mapping[str, str], name: str, default: str, read_: Callable[[str], T]) -> T:
    try:
        return read_(given.get(name, default))
    except ValueError:
        raise SettingsError("settings.value", name=name) from None


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise ValueError
    return port


def _workers(text: str) -> int:
    return _number(text, most=MOST_WORKERS)


def _number(text: str, most: int) -> int:
    number = int(text)
    if not 1 <= number <= most:
        raise ValueError
    return number


def _absolute(path: str) -> str:
    return str(Path(path).absolute()) if path else ""


def store_address(text: str, name: str = "SERMENT_STORE") -> str:
    """Take the address of a database as it is typed: "" or `sqlite` for the file in the directory.

    Raises `ValueError` for what is none, `SettingsError` for one that carries a password: settings are shown.
    """
    if text in {"", "sqlite"}:
        return ""
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError
    if urlsplit(text).password is not None or "password=" in text:
        raise SettingsError("settings.secret", name=name)
    return text


def _socket(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError
    return text


def _service(text: str) -> str:
    """Take an address outside: under TLS, without a name or password in it."""
    parts = urlsplit(text)
    if text and (parts.scheme != "https" or not parts.hostname or parts.username is not None):
        raise ValueError
    return text


def _regime(text: str) -> str:
    if text not in {"own", "shared"}:
        raise ValueError
    return text

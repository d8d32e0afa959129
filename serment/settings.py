"""The settings: one frozen object, read once. Nobody else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serment.errors import SettingsError
from serment.words import Language


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation may choose. Paths are absolute; ports are TCP ports."""

    directory: Path
    spool: Path
    host: str = "127.0.0.1"
    port: int = 8080
    name: str = "localhost"
    regime: str = "own"
    language: Language = Language.FR

    @property
    def base(self) -> str:
        """Give the address that people type. Passkeys need a host name, so it is never a number."""
        return f"http://{self.name}:{self.port}"


def _one_of(value: str, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError
    return value


def read(
    environment: Mapping[str, str] | None = None, directory: Path | None = None, port: int | None = None
) -> Settings:
    """Read the settings from `SERMENT_*` variables (the process's own by default); arguments win over them.

    Raises `SettingsError` for a value that is not one of those allowed.
    """
    environment = os.environ if environment is None else environment
    home = (directory or Path(environment.get("SERMENT_DIR", "serment-data"))).absolute()
    try:
        return Settings(
            directory=home,
            spool=Path(environment.get("SERMENT_SPOOL", str(home / "spool"))).absolute(),
            host=environment.get("SERMENT_HOST", "127.0.0.1"),
            port=port if port is not None else int(environment.get("SERMENT_PORT", "8080")),
            name=environment.get("SERMENT_NAME", "localhost"),
            regime=_one_of(environment.get("SERMENT_REGIME", "own"), "own", "shared"),
            language=Language(environment.get("SERMENT_LANGUAGE", "fr")),
        )
    except ValueError as error:
        raise SettingsError("settings.value") from error


def terminal_language() -> Language:
    """Choose the language of the terminal: French when the locale says so, else English."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
    return Language.FR if locale.startswith("fr") else Language.EN

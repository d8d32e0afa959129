"""The checks of `serment doctor`, each a small function from the settings to one `Check`.

Order: what a check says, the machine, the files, the network, custody and the store. Nothing is
changed by looking: no key is asked for, and nothing of a record is opened.
"""

from __future__ import annotations

import contextlib
import platform
import socket
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any

from serment import app
from serment.cli.speech import LANGUAGE, told
from serment.errors import IntegrityError, SermentError
from serment.record.probes import premises
from serment.settings import Settings

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
RENEW_DAYS = 30


class Light(StrEnum):
    """How a check ended."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and what to do about it ("" when nothing is to be done)."""

    name: str
    light: Light
    said: str
    advice: str = ""
    integrity: bool = False

    def json(self) -> dict[str, Any]:
        """Give the object for a program."""
        return {"check": self.name, "light": self.light.value, "said": self.said, "advice": self.advice}


def examine(settings: Settings) -> list[Check]:
    """Run every check; what depends on an installation is left out where none stands."""
    checks: list[Callable[[Settings], Check]] = [python, directory]
    if app.is_made(settings):
        checks += [key_file, spool, space, port, name, custody, store, clock]
    else:
        checks += [port]
    return [check(settings) for check in checks]


def good(name: str, **blanks: object) -> Check:
    """Say that a thing is well."""
    return Check(name, Light.GREEN, told(f"cli.doctor-{name}-green", **blanks))


def notable(name: str, light: Light = Light.YELLOW, *, integrity: bool = False, **blanks: object) -> Check:
    """Say that a thing deserves attention, and what to do."""
    said, advice = told(f"cli.doctor-{name}-{light}", **blanks), told(f"cli.doctor-{name}-advice", **blanks)
    return Check(name, light, said, advice, integrity)


def python(_settings: Settings) -> Check:
    """Check the version of Python."""
    version = platform.python_version()
    return (
        good("python", version=version)
        if sys.version_info >= (3, 11)
        else notable("python", Light.RED, version=version)
    )


def directory(settings: Settings) -> Check:
    """Check that the installation stands, and that it is its owner's alone."""
    home = settings.directory
    if not app.is_made(settings):
        return notable("directory", Light.RED, directory=home)
    open_ = premises.open_to_others(home)
    if open_:
        return notable("modes", names=", ".join(open_), directory=home)
    return good("directory", directory=home)


def key_file(settings: Settings) -> Check:
    """Check where the keys stand: beside the data, one stolen disk holds both."""
    keys = app.custody_directory(settings)
    if premises.volume(keys) == premises.volume(settings.directory):
        return notable("keys", keys=keys)
    return good("keys", keys=keys)


def spool(settings: Settings) -> Check:
    """Check that the spool is on another volume than the database, which a server keeps on its own."""
    if settings.store:
        return Check("spool", Light.GREEN, told("cli.doctor-spool-server", spool=settings.spool))
    if premises.volume(settings.spool) == premises.volume(settings.directory):
        return notable("spool", spool=settings.spool)
    return good("spool", spool=settings.spool)


def space(settings: Settings) -> Check:
    """Check that there is room on the database's disk."""
    free = premises.free(settings.directory)
    said = f"{free / premises.GIGABYTE:.1f}"
    if free < premises.SPENT:
        return notable("space", Light.RED, free=said)
    return notable("space", free=said) if free < premises.SCARCE else good("space", free=said)


def port(settings: Settings) -> Check:
    """Check that the port is free, or that Serment answers there."""
    try:
        app.listen(settings).close()
    except SermentError:
        if _answers(settings):
            return Check("port", Light.GREEN, told("cli.doctor-port-served", base=settings.base))
        return notable("port", Light.RED, port=settings.port)
    return good("port", port=settings.port)


def name(settings: Settings) -> Check:
    """Check the host name and the certificate: passkeys need both, and people on other machines too."""
    if settings.certificate is None:
        away = settings.name != "localhost" or not premises.is_loopback(settings.host)
        return notable("name-bare", host=settings.name) if away else good("name", base=settings.base)
    try:
        found = app.certificate(settings)
    except SermentError as error:
        return Check("name", Light.RED, error.said(LANGUAGE), told("cli.doctor-name-advice"))
    days = (found.ends - app.clock()) // DAY_MS
    if not found.key_fits or not found.covers(settings.name) or days < 0:
        return notable("name", Light.RED, host=settings.name)
    if not _leads_here(settings):
        return notable("name-away", host=settings.name)
    return notable("name-ends", days=days) if days < RENEW_DAYS else good("name", base=settings.base)


def _leads_here(settings: Settings) -> bool:
    """Say whether the host name leads to an address of this machine: it can be listened on."""
    try:
        found = socket.getaddrinfo(settings.name, 0, type=socket.SOCK_STREAM)
    except OSError:
        return False
    for family, kind, _, _, place in found:
        with contextlib.suppress(OSError), socket.socket(family, kind) as trial:
            trial.bind(place)
            return True
    return False


def custody(settings: Settings) -> Check:
    """Check where custody stands, and whether anything was tried against it."""
    if not app.custody_runs(settings):
        return notable("custody-away", directory=settings.directory)
    with app.lent_custody(settings) as lent:
        state = lent.state()
    if state.alarms or state.wrong_passphrases:
        return notable("custody-alarms", alarms=state.alarms, wrong=state.wrong_passphrases)
    if state.phase is app.Phase.LOCKED:
        return notable("custody-locked", directory=settings.directory)
    return good("custody", records=state.records)


def store(settings: Settings) -> Check:
    """Check the database as a start does: ours, whole, and of the installation whose keys stand beside it."""
    try:
        seen = app.survey(settings)
        _belongs(settings, seen)
    except SermentError as error:
        said = error.said(LANGUAGE)
        return Check(
            "store", Light.RED, said, told("cli.doctor-store-advice"), isinstance(error, IntegrityError)
        )
    return good("store", size=seen.ledger_size)


def _belongs(settings: Settings, seen: app.Glance) -> None:
    """Hold the database against the keys, and against what custody signed where it is open."""
    with app.lent_custody(settings) as lent:
        state = lent.state()
        if state.store != seen.store_id:
            raise IntegrityError("custody.other-installation")
        signed = lent.remembered() if state.phase is app.Phase.OPEN else None
        if signed is not None and seen.ledger_size < signed.size:
            raise IntegrityError("custody.rolled-back")


def clock(settings: Settings) -> Check:
    """Check that the clock is not behind what the ledger has already written."""
    try:
        newest = app.survey(settings).newest_hour
    except SermentError:
        newest = 0
    if app.clock() // HOUR_MS < newest - 1:
        return notable("clock", Light.RED)
    return good("clock")


def _connection(settings: Settings) -> HTTPConnection:
    """Reach whoever holds the port. Who it is, is told by the answer: the certificate has its own check."""
    if settings.certificate is None:
        return HTTPConnection(settings.host, settings.port, timeout=2)
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return HTTPSConnection(settings.host, settings.port, timeout=2, context=trusting)


def _answers(settings: Settings) -> bool:
    """Say whether whoever holds the port answers as Serment does."""
    connection = _connection(settings)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().read() == b"ok\n"
    except (OSError, HTTPException, TimeoutError):
        return False
    finally:
        connection.close()

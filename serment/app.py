"""The composition root: every part is built here, and only here are concrete adapters named.

Order: custody (lent, unlocked), the house (made, opened), what is read without a key (the store's id and
size, the locked verification), the server. A `House` is the parts that doors are given as arguments.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from serment.access.policy import shipped_policy
from serment.errors import (
    ConflictError,
    CustodyError,
    DependencyError,
    IntegrityError,
    LockedError,
    NotFoundError,
    SermentError,
    SettingsError,
    TooManyError,
)
from serment.keys.custody.client import CustodyClient, CustodyProcess, start
from serment.keys.custody.contract import Custody, Phase, State, StoreKind
from serment.keys.custody.keyfile import KEY_FILE
from serment.keys.custody.passphrase import acceptable
from serment.keys.installation import Installation
from serment.ledger.append import Ledger
from serment.ledger.checkpoint import LogKey
from serment.ledger.verify import Progress, Report, verify
from serment.model import Instant, Regime
from serment.record.alarms import UNIT_LIST_BROKEN
from serment.record.founding import found, found_unit_list
from serment.record.house import House
from serment.record.passage import Keyring, Passage
from serment.record.proving import origin_of
from serment.record.recovery import recover
from serment.record.spooling import OwedNotes, Spooling
from serment.server import application
from serment.settings import Settings
from serment.store.ballast import Ballast
from serment.store.contract import EntryRow
from serment.store.spool_file import SpoolFile
from serment.store.sqlite import SqliteStore

log = logging.getLogger("serment")

__all__ = ["Custody", "Glance", "Phase", "Report", "State", "StoreKind"]

STORE_FILE = "record.sqlite"
BALLAST_FILE = "reserve"
BALLAST_BYTES = 64 * 1024 * 1024
CUSTODY = "custody"
OWED_SUFFIX = ".owed"
SPOOL_SLOTS = 4096
SPOOL_SLOT_BYTES = 4000
"""A slot fits one block of the disk: 3 072 bytes of a waiting trace, padded and sealed."""


def clock() -> Instant:
    """Read the clock: the only place that does. Everybody else is told the time."""
    return Instant(time.time_ns() // 1_000_000)


def custody_directory(settings: Settings) -> Path:
    """Say where the key file and custody's socket stand."""
    return settings.directory / CUSTODY


def start_custody(settings: Settings, *options: str) -> CustodyProcess:
    """Start custody as its own process; it ends with this one. `options` are those of its command.

    Raises `CustodyError`.
    """
    return start(custody_directory(settings), *options)


def is_made(settings: Settings) -> bool:
    """Say whether files of an installation stand in the directory."""
    return (custody_directory(settings) / KEY_FILE).exists() or (settings.directory / STORE_FILE).exists()


def check_passphrase(passphrase: str) -> None:
    """Refuse a passphrase that custody would refuse, before anything is made. Raises `RequestError`."""
    acceptable(passphrase)


def custody_runs(settings: Settings) -> bool:
    """Say whether a custody answers on this directory."""
    client = CustodyClient(custody_directory(settings))
    try:
        client.state()
    except CustodyError:
        return False
    finally:
        client.close()
    return True


@contextmanager
def lent_custody(settings: Settings) -> Iterator[Custody]:
    """Lend the custody that runs, else one started for as long as this lasts.

    Raises `NotFoundError` where no installation stands, `CustodyError`.
    """
    if not is_made(settings):
        raise NotFoundError("custody.not-made")
    started = None if custody_runs(settings) else start_custody(settings)
    client = CustodyClient(custody_directory(settings))
    try:
        if client.state().phase is Phase.NEW:
            raise NotFoundError("custody.not-made")
        yield client
    finally:
        client.close()
        if started is not None:
            started.stop()


def unlock(settings: Settings, custody: Custody, passphrase: str) -> State:
    """Open custody for the database that stands beside it.

    Raises `SignInError` (wrong passphrase), `IntegrityError` (key file of another installation).
    """
    return custody.unlock(passphrase, survey(settings).store_id)


def create(settings: Settings, passphrase: str, *, demo: bool) -> House:
    """Make an installation: keys first, then the store, then its own records.

    Custody must run already. Raises `ConflictError` where one stands, `SettingsError`.
    """
    custody = CustodyClient(custody_directory(settings))
    custody.init(passphrase, StoreKind.DEMO if demo else StoreKind.PRODUCTION)
    store_id = custody.installation().store
    custody.close()
    settings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    SqliteStore.create(settings.directory / STORE_FILE, store_id=store_id).close()
    house = open_house(settings)
    found(house.passage)
    house.proving.checkpoint()
    return house


def open_house(settings: Settings) -> House:
    """Open an installation whose custody is unlocked.

    Raises `LockedError`, `CustodyError`, `IntegrityError` (damaged, or older than what custody or the spool
    remembers).
    """
    with contextlib.ExitStack() as opened:
        custody = CustodyClient(custody_directory(settings))
        opened.callback(custody.close)
        secrets = custody.installation()
        store = open_store(settings, secrets.store)
        opened.callback(store.close)
        installation = Installation(secrets)
        spooling = open_spool(settings, installation)
        opened.callback(spooling.close)
        passage = Passage(
            store=store,
            keyring=Keyring(custody),
            ledger=Ledger(EntryRow),
            spooling=spooling,
            policy=shipped_policy(),
            installation=installation,
            regime=Regime(settings.regime),
            clock=clock,
        )
        kind = custody.state().kind or StoreKind.PRODUCTION
        house = House.of(passage, custody, kind, f"{settings.base}/fhir")
        house.proving.trust()
        with contextlib.suppress(DependencyError):
            recover(passage)
            found_unit_list(passage)
            house.sessions.ready()
        opened.pop_all()
        return house


def open_store(settings: Settings, store_id: bytes) -> SqliteStore:
    """Open the database with its reserve. Raises `SettingsError`, `IntegrityError`."""
    ballast = Ballast(settings.directory / BALLAST_FILE, BALLAST_BYTES)
    try:
        return SqliteStore(settings.directory / STORE_FILE, ballast=ballast, store_id=store_id)
    except BaseException:
        ballast.close()
        raise


def open_spool(settings: Settings, installation: Installation) -> Spooling:
    """Open the spool, and what counts owed traces: one file beside the database, one beside the spool.

    Raises `SettingsError`, `IntegrityError` (damaged, or another installation's).
    """
    settings.spool.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:
        files: list[SpoolFile] = []
        for path, slots in (
            (settings.spool, SPOOL_SLOTS),
            (settings.directory / f"traces{OWED_SUFFIX}", 0),
            (settings.spool.with_name(settings.spool.name + OWED_SUFFIX), 0),
        ):
            files.append(SpoolFile(path, slots, SPOOL_SLOT_BYTES if slots else 0))
            opened.callback(files[-1].close)
        spooling = Spooling(files[0], OwedNotes(files[1:]), installation)
        opened.pop_all()
        return spooling


def is_open(settings: Settings) -> bool:
    """Say whether custody answers and is unlocked."""
    return CustodyClient(custody_directory(settings)).state().phase is Phase.OPEN


@dataclass(frozen=True, slots=True)
class Glance:
    """What the database tells without a key. `newest_hour`, of the ledger, counts from 1970."""

    store_id: bytes = field(repr=False)
    ledger_size: int
    newest_hour: int


def survey(settings: Settings) -> Glance:
    """Look at the database without a key, checking it as every start does.

    Raises `SettingsError` (not there, not ours), `IntegrityError` (damaged).
    """
    store = SqliteStore(settings.directory / STORE_FILE)
    try:
        with store.snapshot() as snapshot:
            size = snapshot.ledger_size()
            newest = [row.hour for row in snapshot.ledger_entries(size, size + 1)] if size else []
        return Glance(store.store_id, size, newest[0] if newest else 0)
    finally:
        store.close()


def verify_locked(settings: Settings, custody: Custody, progress: Progress | None = None) -> Report:
    """Hold every row of the ledger against the tree and the checkpoints, without a key.

    What custody remembers is held against it only where custody is open.
    """
    state = custody.state()
    store = SqliteStore(settings.directory / STORE_FILE, store_id=state.store)
    try:
        with store.snapshot() as snapshot:
            return verify(snapshot, LogKey(origin_of(state), state.public_key), progress=progress)
    finally:
        store.close()


def listen(settings: Settings) -> socket.socket:
    """Take the port (0: a free one). Raises `ConflictError` when somebody else has it, `SettingsError`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConflictError("cli.port-taken", port=settings.port) from None
        raise SettingsError("cli.cannot-listen", port=settings.port) from None
    listener.listen(2048)
    return listener


POLL = 0.2
"""Seconds between two looks at custody while the server waits for it."""

COLLECT_AFTER = 10_000
"""Objects made since the last collection of cycles before the next one begins."""

TRY_AGAIN = 30
"""Seconds after which a passphrase may be tried again: custody waits no longer after a wrong one."""

DOUBTS = 3
"""Refused checkpoints in a row after which the server shuts."""


class Doorkeeper:
    """The house of a server: none until custody is open, none again once somebody locks it.

    Requests only ask `house`; a thread does the opening, and makes the checkpoints (each second or
    1 000 entries). Custody that is away, or a full disk, never stops care.
    """

    def __init__(self, settings: Settings, house: House | None = None) -> None:
        self._settings = settings
        self._house = house
        self._closed: SermentError = LockedError("custody.locked")
        self._custody = CustodyClient(custody_directory(settings))
        self._doubts = 0
        self._away = self._refused = False
        self._looking, self._trying = threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="doorkeeper", daemon=True)

    def house(self) -> House:
        """Give the open house. Raises `LockedError`, or what made the opening fail."""
        if self._house is None:
            raise type(self._closed)(self._closed.sentence, **self._closed.parameters)
        return self._house

    def unlock(self, passphrase: str) -> None:
        """Open custody as `serment unlock` does, then the house. One try at a time: the others are refused.

        Custody waits after each wrong one; who queues here would keep its connections from everybody else.
        Raises `SignInError`, `TooManyError`, `CustodyError`, `IntegrityError`.
        """
        if not self._trying.acquire(blocking=False):
            raise TooManyError("unlock.busy", seconds=TRY_AGAIN)
        try:
            unlock(self._settings, self._custody, passphrase)
        finally:
            self._trying.release()
        self._look()
        self.house()

    def start(self) -> None:
        """Begin to keep the door."""
        self._thread.start()

    def hurry(self) -> None:
        """Wait for nothing any more: neither the next round nor the requests that run."""
        self._stop.set()

    def stop(self) -> None:
        """Close the house."""
        self.hurry()
        if self._thread.is_alive():
            self._thread.join()
        if self._house is not None:
            with contextlib.suppress(SermentError):
                self._tell(ending=True)
            self._house.close()
        self._custody.close()

    def _keep(self) -> None:
        while not self._stop.wait(1.0 if self._house else POLL):
            self.turn()

    def turn(self) -> None:
        """Do one round: place waiting traces, open or shut with custody, make the checkpoint that is due."""
        with contextlib.suppress(DependencyError):
            self._recover()
        with contextlib.suppress(DependencyError, TooManyError):
            self._warm()
        with contextlib.suppress(SermentError):
            self._tell()
        try:
            self._look()
        except CustodyError:
            self._away = True
        except SermentError as error:
            log.warning("door: %s", error.sentence)

    def _recover(self) -> None:
        """Give waiting traces their places. What cannot be read back is said, and stays where it is."""
        try:
            if self._house is not None:
                recover(self._house.passage)
        except IntegrityError as error:
            log.error("recovery of traces: %s", error.sentence)  # noqa: TRY400 - no traceback: its frames hold a record

    def _tell(self, *, ending: bool = False) -> None:
        """Say in the ledger how many strangers were turned away, when that is due."""
        if self._house is not None:
            self._house.strangers.tell(ending=ending)

    def _warm(self) -> None:
        """Keep the keys of today's unit list at hand, some of them each round."""
        house = self._house
        if house is None:
            return
        try:
            house.warming.turn()
        except IntegrityError as error:
            log.error("unit list: %s", error.sentence)  # noqa: TRY400 - no traceback: its frames hold a record
            house.passage.alarms.ring(UNIT_LIST_BROKEN)

    def _look(self) -> None:
        with self._looking:
            self._follow(self._custody.state().phase)

    def _follow(self, phase: Phase) -> None:
        # Custody that died and came back locked closes nothing: records opened lately stay open.
        self._away = self._away and phase is not Phase.OPEN
        if self._house is None and phase is Phase.OPEN and not self._refused:
            self._open()
        elif self._house is not None and phase is Phase.LOCKED and not self._away:
            self._shut(self._house, LockedError("custody.locked"))
        elif self._house is not None and phase is Phase.OPEN:
            self._checkpoint(self._house)

    def _open(self) -> None:
        try:
            self._house = open_house(self._settings)
            self._house.depositing.sweep()
        except SermentError as error:
            # A database that was put back stays locked until somebody has mended it and starts again.
            self._closed, self._refused = error, isinstance(error, IntegrityError)

    def _checkpoint(self, house: House) -> None:
        """Make the checkpoint that is due; shut when custody goes on saying that the ledger is another one.

        Once may be another process of ours that signed a longer tree a moment before.
        """
        try:
            house.proving.checkpoint_if_due()
        except IntegrityError as error:
            self._doubts += 1
            if self._doubts >= DOUBTS:
                self._shut(house, error)
        else:
            self._doubts = 0

    def _shut(self, house: House, why: SermentError) -> None:
        """Let the requests that run end, then close: their keys go with the house."""
        self._house, self._closed = None, why
        self._stop.wait(5.0)
        house.close()


def _settle_memory() -> None:
    """Leave what lives as long as the server out of every collection of cycles to come.

    Tables, patterns and code are never garbage; looking through them again and again was 5 % of a read.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)


def serve(
    settings: Settings,
    listener: socket.socket,
    search_disk: Callable[[], object],
    house: House | None = None,
) -> None:
    """Serve until interrupted. Without a house the server starts locked: it opens once custody is open."""
    door = Doorkeeper(settings, house)
    config = uvicorn.Config(
        application(door.house, search_disk, door.unlock),
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    door.start()
    _settle_memory()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()
        door.stop()

"""The composition root: every part is built here, and only here are concrete adapters named.

Order: custody (lent, unlocked), the house (made, opened), what is read without a key (the store's id and
size, the locked verification), the port. A `House` is the parts that doors are given as arguments; who
opens and shuts it while a server runs is in `serving`.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from serment.access.policy import shipped_policy
from serment.errors import (
    ConflictError,
    CustodyError,
    DependencyError,
    IntegrityError,
    NotFoundError,
    RequestError,
    SettingsError,
)
from serment.exits import insi
from serment.exits.identity_provider import IdentityProviders
from serment.exits.rest_hook import RestHook
from serment.intake.scan import Clamd
from serment.keys import certificate as tls
from serment.keys.custody.client import CustodyClient, CustodyProcess, start
from serment.keys.custody.contract import Custody, Phase, State, StoreKind
from serment.keys.custody.keyfile import KEY_FILE
from serment.keys.custody.passphrase import acceptable
from serment.keys.installation import Installation
from serment.ledger.append import Ledger
from serment.ledger.checkpoint import LogKey
from serment.ledger.verify import Progress, Report, verify
from serment.model import Instant, Regime
from serment.record.budget import Budget, Quota
from serment.record.entrance.sessions import Entrance
from serment.record.founding import found, found_later
from serment.record.house import House
from serment.record.passage import (
    DAY,
    KEYSTROKES,
    REFUSAL_WINDOW,
    REFUSALS,
    SEARCHES,
    SHOWN,
    WINDOW,
    Keyring,
    Passage,
)
from serment.record.probes import disk, premises
from serment.record.probes.probing import LARGEST
from serment.record.proving import origin_of
from serment.record.recovery import recover
from serment.record.spooling import OwedNotes, Spooling
from serment.record.subscriptions.notifying import Carrier
from serment.settings import AUTHORITY, CERTIFICATE, KEY, MOST_WORKERS, NAME, TLS, Settings
from serment.store.ballast import Ballast
from serment.store.contract import EntryRow, Store
from serment.store.moving import Source, Target, move
from serment.store.spool_file import SpoolFile
from serment.store.sqlite import SqliteStore
from serment.store.sqlite_tables import sqlite_source, sqlite_target

if TYPE_CHECKING:
    from serment.store.postgres import PostgresStore

__all__ = ["Custody", "Glance", "House", "Moved", "Phase", "Report", "State", "StoreKind"]

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


def carrier() -> Carrier:
    """Give who carries notices to registered addresses."""
    return RestHook()


def identity_providers() -> IdentityProviders:
    """Give who carries calls to registered identity providers."""
    return IdentityProviders()


def custody_directory(settings: Settings) -> Path:
    """Say where the key file and custody's socket stand."""
    return settings.directory / CUSTODY


def reach_custody(settings: Settings) -> Custody:
    """Give a way to the custody of an installation, whether it runs or not."""
    return CustodyClient(custody_directory(settings))


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
    if settings.store:
        _postgres().make_ready(settings.store)
    custody = CustodyClient(custody_directory(settings))
    custody.init(passphrase, StoreKind.DEMO if demo else StoreKind.PRODUCTION)
    store_id = custody.installation().store
    custody.close()
    settings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_store(settings, store_id).close()
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
            refusals=Budget(max(1, REFUSALS // settings.workers), REFUSAL_WINDOW, "record.too-many-refusals"),
            searches=Budget(max(1, SEARCHES // settings.workers), WINDOW, "record.too-many-searches"),
            keystrokes=Budget(max(1, KEYSTROKES // settings.workers), WINDOW, "record.too-many-searches"),
            shown=Quota(max(1, SHOWN // settings.workers), DAY, "record.too-many-shown"),
            scanner=Clamd(Path(settings.scanner)) if settings.scanner else None,
        )
        kind = custody.state().kind or StoreKind.PRODUCTION
        house = House.of(passage, custody, kind, f"{settings.base}/fhir", _entrance(settings))
        house.identifying.service = insi.at(settings.insi, settings.insi_files, settings.structure, clock)
        house.probing.look = partial(premises.look, settings, custody_directory(settings))
        house.probing.search = partial(disk.search, settings.directory, most=LARGEST)
        store.watch(passage.keyring.let_go)
        house.proving.trust()
        with contextlib.suppress(DependencyError):
            recover(passage)
            found_later(passage)
            house.sessions.ready()
        opened.pop_all()
        return house


def _entrance(settings: Settings) -> Entrance:
    hour, minute = 3600 * 1000, 60 * 1000
    return Entrance(settings.session * hour, settings.idle * minute, settings.breached)


def create_store(settings: Settings, store_id: bytes) -> Store:
    """Make the database that the settings name. Raises `SettingsError` where one stands."""
    if settings.store:
        return _postgres().create(settings.store, store_id=store_id)
    return SqliteStore.create(settings.directory / STORE_FILE, store_id=store_id)


def bare_store(settings: Settings, store_id: bytes | None = None) -> Store:
    """Open the database without its reserve, to look at it. Raises `SettingsError`, `IntegrityError`."""
    if settings.store:
        return _postgres()(settings.store, store_id=store_id, replica=settings.replica)
    return SqliteStore(settings.directory / STORE_FILE, store_id=store_id)


def _postgres() -> type[PostgresStore]:
    """Give the adapter, which only an installation with `serment[postgres]` has. Raises `SettingsError`."""
    try:
        from serment.store.postgres import PostgresStore
    except ImportError:
        raise SettingsError("store.pg-missing-driver") from None
    return PostgresStore


def open_store(settings: Settings, store_id: bytes) -> Store:
    """Open the database, with its reserve where it has one. Raises `SettingsError`, `IntegrityError`."""
    if settings.store:
        return bare_store(settings, store_id)
    ballast = Ballast(settings.directory / BALLAST_FILE, BALLAST_BYTES)
    try:
        return SqliteStore(settings.directory / STORE_FILE, ballast=ballast, store_id=store_id)
    except BaseException:
        ballast.close()
        raise


def open_spool(settings: Settings, installation: Installation) -> Spooling:
    """Open the spool, and what counts owed traces: one file beside the database, one beside the spool.

    Several server processes share the spool; each counts what it owes itself, the first one also what those
    left that run no more. Raises `SettingsError`, `IntegrityError` (damaged, or another installation's).
    """
    settings.spool.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:

        def taken(path: Path, slots: int = 0) -> SpoolFile:
            file = SpoolFile(path, slots, SPOOL_SLOT_BYTES if slots else 0)
            opened.callback(file.close)
            return file

        slots = taken(settings.spool, SPOOL_SLOTS)
        own = [taken(path) for path in _owed_files(settings, settings.worker)]
        strays = [taken(path) for path in _owed_by_others(settings)] if settings.worker == 0 else []
        spooling = Spooling(slots, OwedNotes(own, strays), installation)
        opened.pop_all()
        return spooling


def _owed_files(settings: Settings, worker: int) -> list[Path]:
    """Name the files in which one server process counts what it owes."""
    number = f"-{worker}" if worker else ""
    beside = settings.spool.with_name(f"{settings.spool.name}{number}{OWED_SUFFIX}")
    return [settings.directory / f"traces{number}{OWED_SUFFIX}", beside]


def _owed_by_others(settings: Settings) -> list[Path]:
    """Name the files of processes that an earlier start had and this one has not."""
    found: list[Path] = []
    for worker in range(settings.workers, MOST_WORKERS):
        found += [path for path in _owed_files(settings, worker) if path.exists()]
    return found


def is_open(settings: Settings) -> bool:
    """Say whether custody answers and is unlocked."""
    return CustodyClient(custody_directory(settings)).state().phase is Phase.OPEN


def prepare_store(settings: Settings, owner: str) -> None:
    """Make or upgrade the schema of the PostgreSQL database in the settings, as the role that owns it.

    `owner` is an address, checked as the setting is. Raises `RequestError` without one in the settings,
    `SettingsError`, `DependencyError`.
    """
    if not settings.store:
        raise RequestError("store.move-none")
    _postgres()
    from serment.store.pg_start import Sessions, prepare, role_of, target

    role = role_of(settings.store)
    prepare(Sessions(target(owner)), "" if role_of(owner) == role else role)


@dataclass(frozen=True, slots=True)
class Moved:
    """What was carried from one store to another: rows by table, and the ledger that both have."""

    rows: dict[str, int]
    ledger_size: int
    root: bytes


def move_store(settings: Settings, address: str, progress: Progress | None = None) -> Moved:
    """Carry the whole store to `address` ("": the SQLite file in the directory); the old one stays.

    Nothing may run meanwhile. The copy is read back and held against what was read, row by row, and its
    ledger against the tree. Raises `RequestError` (nothing to move), `ConflictError` (custody runs),
    `SettingsError` (a store stands there), `IntegrityError`.
    """
    there = replace(settings, store=address)
    if address == settings.store:
        raise RequestError("store.move-none")
    if custody_runs(settings):
        raise ConflictError("store.move-running")
    store_id = survey(settings).store_id
    with _source(settings) as source, _target(there) as target:
        rows = move(source, target, progress)
    with lent_custody(settings) as custody:
        before, after = verify_locked(settings, custody), verify_locked(there, custody)
    copied = survey(there).store_id == store_id
    if not copied or (before.size, before.root, before.ok) != (after.size, after.root, after.ok):
        raise IntegrityError("store.move-differs", table="entry")
    return Moved(rows, after.size, after.root)


def _source(settings: Settings) -> AbstractContextManager[Source]:
    if not settings.store:
        return sqlite_source(settings.directory / STORE_FILE)
    _postgres()
    from serment.store.pg_tables import pg_source

    return pg_source(settings.store)


def _target(settings: Settings) -> AbstractContextManager[Target]:
    if not settings.store:
        return sqlite_target(settings.directory / STORE_FILE)
    _postgres()
    from serment.store.pg_tables import pg_target

    return pg_target(settings.store)


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
    store = bare_store(settings)
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
    store = bare_store(settings, state.store)
    try:
        with store.snapshot() as snapshot:
            return verify(snapshot, LogKey(origin_of(state), state.public_key), progress=progress)
    finally:
        store.close()


def check_host(host: str) -> None:
    """Refuse what is no host name, before anything is made. Raises `RequestError`."""
    tls.host_name(host)


def make_certificate(settings: Settings, host: str) -> Path:
    """Make a certificate for a host name; give the file of the authority to trust. Raises `RequestError`."""
    name = tls.host_name(host)
    made = tls.make(name, clock())
    _keep_certificate(settings, name, made.certificate, made.key)
    authority = settings.directory / TLS / AUTHORITY
    authority.write_bytes(made.authority)
    return authority


def take_certificate(settings: Settings, host: str, certificate: bytes, key: bytes) -> None:
    """Take a certificate and its key, PEM. Raises `RequestError` when they do not serve that host name."""
    name, found = tls.host_name(host), tls.read(certificate, key)
    if not found.key_fits or not found.covers(name) or found.ends <= clock():
        raise RequestError("custody.certificate-other", host=name)
    _keep_certificate(settings, name, certificate, key)


def certificate(settings: Settings) -> tls.Certificate:
    """Read the certificate of an installation. Raises `NotFoundError`, `RequestError` (damaged)."""
    folder = settings.certificate or settings.directory / TLS
    try:
        return tls.read((folder / CERTIFICATE).read_bytes(), (folder / KEY).read_bytes())
    except OSError:
        raise NotFoundError("cli.certificate-none") from None


def _keep_certificate(settings: Settings, name: str, certificate: bytes, key: bytes) -> None:
    folder = settings.directory / TLS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, text in ((KEY, key), (CERTIFICATE, certificate), (NAME, name.encode("ascii"))):
        new = folder / f"{file}.new"
        new.touch(mode=0o600)
        new.write_bytes(text)
        new.replace(folder / file)


def listen(settings: Settings) -> socket.socket:
    """Take the port (0: a free one). Raises `ConflictError` when somebody else has it, `SettingsError`."""
    listener = _bound(settings)
    listener.listen(2048)
    return listener


def reserve(settings: Settings) -> socket.socket:
    """Hold the port for several processes that `share` it; nobody answers on this socket itself.

    Raises what `listen` raises.
    """
    alone = _bound(settings)  # whoever has the port already is met here, sharing or not
    found = replace(settings, port=alone.getsockname()[1])
    alone.close()
    return _bound(found, shared=True)


def share(settings: Settings) -> socket.socket:
    """Listen on a port that `reserve` holds: the system gives each connection to one of the processes."""
    listener = _bound(settings, shared=True)
    listener.listen(2048)
    return listener


def _bound(settings: Settings, *, shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConflictError("cli.port-taken", port=settings.port) from None
        raise SettingsError("cli.cannot-listen", port=settings.port) from None
    return listener

"""The composition root: every part is built here, and only here are concrete adapters named.

`create` makes an installation, `open_house` opens one whose custody is unlocked. A `House` is the
parts that doors are given as arguments.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn

from serment.access.policy import shipped_policy
from serment.errors import DependencyError
from serment.keys.custody.client import CustodyClient, CustodyProcess, start
from serment.keys.custody.contract import Phase, StoreKind
from serment.keys.installation import Installation
from serment.ledger.append import Ledger
from serment.model import Instant, Regime
from serment.record.founding import found
from serment.record.house import House
from serment.record.passage import Keyring, Passage
from serment.server import application
from serment.settings import Settings
from serment.store.ballast import Ballast
from serment.store.contract import EntryRow
from serment.store.sqlite import SqliteStore

STORE_FILE = "record.sqlite"
BALLAST_FILE = "reserve"
BALLAST_BYTES = 64 * 1024 * 1024
CUSTODY = "custody"


def clock() -> Instant:
    """Read the clock: the only place that does. Everybody else is told the time."""
    return Instant(time.time_ns() // 1_000_000)


def custody_directory(settings: Settings) -> Path:
    """Say where the key file and custody's socket stand."""
    return settings.directory / CUSTODY


def start_custody(settings: Settings) -> CustodyProcess:
    """Start custody as its own process; it ends with this one. Raises `CustodyError`."""
    return start(custody_directory(settings))


def create(settings: Settings, passphrase: str, *, demo: bool) -> House:
    """Make an installation: keys first, then the store, then its own records.

    Custody must run already. Raises `ConflictError` where one stands, `SettingsError`.
    """
    custody = CustodyClient(custody_directory(settings))
    custody.init(passphrase, StoreKind.DEMO if demo else StoreKind.PRODUCTION)
    store_id = custody.installation().store
    custody.close()
    settings.directory.mkdir(parents=True, exist_ok=True)
    SqliteStore.create(settings.directory / STORE_FILE, store_id=store_id).close()
    house = open_house(settings)
    found(house.passage)
    house.proving.checkpoint()
    return house


def open_house(settings: Settings) -> House:
    """Open an installation whose custody is unlocked.

    Raises `LockedError`, `CustodyError`, `IntegrityError`.
    """
    custody = CustodyClient(custody_directory(settings))
    state = custody.state()
    secrets = custody.installation()
    ballast = Ballast(settings.directory / BALLAST_FILE, BALLAST_BYTES)
    store = SqliteStore(settings.directory / STORE_FILE, ballast=ballast, store_id=secrets.store)
    passage = Passage(
        store=store,
        keyring=Keyring(custody),
        ledger=Ledger(EntryRow),
        policy=shipped_policy(),
        installation=Installation(secrets),
        regime=Regime(settings.regime),
        clock=clock,
    )
    return House.of(passage, custody, state.kind or StoreKind.PRODUCTION, f"{settings.base}/fhir")


def is_open(settings: Settings) -> bool:
    """Say whether custody answers and is unlocked."""
    return CustodyClient(custody_directory(settings)).state().phase is Phase.OPEN


def serve(settings: Settings, house: House, search_disk: Callable[[], object]) -> None:
    """Serve the house until interrupted. A checkpoint is made each second or 1 000 entries."""
    config = uvicorn.Config(
        application(lambda: house, search_disk),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    stop = threading.Event()
    keeper = threading.Thread(target=_keep_checkpoints, args=(house, stop), daemon=True)
    keeper.start()
    try:
        uvicorn.Server(config).run()
    finally:
        stop.set()
        keeper.join()
        house.close()


def _keep_checkpoints(house: House, stop: threading.Event) -> None:
    """Make the checkpoints. Custody that is away, or a full disk, never stops care."""
    while not stop.wait(1.0):
        with contextlib.suppress(DependencyError):
            house.proving.checkpoint_if_due()

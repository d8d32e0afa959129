"""A server that runs: its house is opened and shut with custody, its checkpoints are made, its port answers.

Order: the messenger, the rounds, the doorkeeper, serving in this process. Several processes on one port are
in `workers`; of these the first one makes the checkpoints and the probes, and tells subscribers.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import threading
from collections.abc import Callable

import uvicorn

from serment import app
from serment.errors import (
    ConflictError,
    CustodyError,
    DependencyError,
    IntegrityError,
    LockedError,
    SermentError,
    TooManyError,
)
from serment.exits.prescribing import National
from serment.people.people import Reception
from serment.record.alarms import OUTBOX_BROKEN, REGISTER_BROKEN, UNIT_LIST_BROKEN
from serment.record.house import House
from serment.record.probes.disk import DiskSearch
from serment.record.recovery import recover
from serment.server import application
from serment.settings import CERTIFICATE, KEY, Settings

log = logging.getLogger("serment")

POLL = 0.2
"""Seconds between two looks at custody while the server waits for it."""

COLLECT_AFTER = 10_000
"""Objects made since the last collection of cycles before the next one begins."""

TRY_AGAIN = 30
"""Seconds after which a passphrase may be tried again: custody waits no longer after a wrong one."""

DOUBTS = 3
"""Refused checkpoints in a row after which the server shuts."""


class Messenger:
    """Tells subscribers what waits, on a thread of its own: a receiver that is slow holds up nothing else."""

    def __init__(self, house: Callable[[], House]) -> None:
        self._house, self._carrier = house, app.carrier()
        self._reception = Reception()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="messenger", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self) -> None:
        """End with the notice that is on its way: what waits is told at the next start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while not self._stop.wait(1.0):
            self.turn()

    def turn(self) -> None:
        """Do one round. A house that is shut, or custody away, tells later."""
        try:
            house = self._house()
            acts = self._reception.of(house).staff.acts
            house.notifying.turn(self._carrier, lambda: not self._stop.is_set(), acts)
        except (DependencyError, TooManyError):
            return
        except SermentError as error:
            log.error("notices: %s", error.sentence)  # noqa: TRY400 - no traceback: its frames hold a record
            with contextlib.suppress(SermentError):
                self._house().passage.alarms.ring(OUTBOX_BROKEN)


class Rounds:
    """Makes the probes that are due, on a thread of its own: a long one holds up nothing else."""

    def __init__(self, house: Callable[[], House], search_disk: Callable[[], DiskSearch | None]) -> None:
        self._house, self._search_disk = house, search_disk
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="rounds", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End with the probe that runs."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while not self._stop.wait(1.0):
            self.turn()

    def turn(self) -> None:
        """Do one round. What cannot be probed now grows old, and is shown as such."""
        try:
            self._house().probing.turn(self._search_disk)
        except (DependencyError, TooManyError, ConflictError):
            return
        except SermentError as error:
            log.error("probes: %s", error.sentence)  # noqa: TRY400 - no traceback: its frames hold a record


class Doorkeeper:
    """The house of a server: none until custody is open, none again once somebody locks it.

    Requests only ask `house`; a thread does the opening, and makes the checkpoints (each second or
    1 000 entries). Custody that is away, or a full disk, never stops care.
    """

    def __init__(self, settings: Settings, house: House | None = None) -> None:
        self._settings = settings
        self._house = house
        self._closed: SermentError = LockedError("custody.locked")
        self._custody = app.reach_custody(settings)
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
            app.unlock(self._settings, self._custody, passphrase)
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
            with contextlib.suppress(SermentError):
                self._put_away(ending=True)
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
        with contextlib.suppress(SermentError):
            self._put_away()
        with contextlib.suppress(SermentError):
            self._remind()
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

    def _put_away(self, *, ending: bool = False) -> None:
        """Put the lists of who works here into the register each minute; let go of drafts that are over."""
        if self._house is not None:
            self._house.acting.turn(ending=ending)
            self._house.worklists.turn(ending=ending)
            self._house.drafting.sweep()

    def _remind(self) -> None:
        """Ring while somebody's request has waited for more than a month."""
        if self._house is not None:
            self._house.questioning.remind()

    def _warm(self) -> None:
        """Keep the keys of today's unit list at hand, and tell who was shown, some of them each round."""
        house = self._house
        if house is None:
            return
        try:
            house.warming.turn()
        except IntegrityError as error:
            log.error("unit list: %s", error.sentence)  # noqa: TRY400 - no traceback: its frames hold a record
            house.passage.alarms.ring(UNIT_LIST_BROKEN)
        try:
            house.telling.turn()
        except IntegrityError as error:
            log.error("register: %s", error.sentence)  # noqa: TRY400 - no traceback: its frames hold a record
            house.passage.alarms.ring(REGISTER_BROKEN)

    def _look(self) -> None:
        with self._looking:
            self._follow(self._custody.state().phase)

    def _follow(self, phase: app.Phase) -> None:
        # Custody that died and came back locked closes nothing: records opened lately stay open.
        self._away = self._away and phase is not app.Phase.OPEN
        if self._house is None and phase is app.Phase.OPEN and not self._refused:
            self._open()
        elif self._house is not None and phase is app.Phase.LOCKED and not self._away:
            self._shut(self._house, LockedError("custody.locked"))
        elif self._house is not None and phase is app.Phase.OPEN and self._settings.worker == 0:
            self._checkpoint(self._house)

    def _open(self) -> None:
        try:
            self._house = app.open_house(self._settings)
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
    search_disk: Callable[[], DiskSearch | None],
    house: House | None = None,
    national: National | None = None,
) -> None:
    """Serve until interrupted. Without a house the server starts locked: it opens once custody is open.

    `national` is the national service of prescriptions: a demonstration brings its simulator.
    """
    door = Doorkeeper(settings, house)
    config = uvicorn.Config(
        application(door.house, search_disk, door.unlock, app.identity_providers(), national),
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=None if settings.certificate is None else settings.certificate / CERTIFICATE,
        ssl_keyfile=None if settings.certificate is None else settings.certificate / KEY,
    )
    door.start()
    messenger, rounds = Messenger(door.house), Rounds(door.house, search_disk)
    if settings.worker == 0:
        messenger.start()
        rounds.start()
    # Beside: what a signal raises while objects end would be swallowed here, and the server never stop.
    threading.Thread(target=_settle_memory, daemon=True).start()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()
        messenger.stop()
        rounds.stop()
        door.stop()

"""What every passage through the record needs, built once by `app` and passed as an argument.

Order: the keys of opened records, the passage itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from serment.access.policy import Policy
from serment.errors import IntegrityError, LockedError
from serment.keys.custody.contract import Custody, Phase
from serment.keys.installation import Installation
from serment.keys.record_keys import RecordKeys
from serment.ledger.append import Ledger, Trail, agree, standing
from serment.model import Instant, RecordToken, Regime, RequestId
from serment.record.acts import Acts
from serment.record.alarms import Alarms
from serment.record.asking import Asking
from serment.record.budget import Budget, Quota
from serment.record.gate import View, look_at
from serment.record.glances import Glanced, Glances
from serment.record.scanning import Scanner
from serment.record.spooling import Spooling
from serment.record.tracing import Traces
from serment.store.contract import EntryRow, Lead, Located, RecordRow, Snapshot, Store

HELD = 12 * 3600 * 1000
"""Milliseconds during which an opened record stays readable when custody is away (HOUSE section 5).

A clock that goes backwards by more than that closes it too.
"""

MOST_HELD = 4096

REFUSALS = 120
REFUSAL_WINDOW = 60 * 1000
"""An actor is refused at most `REFUSALS` times in `REFUSAL_WINDOW` ms: then each further request waits."""

SEARCHES = 60
WINDOW = 10 * 60 * 1000
"""An actor makes at most `SEARCHES` searches for people in `WINDOW` ms, conditions of creations included."""

KEYSTROKES = 600
"""An actor searches as they type at most so often in `WINDOW` ms."""

SHOWN = 2_000
DAY = 24 * 3600 * 1000
"""An actor who types is shown at most `SHOWN` different people in `DAY` ms: nobody lists people."""

DECOY = "decoy/decoy"
DIRECTORY = "directory"
QUARANTINE = "quarantine"
SYSTEM = "system"
UNIT_LIST = "unit list"
OUTBOX = "outbox"
PEOPLE = "people"
REGISTER = "register of patients"
"""References of the installation's own records; none is of the form `Type/id` of FHIR."""


@dataclass(slots=True)
class _Held:
    keys: RecordKeys
    epoch: int
    year: int
    used: Instant


class Keyring:
    """Unwrapped keys of records opened lately or `listed`, bound to the record's epoch and to the year."""

    def __init__(self, custody: Custody) -> None:
        self.custody = custody
        self.listed: frozenset[RecordToken] = frozenset()
        self.glances = Glances()
        self._held: OrderedDict[RecordToken, _Held] = OrderedDict()
        self._asked: OrderedDict[RequestId, None] = OrderedDict()
        self._lock = Lock()

    def held(self, record: RecordToken, epoch: int, now: Instant) -> RecordKeys | None:
        """Give keys that are at hand and still good."""
        with self._lock:
            held = self._held.get(record)
            if (
                held is None
                or held.epoch != epoch
                or held.year != year_of(now)
                or abs(now - held.used) > HELD
            ):
                return None
            held.used = now
            self._held.move_to_end(record)
            return held.keys

    def of(self, record: RecordToken, epoch: int, request: RequestId, now: Instant) -> RecordKeys:
        """Give the keys of one record, asking custody when they are not at hand.

        Raises `LockedError`, `CustodyError`.
        """
        keys = self.held(record, epoch, now)
        if keys is None:
            keys = RecordKeys(self.custody.unwrap(record, request, year_of(now)))
            self._note(request)
            self.hold(record, epoch, now, keys)
        return keys

    def hold(self, record: RecordToken, epoch: int, now: Instant, keys: RecordKeys) -> None:
        """Keep keys at hand; the oldest go when there are too many, those on today's unit list last."""
        with self._lock:
            self._held[record] = _Held(keys, epoch, year_of(now), now)
            self._held.move_to_end(record)
            self.glances.drop(record)
            while len(self._held) > MOST_HELD:
                oldest, kept = self._held.popitem(last=False)
                if oldest in self.listed and len(self.listed) < MOST_HELD:
                    self._held[oldest] = kept
                else:
                    self.glances.drop(oldest)

    def let_go(self, record: RecordToken, epoch: int) -> None:
        """Drop the keys of a record at an earlier epoch: they open nothing any more."""
        with self._lock:
            held = self._held.get(record)
            if held is not None and held.epoch < epoch:
                del self._held[record]
                self.glances.drop(record)

    def keep(self, glanced: Glanced) -> None:
        """Keep head and facts open beside the keys; nothing when the keys of that epoch are not at hand."""
        with self._lock:
            held = self._held.get(glanced.row.record)
            if held is not None and held.epoch == glanced.row.epoch:
                self.glances.keep(glanced)

    def begin(self, request: RequestId) -> None:
        """Begin one look of a request: what custody was asked before counts for another."""
        with self._lock:
            self._asked.pop(request, None)

    def asked(self, request: RequestId) -> bool:
        """Say whether custody was asked for keys since the request's look began."""
        return request in self._asked

    def ask(self, record: RecordToken, request: RequestId, now: Instant, *, counted: bool = True) -> None:
        """Ask custody though the keys are at hand, and drop what it gives: a refusal looks alike (ADR 29).

        Uncounted, custody is asked how it stands only. Raises `LockedError`, `CustodyError`, `TooManyError`.
        """
        if counted:
            self.custody.unwrap(record, request, year_of(now))
        elif self.custody.state().phase is not Phase.OPEN:
            raise LockedError("custody.locked")

    def _note(self, request: RequestId) -> None:
        with self._lock:
            self._asked[request] = None
            while len(self._asked) > MOST_HELD:
                self._asked.popitem(last=False)


class KeysAwayError(Exception):
    """The keys of a record are not at hand: custody is to be asked, off the event loop."""

    def __init__(self, record: RecordToken, epoch: int) -> None:
        self.record, self.epoch = record, epoch
        super().__init__("keys")


def year_of(now: Instant) -> int:
    """Give the UTC year of an instant: ledger keys are yearly."""
    return datetime.fromtimestamp(now / 1000, UTC).year


@dataclass(frozen=True, slots=True)
class Passage:
    """The parts of the house that a passage goes through. `clock` is read once at each door."""

    store: Store
    keyring: Keyring
    ledger: Ledger[EntryRow]
    spooling: Spooling
    policy: Policy
    installation: Installation
    regime: Regime
    clock: Callable[[], Instant]
    refusals: Budget = field(
        default_factory=lambda: Budget(REFUSALS, REFUSAL_WINDOW, "record.too-many-refusals")
    )
    searches: Budget = field(default_factory=lambda: Budget(SEARCHES, WINDOW, "record.too-many-searches"))
    keystrokes: Budget = field(default_factory=lambda: Budget(KEYSTROKES, WINDOW, "record.too-many-searches"))
    shown: Quota = field(default_factory=lambda: Quota(SHOWN, DAY, "record.too-many-shown"))
    alarms: Alarms = field(default_factory=Alarms)
    scanner: Scanner | None = None
    traces: Traces = field(init=False, repr=False)
    acts: Acts = field(default_factory=Acts, repr=False)
    decoy: bytes = field(init=False, repr=False)
    """Where an id that leads nowhere leads."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "traces", Traces(self.store, self.ledger))
        object.__setattr__(self, "decoy", self.installation.locator(DECOY))

    def resolve(self, snapshot: Snapshot, reference: str, part: str = "") -> tuple[Located, bool]:
        """Find where `Type/id` leads; an id that leads nowhere leads to the decoy record.

        The statements are the same in both cases, so that neither time nor work tells them apart.
        Raises `IntegrityError` when the decoy is gone.
        `part` names the cut half of a person; a "#" that somebody wrote in an id names nothing.
        """
        located, decoy = snapshot.locate_two(self._locator(reference, part), self.decoy)
        if decoy is None:
            raise IntegrityError("record.row-missing")  # made at init: somebody took it away
        return (decoy, False) if located is None else (located, True)

    def lead(self, snapshot: Snapshot, reference: str) -> Lead:
        """Do what `resolve` says, and bring the rows that stand there: one statement for all of it."""
        lead, decoy = snapshot.lead_two(self._locator(reference), self.decoy)
        if decoy is None:
            raise IntegrityError("record.row-missing")
        return decoy if lead is None else lead

    def _locator(self, reference: str, part: str = "") -> bytes:
        name = f"{reference}#{part}" if part else reference.replace("#", "/")
        return self.installation.locator(name)

    def view(self, snapshot: Snapshot, asking: Asking, record: RecordToken, *, at_hand: bool = False) -> View:
        """Look at one record for one request, and hold it against the ledger.

        Raises `KeysAwayError` in place of asking custody when `at_hand` is set and the keys are not.
        """
        return self.view_of(snapshot, asking, record, snapshot.record(record), at_hand=at_hand)

    def view_of(
        self,
        snapshot: Snapshot,
        asking: Asking,
        record: RecordToken,
        row: RecordRow | None,
        *,
        at_hand: bool = False,
    ) -> View:
        """Do what `view` says of a row that was read in this snapshot."""
        epoch = -1 if row is None else row.epoch
        keys = self.keyring.held(record, epoch, asking.now)
        if keys is None:
            if at_hand:
                raise KeysAwayError(record, epoch)
            keys = self.keyring.of(record, epoch, asking.request, asking.now)
        kept = None if row is None else self.keyring.glances.of(row)
        view = look_at(row, asking, record, keys, self.policy, kept)
        if kept is None and view.row is not None:
            self.keyring.keep(Glanced(view.row, view.head, view.facts))
        view.clock, view.begun = self.clock, self.clock()
        agree(standing(snapshot, Trail(record, keys.trail, keys.year)), view.mark)
        return view

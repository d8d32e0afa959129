"""Custody seen from the server: the contract over the socket, and starting the process.

Calls are synchronous and may be made from several threads; each takes an idle connection or opens
one. No call is sent twice: after a timeout the caller cannot know whether it was done, and asks again
if it wants to (`make` takes a fresh token). Above its budget custody answers late on purpose.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from serment.errors import CustodyError, IntegrityError, MalformedError
from serment.keys.custody import calls, frames
from serment.keys.custody.contract import Remembered, Slot, State, StoreKind
from serment.keys.material import RecordKind, Secrets, TraceMaterial, Unwrapped
from serment.model import RecordToken, RequestId

T = TypeVar("T")

_PAGE = 10_000
_IDLE = 8
_ORPHANS_ALWAYS_SWEPT = 16


class CustodyClient:
    """The contract `Custody` over the Unix socket of `directory`. Times are in seconds."""

    def __init__(self, directory: Path, timeout: float = 10.0, passphrase_timeout: float = 120.0) -> None:
        self._directory = directory
        self._timeout = timeout
        self._passphrase_timeout = passphrase_timeout
        self._idle: list[socket.socket] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "CustodyClient(…)"

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def state(self) -> State:
        """See `Custody.state`."""
        return self._ask(calls.GetState(), State)

    def init(self, passphrase: str, kind: StoreKind) -> State:
        """See `Custody.init`."""
        return self._ask(calls.Init(passphrase, kind), State, self._passphrase_timeout)

    def unlock(self, passphrase: str, store: bytes | None = None) -> State:
        """See `Custody.unlock`."""
        return self._ask(calls.Unlock(passphrase, store), State, self._passphrase_timeout)

    def lock(self) -> None:
        """See `Custody.lock`."""
        self._ask(calls.Lock(), type(None))

    def add_slot(self, passphrase: str, name: str, new: str) -> Slot:
        """See `Custody.add_slot`."""
        return self._ask(calls.AddSlot(passphrase, name, new), Slot, self._passphrase_timeout)

    def remove_slot(self, passphrase: str, slot: int) -> None:
        """See `Custody.remove_slot`."""
        self._ask(calls.RemoveSlot(passphrase, slot), type(None), self._passphrase_timeout)

    def list_slots(self) -> tuple[Slot, ...]:
        """See `Custody.list_slots`."""
        return tuple(self._ask(calls.ListSlots(), list[Slot]))

    def make(self, record: RecordToken, kind: RecordKind, year: int) -> Unwrapped:
        """See `Custody.make`."""
        return self._ask(calls.Make(record, kind, year), Unwrapped)

    def make_all(self, records: Sequence[RecordToken], kind: RecordKind, year: int) -> tuple[Unwrapped, ...]:
        """See `Custody.make_all`."""
        return tuple(self._ask(calls.MakeAll(list(records), kind, year), list[Unwrapped]))

    def unwrap(self, record: RecordToken, request: RequestId, year: int) -> Unwrapped:
        """See `Custody.unwrap`."""
        return self._ask(calls.Unwrap(record, request, year), Unwrapped)

    def year_keys(self, record: RecordToken) -> TraceMaterial:
        """See `Custody.year_keys`."""
        return self._ask(calls.YearKeys(record), TraceMaterial)

    def destroy(self, record: RecordToken) -> None:
        """See `Custody.destroy`."""
        self._ask(calls.Destroy(record), type(None))

    def sweep(self, known: Callable[[RecordToken], bool], before_hour: int) -> int:
        """See `Custody.sweep`. The whole list is read before the first key is forgotten."""
        orphans: list[bytes] = []
        seen = 0
        for page in self._pages(before_hour):
            seen += len(page)
            orphans += [record for record in page if not known(RecordToken(record))]
        if len(orphans) > max(_ORPHANS_ALWAYS_SWEPT, seen // 10):
            raise IntegrityError("custody.too-many-orphans", orphans=len(orphans), records=seen)
        return sum(
            self._ask(calls.Forget(orphans[start : start + _PAGE], before_hour), int)
            for start in range(0, len(orphans), _PAGE)
        )

    def installation(self) -> Secrets:
        """See `Custody.installation`."""
        return self._ask(calls.Installation(), Secrets)

    def sign(self, size: int, root: bytes, origin: str) -> bytes:
        """See `Custody.sign`."""
        return self._ask(calls.Sign(size, root, origin), bytes)

    def remembered(self) -> Remembered | None:
        """See `Custody.remembered`."""
        found = self._ask(calls.GetRemembered(), list[Remembered])
        return found[0] if found else None

    def _pages(self, before_hour: int) -> Iterator[list[bytes]]:
        after = b""
        while page := self._ask(calls.Candidates(after, before_hour, _PAGE), list[bytes]):
            yield page
            after = page[-1]

    def _ask(self, call: calls.Call, given: type[T], timeout: float | None = None) -> T:
        """Make one call. Raises what custody raised, or `CustodyError` when it does not answer."""
        with self._connection(timeout or self._timeout) as connection:
            frames.send(connection, calls.encode(call))
            answer = calls.decode_answer(frames.receive(connection) or b"")
            if isinstance(answer, calls.Done):
                return msgspec.msgpack.decode(answer.value, type=given)
        raise answer.error_class()(answer.sentence, **answer.parameters)

    @contextmanager
    def _connection(self, timeout: float) -> Iterator[socket.socket]:
        """Lend a connection; one that failed is closed, not lent again."""
        connection = self._taken() or self._connected(timeout)
        try:
            connection.settimeout(timeout)
            yield connection
        except (OSError, MalformedError, msgspec.MsgspecError, UnicodeDecodeError):
            connection.close()
            raise CustodyError("custody.unreachable") from None
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)

    def _taken(self) -> socket.socket | None:
        """Take an idle connection that custody has not closed since."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if _quiet(connection):
                return connection
            connection.close()

    def _give_back(self, connection: socket.socket) -> None:
        with self._lock:
            if len(self._idle) < _IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _connected(self, timeout: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            folder = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                connection.connect(frames.address(self._directory, folder))
            finally:
                os.close(folder)
        except OSError:
            connection.close()
            raise CustodyError("custody.unreachable") from None
        return connection


def _quiet(connection: socket.socket) -> bool:
    """Say whether nothing waits on an idle connection: neither bytes nor its end."""
    readable, _, _ = select.select([connection], [], [], 0)
    return not readable


@dataclass(frozen=True, slots=True)
class CustodyProcess:
    """A custody that this process started."""

    process: subprocess.Popen[bytes]
    directory: Path

    def stop(self, timeout: float = 10.0) -> None:
        """Ask it to end, and wait."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)
        if self.process.poll() is None:
            self.process.kill()
        self._collect()

    def kill(self) -> None:
        """End it as a crash would (kill -9), and wait."""
        self.process.kill()
        self._collect()

    def _collect(self) -> None:
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


def start(directory: Path, *options: str, timeout: float = 20.0) -> CustodyProcess:
    """Start custody as its own process and wait until it listens.

    It ends with this process, even a killed one: its standard input is a pipe that nobody else
    holds. `options` are those of `python -m serment.keys.custody`. Raises `CustodyError`.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    ready, told = os.pipe()
    try:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "serment.keys.custody",
                str(directory),
                f"--ready={told}",
                "--tied",
                *options,
            ],
            stdin=subprocess.PIPE,
            pass_fds=(told,),
            start_new_session=True,  # Ctrl-C is for the server, which still needs keys to end well
        )
    finally:
        os.close(told)
    started = CustodyProcess(process, directory)
    with os.fdopen(ready, "rb") as pipe:
        readable, _, _ = select.select([pipe], [], [], timeout)
        if not readable or not pipe.read(1):
            raise _why_not(started)
    return started


def _why_not(started: CustodyProcess) -> CustodyError | IntegrityError:
    """Say why custody did not start: it ends with the exit code of what went wrong."""
    with suppress(subprocess.TimeoutExpired):
        started.process.wait(1.0)
    started.kill()
    if started.process.returncode == IntegrityError.exit_code:
        return IntegrityError("custody.file-broken")
    return CustodyError("custody.not-started")

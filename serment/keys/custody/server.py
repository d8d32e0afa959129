"""The socket of custody: who may connect, one thread for each connection, one answer for each frame.

Order: the listening, one connection, one call. Only processes of the allowed users are heard
(`SO_PEERCRED`, checked by the kernel); the socket file itself is closed to everybody else.
An error that nobody foresaw is answered as `CustodyError` and named by its type only: its message
could carry a key.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from serment.errors import CustodyError, MalformedError, SermentError
from serment.keys.custody import calls, frames
from serment.keys.custody.vault import Vault
from serment.model import RecordToken, RequestId

_CONNECTIONS = 64
_FRAME_SECONDS = 30.0

_WHAT: dict[type[calls.Call], Callable[[Vault, Any], object]] = {
    calls.GetState: lambda vault, _: vault.state(),
    calls.Init: lambda vault, call: vault.init(call.passphrase, call.kind),
    calls.Unlock: lambda vault, call: vault.unlock(call.passphrase, call.store),
    calls.Lock: lambda vault, _: vault.lock(),
    calls.AddSlot: lambda vault, call: vault.add_slot(call.passphrase, call.name, call.new),
    calls.RemoveSlot: lambda vault, call: vault.remove_slot(call.passphrase, call.slot),
    calls.ListSlots: lambda vault, _: vault.list_slots(),
    calls.Make: lambda vault, call: vault.make(RecordToken(call.record), call.kind, call.year),
    calls.MakeAll: lambda vault, call: vault.make_all(
        [RecordToken(record) for record in call.records], call.kind, call.year
    ),
    calls.Unwrap: lambda vault, call: vault.unwrap(
        RecordToken(call.record), RequestId(call.request), call.year
    ),
    calls.YearKeys: lambda vault, call: vault.year_keys(RecordToken(call.record)),
    calls.Destroy: lambda vault, call: vault.destroy(RecordToken(call.record)),
    calls.Candidates: lambda vault, call: vault.candidates(call.after, call.before_hour, call.limit),
    calls.Forget: lambda vault, call: vault.forget(call.records, call.before_hour),
    calls.Installation: lambda vault, _: vault.installation(),
    calls.Sign: lambda vault, call: vault.sign(call.size, call.root, call.origin),
    calls.GetRemembered: lambda vault, _: [found] if (found := vault.remembered()) else [],
}


def answer(vault: Vault, frame: bytes) -> bytes:
    """Answer one frame. Never raises: what goes wrong is the answer."""
    try:
        call = calls.decode_call(frame)
        value = calls.encode(_WHAT[type(call)](vault, call))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return calls.encode(calls.Failed.of(MalformedError("custody.bad-call")))
    except SermentError as error:
        return calls.encode(calls.Failed.of(error))
    except Exception as error:
        sys.stderr.write(f"custody: {type(error).__name__} in a call\n")
        return calls.encode(calls.Failed.of(CustodyError("custody.broken")))
    return calls.encode(calls.Done(msgspec.Raw(value)))


@dataclass(slots=True)
class Server:
    """A listening socket in `directory`, and the lock that keeps a second custody out."""

    directory: Path
    vault: Vault
    users: frozenset[int]
    _listener: socket.socket = field(init=False)
    _places: threading.Semaphore = field(
        init=False, default_factory=lambda: threading.Semaphore(_CONNECTIONS)
    )

    _heard: set[socket.socket] = field(init=False, default_factory=set)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)
    _stopping: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        folder = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._listener = _listening(frames.address(self.directory, folder), self._mode())
        finally:
            os.close(folder)

    def _mode(self) -> int:
        # Another user can only connect if the file lets it; SO_PEERCRED then says who it is.
        return 0o600 if self.users == {os.getuid()} else 0o666

    def serve(self) -> None:
        """Hear connections until `stop`."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if self._stopping:
                    return
                continue
            if _user(connection) in self.users and self._places.acquire(blocking=False):
                threading.Thread(target=self._hear, args=(connection,), daemon=True).start()
            else:
                connection.close()

    def stop(self) -> None:
        """End `serve`; safe from a signal handler."""
        self._stopping = True
        _hang_up(self._listener)

    def close(self) -> None:
        """End every conversation; close and remove the socket."""
        self._listener.close()
        with self._lock:
            for connection in self._heard:
                _hang_up(connection)
        (self.directory / frames.SOCKET).unlink(missing_ok=True)

    def _hear(self, connection: socket.socket) -> None:
        with self._lock:
            self._heard.add(connection)
        try:
            # The other side may go away at any moment: nothing is owed to it then.
            with suppress(OSError), connection:
                converse(self.vault, connection)
        finally:
            with self._lock:
                self._heard.discard(connection)
            self._places.release()


def converse(vault: Vault, connection: socket.socket) -> None:
    """Answer frame after frame until the other side closes or sends what is not a frame."""
    while connection.recv(1, socket.MSG_PEEK):
        connection.settimeout(_FRAME_SECONDS)
        try:
            frame = frames.receive(connection)
        except MalformedError as error:
            frames.send(connection, calls.encode(calls.Failed.of(error)))
            return
        if frame is None:
            return
        frames.send(connection, answer(vault, frame))
        connection.settimeout(None)


def alone(directory: Path) -> int:
    """Take the lock of `directory`, so that only one custody runs there. Raises `CustodyError`."""
    lock = os.open(directory / "custody.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise CustodyError("custody.already-running") from None
    return lock


def _listening(address: str, mode: int) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    Path(address).unlink(missing_ok=True)
    before = os.umask(0o777 & ~mode)
    try:
        listener.bind(address)
    finally:
        os.umask(before)
    listener.listen(_CONNECTIONS)
    return listener


def _hang_up(end: socket.socket) -> None:
    """Wake whoever waits on a socket; closing alone would not."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def _user(connection: socket.socket) -> int:
    """Give the user id of the process at the other end, as the kernel knows it."""
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(user)

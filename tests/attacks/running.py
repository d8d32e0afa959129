"""A served installation in a process of its own: what a machine looks like from outside.

`python -m tests.attacks.running FOLDER` makes it, prints one JSON line (address, tokens, ids, process
numbers) and serves until its input ends. `machine` runs that and keeps what it writes on both outputs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from serment.model import Purpose
from serment.record.founding import FOUNDER
from tests.doors.served import served
from tests.stores.server import server as postgresql

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Machine:
    """The running installation: where it stands, who may knock, and the numbers of its processes.

    `database` is where a PostgreSQL server beside it keeps everything: tables, WAL and log.
    """

    folder: Path
    outputs: Path
    temporary: Path
    address: str
    tokens: dict[str, str]
    patient: str
    processes: tuple[int, ...]
    database: tuple[Path, ...] = ()

    def files(self) -> list[Path]:
        """List what a thief finds: data, spool, temporary files, outputs, and files open elsewhere."""
        found = [
            path
            for root in (self.folder, self.outputs, self.temporary, *self.database)
            for path in sorted(root.rglob("*"))
            if path.is_file()
        ]
        return found + [path for process in self.processes for path in _open_elsewhere(process, self.folder)]


def _open_elsewhere(process: int, folder: Path) -> list[Path]:
    """List the regular files that a process holds open outside `folder`, deleted and nameless ones too."""
    found: list[Path] = []
    for path in sorted(Path(f"/proc/{process}/fd").iterdir()):
        try:
            target = os.readlink(path)
        except OSError:
            continue
        named = target.removesuffix(" (deleted)")
        inside = named.startswith(str(folder)) and not target.endswith(" (deleted)")
        if path.is_file() and not inside and not named.startswith(("/usr/", "/dev/", "/proc/")):
            found.append(path)
    return found


@contextmanager
def machine(root: Path) -> Iterator[Machine]:
    """Start an installation below `root` in a process of its own, with a temporary folder of its own."""
    outputs, temporary, folder = (root / name for name in ("outputs", "tmp", "data"))
    for path in (outputs, temporary, folder):
        path.mkdir()
    with (outputs / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.attacks.running", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)},
        )
        if process.stdout is None:
            raise RuntimeError("the server has no output")
        said: dict[str, Any] = json.loads(process.stdout.readline())
        try:
            yield Machine(
                folder,
                outputs,
                temporary,
                said["address"],
                said["tokens"],
                said["patient"],
                (process.pid, int(said["custody"])),
                tuple(map(Path, said["database"])),
            )
        finally:
            rest, _ = process.communicate(timeout=60)
            (outputs / "stdout").write_bytes(rest)


def main(folder: Path) -> None:
    """Serve until the input ends."""
    with served(folder) as server:
        deposit = replace(FOUNDER, structure=server.installation.staff("attending").structure)
        tokens = {
            "service": server.token(deposit, Purpose.RECORD_MANAGEMENT),
            "patient": server.token(server.patient_actor()),
            **{
                role: server.token(server.installation.staff(role))
                for role in ("attending", "team-doctor", "officer")
            },
        }
        said = {
            "address": server.address,
            "tokens": tokens,
            "patient": server.record(),
            "custody": server.installation.custody.process.pid,
            "database": [str(postgresql().folder)] if server.installation.settings.store else [],
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

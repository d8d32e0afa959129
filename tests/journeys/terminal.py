"""A terminal for journeys: the installed program, run as a person or a script runs it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from serment.cli import main

PROGRAM = Path(sys.executable).with_name("serment")
PASSPHRASE = "cheval agrafe batterie correct"

CONTROLLING = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes standard input the terminal of the session, as a login does: a passphrase is asked there."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """Read the JSON object."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@dataclass(frozen=True, slots=True)
class Terminal:
    """One person's terminal on one installation, in one language."""

    home: Path
    language: str = "C.UTF-8"

    @property
    def directory(self) -> Path:
        return self.home / "installation"

    def secret(self, text: str = PASSPHRASE, name: str = "passphrase") -> str:
        """Write a secret that its owner alone can read, and give its path."""
        path = self.home / name
        path.touch(mode=0o600)
        path.write_text(f"{text}\n", "utf-8")
        return str(path)

    def run(self, *words: str, typed: str | None = None) -> Said:
        """Run one command to its end."""
        done = subprocess.run(
            [PROGRAM, *words], env=self._environment(), input=typed, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    def call(self, *words: str) -> Said:
        """Run one command inside this process: the same tree, without the start of an interpreter."""
        at = () if "-d" in words or "--url" in words else ("-d", str(self.directory))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main.run([*words, *at])
        return Said(code, out.getvalue(), err.getvalue())

    def typing(self, *words: str, answers: Sequence[str]) -> Said:
        """Run one command in a terminal of its own and type an answer to each of its questions."""
        mine, its = os.openpty()
        with subprocess.Popen(
            [sys.executable, "-c", CONTROLLING, str(PROGRAM), *words],
            env=self._environment(), stdin=its, stdout=its, stderr=its, start_new_session=True,
        ) as process:  # fmt: skip
            os.close(its)
            shown = b""
            for answer in answers:
                while not shown.endswith(b": "):
                    shown += os.read(mine, 1024)
                os.write(mine, f"{answer}\n".encode())
                shown += b"\n"
            shown += b"".join(iter(partial(_read, mine), b""))
        os.close(mine)
        return Said(process.returncode, shown.decode(), "")

    @contextmanager
    def running(self, *words: str) -> Iterator[dict[str, Any]]:
        """Run a command that serves until it is stopped; gives the object that says it is ready."""
        with subprocess.Popen(
            [PROGRAM, *words, "--json"], env=self._environment(), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                yield json.loads(process.stdout.readline())
            finally:
                process.terminate()
                try:
                    process.wait(30)
                finally:
                    process.kill()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SERMENT_", "LC_"))}
        return {**kept, "LANG": self.language, "SERMENT_DIR": str(self.directory)}


def _read(terminal: int) -> bytes:
    """Read what the program wrote; nothing more comes once it has ended."""
    try:
        return os.read(terminal, 1024)
    except OSError:
        return b""


def made(home: Path, *options: str) -> Terminal:
    """Make an installation by the command line."""
    terminal = Terminal(home)
    said = terminal.run("init", *options, "--passphrase-file", terminal.secret())
    assert said.code == 0, said.err
    return terminal

"""Several server processes on one port: `serve` starts them, keeps them running and ends them.

Each is a whole server with its own writer, its own keys at hand and its own doorkeeper; what they share is
on the disk and in custody (the store orders their writes, each request reads the epochs there). What is
counted in memory (refusals, searches) is divided among them. A worker is told its settings by its standard
input, a pipe that this process holds open: when it closes, whatever the reason, the worker ends.

Order: one worker, all of them, what a worker runs (`python -m serment.workers`).
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, BinaryIO, cast

import msgspec

from serment import app, serving
from serment.settings import Settings

log = logging.getLogger("serment")

GOODBYE = 40.0
"""Seconds that a worker has to end the requests that run."""

SOON = 5.0
MOST_PAUSE = 30.0
"""A worker that ends within `SOON` seconds of its start waits before the next one: 1, 2, 4, … seconds."""


@dataclass(slots=True)
class _Worker:
    """One process, and when it may be started again."""

    settings: Settings
    process: subprocess.Popen[bytes] = field(init=False)
    began: float = field(init=False)
    pause: float = 0.0

    def start(self, ended: SimpleQueue[_Worker]) -> None:
        """Start the process; `ended` hears of its end."""
        self.began = monotonic()
        self.process = subprocess.Popen([sys.executable, "-m", "serment.workers"], stdin=subprocess.PIPE)
        self._lifeline.write(msgspec.json.encode(self.settings, enc_hook=str) + b"\n")
        self._lifeline.flush()
        Thread(target=self._watch, args=(self.process, ended), daemon=True).start()

    def next_pause(self) -> float:
        """Say how long to wait before the next start, in seconds."""
        soon = monotonic() - self.began < SOON
        self.pause = min(MOST_PAUSE, max(1.0, 2 * self.pause)) if soon else 0.0
        return self.pause

    def let_go(self) -> None:
        """Close the pipe: the worker ends the requests that run, and itself."""
        with suppress(OSError):
            self._lifeline.close()

    def end(self) -> None:
        """Wait for the end, and make it after `GOODBYE` seconds."""
        try:
            self.process.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _watch(self, process: subprocess.Popen[bytes], ended: SimpleQueue[_Worker]) -> None:
        process.wait()
        ended.put(self)

    @property
    def _lifeline(self) -> BinaryIO:
        return cast(BinaryIO, self.process.stdin)


def serve(settings: Settings, started: Callable[[list[int]], None] = lambda _: None) -> None:
    """Run `settings.workers` servers on a port that `app.reserve` holds, until interrupted.

    One that ends is started again. `started` is told their process numbers, at each start.
    """
    ended: SimpleQueue[_Worker] = SimpleQueue()
    workers = [_Worker(replace(settings, worker=number)) for number in range(settings.workers)]
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        for worker in workers:
            worker.start(ended)
        started([worker.process.pid for worker in workers])
        while True:
            lost = ended.get()
            log.error("server process %d ended with %d", lost.settings.worker, lost.process.returncode)
            lost.let_go()
            _wait(ended, lost.next_pause())
            lost.start(ended)
            started([worker.process.pid for worker in workers])
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
        for worker in workers:
            worker.let_go()
        for worker in workers:
            worker.end()


def _wait(ended: SimpleQueue[_Worker], seconds: float) -> None:
    """Wait; who ends meanwhile is heard of afterwards."""
    until, heard = monotonic() + seconds, []
    while (left := until - monotonic()) > 0:
        with suppress(Empty):
            heard.append(ended.get(timeout=left))
    for worker in heard:
        ended.put(worker)


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _path(kind: type[Any], value: Any) -> Any:
    """Read a path: the one kind of the settings that JSON does not know."""
    if kind is not Path:
        raise TypeError(kind.__name__)
    return Path(value)


def main() -> None:
    """Be one worker: read the settings, serve until the pipe closes or somebody interrupts."""
    lifeline = sys.stdin.buffer
    settings = msgspec.json.decode(lifeline.readline(), type=Settings, dec_hook=_path)

    def follow() -> None:
        lifeline.read()
        os.kill(os.getpid(), signal.SIGINT)

    Thread(target=follow, daemon=True).start()
    serving.serve(settings, app.share(settings), lambda: None)


if __name__ == "__main__":
    main()

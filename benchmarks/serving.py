"""The real server over an installation, in a process of its own: `python -m benchmarks.serving DIR PORT`.

`SERMENT_BENCH_PROFILE=FILE` writes what cProfile saw of its event loop there; `sampled` has the stacks kept
where its processor time went, from the signal `START` on.

`serving` starts it and waits until it answers. Custody must run and be unlocked.
"""

from __future__ import annotations

import cProfile
import http
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.sampling import Sampler
from serment import app, settings
from serment import serving as server
from serment import workers as several
from serment.settings import Settings

PLAIN = "SERMENT_BENCH_PLAIN"
"""Set where the server is to be measured without its secrets (`benchmarks.plain`)."""

FLAME = "SERMENT_BENCH_FLAME"
"""The file where a server leaves what it sampled of itself."""

START = signal.SIGUSR1


@contextmanager
def sampled(file: Path) -> Iterator[None]:
    """Let servers that start meanwhile sample themselves into a file, from the signal `START` on."""
    os.environ[FLAME] = str(file)
    try:
        yield
    finally:
        del os.environ[FLAME]


@contextmanager
def serving(chosen: Settings, workers: int = 1, seconds: float = 30.0) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the installation of `chosen` from another process, or from several on one port."""
    module, where = "benchmarks.serving", [str(chosen.directory), str(chosen.port)]
    command = [sys.executable, "-m", module, *where, str(workers), chosen.store]
    with subprocess.Popen(command) as process:
        try:
            _wait(chosen, 16 * workers, time.monotonic() + seconds)
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def _wait(chosen: Settings, answers: int, until: float) -> None:
    """Wait for so many answers in a row of a server that is open.

    The system gives each connection to one of the processes: many answers are an answer of each.
    """
    ready = 0
    while ready < answers:
        try:
            connection = http.client.HTTPConnection(chosen.host, chosen.port, timeout=1)
            connection.request("GET", "/readyz")
            ready = ready + 1 if connection.getresponse().status == http.HTTPStatus.OK else 0
            connection.close()
        except OSError:
            ready = 0
        if not ready:
            if time.monotonic() > until:
                raise TimeoutError("the server did not open")
            time.sleep(0.05)


def main(directory: str, port: str, workers: str, store: str) -> None:
    """Open the installation and serve it until terminated, with one process or several."""
    if os.environ.get(PLAIN):
        from benchmarks.plain import strip

        strip()
    read = settings.read({"SERMENT_STORE": store}, Path(directory), int(port))
    chosen = replace(read, workers=int(workers))
    if chosen.workers > 1:
        with app.reserve(chosen):
            several.serve(chosen)
        return
    listener = socket.create_server((chosen.host, chosen.port))
    with looked_at():
        server.serve(chosen, listener, lambda: None, app.open_house(chosen))


@contextmanager
def looked_at() -> Iterator[None]:
    """Profile or sample this process, where its environment says so."""
    profiled, flame = os.environ.get("SERMENT_BENCH_PROFILE"), os.environ.get(FLAME)
    profile, sampler = cProfile.Profile(), Sampler()
    if flame:
        signal.signal(START, sampler.start)
    if profiled:
        profile.enable()
    yield
    if profiled:
        profile.disable()
        profile.dump_stats(profiled)
    if flame:
        sampler.stop()
        Path(flame).write_text(sampler.collapsed(), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Steps made ready in their order: in this process, or by workers beside it, with the same result.

A worker reads and makes ready; ids are named here, for the key that names them never leaves this process.
Jobs go ahead of what is written, bounded in number and bytes; names are told, and results given, strictly
in the order of the source, so that the directory that a piece knows is the same however many work.

Order: what is given, alone, the workers. One worker that ends, for whatever reason, ends the import with
an error: what was written stands, and the next run goes on from there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import BinaryIO, cast

import msgspec

from serment.errors import DependencyError
from serment.intake.import_ import prepare
from serment.intake.import_.jobs import read
from serment.intake.import_.messages import (
    Answers,
    Failed,
    FromWorker,
    Job,
    Ready,
    ToWorker,
    decode_answer,
    receive,
    send,
)
from serment.intake.import_.naming import Directory, Known, Wanted
from serment.intake.import_.prepare import Made
from serment.intake.import_.sources import Broken
from serment.intake.import_.steps import Step

WORKER = "serment.intake.import_.worker"
MOST_WORKERS = 4
AHEAD = 3
"""Jobs for each worker that are not taken yet: one made ready, one that waits for names, one to read."""
MOST_AHEAD = 64 * 1024 * 1024
"""Bytes of the source ahead of what is written, unless one job alone has more."""

_GOODBYE = 5.0
_NOTHING = Made(0, [])


@dataclass(frozen=True, slots=True)
class Taken:
    """A step made ready. `people` are the professionals that it brings: reference → actor id, "" for none."""

    step: Step
    made: Made
    people: dict[str, str] = field(default_factory=dict, repr=False)


Making = Callable[[Iterable[Step], Directory], Iterator[Taken]]
"""How steps are made ready: `alone`, or by workers."""


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def alone(steps: Iterable[Step], directory: Directory) -> Iterator[Taken]:
    """Make steps ready one after the other, in this process."""
    for step in steps:
        job = job_of(step, 0)
        if job is None:
            yield Taken(step, _at_once(step, directory))
            continue
        piece = read(job)
        wanted = prepare.wanted(piece)
        known = Known.of(wanted, directory.answer(wanted))
        yield Taken(step, prepare.made(piece, known, step.now), directory.people(wanted))


def job_of(step: Step, number: int) -> Job | None:
    """Write the job of a step; None when there is nothing to read."""
    match step.content:
        case bytes() as raw:
            return Job.of_bundle(number, raw, step.now)
        case list() as lines:
            return Job.of_lines(number, lines, step.portion.phase, step.now)
        case _:
            return None


def _at_once(step: Step, directory: Directory) -> Made:
    """Give what a step without anything to read is made into."""
    if not isinstance(step.content, Broken):
        return _NOTHING
    return prepare.broken(step.portion.path, step.content.reason, Known(directory.name))


class _Worker:
    """One process, a thread that talks to it and one that listens: neither side ever waits for the other."""

    def __init__(self, heard: SimpleQueue[bytes | None]) -> None:
        command = [sys.executable, "-m", WORKER, str(os.getpid())]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.jobs = cast(BinaryIO, self.process.stdin)
        self.answers = cast(BinaryIO, self.process.stdout)
        self.said: SimpleQueue[ToWorker | None] = SimpleQueue()
        self.busy = 0
        self.threads = [
            Thread(target=self._talk, daemon=True),
            Thread(target=self._listen, args=(heard,), daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def _talk(self) -> None:
        # A worker that is gone is heard of by the other thread.
        with suppress(OSError, ValueError):
            while (message := self.said.get()) is not None:
                send(self.jobs, message)
        with suppress(OSError):
            self.jobs.close()

    def _listen(self, heard: SimpleQueue[bytes | None]) -> None:
        with suppress(OSError, ValueError, DependencyError):
            while (frame := receive(self.answers)) is not None:
                heard.put(frame)
        heard.put(None)

    def end(self, *, at_once: bool) -> None:
        """Let the process end, or end it."""
        if at_once:
            self.process.kill()
        self.said.put(None)
        try:
            self.process.wait(_GOODBYE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for thread in self.threads:
            thread.join()
        self.answers.close()


@dataclass(slots=True)
class _Open:
    """A job under way. `told` says that its names were given, or that it needs none."""

    step: Step
    at: _Worker | None
    size: int
    told: bool = False
    wanted: Wanted | None = None
    people: dict[str, str] = field(default_factory=dict)
    made: Made | None = None


class Workers:
    """Processes that read for one import. A context manager: they end with it."""

    def __init__(self, count: int) -> None:
        self._heard: SimpleQueue[bytes | None] = SimpleQueue()
        self._workers = [_Worker(self._heard) for _ in range(count)]
        self._open: dict[int, _Open] = {}
        self._given = 0

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._workers:
            one.end(at_once=error is not None)

    @property
    def processes(self) -> list[int]:
        """The ids of the processes."""
        return [one.process.pid for one in self._workers]

    def made(self, steps: Iterable[Step], directory: Directory) -> Iterator[Taken]:
        """Make steps ready in their order. Raises `DependencyError` when a worker ends or fails."""
        left = iter(steps)
        while True:
            self._go_ahead(left, directory)
            if not self._open:
                return
            number, first = next(iter(self._open.items()))
            while first.made is None:
                self._hear(directory)
            del self._open[number]
            yield Taken(first.step, first.made, first.people)

    def _go_ahead(self, steps: Iterator[Step], directory: Directory) -> None:
        """Give jobs away as long as there is room for what they hold."""
        while len(self._open) < AHEAD * len(self._workers):
            if sum(one.size for one in self._open.values()) > MOST_AHEAD:
                return
            step = next(steps, None)
            if step is None:
                return
            self._given += 1
            job = job_of(step, self._given)
            if job is None:
                made = _at_once(step, directory)
                self._open[self._given] = _Open(step, None, 0, told=True, made=made)
            else:
                self._give(step, job)

    def _give(self, step: Step, job: Job) -> None:
        """Give a job to the worker that has the least to do."""
        chosen = min(self._workers, key=lambda one: one.busy)
        chosen.busy += job.size
        chosen.said.put(job)
        self._open[job.number] = _Open(step, chosen, job.size)

    def _hear(self, directory: Directory) -> None:
        """Wait for the next thing that a worker says."""
        frame = self._heard.get()
        if frame is None:
            raise DependencyError("importing.worker-ended")
        said = _decoded(frame)
        if isinstance(said, Failed):
            raise DependencyError("importing.worker-failed", fault=said.fault)
        one = self._open[said.number]
        if isinstance(said, Ready):
            one.made = said.made()
            if one.at is not None:
                one.at.busy -= one.size
        else:
            one.wanted = said.wanted
            self._tell(directory)

    def _tell(self, directory: Directory) -> None:
        """Tell jobs their names, in the order of the source: each knows what came before it, and no more."""
        for number, one in self._open.items():
            if one.told:
                continue
            if one.wanted is None or one.at is None:
                return
            one.people = directory.people(one.wanted)
            one.at.said.put(Answers(number, directory.answer(one.wanted)))
            one.told, one.wanted = True, None


def _decoded(frame: bytes) -> FromWorker:
    try:
        return decode_answer(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise DependencyError("importing.worker-failed", fault="MsgspecError") from None

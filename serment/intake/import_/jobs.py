"""A job done: read, then, once its names are known, made ready. The same in this process and in a worker.

Nothing is named, decided or written here.
"""

from __future__ import annotations

from serment.intake.import_ import prepare
from serment.intake.import_.messages import Answers, Asks, Failed, FromWorker, Job, Ready, ToWorker
from serment.intake.import_.naming import Known, Wanted
from serment.intake.import_.prepare import Piece
from serment.intake.import_.sources import Line, Phase
from serment.model import Instant


class Reading:
    """The jobs of one worker that wait for their names."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[Job, Piece, Wanted]] = {}

    def of(self, message: ToWorker) -> FromWorker:
        """Do what a message asks for. Never raises: what goes wrong is the answer."""
        try:
            return self._asks(message) if isinstance(message, Job) else self._ready(message)
        except Exception as fault:
            return Failed(message.number, type(fault).__name__)

    def _asks(self, job: Job) -> Asks:
        piece = read(job)
        wanted = prepare.wanted(piece)
        self._waiting[job.number] = (job, piece, wanted)
        return Asks(job.number, wanted)

    def _ready(self, told: Answers) -> Ready:
        job, piece, wanted = self._waiting.pop(told.number)
        made = prepare.made(piece, Known.of(wanted, told.named), Instant(job.now))
        return Ready.of(told.number, made)


def read(job: Job) -> Piece:
    """Read the resources of a job as they stand there."""
    if job.lines is None:
        return prepare.bundle(job.raw)
    return prepare.lines((Line(*line) for line in job.lines), Phase(job.phase))

"""The work of an import, step by step, in the order of its source: each step is one piece to take in.

A piece is a bundle file or some lines of one pass. What a cut import had reached is said with each step,
and left out where nothing is to be learnt from it any more. Nothing is made ready or written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from serment.intake.import_.sources import Broken, Count, Line, Phase, Portion, chunks_of, whole_of
from serment.model import Instant
from serment.record.imports.lot import Tally

DONE = 1 << 62
"""The place that is reached when a bundle was taken in whole."""

LINES = frozenset({Phase.FIRST_LINES, Phase.OTHER_LINES})


@dataclass(frozen=True, slots=True)
class Step:
    """One piece: resources `start` to `stop` of a portion, of which those before `place` are in already.

    `content` is a bundle, lines, or why the file could not be read; None where nothing is to be taken in.
    `received` counts what was read and is not counted by what the piece is made into, `before` what an
    import that was cut did with the portion. `at` is in bytes of all files, as they lie on the disk.
    """

    portion: Portion
    now: Instant
    at: int
    place: int
    start: int = 0
    stop: int = 0
    content: bytes | list[Line] | Broken | None = field(default=None, repr=False)
    received: int = 0
    before: Tally | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the piece is a file of its own, whose resources are counted when it is made ready."""
        return self.portion.phase not in LINES and self.content is not None


@dataclass(frozen=True, slots=True)
class Walk:
    """Walks portions. `reached` gives the place and the counts of a portion's mark."""

    reached: Callable[[str], tuple[int, Tally]]
    clock: Callable[[], Instant]

    def over(self, portions: Sequence[Portion]) -> Iterator[Step]:
        """Give the steps of every portion; a file is opened when its turn comes."""
        passed = 0
        for portion in portions:
            place, before = self.reached(portion.mark)
            yield Step(portion, self.clock(), passed, place, before=before)
            if portion.phase in LINES:
                yield from self._lines(portion, place, passed)
            elif place == DONE and portion.phase is Phase.BUNDLES:
                yield Step(portion, self.clock(), passed, place, received=before.total)
            else:
                whole = whole_of(portion.path)
                yield Step(portion, self.clock(), passed + portion.size, place, 0, DONE, whole)
            passed += portion.size

    def _lines(self, portion: Portion, place: int, passed: int) -> Iterator[Step]:
        """Give the chunks of one pass; the last pass counts all lines of the file."""
        start, count = 0, Count()
        first = portion.phase is Phase.FIRST_LINES
        for chunk in chunks_of(portion.path, portion.phase, count):
            broken = isinstance(chunk, Broken)
            if broken and first:
                break
            count.lines += broken
            stop = start + (1 if isinstance(chunk, Broken) else len(chunk))
            if broken or first or stop > place:
                yield Step(portion, self.clock(), passed + count.at, place, start, stop, chunk)
            start = stop
        if not first:
            yield Step(portion, self.clock(), passed + count.at, place, received=count.lines)

"""Content in pieces through the passage: decided again at the end, traced before the first byte."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from serment.access.decide import PERMIT_MS
from serment.errors import ConflictError, NotFoundError, RefusedError, StorageFullError
from serment.ledger.entry import Interaction
from serment.model import Instant
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.blobs import CHUNK
from serment.record.passage import Passage
from serment.record.streaming import Depositing, Opened, Serving, Upload
from tests.installation import Installation, installation, run

PDF = b"%PDF-1.7\n"
CHUNKS = 4


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("streams")) as made:
        yield made


async def pieces(count: int = CHUNKS) -> AsyncIterator[bytes]:
    yield PDF
    for _ in range(count - 1):
        yield bytes(CHUNK)


def upload(house: Installation) -> Upload:
    return Upload("application/pdf", f"Patient/{house.record()}", house.house.base)


def deposit(house: Installation, asking: Asking) -> str:
    return run(house.house.depositing.create(asking, upload(house), pieces())).id


def unfinished(house: Installation) -> int:
    house.house.passage.store.submit(lambda _txn: None).result()
    with house.house.passage.store.snapshot() as snapshot:
        return len(snapshot.unfinished_blobs(100))


async def rest(opened: Opened) -> bytes:
    return b"".join([piece async for piece in opened.content()])


class Clock:
    """A clock that is told what time it is."""

    def __init__(self, now: Instant) -> None:
        self.now = now

    def __call__(self) -> Instant:
        return self.now


def at(house: Installation) -> tuple[Passage, Clock]:
    clock = Clock(house.house.passage.clock())
    return replace(house.house.passage, clock=clock), clock


def test_a_deposit_is_one_line_of_the_trace_and_a_reading_another(house: Installation) -> None:
    id_ = deposit(house, house.as_staff("team-doctor"))
    run(house.house.serving.open(house.as_staff("team-doctor"), id_))
    newest = [body.event for body in run(house.house.proving.trail(house.as_patient(), house.record()))[:3]]
    mine = [event for event in newest if any(id_ in reference for reference in event.resources)]
    assert sorted(event.interaction for event in mine) == [Interaction.CREATE, Interaction.READ]


def test_the_patient_s_word_during_an_upload_is_the_one_that_counts(house: Installation) -> None:
    """The document is masked between the first byte of its content and the last: nothing is kept."""
    attending, doctor = house.as_staff("attending"), house.as_staff("team-doctor")
    sheet = run(house.house.writing.create(attending, incoming.read(json.dumps(report(house)).encode())))
    reference = f"DocumentReference/{sheet.id}"

    async def masked_meanwhile() -> AsyncIterator[bytes]:
        async for piece in pieces():
            yield piece
        await house.house.choosing.mask(house.as_patient(), house.record(), reference)

    under = replace(upload(house), context=reference)
    assert run(house.house.depositing.create(doctor, under, pieces())).version == 1
    with pytest.raises(RefusedError):
        run(house.house.depositing.create(house.as_staff("team-doctor"), under, masked_meanwhile()))
    assert unfinished(house) == 0


def report(house: Installation) -> dict[str, object]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
        "subject": {"reference": f"Patient/{house.record()}"},
        "content": [{"attachment": {"contentType": "application/pdf"}}],
    }


def test_a_slow_reading_is_decided_again_each_minute(house: Installation) -> None:
    id_ = deposit(house, house.as_staff("attending"))
    passage, clock = at(house)
    opened = run(Serving(passage).open(house.as_staff("team-doctor"), id_))
    clock.now = Instant(clock.now + PERMIT_MS + 1)
    assert run(rest(opened)) == PDF + bytes((CHUNKS - 1) * CHUNK)


@pytest.mark.capability("4-04", "refuses")
def test_a_mask_ends_a_reading_that_is_under_way_within_a_minute(house: Installation) -> None:
    id_ = deposit(house, house.as_staff("attending"))
    passage, clock = at(house)
    opened = run(Serving(passage).open(house.as_staff("team-doctor"), id_))
    run(house.house.choosing.mask(house.as_patient(), house.record(), f"Binary/{id_}"))
    clock.now = Instant(clock.now + PERMIT_MS + 1)
    with pytest.raises(NotFoundError):
        run(rest(opened))
    run(house.house.choosing.unmask(house.as_patient(), house.record(), f"Binary/{id_}"))


def test_an_upload_that_was_swept_meanwhile_is_refused_and_never_half_kept(house: Installation) -> None:
    other = Depositing(house.house.passage, house.house.writing)

    async def swept_meanwhile() -> AsyncIterator[bytes]:
        async for piece in pieces():
            yield piece
        house.house.passage.store.submit(lambda _txn: None).result()
        assert other.sweep() == 1

    with pytest.raises(ConflictError):
        run(house.house.depositing.create(house.as_staff("team-doctor"), upload(house), swept_meanwhile()))
    assert unfinished(house) == 0


def test_a_sweep_leaves_an_upload_under_way_alone(house: Installation) -> None:
    async def swept_meanwhile() -> AsyncIterator[bytes]:
        async for piece in pieces():
            yield piece
        assert house.house.depositing.sweep() == 0

    made = run(house.house.depositing.create(house.as_staff("team-doctor"), upload(house), swept_meanwhile()))
    assert made.version == 1


def test_a_sweep_never_drops_content_that_is_kept(house: Installation) -> None:
    id_ = deposit(house, house.as_staff("team-doctor"))
    house.house.depositing.sweep()
    opened = run(house.house.serving.open(house.as_staff("team-doctor"), id_))
    assert len(run(rest(opened))) == opened.size == len(PDF) + (CHUNKS - 1) * CHUNK


def test_an_upload_that_meets_a_full_disk_keeps_nothing(house: Installation) -> None:
    async def full_meanwhile() -> AsyncIterator[bytes]:
        async for piece in pieces():
            yield piece
        raise StorageFullError("store.full", code="SQLITE_FULL")

    with pytest.raises(StorageFullError):
        run(house.house.depositing.create(house.as_staff("team-doctor"), upload(house), full_meanwhile()))
    assert unfinished(house) == 0


def test_an_empty_content_is_kept_and_served(house: Installation) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    empty = replace(upload(house), content_type="text/plain")
    made = run(house.house.depositing.create(house.as_staff("team-doctor"), empty, nothing()))
    opened = run(house.house.serving.open(house.as_staff("team-doctor"), made.id))
    assert (opened.size, run(rest(opened))) == (0, b"")

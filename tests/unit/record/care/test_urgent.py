"""An emergency access that lasts: an hour, one record, one professional; each page of it is decided anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from serment.errors import DependencyError, NotFoundError, RequestError
from serment.model import EmergencyReason, Instant, PatientId, Purpose
from serment.record.asking import Asking
from serment.record.care.urgent import LASTS, Urgent
from serment.record.registry import Registry
from tests.installation import Installation, installation

RISK = (EmergencyReason.LIFE_THREAT,)
LOCUM = "locum"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("urgent")) as one:
        yield one


def opens(made: Installation, asking: Asking, role: str = "celebrity") -> bool:
    try:
        asyncio.run(made.house.charting.page(asking, made.record(role)))
    except NotFoundError:
        return False
    return True


def test_a_record_opens_for_an_hour_and_each_look_is_an_emergency_for_the_patient(
    made: Installation,
) -> None:
    asking, record = made.as_staff(LOCUM), made.record("celebrity")
    assert not opens(made, asking)
    begun = asyncio.run(made.house.urgent.begin(asking, record, RISK))
    assert begun.episode.until == asking.now + LASTS
    urgent, episode = asyncio.run(made.house.urgent.asking(made.as_staff(LOCUM), record))
    assert episode == begun.episode
    assert (urgent.purpose, urgent.reasons) == (Purpose.EMERGENCY, frozenset(RISK))
    assert opens(made, urgent)
    seen = asyncio.run(made.house.proving.trail(made.as_patient("celebrity"), record))
    assert [one.event.emergency for one in seen if one.event.request == urgent.request] == [True]


def test_it_ends_by_itself_and_by_a_word(made: Installation) -> None:
    asking, record = made.as_staff(LOCUM), made.record("celebrity")
    asyncio.run(made.house.urgent.begin(asking, record, RISK))
    later = replace(asking, now=Instant(asking.now + LASTS))
    assert asyncio.run(made.house.urgent.of(later, record)) is None
    assert asyncio.run(made.house.urgent.asking(later, record)) == (later, None)
    asyncio.run(made.house.urgent.end(asking, record))
    assert asyncio.run(made.house.urgent.of(asking, record)) is None


@pytest.mark.capability("1-23", "refuses")
def test_no_emergency_without_a_coded_reason(made: Installation) -> None:
    asking, record = made.as_staff(LOCUM), made.record("husband")
    with pytest.raises(RequestError):
        asyncio.run(made.house.urgent.begin(asking, record, ()))
    assert asyncio.run(made.house.urgent.of(asking, record)) is None


def test_an_emergency_opens_one_record_to_one_professional(made: Installation) -> None:
    asking = made.as_staff(LOCUM)
    asyncio.run(made.house.urgent.begin(asking, made.record("celebrity"), RISK))
    urgent = made.house.urgent
    assert asyncio.run(urgent.of(asking, made.record("husband"))) is None
    assert asyncio.run(urgent.of(made.as_staff("second-associate"), made.record("celebrity"))) is None
    assert asyncio.run(urgent.of(made.as_patient(), made.record("celebrity"))) is None


def test_what_an_emergency_does_not_open_is_not_kept(made: Installation) -> None:
    asking = made.as_staff("unrelated-doctor")
    for id_ in (made.record("celebrity"), PatientId("0" * 36)):
        with pytest.raises(NotFoundError):
            asyncio.run(made.house.urgent.begin(asking, id_, RISK))
        assert asyncio.run(made.house.urgent.of(asking, id_)) is None


def test_an_emergency_that_no_disk_takes_lasts_in_memory(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DependencyError("store.low-on-space")

    asking, record = made.as_staff("second-associate"), made.record("husband")
    urgent = Urgent(made.house.passage, made.house.emergency)
    with monkeypatch.context() as patched:
        patched.setattr(Registry, "change", full)
        asyncio.run(urgent.begin(asking, record, RISK))
    assert asyncio.run(urgent.of(asking, record)) is not None
    asyncio.run(urgent.end(asking, record))
    assert asyncio.run(urgent.of(asking, record)) is None

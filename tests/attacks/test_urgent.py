"""Emergency access is no way in that stays: a role and the hour end it, and it opens one record.

What is kept of it opens nothing: each page is decided anew, on the facts of that moment.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from serment.errors import NotFoundError, SermentError
from serment.model import EmergencyReason, Function, PatientId
from serment.record.asking import Asking
from serment.record.care.emergency import Emergency
from serment.record.care.urgent import MOST, Urgent
from tests.attacks.watching import watched
from tests.installation import Installation, installation

RISK = (EmergencyReason.LIFE_THREAT,)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("urgent")) as one:
        yield one


def opens(made: Installation, asking: Asking, patient: PatientId) -> bool:
    async def page() -> None:
        urgent, _ = await made.house.urgent.asking(asking, patient)
        await made.house.charting.page(urgent, patient)

    try:
        asyncio.run(page())
    except NotFoundError:
        return False
    return True


@pytest.mark.capability("1-23", "refuses")
def test_a_block_rules_at_the_next_page_and_again_when_an_emergency_ends(made: Installation) -> None:
    """In the structure's own file a block yields to an emergency, while it runs and no longer (ADR 2)."""
    asking, patient = made.as_staff("locum"), made.record("celebrity")
    asyncio.run(made.house.choosing.declare_act(asking, patient, "visit-today"))
    assert opens(made, asking, patient)
    number = asking.actor.id.removeprefix("rpps:")
    block = asyncio.run(made.house.choosing.block(made.as_patient("celebrity"), patient, number))
    assert not opens(made, made.as_staff("locum"), patient)
    asyncio.run(made.house.urgent.begin(made.as_staff("locum"), patient, RISK))
    assert opens(made, made.as_staff("locum"), patient)
    asyncio.run(made.house.urgent.end(made.as_staff("locum"), patient))
    assert not opens(made, made.as_staff("locum"), patient)
    asyncio.run(made.house.writing.delete(made.as_patient("celebrity"), "Consent", block.id))


def test_who_changes_role_meanwhile_does_not_go_on_in_the_emergency(made: Installation) -> None:
    asking, patient = made.as_staff("locum"), made.record("husband")
    asyncio.run(made.house.urgent.begin(asking, patient, RISK))
    assert opens(made, asking, patient)
    elsewhere = replace(asking, actor=replace(asking.actor, structure="cabinet-du-marche"))
    assert not opens(made, elsewhere, patient)
    without = replace(asking, actor=replace(asking.actor, function=Function.NONE))
    assert not opens(made, without, patient)


def test_an_emergency_opens_no_other_record_and_no_other_session_s_person(made: Installation) -> None:
    asking, patient = made.as_staff("locum"), made.record("mother")
    asyncio.run(made.house.urgent.begin(asking, patient, RISK))
    assert opens(made, asking, patient)
    assert not opens(made, asking, made.record("adolescent"))
    assert asyncio.run(made.house.urgent.of(made.as_staff("second-associate"), patient)) is None


def test_what_is_kept_of_an_emergency_is_bounded(made: Installation) -> None:
    asking = made.as_staff("second-associate")
    urgent = Urgent(made.house.passage, made.house.emergency)
    for _ in range(3):
        asyncio.run(urgent.begin(asking, made.record("mother"), RISK))
    assert MOST < 100
    asyncio.run(urgent.end(asking, made.record("mother")))
    assert asyncio.run(urgent.of(asking, made.record("mother"))) is None


def test_an_emergency_on_a_record_of_another_structure_and_on_none_leave_equal_work(
    made: Installation,
) -> None:
    house, log = watched(made.house)
    urgent, logs = Urgent(house.passage, Emergency(house.passage)), []
    for id_ in (made.record("celebrity"), PatientId(str(uuid.uuid4()))):
        said = set()
        for _ in range(2):  # the second time the keys of both are at hand, or of neither
            log.clear()
            try:
                asyncio.run(urgent.begin(made.as_staff("unrelated-doctor"), id_, RISK))
            except SermentError as error:
                said.add((type(error).__name__, error.sentence))
        logs.append((said, [one for one in log if not one.startswith("unwrap")]))
    assert logs[0] == logs[1]


def test_a_page_without_an_emergency_costs_the_same_on_every_record(made: Installation) -> None:
    house, log = watched(made.house)
    urgent, logs = Urgent(house.passage, Emergency(house.passage)), []
    for id_ in (made.record("waiting"), str(uuid.uuid4())):
        log.clear()
        assert asyncio.run(urgent.of(made.as_staff("nurse"), id_)) is None
        logs.append(list(log))
    assert logs[0] == logs[1]

"""Lists of pointers tell nothing of what they point to: a hidden record or item, and none, leave equal work.

Who was blocked, or lost the care of somebody, keeps the ids that they held; what stands behind them must be
as if it had never been there, in the answer, in the statements, in the openings and in the traces.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from serment.model import ActorId
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.between.inbox import Errand, of_results, pointing
from serment.record.pages.overview import overview
from tests.attacks.watching import watched
from tests.installation import Installation, installation

TERMS = "http://terminology.hl7.org/CodeSystem"
READER = "second-associate"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("pointers")) as one:
        yield one


def asking(made: Installation, role: str = READER) -> Asking:
    return made.as_staff(role)


def report(made: Installation, role: str = "patient") -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "category": [{"coding": [{"system": f"{TERMS}/v2-0074", "code": "LAB"}]}],
        "code": {"text": "Ferritine"},
        "subject": {"reference": f"Patient/{made.record(role)}"},
    }


def write(made: Installation, resource: dict[str, Any], role: str) -> str:
    sent = incoming.read(msgspec.json.encode(resource))
    written = asyncio.run(made.house.writing.create(asking(made, role), sent))
    return f"{resource['resourceType']}/{written.id}"


def point(made: Installation, reader: str, patient: str, item: str) -> None:
    pointer = pointing(Errand.RESULT, patient, item, id_=item)
    made.house.inbox.put(asking(made, "attending"), of_results(made.staff(reader).id), pointer)


def items(made: Installation, reader: str) -> list[str]:
    return [one.item for one in asyncio.run(made.house.worklists.to_read(asking(made, reader), 20))]


@pytest.mark.capability("4-10", "refuses")
def test_a_pointer_to_a_hidden_record_and_to_none_leave_equal_work(made: Installation) -> None:
    house, log = watched(made.house)
    logs = []
    for id_ in (made.record("celebrity"), str(uuid.uuid4())):
        asyncio.run(house.worklists.named(asking(made), [id_]))  # the keys are at hand for both
        log.clear()
        assert asyncio.run(house.worklists.named(asking(made), [id_])) == {}
        logs.append(list(log))
    assert logs[0] == logs[1]


def test_a_pointer_to_a_hidden_item_and_to_none_leave_equal_work(made: Installation) -> None:
    house, log = watched(made.house)
    masked = write(made, report(made), "attending")
    asyncio.run(made.house.choosing.mask(made.as_patient(), made.record(), masked))
    reader, logs = "team-doctor", []
    for item in (masked, f"DiagnosticReport/{uuid.uuid4()}"):
        point(made, reader, made.record(), item)
        asyncio.run(house.worklists.to_read(asking(made, reader), 20))
        log.clear()
        assert item not in [
            one.item for one in asyncio.run(house.worklists.to_read(asking(made, reader), 20))
        ]
        logs.append([call for call in log if not call.startswith("snapshot")])
        made.house.inbox.put(asking(made, "attending"), ActorId("nobody"))
        asyncio.run(made.house.worklists.read(asking(made, reader), item))
    assert logs[0] == logs[1]


def test_a_result_is_listed_while_its_reader_may_read_it_and_no_longer(made: Installation) -> None:
    asyncio.run(made.house.choosing.declare_act(asking(made, "locum"), made.record(), "result-received"))
    item = write(made, report(made), "locum")
    assert item in items(made, "attending")
    asyncio.run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    point(made, "team-doctor", made.record(), item)
    assert item in items(made, "attending")  # by law the attending doctor sees what is masked
    assert item not in items(made, "team-doctor")


def test_a_pointer_under_another_person_s_name_leads_nowhere(made: Installation) -> None:
    """A pointer that names one record and an item of another would show one person under another's name."""
    item = write(made, report(made), "attending")
    point(made, "attending", made.record("masking"), item)
    assert item not in items(made, "attending")


def test_what_somebody_wrote_themselves_or_an_import_brought_is_no_result_to_read(made: Installation) -> None:
    before = items(made, "attending")
    write(made, report(made), "attending")
    assert items(made, "attending") == before


def test_a_result_that_was_opened_waits_no_more_and_a_new_version_waits_again(made: Installation) -> None:
    asyncio.run(made.house.choosing.declare_act(asking(made, "locum"), made.record(), "result-received"))
    item = write(made, report(made), "locum")
    assert item in items(made, "attending")
    asyncio.run(made.house.worklists.read(asking(made, "attending"), item))
    assert item not in items(made, "attending")
    again = {**report(made), "id": item.partition("/")[2], "status": "amended"}
    sent = incoming.read(msgspec.json.encode(again))
    asyncio.run(made.house.writing.update(asking(made, "locum"), sent, again["id"], 1))
    assert item in items(made, "attending")


def test_a_result_that_comes_alone_waits_and_one_of_a_report_does_not(made: Installation) -> None:
    asyncio.run(made.house.choosing.declare_act(asking(made, "locum"), made.record(), "result-received"))
    alone = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": f"{TERMS}/observation-category", "code": "laboratory"}]}],
        "code": {"text": "Ferritine"},
        "subject": {"reference": f"Patient/{made.record()}"},
    }
    assert write(made, alone, "locum") in items(made, "attending")
    entries = [
        {
            "fullUrl": f"urn:uuid:{uuid.uuid4()}",
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for one in (alone, report(made), alone)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    before = items(made, "attending")
    ran = made.house.bundling.run(asking(made, "locum"), msgspec.json.encode(bundle), made.house.base)
    asyncio.run(ran)
    new = [one for one in items(made, "attending") if one not in before]
    assert [one.partition("/")[0] for one in new] == ["DiagnosticReport"]


def test_a_result_that_names_a_hidden_order_and_one_that_names_none_leave_equal_work(
    made: Installation,
) -> None:
    """Who wrote a hidden order would be told of the result, and the work of the write would tell that."""
    order = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": "Sérologie"},
        "subject": {"reference": f"Patient/{made.record()}"},
    }
    asyncio.run(made.house.choosing.declare_act(asking(made, "locum"), made.record(), "visit-today"))
    hidden = write(made, order, "locum")
    asyncio.run(made.house.choosing.mask(made.as_patient(), made.record(), hidden))
    house, log = watched(made.house)
    logs = []
    for named in (hidden, f"ServiceRequest/{uuid.uuid4()}", hidden):
        sent = incoming.read(msgspec.json.encode({**report(made), "basedOn": [{"reference": named}]}))
        log.clear()
        asyncio.run(house.writing.create(asking(made, "team-doctor"), sent))
        logs.append([call.partition("(")[0] for call in log])
    assert logs[1].count("submit") == logs[2].count("submit")
    assert [one for one in logs[1] if one.startswith("put")] == [
        one for one in logs[2] if one.startswith("put")
    ]
    assert items(made, "locum") == []


def test_nobody_reads_the_list_of_somebody_else(made: Installation) -> None:
    assert items(made, "second-associate") == []
    assert items(made, "unrelated-doctor") == []


def test_the_first_page_of_a_record_does_the_same_work_with_and_without_a_hidden_item(
    made: Installation,
) -> None:
    house, log = watched(made.house)
    reader = asking(made, "team-doctor")

    def work() -> list[str]:
        for _ in range(2):  # head and facts are kept opened from the first look on
            log.clear()
            asyncio.run(
                house.charting.page(made.as_staff("team-doctor"), made.record(), overview(reader.actor.id, 1))
            )
        return [call.partition("(")[0] for call in log]

    before = work()
    family = {  # of a class that holds nothing else: what a write merges beside is not what is asked here
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "patient": {"reference": f"Patient/{made.record()}"},
        "relationship": {"text": "mère"},
    }
    item = write(made, family, "attending")
    asyncio.run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    assert work() == before

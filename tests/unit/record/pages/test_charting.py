"""A page of a record: one look, one trace, the person with it; what is over or hidden is not in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from serment.errors import NotFoundError
from serment.ledger.entry import Interaction
from serment.model import Category, Regime
from serment.record import incoming
from serment.record.pages.charting import Chart, Picked, Table, latest
from serment.record.pages.overview import ALLERGIES, NEW, PROBLEMS, TREATMENTS, overview
from tests.installation import Installation, installation

TERMS = "http://terminology.hl7.org/CodeSystem"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("charting")) as one:
        yield one


def chart(made: Installation, role: str = "team-doctor", since: int = 0, patient: str = "patient") -> Chart:
    asking = made.as_staff(role)
    pick = overview(asking.actor.id, since)
    return asyncio.run(made.house.charting.page(asking, made.record(patient), pick))


def write(made: Installation, resource: dict[str, Any], role: str = "attending") -> str:
    written = asyncio.run(
        made.house.writing.create(made.as_staff(role), incoming.read(msgspec.json.encode(resource)))
    )
    return f"{resource['resourceType']}/{written.id}"


def treatment(made: Installation, status: str, on: str = "2026-01-02") -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"text": "Metformine 500 mg"},
        "subject": {"reference": f"Patient/{made.record()}"},
        "authoredOn": on,
    }


def problem(made: Installation, **more: Any) -> dict[str, Any]:
    subject = {"reference": f"Patient/{made.record()}"}
    return {"resourceType": "Condition", "subject": subject, "code": {"text": "Asthme"}, **more}


def names(found: Chart, group: str) -> set[str]:
    return {line.reference for line in found.groups[group]}


@pytest.mark.capability("2-07", "lets")
def test_the_person_and_the_ground_come_with_every_page(made: Installation) -> None:
    page = asyncio.run(made.house.charting.page(made.as_staff("team-doctor"), made.record()))
    assert page.person is not None
    assert page.person.reference == f"Patient/{made.record()}"
    assert b"telecom" not in page.person.body
    assert (page.ground.regime, page.ground.rule) == (Regime.OWN, "G6.team")
    assert [act.kind for act in page.ground.acts] == ["encounter"]
    assert page.ground.until is not None
    assert page.groups == {}


def test_a_ground_that_is_no_act_of_care_has_no_end(made: Installation) -> None:
    assert chart(made, "attending").ground.rule == "G4.attending"
    assert chart(made, "attending").ground.until is None


@pytest.mark.capability("2-07", "refuses")
def test_one_page_is_one_entry_of_the_trace_that_names_what_it_shows(made: Installation) -> None:
    asking = made.as_staff("attending")
    page = asyncio.run(made.house.charting.page(asking, made.record(), overview(asking.actor.id, 0)))
    bodies = asyncio.run(made.house.proving.trail(made.as_patient(), made.record()))
    mine = [body.event for body in bodies if body.event.request == asking.request]
    shown = {line.reference for lines in page.groups.values() for line in lines}
    assert [one.interaction for one in mine] == [Interaction.LIST]
    assert {one.partition("/_history")[0] for one in mine[0].resources} == shown | {
        f"Patient/{made.record()}"
    }


def test_what_is_over_is_not_on_the_first_page_and_what_says_nothing_is(made: Installation) -> None:
    running, over = write(made, treatment(made, "active")), write(made, treatment(made, "stopped"))
    silent = write(made, problem(made))
    resolved = {"coding": [{"system": f"{TERMS}/condition-clinical", "code": "resolved"}]}
    healed = write(made, problem(made, clinicalStatus=resolved))
    page = chart(made)
    assert running in names(page, TREATMENTS)
    assert over not in names(page, TREATMENTS)
    assert silent in names(page, PROBLEMS)
    assert healed not in names(page, PROBLEMS)


def test_items_stand_in_the_order_of_what_they_speak_of_not_of_writing(made: Installation) -> None:
    late = write(made, treatment(made, "active", "2026-05-01"))
    early = write(made, treatment(made, "active", "2019-05-01"))
    order = [line.reference for line in chart(made).groups[TREATMENTS]]
    assert order.index(late) < order.index(early)


def test_what_is_new_is_what_somebody_else_wrote_since(made: Installation) -> None:
    before = made.house.passage.clock() - 1
    theirs, mine = write(made, treatment(made, "active")), write(made, problem(made), "team-doctor")
    found = names(chart(made, "team-doctor", before), NEW)
    assert theirs in found
    assert mine not in found
    assert names(chart(made, "team-doctor", 0), NEW) == set()


def test_a_hidden_item_and_no_item_give_the_same_page(made: Installation) -> None:
    def page() -> Chart:
        return chart(made, "team-doctor", 1)

    before = page()
    reference = write(made, problem(made))
    asyncio.run(made.house.choosing.mask(made.as_patient(), made.record(), reference))
    assert page() == before


def test_a_record_that_is_not_theirs_and_none_are_refused_alike(made: Installation) -> None:
    asking = made.as_staff("unrelated-doctor")
    for id_ in (made.record(), "0" * 36):
        with pytest.raises(NotFoundError) as refused:
            asyncio.run(made.house.charting.page(asking, id_))
        assert refused.value.sentence == "record.not-found"


def test_a_page_that_shows_an_item_twice_reads_it_once(made: Installation) -> None:
    def twice(table: Table) -> Picked:
        items = latest(table.of({Category.PROBLEMS}), 1)
        return Picked({"one": items, "two": items})

    page = asyncio.run(made.house.charting.page(made.as_staff("attending"), made.record(), twice))
    assert page.groups["one"] == page.groups["two"] != []


def test_nothing_of_a_page_shows_in_what_is_logged(made: Installation) -> None:
    page = chart(made)
    assert made.record() not in repr(page)
    assert ALLERGIES not in repr(page)

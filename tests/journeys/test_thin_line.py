"""The thin line: opened, seen, masked, lost, verified, unreadable on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serment.errors import NotFoundError
from serment.record.probes.disk import search
from tests.installation import Installation, installation, run


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("thin")) as made:
        yield made


def test_a_doctor_of_the_team_opens_the_record(house: Installation) -> None:
    view = run(house.house.showing.first_view(house.as_staff("team-doctor"), house.record()))
    assert view.rule == "G6.team"
    assert view.groups


def test_the_patient_sees_that_opening_at_once(house: Installation) -> None:
    run(house.house.showing.first_view(house.as_staff("team-doctor"), house.record()))
    newest = run(house.house.proving.trail(house.as_patient(), house.record()))[1]
    assert newest.event.actor == house.staff("team-doctor").id


@pytest.mark.capability("4-04", "refuses")
def test_the_doctor_s_next_request_loses_what_the_patient_masked(house: Installation) -> None:
    type_, _, id_ = house.item("maskable").partition("/")
    doctor = house.as_staff("team-doctor")
    assert run(house.house.reading.read(doctor, type_, id_)).version == 1
    run(house.house.choosing.mask(house.as_patient(), house.record(), house.item("maskable")))
    with pytest.raises(NotFoundError):
        run(house.house.reading.read(house.as_staff("team-doctor"), type_, id_))
    run(house.house.choosing.unmask(house.as_patient(), house.record(), house.item("maskable")))
    assert run(house.house.reading.read(house.as_staff("team-doctor"), type_, id_)).version == 1


@pytest.mark.capability("0-11", "refuses")
def test_a_doctor_of_the_same_town_without_a_care_relation_reads_nothing(house: Installation) -> None:
    with pytest.raises(NotFoundError):
        run(house.house.showing.first_view(house.as_staff("unrelated-doctor"), house.record()))


def test_the_ledger_verifies_with_every_body_opened(house: Installation) -> None:
    house.house.proving.checkpoint()
    report = house.house.proving.verify()
    assert report.ok
    assert report.opened == report.size


@pytest.mark.capability("0-09", "refuses")
def test_no_name_of_a_patient_is_readable_on_the_disk(house: Installation) -> None:
    folder: Path = house.settings.directory
    found = search(folder, house.store.names)
    assert found.found == 0
    assert found.names >= 10

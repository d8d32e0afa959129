"""The three probes: what each finds on a real installation, what is kept, and when it says nothing more."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from serment.errors import ConflictError
from serment.keys.custody.contract import StoreKind
from serment.model import Instant
from serment.record.probes import probing
from serment.record.probes.disk import DiskSearch, search
from serment.record.probes.premises import Premises, open_to_others, volume
from serment.record.probes.probing import (
    PERIODS,
    SOON,
    Finding,
    Level,
    Probe,
    Probing,
    Result,
    Status,
    of_availability,
    of_confidentiality,
    of_disk,
    standing_of,
)
from tests.attacks.sql import Thief, flipped
from tests.installation import Installation, small_installation

NOW = Instant(1_795_000_000_000)
WELL = Premises(True, True, 0, True, False, 100 * 1024**3)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    with small_installation(tmp_path, patients=3) as one:
        yield one


def none() -> None:
    return None


def found(age: int, *levels: Level) -> Result:
    return Result(NOW - age, 1, tuple(Finding("x", level) for level in levels))


@pytest.mark.parametrize(
    ("levels", "status"),
    [
        ((Level.GOOD, Level.NOTE), Status.PASSING),
        ((Level.GOOD, Level.ATTENTION), Status.ATTENTION),
        ((Level.FAILED, Level.ATTENTION, Level.GOOD), Status.FAILED),
    ],
)
def test_a_probe_stands_as_the_worst_that_it_found(levels: tuple[Level, ...], status: Status) -> None:
    assert standing_of(Probe.INTEGRITY, found(1, *levels), NOW).status is status


@pytest.mark.capability("2-11", "refuses")
@pytest.mark.parametrize("probe", Probe)
def test_a_probe_older_than_its_period_is_never_shown_as_passing(probe: Probe) -> None:
    period = PERIODS[probe]
    assert standing_of(probe, found(period, Level.GOOD), NOW).status is Status.PASSING
    assert standing_of(probe, found(period + 1, Level.GOOD), NOW).status is Status.STALE
    assert standing_of(probe, None, NOW).status is Status.NEVER


@pytest.mark.capability("2-11", "refuses")
def test_a_result_from_the_future_is_not_shown_as_passing() -> None:
    assert standing_of(Probe.INTEGRITY, found(-1, Level.GOOD), NOW).status is Status.STALE


@pytest.mark.capability("2-11", "lets")
def test_the_three_probes_run_on_an_installation_and_say_when(made: Installation) -> None:
    house, asking = made.house, made.as_staff("officer")
    assert {one.status for one in house.probing.standing(asking)} == {Status.NEVER}
    house.probing.run(asking, none)
    stood = house.probing.standing(made.as_staff("officer"))
    assert [one.probe for one in stood] == list(Probe)
    assert all(one.result is not None and one.age is not None and one.age >= 0 for one in stood)
    [integrity, _, _] = stood
    assert integrity.status is Status.PASSING
    assert {one.id for one in integrity.result.findings} == {"ledger", "sample", "witness"}  # type: ignore[union-attr]  # it ran


def test_a_status_survives_the_end_of_the_process(made: Installation) -> None:
    made.house.probing.run(made.as_staff("officer"), none, [Probe.AVAILABILITY])
    made.house.close()
    made.reopen()
    [_, _, availability] = made.house.probing.standing(made.as_staff("officer"))
    assert availability.age is not None


def test_a_flipped_bit_is_found_by_the_probe_and_rings(made: Installation) -> None:
    thief = Thief(made)
    number, sealed = thief.rows("SELECT number, sealed FROM body WHERE record = ? LIMIT 1", thief.record())[0]
    with thief.changed("body", "UPDATE body SET sealed = ? WHERE number = ?", flipped(sealed, 400), number):
        made.house.probing.run(made.as_staff("officer"), none, [Probe.INTEGRITY])
    thief.close()
    [integrity, _, _] = made.house.probing.standing(made.as_staff("officer"))
    assert integrity.status is Status.FAILED
    assert made.house.passage.alarms.rung


def test_a_name_on_the_disk_fails_and_none_is_well() -> None:
    clean, read = DiskSearch(3, 2_000_000, 10, 0), DiskSearch(3, 2_000_000, 10, 1)
    assert (of_disk("disk", clean).level, of_disk("disk", clean).values["names"]) == (Level.GOOD, 10)
    assert of_disk("disk", read).level is Level.FAILED


@pytest.mark.capability("2-11", "lets")
def test_elsewhere_than_on_a_demo_a_marker_is_planted_and_looked_for(made: Installation) -> None:
    made.house.probing.run(made.as_staff("officer"), none, [Probe.CONFIDENTIALITY])
    [_, confidentiality, _] = made.house.probing.standing(made.as_staff("officer"))
    assert confidentiality.result is not None
    [marker] = [one for one in confidentiality.result.findings if one.id == "marker"]
    assert marker.level is Level.GOOD
    assert marker.values["files"] > 0


def test_a_marker_that_is_written_in_clear_somewhere_is_found(made: Installation) -> None:
    folder = made.settings.directory
    search = made.house.probing.search
    assert search is not None

    def leaking(names: Sequence[str]) -> DiskSearch:
        (folder / "leak.log").write_text(f"line {names[0]}", "utf-8")
        return search(names)

    made.house.probing.search = leaking
    made.house.probing.run(made.as_staff("officer"), none, [Probe.CONFIDENTIALITY])
    [_, confidentiality, _] = made.house.probing.standing(made.as_staff("officer"))
    assert confidentiality.status is Status.FAILED


def test_a_file_too_large_to_search_is_counted_and_not_passed_over_in_silence(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 100)
    (tmp_path / "small").write_text("marker", "utf-8")
    found = search(tmp_path, ["marker"], most=50)
    assert (found.files, found.found, found.passed) == (1, 1, 1)


@pytest.mark.parametrize(
    ("seen", "id_", "level"),
    [
        (replace(WELL, keys_apart=False), "keys", Level.ATTENTION),
        (replace(WELL, open_to_others=2), "modes", Level.ATTENTION),
        (replace(WELL, loopback=False), "way", Level.FAILED),
        (replace(WELL, loopback=False, tls=True), "way", Level.GOOD),
        (WELL, "locked", Level.GOOD),
    ],
)
def test_what_surrounds_the_store_is_weighed(
    made: Installation, seen: Premises, id_: str, level: Level
) -> None:
    findings = of_confidentiality(seen, made.house.custody, StoreKind.PRODUCTION)
    assert {one.id: one.level for one in findings}[id_] is level


@pytest.mark.parametrize(
    ("free", "level"), [(100, Level.FAILED), (1024**3, Level.ATTENTION), (9 * 1024**3, Level.GOOD)]
)
def test_a_disk_that_fills_is_said_before_it_is_full(made: Installation, free: int, level: Level) -> None:
    seen = replace(WELL, free=free)
    findings = of_availability(seen, made.house.passage, made.house.custody)
    assert {one.id: one.level for one in findings}["space"] is level


def test_custody_away_is_a_failure_and_the_result_is_kept_in_memory(made: Installation) -> None:
    made.custody.stop()
    [*_, custody, backup] = of_availability(WELL, made.house.passage, made.house.custody)
    assert (custody.level, backup.level) == (Level.FAILED, Level.ATTENTION)


def test_a_backup_that_serment_does_not_make_is_never_passed_over(made: Installation) -> None:
    findings = of_availability(WELL, made.house.passage, made.house.custody)
    assert {one.id: one.level for one in findings}["backup"] is Level.ATTENTION


def test_what_cannot_be_looked_at_has_failed(made: Installation) -> None:
    made.house.probing.look = None
    made.house.probing.run(made.as_staff("officer"), none, [Probe.CONFIDENTIALITY])
    [_, confidentiality, _] = made.house.probing.standing(made.as_staff("officer"))
    assert confidentiality.status is Status.FAILED


def test_two_runs_at_once_are_one(made: Installation) -> None:
    house, asking = made.house, made.as_staff("officer")
    refused: list[str] = []

    def again() -> DiskSearch:
        with pytest.raises(ConflictError) as error:
            house.probing.run(asking, none)
        refused.append(error.value.sentence)
        return DiskSearch(0, 0, 0, 0)

    house.probing.run(asking, again, [Probe.CONFIDENTIALITY])
    assert refused == ["officer.probe-running"]


def test_probes_run_by_themselves_at_half_their_period(made: Installation) -> None:
    now = [made.house.passage.clock()]
    passage = replace(made.house.passage, clock=lambda: now[0])
    turning = Probing(passage, made.house.proving, made.house.custody, StoreKind.DEMO)
    turning.look, turning.search = made.house.probing.look, made.house.probing.search
    assert turning.turn(none) == []
    now[0] = Instant(now[0] + SOON)
    assert turning.turn(none) == list(Probe)
    assert turning.turn(none) == []
    now[0] = Instant(now[0] + PERIODS[Probe.AVAILABILITY] // 2)
    assert turning.turn(none) == [Probe.AVAILABILITY]


def test_permissions_and_volumes_are_read_as_they_are(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "closed").touch(mode=0o600)
    (tmp_path / "open").touch()
    os.chmod(tmp_path / "open", 0o644)
    assert open_to_others(tmp_path) == ["open"]
    assert volume(tmp_path / "not" / "there") == volume(tmp_path)


def test_nothing_that_is_found_names_anybody() -> None:
    assert all(set(Finding.__struct_fields__) == {"id", "level", "values"} for _ in [probing])

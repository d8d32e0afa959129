"""The thieves of `serment demo attack`, one by one: what the command shows is what is tested here."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from rich.console import Console

from serment.demo import attack
from serment.demo.attack import Result, Stage
from serment.demo.thieves import rows
from serment.words import catalogue

PATIENTS = 12


@pytest.fixture(scope="module")
def scene() -> Iterator[Stage]:
    with attack.stage(PATIENTS) as stage:
        yield stage


@pytest.mark.capability("0-09", "refuses")
@pytest.mark.capability("4-13", "refuses")
@pytest.mark.parametrize("thief", attack.THIEVES, ids=lambda thief: thief.__name__)
def test_the_thief_gets_nothing_unseen(scene: Stage, thief: Callable[[Stage], Result]) -> None:
    result = thief(scene)
    assert result.stopped
    assert {result.thief, result.outcome} <= set(catalogue())


def test_a_name_left_on_the_disk_is_found(scene: Stage) -> None:
    """The thief with the disk can succeed: this is what failing looks like."""
    name = scene.store.names[0]
    side = scene.settings.directory / "notes"
    side.write_text(f"rappeler {name}")
    try:
        assert not attack.disk(scene).stopped
    finally:
        side.unlink()
    assert attack.disk(scene).stopped


@pytest.mark.capability("4-13", "lets")
def test_what_was_put_back_is_whole_again(scene: Stage) -> None:
    """A reading says that the record is whole; so does the verification of every trace."""
    with rows.moved_epoch(scene.file, scene.record("patient")):
        assert attack.caught(scene)
    assert not attack.caught(scene)
    assert scene.house.proving.verify().ok


@pytest.mark.capability("4-04", "lets")
def test_the_patient_masks_and_unmasks_under_an_open_page(scene: Stage) -> None:
    first, again = attack.open_page(scene), attack.open_page(scene)
    assert first.stopped
    assert again.stopped


def test_the_command_says_what_each_thief_did() -> None:
    said = io.StringIO()
    assert attack.run(Console(file=said, width=200), PATIENTS) == 0
    lines = said.getvalue().splitlines()
    assert len(lines) == 2 + 2 * len(attack.THIEVES)
    assert "12" in lines[0]


def test_a_thief_who_succeeds_is_an_exit_code(scene: Stage) -> None:
    said = io.StringIO()
    won = Result("attack.disk", "attack.disk-got", stopped=False)
    assert not attack.told(Console(file=said, width=200), scene, lambda _: won)

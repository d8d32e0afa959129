"""The reserve takes real room, gives it back in steps, and takes it again when there is enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from serment.errors import SettingsError
from serment.store.ballast import Ballast

SIZE = 8 * 65_536


def filled(path: Path) -> Ballast:
    ballast = Ballast(path, SIZE, steps=4)
    assert ballast.refill()
    return ballast


def test_a_whole_ballast_holds_its_size_on_the_disk(tmp_path: Path) -> None:
    ballast = filled(tmp_path / "ballast")
    assert ballast.whole
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= SIZE == ballast.standing
    ballast.close()


def test_it_gives_its_room_back_step_by_step_until_spent(tmp_path: Path) -> None:
    ballast = filled(tmp_path / "ballast")
    freed = [ballast.release() for _ in range(6)]
    assert freed == [SIZE // 4] * 4 + [0, 0]
    assert (ballast.standing, ballast.whole) == (0, False)
    assert (tmp_path / "ballast").stat().st_blocks == 0
    ballast.close()


def test_it_is_refilled_when_there_is_room(tmp_path: Path) -> None:
    ballast = filled(tmp_path / "ballast")
    ballast.release()
    assert ballast.refill()
    assert ballast.standing == SIZE
    ballast.close()


def test_it_takes_no_room_that_the_volume_does_not_have_twice(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 1 << 60, steps=4)
    assert not ballast.refill()
    assert ballast.standing == 0
    ballast.close()


def test_its_state_is_the_file_and_so_survives_a_restart(tmp_path: Path) -> None:
    ballast = filled(tmp_path / "ballast")
    ballast.release()
    again = Ballast(tmp_path / "ballast", SIZE, steps=4)
    assert (again.standing, again.whole) == (SIZE * 3 // 4, False)
    ballast.close()
    again.close()


@pytest.mark.parametrize(("size", "steps"), [(100, 0), (3, 4), (0, 1)])
def test_a_ballast_without_a_byte_for_each_step_is_a_mistake(tmp_path: Path, size: int, steps: int) -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        Ballast(tmp_path / "ballast", size, steps)


def test_a_folder_that_is_not_there_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        Ballast(tmp_path / "nowhere" / "ballast", SIZE)

"""The doctor's checks, on directories made for it."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from serment import settings
from serment.cli import checks
from serment.cli.checks import Light
from serment.settings import Settings


def at(folder: Path, port: int = 0) -> Settings:
    return settings.read({}, folder, port)


def test_no_installation_is_red_and_says_how_to_make_one(tmp_path: Path) -> None:
    found = {check.name: check for check in checks.examine(at(tmp_path / "none"))}
    assert found["directory"].light is Light.RED
    assert "serment init" in found["directory"].advice
    assert "store" not in found


def test_a_port_that_somebody_else_has_is_red(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        check = checks.port(at(tmp_path, taken.getsockname()[1]))
    assert (check.light, bool(check.advice)) == (Light.RED, True)


def test_a_free_port_is_green(tmp_path: Path) -> None:
    assert checks.port(at(tmp_path)).light is Light.GREEN


def test_a_spool_on_the_same_disk_deserves_attention(tmp_path: Path) -> None:
    check = checks.spool(at(tmp_path))
    assert check.light is Light.YELLOW
    assert "SERMENT_SPOOL" in check.advice


def test_a_spool_on_another_disk_is_green(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.exists() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one volume")
    chosen = settings.read({"SERMENT_SPOOL": str(elsewhere / "not-made")}, tmp_path)
    assert checks.spool(chosen).light is Light.GREEN


def test_the_spool_of_a_database_on_a_server_stands_here_and_is_well(tmp_path: Path) -> None:
    check = checks.spool(replace(at(tmp_path), store="postgresql://serment@db.example/serment"))
    assert check.light is Light.GREEN
    assert str(tmp_path) in check.said


def test_a_directory_that_others_can_read_deserves_attention(tmp_path: Path) -> None:
    home = tmp_path / "installation"
    home.mkdir(mode=0o700)
    (home / "record.sqlite").touch(mode=0o644)
    check = checks.directory(at(home))
    assert (check.name, check.light) == ("modes", Light.YELLOW)
    assert "record.sqlite" in check.said


def test_a_damaged_database_is_red_and_of_integrity(tmp_path: Path) -> None:
    (tmp_path / "record.sqlite").write_bytes(b"SQLite format 3\x00" + b"\x00" * 4096)
    check = checks.store(at(tmp_path))
    assert check.light is Light.RED

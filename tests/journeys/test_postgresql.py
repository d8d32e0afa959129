"""At the command line: a database prepared by its owner, an installation made on it and moved to a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from serment.cli.main import run
from tests.installation import PASSPHRASE
from tests.stores.test_postgres import OWNS, RUNS, Two


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    (tmp_path / "passphrase").chmod(0o600)
    return tmp_path


def test_an_installation_is_made_on_postgresql_and_moved_to_a_file(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two, here = Two(), ["-d", str(home / "clinic")]
    opened = [*here, "--passphrase-file", str(home / "passphrase")]
    monkeypatch.setenv("SERMENT_STORE", two.url(RUNS))
    assert run(["init", *opened]) == 1
    assert run(["store", "prepare", "--owner", two.url(OWNS)]) == 0
    assert run(["init", *opened]) == 0
    assert run(["ledger", "verify", *opened]) == 0
    assert not (home / "clinic" / "record.sqlite").exists()
    capsys.readouterr()
    assert run(["store", "move", "--to", "sqlite", *here, "--json"]) == 0
    moved = json.loads(capsys.readouterr().out)
    assert moved["store"] == "sqlite"
    assert moved["size"] == moved["rows"]["entry"] > 0
    monkeypatch.delenv("SERMENT_STORE")
    assert run(["ledger", "verify", *opened]) == 0


def test_an_address_with_a_password_is_refused_before_anything(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SERMENT_STORE", "postgresql://serment:hunter2@localhost/serment")
    assert run(["config", "show", "-d", str(home)]) == 1
    monkeypatch.delenv("SERMENT_STORE")
    assert run(["store", "move", "--to", "postgresql://me:hunter2@localhost/x", "-d", str(home)]) == 1
    assert run(["store", "move", "--to", "mysql://localhost/x", "-d", str(home)]) == 2
    told = capsys.readouterr()
    assert "hunter2" not in told.out + told.err


def test_a_server_that_is_away_is_told_in_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SERMENT_STORE", f"postgresql://nobody@/none?host={home}")
    assert run(["init", "-d", str(home / "clinic"), "--passphrase-file", str(home / "passphrase")]) == 6
    assert len(capsys.readouterr().err.splitlines()) == 1

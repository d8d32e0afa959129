"""Secrets come from a file of their owner's, or from the keyboard, and from nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from serment.cli import secret
from serment.errors import RequestError


def kept(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def refused(path: Path) -> str:
    with pytest.raises(RequestError) as error:
        secret.from_file(path)
    return error.value.sentence


def test_the_first_line_is_the_secret_with_its_spaces(tmp_path: Path) -> None:
    assert secret.from_file(kept(tmp_path, "  pendule vide \nsecond line\n")) == "  pendule vide "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    assert refused(kept(tmp_path, "pendule vide", mode)) == "cli.secret-open"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert refused(kept(tmp_path, "\nsecond")) == "cli.secret-empty"


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none") == "cli.secret-unreadable"
    path = kept(tmp_path, "")
    path.write_bytes(b"\xff\xfe")
    assert refused(path) == "cli.secret-unreadable"


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("pendule vide\n"))
    assert secret.from_file(Path("-")) == "pendule vide"


def test_no_terminal_means_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    for ask in (secret.passphrase, secret.new_passphrase, secret.token):
        with pytest.raises(RequestError) as error:
            ask(None)
        assert error.value.sentence == "cli.nobody-to-ask"

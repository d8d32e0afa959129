"""The settings as an operator gives them, and what is said of a wrong one."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from serment import settings
from serment.cli.main import run
from serment.errors import SettingsError
from serment.settings import Settings
from serment.words import Language, say


def test_every_setting_has_its_variable_and_its_sentence() -> None:
    # A worker is told by the one that starts it which of them it is.
    chosen = {field.name for field in fields(Settings)} - {"worker"}
    assert chosen == set(settings.VARIABLES)
    for name in chosen:
        assert settings.VARIABLES[name].startswith("SERMENT_")
        assert all(say(f"settings.{name}", language) for language in Language)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SERMENT_PORT", "http"), ("SERMENT_PORT", "65536"), ("SERMENT_PORT", "-1"),
        ("SERMENT_REGIME", "mine"), ("SERMENT_LANGUAGE", "de"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings.read({variable: value})
    assert variable in str(error.value)


@pytest.mark.parametrize("variable", ["SERMENT_STORE", "SERMENT_STORE_REPLICA"])
@pytest.mark.parametrize(
    "address", ["postgresql://clinic:s3cret@db/serment", "postgresql://db/s?password=s3cret"]
)
def test_an_address_with_a_password_is_refused_by_the_name_of_its_setting(
    variable: str, address: str
) -> None:
    with pytest.raises(SettingsError) as error:
        settings.read({variable: address})
    assert error.value.parameters == {"name": variable}
    assert "s3cret" not in str(error.value)


def test_an_argument_wins_over_the_environment(tmp_path: Path) -> None:
    chosen = settings.read({"SERMENT_DIR": "/elsewhere", "SERMENT_PORT": "1"}, tmp_path, 2)
    assert (chosen.directory, chosen.port) == (tmp_path, 2)


def test_config_show_says_where_each_value_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SERMENT_PORT", "9000")
    monkeypatch.delenv("SERMENT_HOST", raising=False)
    assert run(["config", "show", "--json", "-d", str(tmp_path)]) == 0
    shown = json.loads(capsys.readouterr().out)["settings"]
    assert shown["directory"]["from"] == "option"
    assert (shown["port"]["value"], shown["port"]["from"]) == ("9000", "variable")
    assert shown["host"]["from"] == "default"


def test_a_wrong_setting_can_be_looked_up_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SERMENT_REGIME", "mine")
    assert run(["config", "show"]) == 1
    assert "SERMENT_REGIME" in capsys.readouterr().err
    assert run(["config", "show", "--defaults"]) == 0


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "fr_FR.UTF-8"}, Language.FR),
        ({"LANG": "fr_FR", "LC_ALL": "C"}, Language.EN),
        ({}, Language.EN),
        ({"LC_MESSAGES": "fr_CA"}, Language.FR),
    ],
)  # fmt: skip
def test_the_terminal_speaks_the_language_of_its_locale(
    environment: dict[str, str], language: Language
) -> None:
    assert settings.terminal_language(environment) is language

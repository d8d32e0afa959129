"""A program as a file describes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from serment.cli.client import _client
from serment.errors import RequestError
from serment.words import Language
from tests.doors.programs import public

DESCRIBED = """
id = "diary"
name = "Carnet"
kind = "public"
scopes = ["patient/Observation.rs"]
redirects = ["https://diary.example.org/back"]

[processor]
name = "Exemple SAS"
purpose = "suivi"
country = "FR"
contact = "dpo@diary.example.org"
clauses = "contrat"
reviewed = 2026-11-02
until = 2027-11-01
"""
DAY = 24 * 3600 * 1000


def test_a_file_says_who_answers_until_the_end_of_a_day(tmp_path: Path) -> None:
    file = tmp_path / "diary.toml"
    file.write_text(DESCRIBED, "utf-8")
    read = _client(file)
    assert (read.id, read.rate, read.processor.country) == ("diary", 600, "FR")
    assert 363 * DAY < read.processor.until - read.processor.reviewed < 367 * DAY


def test_the_keys_stand_in_a_file_beside_it(tmp_path: Path) -> None:
    key = public(ECKey.generate_key("P-384"), kid="k1")
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [key]}))
    file = tmp_path / "lab.toml"
    file.write_text('keys = "keys.json"\n' + DESCRIBED, "utf-8")
    assert _client(file).keys == (key,)


@pytest.mark.parametrize(
    "text", ["", "id = 1", "[processor]", DESCRIBED.replace("[processor]", "[other]"), "\0"]
)
def test_a_file_that_describes_nothing_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(RequestError):
        _client(file)
    with pytest.raises(RequestError):
        _client(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (DESCRIBED.replace("kind", "kind ="), "line 4"),
        (DESCRIBED.replace('"public"', "7"), "$.kind"),
        ('id = "diary"', "[processor]"),
    ],
)
def test_a_description_that_is_wrong_is_told_where(tmp_path: Path, text: str, where: str) -> None:
    file = tmp_path / "diary.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(RequestError) as refused:
        _client(file)
    assert where in refused.value.said(Language.EN)

"""The tables and the proof as a person and a program read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from serment.access.policy import GRID, shipped_tables
from serment.access.prove import MONOTONE, NOBODY, SILENCE, THEOREMS
from serment.access.prove_people import PEOPLE
from serment.cli import access
from serment.cli.main import run
from serment.model import Function
from serment.words import catalogue


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert run([*words, "--json"]) == 0
    value: dict[str, object] = json.loads(capsys.readouterr().out)
    return value


def test_the_grid_shows_every_cell_with_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    cells = answer(capsys, "access", "grid", Function.SECRETARY.value)["cells"]
    assert isinstance(cells, list)
    assert cells
    assert all(cell["verified"] for cell in cells)


def test_the_matrix_shows_what_each_cell_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    cells = answer(capsys, "access", "matrix", "60")["cells"]
    assert isinstance(cells, list)
    assert len(cells) == 11
    assert all(cell["verified"] for cell in cells)


@pytest.mark.parametrize("words", [["grid", "king"], ["matrix", "king"]])
def test_an_unknown_row_lists_those_that_are_known(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["access", *words]) == 2
    assert len(capsys.readouterr().err) > 60


def test_the_proof_counts_its_cases_and_holds(capsys: pytest.CaptureFixture[str]) -> None:
    report = answer(capsys, "access", "prove")
    assert report["proved"] is True
    assert isinstance(report["cases"], int)
    assert report["cases"] > 100_000


def test_a_proof_that_does_not_hold_ends_with_one_and_shows_the_case(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from serment.access import prove
    from serment.access.prove import CounterExample, ProofReport

    broken = ProofReport(7, ("theorem.masked",), (CounterExample("theorem.masked", "masked team", "G6"),))
    monkeypatch.setattr(prove, "prove", lambda _policy: broken)
    assert run(["access", "prove"]) == access.UNPROVED == 1
    shown = capsys.readouterr().out
    assert "✗ a mask yields to those four, never to an emergency" in shown
    assert "masked team -> G6" in shown


def test_every_theorem_has_its_sentence_and_every_sentence_its_theorem() -> None:
    said = {sentence for sentence in catalogue() if sentence.startswith("theorem.")}
    assert said == {*THEOREMS, *PEOPLE, MONOTONE, SILENCE, NOBODY}


def another_grid(folder: Path, line: str) -> str:
    file = folder / "grid.csv"
    file.write_text(f"{shipped_tables()[GRID].rstrip()}\n{line}\n", "utf-8")
    return str(file)


@pytest.mark.capability("1-27", "lets")
def test_a_preview_says_what_a_file_opens_before_it_applies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = answer(capsys, "access", "preview", another_grid(tmp_path, "secretary,notes,read,,ours,no"))
    assert said["opened"] == [
        {"regime": "own", "row": "secretary", "column": "notes", "acts": ["read"], "labels": [""]}
    ]
    assert (said["closed"], said["acceptable"]) == ([], True)


@pytest.mark.capability("1-27", "refuses")
def test_a_file_that_opens_more_than_was_agreed_to_ends_with_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agreed = answer(capsys, "access", "preview", another_grid(tmp_path, "secretary,notes,list,,ours,no"))
    more = another_grid(tmp_path, "secretary,notes,list read,,ours,no")
    assert run(["access", "preview", more, "--agreed", str(agreed["digest"])]) == 3


def test_a_preview_of_no_file_and_of_no_text_says_so(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name in ("absent", "bytes"):
        assert run(["access", "preview", str(tmp_path / name)]) == 2

"""What a command writes, and where."""

from __future__ import annotations

import json

import pytest

from serment.cli.output import Output, complain, grouped


def test_a_program_gets_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(json_=True)
    out.line("a line")
    out.table(["one"], [["1"]])
    with out.progress("cli.verifying") as advance:
        advance(1, 2)
    out.result(done=True)
    told = capsys.readouterr()
    assert json.loads(told.out) == {"done": True}
    assert told.err == ""


def test_a_person_gets_no_object(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(json_=False)
    out.line("a line")
    out.result(done=True)
    assert capsys.readouterr().out == "a line\n"


def test_an_address_is_never_folded(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"http://localhost:8080/enter/{'x' * 300}"
    Output(json_=False).line(address)
    assert address in capsys.readouterr().out.splitlines()


def test_a_table_in_a_pipe_is_neither_cut_nor_folded(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json_=False).table(["name", "what"], [["a", "w " * 100], ["b", "[red]plain[/red]"]])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].count("w") == 100
    assert "[red]plain[/red]" in lines[2]
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("as_json", [True, False])
def test_an_error_goes_to_the_program_or_to_the_person(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complain("cli.fault", "said", as_json, 4) == 4
    told = capsys.readouterr()
    if as_json:
        assert json.loads(told.out) == {"error": "cli.fault", "sentence": "said"}
        assert told.err == ""
    else:
        assert (told.out, told.err) == ("", "said\n")


@pytest.mark.parametrize(("number", "said"), [(0, "0"), (999.6, "1 000"), (11_494, "11 494")])
def test_numbers_of_a_bar_read_alike_in_french_and_english(number: float, said: str) -> None:
    assert grouped(number).replace("\N{NARROW NO-BREAK SPACE}", " ") == said

"""Every command of the command line is listed here; one that is not fails.

What a command is to production says what it may do there: `content` shows or changes what is in a
record and never does so from the installation's own files; `demo` does not run there at all.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from serment.cli.main import app, run
from tests.doors.commands import commands

OPEN = "open"
CONTENT = "content"
DEMO = "demo"

LISTED = {
    "init": OPEN,
    "serve": OPEN,
    "unlock": OPEN,
    "doctor": OPEN,
    "demo": DEMO,
    "demo attack": DEMO,
    "token": DEMO,
    "import": OPEN,
    "record show": CONTENT,
    "record history": CONTENT,
    "record trace": CONTENT,
    "record attending": CONTENT,
    "record consent list": CONTENT,
    "record consent mask": CONTENT,
    "record consent unmask": CONTENT,
    "record consent block": CONTENT,
    "record consent oppose": CONTENT,
    "record consent permit": CONTENT,
    "access explain": DEMO,
    "access prove": OPEN,
    "access grid": OPEN,
    "access matrix": OPEN,
    "ledger verify": OPEN,
    "ledger status": OPEN,
    "ledger checkpoint": OPEN,
    "keys status": OPEN,
    "keys slots": OPEN,
    "keys add-slot": OPEN,
    "keys remove-slot": OPEN,
    "keys lock": OPEN,
    "quarantine list": OPEN,
    "quarantine retry": OPEN,
    "quarantine show": OPEN,
    "config show": OPEN,
}

HEAVY = (
    "apsw",
    "cryptography",
    "jinja2",
    "jsonschema_rs",
    "msgspec",
    "rich",
    "starlette",
    "uvicorn",
    "reportlab",
)


def options(words: str) -> set[str]:
    node = dict(commands())[words]
    return {name for parameter in node.params for name in parameter.opts}


def test_every_command_is_listed_with_what_it_is_to_production() -> None:
    assert sorted(dict(commands())) == sorted(LISTED)


@pytest.mark.parametrize("words", LISTED)
def test_every_command_answers_programs_and_has_help(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--json" in options(words)
    assert run([*words.split(), "--help"]) == 0
    assert words.rpartition(" ")[2] in capsys.readouterr().out


@pytest.mark.parametrize("words", LISTED)
def test_no_secret_is_ever_an_argument(words: str) -> None:
    """The list of processes shows arguments to everybody on the machine."""
    telling = {name for name in options(words) if re.search("pass|token|secret", name)}
    assert {name for name in telling if not name.endswith("-file")} == set()


@pytest.mark.parametrize("words", [words for words, kind in LISTED.items() if kind == CONTENT])
def test_every_command_that_touches_a_record_goes_through_one_of_the_two_doors(words: str) -> None:
    assert {"--as", "--url", "--token-file"} <= options(words)


def test_every_option_and_argument_says_what_it_is() -> None:
    silent = [
        f"{words} {parameter.name}"
        for words, node in commands()
        for parameter in node.params
        if parameter.name != "help" and not getattr(parameter, "help", None)
    ]
    assert silent == []


def test_help_reads_nothing_heavy() -> None:
    """`--help` answers within 0.3 s because the parts of the house are imported inside commands."""
    code = "import sys, serment.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & set(HEAVY) == set()
    assert "serment.app" not in done.stdout.split()


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["token"], ["record", "show"], ["demo", "--patients", "3"]]
)
def test_a_command_written_wrong_is_told_in_one_line_and_ends_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1


def test_an_error_is_one_object_for_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "verify", "--json", "-d", str(tmp_path / "none")]) == 2
    told = capsys.readouterr()
    assert set(json.loads(told.out)) == {"error", "sentence"}
    assert told.err == ""


def test_a_fault_of_ours_shows_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A traceback with its locals or its message would carry what was being opened."""
    monkeypatch.setenv("SERMENT_DEBUG", "1")

    def broken() -> None:
        patient = "Sylvie Valmaud"
        raise ValueError(patient)

    app.command("broken", hidden=True)(broken)
    try:
        assert run(["broken"]) == 1
    finally:
        app.registered_commands.pop()
    told = capsys.readouterr()
    assert "ValueError" in told.err
    assert "broken" in told.err
    assert "Valmaud" not in told.out + told.err


def test_nothing_typed_is_a_request_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "ledger" in capsys.readouterr().out


def test_typer_never_prints_locals() -> None:
    groups = [app, *(group.typer_instance for group in app.registered_groups)]
    assert not any(isinstance(one, typer.Typer) and one.pretty_exceptions_enable for one in groups)

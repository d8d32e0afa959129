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

from serment.cli.main import run, walked
from serment.cli.tree import tree
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
    "access preview": OPEN,
    "ledger verify": OPEN,
    "ledger status": OPEN,
    "ledger checkpoint": OPEN,
    "ledger hold": OPEN,
    "keys status": OPEN,
    "keys slots": OPEN,
    "keys add-slot": OPEN,
    "keys remove-slot": OPEN,
    "keys lock": OPEN,
    "store prepare": OPEN,
    "store move": OPEN,
    "quarantine list": OPEN,
    "quarantine retry": OPEN,
    "quarantine show": OPEN,
    "account add": OPEN,
    "account exercise": OPEN,
    "account end": OPEN,
    "account leave": OPEN,
    "account invite": OPEN,
    "account sign-out": OPEN,
    "account list": OPEN,
    "account directory": OPEN,
    "profile show": OPEN,
    "profile set": OPEN,
    "certificate make": OPEN,
    "certificate take": OPEN,
    "certificate show": OPEN,
    "client add": OPEN,
    "client list": OPEN,
    "client renew": OPEN,
    "client rotate": OPEN,
    "client end": OPEN,
    "provider psc": OPEN,
    "provider add": OPEN,
    "provider list": OPEN,
    "provider remove": OPEN,
    "address add": OPEN,
    "address list": OPEN,
    "address remove": OPEN,
    "config show": OPEN,
}

HEAVY = (
    "apsw",
    "cryptography",
    "jinja2",
    "jsonschema_rs",
    "msgspec",
    "psycopg",
    "rich",
    "starlette",
    "uvicorn",
    "reportlab",
    "pydantic",
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


@pytest.mark.parametrize(
    ("words", "more"), [([], {"typer"}), (["record"], set()), (["record", "consent", "mask"], set())]
)
def test_help_reads_nothing_heavy(words: list[str], more: set[str]) -> None:
    """`--help` answers within 0.3 s: heavy parts are imported inside commands, typer for a part alone."""
    code = "import sys; from serment.cli.main import run; run(sys.argv[1:]); print(*sys.modules)"
    asked = [sys.executable, "-c", code, *words, "--help"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert {name.partition(".")[0] for name in loaded} & {*HEAVY, *more} == set()
    assert "serment.app" not in loaded


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

    app = tree([])
    app.command("broken")(broken)
    assert walked(["broken"], app) == 1
    told = capsys.readouterr()
    assert "ValueError" in told.err
    assert "broken" in told.err
    assert "Valmaud" not in told.out + told.err


@pytest.mark.parametrize("words", [[], ["record"], ["record", "consent"]])
def test_nothing_typed_is_a_request_for_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    bare = capsys.readouterr().out
    assert run([*words, "--help"]) == 0
    assert capsys.readouterr().out == bare


def test_the_front_page_tells_the_tree_that_stands_behind_it(capsys: pytest.CaptureFixture[str]) -> None:
    """It is told from names alone, before any part is imported: the two must say the same."""
    assert run(["--help"]) == 0
    front = capsys.readouterr().out
    assert walked(["--help"]) == 0
    assert capsys.readouterr().out == front


LIBRARY = (
    "Usage:", "Show this", "default", "required", "ARGS", "Missing", "No such", "Invalid", "Possible",
    "Input should", "Got unexpected", "Did you mean", "does not take", "an argument",
    "<", "int", "DIR", "FILE",
)  # fmt: skip
"""What the library that parses the command line says in English."""

MISTAKES = {
    "nothing": "La commande «\u00a0nothing\u00a0» n'existe pas.",
    "tokn": "peut-être token\u00a0?",
    "record consent maks": "peut-être mask, unmask\u00a0?",
    "--foo": "L'option --foo n'existe pas ici.",
    "record show x --jsn": "peut-être --as, --json, --reason\u00a0?",
    "token": "Il manque l'option --as PERSONNE.",
    "record show": "Il manque PATIENT.",
    "record show a b": "Il y a un mot de trop.",
    "record show a --as": "L'option --as attend une valeur.",
    "demo --json=3": "L'option --json n'attend pas de valeur.",
    "demo --patients 3": "--patients attend un nombre entier de 10 à 20000.",
    "demo --patients many": "--patients attend un nombre entier de 10 à 20000.",
    "demo --seed many": "--seed attend un nombre entier.",
    "keys remove-slot first": "NUMÉRO attend un nombre entier.",
    "record --": "Il manque une commande.",
}
"""What is typed wrong, and what a French terminal says of it."""


def french(lines: list[str]) -> list[tuple[int, str]]:
    """Run commands in one process whose terminal is French; give each one's exit code and what it said."""
    code = (
        "import contextlib, io, json, sys; from serment.cli.main import run\n"
        "for line in json.loads(sys.argv[1]):\n"
        "    said = io.StringIO()\n"
        "    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):\n"
        "        code = run(line.split())\n"
        "    print(json.dumps([code, said.getvalue()]))"
    )
    asked = [sys.executable, "-c", code, json.dumps(lines)]
    done = subprocess.run(
        asked, capture_output=True, text=True, check=True, env={"LANG": "fr_FR.UTF-8", "COLUMNS": "80"}
    )
    return [(number, said) for number, said in map(json.loads, done.stdout.splitlines())]


def test_every_page_of_help_is_french_in_a_french_terminal() -> None:
    groups = {words.rpartition(" ")[0] for words in LISTED}
    asked = [f"{words} --help" for words in (*LISTED, *groups)]
    for (code, said), line in zip(french(asked), asked, strict=True):
        assert code == 0
        assert said.startswith("Utilisation\u00a0: serment")
        assert [word for word in LIBRARY if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said)] == [], line
        assert max(map(len, said.splitlines())) <= 80, line


def test_what_is_typed_wrong_is_told_in_french_in_a_french_terminal() -> None:
    for (code, said), (line, expected) in zip(french(list(MISTAKES)), MISTAKES.items(), strict=True):
        assert (code, expected in said) == (2, True), (line, said)
        assert said.startswith("Commande mal écrite.")
        assert [word for word in LIBRARY if word in said] == [], line


def test_a_word_that_would_move_the_cursor_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    for typed in ("\x1b[2J", "--\x1b[2J", "x" * 10_000):
        assert run([typed]) == 2
        said = capsys.readouterr().err
        assert "\x1b" not in said
        assert len(said) < 300


def test_typer_never_prints_locals() -> None:
    app = tree()
    groups = [app, *(group.typer_instance for group in app.registered_groups)]
    assert not any(isinstance(one, typer.Typer) and one.pretty_exceptions_enable for one in groups)

"""The command tree, and how an error becomes a sentence and an exit code.

Heavy parts are imported inside each command, so that `--help` answers at once.
Exit codes: 0 done, 1 fault, 2 request, 3 refused, 4 integrity, 5 risk, 6 dependency.

A fault of ours is told in one line: its kind, never its values, because a traceback carries what was
being opened. SERMENT_DEBUG=1 adds the places it went through, still without a value.
"""

from __future__ import annotations

import signal
import sys
import traceback
from types import FrameType

import typer

from serment.cli import (
    access,
    config,
    demo,
    doctor,
    import_,
    init,
    keys,
    ledger,
    quarantine,
    record,
    serve,
    token,
    unlock,
)
from serment.cli.options import group
from serment.cli.output import complain
from serment.cli.speech import LANGUAGE, told
from serment.errors import SermentError
from serment.settings import debugging

FAULT = 1
REQUEST = 2
INTERRUPTED = 130

app = group(told("cli.help"))


@app.callback()
def serment() -> None:
    """Begin the tree; a single command would otherwise be the whole program."""


for part in (
    init,
    serve,
    unlock,
    doctor,
    demo,
    token,
    record,
    access,
    ledger,
    keys,
    import_,
    quarantine,
    config,
):
    part.add(app)


def main() -> None:
    """Run the command line."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code. Nothing is raised."""
    as_json = "--json" in arguments
    try:
        code = app(args=arguments, prog_name="serment", standalone_mode=False) or 0
    except SermentError as error:
        code = complain(error.sentence, error.said(LANGUAGE), as_json, error.exit_code)
    except typer.TyperException as error:
        code = _misused(error, as_json)
    except typer.Exit as error:
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        code = _faulted(error, as_json)
    return int(code)


def _misused(error: typer.TyperException, as_json: bool) -> int:
    """Say what is wrong with the command as typed. No argument at all is a request for help."""
    said = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(f"{said}\n")
        return 0
    sentence = "cli.misused"
    return complain(sentence, told(sentence, said=said), as_json, REQUEST)


def _faulted(error: Exception, as_json: bool) -> int:
    if debugging():
        for frame in traceback.extract_tb(error.__traceback__):
            sys.stderr.write(f"{frame.filename}:{frame.lineno} {frame.name}\n")
    sentence = "cli.fault"
    return complain(sentence, told(sentence, kind=type(error).__name__), as_json, FAULT)


def _ended(_number: int, _frame: FrameType | None) -> None:
    """End as after a command that went well, so that what was begun is put away."""
    raise SystemExit(0)

"""The program: one command run, and how an error becomes a sentence and an exit code.

Heavy parts are imported inside each command, the tree itself only when it is walked: help answers at once.
Exit codes: 0 done, 1 fault, 2 request, 3 refused, 4 integrity, 5 risk, 6 dependency.

A fault of ours is told in one line: its kind, never its values, because a traceback carries what was
being opened. SERMENT_DEBUG=1 adds the places it went through, still without a value.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from serment.cli import page
from serment.cli.output import complain
from serment.cli.speech import LANGUAGE, told
from serment.errors import SermentError
from serment.settings import debugging

if TYPE_CHECKING:
    import typer

FAULT = 1
REQUEST = 2
INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code. Nothing is raised. Nothing typed is a request for help."""
    if list(arguments) in ([], ["--help"]):
        sys.stdout.write(page.front())
        return 0
    return walked(arguments)


def walked(arguments: Sequence[str], app: typer.Typer | None = None) -> int:
    """Run one command of a tree (by default the product's) and give its exit code. Nothing is raised."""
    import typer

    from serment.cli.tree import needed, tree

    as_json = "--json" in arguments
    try:
        chosen = app or tree(needed(arguments))
        code = chosen(args=list(arguments), prog_name=page.PROGRAM, standalone_mode=False) or 0
    except SermentError as error:
        code = complain(error.sentence, error.said(LANGUAGE), as_json, error.exit_code)
    except typer.TyperException:
        sentence = "cli.misused"
        said = told(sentence, said=told("cli.misused-otherwise"))
        code = complain(sentence, said, as_json, REQUEST)
    except typer.Exit as error:
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        code = _faulted(error, as_json)
    return int(code)


def _faulted(error: Exception, as_json: bool) -> int:
    if debugging():
        import traceback

        for frame in traceback.extract_tb(error.__traceback__):
            sys.stderr.write(f"{frame.filename}:{frame.lineno} {frame.name}\n")
    sentence = "cli.fault"
    return complain(sentence, told(sentence, kind=type(error).__name__), as_json, FAULT)


def _ended(_number: int, _frame: FrameType | None) -> None:
    """End as after a command that went well, so that what was begun is put away."""
    raise SystemExit(0)

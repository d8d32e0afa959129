"""The command tree, and how an error becomes a sentence and an exit code.

Heavy parts are imported inside each command, so that `--help` answers at once.
Exit codes: 0 done, 1 fault, 2 request, 3 refused, 4 integrity, 5 risk, 6 dependency.
"""

from __future__ import annotations

import sys

import typer

from serment.cli import demo
from serment.errors import SermentError
from serment.settings import terminal_language
from serment.words import Language, say

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=say("cli.help", Language.EN),
)


@app.callback()
def serment() -> None:
    """Keep the medical secret in software."""


demo.add(app)


def main() -> None:
    """Run the command line."""
    try:
        app(standalone_mode=True)
    except SermentError as error:
        sys.stderr.write(f"{error.said(terminal_language())}\n")
        sys.exit(error.exit_code)

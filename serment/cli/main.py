"""The command tree, and how an error becomes a sentence and an exit code.

Heavy parts are imported inside each command, so that `--help` answers at once.
Exit codes: 0 done, 1 fault, 2 request, 3 refused, 4 integrity, 5 risk, 6 dependency.
"""

from __future__ import annotations

import os
import sys

import typer

from serment.cli import demo
from serment.errors import SermentError
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


def language() -> Language:
    """Choose the language of the terminal: French unless the locale says English."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
    return Language.FR if locale.startswith("fr") else Language.EN


def main() -> None:
    """Run the command line."""
    try:
        app(standalone_mode=True)
    except SermentError as error:
        sys.stderr.write(f"{error.said(language())}\n")
        sys.exit(error.exit_code)

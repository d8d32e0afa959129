"""Write docs/reference/command-line.md from the command tree itself.

`python -m tools.render_command_line` writes the page; with `--check` it says whether the committed page
is what the tree gives, exit code 1 when it is not. The page is in English, whatever the terminal is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.generated import kept

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "command-line.md"

OPENING = """# The command line

This page is made by `python -m tools.render_command_line` from the commands themselves; the build fails
when it is old.

Every command takes `--help` and `--json`. With `--json` standard output holds one JSON object and nothing
else, errors too: `{"error": id, "sentence": text}`. Sentences are in the language of the terminal, French
or English. No secret is ever an argument: it is typed without echo, or read from a file that only its
owner can read.

| exit code | means |
|---|---|
| 0 | done |
| 1 | a setting to mend, a proof that does not hold, or a defect of Serment |
| 2 | the command or what it names has to be mended |
| 3 | refused: wrong passphrase, or no right to it |
| 4 | what is stored is not what was written |
| 5 | a measured risk is above its bar |
| 6 | something that Serment needs is not there: custody locked, disk full, no answer |

A command that needs an open installation meets the custody that runs. Where none runs it starts one and
asks for the passphrase. A server that waits locked is opened by `serment unlock` only.

On production no command shows what is in a record from the installation's own files: `serment record`
goes through the HTTP door, with the person's own token.
"""


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", {})
    if path and (not below or getattr(command, "invoke_without_command", False)):
        yield " ".join(path), command
    for name, child in below.items():
        yield from _leaves(child, (*path, name))


def _usage(words: str, command: Any) -> str:
    arguments = [
        part.metavar or part.name.upper() for part in command.params if part.param_type_name == "argument"
    ]
    needed = [
        f"{part.opts[0]} {part.metavar}"
        for part in command.params
        if part.required and part.opts[0][0] == "-"
    ]
    return " ".join(["serment", words, *arguments, *needed, "[OPTIONS]"])


def _parameter(part: Any) -> str:
    if part.param_type_name == "argument":
        name = str(part.metavar or part.name.upper())
    else:
        name = ", ".join(part.opts)
    default = part.default
    shown = (
        f" Default: {default}."
        if isinstance(default, int | str) and not isinstance(default, bool) and default != ""
        else ""
    )
    return f"| `{name.replace('|', chr(92) + '|')}` | {part.help}{shown} |"


def _command(words: str, command: Any) -> Iterator[str]:
    yield f"## serment {words}\n"
    yield f"{command.help}\n"
    yield f"```text\n{_usage(words, command)}\n```\n"
    parts = [part for part in command.params if part.name not in {"help", "json"}]
    if parts:
        yield "| | |\n|---|---|"
        yield from (_parameter(part) for part in parts)
        yield ""


def page() -> str:
    """Write the page from the tree."""
    os.environ["LC_ALL"] = "C.UTF-8"
    import typer

    from serment.cli.tree import tree

    lines = [OPENING]
    for words, command in _leaves(typer.main.get_command(tree())):
        lines += _command(words, command)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    raise SystemExit(kept({PAGE: page()}, sys.argv[1:]))

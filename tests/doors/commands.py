"""The command tree, walked: every command by its words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from serment.cli.tree import tree


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Give each command that does something: its words, and what typer made of it."""
    node = typer.main.get_command(tree()) if command is None else command
    below = getattr(node, "commands", {})
    if path and (not below or getattr(node, "invoke_without_command", False)):
        yield " ".join(path), node
    for name, child in below.items():
        yield from commands(child, (*path, name))

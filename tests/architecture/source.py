"""The project's own files, read once as text and as syntax trees."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = {".git", ".venv", "build", "dist", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@cache
def project_files() -> tuple[Path, ...]:
    """List the files of the project: what git would keep, or the whole folder where there is no git."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607  git is where it is
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        found = [ROOT / name for name in listing.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not FOREIGN & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in found if path.is_file()))


def name_of(path: Path) -> str:
    """Give the path as people write it: from the root of the project, with slashes."""
    return path.relative_to(ROOT).as_posix()


def python_files(*folders: str) -> list[Path]:
    """List the Python files under `folders`."""
    return [
        path for path in project_files() if path.suffix == ".py" and name_of(path).split("/")[0] in folders
    ]


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def calls_in(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Give each call with the dotted name of what is called (`?` for what is not a name)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def dotted(node: ast.expr) -> str:
    """Write an expression of names and attributes with dots: `self.keys.open`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


def imports_in(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Give each absolute name that is imported: `a.b` for `import a.b`, `a.b.c` for `from a.b import c`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def place(path: Path, node: ast.AST) -> str:
    """Say where something stands, as `file:line`."""
    return f"{name_of(path)}:{getattr(node, 'lineno', 0)}"

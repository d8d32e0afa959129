"""How the code blocks of a page are read and run.

- `python`: run in a fresh interpreter, warnings as errors.
- `python` whose first line is `# serment/<room>/<file>.py`: a quotation, which must stand in that file;
  a line with `…` alone skips lines.
- `console`: lines after `$ ` run in one shell for the page; the lines below them are the output, where
  `…` stands for anything.
- `sh`: not run; each `make` target and each `serment` command in it must exist.
- `text`, `json`, `http`, `sql`, `toml`, `mermaid` or no word: not run.

A page runs in a temporary folder of its own, which is also its HOME, with the interpreter's folder first
in its PATH. Blocks of a page run in order and share the folder; `console` blocks also share the variables
of their shell. What a page leaves running in the background ends with it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.source import ROOT, name_of, project_files

KNOWN = {"python", "console", "sh", "text", "json", "http", "sql", "toml", "mermaid", ""}
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w+-]*)[^\n`]*\n(?P<text>.*?)^(?P=indent)```", re.M | re.S
)
QUOTED = re.compile(r"^# (serment/\S+\.py)$")
MARK = "\x1f"
SECONDS = 120


@dataclass(frozen=True)
class Block:
    """One code block: its language, its text and its line on the page."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Step:
    """One command of a page and the output that the page promises ("" promises nothing)."""

    line: int
    command: str
    promised: str


def pages() -> list[Path]:
    """List the pages whose blocks are held: the README, CONTRIBUTING and everything under docs/."""
    return [
        path
        for path in project_files()
        if path.suffix == ".md"
        and (name_of(path) in {"README.md", "CONTRIBUTING.md"} or name_of(path).startswith("docs/"))
    ]


def blocks(page: str) -> Iterator[Block]:
    """Give the code blocks of a page in order."""
    for found in FENCE.finditer(page):
        yield Block(found["language"], textwrap.dedent(found["text"]), page.count("\n", 0, found.start()) + 1)


def steps(page: str) -> Iterator[Step]:
    """Give what is run on a page, in order."""
    for block in blocks(page):
        if block.language == "console":
            yield from _console(block)
        elif block.language == "python" and quotation(block) is None:
            yield Step(block.line, f"python -W error - <<'END-OF-BLOCK'\n{block.text}END-OF-BLOCK", "")


def _console(block: Block) -> Iterator[Step]:
    for found in re.finditer(r"^\$ ((?:[^\n]*\\\n)*[^\n]*)\n?((?:(?!\$ )[^\n]*(?:\n|$))*)", block.text, re.M):
        yield Step(block.line, found[1], found[2].strip("\n"))


def quotation(block: Block) -> tuple[str, list[str]] | None:
    """Give the file that a block quotes and the pieces of it, or None."""
    first, _, rest = block.text.partition("\n")
    named = QUOTED.match(first)
    if named is None:
        return None
    pieces = re.split(r"^\s*(?:# )?(?:…|\.\.\.)\s*\n", rest, flags=re.M)
    return named[1], [piece.strip("\n") for piece in pieces if piece.strip()]


def stands_in(piece: str, source: str) -> bool:
    """Say whether the lines of `piece` follow each other in `source`, whatever their common indentation."""
    wanted = textwrap.dedent(piece).splitlines()
    lines = source.splitlines()
    return any(
        textwrap.dedent("\n".join(lines[start : start + len(wanted)])).splitlines() == wanted
        for start in range(len(lines) - len(wanted) + 1)
    )


def run(page: str, folder: Path) -> list[tuple[Step, int, str]]:
    """Run the steps of a page in one shell and give each with its exit code and its output."""
    todo = list(steps(page))
    script = "".join(f"{step.command}\nprintf '{MARK}%s{MARK}' \"$?\"\n" for step in todo)
    (folder / "home").mkdir()
    (folder / "page.sh").write_text(script, "utf-8")
    with (folder / "output").open("wb") as output:
        shell = subprocess.Popen(
            ["bash", str(folder / "page.sh")],  # noqa: S607  the page's shell is the one that its reader has
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder / "home",
            env=_environment(folder / "home"),
            start_new_session=True,
        )
        try:
            shell.wait(timeout=SECONDS)
        finally:
            _end(shell)
    parts = (folder / "output").read_text("utf-8", "replace").split(MARK)
    codes = [int(code) for code in parts[1::2]]
    codes += [1] * (len(todo) - len(codes))
    said = [text.strip("\n") for text in parts[0::2]] + [""] * len(todo)
    return list(zip(todo, codes, said, strict=False))


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "110",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _end(shell: subprocess.Popen[bytes]) -> None:
    """End the shell and whatever the page left running in it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()


def kept(promised: str, said: str) -> bool:
    """Say whether the output is the promised one, `…` standing for anything, line ends trimmed."""
    pattern = ".*".join(re.escape(_trimmed(part)) for part in _trimmed(promised).split("…"))
    return not promised or re.fullmatch(pattern, _trimmed(said), re.S) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


def make_targets() -> set[str]:
    """Give the targets of the Makefile that a person may ask for."""
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert declared is not None
    return set(declared[1].split())
